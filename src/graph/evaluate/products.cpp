#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/einsum.hpp"

/// Integers, exactly, through what the engine computes of floats: products and pools.
namespace fovea::graph::detail {
namespace {

/// Products that are added up, which are held at once; elements that pools look at.
constexpr double kMostTerms = 1 << 22;

double count_of(const Shape& extents) {
  double out = 1;
  for (const auto extent : extents) out *= static_cast<double>(extent);
  return out;
}

bool are_floats(const Inputs& in) {
  return in[0]->type == DType::f32;
}

/// Of each letter of `loop`, how far apart a tensor's elements lie along it.
StridedView view_of(const std::string& loop, const Shape& extents, const std::string& own,
                    const Shape& shape) {
  const auto strides = dense_strides(shape);
  StridedView out{extents, Shape(extents.size(), 0), 0};
  for (std::size_t d = 0; d < own.size(); ++d)
    if (shape[d] != 1) out.strides[loop.find(own[d])] += strides[d];
  return out;
}

Ints einsum(const std::string& equation, const Inputs& in) {
  std::vector<Shape> shapes;
  for (const auto* operand : in) shapes.push_back(operand->shape);
  const auto terms = resolve_einsum(equation, shapes);
  std::string loop;
  for (const auto& [letter, extent] : terms.extents) loop += letter;
  const auto extents = terms.shape_of(loop);
  if (count_of(extents) > kMostTerms) unsupported("a product of so many integers");

  Ints factors;
  for (std::size_t k = 0; k < in.size(); ++k) {
    std::size_t next = 0;
    for_each(view_of(loop, extents, terms.operands[k], shapes[k]), [&](std::int64_t at) {
      const auto value = in[k]->ints[static_cast<std::size_t>(at)];
      if (k == 0)
        factors.push_back(value);
      else
        factors[next] = exact_mul(factors[next], value);
      ++next;
    });
  }
  const auto shape = terms.shape_of(terms.result);
  Ints out(static_cast<std::size_t>(base::element_count(shape)), 0);
  std::size_t next = 0;
  for_each(view_of(loop, extents, terms.result, shape), [&](std::int64_t at) {
    auto& sum = out[static_cast<std::size_t>(at)];
    sum = exact_add(sum, factors[next++]);
  });
  return out;
}

}  // namespace

std::optional<Constant> evaluate_op(const Einsum& op, const Inputs& in, const Shape& shape) {
  if (are_floats(in)) return std::nullopt;
  return Constant::of_ints(shape, einsum(op.equation, in), in[0]->type);
}

std::optional<Constant> evaluate_op(const MatMul&, const Inputs& in, const Shape& shape) {
  if (are_floats(in)) return std::nullopt;
  const bool row = in[0]->shape.size() == 1, column = in[1]->shape.size() == 1;
  const std::string equation = std::string(row ? "j" : "...ij") + (column ? ",j" : ",...jk") +
                               "->" + (row && column ? "" : "...") + (row ? "" : "i") +
                               (column ? "" : "k");
  return Constant::of_ints(shape, einsum(equation, in), in[0]->type);
}

std::optional<Constant> evaluate_op(const Gemm& op, const Inputs& in, const Shape& shape) {
  if (are_floats(in)) return std::nullopt;
  const std::string equation =
      std::string(op.trans_a ? "ji" : "ij") + (op.trans_b ? ",kj" : ",jk") + "->ik";
  auto out = einsum(equation, {in[0], in[1]});
  const auto alpha = integer_of(op.alpha), beta = integer_of(op.beta);
  for (auto& v : out) v = exact_mul(v, alpha);
  if (in.size() > 2 && in[2] != nullptr) {
    std::size_t next = 0;
    for_each(broadcast_view(in[2]->shape, shape), [&](std::int64_t at) {
      const auto more = exact_mul(in[2]->ints[static_cast<std::size_t>(at)], beta);
      out[next] = exact_add(out[next], more);
      ++next;
    });
  }
  return Constant::of_ints(shape, std::move(out), in[0]->type);
}

std::optional<Constant> evaluate_op(const PRelu&, const Inputs& in, const Shape& shape) {
  if (are_floats(in)) return std::nullopt;
  Ints out(in[0]->ints.begin(), in[0]->ints.end());
  std::size_t next = 0;
  for_each(broadcast_view(in[1]->shape, shape), [&](std::int64_t at) {
    auto& v = out[next++];
    if (v < 0) v = exact_mul(v, in[1]->ints[static_cast<std::size_t>(at)]);
  });
  return Constant::of_ints(shape, std::move(out), in[0]->type);
}

std::optional<Constant> evaluate_op(const Pool& op, const Inputs& in, const Shape& shape) {
  if (are_floats(in) || op.kind != PoolKind::max) return std::nullopt;
  const auto& x = *in[0];
  const auto& w = op.window;
  if (count_of(shape) * count_of(w.kernel) > kMostTerms) unsupported("a pool of so many integers");
  const auto strides = dense_strides(x.shape);
  const auto spatial = w.kernel.size();
  Ints out;
  for_each({shape, dense_strides(shape), 0}, [&](std::int64_t o) {
    Shape place(shape.size());
    for (auto d = shape.size(); d-- > 0; o /= shape[d]) place[d] = o % shape[d];
    auto best = std::numeric_limits<std::int64_t>::min();
    for_each({w.kernel, dense_strides(w.kernel), 0}, [&](std::int64_t k) {
      auto at = place[0] * strides[0] + place[1] * strides[1];
      bool inside = true;
      for (auto d = spatial; d-- > 0; k /= w.kernel[d]) {
        const auto i =
            place[d + 2] * w.strides[d] - w.pads_begin[d] + k % w.kernel[d] * w.dilations[d];
        inside = inside && i >= 0 && i < x.shape[d + 2];
        at += i * strides[d + 2];
      }
      if (inside) best = std::max(best, x.ints[static_cast<std::size_t>(at)]);
    });
    out.push_back(best);
  });
  return Constant::of_ints(shape, std::move(out), x.type);
}

}  // namespace fovea::graph::detail
