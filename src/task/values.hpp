#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fovea/decode.hpp"
#include "fovea/origins.hpp"

/// Numbers of outputs, and targets made of them.
namespace fovea::task {

/// Throws Error invalid_argument where the task says something else.
void require_kind(const Task& task, TaskKind kind, const char* what);

/// The output. Throws Error invalid_argument where it is missing, or its data do not fit its shape.
const Tensor& output_of(const Outputs& outputs, const std::string& name);

/// An output as rows of numbers.
struct Table {
  std::string name;
  const Tensor* tensor = nullptr;
  std::int64_t rows = 0, columns = 0;
  std::int64_t row_step = 0, column_step = 0;

  std::int64_t place(std::int64_t row, std::int64_t column) const {
    return row * row_step + column * column_step;
  }
  double at(std::int64_t row, std::int64_t column) const {
    return tensor->data[static_cast<std::size_t>(place(row, column))];
  }
};
/// `turned`: numbers come before rows. Throws Error invalid_argument for other extents.
Table table_of(const Outputs& outputs, const std::string& name, bool turned = false);

/// Where elements come from; without `logits` they are the output's own.
Origins origins_of(const Outputs& outputs, const std::string& name,
                   std::span<const std::int64_t> at, const FindLogits& logits);

/// Elements `first` to `first` + `count`.
Origins part_of(const Origins& origins, std::size_t first, std::size_t count);

/// sum_i factors[i] element[i].
Target sum_of(const Origins& origins, std::span<const double> factors);
/// The element, and nothing else.
Target element_of(const Origins& origins, std::size_t element = 0);

/// A function of numbers and its slopes; `slopes` may be empty, else it is zeros.
using OfNumbers = std::function<double(std::span<const double> numbers, std::span<double> slopes)>;
/// The function of the elements.
Target function_of(const Origins& origins, OfNumbers of);

/// Are the numbers probabilities that add up to one?
bool is_distribution(std::span<const double> numbers);
/// log softmax; of probabilities their logarithm.
std::vector<double> log_probabilities(std::span<const double> numbers, bool are_probabilities);

/// The only value of a role. Throws as `only`.
const std::string& value_name(const Task& task, OutputRole role);

}  // namespace fovea::task
