#include <algorithm>
#include <numeric>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"

namespace fovea::graph::detail {
namespace {

Shape reshaped(const Shape& x, const Ints& spec, bool allow_zero) {
  if (spec.size() > static_cast<std::size_t>(base::kMaxRank))
    bad_model("a tensor has more than 8 dimensions");
  Shape out = spec;
  std::ptrdiff_t open = -1;
  for (std::size_t d = 0; d < out.size(); ++d) {
    if (out[d] == 0 && !allow_zero) {
      if (d >= x.size())
        bad_model("the shape " + text(spec) + " copies an extent that " + text(x) + " lacks");
      out[d] = x[d];
    } else if (out[d] == -1) {
      if (open >= 0) bad_model("the shape " + text(spec) + " leaves two extents open");
      open = static_cast<std::ptrdiff_t>(d);
    } else if (out[d] < 0) {
      bad_model("the shape " + text(spec) + " has a negative extent");
    }
  }
  const auto total = base::element_count(x);
  const auto mismatch = [&] { bad_model(text(x) + " cannot be reshaped to " + text(spec)); };
  if (open >= 0) {
    out[static_cast<std::size_t>(open)] = 1;
    const auto known = base::element_count(out);
    if (known == 0 || total % known != 0) mismatch();
    out[static_cast<std::size_t>(open)] = total / known;
  }
  if (base::element_count(out) != total) mismatch();
  return out;
}

Shape flattened(const Shape& x, std::int64_t axis) {
  // The axis may stand behind the last extent.
  const auto rank = static_cast<std::int64_t>(x.size());
  if (axis != rank) axis = front_axis(axis, x.size());
  const auto begin = x.begin();
  return {base::element_count({begin, begin + axis}), base::element_count({begin + axis, x.end()})};
}

Shape squeezed(const Shape& x, const std::optional<Ints>& given) {
  Ints axes;
  if (given) {
    axes = front_axes(*given, x.size());
  } else {
    for (std::size_t d = 0; d < x.size(); ++d)
      if (x[d] == 1) axes.push_back(static_cast<std::int64_t>(d));
  }
  Shape out;
  for (std::size_t d = 0; d < x.size(); ++d) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d)))
      out.push_back(x[d]);
    else if (x[d] != 1)
      bad_model("axis " + std::to_string(d) + " of " + text(x) + " cannot be squeezed");
  }
  return out;
}

Shape unsqueezed(const Shape& x, const std::optional<Ints>& given) {
  if (!given) bad_model("Unsqueeze has no axes");
  if (given->size() > static_cast<std::size_t>(base::kMaxRank))
    bad_model("a tensor has more than 8 dimensions");
  Shape out(x.size() + given->size(), 0);
  for (const auto axis : front_axes(*given, out.size())) out[static_cast<std::size_t>(axis)] = 1;
  auto next = x.begin();
  const auto axes = front_axes(*given, out.size());
  for (std::size_t d = 0; d < out.size(); ++d)
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(d)))
      out[d] = *next++;
  return out;
}

}  // namespace

void infer_op(Reshape& op, InferContext& c) {
  const auto& x = c.shape(0);
  if (c.has_input(1))
    op.spec = c.constant_ints(1, op.kind == ReshapeKind::reshape ? "shape" : "axes");
  Shape out;
  switch (op.kind) {
    case ReshapeKind::reshape:
      if (!op.spec) bad_model("Reshape has no shape");
      out = reshaped(x, *op.spec, op.allow_zero);
      break;
    case ReshapeKind::flatten:
      out = flattened(x, op.spec && !op.spec->empty() ? op.spec->front() : 1);
      break;
    case ReshapeKind::squeeze:
      out = squeezed(x, op.spec);
      break;
    case ReshapeKind::unsqueeze:
      out = unsqueezed(x, op.spec);
      break;
  }
  op = {.kind = ReshapeKind::reshape, .spec = out, .allow_zero = true};
  c.keep_inputs(1);
  c.set_output(c.type(0), std::move(out));
}

void infer_op(Transpose& op, InferContext& c) {
  const auto& x = c.shape(0);
  if (op.perm.empty()) {
    op.perm.resize(x.size());
    std::iota(op.perm.rbegin(), op.perm.rend(), 0);
  }
  if (op.perm.size() != x.size())
    bad_model("perm has " + std::to_string(op.perm.size()) + " entries for " + text(x));
  Shape out;
  std::vector<bool> seen(x.size(), false);
  for (const auto axis : op.perm) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(x.size()) ||
        seen[static_cast<std::size_t>(axis)])
      bad_model("perm " + text(op.perm) + " is not a permutation");
    seen[static_cast<std::size_t>(axis)] = true;
    out.push_back(x[static_cast<std::size_t>(axis)]);
  }
  c.set_output(c.type(0), std::move(out));
}

void infer_op(Expand& op, InferContext& c) {
  if (c.has_input(1)) op.shape = c.constant_ints(1, "shape");
  if (!op.shape) bad_model("Expand has no shape");
  for (const auto extent : *op.shape)
    if (extent < 0) bad_model("the shape " + text(*op.shape) + " has a negative extent");
  base::element_count(*op.shape);
  op.shape = broadcast(c.shape(0), *op.shape);
  c.keep_inputs(1);
  c.set_output(c.type(0), *op.shape);
}

void infer_op(Tile& op, InferContext& c) {
  const auto& x = c.shape(0);
  if (c.has_input(1)) op.repeats = c.constant_ints(1, "repeats");
  if (!op.repeats || op.repeats->size() != x.size())
    bad_model("Tile needs one repeat for each extent of " + text(x));
  Shape out;
  for (std::size_t d = 0; d < x.size(); ++d)
    out.push_back(base::checked_mul(x[d], (*op.repeats)[d]));
  c.keep_inputs(1);
  c.set_output(c.type(0), std::move(out));
}

}  // namespace fovea::graph::detail
