#include "request/texts.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "fovea/target_text.hpp"
#include "request/text.hpp"

namespace fovea::request {
namespace {

using Kind = RequestTarget::Kind;
using Word = TargetText::Word;

constexpr const char* kPooled = "gradcam";
constexpr const char* kElementwise = "hirescam";

std::int64_t number(const Word& word, std::int64_t least) {
  std::int64_t out = 0;
  const auto& text = word.argument.value_or("");
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, out);
  if (failure != std::errc() || rest != end || out < least)
    throw Error(ErrorCode::invalid_argument, "the target '" + word.kind + ":" + text + "' wants " +
                                                 "a whole number from " + std::to_string(least) +
                                                 " behind its colon");
  return out;
}

const Word* class_word(const TargetText::Term& term) {
  const auto* word = std::get_if<Word>(&term.of);
  return word != nullptr && word->kind == "class" && !word->of_class ? word : nullptr;
}

bool is_text(const RequestTarget& target) {
  return target.kind == Kind::text;
}

}  // namespace

void prepare_texts(Session& session, const CallOptions& call) {
  auto& request = session.request;
  auto& prepare = session.options.prepare;
  std::vector<TargetText> texts;
  for (const auto& target : request.targets)
    if (is_text(target)) texts.push_back(parse_target(target.text));
  if (texts.empty()) return;
  std::set<std::string> known;
  prepare.target_values.clear();
  if (texts.size() < request.targets.size()) prepare.target_values.emplace_back();
  for (const auto& text : texts) {
    if (text.has_words())
      throw Error(ErrorCode::invalid_argument,
                  "the target '" + to_text(text) + "' is a task's: say which with --task");
    for (auto& name : text.values())
      if (known.insert(name).second) prepare.target_values.push_back(std::move(name));
  }

  auto options = session.options;
  options.prepare.methods.clear();
  options.prepare.layers.clear();
  options.compile.tuning = Tuning::off;
  const auto values = in_file(request.model.file, [&] {
    return timed(session.times.create,
                 [&] { return Explainer(session.model, options, call).target_values(); });
  });
  prepare.targets.clear();
  for (const auto& text : texts) prepare.targets.push_back(target_of(text, values));
  const bool free = std::exchange(request.method_by_target, false);
  if (!free || request.methods.size() != 1 || request.methods.front().name != kPooled ||
      !is_local(texts.front(), values))
    return;
  request.methods.front().name = kElementwise;
  session.warnings.push_back(
      std::string("the target is one place among many: ") + kElementwise + " in place of " +
      kPooled + ", which pools the gradient and so forgets where it was (--method says otherwise)");
}

Target target_of_text(const RequestTarget& target, const Explainer& explainer) {
  return target_of(parse_target(target.text), explainer.target_values());
}

}  // namespace fovea::request

namespace fovea {

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
  if (const auto* word = text.word(); word != nullptr && !word->of_class) {
    if (word->kind == "class") {
      target.value = number(*word, 0);
      become(Kind::class_index);
    } else if (word->kind == "top") {
      target.value = number(*word, 1) - 1;
      become(Kind::ranked);
    } else if (word->argument && word->kind == "label") {
      target.label = *word->argument;
      become(Kind::label);
    } else if (word->argument && (word->kind == "similar" || word->kind == "cosine")) {
      target.image.file = *word->argument;
      target.similarity = word->kind == "cosine" ? RequestTarget::Similarity::cosine
                                                 : RequestTarget::Similarity::dot;
      become(Kind::similar_to);
    }
    return target;
  }
  const auto& terms = text.terms;
  if (terms.size() == 2 && terms[0].factor == 1 && terms[1].factor == -1 && class_word(terms[0]) &&
      class_word(terms[1])) {
    target.value = number(*class_word(terms[0]), 0);
    target.minus = number(*class_word(terms[1]), 0);
    become(Kind::class_index);
  }
  return target;
}

}  // namespace fovea
