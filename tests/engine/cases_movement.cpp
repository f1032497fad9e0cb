#include "engine/op_case.hpp"

namespace fovea::engine_test {
namespace {

using graph::Ints;

void add_slice(std::vector<Case>& out, Shape shape, Ints starts, Ints ends, Ints axes, Ints steps) {
  graph::Slice op;
  op.starts = starts;
  op.ends = ends;
  op.axes = axes;
  op.steps = steps;
  out.push_back({"Slice", op, {data(shape)}});
}

void add_pad(std::vector<Case>& out, graph::PadMode mode, Shape shape, Ints pads) {
  graph::Pad op;
  op.mode = mode;
  op.pads = pads;
  op.value = 0.5f;
  out.push_back({"Pad", op, {data(shape)}});
}

void add_resize(std::vector<Case>& out, graph::ResizeMode mode,
                graph::ResizeCoordinates coordinates, graph::NearestMode nearest, Shape shape,
                std::optional<std::vector<float>> scales, std::optional<Ints> sizes) {
  graph::Resize op;
  op.mode = mode;
  op.coordinates = coordinates;
  op.nearest = nearest;
  op.scales = std::move(scales);
  op.sizes = std::move(sizes);
  out.push_back(
      {mode == graph::ResizeMode::linear ? "Resize linear" : "Resize nearest", op, {data(shape)}});
}

void add_other_resizes(std::vector<Case>& out) {
  using C = graph::ResizeCoordinates;
  using M = graph::ResizeMode;
  const auto add = [&](const char* name, graph::Resize op, Shape shape, Ints sizes) {
    op.sizes = std::move(sizes);
    out.push_back({name, std::move(op), {data(std::move(shape))}});
  };
  for (const bool exclude : {false, true}) {
    add("Resize cubic", {.mode = M::cubic, .exclude_outside = exclude}, {1, 2, 5, 4}, {1, 2, 8, 7});
    add("Resize cubic",
        {.mode = M::cubic,
         .coordinates = C::align_corners,
         .exclude_outside = exclude,
         .cubic_a = -0.5f},
        {1, 17, 7, 5}, {1, 17, 4, 9});
    add("Resize antialiased", {.mode = M::linear, .antialias = true, .exclude_outside = exclude},
        {2, 3, 9, 7}, {2, 3, 4, 3});
    add("Resize antialiased", {.mode = M::cubic, .antialias = true, .exclude_outside = exclude},
        {1, 2, 11, 6}, {1, 2, 5, 8});
  }
  for (const auto mode : {M::nearest, M::linear, M::cubic}) {
    add("Resize symmetric",
        {.mode = mode,
         .coordinates = C::half_pixel_symmetric,
         .axes = Ints{2, 3},
         .keep_aspect_not_larger = true},
        {1, 2, 5, 4}, {7, 7});
    // The region reaches beyond the map at both ends of one axis.
    const auto crop = [&](Shape shape, Ints sizes, std::vector<float> roi) {
      graph::Resize op{.mode = mode, .coordinates = C::tf_crop_and_resize, .sizes = sizes};
      op.extrapolation = -1.5f;
      op.roi = std::move(roi);
      for (std::size_t i = 0; i < shape.size(); ++i)
        op.factors.push_back({static_cast<double>(sizes[i]), static_cast<double>(shape[i])});
      out.push_back({"Resize crop", op, {data(shape)}});
    };
    crop({1, 2, 5, 6}, {1, 2, 4, 7}, {0, 0, 0.2f, -0.3f, 1, 1, 0.9f, 1.2f});
    crop({2, 3, 5}, {2, 3, 5}, {0, 0, 0.4f, 1, 1, 0.1f});
  }
}

void add_shapes(std::vector<Case>& out) {
  const auto reshape = [&](graph::ReshapeKind kind, Shape from, Ints spec) {
    graph::Reshape op;
    op.kind = kind;
    op.spec = spec;
    out.push_back({"Reshape", op, {data(from)}});
  };
  using R = graph::ReshapeKind;
  for (const auto& [from, to] :
       std::vector<std::pair<Shape, Ints>>{{{2, 3, 4}, {6, 4}},
                                           {{2, 3, 4}, {0, -1}},
                                           {{1, 17, 2, 2}, {1, -1}},
                                           {{12}, {2, 1, 6}},
                                           {{2, 3, 4, 5}, {2, 12, 5}},
                                           {{1, 16, 3, 3}, {1, 4, 4, 3, 3}},
                                           {{5}, {5}},
                                           {{1, 1, 1}, {1}}})
    reshape(R::reshape, from, to);
  for (const std::int64_t axis : {0, 1, 2, 3, 4, -1, -2, -4})
    reshape(R::flatten, {2, 3, 4, 5}, {axis});
  for (const auto& axes :
       std::vector<Ints>{{1}, {-1}, {1, 3}, {3, 1}, {-1, 1}, {-3, 3}, {1, -1}, {3}}) {
    reshape(R::squeeze, {2, 1, 17, 1}, axes);
    reshape(R::unsqueeze, {2, 3}, axes == Ints{3} ? Ints{0} : axes);
  }

  for (const auto& [shape, perm] :
       std::vector<std::pair<Shape, Ints>>{{{3, 4}, {}},
                                           {{2, 3, 4}, {0, 2, 1}},
                                           {{2, 3, 4}, {2, 0, 1}},
                                           {{1, 17, 3, 4}, {0, 2, 3, 1}},
                                           {{2, 3, 4, 5}, {0, 3, 1, 2}},
                                           {{2, 3, 4, 5}, {3, 2, 1, 0}},
                                           {{2, 2, 3, 2, 2}, {0, 2, 1, 3, 4}},
                                           {{1, 2, 3, 2, 3, 2}, {0, 1, 3, 2, 5, 4}}})
    out.push_back({"Transpose", graph::Transpose{perm}, {data(shape)}});

  for (const auto& [from, to] : std::vector<std::pair<Shape, Ints>>{{{3, 1}, {3, 4}},
                                                                    {{1}, {2, 3}},
                                                                    {{2, 1, 3}, {2, 4, 3}},
                                                                    {{1, 5, 1, 1}, {2, 5, 3, 2}},
                                                                    {{3}, {1}},
                                                                    {{2, 3}, {2, 3}},
                                                                    {{1, 1}, {5, 7}},
                                                                    {{4, 1}, {3, 1, 2}}})
    out.push_back({"Expand",
                   graph::Expand{},
                   {data(from), integers({static_cast<std::int64_t>(to.size())}, to)}});

  for (const auto& [from, times] :
       std::vector<std::pair<Shape, Ints>>{{{3}, {2}},
                                           {{2, 3}, {1, 2}},
                                           {{2, 3}, {3, 1}},
                                           {{1, 2, 3}, {2, 2, 2}},
                                           {{1, 5, 2, 2}, {1, 1, 2, 3}},
                                           {{2, 1}, {1, 1}},
                                           {{1}, {7}},
                                           {{2, 2, 2, 2}, {2, 1, 1, 2}}})
    out.push_back({"Tile",
                   graph::Tile{},
                   {data(from), integers({static_cast<std::int64_t>(times.size())}, times)}});

  for (const auto& [shape, block] : std::vector<std::pair<Shape, std::int64_t>>{
           {{1, 4, 3, 2}, 2}, {{2, 8, 3, 3}, 2}, {{1, 9, 2, 2}, 3}, {{1, 18, 1, 5}, 3}}) {
    out.push_back({"DepthToSpace", graph::DepthToSpace{block, false}, {data(shape)}});
    out.push_back({"DepthToSpace", graph::DepthToSpace{block, true}, {data(shape)}});
    const Shape wide = {shape[0], shape[1] / block, shape[2] * block, shape[3] * block * 2};
    out.push_back({"SpaceToDepth", graph::SpaceToDepth{block}, {data(wide)}});
    out.push_back({"SpaceToDepth", graph::SpaceToDepth{block}, {data({1, 3, block, 2 * block})}});
  }
}

/// `places`: per image and row, where the patch begins and where the region does.
void add_patch(std::vector<Case>& out, Shape clean, Shape patch, Ints extents, Ints places,
               std::int64_t row = 0, float fill = 0) {
  const auto rank = static_cast<std::int64_t>(extents.size());
  const auto rows = static_cast<std::int64_t>(places.size()) / (2 * rank * patch[0]);
  out.push_back({"Paste",
                 graph::Paste{extents, row, fill},
                 {data(clean), data(patch), integers({patch[0], rows, 2 * rank}, places)},
                 1,
                 false});
}

void add_patches(std::vector<Case>& out) {
  // Inside, over each border, outside, filling the region, the whole map.
  add_patch(out, {1, 3, 7, 8}, {1, 3, 2, 3}, {5, 5}, {2, 3, 1, 2});
  add_patch(out, {1, 16, 7, 8}, {2, 16, 2, 3}, {5, 5}, {0, 0, -1, -2, 5, 5, 4, 5});
  add_patch(out, {1, 33, 6, 5}, {2, 33, 3, 2}, {4, 4}, {0, 3, 1, 2, 3, 0, 3, -1});
  add_patch(out, {1, 32, 9, 9}, {1, 32, 2, 2}, {3, 3}, {6, 6, 1, 1});
  add_patch(out, {1, 32, 9, 9}, {1, 32, 5, 5}, {3, 3}, {2, 2, 3, 3});
  add_patch(out, {1, 17, 4, 6}, {2, 17, 2, 2}, {4, 6}, {0, 0, 0, 0, 2, 4, 0, 0});
  add_patch(out, {1, 16, 4, 6}, {1, 16, 2, 2}, {6, 8}, {2, 4, -1, -1}, 0, -3.5f);
  add_patch(out, {1, 18, 4, 6}, {1, 18, 2, 2}, {6, 8}, {0, 0, -1, -1}, 0, -3.5f);
  add_patch(out, {1, 16, 4, 6}, {2, 16, 2, 2}, {3, 3},
            {9, 9, 9, 9, 1, 1, 0, 0, 7, 7, 7, 7, 2, 4, 2, 3}, 1);
  add_patch(out, {1, 19, 9}, {2, 19, 3}, {6}, {2, 1, 6, 5});
  add_patch(out, {1, 16, 4, 3, 5}, {2, 16, 2, 2, 2}, {3, 3, 3},
            {0, 1, 2, -1, 0, 1, 2, 0, 3, 2, -1, 3});
}

void add_concats(std::vector<Case>& out) {
  const auto concat = [&](std::int64_t axis, std::vector<Shape> shapes) {
    std::vector<Operand> operands;
    for (auto& s : shapes) operands.push_back(data(s));
    out.push_back({"Concat", graph::Concat{axis}, operands});
  };
  concat(1, {{1, 3, 4, 4}, {1, 5, 4, 4}});
  concat(1, {{2, 16, 3, 3}, {2, 32, 3, 3}});
  concat(1, {{2, 16, 3, 3}, {2, 5, 3, 3}, {2, 16, 3, 3}});
  concat(0, {{2, 3}, {1, 3}, {4, 3}});
  concat(-1, {{2, 3, 4}, {2, 3, 1}});
  concat(2, {{1, 2, 3, 4}, {1, 2, 2, 4}});
  concat(1, {{2, 3}});
  concat(0, {{5}, {2}});

  const auto split = [&](Shape shape, std::int64_t axis, std::optional<Ints> sizes,
                         std::size_t outputs) {
    out.push_back({"Split", graph::Split{axis, sizes}, {data(shape)}, outputs});
  };
  split({6}, 0, Ints{2, 4}, 2);
  split({2, 6}, 1, std::nullopt, 3);
  split({1, 7, 3, 3}, 1, std::nullopt, 2);
  split({1, 32, 3, 3}, 1, Ints{16, 16}, 2);
  split({4, 5}, -1, Ints{1, 1, 3}, 3);
  split({2, 3, 4, 5}, 2, Ints{3, 1}, 2);
  split({2, 3, 4, 5}, 0, std::nullopt, 2);
  split({1, 17, 2, 2}, 1, Ints{1, 16}, 2);
}

void add_cumulative_sums(std::vector<Case>& out) {
  const auto sum = [&](Shape shape, std::int64_t axis, bool exclusive, bool reverse) {
    out.push_back(
        {"CumSum", graph::CumSum{{}, exclusive, reverse}, {data(shape), integers({}, {axis})}});
  };
  sum({7}, 0, false, false);
  sum({7}, -1, true, false);
  sum({2, 5}, 1, false, true);
  sum({3, 5}, 0, true, true);
  sum({2, 3, 4}, 1, false, false);
  sum({1, 17, 3, 2}, 1, false, false);
  sum({2, 4, 3, 5}, -2, true, true);
  sum({1, 3, 4, 6}, 3, false, true);
  sum({3, 1, 2}, 1, true, false);
}

void add_gathers(std::vector<Case>& out) {
  const auto gather = [&](Shape shape, std::int64_t axis, Shape indices, Ints values) {
    out.push_back({"Gather", graph::Gather{axis}, {data(shape), integers(indices, values)}});
  };
  gather({5}, 0, {3}, {4, 0, -1});
  gather({5, 3}, 0, {2, 2}, {0, 1, 4, 1});
  gather({2, 5, 3}, 1, {2}, {-1, 2});
  gather({2, 5, 3}, -1, {}, {1});
  gather({1, 17, 2, 3}, 1, {3}, {16, 0, 3});
  gather({4, 3}, 1, {1}, {2});
  gather({2, 2, 2, 3}, 2, {3}, {1, 1, 0});
  gather({3, 4}, 0, {1, 4}, {0, 0, 0, 2});

  const auto elements = [&](Shape shape, std::int64_t axis, Shape indices, Ints values) {
    out.push_back(
        {"GatherElements", graph::GatherElements{axis}, {data(shape), integers(indices, values)}});
  };
  elements({5}, 0, {3}, {4, 0, -1});
  elements({2, 3}, 1, {2, 2}, {0, 0, 2, -3});
  elements({3, 3}, 0, {2, 3}, {1, 2, 0, 2, 0, 0});
  elements({2, 3, 2}, 1, {2, 1, 2}, {2, 0, -1, 1});
  elements({2, 2, 3}, -1, {1, 2, 4}, {0, 0, 1, 2, -1, -2, -3, 0});
  elements({1, 17, 2, 3}, 1, {1, 2, 2, 3}, {16, 0, 3, 1, 2, -1, 16, 16, 3, 4, 5, 6});
  elements({4, 2}, 0, {6, 1}, {0, 3, 3, 1, 1, 1});
  elements({2, 2}, 1, {2, 2}, {1, 0, 0, 0});

  const auto gather_nd = [&](Shape shape, std::int64_t batch, Shape indices, Ints values) {
    out.push_back({"GatherND", graph::GatherND{batch}, {data(shape), integers(indices, values)}});
  };
  gather_nd({3, 4}, 0, {2, 2}, {0, 1, 2, 3});
  gather_nd({3, 4}, 0, {2, 1}, {2, -1});
  gather_nd({2, 3, 4}, 0, {1, 2, 2}, {0, 1, 1, 0});
  gather_nd({2, 3, 4}, 1, {2, 1}, {1, 0});
  gather_nd({2, 3, 4}, 1, {2, 2, 1}, {1, 0, 2, 2});
  gather_nd({5}, 0, {3, 1}, {4, 4, 0});
  gather_nd({2, 2, 3}, 2, {2, 2, 1}, {0, 1, 2, 0});
  gather_nd({2, 3, 2}, 0, {2, 3}, {1, 2, 1, 0, 0, 0});

  const auto scatter = [&](Shape shape, Shape indices, Ints values, Shape updates) {
    out.push_back(
        {"ScatterND", graph::ScatterND{}, {data(shape), integers(indices, values), data(updates)}});
  };
  scatter({8}, {4, 1}, {4, 3, 1, 7}, {4});
  scatter({4, 3}, {2, 1}, {0, 2}, {2, 3});
  scatter({4, 3}, {2, 2}, {0, 2, 3, 1}, {2});
  scatter({2, 3, 4}, {1, 1}, {-1}, {1, 3, 4});
  scatter({5}, {3, 1}, {2, 2, 0}, {3});
  scatter({2, 3, 4}, {2, 2}, {0, 1, 1, 2}, {2, 4});
  scatter({3, 2}, {1, 2}, {2, 1}, {1});
  scatter({2, 2, 2, 2}, {2, 3}, {0, 0, 1, 1, 1, 0}, {2, 2});

  const auto reduced = [&](graph::ScatterKind kind, const char* name, bool differentiable) {
    out.push_back({std::string("ScatterND, ") + name,
                   graph::ScatterND{kind},
                   {data({5, 2}), integers({3, 1}, {2, -3, 0}), data({3, 2})},
                   1,
                   differentiable});
    out.push_back({std::string("ScatterElements, ") + name,
                   graph::ScatterElements{1, kind},
                   {data({2, 5}), integers({2, 3}, {2, -3, 0, 4, 4, 1}), data({2, 3})},
                   1,
                   differentiable});
  };
  reduced(graph::ScatterKind::add, "add", true);
  reduced(graph::ScatterKind::mul, "mul", false);
  reduced(graph::ScatterKind::max, "max", false);
  reduced(graph::ScatterKind::min, "min", false);

  const auto elements_to = [&](Shape shape, std::int64_t axis, Shape indices, Ints values) {
    out.push_back({"ScatterElements",
                   graph::ScatterElements{axis},
                   {data(shape), integers(indices, values), data(indices)}});
  };
  elements_to({5}, 0, {3}, {4, 0, -2});
  elements_to({2, 3}, 1, {2, 2}, {0, 0, 2, -3});
  elements_to({3, 3}, 0, {2, 3}, {1, 2, 0, 2, 0, 0});
  elements_to({2, 3, 2}, 1, {2, 1, 2}, {2, 0, -1, 1});
  elements_to({2, 2, 3}, -1, {1, 2, 4}, {0, 0, 1, 2, -1, -2, -3, 0});
  elements_to({1, 17, 2, 3}, 1, {1, 2, 2, 3}, {16, 0, 3, 1, 2, -1, 16, 16, 4, 5, 6, 7});
  elements_to({4, 2}, 0, {6, 1}, {0, 3, 3, 1, 1, 1});
  elements_to({2, 2}, 1, {2, 2}, {1, 0, 0, 0});
}

}  // namespace

std::vector<Case> movement_cases() {
  std::vector<Case> out;
  add_cumulative_sums(out);
  add_slice(out, {7}, {1}, {6}, {0}, {1});
  add_slice(out, {3, 8}, {0, 1}, {3, 8}, {0, 1}, {2, 3});
  add_slice(out, {3, 8}, {-1}, {-100}, {1}, {-2});
  add_slice(out, {1, 17, 6, 5}, {1, 0}, {5, -1}, {2, 3}, {1, 1});
  add_slice(out, {1, 17, 6, 5}, {3}, {1000}, {1}, {1});
  add_slice(out, {2, 4, 8, 8}, {0, 0}, {8, 8}, {2, 3}, {2, 2});
  add_slice(out, {2, 3, 4}, {-2}, {4}, {-1}, {1});
  add_slice(out, {2, 4, 9, 1}, {2}, {7}, {2}, {1});
  add_slice(out, {2, 4, 9, 1}, {1}, {9}, {2}, {3});
  add_slice(out, {2, 3, 9, 130}, {1}, {3}, {1}, {1});
  add_slice(out, {4, 5}, {3, 4}, {0, 1}, {0, 1}, {-1, -1});

  using graph::PadMode;
  for (const auto mode : {PadMode::constant, PadMode::reflect, PadMode::edge, PadMode::wrap}) {
    add_pad(out, mode, {1, 3, 4, 5}, {0, 0, 1, 2, 0, 0, 3, 1});
    add_pad(out, mode, {5}, {2, 3});
    add_pad(out, mode, {1, 17, 3, 3}, {0, 0, 1, 1, 0, 0, 1, 1});
    add_pad(out, mode, {3, 4}, {0, 2, 1, 0});
  }
  add_pad(out, PadMode::constant, {1, 4, 5, 5}, {0, 2, 0, 0, 0, 2, 0, 0});
  add_pad(out, PadMode::constant, {2, 6}, {0, -1, 0, -2});
  // Channels last, of one channel and of several: what lies behind the padded extent goes along.
  for (const std::int64_t channels : {1, 3}) {
    add_pad(out, PadMode::constant, {2, 4, 9, channels}, {0, 0, 2, 0, 0, 0, 3, 0});
    add_pad(out, PadMode::reflect, {2, 4, 9, channels}, {0, 0, 2, 0, 0, 0, 3, 0});
    add_pad(out, PadMode::constant, {2, 4, 9, channels}, {0, 1, 0, 0, 0, 2, 0, 0});
  }

  using C = graph::ResizeCoordinates;
  using M = graph::ResizeMode;
  using N = graph::NearestMode;
  for (const auto coordinates :
       {C::half_pixel, C::pytorch_half_pixel, C::align_corners, C::asymmetric}) {
    for (const auto mode : {M::nearest, M::linear}) {
      add_resize(out, mode, coordinates, N::round_prefer_floor, {1, 2, 3, 4},
                 std::vector<float>{1, 1, 2, 2}, std::nullopt);
      add_resize(out, mode, coordinates, N::floor, {1, 17, 5, 4}, std::nullopt, Ints{1, 17, 3, 9});
      add_resize(out, mode, coordinates, N::ceil, {2, 3, 7}, std::vector<float>{1, 1, 0.6f},
                 std::nullopt);
      add_resize(out, mode, coordinates, N::round_prefer_ceil, {1, 2, 3, 4, 2}, std::nullopt,
                 Ints{1, 2, 5, 4, 3});
    }
  }
  add_other_resizes(out);
  add_shapes(out);
  add_patches(out);
  add_concats(out);
  add_gathers(out);
  return out;
}

std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (auto family : {elementwise_cases(), window_cases(), matrix_cases(), norm_cases(),
                      reduce_cases(), movement_cases(), recurrent_cases()})
    for (auto& one : family) out.push_back(std::move(one));
  for (auto& one : selection_cases()) out.push_back(std::move(one));
  return out;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = all_cases();
  return all;
}

}  // namespace fovea::engine_test
