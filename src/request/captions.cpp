#include "request/captions.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "fovea/caption_writer.hpp"
#include "request/text.hpp"

namespace fovea::request {
namespace {

/// The words given for the writer's input, in the names of the model or of its step.
const std::string* given_words_of(const Session& session) {
  const auto& questions = session.request.questions;
  const auto it = questions.find(session.writer->word_input());
  return it == questions.end() ? nullptr : &it->second;
}

[[noreturn]] void refuse_name(const std::string& name, const std::string& word) {
  throw Error(ErrorCode::invalid_argument,
              "the model's input '" + name + "' takes no words; '" + word + "' does");
}

void require_known_names(const Session& session) {
  const auto& word = session.writer->word_input();
  for (const auto& [name, words] : session.request.questions)
    if (name != word) refuse_name(name, word);
}

/// Words of a tensor that holds a start and what follows it; what stands behind the end, and what
/// only fills the input up, is none.
std::vector<std::int64_t> tokens_in(const Task& task, const Tensor& tensor) {
  std::vector<std::int64_t> out;
  for (const float value : tensor.data) out.push_back(static_cast<std::int64_t>(value));
  const auto place_of = [&](const std::string& word) {
    const auto it = std::find(task.names.begin(), task.names.end(), word);
    return it == task.names.end() ? std::int64_t{-1} : it - task.names.begin();
  };
  const auto end = place_of(task.caption.end);
  const auto pad = std::max<std::int64_t>(place_of(task.caption.pad), 0);
  while (out.size() > 1 && out.back() == pad) out.pop_back();
  for (std::size_t i = 1; i < out.size(); ++i)
    if (out[i] == end) out.resize(i);
  return out;
}

}  // namespace

bool start_writing(Session& session) {
  const auto& request = session.request;
  session.writer.reset();
  auto writer = CaptionWriter::find(session.model, *request.task, session.options.compile);
  // A word that is given as a number is a step by itself.
  if (!writer || request.inputs.contains(writer->word_input()) ||
      request.fixed_inputs.contains(writer->word_input()))
    return false;
  session.writer = std::move(writer);
  session.task = session.writer->task();
  require_known_names(session);
  auto first = session.writer->first_inputs();
  for (const auto& [name, numbers] : request.states) {
    const auto at = first.find(name);
    if (at == first.end() || name == session.writer->word_input())
      throw Error(ErrorCode::invalid_argument, "the task has no state '" + name + "'");
    if (at->second.data.size() != numbers.size())
      throw Error(ErrorCode::invalid_argument, "the state '" + name + "' takes " +
                                                   shape_text(at->second.shape) + " and is given " +
                                                   std::to_string(numbers.size()) + " numbers");
    at->second.data.assign(numbers.begin(), numbers.end());
  }
  for (auto& [name, tensor] : first)
    if (!request.fixed_inputs.contains(name)) session.tensors.emplace(name, std::move(tensor));
  return true;
}

void write_caption(Session& session, const CallOptions& call) {
  if (!session.writer || session.one_step || session.request.command == Request::Command::index)
    return;
  in_file(session.request.model.file, [&] {
    const auto* words = given_words_of(session);
    if (words == nullptr && !session.writer->is_prepared()) {
      auto options = session.options;
      options.compile.tuning = Tuning::off;
      timed(session.times.create,
            [&] { session.writer = session.writer->prepared(options, call); });
    }
    const auto& writer = *session.writer;
    const auto& task = writer.task();
    auto tokens = words != nullptr ? tokens_of(task, *words) : timed(session.times.forward, [&] {
      return writer.write(session.feeds(), call);
    });
    if (words == nullptr && tokens.back() != index_of(task, task.caption.end))
      session.warnings.push_back("the caption has no end after " +
                                 std::to_string(tokens.size() - 1) +
                                 " words: 'caption.most' of the task says how many it may have");
    auto whole = writer.whole(tokens, session.options.compile);
    whole.compile.plan_cache = session.options.compile.plan_cache;
    const OriginFinder finder(whole.model, whole.compile);
    auto filled_in = filled(whole.task, whole.model, finder);
    session.one_step = Session::OneStep{session.model, std::move(*session.task),
                                        session.options.compile, session.tensors};
    std::map<std::string, Tensor> tensors;
    for (const auto& [before, now] : whole.inputs)
      if (auto taken = session.tensors.extract(before)) tensors[now] = std::move(taken.mapped());
    for (auto& [name, tensor] : whole.words) tensors[name] = std::move(tensor);
    session.tensors = std::move(tensors);
    session.model = std::move(whole.model);
    session.task = std::move(filled_in);
    session.options.compile = std::move(whole.compile);
    session.logits = finder.find_logits();
    session.tokens = words != nullptr ? std::move(tokens) : std::vector<std::int64_t>();
  });
}

void forget_caption(Session& session) {
  if (!session.one_step) return;
  session.model = std::move(session.one_step->model);
  session.task = std::move(session.one_step->task);
  session.options.compile = std::move(session.one_step->compile);
  session.tensors = std::move(session.one_step->tensors);
  session.one_step.reset();
}

std::optional<std::vector<std::int64_t>> given_tokens(const Session& session) {
  if (!session.task || session.task->kind != TaskKind::caption) return std::nullopt;
  if (session.writer) return session.tokens.empty() ? std::nullopt : std::optional(session.tokens);
  const auto& request = session.request;
  for (const auto& [name, input] : session.task->inputs) {
    if (input.role != InputRole::tokens || input.step) continue;
    if (const auto it = request.questions.find(name); it != request.questions.end())
      return tokens_of(*session.task, it->second);
    if (!request.inputs.contains(name)) continue;
    auto tokens = tokens_in(*session.task, session.tensors.at(name));
    if (tokens.size() > 1) return tokens;
  }
  return std::nullopt;
}

void find_given(Session& session, const std::vector<std::int64_t>& tokens) {
  const auto& task = *session.task;
  auto& found = *session.found;
  found.words = given_words(task, session.outputs, tokens, session.logits);
  std::size_t rows = 0;
  for (const auto& name : task.outputs.at(OutputRole::scores))
    rows += session.outputs.at(name).data.size() / task.names.size();
  found.guesses.clear();
  for (std::size_t row = 0; row < std::min(rows, found.words.size() + 1); ++row)
    found.guesses.push_back(
        decode_word(task, session.outputs, static_cast<std::int64_t>(row), session.logits));
}

}  // namespace fovea::request
