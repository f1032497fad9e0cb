#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <random>

#include "operators/run_graph.hpp"

/// Recurrent networks, drawn: as one operator, and as their steps in other operators.
namespace fovea::test {

struct Draw {
  std::mt19937 random;
  std::int64_t below(std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random);
  }
  bool flip() { return below(2) == 1; }
  std::vector<float> numbers(std::int64_t n, float most = 0.8f) {
    std::vector<float> out;
    std::uniform_real_distribution<float> one(-most, most);
    for (std::int64_t i = 0; i < n; ++i) out.push_back(one(random));
    return out;
  }
};

/// A recurrent network of one operator, drawn.
struct Net {
  std::string op;
  std::int64_t time = 1, images = 1, features = 1, hidden = 1, ways = 1, gates = 1;
  std::string direction;
  bool reset_after = false, with_states = false;
  std::vector<float> w, r, bias;

  Net(const std::string& name, std::int64_t steps, const std::string& which, bool states,
      Draw& draw)
      : op(name), time(steps), direction(which), with_states(states) {
    images = 1 + draw.below(3);
    features = 1 + draw.below(4);
    hidden = 1 + draw.below(6);
    ways = direction == "bidirectional" ? 2 : 1;
    gates = op == "LSTM" ? 4 : op == "GRU" ? 3 : 1;
    reset_after = op == "GRU" && draw.flip();
    w = draw.numbers(ways * gates * hidden * features);
    r = draw.numbers(ways * gates * hidden * hidden);
    bias = draw.numbers(ways * 2 * gates * hidden);
  }
  Shape states() const { return {ways, images, hidden}; }
  Attrs attributes() const {
    Attrs out{attr("hidden_size", hidden), attr("direction", direction.c_str())};
    if (op == "GRU") out.push_back(attr("linear_before_reset", reset_after ? 1 : 0));
    return out;
  }
  /// The values fed, in the order of the model's inputs.
  std::vector<std::vector<float>> feeds(Draw& draw) const {
    std::vector<std::vector<float>> out{draw.numbers(time * images * features, 2)};
    const auto count = ways * images * hidden;
    if (with_states) out.push_back(draw.numbers(count));
    if (with_states && op == "LSTM") out.push_back(draw.numbers(count));
    return out;
  }
};

using Numbers = std::vector<float>;

inline ModelBuilder with_inputs(const Net& net) {
  ModelBuilder model(14);
  model.input("x", {net.time, net.images, net.features});
  if (net.with_states) model.input("h", net.states());
  if (net.with_states && net.op == "LSTM") model.input("c", net.states());
  return model;
}

/// The operator itself; every result is an output.
inline ModelBuilder as_node(const Net& net, const std::vector<std::int64_t>& lengths = {}) {
  auto model = with_inputs(net);
  const auto rows = net.gates * net.hidden;
  model.initializer("w", {net.ways, rows, net.features}, net.w)
      .initializer("r", {net.ways, rows, net.hidden}, net.r)
      .initializer("b", {net.ways, 2 * rows}, net.bias);
  Strings inputs{"x", "w", "r", "b", ""};
  if (!lengths.empty()) {
    model.initializer(raw_tensor("lengths", {net.images}, kInt64, lengths));
    model.add("Cast", {"lengths"}, {"lengths32"}, {attr("to", kInt32)});
    inputs[4] = "lengths32";
  }
  if (net.with_states) inputs.emplace_back("h");
  if (net.with_states && net.op == "LSTM") inputs.emplace_back("c");
  Strings results{"y", "last_h"};
  if (net.op == "LSTM") results.emplace_back("last_c");
  model.add(net.op, inputs, results, net.attributes());
  for (const auto& name : results) model.output(name);
  return model;
}

/// Writes nodes that make a value of others.
class Steps {
 public:
  explicit Steps(const Net& net) : net_(net), model_(with_inputs(net)) {
    model_.initializer(raw_tensor("axis0", {1}, kInt64, Ints{0}));
    model_.initializer(raw_tensor("axis1", {1}, kInt64, Ints{1}));
  }

  ModelBuilder build() {
    std::vector<Strings> y(static_cast<std::size_t>(net_.time));
    Strings last_h, last_c;
    for (std::int64_t d = 0; d < net_.ways; ++d) {
      std::string h = first("h", d), c = net_.op == "LSTM" ? first("c", d) : "";
      const bool reversed = net_.direction == "reverse" || d == 1;
      for (std::int64_t s = 0; s < net_.time; ++s) {
        const auto t = reversed ? net_.time - 1 - s : s;
        step(t, d, h, c);
        y[static_cast<std::size_t>(t)].push_back(lifted(h));
      }
      last_h.push_back(lifted(h));
      if (!c.empty()) last_c.push_back(lifted(c));
    }
    Strings steps;
    for (const auto& of_step : y) {
      const auto both = node("Concat", of_step, {attr("axis", 0)});
      steps.push_back(lifted(both));
    }
    model_.add("Concat", steps, {"y"}, {attr("axis", 0)}).output("y");
    model_.add("Concat", last_h, {"last_h"}, {attr("axis", 0)}).output("last_h");
    if (!last_c.empty())
      model_.add("Concat", last_c, {"last_c"}, {attr("axis", 0)}).output("last_c");
    return model_;
  }

 private:
  std::string node(const std::string& op, const Strings& inputs, const Attrs& attributes = {}) {
    const auto name = "v" + std::to_string(count_++);
    model_.add(op, inputs, {name}, attributes);
    return name;
  }
  std::string constant(const Shape& shape, const Numbers& data) {
    const auto name = "k" + std::to_string(count_++);
    model_.initializer(name, shape, data);
    return name;
  }
  std::string index(std::int64_t i) {
    const auto name = "i" + std::to_string(count_++);
    model_.initializer(raw_tensor(name, {}, kInt64, Ints{i}));
    return name;
  }
  std::string lifted(const std::string& value) { return node("Unsqueeze", {value, "axis0"}); }
  std::string first(const std::string& state, std::int64_t d) {
    if (net_.with_states) return node("Gather", {state, index(d)}, {attr("axis", 0)});
    return constant({net_.images, net_.hidden},
                    Numbers(static_cast<std::size_t>(net_.images * net_.hidden), 0.f));
  }
  /// value times a gate's weights, and its bias where it is asked for.
  std::string product(const std::string& value, const Numbers& weights, std::int64_t columns,
                      std::int64_t d, std::int64_t gate, int bias) {
    const auto rows = net_.hidden;
    const auto from = weights.begin() + (d * net_.gates + gate) * rows * columns;
    const auto bias_from = net_.bias.begin() + ((d * 2 + bias) * net_.gates + gate) * rows;
    return node("Gemm",
                {value, constant({rows, columns}, Numbers(from, from + rows * columns)),
                 constant({rows}, Numbers(bias_from, bias_from + rows))},
                {attr("transB", 1)});
  }
  std::string from_x(const std::string& x, std::int64_t d, std::int64_t gate) {
    return product(x, net_.w, net_.features, d, gate, 0);
  }
  std::string from_h(const std::string& h, std::int64_t d, std::int64_t gate) {
    return product(h, net_.r, net_.hidden, d, gate, 1);
  }
  std::string gate(const std::string& f, const std::string& x, const std::string& h, std::int64_t d,
                   std::int64_t which) {
    return node(f, {node("Add", {from_x(x, d, which), from_h(h, d, which)})});
  }
  void step(std::int64_t t, std::int64_t d, std::string& h, std::string& c) {
    const auto x = node("Gather", {"x", index(t)}, {attr("axis", 0)});
    if (net_.op == "RNN") {
      h = gate("Tanh", x, h, d, 0);
    } else if (net_.op == "LSTM") {
      const auto i = gate("Sigmoid", x, h, d, 0), o = gate("Sigmoid", x, h, d, 1),
                 f = gate("Sigmoid", x, h, d, 2), g = gate("Tanh", x, h, d, 3);
      c = node("Add", {node("Mul", {f, c}), node("Mul", {i, g})});
      h = node("Mul", {o, node("Tanh", {c})});
    } else {
      const auto z = gate("Sigmoid", x, h, d, 0), r = gate("Sigmoid", x, h, d, 1);
      const auto reset =
          net_.reset_after ? node("Mul", {r, from_h(h, d, 2)}) : from_h(node("Mul", {r, h}), d, 2);
      const auto made = node("Tanh", {node("Add", {from_x(x, d, 2), reset})});
      h = node("Add", {node("Mul", {node("Sub", {h, made}), z}), made});
    }
  }

  const Net& net_;
  ModelBuilder model_;
  int count_ = 0;
};

struct Answer {
  std::vector<Numbers> results;                 ///< by output
  std::vector<std::vector<Numbers>> gradients;  ///< by output, by input
  std::vector<double> absorbed;                 ///< by output, at its first input: of relevance
};

/// Seeds that tell elements apart.
inline Numbers seeds_for(std::size_t n) {
  Numbers out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(0.3f + 0.7f * std::sin(1.7f * float(i)));
  return out;
}

/// The epsilon rule for every layer.
inline engine::Relevance epsilon_rule() {
  engine::LinearRule rule;
  rule.groups = {engine::RuleGroup{.terms = {engine::RuleTerm{}}, .bias = {}}};
  return {
      .convolution = rule, .dense = rule, .first_convolution = {}, .first_dense = {}, .layers = {}};
}

/// `relevance`: in place of gradients.
inline Answer run(graph::Graph graph, const std::vector<Numbers>& feeds,
                  const std::vector<Numbers>& seeds = {},
                  const std::optional<engine::Relevance>& relevance = {}) {
  graph::bind(graph, {}, 1);
  engine::fold_constants(graph);
  engine::PlanSpec spec;
  spec.fetches = graph.outputs;
  for (const auto output : graph.outputs)
    for (const auto input : graph.inputs) {
      spec.gradients.push_back({output, input});
      spec.gradients.back().relevance = relevance;
    }
  engine::WeightCache weights;
  const auto plan = engine::Plan::build(graph, spec, weights);
  auto workspace = plan->make_workspace();
  plan->forward(workspace, std::vector<std::span<const float>>(feeds.begin(), feeds.end()), {});
  Answer out;
  const auto floats = [](const engine::ValueView& view) {
    return Numbers(view.data, view.data + base::element_count(view.shape));
  };
  for (std::size_t o = 0; o < graph.outputs.size(); ++o)
    out.results.push_back(floats(plan->fetch(workspace, o)));
  for (std::size_t o = 0, k = 0; o < graph.outputs.size(); ++o) {
    const auto& seed = seeds.empty() ? seeds_for(out.results[o].size()) : seeds[o];
    out.gradients.emplace_back();
    for (std::size_t i = 0; i < graph.inputs.size(); ++i, ++k) {
      plan->backward(workspace, k, seed, {});
      if (relevance && i == 0) {
        const auto lost = plan->absorbed(workspace, k);
        out.absorbed.push_back(0);
        for (const auto& one : lost) out.absorbed.back() += one.biases + one.stabilizers;
      }
      out.gradients[o].push_back(floats(plan->gradient(workspace, k)));
    }
  }
  return out;
}

inline Answer run(const ModelBuilder& model, const std::vector<Numbers>& feeds,
                  const std::vector<Numbers>& seeds = {},
                  const std::optional<engine::Relevance>& relevance = {}) {
  return run(import(model).graph, feeds, seeds, relevance);
}

inline void expect_near(const Numbers& got, const Numbers& want, const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  float most = 1e-2f;
  for (const float v : want) most = std::max(most, std::abs(v));
  for (std::size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(got[i], want[i], 2e-5f * most) << what << ", element " << i;
}

inline void expect_same(const Answer& got, const Answer& want) {
  ASSERT_EQ(got.results.size(), want.results.size());
  for (std::size_t o = 0; o < want.results.size(); ++o) {
    expect_near(got.results[o], want.results[o], "output " + std::to_string(o));
    for (std::size_t i = 0; i < want.gradients[o].size(); ++i)
      expect_near(got.gradients[o][i], want.gradients[o][i],
                  "gradient of output " + std::to_string(o) + " at input " + std::to_string(i));
  }
}

template <class Check>
void for_each_net(unsigned seed, Check&& check) {
  Draw draw{std::mt19937(seed)};
  for (const char* op : {"LSTM", "GRU", "RNN"})
    for (const char* direction : {"forward", "reverse", "bidirectional"})
      for (const std::int64_t time : {1, 7, 57})
        for (const bool states : {false, true}) {
          const Net net(op, time, direction, states, draw);
          SCOPED_TRACE(std::string(op) + " " + direction + " over " + std::to_string(time) +
                       (states ? " from states" : "") +
                       (net.reset_after ? ", reset after the product" : ""));
          check(net, draw);
          if (testing::Test::HasFatalFailure()) return;
        }
}

}  // namespace fovea::test
