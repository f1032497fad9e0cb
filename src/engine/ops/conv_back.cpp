#include <algorithm>
#include <array>
#include <string_view>

#include "engine/ops/conv_candidates.hpp"
#include "engine/tuner.hpp"

/// The candidates that lead from the gradient of a convolution's result to that of its input.
namespace fovea::engine {
namespace {

using Pd = ConvBackward::primitive_desc;
constexpr auto kDirect = dnnl::algorithm::convolution_direct;

/// Layouts of both gradients.
struct Configuration {
  const char* name;
  Desc diff_src, diff_dst;
};

struct Candidate {
  std::string name;
  Pd pd;
};

std::vector<Configuration> configurations(const ConvProblem& p, const Desc& diff,
                                          const Desc& wanted, bool timed) {
  std::vector<Configuration> out;
  const auto own = [&](const Desc& layout) {
    return map_view(layout) ? with_type(layout, p.type) : any_desc(p.dst, p.type);
  };
  out.push_back({"own", wanted, own(diff)});
  if (p.type == Type::f32)
    out.push_back({"blocked", *home_desc(p.src, Type::f32), *home_desc(p.dst, p.type)});
  if (timed)
    out.push_back({"channels-last", *channels_last_desc(p.src, Type::f32),
                   *channels_last_desc(p.dst, p.type)});
  out.push_back({"any", any_desc(p.src, Type::f32), any_desc(p.dst, p.type)});
  return out;
}

/// visit(primitive_desc) for what oneDNN has in a configuration until it returns true.
template <class Visit>
bool each_pd(const ConvProblem& p, const Configuration& configuration, Visit&& visit) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto hint = compat::window_forward<ConvForward>(cpu(), kDirect, any_desc(p.src, p.type),
                                                        any_desc(p.weights, p.type), Desc(),
                                                        any_desc(p.dst, p.type), p.window, attr);
  if (!hint) return false;
  return compat::each_window_backward_data<ConvBackward, ConvForward>(
      cpu(), kDirect, configuration.diff_src, any_desc(p.weights, p.type), configuration.diff_dst,
      p.window, hint, attr, visit);
}

std::vector<Candidate> candidates_of(const ConvProblem& p, const std::vector<Configuration>& all) {
  std::vector<Candidate> out;
  for (const auto& configuration : all)
    each_pd(p, configuration, [&](const Pd& pd) {
      const bool seen = std::any_of(out.begin(), out.end(), [&](const Candidate& other) {
        return other.pd.diff_dst_desc() == pd.diff_dst_desc() &&
               other.pd.diff_src_desc() == pd.diff_src_desc();
      });
      const std::string implementation = pd.impl_info_str();
      if (!is_slow(implementation) && !seen)
        out.push_back({std::string(configuration.name) + '/' + implementation, pd});
      return true;  // those further down are for older CPUs
    });
  return out;
}

}  // namespace

Pd best_conv_backward(Builder& b, const ConvProblem& p, const Desc& diff, const Desc& wanted) {
  auto& tuner = b.tuner();
  const auto all = configurations(p, diff, wanted, tuner.times());
  auto candidates = candidates_of(p, all);
  if (candidates.empty()) {
    Pd found;
    each_pd(p, all.back(), [&](const Pd& pd) {
      found = pd;
      return true;
    });
    return found;
  }
  if (!tuner.times() || candidates.size() == 1) return candidates.front().pd;
  const std::string problem = name_of(b, "conv back", p, {}, diff, wanted);
  const auto named = [&](const std::string& name) {
    return std::find_if(candidates.begin(), candidates.end(),
                        [&](const Candidate& candidate) { return candidate.name == name; });
  };
  if (const auto known = tuner.known(problem))
    if (const auto it = named(*known); it != candidates.end()) return it->pd;
  const auto trials = [&] {
    std::vector<Trial> out;
    for (const auto& [name, pd] : candidates_of(p, all))
      out.push_back({name,
                     [pd = pd] { return ConvBackward(pd); },
                     {{DNNL_ARG_DIFF_SRC, pd.diff_src_desc()},
                      {DNNL_ARG_WEIGHTS, pd.weights_desc()},
                      {DNNL_ARG_DIFF_DST, pd.diff_dst_desc()},
                      {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}},
                     {{diff, pd.diff_dst_desc()}, {pd.diff_src_desc(), wanted}},
                     {}});
    return out;
  };
  const auto fastest = tuner.fastest(problem, trials);
  candidates = candidates_of(p, all);
  const auto it = named(fastest);
  return it == candidates.end() ? candidates.front().pd : it->pd;
}

std::optional<ConvProblem> mirrored(const ConvProblem& p) {
  ConvProblem out = p;
  std::swap(out.src, out.dst);
  out.bias = false;
  const std::size_t axis = has_groups(p) ? 1 : 0;
  std::swap(out.weights[axis], out.weights[axis + 1]);
  for (std::size_t i = 0; i < p.window.strides.size(); ++i) {
    if (p.window.strides[i] != 1) return std::nullopt;
    const auto reach = (p.weights[axis + 2 + i] - 1) * (p.window.dilates[i] + 1);
    out.window.pad_begin[i] = reach - p.window.pad_begin[i];
    out.window.pad_end[i] = reach - p.window.pad_end[i];
    if (out.window.pad_begin[i] < 0 || out.window.pad_end[i] < 0) return std::nullopt;
  }
  return out;
}

std::vector<float> mirrored_weights(const ConvProblem& p, std::span<const float> weights) {
  const std::size_t axis = has_groups(p) ? 1 : 0;
  const std::int64_t groups = has_groups(p) ? p.weights[0] : 1;
  const std::int64_t outputs = p.weights[axis], inputs = p.weights[axis + 1];
  std::int64_t kernel = 1;
  for (std::size_t i = axis + 2; i < p.weights.size(); ++i) kernel *= p.weights[i];
  std::vector<float> out(weights.size());
  for (std::int64_t g = 0; g < groups; ++g)
    for (std::int64_t o = 0; o < outputs; ++o)
      for (std::int64_t i = 0; i < inputs; ++i) {
        const float* from = weights.data() + ((g * outputs + o) * inputs + i) * kernel;
        float* to = out.data() + ((g * inputs + i) * outputs + o) * kernel;
        std::reverse_copy(from, from + kernel, to);
      }
  return out;
}

}  // namespace fovea::engine
