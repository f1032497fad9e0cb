#include <algorithm>
#include <map>

#include "graph/infer/context.hpp"

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
      if (term.letters.find(ch) != std::string::npos)
        unsupported("an Einsum term that repeats a letter");
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

void replace_ellipsis(Term& term, const std::string& letters) {
  if (term.has_ellipsis) term.letters.insert(term.ellipsis, letters);
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

void infer_op(Einsum& op, InferContext& c) {
  std::string equation;
  for (const char ch : op.equation)
    if (ch != ' ') equation += ch;
  // Eight dimensions per operand: anything longer is wrong before it is parsed.
  if (equation.size() > 64) bad_model("the equation is too long");
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
  if (terms.size() != c.input_count())
    bad_model("the equation has " + std::to_string(terms.size()) + " terms for " +
              std::to_string(c.input_count()) + " inputs");
  if (terms.size() > 2) unsupported("Einsum of more than two operands");

  Term output;
  if (is_explicit)
    output = parse_term(std::string_view(equation).substr(arrow + 2));
  else
    output.letters = implicit_output(terms);

  // The ellipsis stands for the dimensions that the letters leave over, the same for every term.
  std::string used = output.letters;
  std::size_t hidden = 0;
  bool any = false;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    c.require(t, DType::f32);
    used += terms[t].letters;
    const auto rank = c.shape(t).size();
    const auto named = terms[t].letters.size();
    if (rank < named || (rank > named && !terms[t].has_ellipsis))
      bad_model("a term of the equation does not fit the shape " + text(c.shape(t)));
    if (!terms[t].has_ellipsis) continue;
    if (any && hidden != rank - named) unsupported("an Einsum ellipsis that broadcasts");
    hidden = rank - named;
    any = true;
  }
  if (output.has_ellipsis && !any) bad_model("only the output has an ellipsis");
  const auto letters = fresh_letters(used, hidden);
  for (auto& term : terms) replace_ellipsis(term, letters);
  if (is_explicit)
    replace_ellipsis(output, letters);
  else
    output.letters.insert(0, letters);

  std::map<char, std::int64_t> extents;
  for (std::size_t t = 0; t < terms.size(); ++t)
    for (std::size_t d = 0; d < terms[t].letters.size(); ++d) {
      const auto extent = c.shape(t)[d];
      if (extent < 1) bad_model("an operand has an empty extent");
      const auto [it, is_new] = extents.emplace(terms[t].letters[d], extent);
      if (!is_new && it->second != extent)
        bad_model(std::string("the letter ") + terms[t].letters[d] + " stands for " +
                  std::to_string(it->second) + " and for " + std::to_string(extent));
    }
  Shape out;
  for (const char ch : output.letters) {
    const auto it = extents.find(ch);
    if (it == extents.end()) bad_model("the output has a letter that no operand has");
    out.push_back(it->second);
  }
  op.equation =
      terms[0].letters + (terms.size() > 1 ? "," + terms[1].letters : "") + "->" + output.letters;
  c.set_output(DType::f32, std::move(out));
}

}  // namespace fovea::graph::detail
