#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "session.hpp"

/// The program's JSON: what every subcommand's output is made of.
namespace fovea::cli {

using Json = nlohmann::ordered_json;

/// The class that was explained; of other targets -1, and the score in the place of its logit.
Prediction explained(const Explanation& why);

/// LRP: what did not reach the map, as a share of the score; none for other methods.
std::optional<double> lost_share(const Explanation& why);

/// {expected, attributed, biases, stabilizers, lost_share, error}.
Json sum_rule_json(const Explanation& why);

/// {class, label, logit, probability}; the label is null where there is none.
Json prediction_json(const Prediction& prediction, const Labels& labels);

/// The best `count` of one image.
Json predictions_json(const std::vector<Prediction>& predictions, const Labels& labels,
                      std::size_t count);

/// model, what was fed to it, precision and threads.
Json run_json(const Session& session, const Explainer& explainer);

/// {load, create, decode, preprocess, forward, backward, map, render, encode}, microsecond steps.
Json timings_json(const Stages& times);

/// Indented, one newline at the end; bytes that are not UTF-8 become U+FFFD, NaN becomes null.
std::string json_text(const Json& json);

/// What a person reads for a prediction: "goldfish (class 1)", or "class 1".
/// [[begin, end], ...].
Json ranges_json(const std::vector<AxisRange>& ranges);

std::string class_text(std::int64_t index, const Labels& labels);

/// "load 3.1, create 20.5, ... ms", without the stages that did not run.
std::string timings_text(const Stages& times);

/// "f32" or "bf16".
std::string precision_text(Precision precision);

/// "1 thread", "2 threads": the number and its noun.
std::string count_text(std::int64_t count, const std::string& noun);

/// "80 %", never "-0 %".
std::string percent_text(double share);

/// printf's format for one number.
std::string number_text(const char* format, double value);

/// "fovea: warning: ..." on standard error, a line each.
void print_warnings(const std::vector<std::string>& warnings);

}  // namespace fovea::cli
