#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "engine/ops/elementwise.hpp"
#include "engine/ops/matmul.hpp"
#include "engine/ops/permute.hpp"

namespace fovea::engine {
namespace {

using graph::Einsum;

bool has(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

/// "ab,bc->ac" taken apart, with the extents that the letters have.
struct Equation {
  std::vector<std::string> terms;  // of the operands
  std::string result;
  std::vector<Shape> shapes;  // of the operands
  std::map<char, std::int64_t> extents;

  Equation(const Einsum& op, const ForwardContext& c) {
    const auto arrow = op.equation.find("->");
    std::string left = op.equation.substr(0, arrow);
    result = op.equation.substr(arrow + 2);
    for (std::size_t i = 0; i < c.inputs(); ++i) {
      const auto comma = left.find(',');
      terms.push_back(left.substr(0, comma));
      left.erase(0, comma == std::string::npos ? comma : comma + 1);
      shapes.push_back(c.in_shape(i));
      for (std::size_t d = 0; d < terms[i].size(); ++d) {
        auto& extent = extents[terms[i][d]];
        extent = std::max(extent, shapes[i][d]);
      }
    }
  }

  Shape shape_of(const std::string& letters) const {
    Shape out;
    for (const char letter : letters) out.push_back(extents.at(letter));
    return out;
  }
  std::int64_t count(const std::string& letters) const {
    std::int64_t n = 1;
    for (const char letter : letters) n *= extents.at(letter);
    return n;
  }
  /// The letters of operand i, each once, without those whose extent of 1 is broadcast.
  std::string present(std::size_t i) const {
    std::string out;
    for (std::size_t d = 0; d < terms[i].size(); ++d)
      if (!has(out, terms[i][d]) && shapes[i][d] == extents.at(terms[i][d])) out += terms[i][d];
    return out;
  }
  /// What operand i is reduced to before the product: no letter that it alone is summed over.
  std::string reduced(std::size_t i) const {
    const std::string other = terms.size() > 1 ? present(1 - i) : "";
    std::string out;
    for (const char letter : present(i))
      if (has(result, letter) || has(other, letter)) out += letter;
    return out;
  }
  /// True where operand i, as it lies, has the letters that it is reduced to.
  bool is_reduced(std::size_t i) const { return reduced(i) == terms[i]; }
  bool repeats(std::size_t i) const {
    for (std::size_t d = 0; d < terms[i].size(); ++d)
      if (terms[i].find(terms[i][d]) != d) return true;
    return false;
  }
  /// How far apart in operand i elements are whose index differs by one along each of `letters`:
  /// along a letter that stands twice, on the diagonal.
  Dims strides(std::size_t i, const std::string& letters) const {
    const Dims own = plain_strides(dims_of(shapes[i]));
    Dims out;
    for (const char letter : letters) {
      std::int64_t stride = 0;
      for (std::size_t d = 0; d < terms[i].size(); ++d)
        if (terms[i][d] == letter) stride += own[d];
      out.push_back(stride);
    }
    return out;
  }
};

/// Visits the offsets by `strides` of every index of `shape`, in order, from index `begin` on.
template <std::size_t N, class Visit>  // visit(std::array<std::int64_t, N> offsets)
void each_offset(const Shape& shape, const std::array<const Dims*, N>& strides, std::int64_t begin,
                 std::int64_t end, Visit&& visit) {
  std::array<std::int64_t, 8> index{};
  std::array<std::int64_t, N> at{};
  auto rest = begin;
  for (std::size_t d = shape.size(); d-- > 0;) {
    index[d] = rest % shape[d];
    rest /= shape[d];
    for (std::size_t k = 0; k < N; ++k) at[k] += index[d] * (*strides[k])[d];
  }
  for (auto i = begin; i < end; ++i) {
    visit(at);
    for (std::size_t d = shape.size(); d-- > 0;) {
      for (std::size_t k = 0; k < N; ++k) at[k] += (*strides[k])[d];
      if (++index[d] < shape[d]) break;
      for (std::size_t k = 0; k < N; ++k) at[k] -= (*strides[k])[d] * shape[d];
      index[d] = 0;
    }
  }
}

struct Term {
  Operand tensor;  // row-major
  std::string letters;
};

/// A term with its axes in another order.
Operand ordered(Builder& b, const Equation& e, const Term& term, const std::string& wanted) {
  if (term.letters == wanted) return term.tensor;
  const Dims own = plain_strides(dims_of(e.shape_of(term.letters)));
  Dims strides;
  for (const char letter : wanted) strides.push_back(own[term.letters.find(letter)]);
  const Operand dst = b.make(plain_desc(e.shape_of(wanted)));
  permute_step(b, term.tensor, dst, e.shape_of(wanted), strides);
  return dst;
}

/// Operand i as the product reads it.
Term reduce(Builder& b, const Equation& e, std::size_t i, const Operand& operand) {
  const std::string kept = e.reduced(i);
  if (e.is_reduced(i)) return {operand, kept};
  std::string summed;
  for (const char letter : e.present(i))
    if (!has(kept, letter)) summed += letter;
  const Shape shape = e.shape_of(kept), inner = e.shape_of(summed);
  const Operand dst = b.make(plain_desc(shape));
  if (summed.empty()) {
    permute_step(b, operand, dst, shape, e.strides(i, kept));
    return {dst, kept};
  }
  b.kernel(
      [shape, inner, from = e.strides(i, kept), along = e.strides(i, summed), n = e.count(kept),
       terms = e.count(summed)](Pointers p) {
        const float* x = floats(p, 0);
        float* y = floats(p, 1);
        base::parallel_for(n, std::max<std::int64_t>(1, kElementGrain / terms),
                           [&, x, y](std::int64_t begin, std::int64_t end) {
                             auto* out = y + begin;
                             each_offset<1>(shape, {&from}, begin, end, [&](const auto& at) {
                               double sum = 0;
                               each_offset<1>(inner, {&along}, 0, terms,
                                              [&](const auto& step) { sum += x[at[0] + step[0]]; });
                               *out++ = static_cast<float>(sum);
                             });
                           });
      },
      {operand}, {dst});
  return {dst, kept};
}

/// The way back: a gradient of what operand i was reduced to, at every element of the operand.
Operand spread(Builder& b, const Equation& e, std::size_t i, const Term& gradient) {
  if (e.is_reduced(i)) return ordered(b, e, gradient, e.terms[i]);
  const Dims own = plain_strides(dims_of(e.shape_of(gradient.letters)));
  const auto stride_of = [&](char letter) {
    const auto at = gradient.letters.find(letter);
    return at == std::string::npos ? 0 : own[at];
  };
  const Operand dst = b.make(plain_desc(e.shapes[i]));
  Dims strides;
  if (!e.repeats(i)) {
    for (const char letter : e.terms[i]) strides.push_back(stride_of(letter));
    permute_step(b, gradient.tensor, dst, e.shapes[i], strides);
    return dst;
  }
  const std::string letters = e.present(i);
  for (const char letter : letters) strides.push_back(stride_of(letter));
  b.kernel(
      [shape = e.shape_of(letters), strides, to = e.strides(i, letters), n = e.count(letters),
       all = stored_elements(dst.desc)](Pointers p) {
        const float* dy = floats(p, 0);
        float* dx = floats(p, 1);
        std::fill(dx, dx + all, 0.f);
        each_offset<2>(shape, {&strides, &to}, 0, n,
                       [&](const auto& at) { dx[at[1]] = dy[at[0]]; });
      },
      {gradient.tensor}, {dst});
  return dst;
}

/// The product of two terms as [batch, left, contracted] x [batch, contracted, right]. Every letter
/// that the result lacks is in both.
Term product(Builder& builder, const Equation& e, const Term& a, const Term& b,
             const std::string& result) {
  std::string batch, left, right, contracted;
  for (const char letter : a.letters) {
    if (!has(b.letters, letter))
      left += letter;
    else
      (has(result, letter) ? batch : contracted) += letter;
  }
  for (const char letter : b.letters)
    if (!has(a.letters, letter)) right += letter;
  const std::int64_t nb = e.count(batch), nl = e.count(left), nk = e.count(contracted),
                     nr = e.count(right);
  const MatrixOperand lhs{
      ordered(builder, e, a, batch + left + contracted), matrix_of({nb, nl, nk}, false), {}};
  const MatrixOperand rhs{
      ordered(builder, e, b, batch + contracted + right), matrix_of({nb, nk, nr}, false), {}};
  const std::string made = batch + left + right;
  Operand out = multiply(builder, lhs, rhs, {nb, nl, nr}, {});
  out.desc = plain_desc(e.shape_of(made));
  return {out, made};
}

}  // namespace

void forward(const Einsum& op, ForwardContext& c) {
  const Equation e(op, c);
  Term term = reduce(c.b, e, 0, c.plain_in(0));
  if (e.terms.size() > 1) term = product(c.b, e, term, reduce(c.b, e, 1, c.plain_in(1)), e.result);
  Operand out = ordered(c.b, e, term, e.result);
  out.desc = plain_desc(c.out_shape());
  c.out(0, out);
}

void backward(const Einsum& op, BackwardContext& c) {
  const Equation e(op, c);
  const Term diff{c.plain_grad(), e.result};
  for (std::size_t i = 0; i < e.terms.size(); ++i) {
    if (!c.wants(i)) continue;
    Term part = diff;
    if (e.terms.size() > 1)
      part = product(c.b, e, diff, reduce(c.b, e, 1 - i, c.plain_factor(1 - i)), e.reduced(i));
    Operand out = spread(c.b, e, i, part);
    out.desc = plain_desc(c.in_shape(i));
    c.send(i, out);
  }
}

}  // namespace fovea::engine
