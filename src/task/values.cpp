#include "task/values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "fovea/error.hpp"
#include "task/fill.hpp"

namespace fovea::task {
namespace {

[[noreturn]] void refuse(const std::string& sentence, const std::string& value = {}) {
  throw Error(ErrorCode::invalid_argument, sentence, {"", value, ""});
}

}  // namespace

void require_kind(const Task& task, TaskKind kind, const char* what) {
  if (task.kind != kind)
    refuse("the task '" + task.decoder + "' says nothing about " + std::string(what));
}

const Tensor& output_of(const Outputs& outputs, const std::string& name) {
  const auto it = outputs.find(name);
  if (it == outputs.end()) refuse("the task reads a value that was not given", name);
  const auto& tensor = it->second;
  if (base::element_count(tensor.shape, ErrorCode::invalid_argument) !=
      static_cast<std::int64_t>(tensor.data.size()))
    refuse("the value has " + std::to_string(tensor.data.size()) + " numbers for its shape " +
               base::text(tensor.shape),
           name);
  return tensor;
}

Table table_of(const Outputs& outputs, const std::string& name, bool turned) {
  const auto& tensor = output_of(outputs, name);
  const auto shape = without_ones(tensor.shape, 2);
  if (shape.size() != 2)
    refuse("the task reads rows of numbers of one image, and this value is " +
               base::text(tensor.shape),
           name);
  Table out{name, &tensor, shape[0], shape[1], shape[1], 1};
  if (turned) {
    std::swap(out.rows, out.columns);
    std::swap(out.row_step, out.column_step);
  }
  return out;
}

Origins origins_of(const Outputs& outputs, const std::string& name,
                   std::span<const std::int64_t> at, const FindLogits& logits) {
  if (logits) return logits(name, at);
  auto shape = output_of(outputs, name).shape;
  if (shape.size() > 1 && shape[0] == 1) shape.erase(shape.begin());
  Origins out;
  out.values.push_back({name, std::move(shape)});
  for (const auto place : at) out.elements.push_back({0, place, Through::nothing});
  return out;
}

Origins part_of(const Origins& origins, std::size_t first, std::size_t count) {
  Origins out;
  std::map<std::size_t, std::size_t> places;
  for (std::size_t i = first; i < first + count; ++i) {
    auto element = origins.elements[i];
    const auto [it, is_new] = places.emplace(element.value, out.values.size());
    if (is_new) out.values.push_back(origins.values[element.value]);
    element.value = it->second;
    out.elements.push_back(element);
  }
  return out;
}

Target element_of(const Origins& origins, std::size_t element) {
  return Target::element(origins.values[origins.elements[element].value].name,
                         origins.index(element));
}

Target sum_of(const Origins& origins, std::span<const double> factors) {
  constexpr std::size_t kFewTerms = 64;
  if (origins.values.size() == 1 && origins.elements.size() > kFewTerms) {
    const auto& value = origins.values.front();
    std::vector<double> sums(static_cast<std::size_t>(base::element_count(value.shape)), 0.0);
    for (std::size_t i = 0; i < factors.size(); ++i)
      sums[static_cast<std::size_t>(origins.elements[i].at)] += factors[i];
    return Target::weighted({sums.begin(), sums.end()}, value.name);
  }
  std::vector<Target::Sum::Term> terms;
  for (std::size_t i = 0; i < factors.size(); ++i)
    terms.push_back({origins.values[origins.elements[i].value].name, origins.index(i), factors[i]});
  return Target::sum(std::move(terms));
}

Target function_of(const Origins& origins, OfNumbers of) {
  Target::Function function;
  for (const auto& value : origins.values) function.values.push_back(value.name);
  const auto elements = std::make_shared<const std::vector<Origins::Element>>(origins.elements);
  function.of = [elements, of = std::move(of)](std::span<const ImageValue> values,
                                               std::span<const std::span<float>> gradients) {
    std::vector<double> numbers, slopes;
    for (const auto& element : *elements)
      numbers.push_back(values[element.value].data[static_cast<std::size_t>(element.at)]);
    if (!gradients.empty()) slopes.resize(numbers.size(), 0.0);
    const double out = of(numbers, slopes);
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      const auto& element = (*elements)[i];
      gradients[element.value][static_cast<std::size_t>(element.at)] +=
          static_cast<float>(slopes[i]);
    }
    return out;
  };
  return {std::move(function)};
}

bool is_distribution(std::span<const double> numbers) {
  // f16's rounding of each of a few thousand.
  constexpr double kNearOne = 2e-2;
  double sum = 0;
  for (const double p : numbers) {
    if (!(p >= 0 && p <= 1 + kNearOne)) return false;
    sum += p;
  }
  return std::abs(sum - 1) <= kNearOne;
}

std::vector<double> log_probabilities(std::span<const double> numbers, bool are_probabilities) {
  std::vector<double> out(numbers.begin(), numbers.end());
  if (are_probabilities) {
    for (auto& p : out) p = std::log(std::max(p, std::numeric_limits<double>::min()));
    return out;
  }
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  for (const double x : out) largest = std::max(largest, x);
  for (const double x : out) sum += std::exp(x - largest);
  for (auto& x : out) x -= largest + std::log(sum);
  return out;
}

const std::string& value_name(const Task& task, OutputRole role) {
  return only(task, role);
}

}  // namespace fovea::task
