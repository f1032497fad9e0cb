// FEM. K. A. A. Fuad, P.-E. Martin, R. Giot, R. Bourqui, J. Benois-Pineau, A. Zemmari, "Features
// Understanding in 3D CNNs for Actions Recognition in Video", IPTA 2020, section III:
//
//   t_k = mean_p A^k + k std_p A^k       w_k = share of positions with A^k > t_k
//   L = sum_k w_k A^k
//
// k is 2; the standard deviation is the population's. The paper weighs by the mean of the
// thresholded map, which is that share.

#include <cmath>

#include "explain/combine.hpp"
#include "explain/feature_map.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context, const Fem& method) {
  const double factor = method.k;
  const auto map = feature_map(context);
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto positions = static_cast<double>(base::element_count(spatial_extents(map)));
    const auto sums = channel_sums(map, n);
    const auto mean = [&](std::int64_t c) { return sums[static_cast<std::size_t>(c)] / positions; };
    const auto squares = sum_over_positions(
        map, map, n, [&](float a, float, std::int64_t c) { return (a - mean(c)) * (a - mean(c)); });
    auto weights = sum_over_positions(map, map, n, [&](float a, float, std::int64_t c) {
      const double deviation = std::sqrt(squares[static_cast<std::size_t>(c)] / positions);
      return a > mean(c) + factor * deviation ? 1.0 : 0.0;
    });
    for (auto& v : weights) v = static_cast<float>(v / positions);
    out.push_back({weighted_sum(map, n, weights)});
  }
  return out;
}

}  // namespace

template <>
Row<Fem> row<Fem>() {
  return {.info = {.title = "FEM",
                   .paper = "Fuad et al. 2020, Features Understanding in 3D CNNs for Actions "
                            "Recognition in Video, section III",
                   .needs = "a spatial layer",
                   .cost = "1 forward",
                   .use = "which rare, strong features the layer found; no class, no walk back"},
          .run = run};
}
template const Entry& entry<Fem>();

}  // namespace fovea::explain
