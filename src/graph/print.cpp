#include <charconv>
#include <limits>
#include <type_traits>

#include "graph/infer.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph {
namespace {

using detail::text;

/// The shortest decimal that reads back as the same float.
std::string number(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value)).ptr;
  return {buffer, end};
}

std::string typed(const Value& value) {
  return std::string(text(value.type)) + text(value.shape);
}

/// Collects " key value" pairs.
class Attributes {
 public:
  Attributes& add(std::string_view key, const std::string& value) {
    out_ += " " + std::string(key) + "=" + value;
    return *this;
  }
  Attributes& add(std::string_view key, const Ints& values) { return add(key, text(values)); }
  Attributes& add(std::string_view key, const std::vector<float>& values) {
    std::string all;
    for (const auto value : values) all += (all.empty() ? "[" : ", ") + number(value);
    return add(key, all + "]");
  }
  Attributes& add(std::string_view key, std::int64_t value) {
    return add(key, std::to_string(value));
  }
  Attributes& add(std::string_view key, float value) { return add(key, number(value)); }
  Attributes& flag(std::string_view key, bool on) {
    if (on) out_ += " " + std::string(key);
    return *this;
  }
  Attributes& maybe(std::string_view key, const std::optional<Ints>& values) {
    return values ? add(key, *values) : *this;
  }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

void describe_parameters(const Unary& op, Attributes& a) {
  switch (op.kind) {
    case UnaryKind::leaky_relu:
    case UnaryKind::elu:
    case UnaryKind::celu:
    case UnaryKind::silu:
      a.add("alpha", op.alpha);
      break;
    case UnaryKind::clip:
      if (op.bounds_are_inputs) break;
      a.add("min", op.alpha).add("max", op.beta);
      break;
    case UnaryKind::is_inf:
      a.flag("negative_alone", op.alpha == 0).flag("positive_alone", op.beta == 0);
      break;
    case UnaryKind::hard_sigmoid:
      a.add("alpha", op.alpha).add("beta", op.beta);
      break;
    case UnaryKind::selu:
      a.add("alpha", op.alpha).add("gamma", op.gamma);
      break;
    case UnaryKind::identity:
    case UnaryKind::relu:
    case UnaryKind::sigmoid:
    case UnaryKind::hard_swish:
    case UnaryKind::tanh:
    case UnaryKind::softplus:
    case UnaryKind::softsign:
    case UnaryKind::mish:
    case UnaryKind::gelu:
    case UnaryKind::gelu_tanh:
    case UnaryKind::erf:
    case UnaryKind::sqrt:
    case UnaryKind::exp:
    case UnaryKind::log:
    case UnaryKind::abs:
    case UnaryKind::neg:
    case UnaryKind::reciprocal:
    case UnaryKind::floor:
    case UnaryKind::ceil:
    case UnaryKind::round:
    case UnaryKind::sign:
    case UnaryKind::sin:
    case UnaryKind::cos:
    case UnaryKind::tan:
    case UnaryKind::asin:
    case UnaryKind::acos:
    case UnaryKind::atan:
    case UnaryKind::sinh:
    case UnaryKind::cosh:
    case UnaryKind::asinh:
    case UnaryKind::acosh:
    case UnaryKind::atanh:
    case UnaryKind::is_nan:
    case UnaryKind::logical_not:
      break;
  }
}

void describe(const Window& w, Attributes& a) {
  a.add("kernel", w.kernel).add("strides", w.strides).add("dilations", w.dilations);
  Ints pads = w.pads_begin;
  pads.insert(pads.end(), w.pads_end.begin(), w.pads_end.end());
  a.add("pads", pads);
  a.flag("auto_pad", w.auto_pad != AutoPad::explicit_pads);
}

void describe(const PostOps& post, Attributes& a) {
  for (const auto& step : post) {
    if (step.kind == PostOp::Kind::add_input) {
      a.add("post", "Add(input " + std::to_string(step.input) + ")");
    } else {
      a.add("post", std::string(name_of(step.unary.kind)));
      describe_parameters(step.unary, a);
    }
  }
}

std::string_view mode_name(PadMode mode) {
  switch (mode) {
    case PadMode::constant:
      return "constant";
    case PadMode::reflect:
      return "reflect";
    case PadMode::edge:
      return "edge";
    case PadMode::wrap:
      return "wrap";
  }
  return "?";
}

std::string_view coordinates_name(ResizeCoordinates coordinates) {
  switch (coordinates) {
    case ResizeCoordinates::half_pixel:
      return "half_pixel";
    case ResizeCoordinates::half_pixel_symmetric:
      return "half_pixel_symmetric";
    case ResizeCoordinates::pytorch_half_pixel:
      return "pytorch_half_pixel";
    case ResizeCoordinates::align_corners:
      return "align_corners";
    case ResizeCoordinates::asymmetric:
      return "asymmetric";
    case ResizeCoordinates::tf_half_pixel_for_nn:
      return "tf_half_pixel_for_nn";
    case ResizeCoordinates::tf_crop_and_resize:
      return "tf_crop_and_resize";
  }
  return "?";
}

std::string_view resize_name(ResizeMode mode) {
  switch (mode) {
    case ResizeMode::nearest:
      return "nearest";
    case ResizeMode::linear:
      return "linear";
    case ResizeMode::cubic:
      return "cubic";
  }
  return "?";
}

std::string_view nearest_name(NearestMode mode) {
  switch (mode) {
    case NearestMode::round_prefer_floor:
      return "round_prefer_floor";
    case NearestMode::round_prefer_ceil:
      return "round_prefer_ceil";
    case NearestMode::floor:
      return "floor";
    case NearestMode::ceil:
      return "ceil";
  }
  return "?";
}

std::string_view padding_name(GridPadding padding) {
  switch (padding) {
    case GridPadding::zeros:
      return "zeros";
    case GridPadding::border:
      return "border";
    case GridPadding::reflection:
      return "reflection";
  }
  return "?";
}

void describe(ScatterKind kind, Attributes& a) {
  switch (kind) {
    case ScatterKind::replace:
      break;
    case ScatterKind::add:
      a.add("reduction", std::string("add"));
      break;
    case ScatterKind::mul:
      a.add("reduction", std::string("mul"));
      break;
    case ScatterKind::max:
      a.add("reduction", std::string("max"));
      break;
    case ScatterKind::min:
      a.add("reduction", std::string("min"));
      break;
  }
}

/// One overload per op with fields.
struct Describe {
  Attributes& a;

  void operator()(const Unary& op) const { describe_parameters(op, a); }
  void operator()(const Conv& op) const {
    describe(op.window, a);
    a.add("group", op.group);
    describe(op.post, a);
  }
  void operator()(const ConvTranspose& op) const {
    describe(op.window, a);
    a.add("group", op.group).add("output_padding", op.output_padding);
  }
  void operator()(const Pool& op) const {
    describe(op.window, a);
    a.flag("count_include_pad", op.count_include_pad);
    for (const auto extra : op.ceil_extra)
      if (extra != 0) {
        a.add("ceil_extra", op.ceil_extra);
        break;
      }
    a.flag("column_major", op.column_major);
  }
  void operator()(const Gemm& op) const {
    if (op.alpha != 1) a.add("alpha", op.alpha);
    if (op.beta != 1) a.add("beta", op.beta);
    a.flag("trans_a", op.trans_a).flag("trans_b", op.trans_b);
    describe(op.post, a);
  }
  void operator()(const MatMul& op) const { describe(op.post, a); }
  void operator()(const Einsum& op) const { a.add("equation", op.equation); }
  void operator()(const BatchNorm& op) const {
    a.add("epsilon", op.epsilon).flag("training", op.training);
    describe(op.post, a);
  }
  void operator()(const LayerNorm& op) const { a.add("axis", op.axis).add("epsilon", op.epsilon); }
  void operator()(const InstanceNorm& op) const { a.add("epsilon", op.epsilon); }
  void operator()(const GroupNorm& op) const {
    a.add("groups", op.groups).add("epsilon", op.epsilon);
  }
  void operator()(const Lrn& op) const {
    a.add("size", op.size).add("alpha", op.alpha).add("beta", op.beta).add("bias", op.bias);
  }
  void operator()(const Softmax& op) const { a.add("axis", op.axis).flag("flatten", op.flatten); }
  void operator()(const Hardmax& op) const { a.add("axis", op.axis).flag("flatten", op.flatten); }
  void operator()(const Reduce& op) const {
    a.maybe("axes", op.axes).flag("keep_dims", op.keep_dims).flag("spatial", op.spatial);
  }
  void operator()(const CumSum& op) const {
    if (op.axis) a.add("axis", *op.axis);
    a.flag("exclusive", op.exclusive).flag("reverse", op.reverse);
  }
  void operator()(const Recurrent& op) const {
    constexpr std::string_view kDirections[] = {"forward", "reverse", "bidirectional"};
    a.add("direction", std::string(kDirections[static_cast<std::size_t>(op.direction)]));
    std::string functions;
    for (const auto& activation : op.activations)
      functions += (functions.empty() ? "" : " ") + std::string(name_of(activation.function));
    a.add("activations", '[' + functions + ']');
    if (op.clip) a.add("clip", *op.clip);
    a.flag("linear_before_reset", op.linear_before_reset).flag("input_forget", op.input_forget);
  }
  void operator()(const Split& op) const { a.add("axis", op.axis).maybe("sizes", op.sizes); }
  void operator()(const Slice& op) const {
    a.maybe("starts", op.starts).maybe("ends", op.ends).maybe("axes", op.axes);
    a.maybe("steps", op.steps);
  }
  void operator()(const Pad& op) const {
    a.add("mode", std::string(mode_name(op.mode))).maybe("pads", op.pads);
    if (op.mode == PadMode::constant && op.value) a.add("value", *op.value);
  }
  void operator()(const Transpose& op) const { a.add("perm", op.perm); }
  void operator()(const Tile& op) const { a.maybe("repeats", op.repeats); }
  void operator()(const GatherND& op) const { a.add("batch_dims", op.batch_dims); }
  void operator()(const ScatterND& op) const { describe(op.kind, a); }
  void operator()(const ScatterElements& op) const {
    a.add("axis", op.axis);
    describe(op.kind, a);
  }
  void operator()(const TopK& op) const {
    a.add("axis", op.axis).flag("smallest", !op.largest);
    if (op.k) a.add("k", *op.k);
  }
  void operator()(const NonMaxSuppression& op) const { a.flag("from_centers", op.from_centers); }
  void operator()(const RoiAlign& op) const {
    a.add("rows", op.rows).add("columns", op.columns).add("samples", op.samples);
    a.add("scale", op.scale).flag("max", op.max).flag("half_pixel", op.half_pixel);
  }
  void operator()(const Resize& op) const {
    a.add("mode", std::string(resize_name(op.mode)));
    a.add("coordinates", std::string(coordinates_name(op.coordinates)));
    if (op.mode == ResizeMode::nearest) a.add("nearest", std::string(nearest_name(op.nearest)));
    if (op.mode == ResizeMode::cubic && op.cubic_a != -0.75f) a.add("cubic_a", op.cubic_a);
    a.flag("antialias", op.antialias).flag("exclude_outside", op.exclude_outside);
    if (op.extrapolation != 0) a.add("extrapolation", op.extrapolation);
    if (!op.roi.empty()) a.add("roi", op.roi);
    std::vector<float> scales = op.scales.value_or(std::vector<float>());
    for (const auto& factor : op.factors)
      scales.push_back(static_cast<float>(factor.to / factor.from));
    if (!scales.empty()) a.add("scales", scales);
  }
  void operator()(const GridSample& op) const {
    a.add("mode", std::string(resize_name(op.mode)));
    a.add("padding", std::string(padding_name(op.padding)));
    a.flag("align_corners", op.align_corners);
  }
  void operator()(const Col2Im& op) const {
    a.maybe("image", op.image);
    describe(op.window, a);
  }
  void operator()(const DepthToSpace& op) const {
    a.add("block", op.block).flag("crd", op.column_row_depth);
  }
  void operator()(const SpaceToDepth& op) const { a.add("block", op.block); }
  void operator()(const Paste& op) const {
    a.add("extents", op.extents).add("row", op.row);
    if (op.fill != 0) a.add("fill", op.fill);
  }
  void operator()(const ConstantOfShape& op) const { a.add("value", number(op.value)); }
  // The name of the node says it, or the type and extents of its result.
  void operator()(const Binary&) const {}
  void operator()(const Reshape&) const {}
  void operator()(const Expand&) const {}
  void operator()(const Cast&) const {}
  void operator()(const ShapeOf&) const {}
  template <class Operator>
  requires(sizeof(Operator) == sizeof(Operator::axis)) void operator()(const Operator& op) const {
    a.add("axis", op.axis);
  }
  template <class Operator>
  requires std::is_empty_v<Operator>
  void operator()(const Operator&) const {}
};

}  // namespace

std::string print(const Graph& graph) {
  std::string out;
  for (const auto id : graph.inputs)
    out += "input " + graph.value(id).name + " " + typed(graph.value(id)) + "\n";
  for (const auto& node : graph.nodes()) {
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const auto& value = graph.value(node.outputs[i]);
      out += (i == 0 ? "" : ", ") + value.name + " " + typed(value);
      if (value.constant) out += " constant";
    }
    out += " = " + std::string(name_of(node.op)) + "(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (i > 0) out += ", ";
      if (!node.inputs[i]) continue;
      const auto& value = graph.value(node.inputs[i]);
      out += value.name;
      if (value.constant && !value.producer) out += " " + typed(value);
    }
    out += ")";
    Attributes attributes;
    std::visit(Describe{attributes}, node.op);
    out += attributes.str();
    if (node.outputs.empty() || node.name != graph.value(node.outputs[0]).name)
      out += "  # " + node.name;
    out += "\n";
  }
  for (const auto id : graph.outputs) out += "output " + graph.value(id).name + "\n";
  return out;
}

}  // namespace fovea::graph
