#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/model_impl.hpp"
#include "base/parallel.hpp"
#include "engine/plan.hpp"
#include "fovea/model.hpp"
#include "graph/infer.hpp"
#include "graph/query.hpp"
#include "passes/incremental.hpp"
#include "passes/passes.hpp"

/// What one occluded window costs, by the whole network and by what changes alone, in turn.
namespace fovea::bench {
namespace {

struct Options {
  std::string model;
  int threads = 0;
  int rounds = 5;
  std::int64_t batch = 1;
  std::int64_t plain_batch = 1;
  std::int64_t window = 32;
  std::int64_t stride = 16;
  double max_changed = 0.7;
  bool steps = false;
};

using Clock = std::chrono::steady_clock;
double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

graph::Graph bound(const Model& model, std::int64_t images) {
  graph::Graph graph = Access::impl(model).imported.graph;
  graph::bind(graph, {}, images);
  engine::fold_constants(graph);
  return graph;
}

std::vector<passes::Interval> windows_along(std::int64_t extent, const Options& options) {
  std::vector<passes::Interval> out;
  for (std::int64_t begin = 0;; begin += options.stride) {
    out.push_back({begin, std::min(begin + options.window, extent)});
    if (begin + options.window >= extent) return out;
  }
}

void print_steps(const engine::Plan& plan, const std::vector<double>& ms, double runs) {
  const auto steps = plan.steps();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const double each = ms[i] / runs;
    if (each < 0.02) continue;
    std::printf("%8.3f ms %8.1f GF/s %8.1f GB/s  %-22s %-28s %s\n", each,
                static_cast<double>(steps[i].flops) / each / 1e6,
                static_cast<double>(steps[i].bytes) / each / 1e6, steps[i].op.c_str(),
                steps[i].implementation.c_str(), steps[i].node.c_str());
  }
}

void run(const Options& options) {
  const base::ThreadScope threads(options.threads);
  const auto model = Model::load(options.model);
  auto& weights = *Access::impl(model).weights;
  engine::Choices choices;
  engine::PlanSpec like;
  like.tuning = Tuning::quick;
  like.choices = &choices;

  graph::Graph many = bound(model, options.batch);
  const auto input = many.inputs[0];
  const auto logits = graph::find_scores(many, "").logits;
  const std::string logits_name = many.value(logits).name;
  passes::canonise(many, {logits, input});
  passes::IncrementalSpec spec{input, logits, {}, options.max_changed};
  const Shape shape = many.value(input).shape;
  for (std::size_t d = 2; d < shape.size(); ++d)
    spec.windows.push_back(windows_along(shape[d], options));
  auto net = passes::incremental(many, spec);
  if (!net) {
    std::printf("nothing can be left out\n");
    return;
  }
  graph::Graph plain_graph = bound(model, options.plain_batch);
  engine::PlanSpec plain_spec = like;
  plain_spec.fetches = {plain_graph.find_value(logits_name)};
  const auto plain = engine::Plan::build(plain_graph, plain_spec, weights);
  auto plain_space = plain->make_workspace();

  graph::Graph known_graph = bound(model, 1);
  passes::canonise(known_graph, {known_graph.find_value(logits_name), known_graph.inputs[0]});
  engine::PlanSpec known_spec = like;
  std::vector<std::size_t> known_index;
  for (const auto& name : net->known)
    if (const auto id = known_graph.find_value(name); id != known_graph.inputs[0])
      known_spec.maps.push_back(id);
  const auto known = engine::Plan::build(known_graph, known_spec, weights);
  auto known_space = known->make_workspace();

  engine::PlanSpec fast_spec = like;
  fast_spec.feeds = {net->graph.inputs[0], net->graph.inputs[1]};
  fast_spec.persistent.assign(net->graph.inputs.begin() + 2, net->graph.inputs.end());
  fast_spec.fetches = {net->output};
  const auto fast = engine::Plan::build(net->graph, fast_spec, weights);
  auto fast_space = fast->make_workspace();

  const auto channels = shape[1], rows = shape[2], columns = shape[3];
  std::vector<float> image(static_cast<std::size_t>(channels * rows * columns));
  for (std::size_t i = 0; i < image.size(); ++i)
    image[i] = std::sin(static_cast<float>(i) * 0.37f) * std::cos(static_cast<float>(i) * 0.011f);

  const auto prepare_known = [&] {
    known->forward(known_space, {{std::span<const float>(image)}}, {});
    std::size_t map = 0;
    for (std::size_t k = 0; k < net->known.size(); ++k) {
      if (net->known[k] == known_graph.value(known_graph.inputs[0]).name) {
        fast->set_persistent(fast_space, k,
                             {image.data(),
                              {1, channels, rows, columns},
                              1,
                              static_cast<std::int64_t>(image.size())},
                             0);
      } else {
        fast->set_persistent(fast_space, k, known->map(known_space, map++), 0);
      }
    }
  };

  const auto across = static_cast<std::int64_t>(spec.windows[1].size());
  const auto count = static_cast<std::int64_t>(spec.windows[0].size()) * across;
  const auto classes = static_cast<std::size_t>(many.value(logits).shape[1]);
  std::vector<float> want(static_cast<std::size_t>(count) * classes), got = want;
  const auto run_plain = [&](std::int64_t windows) {
    std::vector<float> feed(image.size() * static_cast<std::size_t>(options.plain_batch));
    const auto start = Clock::now();
    for (std::int64_t first = 0; first < windows; first += options.plain_batch) {
      const auto n = std::min(options.plain_batch, count - first);
      for (std::int64_t k = 0; k < n; ++k) {
        const auto &y = spec.windows[0][static_cast<std::size_t>((first + k) / across)],
                   &x = spec.windows[1][static_cast<std::size_t>((first + k) % across)];
        float* to = feed.data() + static_cast<std::size_t>(k) * image.size();
        std::copy(image.begin(), image.end(), to);
        for (std::int64_t c = 0; c < channels; ++c)
          for (auto r = y.begin; r < y.end; ++r)
            for (auto q = x.begin; q < x.end; ++q) to[(c * rows + r) * columns + q] = 0;
      }
      plain->forward(plain_space, {{std::span<const float>(feed)}}, {});
      std::copy_n(
          plain->fetch(plain_space, 0).data, static_cast<std::size_t>(n) * classes,
          want.begin() + static_cast<std::ptrdiff_t>(first) * static_cast<std::ptrdiff_t>(classes));
    }
    return ms_since(start);
  };
  std::vector<double> step_ms(fast->steps().size(), 0);
  CallOptions call;
  if (options.steps) call.step_ms = step_ms;
  double forwards = 0;
  const auto run_fast = [&](std::int64_t windows) {
    const auto h = net->patch[0], w = net->patch[1];
    std::vector<float> feed(static_cast<std::size_t>(options.batch * channels * h * w));
    std::vector<float> places(static_cast<std::size_t>(options.batch * net->rows * 4));
    const auto start = Clock::now();
    prepare_known();
    for (std::int64_t first = 0; first < windows; first += options.batch) {
      const auto n = std::min(options.batch, count - first);
      for (std::int64_t k = 0; k < n; ++k) {
        const auto iy = static_cast<std::size_t>((first + k) / across),
                   ix = static_cast<std::size_t>((first + k) % across);
        const auto &y = spec.windows[0][iy], &x = spec.windows[1][ix];
        const auto &py = net->places[0][iy], &px = net->places[1][ix];
        float* to = feed.data() + k * channels * h * w;
        for (std::int64_t c = 0; c < channels; ++c)
          for (std::int64_t r = 0; r < h; ++r)
            for (std::int64_t q = 0; q < w; ++q) {
              const auto yy = py.begin + r, xx = px.begin + q;
              const bool in = yy >= y.begin && yy < y.end && xx >= x.begin && xx < x.end;
              *to++ = in ? 0.f : image[static_cast<std::size_t>((c * rows + yy) * columns + xx)];
            }
        float* at = places.data() + k * net->rows * 4;
        for (std::size_t r = 0; r < static_cast<std::size_t>(net->rows); ++r, at += 4) {
          at[0] = py.rows[2 * r];
          at[1] = px.rows[2 * r];
          at[2] = py.rows[2 * r + 1];
          at[3] = px.rows[2 * r + 1];
        }
      }
      fast->forward(fast_space, {{std::span<const float>(feed), std::span<const float>(places)}},
                    call);
      ++forwards;
      std::copy_n(
          fast->fetch(fast_space, 0).data, static_cast<std::size_t>(n) * classes,
          got.begin() + static_cast<std::ptrdiff_t>(first) * static_cast<std::ptrdiff_t>(classes));
    }
    return ms_since(start);
  };
  const auto windows = std::min<std::int64_t>(count, 40);
  run_plain(windows);
  run_fast(windows);
  double worst = 0, low = 1e30, high = -1e30;
  for (std::size_t i = 0; i < static_cast<std::size_t>(windows) * classes; ++i) {
    worst = std::max(worst, static_cast<double>(std::abs(want[i] - got[i])));
    low = std::min(low, static_cast<double>(want[i]));
    high = std::max(high, static_cast<double>(want[i]));
  }
  std::fill(step_ms.begin(), step_ms.end(), 0);
  forwards = 0;
  std::vector<double> a, b;
  for (int round = 0; round < options.rounds; ++round) {
    a.push_back(run_plain(windows) / static_cast<double>(windows));
    b.push_back(run_fast(windows) / static_cast<double>(windows));
  }
  std::printf("%lld windows, share %.3f, held %zu, differ by %.2g of the range\n",
              static_cast<long long>(count), net->share, net->known.size(), worst / (high - low));
  std::printf("plain %.2f ms a window, incremental %.2f ms: %.2f times\n", median(a), median(b),
              median(a) / median(b));
  if (options.steps) print_steps(*fast, step_ms, forwards);
}

}  // namespace
}  // namespace fovea::bench

int main(int argc, char** argv) {
  fovea::bench::Options options;
  CLI::App app("What an occluded window costs by the whole network, and by what changes alone");
  app.add_option("model", options.model)->required();
  app.add_option("--threads", options.threads);
  app.add_option("--rounds", options.rounds);
  app.add_option("--batch", options.batch);
  app.add_option("--plain-batch", options.plain_batch);
  app.add_option("--window", options.window);
  app.add_option("--stride", options.stride);
  app.add_option("--most-changed", options.max_changed);
  app.add_flag("--steps", options.steps);
  CLI11_PARSE(app, argc, argv);
  try {
    fovea::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
