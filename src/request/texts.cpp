#include "request/texts.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "fovea/asking.hpp"
#include "fovea/target_text.hpp"
#include "fovea/task_target.hpp"
#include "request/own_layers.hpp"
#include "request/tasks.hpp"
#include "request/text.hpp"
#include "request/words.hpp"

namespace fovea::request {
namespace {

using Kind = RequestTarget::Kind;
using Word = TargetText::Word;

constexpr const char* kPooled = "gradcam";
constexpr const char* kElementwise = "hirescam";

bool is_text(const RequestTarget& target) {
  return target.kind == Kind::text;
}

bool has_words(const std::vector<RequestTarget>& targets) {
  return std::any_of(targets.begin(), targets.end(), [](const RequestTarget& target) {
    return is_text(target) && parse_target(target.text).has_words();
  });
}

/// HiResCAM for what is one place, where nobody chose.
void choose_method(Session& session, bool local) {
  auto& request = session.request;
  const bool free = std::exchange(request.method_by_target, false);
  if (!free || !local || request.methods.size() != 1 || request.methods.front().name != kPooled)
    return;
  request.methods.front().name = kElementwise;
  session.warnings.push_back(
      std::string("the target is one place among many: ") + kElementwise + " in place of " +
      kPooled + ", which pools the gradient and so forgets where it was (--method says otherwise)");
}

/// Texts of numbers alone.
void prepare_numbers(Session& session, const CallOptions& call) {
  auto& request = session.request;
  auto& prepare = session.options.prepare;
  std::vector<TargetText> texts;
  for (const auto& target : request.targets)
    if (is_text(target)) texts.push_back(parse_target(target.text));
  std::set<std::string> known;
  prepare.target_values.clear();
  const auto read = [&](std::string name) {
    if (known.insert(name).second) prepare.target_values.push_back(std::move(name));
  };
  for (const auto& target : request.targets)
    if (!is_text(target)) read(value_read(session, target));
  for (const auto& text : texts)
    for (auto& name : text.values()) read(std::move(name));

  const auto options = bare_options(session.options);
  const auto values = in_file(request.model.file, [&] {
    return timed(session.times.create,
                 [&] { return Explainer(session.model, options, call).target_values(); });
  });
  prepare.targets.clear();
  for (const auto& text : texts) prepare.targets.push_back(target_of(text, values));
  choose_method(session, is_local(texts.front(), values));
}

/// Boxes have the default layer of their rows, level by level.
void find_own_layers(Session& session, const std::vector<Worded>& all, const CallOptions& call) {
  session.own_layers.clear();
  if (session.task->kind == TaskKind::caption && session.request.layers.empty() &&
      !session.layer_of_words.empty()) {
    session.own_layers.assign(all.size(), session.layer_of_words);
    return;
  }
  const bool rows = std::any_of(all.begin(), all.end(), [](const auto& one) { return one.row; });
  if (!rows || !session.request.layers.empty()) return;
  const auto options = bare_options(session.options);
  std::map<std::vector<std::string>, std::string> layers;  // by what a target reads: a level's
  for (const auto& one : all) {
    const auto& row = one.row ? *one.row : one.target;
    auto level = values_in(one.target);
    if (const auto* found = row.as<Target::Sum>(); found != nullptr && level == values_in(row))
      level.push_back(shape_text(found->terms.front().at));
    auto& layer = layers[level];
    if (layer.empty()) {
      layer = in_file(session.request.model.file, [&] {
        return timed(session.times.create, [&] {
          return own_layers(session.model, options, one.target, row, call).default_layer;
        });
      });
    }
    session.own_layers.push_back(layer);
  }
}

/// Texts in a task's words: what they are depends on what the network says of the photo.
void prepare_words(Session& session, const CallOptions& call) {
  auto& request = session.request;
  if (!session.task)
    throw Error(ErrorCode::invalid_argument, "the target '" + request.targets.front().text +
                                                 "' is in a task's words: say which with --task");
  if (session.asked.empty()) session.asked = request.targets;
  find(session, call);
  request.targets.clear();
  session.resolved.clear();
  bool local = false;
  std::vector<Worded> all;
  for (const auto& target : session.asked) {
    if (!is_text(target))
      throw Error(ErrorCode::invalid_argument,
                  "targets in a task's words and others are not explained in one call");
    const auto text = parse_target(target.text);
    for (const auto& term : text.terms) {
      const auto* word = std::get_if<Word>(&term.of);
      local = local || (word != nullptr && is_local(*word));
    }
    for (auto& one : worded(text, session)) {
      request.targets.emplace_back(target).text = one.text;
      one.target.negated = one.target.negated != target.negated;
      session.resolved.push_back(one.target);
      all.push_back(std::move(one));
    }
  }
  session.options.prepare.target_values.clear();
  session.options.prepare.targets = session.resolved;
  choose_method(session, local);
  find_own_layers(session, all, call);
}

}  // namespace

void prepare_texts(Session& session, const CallOptions& call) {
  const auto& targets = session.asked.empty() ? session.request.targets : session.asked;
  if (has_words(targets))
    prepare_words(session, call);
  else if (std::any_of(targets.begin(), targets.end(), is_text))
    prepare_numbers(session, call);
}

Target target_of_text(const RequestTarget& target, const Explainer& explainer) {
  return target_of(parse_target(target.text), explainer.target_values());
}

}  // namespace fovea::request

namespace fovea {

bool follows_photo(const Session& session) {
  return session.writer.has_value() ||
         request::has_words(session.asked.empty() ? session.request.targets : session.asked);
}

std::vector<std::string> files_in_text(const RequestTarget& target) {
  if (target.kind != RequestTarget::Kind::text) return {};
  try {
    return request::files_of(parse_target(target.text));
  } catch (const Error&) {
    return {};
  }
}

RequestTarget target_from_text(const std::string& asked) {
  using namespace request;
  RequestTarget target;
  target.kind = Kind::text;
  target.text = asked;
  const auto text = parse_target(asked);
  const auto become = [&](Kind kind) {
    target.kind = kind;
    target.text.clear();
  };
  if (const auto of_class = class_target(text)) {
    if (const auto* ranked = of_class->as<Target::Ranked>()) {
      target.value = ranked->rank;
      become(Kind::ranked);
    } else if (const auto* pair = of_class->as<Target::Difference>()) {
      target.value = pair->index;
      target.minus = pair->minus;
      become(Kind::class_index);
    } else {
      target.value = of_class->as<Target::Class>()->index;
      become(Kind::class_index);
    }
    return target;
  }
  const auto* word = text.word();
  if (word == nullptr || word->of_class || !word->argument) return target;
  if (word->kind == "label") {
    target.label = *word->argument;
    become(Kind::label);
  } else if (word->kind == "similar" || word->kind == "cosine") {
    target.image.file = *word->argument;
    target.similarity =
        word->kind == "cosine" ? RequestTarget::Similarity::cosine : RequestTarget::Similarity::dot;
    become(Kind::similar_to);
  }
  return target;
}

}  // namespace fovea
