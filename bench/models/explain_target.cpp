#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "fovea/files.hpp"
#include "fovea/fovea.hpp"
#include "fovea/target_text.hpp"

/// A target of any network, explained again and again: one JSON line with the milliseconds of each
/// call (tensors in, map out) and the map's values, for who holds it against another's.
namespace fovea::bench {
namespace {

struct Options {
  std::string model, target, layer, method = "hirescam";
  std::vector<std::string> inputs;  ///< NAME=FILE.npy
  int threads = 0;
  double seconds = 1;
};

int run(const Options& options) {
  std::map<std::string, Tensor> tensors;
  for (const auto& text : options.inputs) {
    const auto at = text.find('=');
    tensors.emplace(text.substr(0, at), read_npy(text.substr(at + 1)));
  }
  ExplainerOptions all;
  Feeds feeds;
  for (const auto& [name, tensor] : tensors) {
    feeds.emplace(name, TensorView(tensor));
    all.compile.input_shapes.emplace(name, tensor.shape);
  }
  const auto model = Model::load(options.model);
  const auto text = parse_target(options.target);
  all.pool.threads = options.threads;
  all.prepare.target_values = text.values();
  const auto target = target_of(text, Explainer(model, bare_options(all)).target_values());
  all.prepare.methods = {Method{options.method}};
  all.prepare.layers = {options.layer};
  const Explainer explainer(model, all);

  using Clock = std::chrono::steady_clock;
  const auto ms = [](Clock::time_point from) {
    return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
  };
  Explanation why;
  const auto once = [&] {
    auto run = explainer.forward(feeds);
    why = run.explain(Method{options.method}, target);
  };
  const auto warm = Clock::now();
  do once();
  while (ms(warm) < 300 * options.seconds);
  std::printf("{\"ms\": [");
  const auto start = Clock::now();
  for (bool first = true; first || ms(start) < 1e3 * options.seconds; first = false) {
    const auto before = Clock::now();
    once();
    std::printf("%s%.4f", first ? "" : ", ", ms(before));
  }
  std::printf("], \"score\": %.9g, \"map\": [", why.score);
  for (std::size_t i = 0; i < why.feature_map.data.size(); ++i)
    std::printf("%s%.7g", i == 0 ? "" : ", ", static_cast<double>(why.feature_map.data[i]));
  std::printf("]}\n");
  return 0;
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  fovea::bench::Options options;
  CLI::App app("Explains one target of a network again and again");
  app.add_option("model", options.model)->required();
  app.add_option("--input", options.inputs, "NAME=FILE.npy")->required();
  app.add_option("--target", options.target, "as fovea explain takes it")->required();
  app.add_option("--layer", options.layer)->required();
  app.add_option("--method", options.method);
  app.add_option("--threads", options.threads);
  app.add_option("--seconds", options.seconds);
  CLI11_PARSE(app, argc, argv);
  try {
    return fovea::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
