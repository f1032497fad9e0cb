#include "explain/objective.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "fovea/error.hpp"

namespace fovea::explain {
namespace {

void check_class(std::int64_t index, std::size_t classes, const char* what) {
  if (index >= 0 && index < static_cast<std::int64_t>(classes)) return;
  throw Error(ErrorCode::invalid_argument, what + std::to_string(index) +
                                               " is out of range: the model has " +
                                               std::to_string(classes) + " classes");
}

double at(std::span<const float> scores, std::int64_t index) {
  return scores[static_cast<std::size_t>(index)];
}

std::vector<double> softmax(std::span<const float> scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  std::vector<double> out;
  double sum = 0;
  for (const float v : scores) sum += out.emplace_back(std::exp(v - top));
  for (auto& p : out) p /= sum;
  return out;
}

double sigmoid_of(double x) {
  return 1 / (1 + std::exp(-x));
}

double norm_of(std::span<const float> v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace

Objective::Objective(const Target& target, std::size_t classes, const ClassAtRank& class_at,
                     bool sigmoid)
    : target_(target), sigmoid_(sigmoid) {
  switch (target.kind) {
    case Target::Kind::ranked:
      check_class(target.value, classes, "rank ");
      class_ = class_at(target.value);
      break;
    case Target::Kind::class_index:
    case Target::Kind::rest:
      check_class(target.value, classes, "class ");
      class_ = target.value;
      break;
    case Target::Kind::difference:
      check_class(target.value, classes, "class ");
      check_class(target.other, classes, "class ");
      break;
    case Target::Kind::weights:
    case Target::Kind::similarity:
      if (target.weights.size() != classes)
        throw Error(ErrorCode::invalid_argument,
                    "the target has " + std::to_string(target.weights.size()) +
                        " weights, the model " + std::to_string(classes) + " scores");
      for (const float w : target.weights)
        if (!std::isfinite(w))
          throw Error(ErrorCode::invalid_argument, "the target's weights are not all finite");
      break;
  }
  if (target.kind == Target::Kind::similarity && norm_of(target.weights) == 0)
    throw Error(ErrorCode::invalid_argument, "the embedding to compare with is all zeros");
  if (target.probability && (class_ < 0 || target.kind == Target::Kind::rest))
    throw Error(ErrorCode::invalid_argument, "only a class has a probability to be explained");
}

double Objective::value(std::span<const float> scores) const {
  return target_.negated ? -plain_value(scores) : plain_value(scores);
}

double Objective::plain_value(std::span<const float> scores) const {
  switch (target_.kind) {
    case Target::Kind::difference:
      return at(scores, target_.value) - at(scores, target_.other);
    case Target::Kind::rest: {
      const double p = softmax(scores)[static_cast<std::size_t>(class_)];
      return at(scores, class_) + std::log(p);
    }
    case Target::Kind::weights:
      return dot(scores, target_.weights);
    case Target::Kind::similarity: {
      const double length = norm_of(scores);
      return length > 0 ? dot(scores, target_.weights) / (length * norm_of(target_.weights)) : 0;
    }
    default:
      if (!target_.probability) return at(scores, class_);
      return sigmoid_ ? sigmoid_of(at(scores, class_))
                      : softmax(scores)[static_cast<std::size_t>(class_)];
  }
}

void Objective::gradient(std::span<const float> scores, std::span<float> out) const {
  const double sign = target_.negated ? -1 : 1;
  std::fill(out.begin(), out.end(), 0.f);
  const auto add = [&](std::int64_t index, double v) {
    out[static_cast<std::size_t>(index)] += static_cast<float>(sign * v);
  };
  switch (target_.kind) {
    case Target::Kind::difference:
      add(target_.value, 1);
      add(target_.other, -1);
      return;
    case Target::Kind::rest: {
      const auto p = softmax(scores);
      for (std::size_t i = 0; i < p.size(); ++i) add(static_cast<std::int64_t>(i), -p[i]);
      add(class_, 2);
      return;
    }
    case Target::Kind::weights:
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<float>(sign * target_.weights[i]);
      return;
    case Target::Kind::similarity: {
      // d/ds (s . e) / (|s| |e|) = e / (|s| |e|) - cos s / |s|^2
      const double length = norm_of(scores), other = norm_of(target_.weights);
      if (!(length > 0)) return;
      const double cosine = dot(scores, target_.weights) / (length * other);
      for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = static_cast<float>(sign * (target_.weights[i] / (length * other) -
                                            cosine * scores[i] / (length * length)));
      return;
    }
    default:
      break;
  }
  if (!target_.probability) {
    add(class_, 1);
    return;
  }
  if (sigmoid_) {
    const double p = sigmoid_of(at(scores, class_));
    add(class_, p * (1 - p));
    return;
  }
  const auto p = softmax(scores);
  const auto own = static_cast<std::size_t>(class_);
  // 1 - p, of which nothing would be left where p is close to 1.
  double others = 0;
  for (std::size_t i = 0; i < p.size(); ++i) others += i == own ? 0 : p[i];
  for (std::size_t i = 0; i < p.size(); ++i)
    out[i] = static_cast<float>(sign * p[own] * (i == own ? others : -p[i]));
}

}  // namespace fovea::explain
