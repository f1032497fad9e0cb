#include <cmath>
#include <limits>

#include "graph/support.hpp"

namespace fovea::graph::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;
constexpr auto kUnsupported = ErrorCode::unsupported;
constexpr std::int64_t kHuge = std::int64_t{1} << 62;

/// A model of one node that must be refused with the node named.
struct Case {
  const char* name;
  Op op;
  std::vector<Shape> inputs;
  const char* phrase;
  ErrorCode code = kBad;
  /// Constants behind the inputs.
  std::vector<Ints> ints = {};
  std::vector<std::vector<float>> floats = {};
  int outputs = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.name;
}

Conv conv(Window window, std::int64_t group = 1) {
  return {.window = std::move(window), .group = group};
}
Pool pool(Window window) {
  return {.window = std::move(window)};
}
Reshape reshape(Ints spec, ReshapeKind kind = ReshapeKind::reshape) {
  return {kind, std::move(spec), false};
}
Slice slice(Ints starts, Ints ends, std::optional<Ints> axes, std::optional<Ints> steps) {
  return {std::move(starts), std::move(ends), std::move(axes), std::move(steps)};
}
const float kNan = std::numeric_limits<float>::quiet_NaN();
const float kInf = std::numeric_limits<float>::infinity();

/// An LSTM one way, with the usual functions.
Recurrent lstm(RecurrentDirection direction = RecurrentDirection::forward) {
  return {.direction = direction, .activations = std::vector<CellActivation>(3)};
}

class BadModel : public ::testing::TestWithParam<Case> {};

TEST_P(BadModel, IsRefused) {
  const auto& c = GetParam();
  Builder b;
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < c.inputs.size(); ++i)
    ids.push_back(b.input("x" + std::to_string(i), c.inputs[i]));
  for (std::size_t i = 0; i < c.ints.size(); ++i)
    ids.push_back(b.ints("i" + std::to_string(i), c.ints[i]));
  for (std::size_t i = 0; i < c.floats.size(); ++i)
    ids.push_back(b.floats("f" + std::to_string(i), {static_cast<std::int64_t>(c.floats[i].size())},
                           c.floats[i]));
  std::vector<std::string> outputs;
  for (int i = 0; i < c.outputs; ++i) outputs.push_back("y" + std::to_string(i));
  b.ops("the_node", c.op, ids, outputs);
  expect_error([&] { b.bound(); }, c.code, c.phrase);
  expect_error([&] { b.bound(); }, c.code, "node the_node, op ");
}

const Shape kX{1, 4, 5, 5};
const Shape kW{6, 4, 3, 3};

const Case kWindows[] = {
    {"conv_kernel_contradicts", conv({.kernel = {2, 2}}), {kX, kW}, "contradicts weights"},
    {"conv_kernel_zero", conv({}), {kX, {6, 4, 3}}, "the weights have shape [6, 4, 3]"},
    {"conv_stride_zero", conv({.strides = {0, 1}}), {kX, kW}, "stride 0 is too small"},
    {"conv_stride_negative", conv({.strides = {1, -1}}), {kX, kW}, "stride -1 is too small"},
    {"conv_stride_huge", conv({.strides = {kHuge, 1}}), {kX, kW}, "is too large"},
    {"conv_strides_length", conv({.strides = {1}}), {kX, kW}, "the stride has 1 entries where 2"},
    {"conv_dilation_zero", conv({.dilations = {0, 1}}), {kX, kW}, "dilation 0 is too small"},
    {"conv_dilation_huge", conv({.dilations = {kHuge, 1}}), {kX, kW}, "is too large"},
    {"conv_dilated_kernel_huge",
     conv({.dilations = {2147483647, 1}}),
     {kX, kW},
     "dilated kernel is too large"},
    {"conv_pads_negative", conv({.pads_begin = {-1, 0}}), {kX, kW}, "padding -1 is too small"},
    {"conv_pads_length", conv({.pads_end = {1, 1, 1}}), {kX, kW}, "padding has 3 entries"},
    {"conv_kernel_above_input", conv({}), {{1, 4, 2, 5}, kW}, "larger than the padded input"},
    {"conv_output_huge",
     conv({.pads_begin = {2147483647, 2147483647}}),
     {kX, kW},
     "2^31 - 1 elements"},
    {"conv_auto_pad_and_pads",
     conv({.pads_begin = {2, 2}, .auto_pad = AutoPad::same_upper}),
     {kX, kW},
     "contradict"},
    {"conv_group_zero", conv({}, 0), {kX, kW}, "group is 0"},
    {"conv_group_negative", conv({}, -4), {kX, kW}, "group is -4"},
    {"conv_group_not_dividing", conv({}, 3), {kX, kW}, "group 3 does not divide 4 channels"},
    {"conv_group_not_dividing_filters",
     conv({}, 4),
     {kX, {6, 1, 3, 3}},
     "group 4 does not divide 6 filters"},
    {"conv_channels", conv({}, 2), {kX, kW}, "do not fit 4 channels in 2 groups"},
    {"conv_weight_rank", conv({}), {{1, 4, 5}, kW}, "the weights have shape"},
    {"conv_rank_2", conv({}), {{1, 4}, {6, 4}}, "without a spatial extent"},
    {"conv_rank_6", conv({}), {{1, 4, 5, 5, 5, 5}, kW}, "more than three spatial", kUnsupported},
    {"conv_bias", conv({}), {kX, kW, {5}}, "the bias has shape [5] where [6]"},
    {"conv_without_weights", conv({}), {kX}, "input 1 is missing"},
    {"conv_second_output", conv({}), {kX, kW}, "only the first output", kUnsupported, {}, {}, 2},
    {"pool_without_kernel", pool({}), {kX}, "kernel extent is missing"},
    {"pool_kernel_zero", pool({.kernel = {0, 2}}), {kX}, "kernel extent 0 is too small"},
    {"pool_kernel_huge", pool({.kernel = {kHuge, 2}}), {kX}, "is too large"},
    {"pool_kernel_length", pool({.kernel = {2}}), {kX}, "kernel extent has 1 entries where 2"},
    {"pool_padding", pool({.kernel = {2, 2}, .pads_begin = {2, 0}}), {kX}, "not smaller than the"},
    {"pool_kernel_above_input", pool({.kernel = {6, 6}}), {kX}, "larger than the padded input"},
    {"pool_only_padding",
     pool({.kernel = {2}, .dilations = {3}, .pads_begin = {1}, .pads_end = {2}}),
     {{1, 1, 1}},
     "only padding",
     kUnsupported},
    {"transpose_channels", ConvTranspose{}, {kX, {3, 4, 3, 3}}, "do not fit 4 channels"},
    {"transpose_output_shape",
     ConvTranspose{.output_shape = {9}},
     {kX, {4, 2, 3, 3}},
     "output_shape has 1 entries"},
    {"transpose_output_negative",
     ConvTranspose{.output_shape = {-9, 9}},
     {kX, {4, 2, 3, 3}},
     "an output extent of -9"},
    {"transpose_output_far",
     ConvTranspose{.output_shape = {99, 9}},
     {kX, {4, 2, 3, 3}},
     "is not below the stride"},
    {"transpose_padding",
     ConvTranspose{.output_padding = {1, 1}},
     {kX, {4, 2, 3, 3}},
     "is not below the stride"},
    {"transpose_pads",
     ConvTranspose{.window = {.pads_begin = {9, 9}}},
     {kX, {4, 2, 3, 3}},
     "an output extent would be -2"},
};

const Case kShapes[] = {
    {"reshape_two_open", reshape({-1, -1}), {{2, 3}}, "leaves two extents open"},
    {"reshape_product", reshape({4, 2}), {{2, 3}}, "[2, 3] cannot be reshaped to [4, 2]"},
    {"reshape_open_remainder", reshape({4, -1}), {{2, 3}}, "cannot be reshaped"},
    {"reshape_zero_past_rank", reshape({2, 3, 0}), {{2, 3}}, "copies an extent"},
    {"reshape_negative", reshape({-2, 3}), {{2, 3}}, "negative extent"},
    {"reshape_huge", reshape({kHuge, kHuge}), {{2, 3}}, "elements"},
    {"reshape_rank", reshape(Ints(20, 1)), {{1}}, "more than 8 dimensions"},
    {"flatten_axis", reshape({3}, ReshapeKind::flatten), {{2, 3}}, "axis 3 is outside"},
    {"squeeze_extent", reshape({1}, ReshapeKind::squeeze), {{2, 3}}, "cannot be squeezed"},
    {"squeeze_axis", reshape({INT64_MIN}, ReshapeKind::squeeze), {{2, 3}}, "is outside a tensor"},
    {"unsqueeze_twice", reshape({0, -4}, ReshapeKind::unsqueeze), {{2, 3}}, "given twice"},
    {"unsqueeze_axis", reshape({4}, ReshapeKind::unsqueeze), {{2, 3}}, "axis 4 is outside"},
    {"transpose_repeats", Transpose{{0, 0}}, {{2, 3}}, "not a permutation"},
    {"transpose_outside", Transpose{{0, 2}}, {{2, 3}}, "not a permutation"},
    {"transpose_negative", Transpose{{0, INT64_MIN}}, {{2, 3}}, "not a permutation"},
    {"transpose_length", Transpose{{0}}, {{2, 3}}, "perm has 1 entries"},
    {"expand_mismatch", Expand{}, {{2, 3}}, "cannot be broadcast", kBad, {{2, 4}}},
    {"expand_huge", Expand{}, {{1}}, "elements", kBad, {{kHuge, kHuge}}},
    {"expand_negative", Expand{}, {{1}}, "negative extent", kBad, {{-3}}},
    {"tile_negative", Tile{}, {{2, 3}}, "a size does not fit", kBad, {{-1, 1}}},
    {"tile_huge", Tile{}, {{2, 3}}, "a size does not fit", kBad, {{kHuge, 2}}},
    {"tile_length", Tile{}, {{2, 3}}, "one repeat for each", kBad, {{2}}},
    {"concat_extent", Concat{1}, {{2, 3}, {3, 3}}, "cannot be concatenated along axis 1"},
    {"concat_rank", Concat{0}, {{2, 3}, {2}}, "cannot be concatenated"},
    {"concat_axis", Concat{2}, {{2, 3}, {2, 3}}, "axis 2 is outside"},
    {"split_sum", Split{0, Ints{2, 2}}, {{5}}, "do not add up to 5", kBad, {}, {}, 2},
    {"split_negative", Split{0, Ints{6, -1}}, {{5}}, "cannot be split", kBad, {}, {}, 2},
    {"split_count", Split{0, Ints{5}}, {{5}}, "1 entries for 2 outputs", kBad, {}, {}, 2},
    {"split_overflow", Split{0, Ints{INT64_MAX, 2}}, {{5}}, "does not fit", kBad, {}, {}, 2},
    {"split_too_many", Split{0, {}}, {{5}}, "cannot be split", kBad, {}, {}, 4},
    {"slice_step_zero", slice({0}, {1}, Ints{0}, Ints{0}), {{5}}, "a step is zero"},
    {"slice_lengths", slice({0}, {1, 2}, {}, {}), {{5, 5}}, "differ in length"},
    {"slice_axis_twice", slice({0, 0}, {1, 1}, Ints{0, -2}, {}), {{5, 5}}, "given twice"},
    {"slice_axis", slice({0}, {1}, Ints{2}, {}), {{5, 5}}, "axis 2 is outside"},
    {"slice_many_axes", slice({0, 0}, {1, 1}, {}, {}), {{5}}, "more axes"},
    {"pad_length", Pad{PadMode::constant, Ints{1}, {}}, {{5}}, "pads has 1 entries"},
    {"pad_removes_all", Pad{PadMode::constant, Ints{-3, -3}, {}}, {{5}}, "removes more"},
    {"pad_overflow", Pad{PadMode::constant, Ints{INT64_MAX, 1}, {}}, {{5}}, "does not fit"},
    {"pad_huge", Pad{PadMode::constant, Ints{kHuge, 0}, {}}, {{5}}, "elements"},
    {"pad_reflect", Pad{PadMode::reflect, Ints{5, 0}, {}}, {{5}}, "larger than the extent 5"},
    {"pad_reflect_negative",
     Pad{PadMode::reflect, Ints{-1, 0}, {}},
     {{5}},
     "negative padding",
     kUnsupported},
    {"gather_index", Gather{0}, {{3, 2}}, "index 3 is outside an extent of 3", kBad, {{0, 3}}},
    {"gather_index_min", Gather{0}, {{3, 2}}, "is outside an extent of 3", kBad, {{INT64_MIN}}},
    {"gather_axis", Gather{2}, {{3, 2}}, "axis 2 is outside", kBad, {{0}}},
    {"gather_float_index", Gather{0}, {{3, 2}, {1}}, "input 1 is f32 where i64"},
    {"gatherelements_rank", GatherElements{}, {{3, 2}}, "do not fit data", kBad, {{0, 1}}},
    {"gatherelements_index", GatherElements{}, {{3}}, "index 3 is outside", kBad, {{0, 3}}},
    {"topk_k", TopK{0}, {{3, 2}}, "k is 4 for an extent of 3", kBad, {{4}}},
    {"topk_negative", TopK{0}, {{3, 2}}, "k is -1 for", kBad, {{-1}}},
    {"topk_many", TopK{0}, {{3, 2}}, "k holds 2 numbers", kBad, {{1, 2}}},
    {"topk_no_k", TopK{0}, {{3, 2}}, "k is missing", kBad},
    {"topk_axis", TopK{2}, {{3, 2}}, "axis 2 is outside", kBad, {{1}}},
    {"nms_computed", NonMaxSuppression{}, {{1, 3, 4}, {1, 2, 3}}, "not constant", kUnsupported},
    {"nms_shapes", NonMaxSuppression{}, {{1, 3, 4}, {1, 2, 4}}, "for scores of shape", kBad},
    {"roi_map", RoiAlign{}, {{3, 4, 5}, {2, 4}}, "a map of shape", kBad, {{0, 0}}},
    {"roi_regions", RoiAlign{}, {{1, 3, 4, 5}, {2, 5}}, "regions of shape", kBad, {{0, 0}}},
    {"roi_images", RoiAlign{}, {{1, 3, 4, 5}, {2, 4}}, "the third input", kBad, {{0}}},
    {"roi_image", RoiAlign{}, {{1, 3, 4, 5}, {2, 4}}, "a region of image 1", kBad, {{0, 1}}},
    {"cumsum_axis", CumSum{2}, {{3, 2}}, "axis 2 is outside", kBad},
    {"cumsum_no_axis", CumSum{}, {{3, 2}}, "exactly one axis", kBad},
    {"recurrent_rank", lstm(), {{5, 3}, {1, 8, 3}, {1, 8, 2}}, "not three extents"},
    {"recurrent_gates", lstm(), {{5, 1, 3}, {1, 6, 3}, {1, 8, 2}}, "weights"},
    {"recurrent_square", lstm(), {{5, 1, 3}, {1, 8, 3}, {1, 8}}, "the recurrence weights have"},
    {"recurrent_ways",
     lstm(RecurrentDirection::bidirectional),
     {{5, 1, 3}, {1, 8, 3}, {1, 8, 2}},
     "weights"},
    {"recurrent_bias", lstm(), {{5, 1, 3}, {1, 8, 3}, {1, 8, 2}, {1, 8}}, "bias", kBad, {}, {}, 3},
    {"recurrent_lengths",
     lstm(),
     {{5, 1, 3}, {1, 8, 3}, {1, 8, 2}, {1, 16}, {1}},
     "input 4 is f32 where i64",
     kBad,
     {},
     {},
     3},
    {"recurrent_functions",
     Recurrent{},
     {{5, 1, 3}, {1, 8, 3}, {1, 8, 2}},
     "0 activations where 3 are needed",
     kBad,
     {},
     {},
     3},
    {"recurrent_results",
     lstm(),
     {{5, 1, 3}, {1, 8, 3}, {1, 8, 2}},
     "the node has 1 outputs where 3 are needed"},
    {"gathernd_tuple", GatherND{}, {{3, 2}}, "do not fit data", kBad, {{0, 0, 0}}},
    {"gathernd_index", GatherND{}, {{3, 2}}, "index 2 is outside", kBad, {{0, 2}}},
    {"gathernd_batch", GatherND{2}, {{3, 2}}, "batch_dims is 2", kBad, {{0, 0}}},
    {"depth_to_space", DepthToSpace{2}, {{1, 6, 2, 2}}, "no multiple of 4"},
    {"depth_block", DepthToSpace{0}, {{1, 6, 2, 2}}, "block size is 0"},
    {"depth_block_huge", DepthToSpace{kHuge}, {{1, 6, 2, 2}}, "does not fit"},
    {"space_to_depth", SpaceToDepth{2}, {{1, 6, 3, 2}}, "do not fill"},
    {"patch_places", Paste{{3, 3}}, {{1, 6, 5, 5}, {2, 6, 2, 2}}, "places", kBad, {{0, 0, 0, 0}}},
    {"patch_rank", Paste{{3}}, {{6, 5}, {6, 2}}, "takes no patch", kBad, {{0, 0}}},
    {"patch_channels", Paste{{3}}, {{1, 6, 5}, {1, 5, 2}}, "do not fit", kBad, {{0, 0}}},
    {"constant_of_shape_huge", ConstantOfShape{}, {}, "elements", kBad, {{kHuge, 4}}},
    {"constant_of_shape_negative", ConstantOfShape{}, {}, "negative extent", kBad, {{2, -1}}},
    {"range_delta", Range{}, {}, "step of Range is zero", kBad, {{0}, {5}, {0}}},
    {"range_huge", Range{}, {}, "2^31 - 1 elements", kBad, {{INT64_MIN}, {INT64_MAX}, {1}}},
    {"range_float_delta", Range{}, {}, "step of Range", kBad, {}, {{0}, {5}, {0}}},
    {"range_nan", Range{}, {}, "not a number", kBad, {}, {{0}, {5}, {kNan}}},
    {"range_float_huge", Range{}, {}, "2^31 - 1 elements", kBad, {}, {{0}, {kInf}, {1}}},
};

const Case kCompute[] = {
    {"unary_without_input", Unary{}, {}, "input 0 is missing"},
    {"add_shapes", Binary{BinaryKind::add}, {{2, 3}, {2}}, "[2, 3] and [2] cannot be broadcast"},
    {"add_types", Binary{BinaryKind::add}, {{2}}, "input 1 is i64 where f32", kBad, {{1, 2}}},
    {"and_of_floats", Binary{BinaryKind::logical_and}, {{2}, {2}}, "input 0 is f32 where boolean"},
    {"sqrt_of_integers", Unary{UnaryKind::sqrt}, {}, "input 0 is i64 where f32", kBad, {{4}}},
    {"not_of_floats", Unary{UnaryKind::logical_not}, {{2}}, "where boolean is needed"},
    {"leaky_nan", Unary{UnaryKind::leaky_relu, kNan}, {{2}}, "not a number"},
    {"celu_zero", Unary{UnaryKind::celu, 0}, {{2}}, "alpha is zero"},
    {"clip_vector",
     Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
     {{2}},
     "not a single number",
     kBad,
     {},
     {{1, 2}}},
    {"clip_nan",
     Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
     {{2}},
     "not a number",
     kBad,
     {},
     {{kNan}}},
    {"clip_computed",
     Unary{.kind = UnaryKind::clip, .bounds_are_inputs = true},
     {{2}, {}},
     "the min input of Clip is not constant",
     kUnsupported},
    {"prelu_slope", PRelu{}, {{2, 3}, {2, 3, 3}}, "does not broadcast to [2, 3]"},
    {"where_condition", Where{}, {{2}, {2}, {2}}, "input 0 is f32 where boolean"},
    {"gemm_rank", Gemm{}, {{2, 3, 4}, {4, 5}}, "where a matrix is needed"},
    {"gemm_inner", Gemm{.trans_b = true}, {{2, 3}, {3, 4}}, "do not fit together"},
    {"gemm_c", Gemm{}, {{2, 3}, {3, 4}, {3}}, "third input of shape [3] does not broadcast"},
    {"matmul_inner", MatMul{}, {{2, 3}, {4, 5}}, "do not fit together"},
    {"matmul_batch", MatMul{}, {{2, 2, 3}, {3, 3, 5}}, "cannot be broadcast"},
    {"matmul_scalar", MatMul{}, {{}, {3}}, "is a scalar"},
    {"einsum_terms", Einsum{"ij,jk->ik"}, {{2, 3}}, "2 terms for 1 inputs"},
    {"einsum_three", Einsum{"a,a,a"}, {{2}, {3}, {2}}, "letter a stands for 2 and for 3"},
    {"einsum_diagonal", Einsum{"ii->i"}, {{2, 3}}, "letter i stands for 2 and for 3"},
    {"einsum_diagonal_of_one", Einsum{"ii->i"}, {{1, 3}}, "letter i stands for 1 and for 3"},
    {"einsum_repeats", Einsum{"i->ii"}, {{2}}, "output repeats a letter"},
    {"einsum_ellipsis", Einsum{"...i->i"}, {{2, 3}}, "ellipsis that the output lacks"},
    {"einsum_ellipses", Einsum{"...i,...i"}, {{2, 5}, {3, 5}}, "stands for 2 and for 3"},
    {"einsum_no_operand", Einsum{"i->...i"}, {{2}}, "only the output has an ellipsis"},
    {"einsum_wide",
     Einsum{"abcde,fghij->abcdefghij"},
     {{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}},
     "more than 8 dimensions",
     kUnsupported},
    {"einsum_rank", Einsum{"ij,jk"}, {{2, 3}, {3}}, "does not fit the shape [3]"},
    {"einsum_extents", Einsum{"ij,jk"}, {{2, 3}, {4, 5}}, "letter j stands for 3 and for 4"},
    {"einsum_output", Einsum{"ij->ik"}, {{2, 3}}, "a letter that no operand has"},
    {"einsum_character", Einsum{"i1->i"}, {{2, 3}}, "not a letter"},
    {"einsum_dot", Einsum{"i..->i"}, {{2, 3}}, "misplaced dot"},
    {"einsum_long", Einsum{std::string(1000, 'a')}, {{2, 3}}, "too long"},
    {"einsum_empty", Einsum{""}, {{2, 3}}, "does not fit the shape"},
    {"norm_scale", BatchNorm{}, {{1, 3, 4}, {4}, {3}, {3}, {3}}, "scale has shape [4] where [3]"},
    {"norm_mean", BatchNorm{}, {{1, 3, 4}, {3}, {3}, {3, 1}, {3}}, "mean has shape [3, 1]"},
    {"norm_variance", BatchNorm{}, {{1, 3, 4}, {3}, {3}, {3}}, "input 4 is missing"},
    {"norm_epsilon", BatchNorm{-1}, {{1, 3}, {3}, {3}, {3}, {3}}, "epsilon is not"},
    {"norm_epsilon_nan", BatchNorm{kNan}, {{1, 3}, {3}, {3}, {3}, {3}}, "epsilon is not"},
    {"norm_rank", BatchNorm{}, {{3}, {3}, {3}, {3}, {3}}, "has no channels"},
    {"layer_scale", LayerNorm{-1}, {{2, 3}, {2}}, "scale has shape [2] where [3]"},
    {"layer_axis", LayerNorm{2}, {{2, 3}, {3}}, "axis 2 is outside"},
    {"instance_rank", InstanceNorm{}, {{2, 3}, {3}, {3}}, "no spatial extent"},
    {"group_zero", GroupNorm{0}, {{2, 6, 4}, {6}, {6}}, "0 groups do not divide"},
    {"group_count", GroupNorm{4}, {{2, 6, 4}, {6}, {6}}, "4 groups do not divide 6"},
    {"group_scale", GroupNorm{2}, {{2, 6, 4}, {3}, {3}}, "scale has shape [3] where [6]"},
    {"lrn_size", Lrn{0}, {{2, 6, 4}}, "size is 0"},
    {"lrn_alpha", Lrn{5, kNan}, {{2, 6, 4}}, "not a finite number"},
    {"softmax_axis", Softmax{2}, {{2, 3}}, "axis 2 is outside"},
    {"reduce_axis", Reduce{.axes = Ints{2}}, {{2, 3}}, "axis 2 is outside"},
    {"reduce_axis_twice", Reduce{.axes = Ints{1, -1}}, {{2, 3}}, "given twice"},
    {"reduce_axis_min", Reduce{.axes = Ints{INT64_MIN}}, {{2, 3}}, "is outside"},
    {"reduce_global_rank", Reduce{.spatial = true}, {{2, 3}}, "without spatial extents"},
    {"arg_max_axes", Reduce{.kind = ReduceKind::arg_max}, {{2, 3}}, "exactly one axis"},
    {"resize_nothing", Resize{}, {{1, 1, 2, 2}}, "neither scales nor sizes"},
    {"resize_antialias", Resize{.antialias = true}, {{1, 1, 2, 2}}, "antialias"},
    {"upsample_zero",
     Resize{.is_upsample = true},
     {{1, 2}},
     "not a positive number",
     kBad,
     {},
     {{1, 0}}},
    {"upsample_nan",
     Resize{.is_upsample = true},
     {{1, 2}},
     "not a positive",
     kBad,
     {},
     {{1, kNan}}},
    {"upsample_inf",
     Resize{.is_upsample = true},
     {{1, 2}},
     "not a positive",
     kBad,
     {},
     {{1, kInf}}},
    {"upsample_negative",
     Resize{.is_upsample = true},
     {{1, 2}},
     "not a positive",
     kBad,
     {},
     {{1, -2}}},
    {"upsample_huge",
     Resize{.is_upsample = true},
     {{1, 2}},
     "out of range",
     kBad,
     {},
     {{1, 1e30f}}},
    {"upsample_tiny",
     Resize{.is_upsample = true},
     {{1, 2}},
     "cannot be resized to 0",
     kBad,
     {},
     {{1, 1e-30f}}},
    {"upsample_length",
     Resize{.is_upsample = true},
     {{1, 2}},
     "scales has 1 entries",
     kBad,
     {},
     {{2}}},
};

std::string case_name(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(Windows, BadModel, ::testing::ValuesIn(kWindows), case_name);
INSTANTIATE_TEST_SUITE_P(Shapes, BadModel, ::testing::ValuesIn(kShapes), case_name);
INSTANTIATE_TEST_SUITE_P(Compute, BadModel, ::testing::ValuesIn(kCompute), case_name);

TEST(BadModelOf, SeveralInputs) {
  Builder b;
  const auto x = b.input("x", {1, 1, 2, 2});
  b.op("y", Resize{},
       {x, {}, b.floats("scales", {4}, {1, 1, 2, 2}), b.ints("sizes", {1, 1, 4, 4})});
  expect_error([&] { b.bound(); }, kBad, "both scales and sizes");
  Builder c;
  c.op("y", Resize{}, {c.input("x", {1, 1, 2, 2}), {}, {}, c.ints("sizes", {1, 1, -4, 4})});
  expect_error([&] { c.bound(); }, kBad, "a resized extent of -4");
  Builder d;
  d.op("y", ScatterND{},
       {d.input("x", {4, 2}), d.graph.add_constant("i", Constant::of_ints({2, 1}, {0, 4})),
        d.input("u", {2, 2})});
  expect_error([&] { d.bound(); }, kBad, "index 4 is outside an extent of 4");
  Builder e;
  e.op("y", ScatterND{},
       {e.input("x", {4, 2}), e.graph.add_constant("i", Constant::of_ints({2, 1}, {0, 3})),
        e.input("u", {2, 3})});
  expect_error([&] { e.bound(); }, kBad, "third input has shape [2, 3] where [2, 2]");
}

TEST(BadModelOf, AnAbsentInputInTheMiddle) {
  Builder b;
  b.op("y", Where{}, {b.booleans("c", {1}, {1}), {}, b.input("x", {1})});
  expect_error([&] { b.bound(); }, kBad, "input 1 is missing (node y, op Where)");
}

}  // namespace
}  // namespace fovea::graph::test
