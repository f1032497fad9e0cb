#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.hpp"
#include "engine/ops/matmul.hpp"
#include "engine/ops/permute.hpp"

namespace fovea::engine {
namespace {

using graph::Einsum;

/// "ab,bc->ac" taken apart.
struct Equation {
  std::vector<std::string> operands;
  std::string result;
  explicit Equation(const std::string& text) {
    std::string term;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char ch = text[i];
      if (ch == ' ') continue;
      if (ch == ',' || ch == '-') {
        operands.push_back(std::exchange(term, ""));
        if (ch == '-') ++i;
      } else {
        term += ch;
      }
    }
    result = term;
  }
};

std::int64_t extent_of(char letter, const std::string& letters, const Shape& shape) {
  return shape[letters.find(letter)];
}

/// A row-major tensor with its axes in another order.
Tensor ordered(Builder& b, const Tensor& tensor, const std::string& letters, const Shape& shape,
               const std::string& wanted) {
  if (letters == wanted) return tensor;
  const Dims own = plain_strides(shape);
  Shape extents;
  Dims strides;
  for (const char letter : wanted) {
    extents.push_back(extent_of(letter, letters, shape));
    strides.push_back(own[letters.find(letter)]);
  }
  const Tensor dst = b.make(plain_desc(extents));
  permute_step(b, tensor, dst, extents, strides);
  return dst;
}

struct Term {
  Tensor tensor;  // row-major
  std::string letters;
  Shape shape;
};

/// The product of two terms as [batch, left, contracted] x [batch, contracted, right].
Tensor product(ForwardContext& c, const Term& a, const Term& b, const std::string& result,
               const Shape& out_shape) {
  std::string batch, left, right, contracted;
  const auto in = [](const std::string& s, char ch) { return s.find(ch) != std::string::npos; };
  for (const char ch : a.letters) {
    if (in(b.letters, ch)) {
      (in(result, ch) ? batch : contracted) += ch;
    } else if (in(result, ch)) {
      left += ch;
    } else {
      c.fail(ErrorCode::unsupported,
             "Einsum sums one operand alone; only matrix products are known");
    }
  }
  for (const char ch : b.letters) {
    if (in(a.letters, ch)) continue;
    if (!in(result, ch))
      c.fail(ErrorCode::unsupported,
             "Einsum sums one operand alone; only matrix products are known");
    right += ch;
  }
  const auto count = [&](const std::string& letters, const Term& term) {
    std::int64_t n = 1;
    for (const char ch : letters) n *= extent_of(ch, term.letters, term.shape);
    return n;
  };
  const std::int64_t nb = count(batch, a), nl = count(left, a), nk = count(contracted, a),
                     nr = count(right, b);
  const Operand lhs{ordered(c.b, a.tensor, a.letters, a.shape, batch + left + contracted),
                    matrix_of({nb, nl, nk}, false),
                    {}};
  const Operand rhs{ordered(c.b, b.tensor, b.letters, b.shape, batch + contracted + right),
                    matrix_of({nb, nk, nr}, false),
                    {}};
  const Tensor dst = multiply(c.b, lhs, rhs, {nb, nl, nr}, {});
  const std::string made = batch + left + right;
  Shape made_shape;
  for (const char ch : made) made_shape.push_back(extent_of(ch, result, out_shape));
  Tensor out = ordered(c.b, dst, made, made_shape, result);
  out.desc = plain_desc(out_shape);
  return out;
}

Term term_in(ForwardContext& c, const Equation& e, std::size_t i) {
  return {c.plain_in(i), e.operands[i], c.in_shape(i)};
}

}  // namespace

void forward(const Einsum& op, ForwardContext& c) {
  const Equation e(op.equation);
  if (e.operands.size() == 1) {
    Tensor out = ordered(c.b, c.plain_in(0), e.operands[0], c.in_shape(0), e.result);
    out.desc = plain_desc(c.out_shape());
    c.out(0, out);
    return;
  }
  c.out(0, product(c, term_in(c, e, 0), term_in(c, e, 1), e.result, c.out_shape()));
}

BackwardReads backward_reads(const Einsum&, unsigned wanted) {
  return {((wanted & 1u) << 1) | (wanted >> 1 & 1u), false};
}
bool has_gradient(const Einsum&, std::size_t input) {
  return input < 2;
}

void backward(const Einsum& op, BackwardContext& c) {
  const Equation e(op.equation);
  const Term diff{c.plain_grad(), e.result, c.out_shape()};
  if (e.operands.size() == 1) {
    Tensor out = ordered(c.b, diff.tensor, e.result, c.out_shape(), e.operands[0]);
    out.desc = plain_desc(c.in_shape(0));
    c.send(0, out);
    return;
  }
  for (std::size_t i = 0; i < 2; ++i)
    if (c.wants(i)) {
      const Term other{c.plain_factor(1 - i), e.operands[1 - i], c.in_shape(1 - i)};
      c.send(i, product(c, diff, other, e.operands[i], c.in_shape(i)));
    }
}

}  // namespace fovea::engine
