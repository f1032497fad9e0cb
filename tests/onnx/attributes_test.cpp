// Attributes: their types and names in general, and what each operator refuses.
#include <cmath>
#include <limits>

#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;
constexpr std::int64_t kHuge = std::int64_t{1} << 62;

// One node that reads inputs a, b, c ... as many as it wants.
ModelBuilder with_node(const std::string& op, const Attrs& attributes, int inputs = 1,
                       std::int64_t opset = 13, int outputs = 1) {
  ModelBuilder model(opset);
  Strings in;
  Strings out;
  for (int i = 0; i < inputs; ++i) {
    in.push_back(std::string(1, static_cast<char>('a' + i)));
    model.input(in.back(), {1, 4, 8, 8});
  }
  for (int i = 0; i < outputs; ++i) out.push_back("y" + std::to_string(i));
  model.add(op, in, out, attributes, "n").output("y0");
  return model;
}

TEST(Attributes, UnknownNamesAreRefused) {
  expect_error(with_node("Relu", {attr("alpha", 1.0)}), kBad,
               "the attribute 'alpha' does not belong to this operator (file model.onnx, node n");
  expect_error(with_node("Conv", {attr("stride", Ints{1, 1})}, 2), kBad, "'stride'");
  expect_error(with_node("Reshape", {attr("allowzero", 1)}, 2, 13), kBad, "'allowzero'");
  EXPECT_NO_THROW(import(with_node("Reshape", {attr("allowzero", 1)}, 2, 14)));
  EXPECT_NO_THROW(import(with_node("Relu", {attr("__note", 1)})));
}

TEST(Attributes, TypesAreChecked) {
  expect_error(with_node("LeakyRelu", {attr("alpha", 1)}), kBad,
               "'alpha' holds an integer where a float belongs");
  expect_error(with_node("Concat", {attr("axis", "1")}), kBad,
               "'axis' holds a string where an integer belongs");
  expect_error(with_node("Transpose", {attr("perm", Floats{0, 1})}), kBad,
               "'perm' holds floats where integers belong");
  expect_error(with_node("Concat", {attr_of_type("axis", 0)}), kBad, "'axis' has no type");
  expect_error(with_node("Concat", {attr_of_type("axis", 77)}), kBad, "an unknown type");
  expect_error(with_node("Constant", {attr_of_type("value", 4)}, 0), kBad, "holds no tensor");
}

TEST(Attributes, RepeatsReferencesAndGaps) {
  expect_error(with_node("Concat", {attr("axis", 1), attr("axis", 1)}), kBad,
               "'axis' appears twice");
  auto reference = attr_of_type("axis", 2);
  reference.set_ref_attr_name("outer");
  expect_error(with_node("Concat", {reference}), kBad, "outside a function");
  expect_error(with_node("Concat", {}), kBad, "the attribute 'axis' is missing");
  expect_error(with_node("MaxPool", {}), kBad, "'kernel_shape' is missing");
  expect_error(with_node("LRN", {}), kBad, "'size' is missing");
  expect_error(with_node("DepthToSpace", {}), kBad, "'blocksize' is missing");
  expect_error(with_node("Einsum", {}, 2), kBad, "'equation' is missing");
  expect_error(with_node("GroupNormalization", {}, 3, 21), kBad, "'num_groups' is missing");
  expect_error(with_node("Cast", {}), kBad, "'to' is missing");
  expect_error(with_node("Unsqueeze", {}, 1, 12), kBad, "'axes' is missing");
  expect_error(with_node("Slice", {attr("starts", Ints{0})}, 1, 9), kBad, "'ends' is missing");
  expect_error(with_node("Upsample", {}, 1, 7), kBad, "'scales' is missing");
}

TEST(Attributes, Windows) {
  for (const auto* name : {"kernel_shape", "strides", "dilations"})
    for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, kHuge})
      expect_error(with_node("Conv", {attr(name, Ints{1, value})}, 2), kBad,
                   std::string("an entry of ") + name + " is out of range");
  for (const std::int64_t value : {std::int64_t{-1}, kHuge})
    expect_error(with_node("Conv", {attr("pads", Ints{0, 0, 0, value})}, 2), kBad,
                 "an entry of pads is out of range");
  expect_error(with_node("Conv", {attr("pads", Ints{0, 0, 0})}, 2), kBad, "odd number");
  expect_error(with_node("Conv", {attr("kernel_shape", Ints{3, 3}), attr("strides", Ints{1})}, 2),
               kBad, "differ in the number of dimensions");
  expect_error(with_node("Conv", {attr("kernel_shape", Ints{3, 3}), attr("pads", Ints{1, 1})}, 2),
               kBad, "differ in the number of dimensions");
  expect_error(with_node("Conv", {attr("kernel_shape", Ints{1, 1, 1, 1})}, 2),
               ErrorCode::unsupported, "more than 3 spatial dimensions");
  expect_error(with_node("Conv", {attr("auto_pad", "SAME")}, 2), kBad,
               "'auto_pad' is 'SAME', which it may not be");
  for (const std::int64_t group : {std::int64_t{0}, std::int64_t{-2}, kHuge})
    expect_error(with_node("Conv", {attr("group", group)}, 2), kBad, "group is out of range");
  expect_error(with_node("ConvTranspose", {attr("output_padding", Ints{-1, 0})}, 2), kBad,
               "output_padding is out of range");
  expect_error(with_node("ConvTranspose", {attr("output_shape", Ints{0, 4})}, 2), kBad,
               "output_shape is out of range");
  expect_error(with_node("MaxPool", {attr("kernel_shape", Ints{2, 2}), attr("ceil_mode", 2)}), kBad,
               "'ceil_mode' is neither 0 nor 1");
}

TEST(Attributes, Numbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {-1e-5f, nan, infinity}) {
    expect_error(with_node("BatchNormalization", {attr("epsilon", value)}, 5), kBad, "'epsilon'");
    expect_error(with_node("InstanceNormalization", {attr("epsilon", value)}, 3), kBad,
                 "'epsilon'");
    expect_error(with_node("LayerNormalization", {attr("epsilon", value)}, 2, 17), kBad,
                 "'epsilon'");
  }
  for (const auto* op : {"LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid"})
    expect_error(with_node(op, {attr("alpha", nan)}), kBad, "'alpha' is not a number");
  expect_error(with_node("Celu", {attr("alpha", 0.0)}), kBad, "alpha is 0");
  expect_error(with_node("Gemm", {attr("beta", nan)}, 3), kBad, "'beta' is not a number");
  expect_error(with_node("LRN", {attr("size", 0)}), kBad, "size is out of range");
  expect_error(with_node("GroupNormalization", {attr("num_groups", 0)}, 3, 21), kBad,
               "num_groups is out of range");
  expect_error(with_node("SpaceToDepth", {attr("blocksize", 0)}), kBad, "blocksize is out of");
  for (const float scale : {0.0f, -1.0f, nan, infinity})
    expect_error(with_node("Upsample", {attr("scales", Floats{1, 1, 2, scale})}, 1, 7), kBad,
                 "a scale is not a positive number");
}

TEST(Attributes, Words) {
  expect_error(with_node("Gelu", {attr("approximate", "sigmoid")}, 1, 20), kBad, "'approximate'");
  expect_error(with_node("Pad", {attr("mode", "mirror")}, 2), kBad, "'mode'");
  expect_error(with_node("DepthToSpace", {attr("blocksize", 2), attr("mode", "CDR")}), kBad,
               "'mode'");
  expect_error(with_node("ScatterND", {attr("reduction", "avg")}, 3, 18), kBad, "reduction");
  expect_error(with_node("Resize", {attr("mode", "area")}, 3), kBad, "its mode does not exist");
  expect_error(with_node("Resize", {attr("nearest_mode", "down")}, 3), kBad, "'nearest_mode'");
  expect_error(with_node("Resize", {attr("coordinate_transformation_mode", "none")}, 3), kBad,
               "'coordinate_transformation_mode'");
  expect_error(with_node("Resize", {attr("keep_aspect_ratio_policy", "crop")}, 3, 18), kBad,
               "does not exist");
}

TEST(Attributes, ListsThatContradict) {
  expect_error(with_node("Transpose", {attr("perm", Ints{0, 0, 1})}), kBad, "not a permutation");
  expect_error(with_node("Transpose", {attr("perm", Ints{1, 2})}), kBad, "not a permutation");
  expect_error(with_node("Transpose", {attr("perm", Ints{-1, 0})}), kBad, "not a permutation");
  expect_error(with_node("Split", {attr("split", Ints{1, 2, 1})}, 1, 12, 2), kBad,
               "3 sizes for 2 outputs");
  expect_error(with_node("Split", {attr("split", Ints{-1, 5})}, 1, 12, 2), kBad,
               "a size is negative");
  expect_error(with_node("Split", {attr("num_outputs", 3)}, 1, 18, 2), kBad, "num_outputs");
  expect_error(with_node("Slice", {attr("starts", Ints{0}), attr("ends", Ints{1, 2})}, 1, 9), kBad,
               "differ in length");
  expect_error(with_node("Resize", {}, 1), kBad, "neither scales nor sizes");
  expect_error(with_node("Resize", {}, 4), kBad, "both scales and sizes");
  expect_error(with_node("Pad", {attr("pads", Ints{kHuge, 0})}, 1, 6), kBad, "out of range");
}

TEST(Attributes, FormsThatFoveaHasNot) {
  const auto expect = [](const ModelBuilder& model, const std::string& part) {
    expect_error(model, ErrorCode::unsupported, part);
  };
  expect(with_node("LpPool", {attr("kernel_shape", Ints{2}), attr("ceil_mode", 1)}),
         "with ceil_mode");
  expect(with_node("GlobalLpPool", {attr("p", 0)}), "with p 0");
  expect(with_node("BatchNormalization", {attr("is_test", 0), attr("spatial", 0)}, 5, 6),
         "per element");
  expect(with_node("Dropout", {}, 3), "in training mode");
  expect(with_node("Cast", {attr("to", kString)}), "string");
  expect(with_node("Constant", {attr("value_string", "text")}, 0), "a string");
  expect(with_node("Constant", {attr_of_type("sparse_value", 11)}, 0), "a sparse value");
  expect(with_node("Constant", {attr("value", empty_tensor("", {1}, kString))}, 0), "string");
}

}  // namespace
}  // namespace fovea::test
