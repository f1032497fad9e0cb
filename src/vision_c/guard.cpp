#include "vision_c/guard.hpp"

#include <string>
#include <string_view>

namespace fovea::vision_c {

void require_same_version() {
  if (std::string_view(fovea_version()) == FOVEA_VERSION) return;
  c::refuse("libfovea_vision_c is of version " FOVEA_VERSION " and libfovea_c of " +
            std::string(fovea_version()) + ": install the same of both");
}

}  // namespace fovea::vision_c
