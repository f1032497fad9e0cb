#include "graph/infer/window.hpp"

#include <algorithm>

namespace fovea::graph::detail {
namespace {

void check_numbers(Ints& numbers, std::size_t spatial, std::int64_t absent, std::int64_t least,
                   const char* what) {
  if (numbers.empty()) numbers.assign(spatial, absent);
  if (numbers.size() != spatial)
    bad_model(std::string(what) + " has " + std::to_string(numbers.size()) + " entries where " +
              std::to_string(spatial) + " are needed");
  for (const auto n : numbers) {
    if (n < least) bad_model(std::string(what) + " " + std::to_string(n) + " is too small");
    if (n > kMaxWindow) bad_model(std::string(what) + " " + std::to_string(n) + " is too large");
  }
}

}  // namespace

void check_window(Window& window, std::size_t spatial) {
  check_numbers(window.kernel, spatial, 0, 1, "the kernel extent");
  check_numbers(window.strides, spatial, 1, 1, "the stride");
  check_numbers(window.dilations, spatial, 1, 1, "the dilation");
  check_numbers(window.pads_begin, spatial, 0, 0, "the padding");
  check_numbers(window.pads_end, spatial, 0, 0, "the padding");
  for (std::size_t d = 0; d < spatial; ++d)
    if (effective_kernel(window, d) > kMaxWindow) bad_model("the dilated kernel is too large");
}

std::int64_t effective_kernel(const Window& window, std::size_t d) {
  // Both factors are below 2^31: the product fits.
  return (window.kernel[d] - 1) * window.dilations[d] + 1;
}

void resolve_auto_pad(Window& window, const Shape& input) {
  if (window.auto_pad == AutoPad::explicit_pads) return;
  for (std::size_t d = 0; d < input.size(); ++d) {
    std::int64_t total = 0;
    if (window.auto_pad != AutoPad::valid) {
      const auto stride = window.strides[d];
      const auto output = (input[d] + stride - 1) / stride;
      total =
          std::max<std::int64_t>(0, (output - 1) * stride + effective_kernel(window, d) - input[d]);
    }
    // The odd one goes to the end for same_upper, to the beginning for same_lower.
    const auto smaller = total / 2;
    const auto begin = window.auto_pad == AutoPad::same_lower ? total - smaller : smaller;
    const bool given = window.pads_begin[d] != 0 || window.pads_end[d] != 0;
    if (given && (window.pads_begin[d] != begin || window.pads_end[d] != total - begin))
      bad_model("auto_pad and pads contradict each other");
    window.pads_begin[d] = begin;
    window.pads_end[d] = total - begin;
  }
  window.auto_pad = AutoPad::explicit_pads;
}

std::int64_t window_output(const Window& window, std::size_t d, std::int64_t input) {
  const auto room = input + window.pads_begin[d] + window.pads_end[d] - effective_kernel(window, d);
  if (room < 0) bad_model("the kernel is larger than the padded input");
  return room / window.strides[d] + 1;
}

Shape spatial_extents(const InferContext& c) {
  const auto& x = c.shape(0);
  if (x.size() < 3) bad_model("the input has shape " + text(x) + ", without a spatial extent");
  if (x.size() > 5) unsupported("more than three spatial dimensions");
  for (const auto extent : x)
    if (extent < 1) bad_model("the input has shape " + text(x) + ", with an empty extent");
  return {x.begin() + 2, x.end()};
}

}  // namespace fovea::graph::detail
