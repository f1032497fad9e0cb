#include "engine/ops/conv_candidates.hpp"

#include <algorithm>
#include <string_view>

#include "engine/ops/elementwise.hpp"
#include "engine/tuner.hpp"

namespace fovea::engine {
namespace {

using Pd = ConvForward::primitive_desc;

constexpr std::int64_t kVector = 8;  // channels of the narrowest blocked layout
constexpr auto kDirect = dnnl::algorithm::convolution_direct;
constexpr auto kWinograd = dnnl::algorithm::convolution_winograd;

/// Where oneDNN may look for an implementation: layouts of both sides and an algorithm.
struct Configuration {
  const char* name;
  Desc src, dst;
  dnnl::algorithm algorithm;
  int max_tried = 1;  ///< implementations worth a look; those further down are for older CPUs
};

/// visit(primitive_desc) for what oneDNN has in a configuration until it returns true.
template <class Visit>
bool each_pd(const ConvProblem& p, const FusedPostOps& fused, const Configuration& configuration,
             Visit&& visit) {
  const Desc bias = p.bias ? plain_desc({p.dst[1]}) : Desc();
  return compat::each_window_forward<ConvForward>(cpu(), configuration.algorithm, configuration.src,
                                                  any_desc(p.weights, p.type), bias,
                                                  configuration.dst, p.window, fused.attr, visit);
}

/// Winograd is for dense 3x3 convolutions of images; only f32 has it.
bool may_be_winograd(const ConvProblem& p) {
  if (p.type != Type::f32 || has_groups(p) || p.src.size() != 4) return false;
  const auto ones = [](const Dims& dims, std::int64_t value) {
    return std::all_of(dims.begin(), dims.end(), [=](auto d) { return d == value; });
  };
  return p.weights[2] == 3 && p.weights[3] == 3 && ones(p.window.strides, 1) &&
         ones(p.window.dilates, 0);
}

/// Whatever layouts oneDNN likes best.
Configuration any_layouts(const ConvProblem& p) {
  return {"any", any_desc(p.src, p.type), any_desc(p.dst, p.type), kDirect};
}

/// In the order in which an untimed plan tries them; behind those, what is only timed.
std::vector<Configuration> configurations(Builder& b, const ConvProblem& p) {
  const auto mode = b.tuner().mode();
  std::vector<Configuration> out;
  if (p.type == Type::f32) {
    const auto dst = home_desc(p.dst, p.type);
    // The first convolution reads the picture as it is handed in.
    const bool picture = !has_groups(p) && p.src.size() > 1 && p.src[1] < kVector;
    const auto src = picture ? std::optional(any_desc(p.src, p.type)) : home_desc(p.src, p.type);
    const Configuration winograd{"winograd", *src, *dst, kWinograd, 2};
    const Configuration blocked{"blocked", *src, *dst, kDirect};
    if (mode == Tuning::winograd && may_be_winograd(p)) out.push_back(winograd);
    out.push_back(blocked);
    out.push_back(any_layouts(p));
    if (b.tuner().times() && may_be_winograd(p)) out.push_back(winograd);
  } else {
    out.push_back(any_layouts(p));
  }
  if (b.tuner().times())
    out.push_back({"channels-last", *channels_last_desc(p.src, p.type),
                   *channels_last_desc(p.dst, p.type), kDirect});
  return out;
}

/// visit(candidate) for every fast implementation of a configuration until it returns true.
template <class Visit>
bool each_candidate(const ConvProblem& p, const FusedPostOps& fused, const char* suffix,
                    const Configuration& configuration, Visit&& visit) {
  bool done = false;
  int seen = 0;
  each_pd(p, fused, configuration, [&](const Pd& pd) {
    const std::string implementation = pd.impl_info_str();
    done = !is_slow(implementation) &&
           visit(ConvCandidate{std::string(configuration.name) + '/' + implementation + suffix, pd,
                               fused});
    return done || ++seen == configuration.max_tried;
  });
  return done;
}

std::string text(const Dims& dims) {
  std::string out;
  for (const auto d : dims) out += (out.empty() ? "" : "x") + std::to_string(d);
  return out;
}

std::string layout_name(const Desc& desc) {
  const auto view = map_view(desc);
  if (!view) return "other";
  return view->layout.block == view->layout.channels ? "last" : std::to_string(view->layout.block);
}

/// Post-ops in a word each.
std::string text(const graph::PostOps& post) {
  std::string out;
  for (const auto& op : post)
    out += op.kind == graph::PostOp::Kind::add_input
               ? " sum"
               : ' ' + std::string(graph::name_of(op.unary.kind));
  return out;
}

}  // namespace

bool is_slow(std::string_view implementation) {
  return implementation.find("ref") != std::string_view::npos ||
         implementation.find("gemm:") == 0 || implementation.find("x64:gemm") == 0;
}

std::string name_of(const Builder& b, const char* what, const ConvProblem& p,
                    const graph::PostOps& post, const Desc& src, const Desc& dst) {
  std::string out = std::string(what) + ' ' + text(p.src) + " * " + text(p.weights) + " stride " +
                    text(p.window.strides) + " dilate " + text(p.window.dilates) + " pad " +
                    text(p.window.pad_begin) + ' ' + text(p.window.pad_end) +
                    (p.type == Type::f32 ? " f32" : " bf16") + (p.bias ? " bias" : "");
  return out + text(post) + " from " + layout_name(src) +
         (dims_in(dst).empty() ? "" : " to " + layout_name(dst)) + " threads " +
         std::to_string(b.threads());
}

namespace {

/// The last post-op, where it costs enough for a pass of its own to be worth a try: exponentials,
/// of which fovea's kernels make less than oneDNN's.
const graph::Unary* costly_activation(const graph::PostOps& post, const ConvProblem& p) {
  if (post.empty() || post.back().kind != graph::PostOp::Kind::unary || p.type != Type::f32)
    return nullptr;
  const auto& op = post.back().unary;
  const bool costly = op.kind == graph::UnaryKind::silu || op.kind == graph::UnaryKind::sigmoid;
  const bool padded = p.dst[1] % home_block() != 0;
  return costly && (keeps_zero(op) || !padded) ? &op : nullptr;
}

/// All candidates of one convolution.
class Search {
 public:
  Search(Builder& b, const ConvProblem& p, const graph::PostOps& post)
      : p_(p), configurations_(configurations(b, p)), all_(fuse(post)) {
    activation_ = b.tuner().times() ? costly_activation(post, p) : nullptr;
    if (activation_ != nullptr) bare_ = fuse(post, post.size() - 1);
  }

  /// visit(candidate) in order until it returns true.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& configuration : configurations_)
      if (each_candidate(p_, all_, "", configuration, visit)) return;
    if (activation_ == nullptr) return;
    for (const auto& configuration : configurations_)
      if (each_candidate(p_, bare_, kApart, configuration, visit)) return;
  }

  template <class Accept>
  ConvCandidate first(Accept&& accept) const {
    ConvCandidate found;
    each([&](const ConvCandidate& candidate) {
      if (!accept(candidate)) return false;
      found = candidate;
      return true;
    });
    return found;
  }

  /// The first fast one, or a slow one where there is nothing else.
  ConvCandidate untimed() const {
    auto found = first([](const ConvCandidate&) { return true; });
    if (!found.pd) {
      found.fused = all_;
      each_pd(p_, all_, any_layouts(p_), [&](const Pd& pd) {
        found.pd = pd;
        return true;
      });
    }
    return found;
  }

  Trial trial(const ConvCandidate& candidate, const Desc& src) const {
    const auto& pd = candidate.pd;
    Trial out{candidate.name,
              [pd] { return ConvForward(pd); },
              {{DNNL_ARG_SRC, pd.src_desc()},
               {DNNL_ARG_WEIGHTS, pd.weights_desc()},
               {DNNL_ARG_BIAS, pd.bias_desc()},
               {DNNL_ARG_DST, pd.dst_desc()},
               {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}},
              {{src, pd.src_desc()}},
              {}};
    if (p_.type == Type::f32)
      if (const auto home = home_desc(p_.dst, p_.type))
        out.reorders.emplace_back(pd.dst_desc(), *home);
    if (activation_ != nullptr && candidate.name.ends_with(kApart))
      out.after = [f = *simd_unary(*activation_),
                   n = stored_elements(pd.dst_desc())](std::byte* p) {
        run_unary(f, reinterpret_cast<float*>(p), reinterpret_cast<float*>(p), n);
      };
    return out;
  }

 private:
  static constexpr const char* kApart = " + activation";

  const ConvProblem& p_;
  std::vector<Configuration> configurations_;
  FusedPostOps all_, bare_;
  const graph::Unary* activation_ = nullptr;
};

}  // namespace

ConvCandidate best_conv(Builder& b, const ConvProblem& p, const graph::PostOps& post,
                        const Desc& src, const Desc& dst) {
  const Search search(b, p, post);
  auto& tuner = b.tuner();
  if (!tuner.times()) return search.untimed();
  const std::string problem = name_of(b, "conv", p, post, src, dst);
  if (const auto known = tuner.known(problem))
    if (auto found =
            search.first([&](const ConvCandidate& candidate) { return candidate.name == *known; });
        found.pd)
      return found;

  const auto fits = [&](const ConvCandidate& candidate) {
    return dims_in(dst).empty() || candidate.pd.dst_desc() == dst;
  };
  const auto candidates = [&] {
    std::vector<ConvCandidate> out;
    search.each([&](const ConvCandidate& candidate) {
      const bool seen = std::any_of(out.begin(), out.end(), [&](const ConvCandidate& other) {
        return other.pd.dst_desc() == candidate.pd.dst_desc() &&
               other.pd.src_desc() == candidate.pd.src_desc() &&
               other.fused.taken == candidate.fused.taken &&
               std::string_view(other.pd.impl_info_str()) == candidate.pd.impl_info_str();
      });
      if (fits(candidate) && !seen) out.push_back(candidate);
      return false;
    });
    return out;
  };
  auto all = candidates();
  if (all.empty()) return search.untimed();  // none in the layout that was hoped for
  if (all.size() == 1) return all.front();
  const auto fastest = tuner.fastest(problem, [&] {
    std::vector<Trial> trials;
    for (const auto& candidate : candidates()) trials.push_back(search.trial(candidate, src));
    return trials;
  });
  // A cache may name one that oneDNN does not offer.
  all = candidates();
  const auto it = std::find_if(all.begin(), all.end(), [&](const ConvCandidate& candidate) {
    return candidate.name == fastest;
  });
  return it == all.end() ? all.front() : *it;
}

}  // namespace fovea::engine
