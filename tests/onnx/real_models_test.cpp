// Every model of a folder of other people's models imports (kept outside the repository).
#include <algorithm>
#include <filesystem>
#include <vector>

#include "import_helpers.hpp"

namespace fovea::test {
namespace {

const std::filesystem::path kModels =
    std::filesystem::path(FOVEA_SOURCE_DIR) / ".." / "shared" / "real" / "models";

TEST(RealModels, AllImport) {
  if (!std::filesystem::is_directory(kModels)) GTEST_SKIP() << kModels << " is not here";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kModels))
    if (entry.path().extension() == ".onnx") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename());
    try {
      const auto model = onnx::import_file(file, {});
      EXPECT_FALSE(model.graph.nodes().empty());
      EXPECT_EQ(model.info.inputs.size(), 1U);
      EXPECT_EQ(model.graph.inputs.size(), 1U);
      EXPECT_EQ(model.info.outputs.size(), 1U);
      for (const auto& node : model.graph.nodes()) EXPECT_FALSE(node.name.empty());
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

// What its origin says of it: an input of f16, initializers listed as inputs, IR 3.
TEST(RealModels, Float16Squeezenet) {
  const auto file = kModels / "winml_squeezenet_fp16.onnx";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not here";
  const auto model = onnx::import_file(file, {});
  EXPECT_EQ(model.info.opset, 7);
  EXPECT_EQ(model.info.ir_version, 3);
  ASSERT_EQ(model.info.inputs.size(), 1U);
  EXPECT_EQ(model.info.inputs[0].name, "data_0");
  EXPECT_EQ(model.info.inputs[0].type, DataType::f16);
  EXPECT_EQ(model.info.inputs[0].shape, (Shape{1, 3, 224, 224}));
  EXPECT_EQ(model.graph.value(model.graph.inputs[0]).type, graph::DType::f32);
  ASSERT_EQ(model.info.outputs.size(), 1U);
  EXPECT_EQ(model.info.outputs[0].name, "softmaxout_1");
}

}  // namespace
}  // namespace fovea::test
