#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What fovea understands: one page. Fields are ONNX's attributes with their defaults resolved
/// across opsets; `std::optional` fields may instead arrive as constant inputs, which shape
/// inference reads, stores in the field and drops from the node, so that everything after it sees
/// fields only. Spatial fields (kernel, strides, pads ...) have one entry per spatial dimension
/// after inference.
namespace fovea::graph {

using Ints = std::vector<std::int64_t>;

enum class AutoPad { explicit_pads, same_upper, same_lower, valid };

/// Kernel geometry shared by convolutions and pools. `pads_begin` / `pads_end` are final after
/// inference: auto_pad and ceil_mode are resolved into them there.
struct Window {
  Ints kernel;  ///< taken from the weights where empty
  Ints strides;
  Ints dilations;
  Ints pads_begin;
  Ints pads_end;
  AutoPad auto_pad = AutoPad::explicit_pads;
};

/// Element-wise functions of one value. alpha, beta, gamma: see `Unary`.
enum class UnaryKind {
  identity,      // also Dropout at inference
  relu,          // max(x, 0)
  leaky_relu,    // x < 0 ? alpha x : x
  clip,          // min(max(x, alpha), beta)
  elu,           // x < 0 ? alpha (e^x - 1) : x
  selu,          // gamma (x <= 0 ? alpha (e^x - 1) : x)
  celu,          // max(x, 0) + min(0, alpha (e^(x / alpha) - 1))
  sigmoid,       // 1 / (1 + e^-x)
  hard_sigmoid,  // clip(alpha x + beta, 0, 1)
  hard_swish,    // x clip(x / 6 + 1/2, 0, 1)
  tanh,
  softplus,   // log(1 + e^x)
  softsign,   // x / (1 + |x|)
  mish,       // x tanh(softplus(x))
  gelu,       // x Phi(x), by erf
  gelu_tanh,  // its tanh approximation
  silu,       // x sigmoid(alpha x); no ONNX operator below opset 24, recognised by a pass
  erf,
  sqrt,
  exp,
  log,
  abs,
  neg,
  reciprocal,
  floor,  // gradient 0
  ceil,   // gradient 0
  round,  // half to even; gradient 0
  sign,   // gradient 0
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  is_nan,       // not differentiable
  is_inf,       // the positive one where alpha != 0, the negative one where beta != 0
  logical_not,  // not differentiable
};

struct Unary {
  UnaryKind kind = UnaryKind::identity;
  float alpha = 0;
  float beta = 0;
  float gamma = 0;
  /// For clip: the bounds are inputs 1 and 2 (each optional) until inference resolves them. Of a
  /// constant of integers they stay, to be read exactly.
  bool bounds_are_inputs = false;
};

/// Element-wise functions of two values under numpy's broadcasting.
enum class BinaryKind {
  add,
  sub,
  mul,
  div,  // truncates for integers
  pow,
  max,
  min,
  mod,   // the sign of the divisor; this and all below: not differentiable
  fmod,  // the sign of the dividend
  bit_and,
  bit_or,
  bit_xor,
  shift_left,
  shift_right,
  equal,  // from here on the result is boolean
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  logical_and,
  logical_or,
  logical_xor,
};
struct Binary {
  BinaryKind kind = BinaryKind::add;
};

/// slope is broadcast to x: x < 0 ? slope x : x. Inputs x, slope.
struct PRelu {};
/// condition ? a : b under broadcasting. Inputs condition, a, b.
struct Where {};

/// What a Conv, Gemm, MatMul or BatchNorm does to its result before writing it. Filled by the
/// fusion pass only.
struct PostOp {
  enum class Kind { unary, add_input } kind = Kind::unary;
  Unary unary;    ///< for `unary`
  int input = 0;  ///< for `add_input`: index in the node's inputs of the value added
};
using PostOps = std::vector<PostOp>;

/// Inputs x [n, c, ...], weights [m, c / group, ...], optional bias [m].
struct Conv {
  Window window;
  std::int64_t group = 1;
  PostOps post;
};
/// Inputs x [n, c, ...], weights [c, m / group, ...], optional bias [m].
struct ConvTranspose {
  Window window;
  std::int64_t group = 1;
  Ints output_padding;
  Ints output_shape;  ///< spatial extents asked for; resolved into the pads
};

/// arg_max: where each maximum lies, counted through the whole tensor; not differentiable.
enum class PoolKind { max, average, arg_max };
/// Windowed pooling; the global pools are Reduce over the spatial axes.
struct Pool {
  PoolKind kind = PoolKind::max;
  Window window;
  bool ceil_mode = false;
  bool count_include_pad = false;
  /// After inference: the part of pads_end that ceil_mode added; no average counts it.
  Ints ceil_extra = {};
  bool column_major = false;  ///< of arg_max: a map's first axis is counted fastest
};

/// alpha op(A) op(B) + beta C. Inputs a [.., ..], b, optional c (broadcast).
struct Gemm {
  float alpha = 1;
  float beta = 1;
  bool trans_a = false;
  bool trans_b = false;
  PostOps post;
};
/// numpy.matmul. Inputs a, b.
struct MatMul {
  PostOps post;
};
/// The sum over the letters that the result lacks of the product of the operands. Extents of 1 are
/// broadcast; a letter twice in an operand reads its diagonal. Binding makes a node of two operands
/// of every pair (`contract_in_pairs`). After inference the result is written out and there is no
/// ellipsis and no space.
struct Einsum {
  std::string equation;
};

/// Inference form. Inputs x, scale, bias, mean, variance.
struct BatchNorm {
  float epsilon = 1e-5f;
  PostOps post = {};  ///< a ReLU at most
  /// By x's own mean and variance, which of pictures would mix them: of constants alone. Inputs 3
  /// and 4 are dropped by inference.
  bool training = false;
};
/// Over axes [axis, rank). Inputs x, scale, optional bias.
struct LayerNorm {
  std::int64_t axis = -1;
  float epsilon = 1e-5f;
};
/// Per image and channel. Inputs x, scale [c], bias [c].
struct InstanceNorm {
  float epsilon = 1e-5f;
};
/// Per image and group of channels. Inputs x, scale, bias: [groups] in opset 18, [c] from 21.
struct GroupNorm {
  std::int64_t groups = 1;
  float epsilon = 1e-5f;
};
/// Across channels.
struct Lrn {
  std::int64_t size = 1;
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1;
};

/// `flatten`: opset < 13, softmax over all axes from `axis` on taken as one.
struct Softmax {
  std::int64_t axis = -1;
  bool log = false;
  bool flatten = false;
};

/// 1 at the largest element along the axis, the first of equal ones, else 0; `flatten`: as in
/// Softmax. Gradient 0.
struct Hardmax {
  std::int64_t axis = -1;
  bool flatten = false;
};

enum class ReduceKind { mean, sum, max, min, prod, l1, l2, sum_square, log_sum_exp, arg_max };
/// axes: attribute or input 1; none: all (or nothing where `noop_with_empty_axes`). Sorted and
/// non-negative after inference. arg_max yields indices and is not differentiable. `spatial` (the
/// global pools, whose rank the file does not say): axes stay unset until inference fills in 2 to
/// rank - 1, and clears the flag.
struct Reduce {
  ReduceKind kind = ReduceKind::mean;
  std::optional<Ints> axes;
  bool keep_dims = true;
  bool noop_with_empty_axes = false;
  bool spatial = false;
};

/// Sums of the elements up to each along an axis, input 1 until inference.
struct CumSum {
  std::optional<std::int64_t> axis = {};
  bool exclusive = false;  ///< without the element itself
  bool reverse = false;    ///< from the last on
};

enum class CellKind { rnn, gru, lstm };
enum class RecurrentDirection { forward, reverse, bidirectional };
/// What a cell squashes by. alpha, beta: see `CellActivation`.
enum class CellFunction {
  sigmoid,
  tanh,
  relu,
  affine,            // alpha x + beta
  leaky_relu,        // x < 0 ? alpha x : x
  thresholded_relu,  // x > alpha ? x : 0
  scaled_tanh,       // alpha tanh(beta x)
  hard_sigmoid,      // clip(alpha x + beta, 0, 1)
  elu,               // x < 0 ? alpha (e^x - 1) : x
  softsign,          // x / (1 + |x|)
  softplus,          // log(1 + e^x)
};
struct CellActivation {
  CellFunction function = CellFunction::sigmoid;
  float alpha = 0;
  float beta = 0;
};
/// A recurrent network over time. Inputs x [time, n, features], w [directions, gates hidden,
/// features], r [directions, gates hidden, hidden] and, each of them or none, b [directions,
/// 2 gates hidden], lengths [n], the states before the first step h and (lstm) c [directions, n,
/// hidden], and (lstm) peepholes p [directions, 3 hidden]. Results y [time, directions, n, hidden],
/// zero beyond an image's length, and the states after the last step, h and (lstm) c. Gates are in
/// ONNX's order: z r h, i o f c.
struct Recurrent {
  CellKind kind = CellKind::lstm;
  RecurrentDirection direction = RecurrentDirection::forward;
  std::vector<CellActivation> activations = {};  ///< per direction 1 (rnn), 2 (gru) or 3 (lstm)
  std::optional<float> clip = {};                ///< of what they get, but for an lstm's c
  bool linear_before_reset = false;  ///< of gru: r times what h makes, not what makes it
  bool input_forget = false;         ///< of lstm: the forget gate is 1 - i
};
std::int64_t gates(CellKind kind);
std::int64_t directions(const Recurrent& op);

struct Concat {
  std::int64_t axis = 0;
};
/// sizes: attribute, input 1, or equal parts over the outputs (the last may be smaller).
struct Split {
  std::int64_t axis = 0;
  std::optional<Ints> sizes;
};
/// Attributes or inputs 1 to 4. Final after inference: one non-negative start, extent-clamped end
/// and step per entry of axes (non-negative, too); only the end of a backward slice that includes
/// element 0 is negative.
struct Slice {
  std::optional<Ints> starts;
  std::optional<Ints> ends;
  std::optional<Ints> axes;
  std::optional<Ints> steps;
};
enum class PadMode { constant, reflect, edge, wrap };
/// pads: attribute or input 1 (begins, then ends; negative crops); value: attribute or input 2;
/// axes: input 3. After inference `pads` covers every axis.
struct Pad {
  PadMode mode = PadMode::constant;
  std::optional<Ints> pads;
  std::optional<float> value;
};

enum class ReshapeKind { reshape, flatten, squeeze, unsqueeze };
/// Same elements, other extents. `spec`: the shape for reshape, the axes for (un)squeeze, the one
/// axis for flatten; attribute or input 1. After inference: kind reshape with the full shape.
struct Reshape {
  ReshapeKind kind = ReshapeKind::reshape;
  std::optional<Ints> spec;
  bool allow_zero = false;
};
struct Transpose {
  Ints perm;  ///< empty: reversed; full after inference
};
/// shape: input 1; after inference the output's extents.
struct Expand {
  std::optional<Ints> shape;
};
/// repeats: input 1.
struct Tile {
  std::optional<Ints> repeats;
};
/// Inputs data, indices.
struct Gather {
  std::int64_t axis = 0;
};
/// Inputs data, indices of the same rank: along `axis` the element that each index says.
struct GatherElements {
  std::int64_t axis = 0;
};
/// Inputs data, indices.
struct GatherND {
  std::int64_t batch_dims = 0;
};
/// What an update does to the element that it meets. Of mul, max and min there is no gradient.
enum class ScatterKind { replace, add, mul, max, min };
/// Inputs data, indices, updates; where updates meet, `replace` keeps the last one.
struct ScatterND {
  ScatterKind kind = ScatterKind::replace;
};
/// The same, indices of the updates' shape: along `axis` the element that each index says.
struct ScatterElements {
  std::int64_t axis = 0;
  ScatterKind kind = ScatterKind::replace;
};
/// Along an axis the indices of the k largest elements (smallest), in their order, the first of
/// equal ones first; not a number is larger than any. k: field or input 1.
struct TopK {
  std::int64_t axis = -1;
  bool largest = true;
  std::optional<std::int64_t> k = {};
};

/// The coordinates of the elements that are not 0: [rank, count], row-major. Of constants alone, as
/// the next one is: how many there are is an extent.
struct NonZero {};
/// Inputs boxes [n, count, 4], scores [n, classes, count], each optional: how many boxes of a class
/// at most, the overlap and the score above which boxes count. Yields [selected, 3]: image, class
/// and box, of each class in the order of the scores.
struct NonMaxSuppression {
  bool from_centers = false;  ///< boxes are centre and extents; else two corners
};

enum class ResizeMode { nearest, linear, cubic };
enum class ResizeCoordinates {
  half_pixel,
  half_pixel_symmetric,
  pytorch_half_pixel,
  align_corners,
  asymmetric,
  tf_half_pixel_for_nn,
  tf_crop_and_resize,
};
enum class NearestMode { round_prefer_floor, round_prefer_ceil, floor, ceil };
/// What an extent is multiplied by: `to` / `from`, two extents, or a scale and 1. As one number two
/// extents would be rounded, and what lies halfway between two elements would fall to the wrong
/// one.
struct ResizeFactor {
  double to = 1;
  double from = 1;
  friend bool operator==(const ResizeFactor&, const ResizeFactor&) = default;
};
/// scales / sizes / roi: attributes, or Resize's inputs 2, 3 and 1, Upsample's input 1. After
/// inference `factors` and `sizes`, the output extents, cover every axis, and `scales` is unset.
struct Resize {
  ResizeMode mode = ResizeMode::nearest;
  ResizeCoordinates coordinates = ResizeCoordinates::half_pixel;
  NearestMode nearest = NearestMode::round_prefer_floor;
  std::optional<std::vector<float>> scales = {};
  std::optional<Ints> sizes = {};
  std::optional<Ints> axes = {};
  bool keep_aspect_not_larger = false;
  bool keep_aspect_not_smaller = false;
  bool antialias = false;        ///< shrunk, a kernel as wide as what becomes one element
  bool exclude_outside = false;  ///< elements beyond the border have no weight; else the border's
  bool is_upsample = false;      ///< input 1 holds the scales
  float cubic_a = -0.75f;
  float extrapolation = 0;      ///< tf_crop_and_resize: what lies outside the input
  std::vector<float> roi = {};  ///< of the same, after inference: where each axis begins, then ends
  std::vector<ResizeFactor> factors = {};
};
enum class GridPadding { zeros, border, reflection };
/// Inputs x [n, c, ...] and the grid [n, ..., rank - 2] of places in it, from -1 to 1, the last
/// spatial axis first. Gradients of both; of nearest none reaches the grid.
struct GridSample {
  ResizeMode mode = ResizeMode::linear;
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;
};
/// The mean (max: the largest) of samples in each cell of a grid that is laid over each region:
/// inputs x [n, c, rows, columns], regions [count, 4] (two corners) and whose image each is of
/// [count]. A largest sample is the largest of an element times its weight, as in every runtime.
/// Gradient of x alone: none reaches the regions, as in PyTorch.
struct RoiAlign {
  bool max = false;
  bool half_pixel = true;  ///< else regions are not moved by half a pixel, nor smaller than one
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  std::int64_t samples = 0;  ///< per axis and cell; 0: one for each pixel that a cell is wide
  float scale = 1;           ///< from the regions' coordinates to the map's
};
/// Columns of blocks added up where they lie in the image: inputs x [n, c kernel..., blocks], then
/// the image's and the block's extents, until inference, which fills in `image` and the window.
struct Col2Im {
  Window window;
  std::optional<Ints> image = {};
};
/// True where a resolved resize leaves the axis, of extent `in`, as it is.
bool keeps_axis(const Resize& op, std::size_t axis, std::int64_t in);

struct DepthToSpace {
  std::int64_t block = 1;
  bool column_row_depth = false;  ///< mode CRD
};
struct SpaceToDepth {
  std::int64_t block = 1;
};

/// A region of a map with a patch laid over it, per image: what a change that is confined to the
/// patch makes of the region. Made by passes::incremental, in no file. Inputs clean [1, c, ...],
/// patch [n, c, ...], places [n, rows, 2 spatial rank]: in row `row` of an image where in the map
/// the patch begins, then where the region does. Positions beyond the map hold `fill`.
struct Paste {
  Ints extents;  ///< spatial, of the region
  std::int64_t row = 0;
  float fill = 0;
};

enum class DType { f32, i64, boolean };

/// To f32, i64 (truncating) or boolean. Between float types it is an identity.
struct Cast {
  DType to = DType::f32;
};

/// The next four yield constants at inference. What is too large to be kept as one, the engine
/// makes: the first two only.
struct ConstantOfShape {  ///< input: shape
  DType type = DType::f32;
  double value = 0;
};
struct Range {};  ///< inputs start, limit, delta
struct ShapeOf {
  std::int64_t start = 0;
  std::optional<std::int64_t> end;
};
struct SizeOf {};

/// What is declared of each operator, declared of all of them.
// clang-format off
#define FOVEA_EACH_OPERATOR(of)                                                              \
  of(Unary) of(Binary) of(PRelu) of(Where) of(Conv) of(ConvTranspose) of(Pool) of(Gemm)      \
  of(MatMul) of(Einsum) of(BatchNorm) of(LayerNorm) of(InstanceNorm) of(GroupNorm) of(Lrn)   \
  of(Softmax) of(Hardmax) of(Reduce) of(CumSum) of(Recurrent) of(Concat) of(Split) of(Slice) \
  of(Pad) of(Reshape) of(Transpose) of(Expand) of(Tile) of(Gather) of(GatherElements)        \
  of(GatherND) of(ScatterND) of(ScatterElements) of(TopK) of(NonZero)                       \
  of(NonMaxSuppression) of(Resize) of(GridSample) of(RoiAlign)                               \
  of(Col2Im) of(DepthToSpace) of(SpaceToDepth) of(Paste) of(Cast) of(ConstantOfShape)        \
  of(Range) of(ShapeOf) of(SizeOf)
// clang-format on

using AnyOperator =
    std::variant<Unary, Binary, PRelu, Where, Conv, ConvTranspose, Pool, Gemm, MatMul, Einsum,
                 BatchNorm, LayerNorm, InstanceNorm, GroupNorm, Lrn, Softmax, Hardmax, Reduce,
                 CumSum, Recurrent, Concat, Split, Slice, Pad, Reshape, Transpose, Expand, Tile,
                 Gather, GatherElements, GatherND, ScatterND, ScatterElements, TopK, NonZero,
                 NonMaxSuppression, Resize, GridSample, RoiAlign, Col2Im, DepthToSpace,
                 SpaceToDepth, Paste, Cast, ConstantOfShape, Range, ShapeOf, SizeOf>;

std::string_view name_of(UnaryKind kind);
std::string_view name_of(BinaryKind kind);
std::string_view name_of(ReduceKind kind);
std::string_view name_of(CellFunction function);

}  // namespace fovea::graph
