#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// A method of explanation by its registered name: Method{"gradcam"}. Unknown names and options,
/// and values out of range, are refused where the method is used (Error invalid_argument, listing
/// what is known).
struct Method {
  std::string name = "gradcam";
  /// By the option's name; what is left out has its default (MethodInfo::options). Switches are 0
  /// or 1.
  std::map<std::string, double> options = {};
  /// What a method would otherwise draw at random, by name (MethodInfo::given): noise, masks,
  /// weights.
  std::map<std::string, Tensor> given = {};
};

/// One number that a method can be told.
struct MethodOption {
  std::string name;
  double value = 0;  ///< the default
  double least = 0;
  double most = 0;
  bool whole = false;  ///< a whole number
  std::string help;
};

/// A tensor that a method can be handed in place of what it would draw.
struct MethodTensor {
  std::string name;
  std::string shape;  ///< in words: "[samples, channels, height, width]"
  std::string help;
};

/// Where a method's map lies.
enum class MapKind {
  layer,  ///< on a layer's grid
  input,  ///< on the input's pixels; `Explanation::attribution` holds the signed values
};

/// A row of the registry of methods.
struct MethodInfo {
  std::string name;   ///< as the command line takes it
  std::string title;  ///< "Grad-CAM"
  std::string paper;  ///< authors, title, year, equation
  std::string needs;  ///< what a model must have
  std::string cost;   ///< in forwards and walks back
  std::string use;    ///< when to choose it, one sentence
  MapKind kind = MapKind::layer;
  std::vector<MethodOption> options = {};
  std::vector<MethodTensor> given = {};
};

/// Every method that this build knows.
FOVEA_API std::vector<MethodInfo> methods();

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

}  // namespace fovea
