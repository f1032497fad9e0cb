#include <cmath>
#include <stdexcept>

#include "reference/parts.hpp"

namespace fovea::reference {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
// Implied in C++20, but not by clang 14.
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

Array map(const Array& x, const graph::Unary& op) {
  Array out(x.shape);
  for (std::size_t i = 0; i < x.data.size(); ++i) out.data[i] = apply(op, x.data[i]);
  return out;
}

Array same_elements(const Array& x, const Shape& shape) {
  Array out(shape);
  out.data = x.data;
  return out;
}

Array choose(const Arrays& in, const Shape& shape) {
  Array out(shape);
  each(shape, [&](const Index& i) {
    out[i] = in[0].broadcast(i) != 0 ? in[1].broadcast(i) : in[2].broadcast(i);
  });
  return out;
}

Array prelu(const Arrays& in, const Shape& shape) {
  Array out(shape);
  each(shape, [&](const Index& i) {
    const double x = in[0].broadcast(i);
    out[i] = x < 0 ? x * in[1].broadcast(i) : x;
  });
  return out;
}

Array binary(const graph::Binary& op, const Arrays& in, const Shape& shape) {
  Array out(shape);
  each(shape,
       [&](const Index& i) { out[i] = apply(op.kind, in[0].broadcast(i), in[1].broadcast(i)); });
  return out;
}

Array cast(const graph::Cast& op, const Array& x) {
  Array out = x;
  for (auto& v : out.data) {
    if (op.to == graph::DType::i64) v = std::trunc(v);
    if (op.to == graph::DType::boolean) v = v != 0;
  }
  return out;
}

}  // namespace

std::vector<Array> evaluate(const graph::Op& op, const Arrays& in,
                            const std::vector<Shape>& results) {
  const Shape& out = results[0];
  return std::visit(
      Overloaded{
          [&](const graph::Unary& o) { return Arrays{map(in[0], o)}; },
          [&](const graph::Binary& o) { return Arrays{binary(o, in, out)}; },
          [&](const graph::PRelu&) { return Arrays{prelu(in, out)}; },
          [&](const graph::Where&) { return Arrays{choose(in, out)}; },
          [&](const graph::Conv& o) { return Arrays{conv(o, in, out)}; },
          [&](const graph::ConvTranspose& o) { return Arrays{conv_transpose(o, in, out)}; },
          [&](const graph::Pool& o) { return Arrays{pool(o, in[0], out)}; },
          [&](const graph::Gemm& o) { return Arrays{gemm(o, in, out)}; },
          [&](const graph::MatMul&) { return Arrays{matmul(in[0], in[1], out)}; },
          [&](const graph::Einsum& o) { return Arrays{einsum(o, in, out)}; },
          [&](const graph::BatchNorm& o) { return Arrays{batch_norm(o, in)}; },
          [&](const graph::LayerNorm& o) { return Arrays{layer_norm(o, in)}; },
          [&](const graph::InstanceNorm& o) { return Arrays{instance_norm(o, in)}; },
          [&](const graph::GroupNorm& o) { return Arrays{group_norm(o, in)}; },
          [&](const graph::Lrn& o) { return Arrays{lrn(o, in[0])}; },
          [&](const graph::Softmax& o) { return Arrays{softmax(o, in[0])}; },
          [&](const graph::Hardmax& o) { return Arrays{hardmax(o, in[0])}; },
          [&](const graph::Reduce& o) { return Arrays{reduce(o, in[0], out)}; },
          [&](const graph::Recurrent& o) { return recurrent(o, in, results); },
          [&](const graph::Concat& o) { return Arrays{concat(o, in, out)}; },
          [&](const graph::Split& o) { return split(o, in[0], results); },
          [&](const graph::Slice& o) { return Arrays{slice(o, in[0], out)}; },
          [&](const graph::Pad& o) { return Arrays{pad(o, in[0], out)}; },
          [&](const graph::Reshape&) { return Arrays{same_elements(in[0], out)}; },
          [&](const graph::Transpose& o) { return Arrays{transpose(o, in[0], out)}; },
          [&](const graph::Expand&) { return Arrays{repeat(in[0], out)}; },
          [&](const graph::Tile&) { return Arrays{repeat(in[0], out)}; },
          [&](const graph::Gather& o) { return Arrays{gather(o, in, out)}; },
          [&](const graph::GatherElements& o) { return Arrays{gather_elements(o, in, out)}; },
          [&](const graph::CumSum& o) { return Arrays{cumulative_sum(o, in[0])}; },
          [&](const graph::GatherND& o) { return Arrays{gather_nd(o, in, out)}; },
          [&](const graph::ScatterND& o) { return Arrays{scatter_nd(o, in)}; },
          [&](const graph::ScatterElements& o) { return Arrays{scatter_elements(o, in)}; },
          [&](const graph::GridSample& o) { return Arrays{grid_sample(o, in, out)}; },
          [&](const graph::Col2Im& o) { return Arrays{col2im(o, in[0], out)}; },
          [&](const graph::TopK& o) { return Arrays{top_k(o, in[0], out)}; },
          [&](const graph::RoiAlign& o) { return Arrays{roi_align(o, in, out)}; },
          [&](const graph::Resize& o) { return Arrays{resize(o, in[0], out)}; },
          [&](const graph::DepthToSpace& o) { return Arrays{depth_to_space(o, in[0], out)}; },
          [&](const graph::SpaceToDepth& o) { return Arrays{space_to_depth(o, in[0], out)}; },
          [&](const graph::Paste& o) { return Arrays{pasted(o, in, out)}; },
          [&](const graph::Cast& o) { return Arrays{cast(o, in[0])}; },
          [&](const auto&) -> Arrays { throw std::logic_error("yields a constant at inference"); },
      },
      op);
}

}  // namespace fovea::reference
