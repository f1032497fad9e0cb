#include "engine/op_case.hpp"

namespace fovea::engine_test {
namespace {

using graph::AutoPad;
using graph::Conv;
using graph::ConvTranspose;
using graph::Ints;
using graph::Pool;
using graph::PoolKind;
using graph::Window;

Window window(Ints kernel, Ints strides, Ints dilations, Ints begin, Ints end,
              AutoPad pad = AutoPad::explicit_pads) {
  return {std::move(kernel), std::move(strides), std::move(dilations),
          std::move(begin),  std::move(end),     pad};
}

void add_conv(std::vector<Case>& out, Shape x, Shape w, Window win, std::int64_t group = 1,
              bool bias = true) {
  Conv op;
  op.window = std::move(win);
  op.group = group;
  std::vector<Operand> operands = {data(x), weight(w)};
  if (bias) operands.push_back(weight({w[0]}));
  out.push_back({"Conv", op, operands});
}

void add_transpose(std::vector<Case>& out, Shape x, Shape w, Window win, std::int64_t group,
                   Ints output_padding, bool bias = true) {
  ConvTranspose op;
  op.window = std::move(win);
  op.group = group;
  op.output_padding = std::move(output_padding);
  std::vector<Operand> operands = {data(x), weight(w)};
  if (bias) operands.push_back(weight({w[1] * group}));
  out.push_back({"ConvTranspose", op, operands});
}

void add_pool(std::vector<Case>& out, PoolKind kind, Shape x, Window win, bool ceil = false,
              bool count_pad = false) {
  Pool op;
  op.kind = kind;
  op.window = std::move(win);
  op.ceil_mode = ceil;
  op.count_include_pad = count_pad;
  out.push_back({kind == PoolKind::max ? "MaxPool" : "AveragePool", op, {data(x)}});
}

/// Columns of `channels` channels that fill the image.
void add_columns(std::vector<Case>& out, std::int64_t images, std::int64_t channels, Ints image,
                 graph::Window w) {
  std::int64_t elements = channels, blocks = 1;
  for (std::size_t d = 0; d < image.size(); ++d) {
    const auto reach = (w.kernel[d] - 1) * w.dilations[d] + 1;
    elements *= w.kernel[d];
    blocks *= (image[d] + w.pads_begin[d] + w.pads_end[d] - reach) / w.strides[d] + 1;
  }
  graph::Col2Im op;
  op.window = w;
  op.image = image;
  out.push_back({"Col2Im", op, {data({images, elements, blocks})}});
}

void add_columns(std::vector<Case>& out) {
  add_columns(out, 1, 3, {6, 5}, window({2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}));
  add_columns(out, 2, 2, {6, 6}, window({3, 2}, {3, 2}, {1, 1}, {0, 0}, {0, 0}));
  add_columns(out, 1, 2, {7, 5}, window({3, 3}, {2, 1}, {1, 1}, {1, 2}, {0, 1}));
  add_columns(out, 1, 1, {9, 8}, window({3, 2}, {2, 3}, {2, 3}, {2, 1}, {1, 2}));
  add_columns(out, 2, 3, {11}, window({3}, {2}, {1}, {1}, {1}));
  add_columns(out, 1, 17, {5}, window({5}, {1}, {1}, {0}, {0}));
  add_columns(out, 1, 2, {4, 3, 5}, window({2, 1, 3}, {1, 2, 1}, {1, 1, 2}, {1, 0, 1}, {0, 1, 1}));
  add_columns(out, 1, 1, {2, 2}, window({2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}));
}

/// Places in and around the image.
void add_samples(std::vector<Case>& out, Shape x, Shape places) {
  Shape grid{x[0]};
  grid.insert(grid.end(), places.begin(), places.end());
  grid.push_back(static_cast<std::int64_t>(places.size()));
  using graph::GridPadding, graph::ResizeMode;
  for (const auto mode : {ResizeMode::nearest, ResizeMode::linear, ResizeMode::cubic})
    for (const auto padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
      for (const bool corners : {false, true}) {
        const graph::GridSample op{mode, padding, corners};
        out.push_back({"GridSample", op, {data(x), data(grid, -1.73, 1.81)}});
        if (mode == ResizeMode::linear)
          out.push_back({"GridSample, fixed", op, {data(x), weight(grid, -1.73, 1.81)}});
      }
}

}  // namespace

std::vector<Case> window_cases() {
  std::vector<Case> out;
  add_columns(out);
  add_samples(out, {2, 3, 5, 7}, {3, 4});
  add_samples(out, {1, 17, 4, 4}, {2, 5});
  add_samples(out, {1, 2, 3, 4, 5}, {2, 2, 3});
  add_samples(out, {2, 2, 6}, {9});
  add_conv(out, {1, 3, 9, 7}, {5, 3, 3, 3}, window({3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}));
  add_conv(out, {2, 16, 8, 9}, {16, 16, 3, 3}, window({3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}));
  add_conv(out, {1, 4, 7, 7}, {6, 4, 1, 1}, window({1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}), 1,
           false);
  add_conv(out, {1, 6, 7, 5}, {6, 1, 3, 3}, window({3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}), 6);
  add_conv(out, {1, 8, 6, 6}, {4, 4, 3, 3}, window({3, 3}, {1, 1}, {1, 1}, {0, 1}, {1, 2}), 2);
  add_conv(out, {1, 3, 11, 10}, {4, 3, 3, 3}, window({3, 3}, {1, 1}, {2, 3}, {2, 3}, {2, 3}));
  add_conv(out, {1, 2, 8, 7}, {3, 2, 2, 4},
           window({2, 4}, {2, 3}, {1, 1}, {}, {}, AutoPad::same_upper));
  add_conv(out, {1, 2, 8, 7}, {3, 2, 2, 4},
           window({2, 4}, {2, 3}, {1, 1}, {}, {}, AutoPad::same_lower));
  add_conv(out, {1, 2, 8, 7}, {3, 2, 3, 3}, window({3, 3}, {2, 1}, {1, 1}, {}, {}, AutoPad::valid));
  add_conv(out, {2, 3, 13}, {5, 3, 3}, window({3}, {2}, {1}, {1}, {0}));
  add_conv(out, {1, 4, 15}, {4, 1, 5}, window({5}, {1}, {2}, {4}, {4}), 4);
  add_conv(out, {1, 2, 5, 6, 7}, {3, 2, 3, 2, 3},
           window({3, 2, 3}, {1, 2, 1}, {1, 1, 1}, {1, 0, 1}, {1, 1, 1}));
  add_conv(out, {1, 24, 6, 6}, {24, 1, 5, 5}, window({5, 5}, {2, 2}, {1, 1}, {2, 2}, {2, 2}), 24);

  add_transpose(out, {1, 3, 4, 5}, {3, 2, 3, 3}, window({3, 3}, {1, 1}, {1, 1}, {0, 0}, {0, 0}), 1,
                {});
  add_transpose(out, {1, 4, 5, 4}, {4, 3, 3, 3}, window({3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}), 1,
                {1, 1});
  add_transpose(out, {2, 4, 3, 3}, {4, 2, 2, 2}, window({2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}), 2,
                {});
  add_transpose(out, {1, 6, 4, 4}, {6, 1, 3, 3}, window({3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}), 6,
                {});
  add_transpose(out, {1, 2, 4, 3}, {2, 3, 3, 3}, window({3, 3}, {1, 2}, {2, 1}, {1, 0}, {1, 1}), 1,
                {});
  add_transpose(out, {1, 3, 6}, {3, 4, 3}, window({3}, {2}, {1}, {1}, {0}), 1, {});
  add_transpose(out, {1, 2, 3, 3, 4}, {2, 2, 2, 3, 2},
                window({2, 3, 2}, {1, 2, 2}, {1, 1, 1}, {0, 1, 0}, {0, 1, 0}), 1, {});
  add_transpose(out, {1, 16, 5, 5}, {16, 16, 4, 4}, window({4, 4}, {2, 2}, {1, 1}, {1, 1}, {1, 1}),
                1, {}, false);

  for (const auto kind : {PoolKind::max, PoolKind::average}) {
    add_pool(out, kind, {1, 3, 8, 7}, window({2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}));
    add_pool(out, kind, {2, 16, 9, 9}, window({3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}));
    add_pool(out, kind, {1, 5, 10, 7}, window({3, 3}, {2, 2}, {1, 1}, {0, 0}, {0, 0}), true);
    add_pool(out, kind, {1, 5, 10, 8}, window({3, 3}, {2, 3}, {1, 1}, {1, 1}, {1, 1}), true, true);
    add_pool(out, kind, {1, 2, 7, 6}, window({3, 2}, {1, 2}, {1, 1}, {}, {}, AutoPad::same_upper));
    add_pool(out, kind, {1, 2, 7, 6}, window({2, 3}, {2, 1}, {1, 1}, {}, {}, AutoPad::same_lower),
             false, true);
    add_pool(out, kind, {1, 3, 15}, window({4}, {3}, {1}, {1}, {2}), false, true);
    add_pool(out, kind, {1, 2, 5, 6, 5},
             window({2, 3, 2}, {2, 1, 2}, {1, 1, 1}, {0, 1, 0}, {0, 1, 1}));
    add_pool(out, kind, {1, 3, 9, 9}, window({2, 3}, {1, 1}, {2, 2}, {1, 2}, {1, 2}));
    add_pool(out, kind, {1, 17, 6, 6}, window({6, 6}, {1, 1}, {1, 1}, {0, 0}, {0, 0}));
  }
  return out;
}

}  // namespace fovea::engine_test
