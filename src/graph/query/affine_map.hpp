#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "graph/query.hpp"

namespace fovea::graph::detail {

/// logits = matrix (scale * u) + bias for the vector u reached so far, walking back.
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

  /// u = m t + offset, m being [length of u, columns] as element(j, k). False where there was a
  /// matrix already.
  template <class Element>
  bool prepend_matrix(std::int64_t columns, Element element, const std::vector<double>& offset) {
    if (!matrix_.empty()) return false;
    add_to_bias(offset);
    const auto k_end = size(columns);
    matrix_.resize(classes_ * k_end);
    for (std::size_t j = 0; j < classes_; ++j)
      for (std::size_t k = 0; k < k_end; ++k)
        matrix_[j * k_end + k] = scale_[j] * static_cast<double>(element(j, k));
    scale_.assign(k_end, 1.0);
    return true;
  }

  PoolLinearHead finish(ValueId feature_map) const {
    PoolLinearHead head;
    head.feature_map = feature_map;
    head.classes = static_cast<std::int64_t>(classes_);
    head.channels = static_cast<std::int64_t>(scale_.size());
    const bool scaled = std::any_of(scale_.begin(), scale_.end(), [](double s) { return s != 1; });
    if (!matrix_.empty() || scaled) {
      head.weights.assign(classes_ * scale_.size(), 0.0f);
      for (std::size_t j = 0; j < classes_; ++j)
        for (std::size_t k = 0; k < scale_.size(); ++k) {
          const double m = matrix_.empty() ? (j == k ? 1.0 : 0.0) : matrix_[j * scale_.size() + k];
          head.weights[j * scale_.size() + k] = static_cast<float>(m * scale_[k]);
        }
    }
    if (std::any_of(bias_.begin(), bias_.end(), [](double b) { return b != 0; }))
      head.bias.assign(bias_.begin(), bias_.end());
    return head;
  }

  std::size_t length() const { return scale_.size(); }

 private:
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

  void add_to_bias(const std::vector<double>& offset) {
    for (std::size_t j = 0; j < classes_; ++j) {
      if (matrix_.empty()) {
        bias_[j] += scale_[j] * offset[j];
        continue;
      }
      for (std::size_t k = 0; k < scale_.size(); ++k)
        bias_[j] += matrix_[j * scale_.size() + k] * scale_[k] * offset[k];
    }
  }

  std::size_t classes_;
  std::vector<double> matrix_;  ///< [classes, length]; empty: the identity
  std::vector<double> bias_;    ///< [classes]
  std::vector<double> scale_;   ///< [length]
};

}  // namespace fovea::graph::detail
