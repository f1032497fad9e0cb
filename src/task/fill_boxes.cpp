#include <algorithm>

#include "base/text.hpp"
#include "task/boxes.hpp"
#include "task/fill.hpp"

namespace fovea::task {
namespace {

using Form = BoxDecoding::Form;

/// A value with rows of numbers.
struct Table {
  std::string name;
  std::int64_t rows = 0, numbers = 0;
};

std::optional<Table> table_of(const std::string& name, const Shape* shape, bool numbers_first) {
  if (shape == nullptr) return std::nullopt;
  const auto two = without_ones(*shape, 2);
  if (two.size() != 2) return std::nullopt;
  return numbers_first ? Table{name, two[1], two[0]} : Table{name, two[0], two[1]};
}

std::vector<Table> tables(const Task& task, const Extents& model) {
  std::vector<Table> out;
  for (const auto& output : model.outputs)
    if (const auto table = table_of(output.name, model.find(output.name), task.boxes.numbers_first))
      out.push_back(*table);
  return out;
}

Table named(const Task& task, const Extents& model, const std::string& name) {
  const auto* shape = model.find(name);
  const auto table = table_of(name, shape, task.boxes.numbers_first);
  if (!table)
    contradict("the task reads rows of numbers, and this value is " +
                   (shape == nullptr ? std::string("not known before the model runs")
                                     : base::text(*shape)),
               name);
  return *table;
}

void fill_extents(Task& task, const Extents& model) {
  if (task.boxes.width > 0 && task.boxes.height > 0) return;
  for (const auto& input : model.inputs) {
    const auto given = task.inputs.find(input.name);
    if (given != task.inputs.end() && given->second.role != InputRole::image) continue;
    const auto* shape = model.find(input.name);
    if (shape == nullptr) continue;
    // Torchvision's detectors take one picture without an extent that counts them.
    auto extents = picture_extents(*shape);
    if (shape->size() == 3 && shape->front() <= 4) extents = {(*shape)[1], (*shape)[2]};
    if (extents.empty()) continue;
    task.boxes.height = extents[0];
    task.boxes.width = extents[1];
    return;
  }
  ask("nothing says how large the picture is, whose pixels boxes are counted in", "boxes.width");
}

std::int64_t cells(const BoxDecoding& boxes, std::int64_t stride) {
  return grid_extent(boxes, boxes.height, stride) * grid_extent(boxes, boxes.width, stride);
}

/// As many rows as the strides' cells.
void require_strides(const Task& task, std::int64_t rows) {
  std::int64_t sum = 0;
  std::string text;
  for (const auto stride : task.boxes.strides) {
    if (stride < 1) contradict("the task's 'boxes.strides' must be positive");
    sum += cells(task.boxes, stride);
    text += " " + std::to_string(stride);
  }
  if (sum == rows) return;
  ask("the network has " + std::to_string(rows) + " rows, and strides" + text + " make " +
          std::to_string(sum) + " of a picture of " + std::to_string(task.boxes.width) + " x " +
          std::to_string(task.boxes.height),
      "boxes.strides");
}

void set_classes(Task& task, std::int64_t classes, const std::string& name) {
  auto& boxes = task.boxes;
  if (classes < 1)
    contradict("the task's decoder '" + task.decoder + "' finds no room for classes in this value",
               name);
  if (boxes.classes != 0 && boxes.classes != classes)
    contradict("the task's 'boxes.classes' is " + std::to_string(boxes.classes) +
                   ", and this value has room for " + std::to_string(classes),
               name);
  boxes.classes = classes;
  if (boxes.background && (*boxes.background < 0 || *boxes.background >= classes))
    contradict("the task's 'boxes.background' is none of the " + std::to_string(classes) +
                   " columns of scores",
               name);
  // The background may be named or left out.
  const auto names = static_cast<std::int64_t>(task.names.size());
  if (boxes.background && names == classes - 1) return;
  require_names(task, classes, "classes");
}

/// Everything of a box in one value.
void fill_rows(Task& task, const Extents& model) {
  auto& boxes = task.boxes;
  if (!task.outputs.contains(OutputRole::rows)) {
    const auto found = tables(task, model);
    if (found.size() != 1)
      ask((found.empty() ? "no output has" : "several outputs have") +
              std::string(" rows of numbers"),
          "outputs.rows");
    task.outputs[OutputRole::rows] = {found.front().name};
  }
  const auto& names = task.outputs[OutputRole::rows];
  if (names.empty()) ask("nothing says which value it reads", "outputs.rows");
  const auto front = boxes.form == Form::distances ? 4 * boxes.bins : 4;
  std::int64_t rows = 0;
  for (const auto& name : names) {
    const auto table = named(task, model, name);
    if (table.numbers > table.rows && names.size() == 1)
      ask("the value " + name + " has more numbers than rows, unless they lie the other way round",
          "boxes.numbers_first");
    set_classes(task, table.numbers - front - (boxes.objectness ? 1 : 0), name);
    rows += table.rows;
  }
  if (!boxes.strides.empty()) require_strides(task, rows);
}

/// Boxes and scores in values of their own.
void fill_pairs(Task& task, const Extents& model) {
  auto& boxes = task.boxes;
  const auto width = boxes.form == Form::distances ? 4 * boxes.bins : 4;
  const auto found = tables(task, model);
  if (!task.outputs.contains(OutputRole::boxes)) {
    std::vector<std::string> names;
    for (const auto& table : found)
      if (table.numbers == width) names.push_back(table.name);
    if (names.size() != 1)
      ask((names.empty() ? "no output has" : "several outputs have") + std::string(" ") +
              std::to_string(width) + " numbers in a row, a box's",
          "outputs.boxes");
    task.outputs[OutputRole::boxes] = names;
  }
  const auto& where = task.outputs[OutputRole::boxes];
  if (!task.outputs.contains(OutputRole::scores)) {
    std::vector<std::string> names;
    for (const auto& table : found)
      if (std::find(where.begin(), where.end(), table.name) == where.end() &&
          table.rows == named(task, model, where.front()).rows)
        names.push_back(table.name);
    if (where.size() != 1 || names.size() != 1)
      ask("nothing says which values hold the scores of the boxes' rows", "outputs.scores");
    task.outputs[OutputRole::scores] = names;
  }
  const auto& scores = task.outputs[OutputRole::scores];
  if (scores.size() != where.size() || where.empty())
    contradict("the task names " + std::to_string(where.size()) + " values with boxes, and " +
               std::to_string(scores.size()) + " with their scores");
  std::int64_t rows = 0;
  for (std::size_t i = 0; i < where.size(); ++i) {
    const auto box = named(task, model, where[i]), score = named(task, model, scores[i]);
    if (box.numbers != width)
      contradict("a box of the decoder '" + task.decoder + "' is " + std::to_string(width) +
                     " numbers, and this value has " + std::to_string(box.numbers) + " in a row",
                 where[i]);
    if (box.rows != score.rows)
      contradict("boxes and scores have " + std::to_string(box.rows) + " and " +
                     std::to_string(score.rows) + " rows",
                 scores[i]);
    set_classes(task, score.numbers - (boxes.objectness ? 1 : 0), scores[i]);
    rows += box.rows;
  }
  if (!boxes.strides.empty()) require_strides(task, rows);
}

/// Chosen by the file: the types say which output is which, since extents depend on the picture.
void fill_selected(Task& task, const Extents& model) {
  if (task.boxes.form != Form::corners && task.boxes.form != Form::centre)
    contradict("the task's 'boxes.form' of boxes that the file chose is 'corners' or 'centre'");
  if (task.outputs.contains(OutputRole::rows)) return;
  if (!task.outputs.contains(OutputRole::boxes) && model.outputs.size() == 1) {
    const auto* shape = model.find(model.outputs[0].name);
    if (shape != nullptr && !shape->empty() && shape->back() == 6) {
      task.outputs[OutputRole::rows] = {model.outputs[0].name};
      return;
    }
  }
  for (const auto& [role, rank] :
       {std::pair{OutputRole::boxes, 2}, {OutputRole::scores, 1}, {OutputRole::labels, 1}}) {
    if (task.outputs.contains(role)) continue;
    std::vector<std::string> found;
    for (const auto& output : model.outputs) {
      const bool is_label = output.type == DataType::i64 || output.type == DataType::i32;
      const auto* shape = model.find(output.name);
      const auto extents = shape != nullptr ? *shape : output.shape;
      const bool fits = static_cast<int>(extents.size()) == rank &&
                        (role == OutputRole::labels) == is_label &&
                        (role != OutputRole::boxes || extents.back() == 4);
      if (fits) found.push_back(output.name);
    }
    if (found.size() != 1)
      ask((found.empty() ? "no output looks like" : "several outputs look like") +
              std::string(" the chosen boxes' ") + name_of(role),
          std::string("outputs.") + name_of(role));
    task.outputs[role] = found;
  }
}

}  // namespace

void fill_boxes(Task& task, const Extents& model) {
  fill_extents(task, model);
  if (task.boxes.form == Form::distances && task.boxes.bins < 2)
    ask("nothing says of how many bins a distance is made", "boxes.bins");
  if (task.boxes.form == Form::distances && task.boxes.strides.empty())
    ask("nothing says how large the cells are", "boxes.strides");
  if (task.boxes.form == Form::grid && task.boxes.strides.empty())
    ask("nothing says how large the cells are", "boxes.strides");
  if (task.boxes.selected) return fill_selected(task, model);
  const bool has_pairs = task.outputs.contains(OutputRole::boxes) ||
                         task.outputs.contains(OutputRole::scores) ||
                         (!task.outputs.contains(OutputRole::rows) &&
                          task.boxes.scores == BoxDecoding::Scores::softmax);
  if (has_pairs) return fill_pairs(task, model);
  fill_rows(task, model);
}

}  // namespace fovea::task
