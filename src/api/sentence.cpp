#include "fovea/sentence.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace fovea {
namespace {

/// A box of this share of the input is no place in it.
constexpr float kEverywhere = 0.75F;

std::string number(double value) {
  if (std::isnan(value)) return "not a number";
  char text[32];
  const auto [end, failure] =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, 4);
  return failure == std::errc() ? std::string(text, end) : "0";
}

/// Whole percents that are never 0 or 100 of what is not.
std::string percent(double share) {
  if (std::isnan(share)) return "an unknown part";
  const double percents = 100 * share;
  if (percents > 0 && percents < 1) return "less than 1 %";
  if (percents < 100 && percents > 99) return "more than 99 %";
  return std::to_string(std::lround(percents)) + " %";
}

std::string listed(const std::vector<std::string>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  return out;
}

struct Words {
  const Explanation& why;
  const DescribeOptions& options;
  Description out;

  std::string label(std::int64_t index) const {
    const auto i = static_cast<std::size_t>(index);
    return i < options.labels.size() ? options.labels[i] : std::string();
  }
  std::string name(std::int64_t index) const {
    const auto text = label(index), by_number = "class " + std::to_string(index);
    return text.empty() ? by_number : text + " (" + by_number + ")";
  }
  void say(const std::string& sentence) { out.text += (out.text.empty() ? "" : " ") + sentence; }

  void score() {
    const auto& target = why.target;
    out.score = why.score;
    const double plain = target.negated ? -why.score : why.score;
    if (const auto* pair = target.as<Target::Difference>(); pair && !why.predictions.empty()) {
      say("The score explained is how far the logit of " + name(pair->index) +
          " is above that of " + name(pair->minus) + ": " + number(plain) + ".");
    } else if (!why.prediction) {
      say("The score explained is " + number(plain) + ".");
    } else {
      of_class(*why.prediction);
    }
    if (target.negated) say("What speaks against this score is explained.");
  }

  void of_class(const Prediction& own) {
    out.class_index = own.class_index;
    out.label = label(own.class_index);
    if (!std::isnan(own.probability)) out.probability = own.probability;
    const auto& all = why.predictions;
    const auto at = std::find_if(all.begin(), all.end(), [&](const Prediction& p) {
      return p.class_index == own.class_index;
    });
    out.rank = at == all.end() ? 0 : at - all.begin() + 1;
    // Scores that are probabilities have no logits.
    const bool is_logit = own.logit != own.probability;
    std::string text = "The network gives " + name(own.class_index);
    if (is_logit) text += " a logit of " + number(own.logit);
    if (out.probability)
      text += (is_logit ? ", a probability of " : " a probability of ") + percent(own.probability);
    if (out.rank == 1 && all.size() > 1)
      text += ", the best of " + std::to_string(all.size()) + " classes";
    if (out.rank > 1)
      text +=
          ", number " + std::to_string(out.rank) + " of " + std::to_string(all.size()) + " classes";
    say(text + ".");
  }

  void place() {
    const auto& map = why.feature_map.data;
    double positive = 0, negative = 0;
    for (const float v : map) (v > 0 ? positive : negative) += std::abs(static_cast<double>(v));
    if (!std::isfinite(positive + negative)) {
      say("The map holds values that are not finite, so no place can be named.");
      return;
    }
    if (positive + negative > 0)
      out.negative_share = static_cast<float>(negative / (positive + negative));
    out.place = find_place(why.feature_map);
    if (positive + negative == 0) {
      say("The map is zero everywhere, so no place can be named.");
    } else if (positive == 0) {
      say("Nothing in the map is above zero, so no place can be named.");
    } else if (!out.place) {
      say("The map has no positions to tell apart, so no place can be named.");
    } else {
      of_place(*out.place);
    }
    if (positive > 0 && negative > 0)
      say("Below zero is " + percent(out.negative_share) + " of the map's magnitude.");
  }

  void of_place(const Place& place) {
    constexpr const char* kMeasures[] = {"length", "area", "volume"};
    const std::string measure = kMeasures[place.from.size() - 1];
    const std::string part = "Of what " + why.method + " shows, " + percent(place.share) + " lies ";
    const std::string size = percent(place.size);
    // A share of everything within everything says no more than that.
    if (place.size >= 1)
      say("What " + why.method + " shows is spread over the whole input.");
    else if (place.size >= kEverywhere)
      say(part + "within " + size + " of the input's " + measure +
          ": it is spread over the input.");
    else
      say(part + place.words + " of the input, within " + size + " of its " + measure + ".");
  }

  /// The `most` largest of `values`' entries of the sign, in shares of `total`.
  static std::vector<ChannelShare> largest(const std::vector<double>& values, double sign,
                                           double total, std::int64_t most) {
    std::vector<ChannelShare> all;
    for (std::size_t k = 0; k < values.size(); ++k)
      if (sign * values[k] > 0)
        all.push_back({static_cast<std::int64_t>(k), static_cast<float>(sign * values[k] / total)});
    std::stable_sort(all.begin(), all.end(), [](const ChannelShare& a, const ChannelShare& b) {
      return a.share > b.share;
    });
    all.resize(std::min(all.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, most))));
    return all;
  }

  void channels(const Channels& given) {
    if (given.features.size() != given.weights.size())
      throw Error(ErrorCode::invalid_argument,
                  "the channels have " + std::to_string(given.features.size()) + " features, but " +
                      std::to_string(given.weights.size()) + " weights");
    std::vector<double> values;
    double adds = 0, takes = 0;
    for (std::size_t k = 0; k < given.features.size(); ++k) {
      values.push_back(static_cast<double>(given.weights[k]) * given.features[k]);
      (values.back() > 0 ? adds : takes) += std::abs(values.back());
    }
    const auto layer = "the channels of '" + given.layer + "'";
    if (!std::isfinite(adds + takes)) {
      say("What " + layer + " contribute is not finite.");
      return;
    }
    out.channels = largest(values, 1, adds, options.most_channels);
    out.against = largest(values, -1, takes, 1);
    out.against_share = adds + takes > 0 ? static_cast<float>(takes / (adds + takes)) : 0;
    const bool negated = why.target.negated;
    const std::string verb = negated ? "take from" : "add to";
    const std::string third_person = negated ? " takes " : " adds ";
    std::vector<std::string> parts;
    for (const auto& [channel, share] : out.channels)
      parts.push_back("channel " + std::to_string(channel) + (parts.empty() ? third_person : " ") +
                      percent(share));
    if (adds == 0)
      say("None of " + layer + (negated ? " takes from" : " adds to") + " the score.");
    else if (!parts.empty())
      say("Of what " + layer + " " + verb + " the score, " + listed(parts) + ".");
    if (takes == 0)
      say(std::string("None of them ") + (negated ? "adds to" : "takes from") + " it.");
    else
      say((negated ? "For it speaks " : "Against it speaks ") + percent(*out.against_share) +
          " of all that they contribute, channel " + std::to_string(out.against[0].channel) +
          " most.");
  }

  void rival() {
    if (out.rank == 0 || why.predictions.size() < 2) return;
    out.rival = why.predictions[out.rank == 1 ? 1 : 0];
    out.rival_label = label(out.rival->class_index);
    const bool known = !std::isnan(out.rival->probability);
    say((out.rank == 1 ? "The next best class is " : "The best class is ") +
        name(out.rival->class_index) +
        (known ? ", with a probability of " + percent(out.rival->probability)
               : ", with a logit of " + number(out.rival->logit)) +
        ".");
  }
};

}  // namespace

Description describe(const Explanation& why, const DescribeOptions& options) {
  Words words{why, options, {}};
  words.score();
  words.place();
  if (options.channels != nullptr) words.channels(*options.channels);
  words.rival();
  return std::move(words.out);
}

}  // namespace fovea
