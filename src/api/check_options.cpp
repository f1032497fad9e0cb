#include "api/check_options.hpp"

#include <string>

#include "explain/method.hpp"

namespace fovea::api {

void check_options(const ExplainerOptions& options) {
  if (options.compile.batch < 1)
    throw Error(ErrorCode::invalid_argument, "the batch must be at least 1");
  if (options.compile.tuning_time && *options.compile.tuning_time < std::chrono::milliseconds(0))
    throw Error(ErrorCode::invalid_argument, "the time for tuning must not be negative");
  if (options.prepare.perturbation_batch < 0)
    throw Error(ErrorCode::invalid_argument, "the perturbation batch must not be negative");
  if (options.pool.max_workspaces < 1)
    throw Error(ErrorCode::invalid_argument, "at least one workspace is needed");
  if (options.prepare.targets_at_once && *options.prepare.targets_at_once < 1)
    throw Error(ErrorCode::invalid_argument, "at least one target is explained at once");
  for (const auto extent : options.prepare.token_grid)
    if (extent < 1)
      throw Error(ErrorCode::invalid_argument, "a token grid's extents must be at least 1");
  if (options.prepare.token_grid.size() > 3)
    throw Error(ErrorCode::invalid_argument, "a token grid has at most 3 extents");
  if (options.prepare.prefix_tokens && *options.prepare.prefix_tokens < 0)
    throw Error(ErrorCode::invalid_argument, "the number of prefix tokens must not be negative");
  for (const auto& method : options.prepare.methods)
    explain::Settings(explain::find(method.name).info, method);
}

void check_threads(int threads) {
  // OpenMP's runtime ends a process that cannot have as many as it asks for.
  constexpr int kMax = 1024;
  if (threads < 0 || threads > kMax)
    throw Error(ErrorCode::invalid_argument,
                "the number of threads must lie between 0 and " + std::to_string(kMax));
}

}  // namespace fovea::api
