#pragma once

#include <string>

/// The demo that comes with the program: the defaults of --model and --image.
namespace fovea::cli {

/// "models/demo_gap.onnx" in the demo's folder, which is looked for beside the running program:
/// installed under share/fovea/demo, linked at the same place in a build tree.
std::string demo_file(const std::string& name);

inline constexpr const char* kDemoModel = "models/demo_gap.onnx";
inline constexpr const char* kDemoImage = "scenes/scene_1.png";

}  // namespace fovea::cli
