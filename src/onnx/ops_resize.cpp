#include <array>
#include <cmath>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Resize;
using graph::ResizeCoordinates;
using graph::ResizeMode;
using graph::ValueId;

ResizeMode read_mode(NodeImport& n) {
  const auto mode = n.attributes.get_string("mode", "nearest");
  if (mode == "nearest") return ResizeMode::nearest;
  // "bilinear" up to opset 6.
  if (mode == "linear" || mode == "bilinear") return ResizeMode::linear;
  if (mode == "cubic" && n.op() == "Resize" && n.opset() > 10) return ResizeMode::cubic;
  n.bad("its mode does not exist");
}

std::vector<float> checked_scales(NodeImport& n, std::vector<float> scales) {
  for (const auto scale : scales)
    if (!(scale > 0) || std::isinf(scale)) n.bad("a scale is not a positive number");
  return scales;
}

// Upsample, and Resize of opset 10: output pixel i looks at i / scale.
Resize upsample_form(NodeImport& n) {
  Resize op;
  op.mode = read_mode(n);
  op.coordinates = ResizeCoordinates::asymmetric;
  op.nearest = graph::NearestMode::floor;
  return op;
}

// Opset 6: two attributes, for images.
void upsample_6(NodeImport& n) {
  auto op = upsample_form(n);
  const float height = n.attributes.get_float("height_scale", 0);
  const float width = n.attributes.get_float("width_scale", 0);
  op.scales = checked_scales(n, {1, 1, height, width});
  n.emit(std::move(op));
}

void upsample_by_attribute(NodeImport& n) {
  auto op = upsample_form(n);
  const auto scales = n.attributes.get_floats("scales");
  if (!scales) n.bad("the attribute 'scales' is missing");
  op.scales = checked_scales(n, *scales);
  n.emit(std::move(op));
}

void upsample_by_input(NodeImport& n) {
  auto op = upsample_form(n);
  op.is_upsample = true;
  n.emit(std::move(op));
}

// PyTorch writes an empty tensor for a parameter that it leaves out.
ValueId parameter(NodeImport& n, int i) {
  const auto* constant = n.constant_input(i);
  return constant && constant->shape == Shape{0} ? ValueId{} : n.input(i);
}

ResizeCoordinates read_coordinates(NodeImport& n) {
  using enum ResizeCoordinates;
  // tf_half_pixel_for_nn: up to opset 12, and in files since.
  return n.attributes.get_choice<ResizeCoordinates>("coordinate_transformation_mode", "half_pixel",
                                                    {{"half_pixel", half_pixel},
                                                     {"half_pixel_symmetric", half_pixel_symmetric},
                                                     {"pytorch_half_pixel", pytorch_half_pixel},
                                                     {"align_corners", align_corners},
                                                     {"asymmetric", asymmetric},
                                                     {"tf_half_pixel_for_nn", tf_half_pixel_for_nn},
                                                     {"tf_crop_and_resize", tf_crop_and_resize}});
}

void read_policy(NodeImport& n, Resize& op) {
  const auto policy = n.attributes.get_string("keep_aspect_ratio_policy", "stretch");
  op.keep_aspect_not_larger = policy == "not_larger";
  op.keep_aspect_not_smaller = policy == "not_smaller";
  if (policy != "stretch" && !op.keep_aspect_not_larger && !op.keep_aspect_not_smaller)
    n.bad("its keep_aspect_ratio_policy does not exist");
}

void resize(NodeImport& n) {
  Resize op;
  op.mode = read_mode(n);
  op.coordinates = read_coordinates(n);
  op.nearest = n.attributes.get_choice<graph::NearestMode>(
      "nearest_mode", "round_prefer_floor",
      {{"round_prefer_floor", graph::NearestMode::round_prefer_floor},
       {"round_prefer_ceil", graph::NearestMode::round_prefer_ceil},
       {"floor", graph::NearestMode::floor},
       {"ceil", graph::NearestMode::ceil}});
  op.cubic_a = n.attributes.get_float("cubic_coeff_a", -0.75f);
  op.extrapolation = n.attributes.get_float("extrapolation_value", 0);
  op.axes = n.attributes.get_ints("axes");
  // Of the one element that nearest takes neither says anything.
  op.exclude_outside =
      n.attributes.get_flag("exclude_outside", false) && op.mode != ResizeMode::nearest;
  op.antialias = n.attributes.get_flag("antialias", false) && op.mode != ResizeMode::nearest;
  const bool crops = op.coordinates == ResizeCoordinates::tf_crop_and_resize;
  if (!crops) op.extrapolation = 0;
  read_policy(n, op);
  const auto scales = parameter(n, 2);
  const auto sizes = parameter(n, 3);
  if (!scales && !sizes) n.bad("it has neither scales nor sizes");
  if (scales && sizes) n.bad("it has both scales and sizes");
  n.emit(std::move(op), {n.input(0), crops ? parameter(n, 1) : ValueId{}, scales, sizes});
}

void grid_sample(NodeImport& n) {
  graph::GridSample op;
  op.mode = n.attributes.get_choice<ResizeMode>("mode", n.opset() < 20 ? "bilinear" : "linear",
                                                {{"bilinear", ResizeMode::linear},
                                                 {"linear", ResizeMode::linear},
                                                 {"nearest", ResizeMode::nearest},
                                                 {"bicubic", ResizeMode::cubic},
                                                 {"cubic", ResizeMode::cubic}});
  op.padding =
      n.attributes.get_choice<graph::GridPadding>("padding_mode", "zeros",
                                                  {{"zeros", graph::GridPadding::zeros},
                                                   {"border", graph::GridPadding::border},
                                                   {"reflection", graph::GridPadding::reflection}});
  op.align_corners = n.attributes.get_flag("align_corners", false);
  n.emit(op);
}

constexpr std::string_view kNote = "nearest and linear";

constexpr std::array kRows{
    Row{"Upsample", kOldestOpset, 6, 1, 1, upsample_6, kNote},
    Row{"Upsample", 7, 8, 1, 1, upsample_by_attribute, kNote},
    Row{"Upsample", 9, 9, 2, 2, upsample_by_input, kNote},
    Row{"Resize", 10, 10, 2, 2, upsample_by_input, kNote},
    Row{"Resize", 11, kNewestOpset, 1, 4, resize},
    Row{"GridSample", 16, kNewestOpset, 2, 2, grid_sample, "1 to 3 spatial dimensions"},
};

}  // namespace

std::span<const Row> resize_rows() {
  return kRows;
}

}  // namespace fovea::onnx
