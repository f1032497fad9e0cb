#include "graph/support.hpp"

namespace fovea::graph::test {

ValueId Builder::weights(const std::string& name, Shape shape) {
  return weights(name, std::move(shape), -1.0f, 1.0f);
}

ValueId Builder::weights(const std::string& name, Shape shape, float low, float high) {
  std::size_t count = 1;
  for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
  std::vector<float> data;
  for (std::size_t i = 0; i < count; ++i) {
    state_ = state_ * 1664525u + 1013904223u;
    data.push_back(low + (high - low) * static_cast<float>(state_ >> 8) / 16777216.0f);
  }
  return floats(name, std::move(shape), std::move(data));
}

Graph& Builder::bound(std::int64_t batch, const std::map<std::string, Shape>& shapes) {
  if (graph.outputs.empty()) graph.outputs.push_back(graph.nodes().back().outputs.back());
  bind(graph, shapes, batch);
  verify(graph, "bind");
  return graph;
}

void expect_error(const std::function<void()>& run, ErrorCode code, std::string_view phrase) {
  try {
    run();
    ADD_FAILURE() << "no error; \"" << phrase << "\" was expected";
  } catch (const Error& error) {
    EXPECT_EQ(to_string(error.code()), to_string(code)) << error.what();
    EXPECT_NE(std::string_view(error.what()).find(phrase), std::string_view::npos)
        << "\"" << error.what() << "\" does not say \"" << phrase << "\"";
  }
}

}  // namespace fovea::graph::test
