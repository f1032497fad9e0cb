#include "fovea/task.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/checked.hpp"
#include "fovea/error.hpp"
#include "fovea/spelling.hpp"

namespace fovea {
namespace {

struct Named {
  const char* name;
  TaskKind kind;
  BoxDecoding boxes;
};

using Form = BoxDecoding::Form;
using Scores = BoxDecoding::Scores;

// Thresholds are those of each family's own demonstration.
const std::array<Named, 14>& rows() {
  static const std::array<Named, 14> kRows = {{
      {"yolox",
       TaskKind::boxes,
       {.form = Form::grid, .objectness = true, .strides = {8, 16, 32}, .threshold = 0.3}},
      {"yolov5", TaskKind::boxes, {.form = Form::centre, .objectness = true, .threshold = 0.25}},
      {"yolov8", TaskKind::boxes, {.form = Form::centre, .numbers_first = true, .threshold = 0.25}},
      {"ssd",
       TaskKind::boxes,
       {.form = Form::corners,
        .scores = Scores::softmax,
        .in_shares = true,
        .background = 0,
        .threshold = 0.5}},
      {"nanodet",
       TaskKind::boxes,
       {.form = Form::distances,
        .strides = {8, 16, 32},
        .cell_centre = 0.5,
        .bins = 8,
        .threshold = 0.35,
        .overlap = 0.6}},
      {"nanodet-plus",
       TaskKind::boxes,
       {.form = Form::distances,
        .strides = {8, 16, 32, 64},
        .bins = 8,
        .threshold = 0.35,
        .overlap = 0.6}},
      {"in-file", TaskKind::boxes, {.form = Form::corners, .selected = true, .threshold = 0.5}},
      {"segmentation", TaskKind::segments, {}},
      {"ctc", TaskKind::text, {}},
      {"answer", TaskKind::answer, {}},
      {"caption", TaskKind::caption, {}},
      {"policy", TaskKind::policy, {}},
      {"embedding", TaskKind::embedding, {}},
      {"audio", TaskKind::classes, {}},
  }};
  return kRows;
}

}  // namespace

std::optional<Task> task_by_name(std::string_view name) {
  for (const auto& row : rows())
    if (row.name == name) {
      Task out;
      out.kind = row.kind;
      out.decoder = row.name;
      out.boxes = row.boxes;
      return out;
    }
  return std::nullopt;
}

std::vector<std::string> task_names() {
  std::vector<std::string> out;
  for (const auto& row : rows()) out.emplace_back(row.name);
  return out;
}

std::vector<std::string> values_of(const Task& task) {
  std::vector<std::string> out;
  for (const auto& [role, names] : task.outputs)
    for (const auto& name : names)
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

std::optional<Tensor> default_input(const TaskInput& input, const Shape& shape) {
  auto value = input.value;
  if (!value && input.role == InputRole::state) value = 0;
  if (!value && input.role == InputRole::mask) value = 1;
  if (!value) return std::nullopt;
  const auto count =
      static_cast<std::size_t>(base::element_count(shape, ErrorCode::invalid_argument));
  return Tensor{shape, std::vector<float>(count, static_cast<float>(*value))};
}

std::string name_of(const Task& task, std::int64_t index) {
  if (index >= 0 && index < static_cast<std::int64_t>(task.names.size()))
    return task.names[static_cast<std::size_t>(index)];
  return std::to_string(index);
}

std::int64_t index_of(const Task& task, std::string_view name) {
  const auto found = std::find(task.names.begin(), task.names.end(), name);
  if (found != task.names.end()) return found - task.names.begin();
  std::int64_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error == std::errc() && end == name.data() + name.size() && index >= 0) return index;
  throw Error(ErrorCode::invalid_argument, "the task has no name '" + std::string(name) + "'" +
                                               did_you_mean(task.names, std::string(name)));
}

}  // namespace fovea
