#include "engine/ops/conv_ways.hpp"

#include <algorithm>
#include <string_view>

#include "engine/tuner.hpp"

namespace fovea::engine {
namespace {

using Pd = ConvForward::primitive_desc;

constexpr std::int64_t kVector = 8;  // channels of the narrowest blocked layout
constexpr auto kDirect = dnnl::algorithm::convolution_direct;
constexpr auto kWinograd = dnnl::algorithm::convolution_winograd;

/// Where oneDNN may look for an implementation: layouts of both sides and an algorithm.
struct Corner {
  const char* name;
  Desc src, dst;
  dnnl::algorithm algorithm;
  int most = 1;  ///< implementations worth a look; those further down are for older CPUs
};

struct Way {
  std::string name;
  Pd pd;
};

/// Loops over single elements, or over a copy of every window.
bool is_slow(std::string_view implementation) {
  return implementation.find("ref") != std::string_view::npos ||
         implementation.find("gemm:") == 0 || implementation.find("x64:gemm") == 0;
}

/// visit(primitive_desc) for what oneDNN has in a corner until it returns true.
template <class Visit>
bool each_pd(const ConvProblem& p, const FusedPostOps& fused, const Corner& corner, Visit&& visit) {
  const Desc bias = p.bias ? plain_desc({p.dst[1]}) : Desc();
  return compat::each_window_forward<ConvForward>(cpu(), corner.algorithm, corner.src,
                                                  any_desc(p.weights, p.type), bias, corner.dst,
                                                  p.window, fused.attr, visit);
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

/// In the order in which an untimed plan tries them.
std::vector<Corner> corners(Builder& b, const ConvProblem& p) {
  const auto mode = b.tuner().mode();
  const Desc any_src = any_desc(p.src, p.type), any_dst = any_desc(p.dst, p.type);
  std::vector<Corner> out;
  if (p.type == Type::f32) {
    const auto dst = home_desc(p.dst, p.type);
    // The first convolution reads the picture as it is handed in.
    const bool picture = !has_groups(p) && p.src.size() > 1 && p.src[1] < kVector;
    const auto src = picture ? std::optional(any_src) : home_desc(p.src, p.type);
    const Corner winograd{"winograd", *src, *dst, kWinograd, 2};
    const Corner blocked{"blocked", *src, *dst, kDirect};
    if (mode == Tuning::winograd && may_be_winograd(p)) out.push_back(winograd);
    out.push_back(blocked);
    if (b.tuner().times() && may_be_winograd(p)) out.push_back(winograd);
  }
  if (b.tuner().times())
    out.push_back({"channels-last", *channels_last_desc(p.src, p.type),
                   *channels_last_desc(p.dst, p.type), kDirect});
  out.push_back({"any", any_src, any_dst, kDirect});
  return out;
}

/// visit(way) for every fast implementation of a corner until it returns true.
template <class Visit>
bool each_way(const ConvProblem& p, const FusedPostOps& fused, const Corner& corner,
              Visit&& visit) {
  bool done = false;
  int seen = 0;
  each_pd(p, fused, corner, [&](const Pd& pd) {
    const std::string implementation = pd.impl_info_str();
    done =
        !is_slow(implementation) && visit(Way{std::string(corner.name) + '/' + implementation, pd});
    return done || ++seen == corner.most;
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

std::string name_of(const Builder& b, const ConvProblem& p, const std::string& post,
                    const Desc& src, const Desc& dst) {
  std::string out = "conv " + text(p.src) + " * " + text(p.weights) + " stride " +
                    text(p.window.strides) + " dilate " + text(p.window.dilates) + " pad " +
                    text(p.window.pad_begin) + ' ' + text(p.window.pad_end) +
                    (p.type == Type::f32 ? " f32" : " bf16") + (p.bias ? " bias" : "");
  return out + post + " from " + layout_name(src) +
         (dims_in(dst).empty() ? "" : " to " + layout_name(dst)) + " threads " +
         std::to_string(b.threads());
}

Trial trial_of(const Way& way, const Desc& src, const std::optional<Desc>& home) {
  const auto& pd = way.pd;
  Trial out{way.name,
            ConvForward(pd),
            {{DNNL_ARG_SRC, pd.src_desc()},
             {DNNL_ARG_WEIGHTS, pd.weights_desc()},
             {DNNL_ARG_BIAS, pd.bias_desc()},
             {DNNL_ARG_DST, pd.dst_desc()},
             {DNNL_ARG_SCRATCHPAD, pd.scratchpad_desc()}},
            {{src, pd.src_desc()}}};
  if (home) out.reorders.emplace_back(pd.dst_desc(), *home);
  return out;
}

}  // namespace

ConvForward::primitive_desc best_conv(Builder& b, const ConvProblem& p, const FusedPostOps& fused,
                                      const std::string& post, const Desc& src, const Desc& dst) {
  const bool wants_dst = !dims_in(dst).empty();
  const auto all = corners(b, p);
  const auto first = [&](auto&& accept) {
    Pd found;
    for (const auto& corner : all)
      if (each_way(p, fused, corner, [&](const Way& way) {
            if (!accept(way)) return false;
            found = way.pd;
            return true;
          }))
        break;
    return found;
  };
  const auto slow = [&] {
    Pd found;
    each_pd(p, fused, all.back(), [&](const Pd& pd) {
      found = pd;
      return true;
    });
    return found;
  };
  auto& tuner = b.tuner();
  if (!tuner.times()) {
    if (auto found = first([](const Way&) { return true; })) return found;
    return slow();
  }
  const std::string problem = name_of(b, p, post, src, dst);
  if (const auto known = tuner.known(problem))
    if (auto found = first([&](const Way& way) { return way.name == *known; })) return found;

  std::vector<Way> ways;
  for (const auto& corner : all)
    each_way(p, fused, corner, [&](const Way& way) {
      const bool fits = !wants_dst || way.pd.dst_desc() == dst;
      const bool seen = std::any_of(ways.begin(), ways.end(), [&](const Way& other) {
        return other.pd.dst_desc() == way.pd.dst_desc() &&
               other.pd.src_desc() == way.pd.src_desc() &&
               std::string_view(other.pd.impl_info_str()) == way.pd.impl_info_str();
      });
      if (fits && !seen) ways.push_back(way);
      return false;
    });
  if (ways.empty()) {  // none in the layout that was hoped for
    if (auto found = first([](const Way&) { return true; })) return found;
    return slow();
  }
  if (ways.size() == 1) return ways.front().pd;
  std::vector<Trial> trials;
  const auto home = p.type == Type::f32 ? home_desc(p.dst, p.type) : std::nullopt;
  for (const auto& way : ways) trials.push_back(trial_of(way, src, home));
  const auto fastest = tuner.fastest(problem, trials);
  const auto it =
      std::find_if(ways.begin(), ways.end(), [&](const Way& way) { return way.name == fastest; });
  return it == ways.end() ? ways.front().pd : it->pd;
}

}  // namespace fovea::engine
