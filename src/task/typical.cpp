#include <set>

#include "base/checked.hpp"
#include "fovea/task_layers.hpp"
#include "fovea/task_target.hpp"
#include "task/boxes.hpp"
#include "task/fill.hpp"
#include "task/values.hpp"

namespace fovea {
namespace task {
namespace {

using Extents = std::map<std::string, Shape>;

/// The task's outputs, all zeros; none where extents depend on the photo.
std::optional<Outputs> zeros(const Task& task, const Extents& shapes) {
  Outputs out;
  for (const auto& name : values_of(task)) {
    const auto shape = shapes.find(name);
    if (shape == shapes.end()) return std::nullopt;
    const auto count = base::element_count(shape->second);
    out.emplace(name, Tensor{shape->second, std::vector<float>(static_cast<std::size_t>(count))});
  }
  return out;
}

TypicalTarget box_at(const Task& task, const Outputs& outputs, std::int64_t row, std::string what,
                     const FindLogits& logits) {
  TypicalTarget out{std::move(what), row_of(task, outputs, row, 0, logits).target};
  for (const auto role : {OutputRole::rows, OutputRole::scores}) {
    const auto names = task.outputs.find(role);
    if (names == task.outputs.end() || names->second.size() != 1) continue;
    const auto& name = names->second.front();
    if (out.row || output_of(outputs, name).shape.size() != 3) continue;
    out.row = Target::element(name, task.boxes.numbers_first ? Shape{0, row} : Shape{row, 0});
  }
  return out;
}

std::vector<TypicalTarget> boxes(const Task& task, const Outputs& outputs,
                                 const FindLogits& logits) {
  std::vector<TypicalTarget> out;
  std::int64_t begin = 0;
  for (std::size_t level = 0; level < task.boxes.strides.size(); ++level) {
    const auto stride = task.boxes.strides[level];
    const auto height = grid_extent(task.boxes, task.boxes.height, stride);
    const auto width = grid_extent(task.boxes, task.boxes.width, stride);
    out.push_back(box_at(task, outputs, begin + height / 2 * width + width / 2,
                         "a box of level " + std::to_string(level) + ", " + std::to_string(height) +
                             " x " + std::to_string(width) + " cells of " + std::to_string(stride) +
                             " pixels",
                         logits));
    begin += height * width;
  }
  if (!out.empty()) return out;
  const auto role = task.outputs.contains(OutputRole::rows) ? OutputRole::rows : OutputRole::scores;
  std::int64_t rows = 0;
  for (const auto& name : task.outputs.at(role))
    rows += table_of(outputs, name, task.boxes.numbers_first).rows;
  // Levels that follow each other have a part of the rows of the one before.
  std::set<std::int64_t> places{0, rows - 1};
  for (auto rest = rows / 2; rest > 0; rest /= 2) places.insert({rest, rows - rest});
  for (const auto row : places)
    if (row < rows)
      out.push_back(box_at(task, outputs, row, "a box like row " + std::to_string(row), logits));
  return out;
}

/// The middle of the positions, of the last class.
TypicalTarget position(const Task& task, const Outputs& outputs, const FindLogits& logits) {
  const auto extents = class_map(task, outputs).shape;
  Shape middle;
  for (const auto extent : extents) middle.push_back(extent / 2);
  return {"a position", position_target(task, outputs, middle, extents, 1, logits)};
}

TypicalTarget step(const Task& task, const Outputs& outputs, const FindLogits& logits) {
  const auto& name = value_name(task, OutputRole::scores);
  const auto& tensor = output_of(outputs, name);
  const auto classes = tensor.shape.back();
  const auto steps = std::ssize(tensor.data) / classes;
  const auto column = task.text.blank == 0 ? classes - 1 : 0;
  const std::vector<std::int64_t> at{steps / 2 * classes + column};
  return {"a character", element_of(origins_of(outputs, name, at, logits))};
}

}  // namespace
}  // namespace task

std::vector<TypicalTarget> typical_targets(const Task& task,
                                           const std::map<std::string, Shape>& shapes,
                                           const FindLogits& logits) {
  const auto outputs = task::zeros(task, shapes);
  switch (task.kind) {
    case TaskKind::boxes:
      // What the file chose lies behind a selection: its scores are what there is.
      if (!outputs || task.boxes.selected) return {{"a box"}};
      return task::boxes(task, *outputs, logits);
    case TaskKind::segments:
      if (!outputs) return {{"a position"}};
      return {task::position(task, *outputs, logits)};
    case TaskKind::text:
      if (!outputs) return {{"a character"}};
      return {task::step(task, *outputs, logits)};
    case TaskKind::answer:
      return {{"an answer"}};
    case TaskKind::caption:
      return {{"a word"}};
    case TaskKind::policy:
      return {{"an action"}};
    case TaskKind::embedding:
      return {{"the embedding"}};
    case TaskKind::classes:
      break;
  }
  return {{"a class"}};
}

}  // namespace fovea
