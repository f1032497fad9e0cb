#include "task/fill.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "fovea/error.hpp"

namespace fovea::task {
namespace {

bool is_state(const Task& task, const std::string& output) {
  return std::any_of(task.states.begin(), task.states.end(),
                     [&](const auto& pair) { return pair.second == output; });
}

bool is_float(DataType type) {
  return type == DataType::f32 || type == DataType::f16 || type == DataType::bf16 ||
         type == DataType::f64;
}

/// The only output that `fits`; else asks for the role's member.
template <class Fits>
void choose(Task& task, const Extents& model, OutputRole role, const char* what, Fits fits) {
  if (task.outputs.contains(role)) return;
  std::vector<std::string> found;
  for (const auto& output : model.outputs) {
    const auto* shape = model.find(output.name);
    if (shape == nullptr || !is_float(output.type) || is_state(task, output.name)) continue;
    if (fits(output.name, *shape)) found.push_back(output.name);
  }
  const std::string member = std::string("outputs.") + name_of(role);
  for (const auto& output : model.outputs) {
    const auto* shape = model.find(output.name);
    if (!found.empty() || shape == nullptr || !is_float(output.type) || shape->empty() ||
        shape->front() < 2)
      continue;
    auto of_one = *shape;
    of_one.front() = 1;
    if (fits(output.name, of_one))
      contradict("the task reads " + std::string(what) + " of one image, and this value is " +
                     base::text(*shape) + "; give one image at a time",
                 output.name);
  }
  if (found.empty())
    ask(std::string("no output looks like ") + what +
            " (outputs or other values of the graph may be named)",
        member);
  if (found.size() > 1)
    ask("several outputs could be " + std::string(what) + ": " + base::joined(found), member);
  task.outputs[role] = found;
}

bool speaks_of_value(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name.find("value") != std::string::npos || name.find("critic") != std::string::npos;
}

std::int64_t count_of(const Shape& shape) {
  std::int64_t out = 1;
  for (const auto extent : shape) out *= extent;
  return out;
}

void fill_policy(Task& task, const Extents& model) {
  if (!task.outputs.contains(OutputRole::value)) {
    std::vector<std::string> found;
    for (const auto& output : model.outputs) {
      const auto* shape = model.find(output.name);
      if (shape != nullptr && count_of(*shape) == 1 && speaks_of_value(output.name) &&
          is_float(output.type))
        found.push_back(output.name);
    }
    if (found.size() == 1) task.outputs[OutputRole::value] = found;
  }
  const auto is_value = [&](const std::string& name) {
    const auto it = task.outputs.find(OutputRole::value);
    return it != task.outputs.end() && it->second.front() == name;
  };
  choose(task, model, OutputRole::logits, "actions' numbers",
         [&](const std::string& name, const Shape& shape) {
           return !is_value(name) && without_ones(shape, 1).size() == 1 && shape.back() > 1;
         });
  const auto* shape = model.find(only(task, OutputRole::logits));
  if (shape != nullptr && !shape->empty()) require_names(task, count_of(*shape), "actions");
}

void fill_vector(Task& task, const Extents& model, OutputRole role, const char* what,
                 const char* names) {
  choose(task, model, role, what, [](const std::string&, const Shape& shape) {
    return !shape.empty() && without_ones(shape, 1).size() == 1 && shape.back() > 1;
  });
  const auto* shape = model.find(only(task, role));
  if (names != nullptr && shape != nullptr) require_names(task, count_of(*shape), names);
}

/// [steps, classes], whatever other extents of 1 there are.
bool is_table(const Shape& shape) {
  return shape.size() >= 2 && shape.size() <= 3 &&
         (shape.size() == 2 || shape[0] == 1 || shape[1] == 1);
}

void fill_text(Task& task, const Extents& model) {
  choose(task, model, OutputRole::scores, "characters by step",
         [](const std::string&, const Shape& shape) { return shape.size() == 3; });
  const auto* shape = model.find(only(task, OutputRole::scores));
  if (shape != nullptr) {
    if (!is_table(*shape))
      contradict("the task reads characters of [images, steps, classes], and this value is " +
                     base::text(*shape) + "; give one image at a time",
                 only(task, OutputRole::scores));
    if (shape->size() == 3 && shape->front() != 1) task.text.steps_first = true;
    if (!task.names.empty() && static_cast<std::int64_t>(task.names.size()) + 1 != shape->back())
      contradict("the alphabet has " + std::to_string(task.names.size()) +
                     " characters, and the network " + std::to_string(shape->back()) +
                     " classes, one of which is the blank",
                 only(task, OutputRole::scores));
    if (task.text.blank && (*task.text.blank < 0 || *task.text.blank >= shape->back()))
      contradict("the task's blank is none of the " + std::to_string(shape->back()) + " classes",
                 only(task, OutputRole::scores));
  }
  if (!task.text.blank)
    ask("nothing says which class is the blank, that is no character (most often 0, or the last)",
        "text.blank");
}

void fill_caption(Task& task, const Extents& model) {
  if (task.names.empty()) ask("nothing says which words the network knows", "names");
  const bool is_one = holds_one_word(task, model);
  if (is_one) require_step_inputs(task, model);
  const auto words = std::ssize(task.names);
  const auto fits = [&](const Shape& shape) {
    return shape.size() == 3 ||
           (is_one && !shape.empty() && shape.back() > 1 && count_of(shape) == shape.back());
  };
  // Beside the scores such a decoder may say where it looked.
  const bool by_count =
      is_one && std::any_of(model.outputs.begin(), model.outputs.end(), [&](const auto& output) {
        const auto* shape = model.find(output.name);
        return shape != nullptr && fits(*shape) && shape->back() == words;
      });
  choose(task, model, OutputRole::scores, is_one ? "the next word's scores" : "words by step",
         [&](const std::string&, const Shape& shape) {
           return fits(shape) && (!by_count || shape.back() == words);
         });
  for (const auto& name : task.outputs.at(OutputRole::scores)) {
    const auto* shape = model.find(name);
    if (shape != nullptr && !shape->empty()) require_names(task, shape->back(), "words");
  }
  if (task.caption.one_word == true && !is_one)
    contradict(
        "the task says that the network takes one word at a time, and no input of words "
        "holds one");
  if (is_one && !task.states.empty() && !task.caption.one_word) task.caption.one_word = true;
  for (const auto& [word, member] :
       {std::pair{&task.caption.start, "caption.start"}, {&task.caption.end, "caption.end"}})
    if (std::find(task.names.begin(), task.names.end(), *word) == task.names.end())
      ask("the words have no '" + *word + "'", member);
}

void fill_segments(Task& task, const Extents& model) {
  choose(task, model, OutputRole::scores, "a map of classes",
         [](const std::string&, const Shape& shape) {
           return shape.size() == 4 || shape.size() == 5;
         });
  const auto* shape = model.find(only(task, OutputRole::scores));
  if (shape == nullptr || shape->empty()) return;
  if (shape->size() != 4 && shape->size() != 5)
    contradict("the task reads classes at positions, and this value is " + base::text(*shape),
               only(task, OutputRole::scores));
  // Classes are fewer than positions along any side, or nobody can tell.
  if (!task.segments.channels_last) {
    const auto first = (*shape)[1], last = shape->back();
    const auto least_behind = *std::min_element(shape->begin() + 2, shape->end());
    const auto least_before = *std::min_element(shape->begin() + 1, shape->end() - 1);
    if (first < least_behind)
      task.segments.channels_last = false;
    else if (last < least_before)
      task.segments.channels_last = true;
    else
      ask("nothing says whether the classes of " + base::text(*shape) + " come first or last",
          "segments.channels_last");
  }
  const auto classes = *task.segments.channels_last ? shape->back() : (*shape)[1];
  if (classes == 1 && task.names.size() == 2) return;
  require_names(task, classes, "classes");
}

void check_outputs(const Task& task, const Extents& model) {
  for (const auto& [role, names] : task.outputs)
    for (const auto& name : names) {
      const bool declared =
          std::any_of(model.outputs.begin(), model.outputs.end(),
                      [&](const ValueInfo& output) { return output.name == name; });
      if (!declared && model.find(name) == nullptr)
        contradict(std::string("the task's 'outputs.") + name_of(role) +
                       "' names a value that the model does not have",
                   name);
    }
}

}  // namespace

const Shape* Extents::find(const std::string& name) const {
  const auto it = shapes.find(name);
  return it == shapes.end() ? nullptr : &it->second;
}

void ask(const std::string& what, const std::string& member) {
  throw Error(ErrorCode::invalid_argument, what + ": set '" + member + "' of the task");
}

void contradict(const std::string& sentence, const std::string& value) {
  throw Error(ErrorCode::invalid_argument, sentence, {"", value, ""});
}

Shape without_ones(Shape shape, std::size_t kept) {
  while (shape.size() > kept && shape.front() == 1) shape.erase(shape.begin());
  return shape;
}

Shape picture_extents(const Shape& shape) {
  if (shape.size() != 4) return {};
  if (shape[1] < std::min(shape[2], shape[3])) return {shape[2], shape[3]};
  if (shape[3] < std::min(shape[1], shape[2])) return {shape[1], shape[2]};
  return {};
}

const char* name_of(OutputRole role) {
  switch (role) {
    case OutputRole::scores:
      return "scores";
    case OutputRole::boxes:
      return "boxes";
    case OutputRole::labels:
      return "labels";
    case OutputRole::rows:
      return "rows";
    case OutputRole::logits:
      return "logits";
    case OutputRole::value:
      return "value";
    case OutputRole::embedding:
      break;
  }
  return "embedding";
}

const std::string& only(const Task& task, OutputRole role) {
  const auto it = task.outputs.find(role);
  if (it == task.outputs.end() || it->second.empty())
    ask("nothing says which value it reads", std::string("outputs.") + name_of(role));
  if (it->second.size() > 1)
    contradict(std::string("the task's 'outputs.") + name_of(role) +
               "' names several values, and it reads one");
  return it->second.front();
}

void require_names(const Task& task, std::int64_t count, const char* what) {
  if (task.names.empty() || static_cast<std::int64_t>(task.names.size()) == count) return;
  contradict("the task has " + std::to_string(task.names.size()) + " names, and the network " +
             std::to_string(count) + " " + what);
}

}  // namespace fovea::task

namespace fovea {

Task filled(Task task, const std::vector<ValueInfo>& inputs, const std::vector<ValueInfo>& outputs,
            const std::map<std::string, Shape>& shapes) {
  const task::Extents model{inputs, outputs, shapes};
  std::erase_if(task.outputs, [](const auto& role) { return role.second.empty(); });
  task::check_outputs(task, model);
  task::fill_states(task, model);
  switch (task.kind) {
    case TaskKind::classes:
      // Of sound it says how axes are counted; there may be no classes.
      if (task.decoder != "audio" || task.outputs.contains(OutputRole::scores))
        task::fill_vector(task, model, OutputRole::scores, "classes' scores", "classes");
      break;
    case TaskKind::boxes:
      task::fill_boxes(task, model);
      break;
    case TaskKind::segments:
      task::fill_segments(task, model);
      break;
    case TaskKind::text:
      task::fill_text(task, model);
      break;
    case TaskKind::answer:
      task::fill_vector(task, model, OutputRole::scores, "answers' scores", "answers");
      break;
    case TaskKind::caption:
      task::fill_caption(task, model);
      break;
    case TaskKind::policy:
      task::fill_policy(task, model);
      break;
    case TaskKind::embedding:
      task::fill_vector(task, model, OutputRole::embedding, "an embedding", nullptr);
      break;
  }
  task::fill_inputs(task, model);
  return task;
}

}  // namespace fovea
