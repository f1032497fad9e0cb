#pragma once

#include "reference/reference.hpp"

/// One function per family; `evaluate` chooses.
namespace fovea::reference {

using Arrays = std::vector<Array>;

double apply(const graph::Unary& op, double x);
double apply(graph::BinaryKind kind, double a, double b);

Array conv(const graph::Conv& op, const Arrays& in, const Shape& out);
Array conv_transpose(const graph::ConvTranspose& op, const Arrays& in, const Shape& out);
Array pool(const graph::Pool& op, const Array& x, const Shape& out);
Array gemm(const graph::Gemm& op, const Arrays& in, const Shape& out);
Array matmul(const Array& a, const Array& b, const Shape& out);
Array einsum(const graph::Einsum& op, const Arrays& in, const Shape& out);

Array batch_norm(const graph::BatchNorm& op, const Arrays& in);
Array layer_norm(const graph::LayerNorm& op, const Arrays& in);
Array instance_norm(const graph::InstanceNorm& op, const Arrays& in);
Array group_norm(const graph::GroupNorm& op, const Arrays& in);
Array lrn(const graph::Lrn& op, const Array& x);
Array hardmax(const graph::Hardmax& op, const Array& x);
Array softmax(const graph::Softmax& op, const Array& x);
Array reduce(const graph::Reduce& op, const Array& x, const Shape& out);

Array slice(const graph::Slice& op, const Array& x, const Shape& out);
Array pad(const graph::Pad& op, const Array& x, const Shape& out);
Array repeat(const Array& x, const Shape& out);
Array transpose(const graph::Transpose& op, const Array& x, const Shape& out);
Array gather(const graph::Gather& op, const Arrays& in, const Shape& out);
Array gather_elements(const graph::GatherElements& op, const Arrays& in, const Shape& out);
Array cumulative_sum(const graph::CumSum& op, const Array& x);
Array gather_nd(const graph::GatherND& op, const Arrays& in, const Shape& out);
Array scatter_nd(const graph::ScatterND& op, const Arrays& in);
Array scatter_elements(const graph::ScatterElements& op, const Arrays& in);
Array grid_sample(const graph::GridSample& op, const Arrays& in, const Shape& out);
Array top_k(const graph::TopK& op, const Array& x, const Shape& out);
Array roi_align(const graph::RoiAlign& op, const Arrays& in, const Shape& out);
Array col2im(const graph::Col2Im& op, const Array& x, const Shape& out);
Array resize(const graph::Resize& op, const Array& x, const Shape& out);
Array depth_to_space(const graph::DepthToSpace& op, const Array& x, const Shape& out);
Array pasted(const graph::Paste& op, const Arrays& in, const Shape& out);
Array space_to_depth(const graph::SpaceToDepth& op, const Array& x, const Shape& out);
/// In Arrays an empty array stands for an absent input.
Arrays recurrent(const graph::Recurrent& op, const Arrays& in, const std::vector<Shape>& results);
Array concat(const graph::Concat& op, const Arrays& in, const Shape& out);
Arrays split(const graph::Split& op, const Array& x, const std::vector<Shape>& outs);

}  // namespace fovea::reference
