#include "fovea/target_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/size.hpp"
#include "base/text.hpp"

namespace fovea {
namespace {

using Range = TargetText::Range;
using Term = TargetText::Term;
using Value = TargetText::Value;
using Word = TargetText::Word;

constexpr std::size_t kMaxTerms = 10000;

bool is_word(std::string_view name) {
  const auto& words = target_words();
  return std::find(words.begin(), words.end(), name) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  TargetText run() {
    TargetText out;
    double sign = 1;
    skip_spaces();
    if (taken('-')) sign = -1;
    for (;;) {
      if (out.terms.size() == kMaxTerms) fail("it has too many terms");
      out.terms.push_back(term(sign, out));
      skip_spaces();
      if (at_ == text_.size()) return out;
      if (taken('+'))
        sign = 1;
      else if (taken('-'))
        sign = -1;
      else
        fail("'+' or '-' is expected");
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::invalid_argument,
                "the target '" + std::string(text_) + "' cannot be read: " + what +
                    (at_ < text_.size() ? " at '" + std::string(text_.substr(at_, 20)) + "'"
                                        : " at its end"));
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool taken(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    skip_spaces();
    if (!taken(c)) fail(std::string("'") + c + "' is expected");
  }

  std::optional<double> number() {
    double out = 0;
    const auto [rest, failure] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), out);
    if (failure != std::errc()) return std::nullopt;
    at_ = static_cast<std::size_t>(rest - text_.data());
    return out;
  }
  std::int64_t integer() {
    skip_spaces();
    std::int64_t out = 0;
    const auto [rest, failure] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), out);
    if (failure != std::errc()) fail("a whole number is expected");
    at_ = static_cast<std::size_t>(rest - text_.data());
    return out;
  }

  std::string quoted() {
    std::string out;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (!taken('"')) fail("a '\"' is missing");
    return out;
  }

  Term term(double sign, const TargetText& before) {
    skip_spaces();
    Term out{sign, {}};
    if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) {
      const auto start = at_;
      const auto factor = number();
      skip_spaces();
      if (factor && std::isfinite(*factor) && taken('*'))
        out.factor *= *factor;
      else
        at_ = start;  // a value whose name begins with a digit
    }
    skip_spaces();
    out.of = named(before);
    return out;
  }

  std::variant<Value, Word> named(const TargetText& before) {
    for (const auto& [name, of] :
         {std::pair("sum(", Value::Of::sum), std::pair("mean(", Value::Of::mean)}) {
      const std::string_view start = name;
      if (text_.substr(at_, start.size()) != start) continue;
      at_ += start.size();
      auto out = value(")");
      out.of = of;
      expect(')');
      return out;
    }
    if (at_ < text_.size() && text_[at_] == '"') {
      const auto start = at_;
      auto name = quoted();
      skip_spaces();
      if (at_ < text_.size() && text_[at_] == '[') {
        at_ = start;
        return value("");
      }
      // "O"-"0": the second is what the first was.
      const auto* last =
          before.terms.empty() ? nullptr : std::get_if<Word>(&before.terms.back().of);
      if (last != nullptr && last->quoted) return Word{last->kind, std::move(name), {}, true};
      return Value{std::move(name), {}, Value::Of::element};
    }
    if (auto word = task_word()) return *word;
    return value("");
  }

  /// Where the term that begins here ends: at a '+' or '-' that another term follows.
  bool term_begins(std::size_t at) const {
    while (at < text_.size() && text_[at] == ' ') ++at;
    if (at == text_.size()) return false;
    if (text_[at] == '"') return true;
    const auto rest = text_.substr(at);
    const auto digits = rest.find_first_not_of("0123456789.");
    if (digits != std::string_view::npos && digits > 0 && rest[digits] == '*') return true;
    for (const auto* start : {"sum(", "mean("})
      if (rest.substr(0, std::string_view(start).size()) == start) return true;
    const auto end = rest.find_first_of(":@+-*[ ");
    return is_word(rest.substr(0, end));
  }

  std::optional<Word> task_word() {
    const auto rest = text_.substr(at_);
    const auto end = rest.find_first_of(":@+-[ ");
    const auto kind = rest.substr(0, end);
    if (!is_word(kind)) return std::nullopt;
    if (end != std::string_view::npos && rest[end] == '[') return std::nullopt;
    // A value's name may begin so: what ends in [..] before the next term is one.
    Word out{std::string(kind), {}, {}, false};
    const auto start = at_;
    at_ += kind.size();
    if (taken(':')) out.argument = argument(out.quoted, true);
    if (taken('@')) {
      bool any = false;
      out.of_class = argument(any, false);
    }
    if (!out.quoted && out.argument && out.argument->ends_with(']') &&
        out.argument->find('[') != std::string::npos) {
      at_ = start;
      return std::nullopt;
    }
    return out;
  }

  std::string argument(bool& was_quoted, bool may_have_class) {
    if (at_ < text_.size() && text_[at_] == '"') {
      was_quoted = true;
      return quoted();
    }
    const auto start = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (may_have_class && c == '@') break;
      if ((c == '+' || c == '-') && at_ > start && term_begins(at_ + 1)) break;
      ++at_;
    }
    auto out = std::string(text_.substr(start, at_ - start));
    while (out.ends_with(' ')) out.pop_back();
    if (out.empty()) fail("something is missing");
    return out;
  }

  Value value(std::string_view ends) {
    Value out;
    skip_spaces();
    if (at_ < text_.size() && text_[at_] == '"') {
      out.name = quoted();
    } else {
      const auto end = text_.find_first_of("[" + std::string(ends), at_);
      const auto last = end == std::string_view::npos ? text_.size() : end;
      out.name = text_.substr(at_, last - at_);
      at_ = last;
    }
    if (out.name.empty()) fail("the name of a value is expected");
    skip_spaces();
    if (!taken('[')) return out;
    do {
      out.at.push_back(range());
      skip_spaces();
    } while (taken(','));
    expect(']');
    return out;
  }

  Range range() {
    skip_spaces();
    Range out;
    if (at_ < text_.size() && text_[at_] != ':') out.begin = integer();
    skip_spaces();
    if (!taken(':')) return out;
    out.is_range = true;
    skip_spaces();
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ']') out.end = integer();
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::string in_quotes(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string to_text(double value) {
  // No exponent, whose sign would be another term's; 2^1024 has 309 digits, 2^-1074 767.
  char buffer[1200];
  *std::to_chars(buffer, buffer + sizeof buffer - 1, value, std::chars_format::fixed).ptr = '\0';
  return buffer;
}

std::string to_text(const Value& value, bool in_quotes_always = false) {
  auto out = value.name;
  // Quotes where the name would be read otherwise.
  const bool plain = !out.empty() && out.find_first_of("\"[]()+-* ") == std::string::npos &&
                     !is_digit(out[0]) && out[0] != '.' &&
                     (!is_word(out.substr(0, out.find(':'))) || !value.at.empty());
  if (!plain || in_quotes_always) out = in_quotes(out);
  if (!value.at.empty()) {
    out += '[';
    for (std::size_t i = 0; i < value.at.size(); ++i) {
      const auto& range = value.at[i];
      if (i > 0) out += ',';
      if (!range.is_range || range.begin != 0) out += std::to_string(range.begin);
      if (range.is_range) out += ':';
      if (range.end) out += std::to_string(*range.end);
    }
    out += ']';
  }
  if (value.of == Value::Of::element) return out;
  return (value.of == Value::Of::sum ? "sum(" : "mean(") + out + ")";
}

std::string to_text(const Word& word) {
  auto out = word.kind;
  const auto argument = [](const std::string& text) {
    return text.find_first_of("\"@+- ") == std::string::npos ? text : in_quotes(text);
  };
  if (word.argument)
    out += ":" + (word.quoted ? in_quotes(*word.argument) : argument(*word.argument));
  if (word.of_class) out += "@" + argument(*word.of_class);
  return out;
}

[[noreturn]] void refuse(const Value& value, const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, "the target " + to_text(value) + ": " + sentence);
}

struct Part {
  std::int64_t begin = 0, end = 0;  ///< of one extent
};

/// What is asked for of each extent of one image's part.
std::vector<Part> parts_of(const Value& asked, const TargetValue& value) {
  auto at = asked.at;
  const auto& shape = value.shape;
  const auto rank = shape.size();
  if (at.empty()) at.assign(rank, Range{0, {}, true});
  if (value.of_images && at.size() == rank + 1) {
    const auto& images = at.front();
    if (images.is_range ? images.begin != 0 || images.end : images.begin != 0)
      refuse(asked,
             "the first index counts the images, and every image is explained by itself: "
             "write 0, ':' or leave it out");
    at.erase(at.begin());
  }
  if (at.size() != rank)
    refuse(asked, "the value is " + base::text(shape) + " of an image, and " +
                      std::to_string(asked.at.size()) + " indices are given");
  std::vector<Part> out;
  for (std::size_t d = 0; d < rank; ++d) {
    const auto& range = at[d];
    const auto extent = shape[d];
    if (extent < 0) {
      if (range.is_range)
        refuse(asked, "how many there are the data decide: write an index where the value is " +
                          base::text(shape));
      out.push_back({range.begin, range.begin + 1});
      continue;
    }
    const auto place = [&](std::int64_t i) { return i < 0 ? i + extent : i; };
    Part part{place(range.begin), 0};
    part.end = range.is_range ? (range.end ? place(*range.end) : extent) : part.begin + 1;
    if (part.begin < 0 || part.end > extent || part.begin >= part.end)
      refuse(asked,
             "index " + std::to_string(range.begin) +
                 (range.is_range ? ":" + (range.end ? std::to_string(*range.end) : "") : "") +
                 " is out of range: the value is " + base::text(shape) + " of an image");
    out.push_back(part);
  }
  return out;
}

std::int64_t count_of(const std::vector<Part>& parts) {
  std::int64_t out = 1;
  for (const auto& part : parts) out *= part.end - part.begin;
  return out;
}

const TargetValue& find(const std::vector<TargetValue>& values, const Value& asked) {
  for (const auto& value : values)
    if (value.name == asked.name) return value;
  refuse(asked, "the explainer does not read this value");
}

/// For every place, in order.
template <class Each>
void each_place(const std::vector<Part>& parts, Each&& each) {
  Shape at;
  for (const auto& part : parts) at.push_back(part.begin);
  for (;;) {
    each(at);
    std::size_t d = parts.size();
    while (d > 0 && ++at[d - 1] == parts[d - 1].end) {
      at[d - 1] = parts[d - 1].begin;
      --d;
    }
    if (d == 0) return;
  }
}

struct Weighted {
  std::vector<Part> parts;
  double factor = 1;
};

Weighted weighted(const Term& term, const std::vector<TargetValue>& values) {
  const auto* asked = std::get_if<Value>(&term.of);
  if (asked == nullptr) {
    const auto& word = std::get<Word>(term.of);
    throw Error(ErrorCode::invalid_argument,
                "the target " + to_text(word) + " is a task's: say which with --task");
  }
  Weighted out{parts_of(*asked, find(values, *asked)), term.factor};
  const auto count = count_of(out.parts);
  if (asked->of == Value::Of::element && count != 1)
    refuse(*asked, "these are " + std::to_string(count) +
                       " numbers and a target is one: write an index for each extent, or sum(...) "
                       "or mean(...)");
  if (asked->of == Value::Of::mean) out.factor /= static_cast<double>(count);
  return out;
}

}  // namespace

const std::vector<std::string>& target_words() {
  static const std::vector<std::string> words{
      "class",  "label", "top",   "pixel",   "mask",   "box",   "boxes",     "char",    "text",
      "answer", "word",  "words", "caption", "action", "value", "advantage", "similar", "cosine"};
  return words;
}

std::vector<std::string> TargetText::values() const {
  std::vector<std::string> out;
  for (const auto& term : terms)
    if (const auto* value = std::get_if<Value>(&term.of))
      if (std::find(out.begin(), out.end(), value->name) == out.end()) out.push_back(value->name);
  return out;
}

TargetText parse_target(std::string_view text) {
  return Parser(text).run();
}

std::string to_text(const TargetText& target) {
  std::string out;
  const Word* last = nullptr;
  for (const auto& term : target.terms) {
    const auto* word = std::get_if<Word>(&term.of);
    if (term.factor < 0)
      out += "-";
    else if (!out.empty())
      out += "+";
    if (std::abs(term.factor) != 1) out += to_text(std::abs(term.factor)) + "*";
    // As it is typed: text:"O"-"0".
    const bool same = word != nullptr && word->quoted && !word->of_class && last != nullptr &&
                      last->quoted && last->kind == word->kind;
    if (same)
      out += in_quotes(*word->argument);
    else
      // A word's argument goes on up to what cannot be part of it.
      out += word != nullptr ? to_text(*word) : to_text(std::get<Value>(term.of), last != nullptr);
    last = word;
  }
  return out;
}

Target target_of(const TargetText& text, const std::vector<TargetValue>& values) {
  if (text.terms.empty()) throw Error(ErrorCode::invalid_argument, "a target has no terms");
  std::vector<Weighted> all;
  std::int64_t count = 0;
  for (const auto& term : text.terms) {
    all.push_back(weighted(term, values));
    count += count_of(all.back().parts);
  }
  const auto names = text.values();
  const auto& value = find(values, std::get<Value>(text.terms.front().of));
  const bool open = std::find(value.shape.begin(), value.shape.end(), -1) != value.shape.end();
  if (names.size() == 1 && count > std::ssize(text.terms) && !open) {
    base::Size size = 1;
    for (const auto extent : value.shape) size = size * base::Size(extent);
    std::vector<float> factors(static_cast<std::size_t>(size.n), 0.F);
    for (const auto& one : all)
      each_place(one.parts, [&](const Shape& at) {
        std::int64_t place = 0;
        for (std::size_t d = 0; d < at.size(); ++d) place = place * value.shape[d] + at[d];
        factors[static_cast<std::size_t>(place)] += static_cast<float>(one.factor);
      });
    return Target::weighted(std::move(factors), value.name);
  }
  std::vector<Target::Sum::Term> terms;
  for (std::size_t i = 0; i < all.size(); ++i)
    each_place(all[i].parts, [&](const Shape& at) {
      terms.push_back({std::get<Value>(text.terms[i].of).name, at, all[i].factor});
    });
  return Target::sum(std::move(terms));
}

bool is_local(const TargetText& text, const std::vector<TargetValue>& values) {
  constexpr double kSmall = 0.25;
  constexpr std::int64_t kManyMore = 8;  // rows of boxes than numbers of each
  constexpr std::int64_t kMany = 1000;   // where the data decide
  for (const auto& term : text.terms) {
    const auto* asked = std::get_if<Value>(&term.of);
    if (asked == nullptr) continue;
    const auto& value = find(values, *asked);
    const auto parts = parts_of(*asked, value);
    // All extents but the classes' are positions.
    const auto rank = parts.size();
    if (rank < 2) continue;
    auto shape = value.shape;
    std::replace(shape.begin(), shape.end(), std::int64_t{-1}, kMany);
    const bool rows_last = rank == 2 && shape[1] >= kManyMore * shape[0];
    const std::size_t classes = rank == 2 && !rows_last ? 1 : 0;
    double share = 1;
    for (std::size_t d = 0; d < rank; ++d)
      if (d != classes)
        share *= static_cast<double>(parts[d].end - parts[d].begin) / static_cast<double>(shape[d]);
    if (share < kSmall) return true;
  }
  return false;
}

}  // namespace fovea
