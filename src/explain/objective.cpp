#include "explain/objective.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/checked.hpp"
#include "explain/softmax.hpp"
#include "fovea/error.hpp"

namespace fovea::explain {
namespace {

[[noreturn]] void refuse(const std::string& sentence, const std::string& value = {}) {
  throw Error(ErrorCode::invalid_argument, sentence, {"", value, ""});
}

void check_class(std::int64_t index, std::size_t classes, const char* what) {
  if (index >= 0 && index < static_cast<std::int64_t>(classes)) return;
  refuse(what + std::to_string(index) + " is out of range: the model has " +
         std::to_string(classes) + " classes");
}

void check_factors(const std::vector<float>& factors, const ReadValue& read) {
  if (factors.size() != read.size)
    refuse("the target has " + std::to_string(factors.size()) + " weights, the " +
           (read.name.empty() ? "model " : "value ") + std::to_string(read.size) +
           (read.name.empty() ? " scores" : " numbers per image"));
  for (const float w : factors)
    if (!std::isfinite(w)) refuse("the target's weights are not all finite");
}

std::size_t element_of(const ReadValue& read, const Shape& at) {
  if (at.size() != read.shape.size())
    refuse("an element of this value is named by " + std::to_string(read.shape.size()) +
               " numbers, and the target names it by " + std::to_string(at.size()),
           read.name);
  std::size_t out = 0;
  for (std::size_t d = 0; d < at.size(); ++d) {
    const auto extent = read.shape[d], i = at[d] < 0 ? at[d] + extent : at[d];
    if (i < 0 || i >= extent)
      refuse("the target's element is out of range: " + std::to_string(at[d]) + " of " +
                 std::to_string(extent) + " along extent " + std::to_string(d),
             read.name);
    out = out * static_cast<std::size_t>(extent) + static_cast<std::size_t>(i);
  }
  return read.begin + out;
}

double at(std::span<const float> scores, std::int64_t index) {
  return scores[static_cast<std::size_t>(index)];
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

/// The number that each kind makes of what it reads. Classes have their indices by now.
struct Value {
  std::span<const float> row, own;  ///< all of it, and the one value that most kinds read
  const std::vector<ReadValue>& several;
  const std::vector<std::size_t>& elements;
  std::int64_t index;
  bool of_probability;
  Probability how;

  double probability() const {
    switch (how) {
      case Probability::given:
        return at(own, index);
      case Probability::sigmoid:
        return sigmoid_of(at(own, index));
      case Probability::softmax:
      case Probability::none:
        break;
    }
    return softmax(own)[static_cast<std::size_t>(index)];
  }
  double of_class() const { return of_probability ? probability() : at(own, index); }
  double operator()(const Target::Ranked&) const { return of_class(); }
  double operator()(const Target::Class&) const { return of_class(); }
  double operator()(const Target::Difference& d) const {
    return at(own, d.index) - at(own, d.minus);
  }
  double operator()(const Target::Rest&) const {
    const double p =
        how == Probability::given ? at(own, index) : softmax(own)[static_cast<std::size_t>(index)];
    return at(own, index) + std::log(p);
  }
  double operator()(const Target::Weights& w) const { return dot(own, w.factors); }
  double operator()(const Target::Similarity& s) const {
    const double length = norm_of(own);
    return length > 0 ? dot(own, s.embedding) / (length * norm_of(s.embedding)) : 0;
  }
  double operator()(const Target::Sum& s) const {
    double out = 0;
    for (std::size_t i = 0; i < elements.size(); ++i) out += s.terms[i].factor * row[elements[i]];
    return out;
  }
  std::vector<ImageValue> values() const {
    std::vector<ImageValue> out;
    for (const auto& one : several)
      out.push_back({one.name, one.shape, row.subspan(one.begin, one.size)});
    return out;
  }
  double operator()(const Target::Function& f) const { return f.of(values(), {}); }
};

/// Adds each kind's derivatives, times `sign`; `out` is a row of zeros.
struct Slope {
  Value of;
  const ReadValue& read;
  double sign;
  std::span<float> out;

  void add(std::int64_t index, double v) const {
    out[read.begin + static_cast<std::size_t>(index)] += static_cast<float>(sign * v);
  }
  void of_class() const {
    if (!of.of_probability || of.how == Probability::given) return add(of.index, 1);
    if (of.how == Probability::sigmoid) {
      const double p = sigmoid_of(at(of.own, of.index));
      return add(of.index, p * (1 - p));
    }
    const auto p = softmax(of.own);
    const auto own = static_cast<std::size_t>(of.index);
    // 1 - p, of which nothing would be left where p is close to 1.
    double others = 0;
    for (std::size_t i = 0; i < p.size(); ++i) others += i == own ? 0 : p[i];
    for (std::size_t i = 0; i < p.size(); ++i)
      out[read.begin + i] = static_cast<float>(sign * p[own] * (i == own ? others : -p[i]));
  }
  void operator()(const Target::Ranked&) const { of_class(); }
  void operator()(const Target::Class&) const { of_class(); }
  void operator()(const Target::Difference& d) const {
    add(d.index, 1);
    add(d.minus, -1);
  }
  void operator()(const Target::Rest&) const {
    if (of.how == Probability::given) return add(of.index, 1 + 1 / at(of.own, of.index));
    const auto p = softmax(of.own);
    for (std::size_t i = 0; i < p.size(); ++i) add(static_cast<std::int64_t>(i), -p[i]);
    add(of.index, 2);
  }
  void operator()(const Target::Weights& w) const {
    for (std::size_t i = 0; i < w.factors.size(); ++i)
      out[read.begin + i] = static_cast<float>(sign * w.factors[i]);
  }
  void operator()(const Target::Similarity& s) const {
    // d/ds (s . e) / (|s| |e|) = e / (|s| |e|) - cos s / |s|^2
    const double length = norm_of(of.own), other = norm_of(s.embedding);
    if (!(length > 0)) return;
    const double cosine = dot(of.own, s.embedding) / (length * other);
    for (std::size_t i = 0; i < s.embedding.size(); ++i)
      out[read.begin + i] = static_cast<float>(
          sign * (s.embedding[i] / (length * other) - cosine * of.own[i] / (length * length)));
  }
  void operator()(const Target::Sum& s) const {
    for (std::size_t i = 0; i < of.elements.size(); ++i)
      out[of.elements[i]] += static_cast<float>(sign * s.terms[i].factor);
  }
  void operator()(const Target::Function& f) const {
    std::vector<std::span<float>> gradients;
    for (const auto& one : of.several) gradients.push_back(out.subspan(one.begin, one.size));
    f.of(of.values(), gradients);
    if (sign < 0)
      for (auto& v : out) v = -v;
  }
};

}  // namespace

Reads Reads::scores(std::size_t count) {
  Reads out;
  out.add({}, {static_cast<std::int64_t>(count)});
  return out;
}

void Reads::add(std::string name, Shape shape) {
  const auto size = static_cast<std::size_t>(base::element_count(shape));
  values_.push_back({std::move(name), std::move(shape), size_, size});
  size_ += size;
}

const ReadValue* Reads::scores() const {
  const auto it = std::find_if(values_.begin(), values_.end(),
                               [](const ReadValue& value) { return value.name.empty(); });
  return it == values_.end() ? nullptr : &*it;
}

const ReadValue& Reads::find(const std::string& name) const {
  std::string known;
  for (const auto& value : values_) {
    if (value.name == name) return value;
    known += (known.empty() ? "" : ", ") + (value.name.empty() ? "the scores" : value.name);
  }
  refuse((name.empty() ? "the target is of the scores"
                       : "the explainer was not prepared for targets on this value") +
             std::string(", and PrepareOptions::target_values names: ") + known,
         name);
}

Objective::Objective(const Target& target, const Reads& reads, const ClassAtRank& class_at,
                     Probability probability)
    : target_(target), probability_(probability) {
  if (const auto* sum = target.as<Target::Sum>()) {
    if (sum->terms.empty()) refuse("the target is a sum of nothing");
    for (const auto& term : sum->terms) {
      if (!std::isfinite(term.factor)) refuse("the target's factors are not all finite");
      const auto& read = reads.find(term.value);
      elements_.push_back(element_of(read, term.at));
      if (std::none_of(several_.begin(), several_.end(),
                       [&](const ReadValue& one) { return one.begin == read.begin; }))
        several_.push_back(read);
    }
  } else if (const auto* function = target.as<Target::Function>()) {
    if (!function->of || function->values.empty())
      refuse("the target's function is empty, or reads no value");
    for (const auto& name : function->values) {
      const auto& read = reads.find(name);
      for (const auto& before : several_)
        if (before.name == read.name) refuse("the target's function names a value twice", name);
      several_.push_back(read);
    }
  } else if (const auto* weights = target.as<Target::Weights>()) {
    read_ = reads.find(weights->value);
    check_factors(weights->factors, read_);
  } else if (const auto* similarity = target.as<Target::Similarity>()) {
    read_ = reads.find(similarity->value);
    check_factors(similarity->embedding, read_);
    if (norm_of(similarity->embedding) == 0) refuse("the embedding to compare with is all zeros");
  } else {
    read_ = reads.find({});
    if (const auto* ranked = target.as<Target::Ranked>()) {
      check_class(ranked->rank, read_.size, "rank ");
      class_ = class_at(ranked->rank);
    } else if (const auto* difference = target.as<Target::Difference>()) {
      check_class(difference->index, read_.size, "class ");
      check_class(difference->minus, read_.size, "class ");
    } else {
      const auto* one = target.as<Target::Class>();
      class_ = one != nullptr ? one->index : target.as<Target::Rest>()->index;
      check_class(class_, read_.size, "class ");
    }
  }
  if (target.probability && (class_ < 0 || target.as<Target::Rest>() != nullptr))
    refuse("only a class has a probability to be explained");
  if (probability == Probability::none &&
      (target.probability || target.as<Target::Rest>() != nullptr))
    refuse("these scores have no probabilities: they are made of a softmax's or sigmoid's values");
  if (target.probability && probability == Probability::softmax && read_.size == 1)
    refuse(
        "a single score without a sigmoid has no probability to be explained; explain the score");
}

std::vector<ReadValue> Objective::values() const {
  auto out = several_.empty() ? std::vector{read_} : several_;
  std::sort(out.begin(), out.end(),
            [](const ReadValue& a, const ReadValue& b) { return a.begin < b.begin; });
  return out;
}

double Objective::value(std::span<const float> row) const {
  const double out = std::visit(Value{row, row.subspan(read_.begin, read_.size), several_,
                                      elements_, class_, target_.probability, probability_},
                                target_.of);
  return target_.negated ? -out : out;
}

void Objective::gradient(std::span<const float> row, std::span<float> out) const {
  std::fill(out.begin(), out.end(), 0.f);
  std::visit(Slope{{row, row.subspan(read_.begin, read_.size), several_, elements_, class_,
                    target_.probability, probability_},
                   read_,
                   target_.negated ? -1.0 : 1.0,
                   out},
             target_.of);
}

}  // namespace fovea::explain
