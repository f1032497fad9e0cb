#pragma once

#include <map>
#include <string>
#include <vector>

#include "fovea/fovea.hpp"
#include "shapes/children.hpp"
#include "shapes/draw.hpp"

/// Everything that the public interface answers about a model, asked at once.
namespace fovea::shapes_test {

struct Question {
  std::string bytes;  ///< the model
  std::string told;   ///< what it is, for whoever reads of a fault
  LoadOptions load = {};
  ExplainerOptions options;  ///< methods are filled in
  std::string method;
  std::vector<Target> targets = {Target::top1()};
  ExplainOptions explain = {};
  std::map<std::string, Tensor> feeds = {};  ///< empty: drawn
  bool compare = true;                       ///< outputs with the reference's
};

/// A method as cheap as it goes, with what it cannot do without: a background like the image's.
Method cheap_method(const MethodInfo& info, const Shape& image, Draw& draw);

/// A sentence for what no caller may see: an error of code `internal` or without a sentence, an
/// exception of another kind, a result whose extents do not fit its data, outputs that are not the
/// reference's. Else empty; refusals by name are answers.
std::string broken(const Question& question, Draw& draw, Tally& tally);

/// Why an error is none that a caller may see; empty where it is.
std::string improper(const Error& error);

}  // namespace fovea::shapes_test
