#include "fovea/request.hpp"

namespace fovea {

ExplainerOptions explainer_options(const Request& request) {
  ExplainerOptions out;
  out.input_shapes = request.input_shapes;
  out.output = request.output;
  out.multi_label = request.multi_label;
  out.token_grid = request.token_grid;
  out.prefix_tokens = request.prefix_tokens;
  out.precision = request.precision;
  out.optimize = request.optimize;
  out.tuning = request.tuning;
  out.threads = request.threads;
  out.smoothing = request.smooth;
  return out;
}

}  // namespace fovea
