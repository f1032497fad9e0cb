// Random-CAM: channels weighed at random, as the grad-cam package's RandomCAM: a baseline that a
// method of explanation has to beat.
//
//   w_k ~ U(-1, 1)        L = ReLU(sum_k w_k A^k)

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/random.hpp"
#include "explain/row.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context, const Chosen<RandomCam>& method) {
  const auto map = feature_map(context);
  Random random(method->seed);
  const auto* given = method.given(&RandomCam::given_weights, {map.shape[0], map.shape[1]});
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    std::vector<float> weights(static_cast<std::size_t>(map.shape[1]));
    if (given != nullptr) {
      const auto begin = given->data.begin() + n * map.shape[1];
      weights.assign(begin, begin + map.shape[1]);
    } else {
      for (auto& v : weights) v = static_cast<float>(2 * random.uniform() - 1);
    }
    out.push_back({weighted_sum(map, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<RandomCam> row<RandomCam>() {
  return {.info = {.title = "Random-CAM",
                   .paper = "pytorch-grad-cam's RandomCAM (no paper)",
                   .needs = "a spatial layer",
                   .cost = "1 forward",
                   .use = "a sanity baseline"},
          .run = run};
}
template const Entry& entry<RandomCam>();

}  // namespace fovea::explain
