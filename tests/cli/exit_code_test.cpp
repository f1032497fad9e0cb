#include "exit_code.hpp"

#include <gtest/gtest.h>

namespace fovea::cli {
namespace {

TEST(ExitCode, IsWhatTheDocumentsSay) {
  EXPECT_EQ(exit_code(ErrorCode::invalid_argument), 2);
  EXPECT_EQ(exit_code(Error(ErrorCode::bad_model, "no such tensor").code()), 3);
  EXPECT_EQ(exit_code(ErrorCode::bad_input), 4);
  EXPECT_EQ(exit_code(ErrorCode::unsupported), 5);
  for (const auto code : {ErrorCode::cancelled, ErrorCode::deadline_exceeded,
                          ErrorCode::out_of_memory, ErrorCode::internal})
    EXPECT_EQ(exit_code(code), 1) << to_string(code);
}

}  // namespace
}  // namespace fovea::cli
