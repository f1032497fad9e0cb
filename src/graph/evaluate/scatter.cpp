#include <algorithm>
#include <type_traits>

#include "base/checked.hpp"
#include "graph/evaluate/evaluate.hpp"
#include "graph/infer/context.hpp"
#include "graph/padded_index.hpp"

/// What writes, or picks, by indices of several axes; and what comes from beyond a border.
namespace fovea::graph::detail {
namespace {

/// make(span of a constant's elements) gives the elements of the result.
template <class Make>
Constant of_type(const Constant& type_of, const Shape& shape, Make make) {
  if (type_of.type == DType::f32) return Constant::of_floats(shape, make(float{}));
  return Constant::of_ints(shape, make(std::int64_t{}), type_of.type);
}

template <class T>
std::vector<T> elements(const Constant& from) {
  if constexpr (std::is_same_v<T, float>) {
    const auto floats = from.floats();
    return {floats.begin(), floats.end()};
  } else {
    return {from.ints.begin(), from.ints.end()};
  }
}

template <class T>
T scattered(ScatterKind kind, T old, T update) {
  switch (kind) {
    case ScatterKind::replace:
      break;
    case ScatterKind::add:
      if constexpr (std::is_same_v<T, std::int64_t>) return exact_add(old, update);
      return old + update;
    case ScatterKind::mul:
      if constexpr (std::is_same_v<T, std::int64_t>) return exact_mul(old, update);
      return old * update;
    case ScatterKind::max:
      return std::max(old, update);
    case ScatterKind::min:
      return std::min(old, update);
  }
  return update;
}

/// Where in the data the runs begin that the tuples of `indices` select, from axis `batch` on.
struct Tuples {
  Ints begin;
  std::int64_t run = 1;

  Tuples(const Constant& indices, const Shape& data, std::size_t batch) {
    const auto strides = dense_strides(data);
    const auto length = static_cast<std::size_t>(indices.shape.back());
    for (auto d = batch + length; d < data.size(); ++d) run *= data[d];
    std::int64_t block = 1, per_batch = 1;
    for (auto d = batch; d < data.size(); ++d) block *= data[d];
    for (auto d = batch; d + 1 < indices.shape.size(); ++d) per_batch *= indices.shape[d];
    const auto count = indices.ints.size() / length;
    for (std::size_t i = 0; i < count; ++i) {
      auto at = static_cast<std::int64_t>(i) / per_batch * block;
      for (std::size_t k = 0; k < length; ++k)
        at += strides[batch + k] * checked_index(indices.ints[i * length + k], data[batch + k]);
      begin.push_back(at);
    }
  }
};

template <class T>
void write(ScatterKind kind, const Ints& begin, std::int64_t run, const std::vector<T>& updates,
           std::vector<T>& out) {
  std::size_t next = 0;
  for (const auto first : begin)
    for (std::int64_t k = 0; k < run; ++k, ++next) {
      auto& element = out[static_cast<std::size_t>(first + k)];
      element = scattered(kind, element, updates[next]);
    }
}

}  // namespace

std::optional<Constant> evaluate_op(const GatherND& op, const Inputs& in, const Shape& shape) {
  const Tuples tuples(*in[1], in[0]->shape, static_cast<std::size_t>(op.batch_dims));
  return of_type(*in[0], shape, [&]<class T>(T) {
    const auto data = elements<T>(*in[0]);
    std::vector<T> out;
    for (const auto first : tuples.begin)
      out.insert(out.end(), data.begin() + first, data.begin() + first + tuples.run);
    return out;
  });
}

std::optional<Constant> evaluate_op(const ScatterND& op, const Inputs& in, const Shape& shape) {
  const Tuples tuples(*in[1], shape, 0);
  return of_type(*in[0], shape, [&]<class T>(T) {
    auto out = elements<T>(*in[0]);
    write(op.kind, tuples.begin, tuples.run, elements<T>(*in[2]), out);
    return out;
  });
}

std::optional<Constant> evaluate_op(const ScatterElements& op, const Inputs& in,
                                    const Shape& shape) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const auto strides = dense_strides(shape);
  StridedView strided{in[1]->shape, strides, 0};
  strided.strides[axis] = 0;
  Ints begin;
  auto index = in[1]->ints.begin();
  for_each(strided, [&](std::int64_t at) {
    begin.push_back(at + checked_index(*index++, shape[axis]) * strides[axis]);
  });
  return of_type(*in[0], shape, [&]<class T>(T) {
    auto out = elements<T>(*in[0]);
    write(op.kind, begin, 1, elements<T>(*in[2]), out);
    return out;
  });
}

std::optional<Constant> evaluate_op(const NonZero&, const Inputs& in, const Shape& shape) {
  const auto& x = *in[0];
  const auto rank = x.shape.size();
  const auto count = static_cast<std::size_t>(shape[1]);
  Ints out(rank * count, 0);
  std::size_t found = 0;
  const auto visit = [&](std::size_t i, bool is_zero) {
    if (is_zero) return;
    auto rest = static_cast<std::int64_t>(i);
    for (auto d = rank; d-- > 0; rest /= x.shape[d]) out[d * count + found] = rest % x.shape[d];
    ++found;
  };
  if (x.type == DType::f32) {
    const auto floats = x.floats();
    for (std::size_t i = 0; i < floats.size(); ++i) visit(i, floats[i] == 0);
  } else {
    for (std::size_t i = 0; i < x.ints.size(); ++i) visit(i, x.ints[i] == 0);
  }
  return Constant::of_ints(shape, std::move(out));
}

std::optional<Constant> evaluate_op(const Pad& op, const Inputs& in, const Shape& shape) {
  const auto& x = *in[0];
  const auto fill = op.value.value_or(0.f);
  // A float may have rounded it.
  constexpr float kExact = 1 << 24;
  if (x.type != DType::f32 && !(fill > -kExact && fill < kExact)) return std::nullopt;
  const auto strides = dense_strides(x.shape);
  return of_type(x, shape, [&]<class T>(T) {
    const auto data = elements<T>(x);
    std::vector<T> out;
    for_each({shape, dense_strides(shape), 0}, [&](std::int64_t i) {
      std::int64_t at = 0;
      bool inside = true;
      for (auto d = shape.size(); d-- > 0; i /= shape[d]) {
        const auto from = padded_index(op.mode, i % shape[d] - (*op.pads)[d], x.shape[d]);
        inside = inside && from >= 0;
        at += from * strides[d];
      }
      out.push_back(inside ? data[static_cast<std::size_t>(at)] : static_cast<T>(fill));
    });
    return out;
  });
}

}  // namespace fovea::graph::detail
