// EigenCAM. M. B. Muhammad, M. Yeasin, "Eigen-CAM: Class Activation Map using Principal
// Components", IJCNN 2020, eq. 3 and 4:
//
//   A = U S V^T  (positions by channels)      L = A V_1
//
// As in the grad-cam package, the channels' means over positions are taken off first. The sign of
// V_1 is arbitrary there; here it is that which agrees with the sum over channels of A. No class
// plays a part.

#include "explain/gradients.hpp"
#include "explain/principal.hpp"
#include "explain/row.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/cam.hpp"

namespace fovea::explain {
namespace {

std::vector<Evidence> run(Context& context) {
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    Tensor x = plain(feature_map(context), n);
    out.push_back({first_component(x)});
  }
  return out;
}

}  // namespace

template <>
Row<EigenCam> row<EigenCam>() {
  return {
      .info = {.title = "EigenCAM",
               .paper = "Muhammad and Yeasin 2020, Eigen-CAM: Class Activation Map using Principal "
                        "Components, eq. 3 and 4",
               .needs = "a spatial layer",
               .cost = "1 forward, an eigenvector of positions by positions",
               .use = "what the layer saw, without a class or a walk back"},
      .run = run,
      .scratch_bytes = [](const Context& context) {
        const Sizes s(context);
        return first_component_bytes(s.channels, s.positions) + s.plain * kFloat;
      }};
}
template const Entry& entry<EigenCam>();

}  // namespace fovea::explain
