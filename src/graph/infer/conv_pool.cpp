#include <algorithm>

#include "base/checked.hpp"
#include "graph/infer/window.hpp"

namespace fovea::graph::detail {
namespace {

void check_bias(std::size_t i, std::int64_t channels, const InferContext& c) {
  if (!c.has_input(i)) return;
  c.require(i, DType::f32);
  c.require_shape(i, {channels}, "bias");
}

/// What Conv and ConvTranspose ask alike of weights and group.
void check_weights(Window& window, std::int64_t group, const InferContext& c) {
  c.require(0, DType::f32);
  c.require(1, DType::f32);
  const auto& x = c.shape(0);
  const auto& w = c.shape(1);
  if (w.size() != x.size())
    bad_model("the weights have shape " + text(w) + " for an input of shape " + text(x));
  for (const auto extent : w)
    if (extent < 1) bad_model("the weights have shape " + text(w) + ", with an empty extent");
  if (group < 1) bad_model("group is " + std::to_string(group));
  if (x[1] % group != 0)
    bad_model("group " + std::to_string(group) + " does not divide " + std::to_string(x[1]) +
              " channels");
  const Ints kernel(w.begin() + 2, w.end());
  if (!window.kernel.empty() && window.kernel != kernel)
    bad_model("kernel_shape " + text(window.kernel) + " contradicts weights of shape " + text(w));
  window.kernel = kernel;
}

void check_extra(Ints& extra, std::size_t spatial) {
  if (extra.empty()) extra.assign(spatial, 0);
  if (extra.size() != spatial) bad_model("output_padding has the wrong number of entries");
  for (const auto n : extra)
    if (n < 0 || n > kMaxWindow) bad_model("an output padding of " + std::to_string(n));
}

/// What rounding the output extent up adds to the end: room for one window more, unless that would
/// start in the padding behind the input.
std::int64_t ceil_padding(const Window& window, std::size_t d, std::int64_t input) {
  const auto stride = window.strides[d];
  const auto kernel = effective_kernel(window, d);
  const auto padded = input + window.pads_begin[d] + window.pads_end[d];
  const auto windows = padded < kernel ? 0 : (padded - kernel) / stride + 1;
  const auto covered = (windows - 1) * stride + kernel;
  const bool one_more = covered < padded && windows * stride < input + window.pads_begin[d];
  return one_more ? covered + stride - padded : 0;
}

}  // namespace

void infer_op(Conv& op, InferContext& c) {
  const auto spatial = spatial_extents(c);
  check_weights(op.window, op.group, c);
  const auto& x = c.shape(0);
  const auto& w = c.shape(1);
  if (w[1] != x[1] / op.group)
    bad_model("the weights of shape " + text(w) + " do not fit " + std::to_string(x[1]) +
              " channels in " + std::to_string(op.group) + " groups");
  if (w[0] % op.group != 0)
    bad_model("group " + std::to_string(op.group) + " does not divide " + std::to_string(w[0]) +
              " filters");
  check_bias(2, w[0], c);

  check_window(op.window, spatial.size());
  resolve_auto_pad(op.window, spatial);
  Shape out{x[0], w[0]};
  for (std::size_t d = 0; d < spatial.size(); ++d)
    out.push_back(window_output(op.window, d, spatial[d]));
  check_post_ops(op.post, out, c);
  c.set_output(DType::f32, std::move(out));
}

void infer_op(ConvTranspose& op, InferContext& c) {
  const auto spatial = spatial_extents(c);
  check_weights(op.window, op.group, c);
  const auto& x = c.shape(0);
  const auto& w = c.shape(1);
  if (w[0] != x[1])
    bad_model("the weights of shape " + text(w) + " do not fit " + std::to_string(x[1]) +
              " channels");
  Shape out{x[0], base::checked_mul(w[1], op.group)};
  check_bias(2, out[1], c);

  auto& window = op.window;
  check_window(window, spatial.size());
  check_extra(op.output_padding, spatial.size());
  // Newer exporters list batch and channel, too.
  auto& asked = op.output_shape;
  if (asked.size() == x.size()) asked.erase(asked.begin(), asked.begin() + 2);
  if (!asked.empty() && asked.size() != spatial.size())
    bad_model("output_shape has " + std::to_string(asked.size()) + " entries where " +
              std::to_string(spatial.size()) + " are needed");

  for (std::size_t d = 0; d < spatial.size(); ++d) {
    // Every factor is below 2^31: the sum fits.
    const auto full =
        window.strides[d] * (spatial[d] - 1) + op.output_padding[d] + effective_kernel(window, d);
    const bool same =
        window.auto_pad == AutoPad::same_upper || window.auto_pad == AutoPad::same_lower;
    if (!asked.empty() || same) {
      const auto wanted = asked.empty() ? spatial[d] * window.strides[d] : asked[d];
      if (wanted < 1 || wanted > kMaxWindow)
        bad_model("an output extent of " + std::to_string(wanted) + " is asked for");
      const auto total = std::max<std::int64_t>(0, full - wanted);
      op.output_padding[d] += std::max<std::int64_t>(0, wanted - full);
      const auto half = total / 2;
      window.pads_begin[d] = window.auto_pad == AutoPad::same_upper ? half : total - half;
      window.pads_end[d] = total - window.pads_begin[d];
    } else if (window.auto_pad == AutoPad::valid) {
      window.pads_begin[d] = window.pads_end[d] = 0;
    }
    if (op.output_padding[d] > 0 &&
        op.output_padding[d] >= std::max(window.strides[d], window.dilations[d]))
      bad_model("an output padding of " + std::to_string(op.output_padding[d]) +
                " is not below the stride");
    const auto extent = window.strides[d] * (spatial[d] - 1) + op.output_padding[d] +
                        effective_kernel(window, d) - window.pads_begin[d] - window.pads_end[d];
    if (extent < 1) bad_model("an output extent would be " + std::to_string(extent));
    out.push_back(extent);
  }
  window.auto_pad = AutoPad::explicit_pads;
  asked.clear();
  c.set_output(DType::f32, std::move(out));
}

void infer_op(Pool& op, InferContext& c) {
  if (op.kind == PoolKind::max)
    c.require_real_or_constant(0);
  else
    c.require_real(0);
  const bool indices = op.kind == PoolKind::arg_max;
  const auto spatial = spatial_extents(c);
  auto& window = op.window;
  if (window.kernel.empty()) bad_model("the kernel extent is missing");
  check_window(window, spatial.size());
  // The extents of auto_pad are rounded up already.
  if (window.auto_pad != AutoPad::explicit_pads) op.ceil_mode = false;
  resolve_auto_pad(window, spatial);
  if (op.ceil_extra.empty()) op.ceil_extra.assign(spatial.size(), 0);

  Shape out{c.shape(0)[0], c.shape(0)[1]};
  for (std::size_t d = 0; d < spatial.size(); ++d) {
    const auto kernel = effective_kernel(window, d);
    if (window.pads_begin[d] >= kernel || window.pads_end[d] >= kernel)
      bad_model("the padding is not smaller than the kernel");
    // With fewer elements than a dilation, a window could step over all of them.
    if (window.pads_begin[d] > 0 && spatial[d] < window.dilations[d])
      unsupported("a dilated window that may read only padding");
    if (op.ceil_mode) {
      const auto extra = ceil_padding(window, d, spatial[d]);
      window.pads_end[d] += extra;
      op.ceil_extra[d] += extra;
    }
    out.push_back(window_output(window, d, spatial[d]));
  }
  op.ceil_mode = false;
  c.set_output(indices ? DType::i64 : c.type(0), std::move(out));
}

}  // namespace fovea::graph::detail
