#include "c/structs.hpp"

#include "fovea/explainer.hpp"

namespace fovea::c {

void Struct<fovea_explainer_options>::fill(fovea_explainer_options& defaults) {
  const ExplainerOptions own;
  defaults.batch = own.compile.batch;
  defaults.precision = FOVEA_PRECISION_F32;
  defaults.tuning = FOVEA_TUNING_QUICK;
  defaults.optimize = own.compile.optimize;
  defaults.waiting = FOVEA_WAITING_ADAPTIVE;
  defaults.fewer_threads = own.pool.fewer_threads;
  defaults.max_runs = own.pool.max_workspaces;
  defaults.memory_limit = own.pool.memory_limit;
  defaults.prefix_tokens = -1;
}

}  // namespace fovea::c
