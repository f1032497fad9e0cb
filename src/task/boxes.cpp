#include "task/boxes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "fovea/error.hpp"
#include "fovea/task_target.hpp"
#include "task/fill.hpp"
#include "task/values.hpp"

namespace fovea {
namespace task {
namespace {

using Form = BoxDecoding::Form;
using Scores = BoxDecoding::Scores;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// Corners, or centre, width and height, as corners in pixels.
std::array<double, 4> corners_of(const BoxDecoding& boxes, bool are_corners,
                                 std::array<double, 4> b) {
  if (!are_corners) b = {b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2};
  if (boxes.in_shares)
    for (std::size_t i = 0; i < 4; ++i)
      b[i] *= static_cast<double>(i % 2 == 0 ? boxes.width : boxes.height);
  return b;
}

/// A row of all values together.
struct Place {
  std::size_t value = 0;  ///< of the values with boxes
  std::int64_t row = 0;   ///< of that
  std::int64_t level = 0, cell_y = -1, cell_x = -1;
  double stride = 0;
};

/// The values of a detector that leaves the choice to others.
class Rows {
 public:
  Rows(const Task& task, const Outputs& outputs) : task_(task), boxes_(task.boxes) {
    front_ = boxes_.form == Form::distances ? 4 * boxes_.bins : 4;
    const bool in_one = task.outputs.contains(OutputRole::rows);
    const auto& names = task.outputs.find(in_one ? OutputRole::rows : OutputRole::boxes);
    if (names == task.outputs.end() || names->second.empty())
      ask("nothing says which value it reads", "outputs.rows");
    for (const auto& name : names->second)
      where_.push_back(table_of(outputs, name, boxes_.numbers_first));
    scores_ = where_;
    if (!in_one) {
      scores_.clear();
      const auto scores = task.outputs.find(OutputRole::scores);
      if (scores == task.outputs.end() || scores->second.size() != where_.size())
        ask("nothing says which values hold the scores of the boxes' rows", "outputs.scores");
      for (const auto& name : scores->second)
        scores_.push_back(table_of(outputs, name, boxes_.numbers_first));
    }
    first_ = in_one ? front_ : 0;
    // NanoDet's rows have their classes first, and YOLO's the box.
    if (in_one && boxes_.form == Form::distances) first_ = 0;
    objectness_ = first_;
    if (boxes_.objectness) ++first_;
    check();
  }

  std::int64_t count() const { return count_; }

  Place place(std::int64_t row) const {
    Place out;
    auto rest = row;
    while (rest >= where_[out.value].rows) rest -= where_[out.value++].rows;
    out.row = rest;
    rest = row;
    for (std::size_t level = 0; level < boxes_.strides.size(); ++level) {
      const auto stride = boxes_.strides[level];
      const auto width = grid_extent(boxes_, boxes_.width, stride);
      const auto cells = width * grid_extent(boxes_, boxes_.height, stride);
      if (rest < cells) {
        out.level = static_cast<std::int64_t>(level);
        out.cell_y = rest / width;
        out.cell_x = rest % width;
        out.stride = static_cast<double>(stride);
        break;
      }
      rest -= cells;
    }
    return out;
  }

  void set_box(const Place& at, Detection& out) const {
    const auto number = [&](std::int64_t column) { return where_[at.value].at(at.row, column); };
    std::array<double, 4> b{};
    if (boxes_.form == Form::distances) {
      const auto begin = task_.outputs.contains(OutputRole::rows) ? boxes_.classes : 0;
      for (std::size_t side = 0; side < 4; ++side)
        b[side] = distance(at, begin + static_cast<std::int64_t>(side) * boxes_.bins) * at.stride;
      const double x = (static_cast<double>(at.cell_x) + boxes_.cell_centre) * at.stride;
      const double y = (static_cast<double>(at.cell_y) + boxes_.cell_centre) * at.stride;
      b = {x - b[0], y - b[1], x + b[2], y + b[3]};
    } else {
      for (std::size_t i = 0; i < 4; ++i) b[i] = number(static_cast<std::int64_t>(i));
    }
    if (boxes_.form == Form::grid) {
      b[0] = (b[0] + static_cast<double>(at.cell_x)) * at.stride;
      b[1] = (b[1] + static_cast<double>(at.cell_y)) * at.stride;
      b[2] = std::exp(b[2]) * at.stride;
      b[3] = std::exp(b[3]) * at.stride;
    }
    const bool are_corners = boxes_.form == Form::corners || boxes_.form == Form::distances;
    b = corners_of(boxes_, are_corners, b);
    std::tie(out.x0, out.y0, out.x1, out.y1) = std::tuple(b[0], b[1], b[2], b[3]);
  }

  /// Of a column of scores.
  double score(const Place& at, std::int64_t column) const {
    double out = scores_[at.value].at(at.row, first_ + column);
    if (boxes_.scores == Scores::logits) out = sigmoid(out);
    if (boxes_.objectness) out *= objectness(at);
    return out;
  }

  std::int64_t columns() const { return boxes_.classes; }

  /// The targets of detections whose row and class are known: one look back for all of them.
  void set_targets(std::span<Detection> found, const Outputs& outputs,
                   const FindLogits& logits) const {
    for (std::size_t value = 0; value < scores_.size(); ++value) {
      std::vector<std::int64_t> places;
      std::vector<std::pair<Detection*, std::size_t>> begins;
      for (auto& one : found) {
        const auto at = place(one.row);
        if (at.value != value) continue;
        begins.emplace_back(&one, places.size());
        for (const auto column : columns_of(column_of(one.class_index)))
          places.push_back(scores_[value].place(at.row, column));
      }
      if (begins.empty()) continue;
      const auto origins = origins_of(outputs, scores_[value].name, places, logits);
      const auto each = places.size() / begins.size();
      for (const auto& [one, begin] : begins) {
        const auto own = part_of(origins, begin, each);
        const auto column = column_of(one->class_index);
        set_target(own, column, *one);
        const auto read = std::span(places).subspan(begin, each);
        set_score(are_as_said(own) ? own : origins_of(outputs, scores_[value].name, read, {}),
                  column, *one);
      }
    }
  }

  /// The background has no class where names leave it out.
  std::int64_t class_of(std::int64_t column) const {
    const bool skips = boxes_.background && !names_background() && column > *boxes_.background;
    return skips ? column - 1 : column;
  }
  std::int64_t column_of(std::int64_t class_index) const {
    const bool skips =
        boxes_.background && !names_background() && class_index >= *boxes_.background;
    return skips ? class_index + 1 : class_index;
  }

 private:
  void check() {
    for (std::size_t i = 0; i < where_.size(); ++i) {
      const auto width = task_.outputs.contains(OutputRole::rows)
                             ? front_ + (boxes_.objectness ? 1 : 0) + boxes_.classes
                             : front_;
      const auto wide = (boxes_.objectness ? 1 : 0) + boxes_.classes;
      const bool in_one = task_.outputs.contains(OutputRole::rows);
      if (where_[i].columns != width || (!in_one && scores_[i].columns != wide) ||
          scores_[i].rows != where_[i].rows)
        contradict("the value does not have the extents that the task was filled in for",
                   where_[i].name);
      count_ += where_[i].rows;
    }
    if (boxes_.strides.empty()) return;
    std::int64_t cells = 0;
    for (const auto stride : boxes_.strides) {
      if (stride < 1) contradict("the task's 'boxes.strides' must be positive");
      cells +=
          grid_extent(boxes_, boxes_.width, stride) * grid_extent(boxes_, boxes_.height, stride);
    }
    if (cells != count_)
      contradict("the task's strides make " + std::to_string(cells) + " cells, and there are " +
                 std::to_string(count_) + " rows");
  }

  double objectness(const Place& at) const {
    const double out = scores_[at.value].at(at.row, objectness_);
    return boxes_.scores == Scores::logits ? sigmoid(out) : out;
  }

  /// The mean bin of a softmax over bins.
  double distance(const Place& at, std::int64_t begin) const {
    double largest = -std::numeric_limits<double>::infinity(), sum = 0, mean = 0;
    for (std::int64_t i = 0; i < boxes_.bins; ++i)
      largest = std::max(largest, where_[at.value].at(at.row, begin + i));
    for (std::int64_t i = 0; i < boxes_.bins; ++i) {
      const double p = std::exp(where_[at.value].at(at.row, begin + i) - largest);
      sum += p;
      mean += p * static_cast<double>(i);
    }
    return mean / sum;
  }

  bool names_background() const {
    return static_cast<std::int64_t>(task_.names.size()) == boxes_.classes;
  }

  /// What a score is made of: all of a softmax, else the class' number and the objectness.
  std::vector<std::int64_t> columns_of(std::int64_t column) const {
    std::vector<std::int64_t> out;
    if (boxes_.scores == Scores::softmax) {
      for (std::int64_t c = 0; c < boxes_.classes; ++c) out.push_back(first_ + c);
      return out;
    }
    out.push_back(first_ + column);
    if (boxes_.objectness) out.push_back(objectness_);
    return out;
  }

  /// Did the file come to its numbers as the task says? Else a score is made of these as they are.
  bool are_as_said(const Origins& origins) const {
    return std::all_of(origins.elements.begin(), origins.elements.end(), [&](const auto& element) {
      switch (boxes_.scores) {
        case Scores::softmax:
          return element.through == Through::softmax;
        case Scores::probabilities:
          return element.through != Through::softmax;
        case Scores::logits:
          break;
      }
      return element.through == Through::nothing;
    });
  }

  void set_target(const Origins& origins, std::int64_t column, Detection& out) const {
    const auto own = boxes_.scores == Scores::softmax ? static_cast<std::size_t>(column) : 0;
    out.value = origins.values[origins.elements[own].value].name;
    out.target = element_of(origins, own);
    const bool of_softmax =
        boxes_.scores == Scores::softmax && origins.elements[own].through == Through::softmax;
    if (!of_softmax || !boxes_.background) return;
    std::vector<Target::Sum::Term> terms;
    for (const auto& [c, factor] : {std::pair{column, 1.0}, {*boxes_.background, -1.0}}) {
      const auto i = static_cast<std::size_t>(c);
      terms.push_back({origins.values[origins.elements[i].value].name, origins.index(i), factor});
    }
    out.target = Target::sum(std::move(terms));
  }

  void set_score(const Origins& origins, std::int64_t column, Detection& out) const {
    if (boxes_.scores != Scores::softmax)
      out.score_target = product_of(origins);
    else if (are_as_said(origins))
      out.score_target = probability_of(origins, static_cast<std::size_t>(column));
    else
      out.score_target = element_of(origins, static_cast<std::size_t>(column));
  }

  static Target probability_of(const Origins& origins, std::size_t own) {
    return function_of(origins, [own](std::span<const double> numbers, std::span<double> slopes) {
      const auto logs = log_probabilities(numbers, false);
      const double p = std::exp(logs[own]);
      // 1 - p as the others' sum, of which much is left where p is close to 1.
      double others = 0;
      for (std::size_t i = 0; i < logs.size(); ++i) others += i == own ? 0 : std::exp(logs[i]);
      for (std::size_t i = 0; i < slopes.size(); ++i)
        slopes[i] = p * (i == own ? others : -std::exp(logs[i]));
      return p;
    });
  }

  Target product_of(const Origins& origins) const {
    std::vector<bool> curved;
    for (const auto& element : origins.elements)
      curved.push_back(element.through == Through::sigmoid || boxes_.scores == Scores::logits);
    return function_of(origins,
                       [curved](std::span<const double> numbers, std::span<double> slopes) {
                         const auto factor = [&](std::size_t i) {
                           return curved[i] ? sigmoid(numbers[i]) : numbers[i];
                         };
                         double product = 1;
                         for (std::size_t i = 0; i < numbers.size(); ++i) product *= factor(i);
                         for (std::size_t i = 0; i < slopes.size(); ++i) {
                           slopes[i] = curved[i] ? sigmoid(numbers[i]) * sigmoid(-numbers[i]) : 1;
                           for (std::size_t j = 0; j < numbers.size(); ++j)
                             if (j != i) slopes[i] *= factor(j);
                         }
                         return product;
                       });
  }

  const Task& task_;
  const BoxDecoding& boxes_;
  std::vector<Table> where_, scores_;
  std::int64_t front_ = 4, first_ = 0, objectness_ = 0, count_ = 0;
};

bool is_finite(const Detection& d) {
  return std::isfinite(d.x0) && std::isfinite(d.y0) && std::isfinite(d.x1) && std::isfinite(d.y1) &&
         std::isfinite(d.score);
}

void sort_best_first(std::vector<Detection>& found) {
  std::stable_sort(found.begin(), found.end(), [](const Detection& a, const Detection& b) {
    return a.score != b.score ? a.score > b.score : a.row < b.row;
  });
}

void keep_most(std::vector<Detection>& found, std::int64_t most) {
  if (static_cast<std::int64_t>(found.size()) > most)
    found.resize(static_cast<std::size_t>(std::max<std::int64_t>(most, 0)));
}

/// A label as the file wrote it: what no class can be is none of the names.
std::int64_t class_of_label(const Task& task, double label) {
  constexpr double kLargest = 1 << 24;
  return std::abs(label) <= kLargest ? static_cast<std::int64_t>(label) - task.boxes.first_label
                                     : -1;
}

/// Chosen by the file.
std::vector<Detection> selected(const Task& task, const Outputs& outputs,
                                const FindLogits& logits) {
  std::vector<Detection> out;
  const auto add = [&](Detection found, const std::string& value, std::int64_t place) {
    const auto b = corners_of(task.boxes, task.boxes.form == Form::corners,
                              {found.x0, found.y0, found.x1, found.y1});
    std::tie(found.x0, found.y0, found.x1, found.y1) = std::tuple(b[0], b[1], b[2], b[3]);
    if (!is_finite(found) || found.score < task.boxes.threshold) return;
    const std::array<std::int64_t, 1> at{place};
    const auto origins = origins_of(outputs, value, at, logits);
    found.target = element_of(origins);
    found.value = origins.values.front().name;
    // The file's own element, whatever made it.
    found.score_target = element_of(origins_of(outputs, value, at, {}));
    out.push_back(std::move(found));
  };
  if (task.outputs.contains(OutputRole::rows)) {
    const auto table = table_of(outputs, value_name(task, OutputRole::rows));
    if (table.columns != 6)
      contradict(
          "a row of a detector that chooses itself is x0, y0, x1, y1, score and class, and "
          "this value has " +
              std::to_string(table.columns) + " numbers in a row",
          table.name);
    for (std::int64_t r = 0; r < table.rows; ++r)
      add({.x0 = table.at(r, 0),
           .y0 = table.at(r, 1),
           .x1 = table.at(r, 2),
           .y1 = table.at(r, 3),
           .class_index = class_of_label(task, table.at(r, 5)),
           .score = table.at(r, 4),
           .row = r},
          table.name, table.place(r, 4));
  } else {
    const auto& box_name = value_name(task, OutputRole::boxes);
    const auto& boxes = output_of(outputs, box_name);
    const auto& score_name = value_name(task, OutputRole::scores);
    const auto& scores = output_of(outputs, score_name);
    const auto& labels = output_of(outputs, value_name(task, OutputRole::labels));
    if (boxes.data.size() != 4 * scores.data.size() || labels.data.size() != scores.data.size())
      contradict("the chosen boxes have " + std::to_string(boxes.data.size()) + " numbers, " +
                     std::to_string(scores.data.size()) + " scores and " +
                     std::to_string(labels.data.size()) + " labels",
                 box_name);
    for (std::size_t r = 0; r < scores.data.size(); ++r)
      add({.x0 = boxes.data[4 * r],
           .y0 = boxes.data[4 * r + 1],
           .x1 = boxes.data[4 * r + 2],
           .y1 = boxes.data[4 * r + 3],
           .class_index = class_of_label(task, labels.data[r]),
           .score = scores.data[r],
           .row = static_cast<std::int64_t>(r)},
          score_name, static_cast<std::int64_t>(r));
  }
  sort_best_first(out);
  keep_most(out, task.boxes.most);
  return out;
}

}  // namespace

std::int64_t grid_extent(const BoxDecoding& boxes, std::int64_t extent, std::int64_t stride) {
  const bool begun = boxes.form == Form::distances && extent % stride != 0;
  return extent / stride + (begun ? 1 : 0);
}

void suppress(std::vector<Detection>& found, double overlap, std::int64_t most) {
  std::vector<Detection> kept;
  for (auto& one : found) {
    if (static_cast<std::int64_t>(kept.size()) >= most) break;
    const bool hidden = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return better.class_index == one.class_index && overlap_of(better, one) > overlap;
    });
    if (!hidden) kept.push_back(std::move(one));
  }
  found = std::move(kept);
}

}  // namespace task

double overlap_of(const Detection& a, const Detection& b) {
  const auto area = [](const Detection& d) {
    return std::max(d.x1 - d.x0, 0.0) * std::max(d.y1 - d.y0, 0.0);
  };
  const double width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const double height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (!(width > 0) || !(height > 0)) return 0;
  const double both = width * height;
  return both / (area(a) + area(b) - both);
}

std::vector<Detection> decode_boxes(const Task& task, const Outputs& outputs,
                                    const FindLogits& logits) {
  task::require_kind(task, TaskKind::boxes, "objects");
  if (task.boxes.selected) return task::selected(task, outputs, logits);
  const task::Rows rows(task, outputs);
  std::vector<Detection> found;
  for (std::int64_t r = 0; r < rows.count(); ++r) {
    const auto at = rows.place(r);
    std::int64_t best = -1;
    double score = 0;
    for (std::int64_t c = 0; c < rows.columns(); ++c) {
      if (task.boxes.background == c) continue;
      const double s = rows.score(at, c);
      if (!std::isnan(s) && (best < 0 || s > score)) {
        best = c;
        score = s;
      }
    }
    if (best < 0 || !(score >= task.boxes.threshold)) continue;
    Detection one;
    one.row = r;
    one.level = at.level;
    one.cell_y = at.cell_y;
    one.cell_x = at.cell_x;
    one.class_index = rows.class_of(best);
    one.score = score;
    rows.set_box(at, one);
    if (task::is_finite(one)) found.push_back(std::move(one));
  }
  task::sort_best_first(found);
  task::suppress(found, task.boxes.overlap, task.boxes.most);
  rows.set_targets(found, outputs, logits);
  return found;
}

Detection row_of(const Task& task, const Outputs& outputs, std::int64_t row,
                 std::int64_t class_index, const FindLogits& logits) {
  task::require_kind(task, TaskKind::boxes, "objects");
  if (task.boxes.selected) {
    auto all = task;
    all.boxes.threshold = -std::numeric_limits<double>::infinity();
    all.boxes.most = std::numeric_limits<std::int64_t>::max();
    for (auto& one : task::selected(all, outputs, logits))
      if (one.row == row) return one;
    task::contradict("the network chose no box " + std::to_string(row));
  }
  const task::Rows rows(task, outputs);
  const auto column = rows.column_of(class_index);
  if (row < 0 || row >= rows.count())
    task::contradict("row " + std::to_string(row) + " is out of range: there are " +
                     std::to_string(rows.count()));
  if (class_index < 0 || column >= rows.columns())
    task::contradict("class " + std::to_string(class_index) + " is out of range: there are " +
                     std::to_string(rows.columns()) + " columns of scores");
  const auto at = rows.place(row);
  Detection out;
  out.row = row;
  out.level = at.level;
  out.cell_y = at.cell_y;
  out.cell_x = at.cell_x;
  out.class_index = class_index;
  out.score = rows.score(at, column);
  rows.set_box(at, out);
  rows.set_targets({&out, 1}, outputs, logits);
  return out;
}

}  // namespace fovea
