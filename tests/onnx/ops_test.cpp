// Each operator becomes the graph operator it should, in every range of opsets: all the others.
#include <utility>

#include "op_helpers.hpp"

namespace fovea::test {
namespace {

using graph::ReduceKind;
using graph::UnaryKind;

TEST(Ops, Conv) {
  const auto plain = op_of<graph::Conv>(11, "Conv", 2);
  EXPECT_TRUE(plain.window.kernel.empty());
  EXPECT_TRUE(plain.window.strides.empty());
  EXPECT_EQ(plain.group, 1);
  const auto full = op_of<graph::Conv>(
      22, "Conv", 3,
      {attr("kernel_shape", Ints{3, 5}), attr("strides", Ints{2, 1}), attr("dilations", Ints{1, 2}),
       attr("pads", Ints{1, 2, 3, 4}), attr("group", 4)});
  EXPECT_EQ(full.window.kernel, (Ints{3, 5}));
  EXPECT_EQ(full.window.strides, (Ints{2, 1}));
  EXPECT_EQ(full.window.dilations, (Ints{1, 2}));
  EXPECT_EQ(full.window.pads_begin, (Ints{1, 2}));
  EXPECT_EQ(full.window.pads_end, (Ints{3, 4}));
  EXPECT_EQ(full.group, 4);
  const auto pad_of = [](const char* word) {
    return op_of<graph::Conv>(6, "Conv", 2, {attr("auto_pad", word)}).window.auto_pad;
  };
  EXPECT_EQ(pad_of("NOTSET"), graph::AutoPad::explicit_pads);
  EXPECT_EQ(pad_of("SAME_UPPER"), graph::AutoPad::same_upper);
  EXPECT_EQ(pad_of("SAME_LOWER"), graph::AutoPad::same_lower);
  EXPECT_EQ(pad_of("VALID"), graph::AutoPad::valid);
  const auto both = op_of<graph::Conv>(
      7, "Conv", 2, {attr("auto_pad", "SAME_UPPER"), attr("pads", Ints{2, 2, 2, 2})});
  EXPECT_TRUE(both.window.pads_begin.empty()) << "pads mean nothing beside auto_pad";
  const auto transposed = op_of<graph::ConvTranspose>(
      11, "ConvTranspose", 3,
      {attr("output_padding", Ints{1, 0}), attr("output_shape", Ints{9, 9}), attr("group", 2)});
  EXPECT_EQ(transposed.output_padding, (Ints{1, 0}));
  EXPECT_EQ(transposed.output_shape, (Ints{9, 9}));
  EXPECT_EQ(transposed.group, 2);
}

TEST(Ops, Pools) {
  const Attrs window{attr("kernel_shape", Ints{2, 2}), attr("strides", Ints{2, 2})};
  auto attributes = window;
  attributes.push_back(attr("ceil_mode", 1));
  auto max = op_of<graph::Pool>(10, "MaxPool", 1, attributes);
  EXPECT_EQ(max.kind, graph::PoolKind::max);
  EXPECT_TRUE(max.ceil_mode);
  attributes.push_back(attr("count_include_pad", 1));
  const auto average = op_of<graph::Pool>(19, "AveragePool", 1, attributes);
  EXPECT_EQ(average.kind, graph::PoolKind::average);
  EXPECT_TRUE(average.count_include_pad);
  EXPECT_FALSE(op_of<graph::Pool>(7, "AveragePool", 1, window).count_include_pad);
  attributes = window;
  attributes.push_back(attr("storage_order", 1));
  EXPECT_NO_THROW(op_of<graph::Pool>(8, "MaxPool", 1, attributes, 2));
  const auto mean = op_of<graph::Reduce>(13, "GlobalAveragePool", 1);
  EXPECT_EQ(mean.kind, ReduceKind::mean);
  EXPECT_TRUE(mean.spatial);
  EXPECT_TRUE(mean.keep_dims);
  EXPECT_FALSE(mean.axes);
  EXPECT_EQ(op_of<graph::Reduce>(13, "GlobalMaxPool", 1).kind, ReduceKind::max);
}

TEST(Ops, Matrices) {
  const auto gemm = op_of<graph::Gemm>(
      9, "Gemm", 3, {attr("alpha", 0.5), attr("beta", 2.0), attr("transA", 1), attr("transB", 1)});
  EXPECT_EQ(gemm.alpha, 0.5f);
  EXPECT_EQ(gemm.beta, 2.0f);
  EXPECT_TRUE(gemm.trans_a);
  EXPECT_TRUE(gemm.trans_b);
  EXPECT_NO_THROW(op_of<graph::Gemm>(6, "Gemm", 3, {attr("broadcast", 1)}));
  EXPECT_THROW(op_of<graph::Gemm>(7, "Gemm", 3, {attr("broadcast", 1)}), Error);
  EXPECT_THROW(op_of<graph::Gemm>(10, "Gemm", 2), Error) << "C is optional from opset 11 on";
  EXPECT_NO_THROW(op_of<graph::Gemm>(11, "Gemm", 2));
  EXPECT_NO_THROW(op_of<graph::MatMul>(13, "MatMul", 2));
  EXPECT_EQ(op_of<graph::Einsum>(12, "Einsum", 2, {attr("equation", "ij,jk->ik")}).equation,
            "ij,jk->ik");
}

TEST(Ops, Norms) {
  EXPECT_EQ(
      op_of<graph::BatchNorm>(6, "BatchNormalization", 5,
                              {attr("epsilon", 0.5), attr("is_test", 1), attr("momentum", 0.9)})
          .epsilon,
      0.5f);
  EXPECT_NO_THROW(op_of<graph::BatchNorm>(7, "BatchNormalization", 5, {attr("spatial", 1)}));
  EXPECT_EQ(op_of<graph::BatchNorm>(15, "BatchNormalization", 5).epsilon, 1e-5f);
  const auto layer =
      op_of<graph::LayerNorm>(17, "LayerNormalization", 2,
                              {attr("axis", 2), attr("epsilon", 1e-3), attr("stash_type", 1)}, 3);
  EXPECT_EQ(layer.axis, 2);
  EXPECT_EQ(layer.epsilon, 1e-3f);
  EXPECT_EQ(op_of<graph::LayerNorm>(17, "LayerNormalization", 3).axis, -1);
  EXPECT_EQ(op_of<graph::InstanceNorm>(6, "InstanceNormalization", 3).epsilon, 1e-5f);
  for (const int opset : {18, 21})
    EXPECT_EQ(
        op_of<graph::GroupNorm>(opset, "GroupNormalization", 3, {attr("num_groups", 2)}).groups, 2);
  const auto lrn = op_of<graph::Lrn>(13, "LRN", 1, {attr("size", 5), attr("bias", 2.0)});
  EXPECT_EQ(lrn.size, 5);
  EXPECT_EQ(lrn.alpha, 1e-4f);
  EXPECT_EQ(lrn.beta, 0.75f);
  EXPECT_EQ(lrn.bias, 2.0f);
}

TEST(Ops, Softmax) {
  for (const auto* op : {"Softmax", "LogSoftmax"}) {
    const auto old = op_of<graph::Softmax>(12, op, 1);
    EXPECT_EQ(old.axis, 1);
    EXPECT_TRUE(old.flatten);
    const auto now = op_of<graph::Softmax>(13, op, 1);
    EXPECT_EQ(now.axis, -1);
    EXPECT_FALSE(now.flatten);
    EXPECT_EQ(now.log, std::string(op) == "LogSoftmax");
    EXPECT_EQ(op_of<graph::Softmax>(13, op, 1, {attr("axis", 2)}).axis, 2);
  }
}

TEST(Ops, Reductions) {
  const std::vector<std::pair<std::string, ReduceKind>> kinds{
      {"ReduceMean", ReduceKind::mean},
      {"ReduceMax", ReduceKind::max},
      {"ReduceMin", ReduceKind::min},
      {"ReduceProd", ReduceKind::prod},
      {"ReduceL1", ReduceKind::l1},
      {"ReduceL2", ReduceKind::l2},
      {"ReduceSumSquare", ReduceKind::sum_square},
      {"ReduceLogSumExp", ReduceKind::log_sum_exp},
      {"ReduceSum", ReduceKind::sum}};
  for (const auto& [op, kind] : kinds) {
    SCOPED_TRACE(op);
    const int change = op == "ReduceSum" ? 13 : 18;
    const auto before =
        op_of<graph::Reduce>(change - 1, op, 1, {attr("axes", Ints{2, 3}), attr("keepdims", 0)});
    EXPECT_EQ(before.kind, kind);
    EXPECT_EQ(before.axes, (Ints{2, 3}));
    EXPECT_FALSE(before.keep_dims);
    EXPECT_FALSE(op_of<graph::Reduce>(6, op, 1).axes);
    const auto after = op_of<graph::Reduce>(change, op, 2, {attr("noop_with_empty_axes", 1)});
    EXPECT_EQ(after.kind, kind);
    EXPECT_FALSE(after.axes);
    EXPECT_TRUE(after.keep_dims);
    EXPECT_TRUE(after.noop_with_empty_axes);
    EXPECT_THROW(op_of<graph::Reduce>(change, op, 1, {attr("axes", Ints{1})}), Error);
    EXPECT_THROW(op_of<graph::Reduce>(change - 1, op, 2), Error);
  }
  for (const int opset : {13, 18}) {
    const auto got = import_node(opset, "ReduceLogSum", {"x"});
    ASSERT_EQ(got.graph.nodes().size(), 2U);
    EXPECT_EQ(std::get<graph::Reduce>(got.graph.nodes()[0].op).kind, ReduceKind::sum);
    EXPECT_EQ(std::get<graph::Unary>(got.graph.nodes()[1].op).kind, UnaryKind::log);
  }
  const auto arg = op_of<graph::Reduce>(13, "ArgMax", 1, {attr("axis", 1), attr("keepdims", 0)});
  EXPECT_EQ(arg.kind, ReduceKind::arg_max);
  EXPECT_EQ(arg.axes, Ints{1});
  EXPECT_FALSE(arg.keep_dims);
  ModelBuilder last;
  last.input("x", {1, 2})
      .add("ArgMax", {"x"}, {"y"}, {attr("axis", INT64_MAX), attr("select_last_index", 1)})
      .output("y");
  expect_error(last, ErrorCode::bad_model, "does not fit into 64 bits");
}

TEST(Ops, Shapes) {
  using graph::ReshapeKind;
  const auto reshape = op_of<graph::Reshape>(14, "Reshape", 2, {attr("allowzero", 1)});
  EXPECT_EQ(reshape.kind, ReshapeKind::reshape);
  EXPECT_FALSE(reshape.spec);
  EXPECT_TRUE(reshape.allow_zero);
  const auto flatten = op_of<graph::Reshape>(9, "Flatten", 1);
  EXPECT_EQ(flatten.kind, ReshapeKind::flatten);
  EXPECT_EQ(flatten.spec, Ints{1});
  EXPECT_EQ(op_of<graph::Reshape>(13, "Flatten", 1, {attr("axis", -1)}).spec, Ints{-1});
  EXPECT_EQ(op_of<graph::Reshape>(12, "Squeeze", 1, {attr("axes", Ints{0})}).spec, Ints{0});
  EXPECT_FALSE(op_of<graph::Reshape>(12, "Squeeze", 1).spec);
  EXPECT_EQ(op_of<graph::Reshape>(13, "Squeeze", 2).kind, ReshapeKind::squeeze);
  EXPECT_EQ(op_of<graph::Reshape>(12, "Unsqueeze", 1, {attr("axes", Ints{0, 4})}).spec,
            (Ints{0, 4}));
  EXPECT_EQ(op_of<graph::Reshape>(13, "Unsqueeze", 2).kind, ReshapeKind::unsqueeze);
  EXPECT_TRUE(op_of<graph::Transpose>(13, "Transpose", 1).perm.empty());
  EXPECT_EQ(op_of<graph::Transpose>(13, "Transpose", 1, {attr("perm", Ints{0, 2, 3, 1})}).perm,
            (Ints{0, 2, 3, 1}));
  EXPECT_EQ(op_of<graph::Concat>(13, "Concat", 3, {attr("axis", -3)}).axis, -3);
  EXPECT_FALSE(op_of<graph::Expand>(13, "Expand", 2).shape);
  EXPECT_FALSE(op_of<graph::Tile>(13, "Tile", 2).repeats);
}

TEST(Ops, Split) {
  const auto old =
      op_of<graph::Split>(11, "Split", 1, {attr("axis", 1), attr("split", Ints{1, 3})}, 2);
  EXPECT_EQ(old.axis, 1);
  EXPECT_EQ(old.sizes, (Ints{1, 3}));
  EXPECT_FALSE(op_of<graph::Split>(13, "Split", 2, {attr("axis", 1)}, 2).sizes);
  const auto equal = import_node(18, "Split", {"x"}, {attr("axis", 1), attr("num_outputs", 2)}, 2);
  EXPECT_EQ(equal.graph.nodes().back().outputs.size(), 2U);
  // An output without a name still counts.
  auto model = ModelBuilder(13)
                   .input("x", {4, 2})
                   .add("Split", {"x"}, {"", "b"})
                   .add("Relu", {"b"}, {"y"})
                   .output("y");
  auto got = import(model);
  EXPECT_EQ(got.graph.nodes()[0].outputs.size(), 2U);
  graph::bind(got.graph, {}, 1);
  EXPECT_EQ(got.graph.value(got.graph.outputs[0]).shape, (Shape{2, 2}));
}

TEST(Ops, SliceAndPad) {
  const auto slice = op_of<graph::Slice>(
      9, "Slice", 1,
      {attr("starts", Ints{0, 1}), attr("ends", Ints{2, 3}), attr("axes", Ints{2, 3})});
  EXPECT_EQ(slice.starts, (Ints{0, 1}));
  EXPECT_EQ(slice.ends, (Ints{2, 3}));
  EXPECT_EQ(slice.axes, (Ints{2, 3}));
  EXPECT_FALSE(op_of<graph::Slice>(10, "Slice", 5).starts);
  EXPECT_THROW(op_of<graph::Slice>(10, "Slice", 2), Error);
  const auto pad = op_of<graph::Pad>(
      6, "Pad", 1, {attr("pads", Ints{0, 0, 1, 1, 0, 0, -1, 1}), attr("value", 2.0)});
  EXPECT_EQ(pad.mode, graph::PadMode::constant);
  EXPECT_EQ(pad.pads, (Ints{0, 0, 1, 1, 0, 0, -1, 1}));
  EXPECT_EQ(pad.value, 2.0f);
  EXPECT_EQ(op_of<graph::Pad>(11, "Pad", 2, {attr("mode", "reflect")}).mode,
            graph::PadMode::reflect);
  EXPECT_EQ(op_of<graph::Pad>(13, "Pad", 3, {attr("mode", "edge")}).mode, graph::PadMode::edge);
  EXPECT_EQ(op_of<graph::Pad>(19, "Pad", 4, {attr("mode", "wrap")}).mode, graph::PadMode::wrap);
  EXPECT_THROW(op_of<graph::Pad>(13, "Pad", 4), Error) << "axes come with opset 18";
}

TEST(Ops, Recurrent) {
  using graph::CellFunction;
  const auto lstm = op_of<graph::Recurrent>(14, "LSTM", 3, {attr("hidden_size", 4)}, 3);
  EXPECT_EQ(lstm.kind, graph::CellKind::lstm);
  EXPECT_EQ(lstm.direction, graph::RecurrentDirection::forward);
  ASSERT_EQ(lstm.activations.size(), 3U);
  EXPECT_EQ(lstm.activations[0].function, CellFunction::sigmoid);
  EXPECT_EQ(lstm.activations[2].function, CellFunction::tanh);
  EXPECT_FALSE(lstm.clip);
  // Those that take a parameter take the next one.
  const auto gru = op_of<graph::Recurrent>(
      7, "GRU", 3,
      {attr("direction", "bidirectional"), attr("linear_before_reset", 1), attr("clip", 2.0),
       attr("activations", Strings{"hardsigmoid", "Elu", "Sigmoid", "LeakyRelu"}),
       attr("activation_alpha", Floats{0.3f, 0.7f, 0.1f}), attr("activation_beta", Floats{0.4f})});
  EXPECT_EQ(gru.direction, graph::RecurrentDirection::bidirectional);
  EXPECT_TRUE(gru.linear_before_reset);
  EXPECT_EQ(gru.clip, 2.f);
  ASSERT_EQ(gru.activations.size(), 4U);
  EXPECT_EQ(gru.activations[0].alpha, 0.3f);
  EXPECT_EQ(gru.activations[0].beta, 0.4f);
  EXPECT_EQ(gru.activations[1].alpha, 0.7f);
  EXPECT_EQ(gru.activations[3].function, CellFunction::leaky_relu);
  EXPECT_EQ(gru.activations[3].alpha, 0.1f);
  EXPECT_THROW(op_of<graph::Recurrent>(14, "RNN", 3, {attr("activations", Strings{"Sine"})}),
               Error);
  EXPECT_THROW(op_of<graph::Recurrent>(14, "RNN", 3, {attr("direction", "sideways")}), Error);
  EXPECT_THROW(op_of<graph::Recurrent>(14, "GRU", 3, {attr("input_forget", 1)}), Error);
}

/// Images before time, in what goes in and comes out.
TEST(Ops, RecurrentOfTheOtherLayout) {
  ModelBuilder model(14);
  model.input("x", {2, 5, 3})
      .input("w", {1, 8, 3})
      .input("r", {1, 8, 2})
      .add("LSTM", {"x", "w", "r"}, {"y", "h", "c"}, {attr("layout", 1)})
      .output("y")
      .output("h");
  auto got = import(model);
  graph::bind(got.graph, {}, 1);
  EXPECT_EQ(got.graph.value(got.graph.outputs[0]).shape, (Shape{2, 5, 1, 2}));
  EXPECT_EQ(got.graph.value(got.graph.outputs[1]).shape, (Shape{2, 1, 2}));
}

TEST(Ops, Selections) {
  const auto regions = op_of<graph::RoiAlign>(
      16, "RoiAlign", 3,
      {attr("mode", "max"), attr("output_height", 2), attr("output_width", 3),
       attr("sampling_ratio", 4), attr("spatial_scale", 0.25f)});
  EXPECT_TRUE(regions.max && regions.half_pixel);
  EXPECT_EQ(regions.rows, 2);
  EXPECT_EQ(regions.columns, 3);
  EXPECT_EQ(regions.samples, 4);
  EXPECT_EQ(regions.scale, 0.25f);
  EXPECT_FALSE(op_of<graph::RoiAlign>(10, "RoiAlign", 3).half_pixel) << "before opset 16";
  EXPECT_THROW(op_of<graph::RoiAlign>(16, "RoiAlign", 3, {attr("output_height", 0)}), Error);
  EXPECT_THROW(op_of<graph::RoiAlign>(16, "RoiAlign", 3, {attr("sampling_ratio", 257)}), Error);
  EXPECT_TRUE(
      op_of<graph::NonMaxSuppression>(11, "NonMaxSuppression", 5, {attr("center_point_box", 1)})
          .from_centers);
}

TEST(Ops, Indexing) {
  EXPECT_EQ(op_of<graph::Gather>(11, "Gather", 2, {attr("axis", -1)}).axis, -1);
  EXPECT_EQ(op_of<graph::GatherElements>(11, "GatherElements", 2, {attr("axis", 1)}).axis, 1);
  EXPECT_EQ(op_of<graph::GatherElements>(13, "GatherElements", 2).axis, 0);
  const auto sum =
      op_of<graph::CumSum>(14, "CumSum", 2, {attr("exclusive", 1), attr("reverse", 1)});
  EXPECT_TRUE(sum.exclusive && sum.reverse && !sum.axis);
  EXPECT_EQ(op_of<graph::GatherND>(12, "GatherND", 2, {attr("batch_dims", 1)}).batch_dims, 1);
  EXPECT_NO_THROW(op_of<graph::ScatterND>(11, "ScatterND", 3));
  EXPECT_NO_THROW(op_of<graph::ScatterND>(18, "ScatterND", 3, {attr("reduction", "none")}));
  const auto depth = op_of<graph::DepthToSpace>(13, "DepthToSpace", 1,
                                                {attr("blocksize", 2), attr("mode", "CRD")});
  EXPECT_EQ(depth.block, 2);
  EXPECT_TRUE(depth.column_row_depth);
  EXPECT_FALSE(
      op_of<graph::DepthToSpace>(11, "DepthToSpace", 1, {attr("blocksize", 2)}).column_row_depth);
  EXPECT_EQ(op_of<graph::SpaceToDepth>(13, "SpaceToDepth", 1, {attr("blocksize", 4)}).block, 4);
  EXPECT_NO_THROW(op_of<graph::Where>(16, "Where", 3));
}

TEST(Ops, Upsample) {
  const auto six = op_of<graph::Resize>(
      6, "Upsample", 1,
      {attr("height_scale", 2.0), attr("width_scale", 3.0), attr("mode", "bilinear")});
  EXPECT_EQ(six.scales, (Floats{1, 1, 2, 3}));
  EXPECT_EQ(six.mode, graph::ResizeMode::linear);
  const auto seven = op_of<graph::Resize>(7, "Upsample", 1, {attr("scales", Floats{1, 1, 2, 2})});
  EXPECT_EQ(seven.scales, (Floats{1, 1, 2, 2}));
  EXPECT_EQ(seven.mode, graph::ResizeMode::nearest);
  EXPECT_EQ(seven.coordinates, graph::ResizeCoordinates::asymmetric);
  EXPECT_EQ(seven.nearest, graph::NearestMode::floor);
  for (const auto& [opset, op] : {std::pair{9, "Upsample"}, std::pair{10, "Resize"}}) {
    const auto nine = op_of<graph::Resize>(opset, op, 2, {attr("mode", "linear")});
    EXPECT_TRUE(nine.is_upsample);
    EXPECT_FALSE(nine.scales);
    EXPECT_EQ(nine.coordinates, graph::ResizeCoordinates::asymmetric);
    EXPECT_EQ(nine.nearest, graph::NearestMode::floor);
  }
}

TEST(Ops, Resize) {
  const auto plain = op_of<graph::Resize>(11, "Resize", 3);
  EXPECT_EQ(plain.coordinates, graph::ResizeCoordinates::half_pixel);
  EXPECT_EQ(plain.nearest, graph::NearestMode::round_prefer_floor);
  EXPECT_FALSE(plain.is_upsample);
  const auto full = op_of<graph::Resize>(
      18, "Resize", 3,
      {attr("mode", "linear"), attr("coordinate_transformation_mode", "align_corners"),
       attr("nearest_mode", "ceil"), attr("axes", Ints{2, 3}),
       attr("keep_aspect_ratio_policy", "not_larger"), attr("cubic_coeff_a", -0.75)});
  EXPECT_EQ(full.mode, graph::ResizeMode::linear);
  EXPECT_EQ(full.coordinates, graph::ResizeCoordinates::align_corners);
  EXPECT_EQ(full.nearest, graph::NearestMode::ceil);
  EXPECT_EQ(full.axes, (Ints{2, 3}));
  EXPECT_TRUE(full.keep_aspect_not_larger);
  // The region of interest is dropped; an empty tensor is as good as none.
  EXPECT_EQ(reads(import_node(11, "Resize", {"x", "roi", "scales"})),
            (Strings{"x", "-", "scales"}));
  const auto model = ModelBuilder(11)
                         .input("x", {1, 1, 2, 2})
                         .initializer("none", {0}, Floats{})
                         .initializer("sizes", {4}, Ints{1, 1, 4, 4})
                         .add("Resize", {"x", "none", "none", "sizes"}, {"y"})
                         .output("y");
  EXPECT_EQ(reads(import(model)), (Strings{"x", "-", "-", "sizes"}));
}

TEST(Ops, Constants) {
  const auto constant = [](const Attrs& attributes) {
    const auto got = import(ModelBuilder(13)
                                .add("Constant", {}, {"c"}, attributes)
                                .add("Identity", {"c"}, {"y"})
                                .output("y"));
    EXPECT_EQ(got.graph.nodes().size(), 1U) << "a constant is no node";
    return *got.graph.value(got.graph.find_value("c")).constant;
  };
  EXPECT_EQ(constant({attr("value", tensor("", {2}, Floats{1, 2}))}).floats()[1], 2);
  const auto one = constant({attr("value_float", 1.5)});
  EXPECT_EQ(one.floats()[0], 1.5f);
  EXPECT_TRUE(one.shape.empty());
  EXPECT_EQ(constant({attr("value_floats", Floats{1, 2, 3})}).shape, Shape{3});
  EXPECT_EQ(constant({attr("value_int", 7)}).ints[0], 7);
  EXPECT_EQ(constant({attr("value_ints", Ints{7, 8})}).shape, Shape{2});
  const auto broken = [](const Attrs& attributes) {
    return ModelBuilder(13).add("Constant", {}, {"c"}, attributes).output("c");
  };
  expect_error(broken({}), ErrorCode::bad_model, "0 values");
  expect_error(broken({attr("value_int", 7), attr("value_float", 1.0)}), ErrorCode::bad_model,
               "2 values");
}

TEST(Ops, ShapeArithmetic) {
  const auto shape = op_of<graph::ShapeOf>(15, "Shape", 1, {attr("start", 1), attr("end", -1)});
  EXPECT_EQ(shape.start, 1);
  EXPECT_EQ(shape.end, -1);
  EXPECT_FALSE(op_of<graph::ShapeOf>(15, "Shape", 1).end);
  EXPECT_THROW(op_of<graph::ShapeOf>(14, "Shape", 1, {attr("start", 1)}), Error);
  EXPECT_NO_THROW(op_of<graph::SizeOf>(13, "Size", 1));
  EXPECT_NO_THROW(op_of<graph::Range>(11, "Range", 3));
  EXPECT_EQ(op_of<graph::ConstantOfShape>(9, "ConstantOfShape", 1).type, graph::DType::f32);
  const auto filled = op_of<graph::ConstantOfShape>(9, "ConstantOfShape", 1,
                                                    {attr("value", tensor("", {1}, Ints{7}))});
  EXPECT_EQ(filled.type, graph::DType::i64);
  EXPECT_EQ(filled.value, 7);
  EXPECT_THROW(op_of<graph::ConstantOfShape>(9, "ConstantOfShape", 1,
                                             {attr("value", tensor("", {2}, Ints{7, 8}))}),
               Error);
}

TEST(Ops, Cast) {
  const auto cast = [](int type, int from = kFloat) {
    return import(ModelBuilder(13)
                      .input("x", {2}, from)
                      .add("Cast", {"x"}, {"y"}, {attr("to", type)})
                      .output("y"))
        .graph;
  };
  const auto to = [&](int type) { return std::get<graph::Cast>(cast(type).nodes().at(0).op).to; };
  for (const int type : {kFloat, kFloat16, kBfloat16, kDouble})
    EXPECT_EQ(to(type), graph::DType::f32);
  for (const int type : {kInt8, kUint8, kInt16, kUint16, kInt32, kUint32, kInt64, kUint64})
    EXPECT_EQ(to(type), graph::DType::i64);
  EXPECT_EQ(to(kBool), graph::DType::boolean);
  // Wrapped where the values may not fit.
  EXPECT_EQ(cast(kInt32).nodes().size(), 1U);
  EXPECT_EQ(cast(kUint8).nodes().size(), 2U);
  EXPECT_EQ(cast(kInt8).nodes().size(), 4U);
  EXPECT_EQ(cast(kUint8, kUint8).nodes().size(), 1U);
  EXPECT_EQ(cast(kInt8, kBool).nodes().size(), 1U);
  EXPECT_EQ(cast(kUint8, kInt16).nodes().size(), 2U);
}

}  // namespace
}  // namespace fovea::test
