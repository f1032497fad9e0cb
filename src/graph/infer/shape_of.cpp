#include <algorithm>
#include <cmath>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/infer/range.hpp"

namespace fovea::graph::detail {

void infer_op(ConstantOfShape& op, InferContext& c) {
  auto shape = c.constant_ints(0, "shape");
  for (const auto extent : shape)
    if (extent < 0) bad_model("the shape " + text(shape) + " has a negative extent");
  c.set_output(op.type, std::move(shape));
}

void infer_op(Range&, InferContext& c) {
  for (std::size_t i = 1; i < 3; ++i) c.require(i, c.type(0));
  if (c.type(0) == DType::i64) {
    const auto one = [&](std::size_t i, const char* what) {
      const auto v = c.constant_ints(i, what);
      if (v.size() != 1) bad_model(std::string(what) + " is not a single number");
      return v.front();
    };
    c.set_output(DType::i64, {range_length(one(0, "start"), one(1, "limit"), one(2, "delta"))});
    return;
  }
  c.require(0, DType::f32);
  const auto one = [&](std::size_t i, const char* what) {
    const auto v = c.constant_floats(i, what);
    if (v.size() != 1) bad_model(std::string(what) + " is not a single number");
    return v.front();
  };
  c.set_output(DType::f32, {range_length(one(0, "start"), one(1, "limit"), one(2, "delta"))});
}

std::int64_t range_length(std::int64_t start, std::int64_t limit, std::int64_t delta) {
  if (delta == 0) bad_model("the step of Range is zero");
  const bool up = delta > 0;
  if (up ? limit <= start : limit >= start) return 0;
  // In unsigned arithmetic no difference of two 64-bit integers overflows.
  const auto u = [](std::int64_t v) { return static_cast<std::uint64_t>(v); };
  const auto distance = up ? u(limit) - u(start) : u(start) - u(limit);
  const auto step = up ? u(delta) : 0 - u(delta);
  const auto count = (distance - 1) / step + 1;
  if (count > u(base::kMaxElements)) bad_model("a range has more than 2^31 - 1 elements");
  return static_cast<std::int64_t>(count);
}

std::int64_t range_length(float start, float limit, float delta) {
  const double count = std::ceil((static_cast<double>(limit) - start) / delta);
  if (delta == 0 || std::isnan(count)) bad_model("the step of Range is zero or not a number");
  if (count > static_cast<double>(base::kMaxElements))
    bad_model("a range has more than 2^31 - 1 elements");
  return count > 0 ? static_cast<std::int64_t>(count) : 0;
}

void infer_op(ShapeOf& op, InferContext& c) {
  const auto [begin, end] = shape_range(op, c.shape(0).size());
  c.set_output(DType::i64, {std::max<std::int64_t>(0, end - begin)});
}

std::pair<std::int64_t, std::int64_t> shape_range(const ShapeOf& op, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  const auto clamped = [r](std::int64_t v) {
    // Adding the rank first could overflow.
    return v < -r ? 0 : std::clamp<std::int64_t>(v < 0 ? v + r : v, 0, r);
  };
  return {clamped(op.start), op.end ? clamped(*op.end) : r};
}

void infer_op(SizeOf&, InferContext& c) {
  c.input(0);
  c.set_output(DType::i64, {});
}

}  // namespace fovea::graph::detail
