#include <algorithm>
#include <array>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::AutoPad;
using graph::Ints;

Ints read_extents(NodeImport& n, std::string_view name, std::int64_t least) {
  auto out = n.attributes.get_ints(name).value_or(Ints{});
  for (const auto extent : out)
    if (extent < least || extent > kMaxExtent)
      n.bad("an entry of " + std::string(name) + " is out of range");
  return out;
}

graph::Window read_window(NodeImport& n) {
  graph::Window out;
  out.auto_pad = n.attributes.get_choice<AutoPad>("auto_pad", "NOTSET",
                                                  {{"NOTSET", AutoPad::explicit_pads},
                                                   {"SAME_UPPER", AutoPad::same_upper},
                                                   {"SAME_LOWER", AutoPad::same_lower},
                                                   {"VALID", AutoPad::valid}});
  out.kernel = read_extents(n, "kernel_shape", 1);
  out.strides = read_extents(n, "strides", 1);
  out.dilations = read_extents(n, "dilations", 1);
  const auto pads = read_extents(n, "pads", 0);
  if (pads.size() % 2 != 0) n.bad("pads has an odd number of entries");

  const auto rank =
      std::max({out.kernel.size(), out.strides.size(), out.dilations.size(), pads.size() / 2});
  for (const auto size :
       {out.kernel.size(), out.strides.size(), out.dilations.size(), pads.size() / 2})
    if (size != 0 && size != rank) n.bad("its attributes differ in the number of dimensions");
  if (rank > 3) n.unsupported("with more than 3 spatial dimensions");

  // Writers fill in pads beside auto_pad; the format gives them no meaning there.
  if (out.auto_pad == AutoPad::explicit_pads) {
    const auto half = pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2);
    out.pads_begin.assign(pads.begin(), half);
    out.pads_end.assign(half, pads.end());
  }
  return out;
}

std::int64_t read_group(NodeImport& n) {
  const auto group = n.attributes.get_int("group", 1);
  if (group < 1 || group > kMaxExtent) n.bad("group is out of range");
  return group;
}

void conv(NodeImport& n) {
  graph::Conv op;
  op.window = read_window(n);
  op.group = read_group(n);
  n.emit(std::move(op));
}

void conv_transpose(NodeImport& n) {
  graph::ConvTranspose op;
  op.window = read_window(n);
  op.group = read_group(n);
  op.output_padding = read_extents(n, "output_padding", 0);
  op.output_shape = read_extents(n, "output_shape", 1);
  n.emit(std::move(op));
}

graph::Pool read_pool(NodeImport& n, graph::PoolKind kind) {
  graph::Pool op;
  op.kind = kind;
  op.window = read_window(n);
  if (op.window.kernel.empty()) n.bad("the attribute 'kernel_shape' is missing");
  op.ceil_mode = n.attributes.get_flag("ceil_mode", false);
  return op;
}

void max_pool(NodeImport& n) {
  const auto op = read_pool(n, graph::PoolKind::max);
  const bool column_major = n.attributes.get_flag("storage_order", false);  // of the indices
  n.emit_output(0, op, {n.input(0)}, n.type(0));
  if (!n.output_used(1)) return;
  auto indices = op;
  indices.kind = graph::PoolKind::arg_max;
  indices.column_major = column_major;
  n.emit_output(1, indices, {n.input(0)}, DataType::i64);
}

void average_pool(NodeImport& n) {
  auto op = read_pool(n, graph::PoolKind::average);
  op.count_include_pad = n.attributes.get_flag("count_include_pad", false);
  n.emit(std::move(op));
}

void global_pool(NodeImport& n, graph::ReduceKind kind) {
  graph::Reduce op;
  op.kind = kind;
  op.spatial = true;
  n.emit(std::move(op));
}
void global_average_pool(NodeImport& n) {
  global_pool(n, graph::ReduceKind::mean);
}
void global_max_pool(NodeImport& n) {
  global_pool(n, graph::ReduceKind::max);
}

/// |x| to the power of p, and back.
graph::ValueId powered(NodeImport& n, graph::ValueId x, std::int64_t p) {
  const auto size = n.step(graph::Unary{.kind = graph::UnaryKind::abs}, {x});
  if (p == 1) return size;
  if (p == 2) return n.step(graph::Binary{graph::BinaryKind::mul}, {x, x});
  return n.step(graph::Binary{graph::BinaryKind::pow},
                {size, n.floats({}, {static_cast<float>(p)})});
}
/// A root has no slope at 0: there the result is 0 and leads nowhere, as the norm of zeros does.
void emit_root(NodeImport& n, graph::ValueId sum, std::int64_t p) {
  if (p == 1) return n.emit(graph::Unary{}, {sum});
  const auto zero = n.floats({}, {0});
  const auto is_zero = n.step(graph::Binary{graph::BinaryKind::equal}, {sum, zero});
  const auto safe = n.step(graph::Where{}, {is_zero, n.floats({}, {1}), sum});
  const auto root = p == 2 ? n.step(graph::Unary{.kind = graph::UnaryKind::sqrt}, {safe})
                           : n.step(graph::Binary{graph::BinaryKind::pow},
                                    {safe, n.floats({}, {1 / static_cast<float>(p)})});
  n.emit(graph::Where{}, {is_zero, zero, root});
}

std::int64_t read_power(NodeImport& n) {
  const auto p = n.attributes.get_int("p", 2);
  if (p < 1 || p > 64) n.unsupported("with p " + std::to_string(p));
  return p;
}

void global_lp_pool(NodeImport& n) {
  const auto p = read_power(n);
  graph::Reduce op;
  op.kind = graph::ReduceKind::sum;
  op.spatial = true;
  emit_root(n, n.step(op, {powered(n, n.input(0), p)}), p);
}

// The mean of powers with the zeros of the padding, times the elements of a window.
void lp_pool(NodeImport& n) {
  const auto p = read_power(n);
  auto op = read_pool(n, graph::PoolKind::average);
  if (op.ceil_mode) n.unsupported("with ceil_mode");
  op.count_include_pad = true;
  float count = 1;
  for (const auto extent : op.window.kernel) count *= static_cast<float>(extent);
  const auto mean = n.step(std::move(op), {powered(n, n.input(0), p)});
  emit_root(n, n.step(graph::Binary{graph::BinaryKind::mul}, {mean, n.floats({}, {count})}), p);
}

void col2im(NodeImport& n) {
  graph::Col2Im op;
  op.window = read_window(n);
  op.window.kernel.clear();
  n.emit(std::move(op));
}

constexpr std::array kRows{
    Row{"Conv", kOldestOpset, kNewestOpset, 2, 3, conv, "1 to 3 spatial dimensions"},
    Row{"ConvTranspose", kOldestOpset, kNewestOpset, 2, 3, conv_transpose,
        "1 to 3 spatial dimensions"},
    Row{"MaxPool", kOldestOpset, 7, 1, 1, max_pool, "1 to 3 spatial dimensions"},
    Row{"MaxPool", 8, kNewestOpset, 1, 1, max_pool, "1 to 3 spatial dimensions", 2, true},
    Row{"AveragePool", kOldestOpset, kNewestOpset, 1, 1, average_pool, "1 to 3 spatial dimensions"},
    Row{"LpPool", kOldestOpset, kNewestOpset, 1, 1, lp_pool,
        "1 to 3 spatial dimensions; not with ceil_mode"},
    Row{"GlobalLpPool", kOldestOpset, kNewestOpset, 1, 1, global_lp_pool, {}},
    Row{"Col2Im", 18, kNewestOpset, 3, 3, col2im, "1 to 3 spatial dimensions"},
    Row{"GlobalAveragePool", kOldestOpset, kNewestOpset, 1, 1, global_average_pool, {}},
    Row{"GlobalMaxPool", kOldestOpset, kNewestOpset, 1, 1, global_max_pool, {}},
};

}  // namespace

std::span<const Row> conv_rows() {
  return kRows;
}

}  // namespace fovea::onnx
