// The drawn networks with loops with fields changed, in their bodies, too: an answer or a refusal.
#include <cstdlib>
#include <random>

#include "compose/split.hpp"
#include "compose/support.hpp"

namespace fovea::compose_test {
namespace {

namespace fs = std::filesystem;
using fovea_onnx::GraphProto;
using fovea_onnx::NodeProto;

class Mutation {
 public:
  Mutation(GraphProto& graph, unsigned seed) : random_(seed) {
    collect(graph);
    for (std::size_t count = 1 + below(3); count > 0; --count) change();
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  template <class Messages>
  auto* any(Messages& messages) {
    const auto n = static_cast<std::size_t>(messages.size());
    return n == 0 ? nullptr : messages.Mutable(static_cast<int>(below(n)));
  }

  void collect(GraphProto& graph) {
    graphs_.push_back(&graph);
    for (auto& node : *graph.mutable_node()) {
      for (const auto& name : node.output()) names_.push_back(name);
      for (const auto& name : node.input()) names_.push_back(name);
      for (auto& attribute : *node.mutable_attribute())
        if (attribute.has_g()) collect(*attribute.mutable_g());
    }
    for (const auto& input : graph.input()) names_.push_back(input.name());
  }

  const std::string& name() { return names_[below(names_.size())]; }

  /// Graphs may be gone once a node is: one change each time.
  void change() {
    auto& graph = *graphs_[below(graphs_.size())];
    auto* node = any(*graph.mutable_node());
    switch (below(10)) {
      case 0:
        if (node != nullptr && node->input_size() > 0)
          node->set_input(static_cast<int>(below(static_cast<std::size_t>(node->input_size()))),
                          name());
        return;
      case 1:
        if (node != nullptr && node->output_size() > 0) node->set_output(0, name());
        return;
      case 2:
        if (auto* output = any(*graph.mutable_output())) output->set_name(name());
        return;
      case 3:
        if (auto* input = any(*graph.mutable_input())) input->set_name(name());
        return;
      case 4:
        if (node != nullptr) change_attribute(*node);
        return;
      case 5:
        if (graph.input_size() > 0) graph.mutable_input()->RemoveLast();
        return;
      case 6:
        graph.add_output()->set_name(name());
        return;
      case 7:
        if (node != nullptr) node->add_input(name());
        return;
      case 8:
        if (node != nullptr) node->set_op_type(below(2) == 0 ? "Loop" : "Scan");
        return;
      default:
        if (node != nullptr && node->input_size() > 0)
          node->set_input(static_cast<int>(below(static_cast<std::size_t>(node->input_size()))),
                          "");
    }
  }

  void change_attribute(NodeProto& node) {
    auto* attribute = any(*node.mutable_attribute());
    if (attribute == nullptr) return;
    const auto number = static_cast<std::int64_t>(below(7)) - 3;
    if (attribute->has_i()) attribute->set_i(number);
    if (attribute->ints_size() > 0) attribute->set_ints(0, number);
    if (attribute->has_t() && attribute->t().has_raw_data()) {
      auto& bytes = *attribute->mutable_t()->mutable_raw_data();
      if (!bytes.empty()) bytes[below(bytes.size())] = static_cast<char>(below(256));
    }
  }

  std::mt19937 random_;
  std::vector<GraphProto*> graphs_;
  std::vector<std::string> names_;
};

/// Returns whether there was an answer.
bool is_answered(const std::string& bytes) {
  try {
    const auto model = Model::from_bytes(test::as_bytes(bytes));
    joined(model, model, {});
    unrolled(model, {}, 2);
    auto options = options_for("y");
    options.compile.tuning = Tuning::off;
    for (const auto& input : model.inputs()) {
      auto shape = input.shape;
      for (auto& extent : shape)
        if (extent < 0) extent = 3;
      options.compile.input_shapes[input.name] = shape;
      if (input.name == "n") options.compile.fixed_inputs["n"] = {shape, {2}};
    }
    const Explainer explainer(model, options);
    std::vector<Tensor> tensors;
    for (const auto& input : explainer.inputs()) tensors.push_back(random_input(input.shape, 1));
    Feeds feeds;
    for (std::size_t i = 0; i < tensors.size(); ++i)
      feeds.emplace(explainer.inputs()[i].name, tensors[i]);
    explainer.forward(feeds).explain(Saliency{}, Target::element("y", {0}));
    return true;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return false;
  }
}

// FOVEA_MUTANTS=20000 makes more.
TEST(LoopMutants, AreAnsweredOrRefused) {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator(fs::path(FOVEA_SOURCE_DIR) / "tests/compose/loops"))
    if (entry.path().extension() == ".onnx") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  const char* asked = std::getenv("FOVEA_MUTANTS");
  const unsigned count = asked != nullptr ? static_cast<unsigned>(std::atoi(asked)) : 600;
  unsigned answered = 0;
  for (unsigned seed = 0; seed < count; ++seed) {
    SCOPED_TRACE(seed);
    auto proto = proto_of(files[seed % files.size()]);
    const Mutation mutation(*proto.mutable_graph(), seed);
    if (is_answered(proto.SerializeAsString())) ++answered;
    if (HasFailure()) return;
  }
  EXPECT_GT(answered, count / 20) << "or nothing behind the door is tried";
  EXPECT_LT(answered, count) << "or nothing is broken";
}

}  // namespace
}  // namespace fovea::compose_test
