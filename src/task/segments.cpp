#include <algorithm>
#include <cmath>
#include <map>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "fovea/error.hpp"
#include "fovea/task_target.hpp"
#include "task/fill.hpp"
#include "task/values.hpp"

namespace fovea {
namespace task {
namespace {

/// An output as classes at positions.
struct Map {
  std::string name;
  const Tensor* tensor = nullptr;
  Shape extents;  ///< of the positions
  std::int64_t positions = 0, classes = 0, class_step = 0, position_step = 0;

  std::int64_t place(std::int64_t position, std::int64_t c) const {
    return position * position_step + c * class_step;
  }
  double at(std::int64_t position, std::int64_t c) const {
    return tensor->data[static_cast<std::size_t>(place(position, c))];
  }
};

Map map_of(const Task& task, const Outputs& outputs) {
  require_kind(task, TaskKind::segments, "segments");
  Map out;
  out.name = value_name(task, OutputRole::scores);
  out.tensor = &output_of(outputs, out.name);
  const auto& shape = out.tensor->shape;
  if (!task.segments.channels_last)
    ask("nothing says whether classes come first or last", "segments.channels_last");
  if ((shape.size() != 4 && shape.size() != 5) || shape[0] != 1)
    contradict("the task reads classes at the positions of one image, and this value is " +
                   base::text(shape),
               out.name);
  out.extents = shape;
  out.extents.erase(out.extents.begin());
  const auto axis = *task.segments.channels_last ? out.extents.end() - 1 : out.extents.begin();
  out.classes = *axis;
  out.extents.erase(axis);
  out.positions = base::element_count(out.extents);
  out.class_step = *task.segments.channels_last ? 1 : out.positions;
  out.position_step = *task.segments.channels_last ? out.classes : 1;
  return out;
}

/// The column of a class, and the sign of its score: a map of one channel has two classes.
std::pair<std::int64_t, double> column_of(const Map& map, std::int64_t class_index) {
  const auto classes = map.classes == 1 ? 2 : map.classes;
  if (class_index < 0 || class_index >= classes)
    contradict("class " + std::to_string(class_index) + " is out of range: there are " +
                   std::to_string(classes),
               map.name);
  if (map.classes > 1) return {class_index, 1.0};
  return {0, class_index == 1 ? 1.0 : -1.0};
}

Target target_of(const Map& map, const Outputs& outputs, const FindLogits& logits,
                 std::span<const std::int64_t> positions, std::vector<double> factors,
                 std::int64_t class_index) {
  const auto [column, sign] = column_of(map, class_index);
  std::vector<std::int64_t> places;
  for (const auto position : positions) places.push_back(map.place(position, column));
  for (auto& factor : factors) factor *= sign;
  return sum_of(origins_of(outputs, map.name, places, logits), factors);
}

/// The position of one grid that a position of another lies in.
std::int64_t nearest(std::int64_t at, std::int64_t from, std::int64_t to) {
  return std::min(((2 * at + 1) * to) / (2 * from), to - 1);
}

/// Of the numbers of a channel by itself.
double threshold_of(const Task& task, const Map& map) {
  const double p = task.segments.threshold;
  if (!(p > 0 && p < 1)) contradict("the task's 'segments.threshold' must lie between 0 and 1");
  if (task.segments.logits) return std::log(p / (1 - p));
  for (const float v : map.tensor->data)
    if (v < 0 || v > 1)
      ask("the map's numbers are no probabilities, and nothing says that they are logits",
          "segments.logits");
  return p;
}

}  // namespace
}  // namespace task

Tensor class_map(const Task& task, const Outputs& outputs) {
  const auto map = task::map_of(task, outputs);
  Tensor out{map.extents, std::vector<float>(static_cast<std::size_t>(map.positions))};
  const double threshold = map.classes == 1 ? task::threshold_of(task, map) : 0.0;
  for (std::int64_t p = 0; p < map.positions; ++p) {
    std::int64_t best = 0;
    if (map.classes == 1)
      best = map.at(p, 0) > threshold ? 1 : 0;
    else
      for (std::int64_t c = 1; c < map.classes; ++c)
        if (map.at(p, c) > map.at(p, best)) best = c;
    out.data[static_cast<std::size_t>(p)] = static_cast<float>(best);
  }
  return out;
}

std::vector<Segment> decode_segments(const Task& task, const Outputs& outputs) {
  const auto classes = class_map(task, outputs);
  std::map<std::int64_t, std::int64_t> counts;
  for (const float c : classes.data) ++counts[static_cast<std::int64_t>(c)];
  std::vector<Segment> out;
  out.reserve(counts.size());
  for (const auto& [c, count] : counts)
    out.push_back(
        {c, count, static_cast<double>(count) / static_cast<double>(classes.data.size())});
  std::stable_sort(out.begin(), out.end(),
                   [](const Segment& a, const Segment& b) { return a.positions > b.positions; });
  return out;
}

Tensor predicted_mask(const Task& task, const Outputs& outputs, std::int64_t class_index) {
  task::column_of(task::map_of(task, outputs), class_index);
  auto out = class_map(task, outputs);
  for (auto& c : out.data) c = static_cast<std::int64_t>(c) == class_index ? 1.f : 0.f;
  return out;
}

Target position_target(const Task& task, const Outputs& outputs, const Shape& position,
                       const Shape& input_extents, std::int64_t class_index,
                       const FindLogits& logits) {
  const auto map = task::map_of(task, outputs);
  if (position.size() != map.extents.size() || input_extents.size() != map.extents.size())
    task::contradict("a position of this map is named by " + std::to_string(map.extents.size()) +
                         " numbers, and the target names it by " + std::to_string(position.size()),
                     map.name);
  std::int64_t at = 0;
  for (std::size_t d = 0; d < position.size(); ++d) {
    if (position[d] < 0 || position[d] >= input_extents[d])
      task::contradict("the target's position " + std::to_string(position[d]) +
                       " is out of range: the picture has " + std::to_string(input_extents[d]));
    at = at * map.extents[d] + task::nearest(position[d], input_extents[d], map.extents[d]);
  }
  return task::target_of(map, outputs, logits, {{at}}, {1.0}, class_index);
}

Target mask_target(const Task& task, const Outputs& outputs, const Tensor& mask,
                   std::int64_t class_index, bool mean, const FindLogits& logits) {
  const auto map = task::map_of(task, outputs);
  if (mask.shape.size() != map.extents.size() ||
      base::element_count(mask.shape, ErrorCode::bad_input) !=
          static_cast<std::int64_t>(mask.data.size()) ||
      mask.data.empty())
    throw Error(ErrorCode::bad_input, "the mask is " + base::text(mask.shape) +
                                          ", and the network's map " + base::text(map.extents));
  std::vector<std::int64_t> positions;
  std::vector<double> factors;
  double sum = 0;
  for (std::int64_t p = 0; p < map.positions; ++p) {
    // Where the position lies in the mask.
    std::int64_t rest = p, at = 0, step = 1;
    for (auto d = map.extents.size(); d-- > 0; rest /= map.extents[d]) {
      at += step * task::nearest(rest % map.extents[d], map.extents[d], mask.shape[d]);
      step *= mask.shape[d];
    }
    const double weight = mask.data[static_cast<std::size_t>(at)];
    if (!std::isfinite(weight))
      throw Error(ErrorCode::bad_input, "the mask's weights are not all finite");
    if (weight == 0) continue;
    positions.push_back(p);
    factors.push_back(weight);
    sum += std::abs(weight);
  }
  if (positions.empty())
    throw Error(ErrorCode::invalid_argument, "the target's mask is empty: it has no position");
  if (mean)
    for (auto& factor : factors) factor /= sum;
  return task::target_of(map, outputs, logits, positions, std::move(factors), class_index);
}

}  // namespace fovea
