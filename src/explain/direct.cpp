#include "explain/direct.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace fovea::explain {
namespace {

struct Rectangle {
  Point centre;
  double value;
  std::vector<int> cuts;  ///< per dimension, how often it was cut into three
};

/// Half the diagonal.
double size_of(const Rectangle& r) {
  double sum = 0;
  for (const int cut : r.cuts) sum += std::pow(9.0, -cut);
  return std::sqrt(sum) / 2;
}

/// All of one size together; the sum of cuts says it, for no two dimensions' differ by more than 1.
int level_of(const Rectangle& r) {
  int out = 0;
  for (const int cut : r.cuts) out += cut;
  return out;
}

class Search {
 public:
  using Function = std::function<std::vector<double>(std::span<const Point>)>;
  Search(std::size_t dimensions, std::size_t evaluations, double epsilon, const Function& function)
      : evaluations_(evaluations), epsilon_(epsilon), function_(function) {
    Rectangle whole{Point(dimensions, 0.5), 0, std::vector<int>(dimensions, 0)};
    if (!evaluate({whole.centre})) return;
    whole.value = seen_.back().value;
    insert(std::move(whole));
    while (divide(chosen())) {
    }
  }
  std::vector<Evaluation> seen() && { return std::move(seen_); }

 private:
  /// False once there are enough: what is beyond is left out.
  bool evaluate(std::vector<Point> points) {
    const auto left = evaluations_ - seen_.size();
    const bool more = points.size() < left;
    if (!more) points.resize(left);
    const auto values = points.empty() ? std::vector<double>{} : function_(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      seen_.push_back({std::move(points[i]), values[i]});
      least_ = std::min(least_, values[i]);
    }
    return more;
  }

  void insert(Rectangle r) {
    auto& list = levels_[level_of(r)];
    const auto at =
        std::upper_bound(list.begin(), list.end(), r,
                         [](const Rectangle& a, const Rectangle& b) { return a.value < b.value; });
    list.insert(at, std::move(r));
  }

  /// Those to be divided, largest first, then their equals; taken out of the lists.
  std::vector<Rectangle> chosen() {
    struct Candidate {
      int level;
      double size, value;
      bool kept;
    };
    std::vector<Candidate> best;
    for (const auto& [level, list] : levels_)
      if (!list.empty()) best.push_back({level, size_of(list.front()), list.front().value, true});
    for (std::size_t j = best.size(); j-- > 0;) {
      double above = std::numeric_limits<double>::infinity(), below = 0;
      for (std::size_t i = 0; i < best.size(); ++i) {
        if (i == j || !best[i].kept) continue;
        const double slope = (best[i].value - best[j].value) / (best[i].size - best[j].size);
        if (slope <= 0) best[j].kept = false;
        (i < j ? above : below) = i < j ? std::min(above, slope) : std::max(below, slope);
      }
      const double bound = least_ - epsilon_ * std::abs(least_);
      if (below <= above && best[j].value - above * best[j].size > bound) best[j].kept = false;
    }
    std::vector<Rectangle> out, equals;
    for (const auto& candidate : best) {
      if (!candidate.kept) continue;
      auto& list = levels_[candidate.level];
      const auto end = std::find_if(list.begin() + 1, list.end(), [&](const Rectangle& r) {
        return r.value - candidate.value > 1e-13;
      });
      out.push_back(std::move(list.front()));
      std::move(list.begin() + 1, end, std::back_inserter(equals));
      list.erase(list.begin(), end);
    }
    std::move(equals.begin(), equals.end(), std::back_inserter(out));
    return out;
  }

  static std::vector<std::size_t> longest_sides(const Rectangle& r) {
    const int least = *std::min_element(r.cuts.begin(), r.cuts.end());
    std::vector<std::size_t> out;
    for (std::size_t d = 0; d < r.cuts.size(); ++d)
      if (r.cuts[d] == least) out.push_back(d);
    return out;
  }

  /// Cuts each into thirds along its longest sides, those first whose new centres are best.
  bool divide(std::vector<Rectangle> all) {
    std::vector<Point> points;
    for (const auto& r : all)
      for (const auto d : longest_sides(r))
        for (const double sign : {1.0, -1.0}) {
          points.push_back(r.centre);
          points.back()[d] += sign * std::pow(3.0, -r.cuts[d] - 1);
        }
    auto next = seen_.size();
    if (points.empty() || !evaluate(points)) return false;
    for (auto& r : all) {
      struct Side {
        std::size_t dimension, first;  ///< index of the first of its two new points
        double best;
      };
      std::vector<Side> sides;
      for (const auto d : longest_sides(r)) {
        sides.push_back({d, next, std::min(seen_[next].value, seen_[next + 1].value)});
        next += 2;
      }
      auto order = sides;
      std::stable_sort(order.begin(), order.end(),
                       [](const Side& a, const Side& b) { return a.best < b.best; });
      std::map<std::size_t, std::vector<int>> cuts;  // by dimension, of its two rectangles
      for (const auto& side : order) {
        ++r.cuts[side.dimension];
        cuts[side.dimension] = r.cuts;
      }
      for (const auto& side : sides)
        for (const auto i : {side.first, side.first + 1})
          insert({seen_[i].at, seen_[i].value, cuts[side.dimension]});
      insert(std::move(r));
    }
    return true;
  }

  std::size_t evaluations_;
  double epsilon_;
  const Function& function_;
  std::vector<Evaluation> seen_;
  double least_ = std::numeric_limits<double>::infinity();
  std::map<int, std::vector<Rectangle>> levels_;  ///< each by value, the least first
};

}  // namespace

std::vector<Evaluation> direct_search(
    std::size_t dimensions, std::size_t evaluations, double epsilon,
    const std::function<std::vector<double>(std::span<const Point>)>& function) {
  return Search(dimensions, evaluations, epsilon, function).seen();
}

}  // namespace fovea::explain
