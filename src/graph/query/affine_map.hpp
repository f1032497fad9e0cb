#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "graph/query.hpp"

namespace fovea::graph::detail {

/// logits = matrix (scale * u) + bias for the vector u reached so far, going back.
class AffineMap {
 public:
  explicit AffineMap(std::int64_t classes)
      : classes_(size(classes)), bias_(classes_, 0.0), scale_(classes_, 1.0) {}

  /// u = factor * t + offset, element by element.
  void prepend(const std::vector<double>& factor, const std::vector<double>& offset) {
    add_to_bias(offset);
    for (std::size_t k = 0; k < scale_.size(); ++k) scale_[k] *= factor[k];
  }

  void scale_all(double factor) {
    for (auto& s : scale_) s *= factor;
  }

  /// u = factor m t + offset, m being [length of u, columns], or its transpose. False where there
  /// was a matrix already.
  bool prepend_matrix(Constant m, std::int64_t columns, bool is_transposed, double factor,
                      const std::vector<double>& offset) {
    if (matrix_) return false;
    add_to_bias(offset);
    matrix_ = std::move(m);
    is_transposed_ = is_transposed;
    factor_ = factor;
    row_scale_ = std::exchange(scale_, std::vector<double>(size(columns), 1.0));
    return true;
  }

  PoolLinearHead finish(ValueId feature_map) {
    load();
    PoolLinearHead head;
    head.feature_map = feature_map;
    head.classes = static_cast<std::int64_t>(classes_);
    head.channels = static_cast<std::int64_t>(scale_.size());
    if (matrix_ && !is_transposed_ && factor_ == 1 && all(row_scale_, 1) && all(scale_, 1))
      head.weights = values_;  // as they lie, where others may read them too
    else if (matrix_ || !all(scale_, 1))
      head.weights = Constant::of_floats({head.classes, head.channels}, weights()).floats();
    if (!all(bias_, 0)) head.bias.assign(bias_.begin(), bias_.end());
    return head;
  }

  std::size_t length() const { return scale_.size(); }

 private:
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
  static bool all(const std::vector<double>& values, double value) {
    return std::all_of(values.begin(), values.end(), [value](double v) { return v == value; });
  }

  /// A search that finds no head never reads the matrix.
  void load() {
    if (matrix_ && values_.empty()) values_ = matrix_->floats();
  }

  /// Of matrix scale.
  double element(std::size_t j, std::size_t k) const {
    if (!matrix_) return j == k ? scale_[k] : 0.0;
    const auto at = is_transposed_ ? k * classes_ + j : j * scale_.size() + k;
    return row_scale_[j] * (factor_ * values_[at]) * scale_[k];
  }

  std::vector<float> weights() const {
    std::vector<float> out;
    out.reserve(classes_ * scale_.size());
    for (std::size_t j = 0; j < classes_; ++j)
      for (std::size_t k = 0; k < scale_.size(); ++k)
        out.push_back(static_cast<float>(element(j, k)));
    return out;
  }

  void add_to_bias(const std::vector<double>& offset) {
    if (all(offset, 0)) return;
    load();
    for (std::size_t j = 0; j < classes_; ++j) {
      if (!matrix_) {
        bias_[j] += scale_[j] * offset[j];
        continue;
      }
      for (std::size_t k = 0; k < scale_.size(); ++k) bias_[j] += element(j, k) * offset[k];
    }
  }

  std::size_t classes_;
  std::optional<Constant> matrix_;  ///< [classes, length] or its transpose, times the two below;
                                    ///< none: the identity
  Floats values_;                   ///< the matrix's, once loaded
  bool is_transposed_ = false;
  double factor_ = 1;
  std::vector<double> row_scale_;  ///< [classes]
  std::vector<double> bias_;       ///< [classes]
  std::vector<double> scale_;      ///< [length]
};

}  // namespace fovea::graph::detail
