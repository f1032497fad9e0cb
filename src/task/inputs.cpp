#include <algorithm>
#include <array>

#include "base/state_names.hpp"
#include "fovea/error.hpp"
#include "task/fill.hpp"

namespace fovea::task {
namespace {

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool is_whole(DataType type) {
  switch (type) {
    case DataType::i8:
    case DataType::u8:
    case DataType::i16:
    case DataType::u16:
    case DataType::i32:
    case DataType::u32:
    case DataType::i64:
    case DataType::u64:
      return true;
    case DataType::f32:
    case DataType::f16:
    case DataType::bf16:
    case DataType::f64:
    case DataType::boolean:
    case DataType::string:
    case DataType::other:
      break;
  }
  return false;
}

std::optional<InputRole> role_of(const Task& task, const ValueInfo& input, const Shape& shape) {
  if (task.states.contains(input.name)) return InputRole::state;
  const auto name = lower(input.name);
  if (name.find("mask") != std::string::npos && shape.size() <= 2) return InputRole::mask;
  if (shape.size() >= 4) {
    const bool policy = task.kind == TaskKind::policy && shape.size() == 4;
    const auto channels = std::min(shape[1], shape.back());
    return policy && channels > 3 ? InputRole::frames : InputRole::image;
  }
  if (shape.empty() && is_whole(input.type)) return InputRole::constant;
  if (task.kind == TaskKind::caption && is_whole(input.type) && shape.size() <= 2)
    return InputRole::tokens;
  if (name.find("question") != std::string::npos && shape.size() <= 2) return InputRole::question;
  if (task.kind == TaskKind::policy && shape.size() <= 2) return InputRole::vector;
  return std::nullopt;
}

/// As its extents say; none where nobody knows them.
std::optional<InputRole> role_of(const Task& task, const Extents& model, const ValueInfo& input) {
  const auto* shape = model.find(input.name);
  if (model.inputs.size() == 1 && (shape == nullptr || shape->size() != 4)) return InputRole::image;
  return shape == nullptr ? std::nullopt : role_of(task, input, *shape);
}

}  // namespace

bool holds_one_word(const Task& task, const Extents& model) {
  const Shape* words = nullptr;
  for (const auto& input : model.inputs) {
    const auto given = task.inputs.find(input.name);
    const auto role = given == task.inputs.end() ? role_of(task, model, input)
                                                 : std::optional(given->second.role);
    if (role != InputRole::tokens) continue;
    if (words != nullptr) return false;
    words = model.find(input.name);
    if (words == nullptr) return false;
  }
  return words != nullptr &&
         std::all_of(words->begin(), words->end(), [](std::int64_t extent) { return extent == 1; });
}

void require_step_inputs(const Task& task, const Extents& model) {
  for (const auto& input : model.inputs)
    if (!task.states.contains(input.name) && !task.inputs.contains(input.name) &&
        !role_of(task, model, input))
      throw Error(ErrorCode::invalid_argument,
                  "the network takes one word at a time, and nothing says which output of the step "
                  "before the input '" +
                      input.name + "' is fed from, or what else it is for: set 'states." +
                      input.name + "' or 'inputs." + input.name + ".role' of the task");
}

void fill_states(Task& task, const Extents& model) {
  for (const auto& [input, output] : task.states) {
    const auto has = [](const std::vector<ValueInfo>& values, const std::string& name) {
      return std::any_of(values.begin(), values.end(),
                         [&](const ValueInfo& value) { return value.name == name; });
    };
    if (!has(model.inputs, input))
      contradict("the task's 'states' names an input that the model does not have", input);
    if (!has(model.outputs, output))
      contradict("the task's 'states' names an output that the model does not have", output);
  }
  for (const auto& input : model.inputs) {
    if (task.states.contains(input.name)) continue;
    const auto given = task.inputs.find(input.name);
    if (given != task.inputs.end() && given->second.role != InputRole::state) continue;
    const auto* shape = model.find(input.name);
    for (const auto& wanted : base::usual_state_outputs(input.name))
      for (const auto& output : model.outputs) {
        const auto* other = model.find(output.name);
        const bool is_same = shape != nullptr && other != nullptr && *shape == *other;
        if (output.name == wanted && is_same) task.states.emplace(input.name, output.name);
      }
  }
}

void fill_inputs(Task& task, const Extents& model) {
  for (const auto& one : task.inputs) {
    const auto& name = one.first;
    const auto& input = one.second;
    const bool is_there = std::any_of(model.inputs.begin(), model.inputs.end(),
                                      [&](const ValueInfo& value) { return value.name == name; });
    if (!is_there) contradict("the task's 'inputs' names one that the model does not have", name);
    if (input.role == InputRole::state && !task.states.contains(name) && !input.value)
      ask("nothing says which output the state '" + name + "' is fed from", "states." + name);
  }
  for (const auto& input : model.inputs) {
    if (task.inputs.contains(input.name)) continue;
    auto role = role_of(task, model, input);
    // Of sound nothing but its states is told by the role.
    if (!role && task.decoder == "audio") role = InputRole::vector;
    if (!role)
      ask("nothing says what the input '" + input.name + "' is for",
          "inputs." + input.name + ".role");
    task.inputs[input.name].role = *role;
  }
}

}  // namespace fovea::task
