#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// A type per method: GradCam, SmoothGrad and the others of fovea/method.hpp.
template <class M>
concept MethodType = requires {
  { M::name } -> std::convertible_to<const char*>;
};

/// A method of explanation by its registered name: Method{"gradcam"}. Unknown names and options,
/// and values out of range, are refused where the method is used (Error invalid_argument, listing
/// what is known).
struct Method {
  Method() = default;
  Method(std::string registered, std::map<std::string, double> numbers = {},
         std::map<std::string, Tensor> tensors = {}, std::map<std::string, std::string> rules = {})
      : name(std::move(registered)),
        options(std::move(numbers)),
        given(std::move(tensors)),
        layer_rules(std::move(rules)) {}
  /// Of a method's type: every option, and the tensors that are not empty.
  template <MethodType M>
  Method(const M& method);

  std::string name = "gradcam";
  /// By the option's name; what is left out has its default (MethodInfo::options). Switches are 0
  /// or 1.
  std::map<std::string, double> options = {};
  /// What a method would otherwise draw at random, by name (MethodInfo::given): noise, masks,
  /// weights.
  std::map<std::string, Tensor> given = {};
  /// By a layer's or node's name, the rule that it follows in place of its method's own choice; for
  /// methods with MethodInfo::layer_rules.
  std::map<std::string, std::string> layer_rules = {};
};

/// One number that a method can be told.
struct MethodOption {
  std::string name;
  double value = 0;  ///< the default
  double min = 0;
  double max = 0;
  bool is_integer = false;  ///< a whole number
  std::string help;
  /// Names of the values 0, 1, 2, ..., where the numbers stand for choices.
  std::vector<std::string> choices = {};
};

/// A tensor that a method can be handed: what it would draw, or what it compares with.
struct MethodTensor {
  std::string name;
  std::string shape;  ///< in words: "[samples, channels, height, width]"
  std::string help;
  bool required = false;  ///< the method is refused without it
};

/// Where a method's map lies.
enum class MapKind {
  layer,  ///< on a layer's grid
  input,  ///< on the input's pixels; `Explanation::attribution` may hold the signed values
};

/// A row of the registry of methods.
struct MethodInfo {
  std::string name = {};   ///< as the command line takes it
  std::string title;       ///< "Grad-CAM"
  std::string paper;       ///< authors, title, year, equation
  std::string needs = {};  ///< what a model must have
  std::string cost = {};   ///< in forwards and backward passes
  std::string use;         ///< when to choose it, one sentence
  MapKind kind = MapKind::layer;
  bool expensive = false;  ///< runs the whole network hundreds of times: minutes on a large one
  /// The lowest value of its map says nothing, and neither does 0: Normalize::minmax shows the
  /// rest.
  bool has_offset = false;
  /// Defined on a class's probability: ask it about Target::of_probability. Of a logit, whose zero
  /// says nothing, its map tells less.
  bool of_probability = false;
  std::vector<MethodOption> options = {};
  std::vector<MethodTensor> given = {};
  std::vector<std::string> layer_rules = {};  ///< names that Method::layer_rules may give
};

/// Every method that this build knows.
FOVEA_API std::vector<MethodInfo> methods();

/// Refuses what the method's use would refuse whatever the model is: Error invalid_argument for
/// unknown names, values out of range, and required tensors that are missing.
FOVEA_API void check_method(const Method& method);

}  // namespace fovea
