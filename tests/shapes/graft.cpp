#include "shapes/graft.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "../onnx/model_builder.hpp"

namespace fovea::shapes_test {
namespace {

using fovea_onnx::GraphProto;
using fovea_onnx::ModelProto;
using test::attr;
using test::Attrs;
using test::Ints;

class Graft {
 public:
  Graft(ModelProto& model, Draw& draw) : model_(model), draw_(draw) {}

  std::string run() {
    auto& graph = *model_.mutable_graph();
    if (graph.node_size() == 0) return "nothing";
    auto& nodes = *graph.mutable_node();
    auto at = static_cast<int>(draw_.below(static_cast<std::size_t>(nodes.size())));
    if (draw_.chance(40) && graph.output_size() > 0)
      for (int i = 0; i < nodes.size(); ++i)
        if (nodes[i].output(0) == graph.output(0).name()) at = i;
    from_ = nodes[at].output(0);
    rank_ = rank_of(nodes[at].op_type());
    value_ = from_;
    grow();
    for (auto& n : nodes)
      for (auto& input : *n.mutable_input())
        if (input == from_) input = value_;
    for (auto& output : *graph.mutable_output())
      if (output.name() == from_) {
        output.set_name(value_);
        output.clear_type();
      }
    const auto before = nodes.size();
    for (const auto& one : grown_) *nodes.Add() = one;
    std::rotate(nodes.pointer_begin() + at + 1, nodes.pointer_begin() + before,
                nodes.pointer_end());
    return "behind " + nodes[at].op_type() + told_;
  }

 private:
  std::size_t rank_of(const std::string& op) {
    if (op == "Conv" || op == "BatchNormalization" || op == "MaxPool" || op == "AveragePool" ||
        op == "GlobalAveragePool" || op == "Relu")
      return 4;
    if (op == "Gemm" || op == "Flatten") return 2;
    return draw_.one_of<std::size_t>({2, 3, 4});
  }

  void add(const std::string& op, const std::vector<std::string>& more = {},
           const Attrs& attributes = {}) {
    std::vector<std::string> inputs = {value_};
    inputs.insert(inputs.end(), more.begin(), more.end());
    const auto name = from_ + "/" + op +
                      std::to_string(model_.graph().node_size() + static_cast<int>(grown_.size()));
    grown_.push_back(test::node(op, inputs, {name}, attributes));
    value_ = name;
    told_ += " " + op;
  }

  std::string constant(const Ints& dims, const Ints& values) {
    return stored(test::tensor(from_ + "/i" + std::to_string(model_.graph().initializer_size()),
                               dims, values));
  }
  std::string scalar(float value) {
    const Ints dims(draw_.index(3), 1);
    return stored(test::tensor(from_ + "/f" + std::to_string(model_.graph().initializer_size()),
                               dims, test::Floats{value}));
  }
  std::string stored(const test::TensorProto& tensor) {
    *model_.mutable_graph()->add_initializer() = tensor;
    return tensor.name();
  }
  std::string list(const Ints& values) {
    return constant({static_cast<std::int64_t>(values.size())}, values);
  }

  std::int64_t opset() const {
    return model_.opset_import_size() > 0 ? model_.opset_import(0).version() : 13;
  }
  /// Axes are an attribute up to some version, then an input.
  void over_axes(const std::string& op, const Ints& axes, std::int64_t since, Attrs attributes) {
    if (opset() < since) {
      attributes.push_back(attr("axes", axes));
      add(op, {}, attributes);
    } else {
      add(op, {list(axes)}, attributes);
    }
  }

  void grow() {
    const auto axis = draw_.below(rank_);
    switch (draw_.below(17)) {
      case 0: {  // moved, and back
        Ints perm(rank_), back(rank_);
        std::iota(perm.begin(), perm.end(), 0);
        std::swap(perm[0], perm[draw_.index(rank_)]);
        for (std::size_t d = 0; d < rank_; ++d)
          back[static_cast<std::size_t>(perm[d])] = static_cast<std::int64_t>(d);
        add("Transpose", {}, {attr("perm", perm)});
        if (draw_.chance(30)) add("Relu");
        if (draw_.chance(85)) add("Transpose", {}, {attr("perm", back)});
        return;
      }
      case 1:  // twice, and half of it
        add("Concat", {value_}, {attr("axis", axis)});
        if (draw_.chance(80))
          add("Gather", {list(draw_.chance(50) ? Ints{0} : Ints{0, 1})}, {attr("axis", axis)});
        return;
      case 2:
        over_axes("Unsqueeze", {axis}, 13, {});
        if (draw_.chance(85)) over_axes("Squeeze", {axis}, 13, {});
        return;
      case 3:
        return over_axes("ReduceMean", {draw_.chance(50) ? 0 : axis}, 18,
                         {attr("keepdims", draw_.chance(80) ? 1 : 0)});
      case 4:
        return add(draw_.one_of<const char*>({"Mul", "Add", "Div", "Pow", "Max"}),
                   {scalar(draw_.one_of({0.f, -1.f, 2.f, 1e30f, 1e-30f,
                                         std::numeric_limits<float>::infinity(),
                                         std::numeric_limits<float>::quiet_NaN()}))});
      case 5:
        add("Cast", {},
            {attr("to", draw_.one_of({test::kInt64, test::kInt32, test::kBool, test::kFloat16}))});
        return add("Cast", {}, {attr("to", 1)});
      case 6: {
        Ints times(rank_, 1);
        times[draw_.chance(60) ? 0 : static_cast<std::size_t>(axis)] =
            draw_.one_of<std::int64_t>({0, 2, 3});
        return add(draw_.chance(50) ? "Tile" : "Expand", {list(times)});
      }
      case 7:
        return add("Reshape", {list(draw_.one_of<Ints>({{-1},
                                                        {0, -1},
                                                        {1, -1},
                                                        {-1, 1},
                                                        {-1, 5},
                                                        {1, 0, -1},
                                                        {0, 0, -1},
                                                        {1, 1, -1, 1}}))});
      case 8:
        return add("Gather",
                   {constant(draw_.chance(50) ? Ints{} : Ints{1},
                             {draw_.one_of<std::int64_t>({0, -1, 1})})},
                   {attr("axis", draw_.chance(50) ? 0 : axis)});
      case 9:
        return add("Slice",
                   {list({0}), list({draw_.one_of<std::int64_t>({0, 1, 1 << 30})}), list({axis})});
      case 10:
        return add("Softmax", {}, {attr("axis", axis)});
      case 11:
        return add("Flatten", {}, {attr("axis", draw_.below(rank_ + 1))});
      case 12:
        return add(draw_.one_of<const char*>({"Sum", "Max", "Mul", "Sub", "Div", "MatMul"}),
                   {from_});
      case 13: {
        Ints pads(2 * rank_, 0);
        pads[draw_.index(pads.size())] = draw_.one_of<std::int64_t>({1, -1, 2, -100, 1 << 20});
        return add("Pad", {list(pads)});
      }
      case 14:  // a way round that computes the other extents
        add("Shape");
        add("ConstantOfShape");
        return add(draw_.chance(50) ? "Add" : "Max", {from_});
      case 15:
        return add(draw_.one_of<const char*>({"GlobalAveragePool", "GlobalMaxPool"}));
      default:
        return add(draw_.one_of<const char*>({"Relu", "Neg", "Exp", "Log", "Sqrt", "Reciprocal",
                                              "Abs", "Sigmoid", "LeakyRelu", "Identity",
                                              "HardSwish", "Erf", "Softplus"}));
    }
  }

  ModelProto& model_;
  Draw& draw_;
  std::string from_, value_, told_;
  std::size_t rank_ = 0;
  std::vector<test::NodeProto> grown_;
};

}  // namespace

std::string graft(fovea_onnx::ModelProto& model, Draw& draw) {
  return Graft(model, draw).run();
}

}  // namespace fovea::shapes_test
