#include "fovea/request.hpp"

namespace fovea {

ExplainerOptions explainer_options(const Request& request) {
  ExplainerOptions out;
  out.compile.input_shapes = request.input_shapes;
  out.compile.output = request.output;
  out.compile.multi_label = request.multi_label;
  out.prepare.token_grid = request.token_grid;
  out.prepare.prefix_tokens = request.prefix_tokens;
  out.compile.precision = request.precision;
  out.compile.optimize = request.optimize;
  out.compile.tuning = request.tuning;
  out.pool.threads = request.threads;
  out.prepare.smoothing = request.smooth;
  return out;
}

}  // namespace fovea
