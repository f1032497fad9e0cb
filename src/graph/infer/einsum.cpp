#include <algorithm>
#include <map>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/einsum.hpp"

namespace fovea::graph::detail {
namespace {

struct Term {
  std::string letters;       ///< without the ellipsis
  std::size_t ellipsis = 0;  ///< where it stands in `letters`
  bool has_ellipsis = false;
};

Term parse_term(std::string_view source) {
  Term term;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char ch = source[i];
    if (ch == '.') {
      if (term.has_ellipsis || source.substr(i, 3) != "...")
        bad_model("the equation has a misplaced dot");
      term.has_ellipsis = true;
      term.ellipsis = term.letters.size();
      i += 2;
    } else if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')) {
      term.letters += ch;
    } else {
      bad_model("the equation has a character that is not a letter");
    }
  }
  return term;
}

/// `count` letters that the equation does not use, for the dimensions of the ellipsis.
std::string fresh_letters(const std::string& used, std::size_t count) {
  std::string out;
  for (char ch = 'A'; ch <= 'z' && out.size() < count; ++ch)
    if (((ch <= 'Z') || (ch >= 'a')) && used.find(ch) == std::string::npos) out += ch;
  if (out.size() < count) unsupported("an equation with more than 52 dimensions");
  return out;
}

/// The ellipsis of a term of `rank` dimensions stands for the last ones of `letters`, as numpy
/// lines up shapes.
void replace_ellipsis(Term& term, const std::string& letters, std::size_t rank) {
  if (!term.has_ellipsis) return;
  const auto hidden = rank - term.letters.size();
  term.letters.insert(term.ellipsis, letters.substr(letters.size() - hidden));
}

/// Letter by letter the extent of all operands. One of 1 is broadcast to the others', but not along
/// the diagonal of its own operand.
std::map<char, std::int64_t> extents_of(const std::vector<Term>& terms,
                                        const std::vector<Shape>& shapes) {
  const auto contradict = [](char letter, std::int64_t a, std::int64_t b) {
    bad_model(std::string("the letter ") + letter + " stands for " + std::to_string(a) +
              " and for " + std::to_string(b));
  };
  std::map<char, std::int64_t> all;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    std::map<char, std::int64_t> own;
    for (std::size_t d = 0; d < terms[t].letters.size(); ++d) {
      const char letter = terms[t].letters[d];
      const auto extent = shapes[t][d];
      if (extent < 1) unsupported("Einsum of an operand with an empty extent");
      const auto [it, is_new] = own.emplace(letter, extent);
      if (!is_new && it->second != extent) contradict(letter, it->second, extent);
    }
    for (const auto& [letter, extent] : own) {
      auto& known = all.emplace(letter, extent).first->second;
      if (known != 1 && extent != 1 && known != extent) contradict(letter, known, extent);
      known = std::max(known, extent);
    }
  }
  return all;
}

/// Letters that stand in one term only, in alphabetical order: numpy's implicit output.
std::string implicit_output(const std::vector<Term>& terms) {
  std::map<char, int> count;
  for (const auto& term : terms)
    for (const char ch : term.letters) ++count[ch];
  std::string out;
  for (const auto& [ch, n] : count)
    if (n == 1) out += ch;
  return out;
}

}  // namespace

std::string EinsumTerms::equation() const {
  std::string out;
  for (std::size_t i = 0; i < operands.size(); ++i) out += (i == 0 ? "" : ",") + operands[i];
  return out + "->" + result;
}

Shape EinsumTerms::shape_of(std::string_view letters) const {
  Shape out;
  for (const char letter : letters) out.push_back(extents.at(letter));
  return out;
}

EinsumTerms resolve_einsum(std::string_view source, const std::vector<Shape>& shapes) {
  std::string equation;
  for (const char ch : source)
    if (ch != ' ') equation += ch;
  // Eight dimensions per operand: anything longer is wrong before it is parsed.
  if (equation.size() > 32 * (shapes.size() + 1)) bad_model("the equation is too long");
  const auto arrow = equation.find("->");
  const bool is_explicit = arrow != std::string::npos;
  std::string_view rest = std::string_view(equation).substr(0, arrow);
  std::vector<Term> terms;
  for (bool more = true; more;) {
    const auto comma = rest.find(',');
    terms.push_back(parse_term(rest.substr(0, comma)));
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  if (terms.size() != shapes.size())
    bad_model("the equation has " + std::to_string(terms.size()) + " terms for " +
              std::to_string(shapes.size()) + " inputs");

  Term output;
  if (is_explicit)
    output = parse_term(std::string_view(equation).substr(arrow + 2));
  else
    output.letters = implicit_output(terms);

  // The ellipsis stands for the dimensions that the letters leave over.
  std::string used = output.letters;
  std::size_t hidden = 0;
  bool any = false;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    used += terms[t].letters;
    const auto rank = shapes[t].size();
    const auto named = terms[t].letters.size();
    if (rank < named || (rank > named && !terms[t].has_ellipsis))
      bad_model("a term of the equation does not fit the shape " + text(shapes[t]));
    if (!terms[t].has_ellipsis) continue;
    hidden = std::max(hidden, rank - named);
    any = true;
  }
  if (output.has_ellipsis && !any) bad_model("only the output has an ellipsis");
  if (is_explicit && hidden > 0 && !output.has_ellipsis)
    bad_model("the operands have an ellipsis that the output lacks");
  const auto letters = fresh_letters(used, hidden);
  for (std::size_t t = 0; t < terms.size(); ++t)
    replace_ellipsis(terms[t], letters, shapes[t].size());
  if (is_explicit)
    replace_ellipsis(output, letters, output.letters.size() + hidden);
  else
    output.letters.insert(0, letters);

  EinsumTerms out{{}, output.letters, extents_of(terms, shapes)};
  for (const auto& term : terms) out.operands.push_back(term.letters);
  for (std::size_t i = 0; i < output.letters.size(); ++i) {
    const char letter = output.letters[i];
    if (output.letters.find(letter) != i) bad_model("the output repeats a letter");
    if (!out.extents.contains(letter)) bad_model("the output has a letter that no operand has");
  }
  return out;
}

void infer_op(Einsum& op, InferContext& c) {
  if (c.input_count() > kMaxEinsumOperands) unsupported("Einsum of more than 26 operands");
  std::vector<Shape> shapes;
  for (std::size_t t = 0; t < c.input_count(); ++t) {
    c.require_real_or_constant(t);
    c.require(t, c.type(0));
    shapes.push_back(c.shape(t));
  }
  const auto terms = resolve_einsum(op.equation, shapes);
  if (shapes.size() > 2) bad_model("Einsum of more than two operands that was not taken apart");
  if (terms.result.size() > static_cast<std::size_t>(base::kMaxRank))
    unsupported("Einsum with a result of more than 8 dimensions");
  op.equation = terms.equation();
  c.set_output(c.type(0), terms.shape_of(terms.result));
}

}  // namespace fovea::graph::detail
