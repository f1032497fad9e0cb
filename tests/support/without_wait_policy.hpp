#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace fovea::testing_support {

/// The tests' environment says how OpenMP's threads wait, which OpenMP reads once. True: it does,
/// and the running test passed or failed in a process of its own without.
inline bool ran_without_wait_policy() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr && std::getenv("GOMP_SPINCOUNT") == nullptr)
    return false;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto command = "env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT '" +
                       std::filesystem::read_symlink("/proc/self/exe").string() +
                       "' --gtest_filter=" + test->test_suite_name() + "." + test->name() +
                       " --gtest_color=no";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return true;
}

}  // namespace fovea::testing_support
