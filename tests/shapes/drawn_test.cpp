#include <gtest/gtest.h>

#include <algorithm>

#include "shapes/asked.hpp"
#include "shapes/networks.hpp"

/// Valid networks of drawn extents: an answer, whose outputs are the reference's, or a refusal.
namespace fovea::shapes_test {
namespace {

Target drawn_target(Draw& draw) {
  switch (draw.below(10)) {
    case 0:
      return Target::class_index(draw.below(6));
    case 1:
      return Target::ranked(draw.below(3));
    case 2:
      return Target::difference(0, draw.below(3));
    case 3:
      return Target::rest(0);
    case 4:
      return Target::weighted({});
    case 5:
      return Target::similarity({});
    case 6:
      return Target::top1().of_probability();
    case 7:
      return Target::top1().counterfactual();
    default:
      return Target::top1();
  }
}

Question drawn_question(const Network& network, Draw& draw) {
  Question out;
  out.bytes = network.bytes;
  out.told = network.told;
  auto& options = out.options;
  options.compile.batch = network.batch;
  options.compile.input_shapes = network.input_shapes;
  options.compile.tuning = Tuning::off;
  options.pool.threads = draw.chance(80) ? 1 : 2;
  options.pool.max_workspaces = 4;
  options.pool.memory_limit = std::int64_t{64} << 20;
  options.compile.optimize = draw.chance(85);
  options.prepare.targets_at_once = draw.one_of<std::int64_t>({1, 1, 1, 2, 4, 5});
  options.prepare.perturbation_batch = draw.one_of<std::int64_t>({0, 0, 1, 2, 3});
  options.prepare.smoothing = draw.chance(20);
  options.compile.multi_label = draw.chance(10);
  options.compile.fetches = network.outputs;
  // Scores of another rank than two are never chosen unasked.
  if (draw.chance(70)) options.compile.output = draw.one_of(network.outputs);
  if (!network.values.empty() && draw.chance(40)) {
    options.prepare.layers = {draw.one_of(network.values)};
    if (draw.chance(30)) options.prepare.layers.push_back(draw.one_of(network.values));
    if (draw.chance(50)) out.explain.layers = options.prepare.layers;
  }
  if (draw.chance(5)) options.prepare.token_grid = {2, 2};
  out.explain.smooth = options.prepare.smoothing && draw.chance(70);
  out.explain.keep_sign = draw.chance(20);
  out.targets = {drawn_target(draw)};
  while (draw.chance(40)) out.targets.push_back(drawn_target(draw));
  return out;
}

/// One network, asked about by every method, or by a few.
std::string broken_network(std::int64_t seed, Tally& tally, std::size_t at_once) {
  Draw draw(static_cast<std::uint64_t>(seed));
  const Network network = drawn_network(draw);
  auto all = methods();
  for (std::size_t m = 0; m < std::min(at_once, all.size()); ++m) {
    std::swap(all[m], all[m + draw.index(all.size() - m)]);
    auto question = drawn_question(network, draw);
    question.method = all[m].name;
    const auto what = broken(question, draw, tally);
    if (!what.empty()) return what;
  }
  return "";
}

// FOVEA_DRAWN=5000 asks about more networks, FOVEA_DRAWN_FIRST=17 starts at another one and
// FOVEA_DRAWN_METHODS=40 asks every method.
TEST(Drawn, NetworksAreAnsweredOrRefused) {
  const auto count = number_from_environment("FOVEA_DRAWN", 200);
  const auto first = number_from_environment("FOVEA_DRAWN_FIRST", 0);
  const auto at_once = number_from_environment("FOVEA_DRAWN_METHODS", 3);
  Tally tally;
  const auto found = faults(
      first, count,
      [&](std::int64_t seed, Tally& own) {
        return broken_network(seed, own, static_cast<std::size_t>(at_once));
      },
      tally);
  EXPECT_TRUE(found.empty()) << listed(found);
  std::int64_t refusals = 0;
  for (const auto n : tally.refusals) refusals += n;
  RecordProperty("answers", std::to_string(tally.answers));
  RecordProperty("runs", std::to_string(tally.runs));
  RecordProperty("refusals", std::to_string(refusals));
  // A generator whose networks are all refused would find nothing.
  if (count >= 100) {
    EXPECT_GT(tally.answers, refusals);
  }
}

}  // namespace
}  // namespace fovea::shapes_test
