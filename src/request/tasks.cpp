#include "request/tasks.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "fovea/asking.hpp"
#include "fovea/task_recipe.hpp"
#include "fovea/task_target.hpp"
#include "request/captions.hpp"
#include "request/own_layers.hpp"
#include "request/text.hpp"

namespace fovea::request {
namespace {

std::string in_words(InputRole role) {
  switch (role) {
    case InputRole::image:
      return "an image";
    case InputRole::frames:
      return "frames";
    case InputRole::question:
      return "a question";
    case InputRole::tokens:
      return "words";
    case InputRole::state:
      return "a state";
    case InputRole::mask:
      return "a mask";
    case InputRole::vector:
      return "numbers";
    case InputRole::features:
      return "features that another file computes";
    case InputRole::constant:
      return "a constant";
  }
  return "an input";
}

/// Every input by name, with the task's role and its extents, that still has to be given.
[[noreturn]] void refuse_missing(const Session& session, const OriginFinder& finder,
                                 const std::vector<std::string>& missing) {
  std::string list;
  for (const auto& name : missing) {
    const auto& input = session.task->inputs.at(name);
    const bool words = input.role == InputRole::question || input.role == InputRole::tokens;
    list += (list.empty() ? "'" : ", '") + name + "' (" + in_words(input.role) + ", " +
            shape_text(finder.shapes().at(name)) + (words ? ": --input " + name + "=\"...\"" : "") +
            ")";
  }
  throw Error(ErrorCode::invalid_argument,
              "the model's " + std::string(missing.size() == 1 ? "input " : "inputs ") + list +
                  (missing.size() == 1 ? " is" : " are") + " not given: use --input NAME=FILE",
              {.file = session.request.model.file, .node = {}, .op = {}});
}

/// Labels of boxes: read, and no target's.
bool holds_integers(const Model& model, const std::string& output) {
  return std::any_of(model.outputs().begin(), model.outputs().end(), [&](const ValueInfo& value) {
    return value.name == output && value.type != DataType::f32 && value.type != DataType::f16 &&
           value.type != DataType::bf16 && value.type != DataType::f64;
  });
}

bool is_caption(const Session& session) {
  return session.task && session.task->kind == TaskKind::caption;
}

/// The input that takes the words written so far; none where they were given.
const std::string* tokens_input(const Session& session) {
  if (!is_caption(session) || session.writer) return nullptr;
  for (const auto& [name, input] : session.task->inputs)
    if (input.role == InputRole::tokens && !session.request.inputs.contains(name) &&
        !session.request.questions.contains(name))
      return &name;
  return nullptr;
}

void give_words(Session& session, const OriginFinder& finder) {
  for (const auto& [name, words] : session.request.questions) {
    const auto at = session.task->inputs.find(name);
    if (at == session.task->inputs.end())
      throw Error(ErrorCode::invalid_argument, "the model has no input '" + name + "'");
    const auto& shape = finder.shapes().at(name);
    if (session.tensors.contains(name))
      throw Error(ErrorCode::invalid_argument, "input '" + name + "' is given twice");
    session.tensors.emplace(
        name, at->second.role == InputRole::tokens
                  ? tokens_as_input(*session.task, tokens_of(*session.task, words), shape)
                  : words_as_input(at->second, words, shape));
  }
}

void give_states(Session& session, const OriginFinder& finder) {
  for (const auto& [name, numbers] : session.request.states) {
    if (!session.task->states.contains(name))
      throw Error(ErrorCode::invalid_argument, "the task has no state '" + name + "'");
    Tensor tensor{finder.shapes().at(name), {numbers.begin(), numbers.end()}};
    std::int64_t count = 1;
    for (const auto extent : tensor.shape) count *= extent;
    if (count != std::ssize(numbers))
      throw Error(ErrorCode::invalid_argument, "the state '" + name + "' takes " +
                                                   shape_text(tensor.shape) + " and is given " +
                                                   std::to_string(numbers.size()) + " numbers");
    session.tensors.insert_or_assign(name, std::move(tensor));
  }
}

[[noreturn]] void refuse_state(const std::string& output, const Shape& from,
                               const std::string& input, const Shape& to) {
  throw Error(ErrorCode::invalid_argument, "the state '" + output + "' is " + shape_text(from) +
                                               ", and input '" + input + "' takes " +
                                               shape_text(to));
}

}  // namespace

void start_task(Session& session) {
  auto& request = session.request;
  if (!request.task) request.task = task_of_model(session.model);
  if (!request.task) {
    if (!request.states.empty())
      throw Error(ErrorCode::invalid_argument, "there are states, and no task has any");
    if (!request.questions.empty())
      throw Error(ErrorCode::invalid_argument,
                  "--input " + request.questions.begin()->first +
                      " is given words, and no task says what they are: give --task");
    return;
  }
  if (in_file(request.model.file, [&] { return start_writing(session); })) return;
  in_file(request.model.file, [&] {
    const OriginFinder finder(session.model, session.options.compile);
    session.task = filled(*request.task, session.model, finder);
    // What the file chose itself has as many rows as the photo gives it; scores are explained as
    // they come out.
    if (!session.task->boxes.selected) session.logits = finder.find_logits();
    give_words(session, finder);
    give_states(session, finder);
    const auto* tokens = tokens_input(session);
    std::vector<std::string> missing;
    for (const auto& [name, input] : session.task->inputs) {
      if (session.tensors.contains(name) || request.fixed_inputs.contains(name)) continue;
      const auto& shape = finder.shapes().at(name);
      if (tokens != nullptr && name == *tokens)
        session.tensors.emplace(
            name, tokens_as_input(*session.task,
                                  {index_of(*session.task, session.task->caption.start)}, shape));
      else if (auto made = default_input(input, shape))
        session.tensors.emplace(name, std::move(*made));
      else
        missing.push_back(name);
    }
    if (!missing.empty()) refuse_missing(session, finder, missing);
  });
  if (session.labels.empty() && session.task->kind != TaskKind::text &&
      session.task->kind != TaskKind::caption)
    session.labels = session.task->names;
  if (session.task->names.empty()) session.task->names = session.labels;
}

void read_task_values(const Session& session, ExplainerOptions& options) {
  if (!session.task || (session.writer && !session.one_step)) return;
  const auto add = [](std::vector<std::string>& to, const std::string& name) {
    if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
  };
  for (const auto& name : values_of(*session.task)) add(options.compile.fetches, name);
  for (const auto& [input, output] : session.task->states) add(options.compile.fetches, output);
  auto& prepare = options.prepare;
  if (session.task->kind == TaskKind::classes || !prepare.targets.empty() ||
      !prepare.target_values.empty())
    return;
  // Classes, ranks and likenesses; numbers and a task's words have said what they read.
  const auto command = session.request.command;
  if (session.asked.empty() &&
      (command == Request::Command::explain || command == Request::Command::sheet))
    for (const auto& target : session.request.targets)
      if (target.kind != RequestTarget::Kind::text)
        add(prepare.target_values, value_read(session, target));
  if (prepare.target_values.empty())
    for (const auto& name : values_of(*session.task))
      if (!holds_integers(session.model, name)) prepare.target_values.push_back(name);
}

std::string value_read(const Session& session, const RequestTarget& target) {
  if (target.kind != RequestTarget::Kind::similar_to || !session.task ||
      session.task->kind != TaskKind::embedding)
    return {};
  return session.task->outputs.at(OutputRole::embedding).front();
}

void keep_states(Session& session, const Run& run) {
  if (!session.task) return;
  for (const auto& [input, output] : session.task->states) {
    // What is fixed is the same in every run.
    if (session.request.fixed_inputs.contains(input)) continue;
    auto& tensor = session.tensors.at(input);
    auto next = run.output(output);
    if (next.data.size() != tensor.data.size())
      refuse_state(output, next.shape, input, tensor.shape);
    tensor.data = std::move(next.data);
    session.went_on = true;
  }
}

void record_states(const Session& session, Request& out) {
  if (!session.went_on) return;
  out.states.clear();
  for (const auto& [input, output] : session.task->states) {
    const auto at = session.tensors.find(input);
    if (at == session.tensors.end()) continue;
    const auto& data = at->second.data;
    // No request holds what is not finite.
    if (std::all_of(data.begin(), data.end(), [](float v) { return std::isfinite(v); }))
      out.states[input] = {data.begin(), data.end()};
  }
}

void find(Session& session, const CallOptions& call) {
  write_caption(session, call);
  auto options = bare_options(session.options);
  options.compile.precision = session.options.compile.precision;  // it runs
  options.prepare.targets.clear();
  options.prepare.target_values.clear();
  read_task_values(session, options);
  const auto explainer = in_file(session.request.model.file, [&] {
    return timed(session.times.create, [&] { return Explainer(session.model, options, call); });
  });
  find(session, explainer, call);
}

void find(Session& session, const Explainer& explainer, const CallOptions& call) {
  in_file(session.request.model.file, [&] {
    const auto& task = *session.task;
    const auto outputs = [&] {
      const auto run =
          timed(session.times.forward, [&] { return explainer.forward(session.feeds(), call); });
      return outputs_of(task, run);
    };
    if (const auto* input = tokens_input(session)) {
      auto& tensor = session.tensors.at(*input);
      std::vector<std::int64_t> tokens{index_of(task, task.caption.start)};
      const auto end = index_of(task, task.caption.end);
      const auto room = tensor.data.size();
      // As many as the input has room for: the last one is not fed.
      for (std::size_t step = 0; step < room; ++step) {
        tensor = tokens_as_input(task, tokens, tensor.shape);
        tokens.push_back(
            decode_word(task, outputs(), static_cast<std::int64_t>(step), session.logits).index);
        if (tokens.back() == end) break;
      }
      if (tokens.size() > room) tokens.pop_back();
      tensor = tokens_as_input(task, tokens, tensor.shape);
    }
    session.outputs = outputs();
    session.found = findings_of(task, session.outputs, session.logits);
    if (const auto tokens = given_tokens(session)) find_given(session, *tokens);
    session.values = explainer.target_values();
    if (task.kind == TaskKind::caption) session.layer_of_words = layer_of_words(task, explainer);
  });
}

}  // namespace fovea::request

namespace fovea {

Findings findings_of(const Task& task, const Outputs& outputs, const FindLogits& logits) {
  Findings out;
  switch (task.kind) {
    case TaskKind::boxes:
      out.boxes = decode_boxes(task, outputs, logits);
      break;
    case TaskKind::segments:
      out.segments = decode_segments(task, outputs);
      break;
    case TaskKind::text:
      out.text = decode_text(task, outputs, logits);
      break;
    case TaskKind::answer:
      out.answers = decode_answers(task, outputs, 5, logits);
      break;
    case TaskKind::caption:
      out.words = decode_words(task, outputs, logits);
      break;
    case TaskKind::policy:
      out.actions = decode_actions(task, outputs, logits);
      break;
    case TaskKind::classes:
    case TaskKind::embedding:
      break;
  }
  return out;
}

std::string caption_of(const Task& task, const Findings& findings) {
  std::string out;
  for (const auto& word : findings.words)
    if (word.name != task.caption.end) out += (out.empty() ? "" : " ") + word.name;
  return out;
}

}  // namespace fovea
