#include <charconv>

#include "fovea/target_text.hpp"

namespace fovea {
namespace {

using Word = TargetText::Word;

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

}  // namespace

std::optional<Target> class_target(const TargetText& text) {
  if (const auto* word = text.word(); word != nullptr && !word->of_class) {
    if (word->kind == "class") return Target::class_index(number(*word, 0));
    if (word->kind == "top") return Target::ranked(number(*word, 1) - 1);
    return std::nullopt;
  }
  const auto& terms = text.terms;
  if (terms.size() != 2 || terms[0].factor != 1 || terms[1].factor != -1) return std::nullopt;
  const auto* one = class_word(terms[0]);
  const auto* other = class_word(terms[1]);
  if (one == nullptr || other == nullptr) return std::nullopt;
  return Target::difference(number(*one, 0), number(*other, 0));
}

}  // namespace fovea
