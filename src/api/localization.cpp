#include "fovea/localization.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "base/checked.hpp"

namespace fovea {
namespace {

/// Connected pixels, of the rows read so far.
struct Component {
  std::int64_t pixels = 0;
  std::int64_t first = std::numeric_limits<std::int64_t>::max();  // index of the first pixel
  std::int64_t left = first, top = first, right = -1, bottom = -1;

  void take(const Component& other) {
    pixels += other.pixels;
    first = std::min(first, other.first);
    left = std::min(left, other.left);
    top = std::min(top, other.top);
    right = std::max(right, other.right);
    bottom = std::max(bottom, other.bottom);
  }

  bool better_than(const Component& other) const {
    return pixels != other.pixels ? pixels > other.pixels : first < other.first;
  }
};

/// Pixels [begin, end) of a row that are above the threshold.
struct Stretch {
  std::int64_t begin, end;
  std::size_t component;
};

/// Labels a map row by row, and forgets a component once the next row does not touch it: what is
/// kept grows with the width, not with the area.
class Labelling {
 public:
  Labelling(const Tensor& map, float threshold)
      : values_(map.data.data()), width_(map.shape[1]), threshold_(threshold) {}

  void read_row(std::int64_t y) {
    components_.clear();
    roots_.clear();
    // What the row above has keeps its numbers; further components get the next ones.
    for (std::size_t i = 0; i < open_.size(); ++i) add(open_[i]);
    find_stretches(y);
    for (auto& stretch : row_) {
      Component own{stretch.end - stretch.begin,
                    y * width_ + stretch.begin,
                    stretch.begin,
                    y,
                    stretch.end - 1,
                    y};
      stretch.component = add(own);
    }
    connect();
    close_row();
  }

  Component best() {
    for (const auto& component : open_) consider(component);
    open_.clear();
    return best_;
  }

 private:
  std::size_t add(const Component& component) {
    components_.push_back(component);
    roots_.push_back(roots_.size());
    return roots_.size() - 1;
  }

  std::size_t root(std::size_t i) {
    while (roots_[i] != i) i = roots_[i] = roots_[roots_[i]];
    return i;
  }

  void find_stretches(std::int64_t y) {
    const float* row = values_ + y * width_;
    row_.clear();
    for (std::int64_t x = 0; x < width_; ++x) {
      if (!(row[x] > threshold_) || !std::isfinite(row[x])) continue;
      if (!row_.empty() && row_.back().end == x)
        ++row_.back().end;
      else
        row_.push_back({x, x + 1, 0});
    }
  }

  // Two stretches touch, corners included, where neither ends before the other begins.
  void connect() {
    std::size_t first = 0;
    for (const auto& stretch : row_) {
      while (first < above_.size() && above_[first].end < stretch.begin) ++first;
      for (std::size_t i = first; i < above_.size() && above_[i].begin <= stretch.end; ++i) {
        const auto a = root(above_[i].component), b = root(stretch.component);
        if (a == b) continue;
        components_[a].take(components_[b]);
        roots_[b] = a;
      }
    }
  }

  void close_row() {
    constexpr auto kNone = std::numeric_limits<std::size_t>::max();
    number_.assign(components_.size(), kNone);
    open_.clear();
    for (auto& stretch : row_) {
      const auto from = root(stretch.component);
      if (number_[from] == kNone) {
        number_[from] = open_.size();
        open_.push_back(components_[from]);
      }
      stretch.component = number_[from];
    }
    for (std::size_t i = 0; i < components_.size(); ++i)
      if (roots_[i] == i && number_[i] == kNone) consider(components_[i]);
    above_.swap(row_);
  }

  void consider(const Component& component) {
    if (component.better_than(best_)) best_ = component;
  }

  const float* values_;
  std::int64_t width_;
  float threshold_;
  std::vector<Component> open_;        // that the last row touches
  std::vector<Stretch> above_, row_;   // of the last row and of this one
  std::vector<Component> components_;  // of both, joined at their roots
  std::vector<std::size_t> roots_, number_;
  Component best_;
};

void check(const Tensor& map, float share) {
  if (!(share >= 0 && share < 1))
    throw Error(ErrorCode::invalid_argument, "the share of the maximum must be from 0 to below 1");
  if (map.shape.size() != 2 || static_cast<std::int64_t>(map.data.size()) !=
                                   base::element_count(map.shape, ErrorCode::invalid_argument))
    throw Error(
        ErrorCode::invalid_argument,
        "a map to find a box in must have two extents [h, w] and as many values as they say");
}

}  // namespace

std::optional<Box> find_box(const Tensor& map, float share) {
  check(map, share);
  float largest = 0;
  for (const auto value : map.data)
    if (value > largest && std::isfinite(value)) largest = value;
  if (largest <= 0) return std::nullopt;
  try {
    // A share of a tiny maximum may round up to it; something must be above.
    const float below = std::nextafter(largest, 0.0F);
    Labelling labelling(map, std::min(share * largest, below));
    for (std::int64_t y = 0; y < map.shape[0]; ++y) labelling.read_row(y);
    const auto found = labelling.best();
    return Box{found.left, found.top, found.right - found.left + 1, found.bottom - found.top + 1};
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory to find a box");
  }
}

}  // namespace fovea
