#include "machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "fovea/version.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

bool is_set(const char* variable) {
  return std::getenv(variable) != nullptr;  // NOLINT(concurrency-mt-unsafe): nobody changes it
}

/// "max 100000", "150000 100000": microseconds of each period.
std::optional<double> share(std::istream& quota, std::istream& period) {
  double allowed = 0, each = 0;
  if (!(quota >> allowed) || !(period >> each) || allowed <= 0 || each <= 0) return std::nullopt;
  return allowed / each;
}

std::optional<double> quota_in(const fs::path& folder) {
  if (std::ifstream file(folder / "cpu.max"); file) return share(file, file);
  std::ifstream quota(folder / "cpu.cfs_quota_us"), period(folder / "cpu.cfs_period_us");
  return share(quota, period);
}

/// The group's folder and those above it. A container sees its own group at the top of the mount,
/// whatever path it is told.
std::optional<double> least_quota(const fs::path& mount, const fs::path& group) {
  std::optional<double> least;
  auto path = group.relative_path();
  while (true) {
    if (const auto here = quota_in(mount / path)) least = std::min(*here, least.value_or(*here));
    if (path.empty()) return least;
    path = path.parent_path();
  }
}

bool names_cpu(const std::string& controllers) {
  std::istringstream all(controllers);
  for (std::string one; std::getline(all, one, ',');)
    if (one == "cpu") return true;
  return false;
}

}  // namespace

std::optional<double> cpu_quota(const fs::path& root) {
  std::ifstream groups(root / "proc/self/cgroup");
  std::optional<double> least;
  const auto mounts = root / "sys/fs/cgroup";
  for (std::string line; std::getline(groups, line);) {  // 4:cpu,cpuacct:/path, or 0::/path
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const bool unified = controllers.empty();
    if (!unified && !names_cpu(controllers)) continue;
    std::vector<fs::path> places;
    if (unified)
      places = {mounts, mounts / "unified"};
    else
      places = {mounts / controllers, mounts / "cpu"};
    for (const auto& place : places)
      if (const auto here = least_quota(place, line.substr(second + 1)))
        least = std::min(*here, least.value_or(*here));
  }
  return least;
}

void keep_within_quota(PoolOptions& pool, const std::optional<double>& quota) {
  if (pool.threads != 0 || !quota || is_set("OMP_NUM_THREADS")) return;
  if (*quota < build_info().threads) pool.threads = std::max(1, static_cast<int>(*quota));
}

std::string waiting_text(Waiting waiting) {
  if (is_set("OMP_WAIT_POLICY") || is_set("GOMP_SPINCOUNT")) return "environment";
  switch (waiting) {
    case Waiting::adaptive:
      return "adaptive";
    case Waiting::sleep:
      return "sleep";
    case Waiting::openmp:
      return "openmp";
  }
  return "";
}

}  // namespace fovea::cli
