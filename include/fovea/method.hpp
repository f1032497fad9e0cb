#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/export.hpp"

namespace fovea {

/// A method of explanation by its registered name: Method{"gradcam"}. Unknown names are refused
/// where the method is used (Error invalid_argument, listing the known ones).
struct Method {
  std::string name = "gradcam";
};

/// Zhou et al. 2016, "Learning Deep Features for Discriminative Localization", eq. 2: the class's
/// row of the linear layer weighs the channels of the map that global pooling reads. Refused where
/// the head is not pool + linear.
struct Cam {
  operator Method() const { return {"cam"}; }
};

/// Selvaraju et al. 2017, "Grad-CAM", eq. 1 and 2: channels weighed by the spatial mean of the
/// score's gradient, summed, ReLU.
struct GradCam {
  operator Method() const { return {"gradcam"}; }
};

/// A row of the registry of methods.
struct MethodInfo {
  std::string name;   ///< as the command line takes it
  std::string title;  ///< "Grad-CAM"
  std::string paper;  ///< authors, title, year, equation
  std::string needs;  ///< what a model must have
  std::string cost;   ///< in forwards and walks back
};

/// Every method that this build knows.
FOVEA_API std::vector<MethodInfo> methods();

}  // namespace fovea
