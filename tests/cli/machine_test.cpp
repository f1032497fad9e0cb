#include "machine.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "fovea/version.hpp"
#include "program.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

class Machine : public testing::Test {
 protected:
  std::optional<double> quota(const std::map<std::string, std::string>& files) {
    for (const auto& [name, text] : files) {
      const auto file = root() / name;
      fs::create_directories(file.parent_path());
      std::ofstream(file) << text;
    }
    return cpu_quota(root());
  }
  fs::path root() const { return scratch_.path() / "root"; }

 private:
  cli_test::Scratch scratch_;
};

TEST_F(Machine, NobodySetsALimit) {
  EXPECT_EQ(cpu_quota(root()), std::nullopt);
  EXPECT_EQ(quota({{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "max 100000\n"}}),
            std::nullopt);
}

TEST_F(Machine, TheGroupsOwnLimitOfVersion2) {
  EXPECT_EQ(quota({{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "150000 100000\n"}}),
            1.5);
}

TEST_F(Machine, TheLeastOfTheGroupsAboveIt) {
  EXPECT_EQ(quota({{"proc/self/cgroup", "0::/a/b\n"},
                   {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                   {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"},
                   {"sys/fs/cgroup/cpu.max", "400000 100000\n"}}),
            3);
}

TEST_F(Machine, AGroupThatIsSeenAtTheTop) {
  EXPECT_EQ(quota({{"proc/self/cgroup", "0::/seen/from/outside\n"},
                   {"sys/fs/cgroup/cpu.max", "200000 100000\n"}}),
            2);
}

TEST_F(Machine, Version1) {
  EXPECT_EQ(quota({{"proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/a\n0::/\n"},
                   {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n"},
                   {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"},
                   {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"},
                   {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"}}),
            0.5);
}

TEST_F(Machine, Version1UnderOneControllersName) {
  EXPECT_EQ(quota({{"proc/self/cgroup", "4:cpuacct,cpu:/a\n"},
                   {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000\n"},
                   {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}),
            2);
  EXPECT_EQ(quota({{"proc/self/cgroup", "4:cpuset:/a\n"}}), std::nullopt);
}

TEST_F(Machine, AQuotaLimitsThreadsThatNobodyChose) {
  if (std::getenv("OMP_NUM_THREADS") != nullptr) GTEST_SKIP() << "somebody chose them";
  PoolOptions pool;
  keep_within_quota(pool, std::nullopt);
  EXPECT_EQ(pool.threads, 0);
  keep_within_quota(pool, build_info().threads);
  EXPECT_EQ(pool.threads, 0);
  keep_within_quota(pool, 0.4);
  EXPECT_EQ(pool.threads, build_info().threads > 0.4 ? 1 : 0);
  pool.threads = 7;
  keep_within_quota(pool, 0.4);
  EXPECT_EQ(pool.threads, 7);
}

}  // namespace
}  // namespace fovea::cli
