#include "bench/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "fovea/version.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

double ratio(const Report& report) {
  return report.explain.p50 / report.predict.p50;
}

double total(const Profile& profile) {
  return std::accumulate(profile.steps.begin(), profile.steps.end(), profile.rest);
}

/// Work per millisecond as 10^9 per second.
double giga_per_s(std::int64_t work, double ms) {
  return ms > 0 ? static_cast<double>(work) / ms / 1e6 : 0;
}

std::string row(const std::string& title, const Statistics& s) {
  std::string out = title;
  for (const double value : {s.min, s.mean, s.p50, s.p90, s.p95})
    out += number_text("%10.3f", value);
  out += s.p99 ? number_text("%10.3f", *s.p99) : "         -";
  out += number_text("%10.3f", s.max) + number_text("%11.3f", s.deviation);
  return out + number_text("%8.0f", static_cast<double>(s.runs)) + "\n";
}

std::string memory_text(const Report& report) {
  if (!report.peak_mb || !report.added_mb) return "unknown";
  return "peak" + number_text(" %.1f MB", *report.peak_mb) +
         number_text(", %.1f MB of it added by load, create and the first explanation",
                     *report.added_mb);
}

std::string team_text(const Report& report) {
  if (report.workers == 0) return count_text(report.threads, "thread");
  return count_text(report.workers, "worker") + " of one thread each";
}

std::string steps_text(const Report& report) {
  const auto& profile = *report.profile;
  const double all = total(profile);
  std::size_t op_width = 2, implementation_width = 14;
  for (const auto& step : report.steps) {
    op_width = std::max(op_width, step.op.size());
    implementation_width = std::max(implementation_width, step.implementation.size());
  }
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text + "  ";
  };
  const auto line = [&](double ms, const std::string& rate, const std::string& op,
                        const std::string& implementation, const std::string& layer) {
    auto out = number_text("%9.4f", ms) + number_text("%7.1f %%", 100 * ms / all) + rate + "  " +
               padded(op, op_width) + padded(implementation, implementation_width) + layer;
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  const std::string no_rate(13, ' ');
  std::string out = "\nan explanation, step by step (medians)\n       ms    share         rate  " +
                    padded("op", op_width) + padded("implementation", implementation_width) +
                    "layer\n";
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const auto& step = report.steps[i];
    const double ms = profile.steps[i];
    const auto rate = step.flops > 0 ? number_text("%8.1f GF/s", giga_per_s(step.flops, ms))
                                     : number_text("%8.1f GB/s", giga_per_s(step.bytes, ms));
    out += line(ms, rate, step.op, step.implementation,
                step.node + (step.backward ? std::string(step.node.empty() ? "" : " ") + "(back)"
                                           : std::string()));
  }
  out += line(profile.rest, no_rate, "outside the steps: checks, ranking, the map", "", "");
  return out + line(all, no_rate, "total", "", "");
}

/// The steps of one operator, in one direction.
struct OfOperator {
  std::string op;
  bool backward = false;
  int steps = 0;
  double ms = 0;
};

/// What takes longest first.
std::vector<OfOperator> operators(const Report& report) {
  std::vector<OfOperator> out;
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const auto& step = report.steps[i];
    auto it = std::find_if(out.begin(), out.end(), [&](const OfOperator& of) {
      return of.op == step.op && of.backward == step.backward;
    });
    if (it == out.end()) it = out.insert(out.end(), {step.op, step.backward});
    ++it->steps;
    it->ms += report.profile->steps[i];
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.ms > b.ms; });
  return out;
}

std::string operators_text(const Report& report) {
  const double all = total(*report.profile);
  std::string out = "\nby operator\n       ms    share  steps  op\n";
  for (const auto& of : operators(report))
    out += number_text("%9.4f", of.ms) + number_text("%7.1f %%", 100 * of.ms / all) +
           number_text("%7.0f", of.steps) + "  " + of.op + (of.backward ? " (back)" : "") + "\n";
  return out;
}

Json operators_json(const Report& report) {
  const double all = total(*report.profile);
  auto rows = Json::array();
  for (const auto& of : operators(report)) {
    Json item;
    item["op"] = of.op;
    item["backward"] = of.backward;
    item["steps"] = of.steps;
    item["ms"] = rounded(of.ms);
    item["share"] = of.ms / all;
    rows.push_back(std::move(item));
  }
  return rows;
}

Json steps_json(const Report& report) {
  const auto& profile = *report.profile;
  const double all = total(profile);
  auto rows = Json::array();
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const auto& step = report.steps[i];
    const double ms = profile.steps[i];
    Json item;
    item["layer"] = step.node;
    item["op"] = step.op;
    item["implementation"] = step.implementation;
    item["backward"] = step.backward;
    item["ms"] = rounded(ms);
    item["share"] = ms / all;
    item["flops"] = step.flops;
    item["bytes"] = step.bytes;
    item["gflops_per_s"] = step.flops > 0 ? Json(giga_per_s(step.flops, ms)) : Json(nullptr);
    item["gbytes_per_s"] = giga_per_s(step.bytes, ms);
    rows.push_back(std::move(item));
  }
  return rows;
}

Json or_null(const std::optional<double>& value) {
  return value ? Json(std::round(*value * 10) / 10) : Json(nullptr);
}

}  // namespace

std::vector<std::string> disturbances(const Report& report) {
  // Asked for, or a queue's.
  if (report.busy > 0 || report.rate > 0) return {};
  for (const auto& [name, s] :
       {std::pair("explain", &report.explain), std::pair("predict", &report.predict)})
    if (is_disturbed(*s))
      return {"p50 of " + std::string(name) + " is " + number_text("%.1f", s->p50 / s->min) +
              " times its min: something else took the cores. Measure again when the machine is "
              "idle, or with as many threads as there are cores left (--threads); --busy measures "
              "beside other work on purpose"};
  return {};
}

std::string report_text(const Report& report) {
  const auto info = build_info();
  std::string out = "model        " + report.model + "\n";
  for (const auto& [name, shape] : report.inputs)
    out += "input        " + name + "  " + shape_text(shape) + "\n";
  if (!report.images.empty())
    out += "images       " + count_text(static_cast<std::int64_t>(report.photos.size()), "photo") +
           " of " + report.images + "\n";
  out += "explains     layer " + report.layer + " by " + report.method + "\n";
  out += "runs with    " + precision_text(report.precision) + ", " + team_text(report) +
         ", oneDNN " + info.onednn + " up to " + info.onednn_isa + "\n";
  out += "waiting      " + report.waiting + ", OMP_WAIT_POLICY " + report.wait_policy +
         ", GOMP_SPINCOUNT " + report.spin_count + "\n";
  if (report.busy > 0)
    out += "beside       " + std::to_string(report.busy) +
           (report.busy == 1 ? " process that only counts\n" : " processes that only count\n");
  if (report.rate > 0)
    out += number_text("due          %g runs a second; times are from then on\n", report.rate);
  out += "\n";
  out += number_text("load         %.2f ms\n", report.load_ms);
  out += number_text("create       %.2f ms", report.create_ms);
  if (report.plan_cache_given) out += " with the plan cache given";
  if (report.create_cached_ms)
    out += number_text(", %.2f ms with a plan cache", *report.create_cached_ms);
  out += "\n";
  out += number_text("first        %.2f ms, an explanation\n", report.first_ms);
  out += "memory       " + memory_text(report) + "\n\n";
  out +=
      "ms               min      mean       p50       p90       p95       p99       max  deviation"
      "    runs\n";
  out += row("predict   ", report.predict) + row("explain   ", report.explain);
  out += "\nratio        " + number_text("%.3f, explain to predict (p50)\n", ratio(report));
  out += "images/s     " + number_text("%.1f predicted", report.predict_images_per_s) +
         number_text(", %.1f explained\n", report.explain_images_per_s);
  if (report.profile) out += steps_text(report) + operators_text(report);
  return out;
}

Json setting_json(const Report& report) {
  const auto info = build_info();
  Json json;
  json["model"] = report.model;
  if (!report.digests.empty()) json["model_sha256"] = report.digests;
  json["images"] = report.images.empty() ? Json(nullptr) : Json(report.images);
  if (!report.photos.empty()) json["photos"] = report.photos;
  json["images_sha256"] = report.photo_digests;
  json["inputs"] = report.inputs;
  json["batch"] = report.batch;
  json["method"] = report.method;
  json["layer"] = report.layer;
  json["precision"] = precision_text(report.precision);
  json["threads"] = report.threads;
  json["workers"] = report.workers == 0 ? Json(nullptr) : Json(report.workers);
  json["rate"] = report.rate > 0 ? Json(report.rate) : Json(nullptr);
  json["busy"] = report.busy;
  json["tune"] = report.tune;
  json["optimize"] = report.optimize;
  json["cpu"] = report.cpu;
  json["version"] = info.version;
  json["onednn"] = info.onednn;
  json["isa"] = info.onednn_isa;
  json["waiting"] = report.waiting;
  json["wait_policy"] = report.wait_policy;
  json["spin_count"] = report.spin_count;
  json["plan_cache_given"] = report.plan_cache_given;
  return json;
}

Json report_json(const Report& report) {
  auto json = setting_json(report);
  json["load_ms"] = rounded(report.load_ms);
  json["create_ms"] = rounded(report.create_ms);
  json["create_cached_ms"] =
      report.create_cached_ms ? Json(rounded(*report.create_cached_ms)) : Json(nullptr);
  json["first_ms"] = rounded(report.first_ms);
  json["peak_mb"] = or_null(report.peak_mb);
  json["added_mb"] = or_null(report.added_mb);
  json["runs"] = report.explain.runs;
  json["predict_ms"] = to_json(report.predict);
  json["explain_ms"] = to_json(report.explain);
  json["ratio"] = ratio(report);
  json["images_per_s"] = report.explain_images_per_s;
  json["predict_images_per_s"] = report.predict_images_per_s;
  if (report.profile) {
    json["steps"] = steps_json(report);
    json["operators"] = operators_json(report);
    json["rest_ms"] = rounded(report.profile->rest);
    json["total_ms"] = rounded(total(*report.profile));
  }
  json["warnings"] = report.warnings;
  return json;
}

}  // namespace fovea::cli
