#include "base/checked.hpp"
#include "graph/infer.hpp"
#include "graph/infer/context.hpp"
#include "graph/structure.hpp"

namespace fovea::graph {
namespace detail {

void check_structure(const Graph& graph) {
  const auto count = graph.values().size();
  const auto exists = [count](ValueId id) {
    return id.index >= 0 && static_cast<std::size_t>(id.index) < count;
  };
  std::vector<bool> ready(count, false);
  for (std::size_t v = 0; v < count; ++v) ready[v] = graph.values()[v].constant.has_value();
  for (const auto id : graph.inputs) {
    if (!exists(id)) bad_model("an input of the graph does not exist");
    ready[static_cast<std::size_t>(id.index)] = true;
  }
  std::vector<bool> made(count, false);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto& node = graph.nodes()[n];
    const auto fail = [&](const std::string& sentence) {
      throw Error(ErrorCode::bad_model, sentence, where(node));
    };
    for (const auto id : node.inputs) {
      if (!id) continue;
      if (!exists(id)) fail("an input does not exist");
      if (!ready[static_cast<std::size_t>(id.index)])
        fail("the input \"" + graph.value(id).name + "\" is not made by anything before it");
    }
    for (const auto id : node.outputs) {
      if (!exists(id)) fail("an output does not exist");
      const auto v = static_cast<std::size_t>(id.index);
      if (made[v] || graph.value(id).producer.index != static_cast<std::int32_t>(n))
        fail("the output \"" + graph.value(id).name + "\" is made twice");
      made[v] = ready[v] = true;
    }
  }
  if (graph.outputs.empty()) bad_model("the graph has no outputs");
  for (const auto id : graph.outputs)
    if (!exists(id) || !ready[static_cast<std::size_t>(id.index)])
      throw Error(ErrorCode::bad_model, "an output of the graph is not made by anything",
                  {{}, exists(id) ? graph.value(id).name : std::string{}, {}});
}

}  // namespace detail

namespace {

void verify_constants(const Graph& graph) {
  for (const auto& value : graph.values()) {
    if (!value.constant) continue;
    const auto& constant = *value.constant;
    if (constant.type != value.type || constant.shape != value.shape ||
        base::element_count(constant.shape) != static_cast<std::int64_t>(constant.size()))
      throw Error(ErrorCode::internal, "a constant does not fit its value", {{}, value.name, {}});
  }
}

void verify_node(const Graph& graph, const Node& node) {
  auto again = detail::infer_node(graph, node);
  if (again.node().inputs.size() != node.inputs.size())
    throw Error(ErrorCode::internal, "a parameter is still an input", where(node));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const auto& value = graph.value(node.outputs[i]);
    const auto& inferred = again.outputs()[i];
    if (value.type != inferred.type || value.shape != inferred.shape)
      throw Error(ErrorCode::internal,
                  "the output \"" + value.name + "\" is " + std::string(detail::text(value.type)) +
                      detail::text(value.shape) + " where " +
                      std::string(detail::text(inferred.type)) + detail::text(inferred.shape) +
                      " is inferred",
                  where(node));
  }
}

}  // namespace

void verify(const Graph& graph, std::string_view after, const base::Limits& limits) {
  const auto told = [&](const auto& check) {
    try {
      check();
    } catch (const Error& error) {
      throw Error(ErrorCode::internal, "after " + std::string(after) + ": " + error.sentence(),
                  error.context());
    }
  };
  told([&] {
    detail::check_structure(graph);
    verify_constants(graph);
  });
  for (const auto& node : graph.nodes()) {
    limits.check();
    told([&] { verify_node(graph, node); });
  }
}

}  // namespace fovea::graph
