#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "fovea/explainer.hpp"

namespace fovea::cli {

/// CPUs' worth of time that the control groups of this process leave it, of version 2 or 1; none
/// where they set no limit. `root`: where /proc and /sys lie.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// What a call takes of the machine that did not say how many threads: as many as the quota has
/// whole CPUs, where that is fewer than OpenMP would take, and OMP_NUM_THREADS is not set. A team
/// beyond the quota is stopped, all of it, for most of a tenth of a second at a time.
void keep_within_quota(PoolOptions& pool, const std::optional<double>& quota);

/// How waiting threads wait: "environment" where OMP_WAIT_POLICY or GOMP_SPINCOUNT says it.
std::string waiting_text(Waiting waiting);

}  // namespace fovea::cli
