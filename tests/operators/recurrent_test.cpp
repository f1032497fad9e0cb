#include "operators/recurrent_nets.hpp"

/// Recurrent operators against what they stand for: their steps in other operators, images one by
/// one, and sequences cut to their lengths. Values, and gradients at the sequence and the states.
namespace fovea::test {
namespace {

TEST(RecurrentOperators, AreTheirStepsInOtherOperators) {
  for_each_net(3, [](const Net& net, Draw& draw) {
    const auto feeds = net.feeds(draw);
    expect_same(run(as_node(net), feeds), run(Steps(net).build(), feeds));
  });
}

/// Of values [outer, images, inner] those of one image.
Numbers of_image(const Numbers& all, std::int64_t images, std::int64_t inner, std::int64_t n) {
  Numbers out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (static_cast<std::int64_t>(i) / inner % images == n) out.push_back(all[i]);
  return out;
}

TEST(RecurrentOperators, DoWithABatchWhatTheyDoWithEachImage) {
  for_each_net(4, [](const Net& net, Draw& draw) {
    const auto feeds = net.feeds(draw);
    const auto all = run(as_node(net), feeds);
    for (std::int64_t n = 0; n < net.images; ++n) {
      Net single = net;
      single.images = 1;
      std::vector<Numbers> own, seeds;
      for (std::size_t i = 0; i < feeds.size(); ++i)
        own.push_back(of_image(feeds[i], net.images, i == 0 ? net.features : net.hidden, n));
      for (const auto& result : all.results)
        seeds.push_back(of_image(seeds_for(result.size()), net.images, net.hidden, n));
      Answer want;
      for (std::size_t o = 0; o < all.results.size(); ++o) {
        want.results.push_back(of_image(all.results[o], net.images, net.hidden, n));
        want.gradients.emplace_back();
        for (std::size_t i = 0; i < feeds.size(); ++i)
          want.gradients[o].push_back(
              of_image(all.gradients[o][i], net.images, i == 0 ? net.features : net.hidden, n));
      }
      expect_same(run(as_node(single), own, seeds), want);
    }
  });
}

/// What lies beyond an image's length is as if it were not there.
TEST(RecurrentOperators, EndWhereASequenceDoes) {
  for_each_net(5, [](const Net& net, Draw& draw) {
    const auto length = 1 + draw.below(net.time);
    const auto feeds = net.feeds(draw);
    const std::vector<std::int64_t> lengths(static_cast<std::size_t>(net.images), length);
    auto got = run(as_node(net, lengths), feeds);
    Net cut = net;
    cut.time = length;
    auto own = feeds;
    const auto kept = static_cast<std::size_t>(length * net.images * net.features);
    own[0].resize(kept);
    const auto shown = static_cast<std::size_t>(length * net.ways * net.images * net.hidden);
    for (std::size_t k = shown; k < got.results[0].size(); ++k) ASSERT_EQ(got.results[0][k], 0.f);
    got.results[0].resize(shown);
    for (auto& of_output : got.gradients) {
      for (std::size_t k = kept; k < of_output[0].size(); ++k) ASSERT_EQ(of_output[0][k], 0.f);
      of_output[0].resize(kept);
    }
    expect_same(got, run(as_node(cut), own));
  });
}

/// A path that nobody follows would be a wrong number.
TEST(RecurrentOperators, RefuseAGradientThroughWeights) {
  struct Role {
    std::string name;
    std::int64_t features;
    Ints shape;  // of four steps' numbers
  };
  for (const auto& [name, features, shape] :
       {Role{"w", 3, {1, 4, 3}}, Role{"r", 1, {1, 4, 1}}, Role{"b", 2, {1, 8}}}) {
    ModelBuilder model(14);
    Draw draw{std::mt19937(1)};
    model.input("x", {4, 1, features});
    if (name != "w") model.initializer("w", {1, 4, features}, draw.numbers(4 * features));
    if (name != "r") model.initializer("r", {1, 4, 1}, draw.numbers(4));
    if (name != "b") model.initializer("b", {1, 8}, draw.numbers(8));
    model.initializer("shape", {std::ssize(shape)}, shape);
    model.add("Reshape", {"x", "shape"}, {name});
    model.add("LSTM", {"x", "w", "r", "b"}, {"y"}, {attr("hidden_size", 1)}, "cell").output("y");
    graph::Graph graph = import(model).graph;
    graph::bind(graph, {}, 1);
    engine::PlanSpec spec;
    spec.fetches = {graph.outputs[0]};
    engine::WeightCache weights;
    EXPECT_NO_THROW(engine::Plan::build(graph, spec, weights)) << name;
    spec.gradients = {{graph.outputs[0], graph.inputs[0]}};
    try {
      engine::Plan::build(graph, spec, weights);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(to_string(error.code()), to_string(ErrorCode::unsupported));
      EXPECT_EQ(error.context().node, "cell") << error.what();
    }
  }
}

/// Lengths that a run is given and that are none.
TEST(RecurrentOperators, RefuseALengthBeyondTheSequence) {
  ModelBuilder model(14);
  Draw draw{std::mt19937(1)};
  model.input("x", {2, 1, 3}).input("lengths", {1}, kInt32);
  model.initializer("w", {1, 1, 3}, draw.numbers(3)).initializer("r", {1, 1, 1}, draw.numbers(1));
  model.add("RNN", {"x", "w", "r", "", "lengths"}, {"y"}, {attr("hidden_size", 1)}).output("y");
  graph::Graph graph = import(model).graph;
  graph::bind(graph, {}, 1);
  engine::PlanSpec spec;
  spec.fetches = {graph.outputs[0]};
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(graph, spec, weights);
  auto workspace = plan->make_workspace();
  const Numbers x = draw.numbers(6);
  for (const float length : {-1.f, 3.f}) {
    const Numbers lengths{length};
    const std::vector<std::span<const float>> feeds{x, lengths};
    EXPECT_THROW(plan->forward(workspace, feeds, {}), Error) << length;
  }
  const Numbers lengths{1.f};
  const std::vector<std::span<const float>> feeds{x, lengths};
  plan->forward(workspace, feeds, {});
  EXPECT_EQ(plan->fetch(workspace, 0).data[1], 0.f);
}

}  // namespace
}  // namespace fovea::test
