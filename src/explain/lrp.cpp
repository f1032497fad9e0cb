// Layer-wise relevance propagation. S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Mueller,
// W. Samek, "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance
// Propagation", PLoS ONE 2015. Rules by layer, after G. Montavon et al., "Layer-Wise Relevance
// Propagation: An Overview", 2019: rules/.
//
//   R of the scores = y * df/dy        of a class: its logit        L(p) = sum_c R_c(p)
//   sum R at the input + what biases and stabilizers absorbed = the start
//
// zennit starts at what its user hands in, captum at 1, multiplying by the output at the end: the
// same map, up to the stabilizers' share.

#include <cmath>

#include "base/checked.hpp"
#include "explain/attribution.hpp"
#include "explain/gradients.hpp"
#include "explain/row.hpp"
#include "explain/rules/rules.hpp"
#include "explain/sizes.hpp"
#include "fovea/methods/relevance.hpp"

namespace fovea::explain {
namespace {

Gradient gradient_for(const Layer& layer, const Lrp& method) {
  const RuleOptions options{static_cast<float>(method.epsilon), static_cast<float>(method.gamma),
                            static_cast<float>(method.low), static_cast<float>(method.high)};
  Gradient out{.of_input = layer.is_input};
  out.relevance = composite_of(method.composite, options);
  for (const auto& [name, rule] : method.rules)
    out.relevance->layers[name] = rule_named(rule, options);
  return out;
}

/// [channels, extents] to [extents].
Tensor over_channels(const Tensor& relevance) {
  Tensor map{{relevance.shape.begin() + 1, relevance.shape.end()}, {}};
  const auto positions = static_cast<std::size_t>(base::element_count(map.shape));
  map.data.assign(positions, 0.f);
  for (std::size_t i = 0, p = 0; i < relevance.data.size(); ++i, ++p) {
    if (p == positions) p = 0;
    map.data[p] += relevance.data[i];
  }
  return map;
}

SumRule sum_rule(std::span<const float> start, const Tensor& relevance,
                 const engine::Absorbed& absorbed) {
  SumRule out;
  for (const float v : start) out.expected += static_cast<double>(v);
  for (const float v : relevance.data) out.attributed += static_cast<double>(v);
  out.biases = absorbed.biases;
  out.stabilizers = absorbed.stabilizers;
  const double rest = out.expected - out.attributed - out.biases - out.stabilizers;
  out.error = rest == 0 ? 0 : std::abs(rest) / std::abs(out.expected);
  return out;
}

std::vector<Evidence> run(Context& context, const Lrp& method) {
  auto start = seeds(context);
  for (std::size_t i = 0; i < start.size(); ++i) start[i] *= context.scores[i];
  const auto index = index_of(context.layer, gradient_for(context.layer, method));
  run_backward(context, index, start);
  const auto view = context.plan.gradient(context.workspace, index);
  const auto absorbed = context.plan.absorbed(context.workspace, index);
  const auto row = static_cast<std::size_t>(context.row());
  std::vector<Evidence> out;
  for (std::int64_t n = 0; n < context.batch; ++n) {
    const auto image = static_cast<std::size_t>(n);
    Tensor relevance = plain(view, context.layer, n);
    const auto rule =
        sum_rule(std::span(start).subspan(image * row, row), relevance, absorbed[image]);
    out.push_back(context.layer.is_input ? by_sum(context, std::move(relevance))
                                         : Evidence{over_channels(relevance)});
    out.back().sum_rule = rule;
  }
  return out;
}

}  // namespace

template <>
Row<Lrp> row<Lrp>() {
  return {
      .info = {.title = "LRP",
               .paper = "Bach et al. 2015, On Pixel-Wise Explanations for Non-Linear Classifier "
                        "Decisions by Layer-Wise Relevance Propagation, eq. 58 and 60; Montavon et "
                        "al. 2019, Layer-Wise Relevance Propagation: An Overview",
               .needs = "an input that the score depends on, operators that have a rule",
               .cost = "1 forward, 1 walk back with a second forward of each convolution",
               .use = "pixels' shares of the score, without the gradient's noise; also at a layer",
               .kind = MapKind::input},
      .needs = [](const Layer& layer,
                  const Lrp& method) { return Needs{.gradients = {gradient_for(layer, method)}}; },
      .run = run,
      .scratch_bytes =
          [](const Context& context) {
            const Sizes s(context);
            return s.plain * kFloat;
          },
      .relu = false,
      .layer_on_request = true};
}
template const Entry& entry<Lrp>();

}  // namespace fovea::explain
