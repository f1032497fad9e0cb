#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/target.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// What a TargetText is made of.
namespace target_text {

/// One place of an extent, or begin <= place < end, where an end left out is the extent's.
struct Range {
  std::int64_t begin = 0;
  std::optional<std::int64_t> end = {};
  bool is_range = false;
  friend bool operator==(const Range&, const Range&) = default;
};
struct Value {
  enum class Of { element, sum, mean };
  std::string name = {};
  std::vector<Range> at = {};  ///< none: all of it
  Of of = Of::element;
  friend bool operator==(const Value&, const Value&) = default;
};
/// What a task has a word for.
struct Word {
  std::string kind = {};                     ///< "action", "box", "pixel", ...
  std::optional<std::string> argument = {};  ///< behind the colon
  std::optional<std::string> of_class = {};  ///< behind the @
  bool quoted = false;                       ///< the argument was
  friend bool operator==(const Word&, const Word&) = default;
};
struct Term {
  double factor = 1;
  std::variant<Value, Word> of = {};
  friend bool operator==(const Term&, const Term&) = default;
};

}  // namespace target_text

/// A target as it is written on a command line, in a request and in what a result was made with:
///
///     logits[0,5]                      one number of a named value
///     logits[0,5]-logits[0,3]          a difference; + and factors (0.5*logits[0,3]) likewise
///     mean(seg[0,1,40:60,40:60])       sum(...) or mean(...) over ranges; `:` is all of an extent
///     action:2    pixel:12,40@person   a word of a task, `:` and its argument, `@` and a class
///
/// Indices are the value's own, as in NumPy: from 0, negative ones from the end, the images'
/// extent with them or without. A name or an argument in double quotes may hold anything.
struct TargetText {
  using Range = target_text::Range;
  using Value = target_text::Value;
  using Word = target_text::Word;
  using Term = target_text::Term;
  std::vector<Term> terms = {};

  /// The only term, where it is a word and its factor 1; else null.
  const Word* word() const {
    return terms.size() == 1 && terms[0].factor == 1 ? std::get_if<Word>(&terms[0].of) : nullptr;
  }
  bool has_words() const {
    for (const auto& term : terms)
      if (std::holds_alternative<Word>(term.of)) return true;
    return false;
  }
  /// Names of the values, each once.
  FOVEA_API std::vector<std::string> values() const;
  friend bool operator==(const TargetText&, const TargetText&) = default;
};

/// Words that begin a term: class, label, top, pixel, mask, box, boxes, char, text, answer, word,
/// words, caption, action, value, advantage, similar, cosine. Any other name is a value's.
FOVEA_API const std::vector<std::string>& target_words();

/// Throws Error invalid_argument that says what is wrong, and where in the text.
FOVEA_API TargetText parse_target(std::string_view text);

/// The same target in its one form.
FOVEA_API std::string to_text(const TargetText& target);

/// Of a text without words. `values` has all that it names (Explainer::target_values). Throws Error
/// invalid_argument for indices that the value does not have, and for several numbers that nothing
/// makes one of.
FOVEA_API Target target_of(const TargetText& text, const std::vector<TargetValue>& values);

/// Of class:3, class:3-class:5 and top:2 (the second best), which need no task and no labels; none
/// for any other text. Throws Error invalid_argument for a number that no class has.
FOVEA_API std::optional<Target> class_target(const TargetText& text);

/// True where the text asks for a part of positions: some of its values have several extents above
/// one, and it takes a small part of them (so pooling the gradient would forget which).
FOVEA_API bool is_local(const TargetText& text, const std::vector<TargetValue>& values);

}  // namespace fovea
