#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "fovea/fovea.hpp"
#include "support/chains.hpp"

/// What a network of tens of thousands of nodes takes per node, to be loaded, made an explainer of,
/// and explained: the same at every size, or something takes the square of their number.
namespace {

/// Processor time, which a busy machine changes least.
double seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

struct Times {
  double load = 0, create = 0, explain = 0;
};

fovea::ExplainerOptions options(const fovea::Method& method) {
  fovea::ExplainerOptions out;
  out.prepare.methods = {method};
  out.prepare.layers = {"layer"};
  out.compile.tuning = fovea::Tuning::off;
  out.pool.threads = 1;
  return out;
}

Times measured(const std::string& bytes, const fovea::Method& method) {
  Times out;
  auto start = seconds();
  const auto lap = [&] {
    const auto now = seconds();
    return now - std::exchange(start, now);
  };
  const auto model = fovea::Model::from_bytes(std::as_bytes(std::span(bytes)));
  out.load = lap();
  const fovea::Explainer explainer(model, options(method));
  out.create = lap();
  fovea::Tensor input{explainer.inputs()[0].shape, {}};
  for (int i = 0; i < 128; ++i) input.data.push_back(std::sin(static_cast<float>(i)));
  start = seconds();
  const auto map = explainer.explain(input, method).feature_map;
  out.explain = lap();
  for (const float v : map.data)
    if (!std::isfinite(v)) throw std::runtime_error("the explanation is not finite");
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Microseconds of processor time per node, of networks of very many nodes.");
  std::vector<std::string> only;
  std::string method = "gradcam";
  std::vector<int> sizes{5'000, 10'000, 20'000, 40'000, 80'000};
  app.add_option("kind", only, "Which networks (default: all)");
  app.add_option("--nodes", sizes, "How many nodes")->delimiter(',');
  app.add_option("--method", method, "What explains them");
  CLI11_PARSE(app, argc, argv);
  try {
    std::printf("%-18s %7s  %8s %8s %8s   us per node\n", "", "nodes", "load", "create", "explain");
    for (const auto& chain : fovea::test::all_chains()) {
      if (!only.empty() && std::find(only.begin(), only.end(), chain.name) == only.end()) continue;
      for (const int nodes : sizes) {
        const auto times = measured(chain.model(nodes), {method});
        const double per_node = 1e6 / nodes;
        std::printf("%-18s %7d  %8.2f %8.2f %8.2f\n", chain.name.c_str(), nodes,
                    times.load * per_node, times.create * per_node, times.explain * per_node);
        std::fflush(stdout);
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "chain: %s\n", error.what());
    return 1;
  }
  return 0;
}
