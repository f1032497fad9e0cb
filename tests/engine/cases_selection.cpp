#include "engine/op_case.hpp"

namespace fovea::engine_test {
namespace {

using graph::Ints;

void add_rankings(std::vector<Case>& out) {
  const auto rank = [&](Shape shape, std::int64_t axis, std::int64_t k, bool largest) {
    out.push_back(
        {"TopK", graph::TopK{axis, largest}, {data(shape), integers({1}, {k})}, 1, false});
  };
  rank({7}, 0, 3, true);
  rank({7}, 0, 7, false);
  rank({2, 5}, 1, 2, true);
  rank({5, 2}, 0, 4, false);
  rank({2, 3, 4}, 1, 1, true);
  rank({1, 17, 3, 2}, 1, 5, true);
  rank({2, 3, 4, 5}, -1, 4, false);
  rank({2, 3, 4, 5}, 2, 2, true);
  // Equal ones: the first first.
  auto& ties = out.back();
  ties.operands[0] = data({2, 3, 4, 5}, 1, 1);
}

void add_regions(std::vector<Case>& out) {
  const auto align = [&](Shape x, std::int64_t regions, Ints images, graph::RoiAlign op, double low,
                         double high) {
    out.push_back({op.max ? "RoiAlign, largest" : "RoiAlign",
                   op,
                   {data(x), weight({regions, 4}, low, high), integers({regions}, images)}});
  };
  for (const bool max : {false, true})
    for (const bool half : {false, true}) {
      align({1, 3, 6, 7}, 3, {0, 0, 0}, {max, half, 2, 3, 2, 1}, -1.7, 7.9);
      align({2, 2, 8, 5}, 4, {1, 0, 1, 1}, {max, half, 3, 1, 0, 0.5f}, -3.1, 14.2);
      align({1, 17, 4, 4}, 2, {0, 0}, {max, half, 1, 1, 0, 1}, 0.2, 3.9);
      align({1, 2, 3, 4}, 3, {0, 0, 0}, {max, half, 2, 2, 0, 1}, -90, 90);
      align({2, 1, 5, 9}, 5, {0, 0, 1, 1, 0}, {max, half, 2, 2, 3, 0.25f}, -4, 30);
    }
}

void add_places_of_maxima(std::vector<Case>& out) {
  const auto pool = [&](Shape shape, Ints kernel, Ints strides, Ints dilations, Ints begin,
                        Ints end, bool column_major) {
    graph::Pool op;
    op.kind = graph::PoolKind::arg_max;
    op.window = {kernel, strides, dilations, begin, end, graph::AutoPad::explicit_pads};
    op.column_major = column_major;
    out.push_back({"MaxPool indices", op, {data(shape)}, 1, false});
  };
  for (const bool turned : {false, true}) {
    pool({2, 3, 9}, {3}, {2}, {1}, {1}, {0}, turned);
    pool({2, 3, 6, 4}, {2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}, turned);
    pool({1, 17, 7, 5}, {3, 2}, {2, 1}, {1, 2}, {1, 0}, {1, 1}, turned);
    pool({1, 2, 4, 3, 5}, {2, 2, 3}, {2, 1, 2}, {1, 1, 1}, {0, 1, 1}, {0, 0, 1}, turned);
  }
}

}  // namespace

std::vector<Case> selection_cases() {
  std::vector<Case> out;
  add_rankings(out);
  add_regions(out);
  add_places_of_maxima(out);
  return out;
}

}  // namespace fovea::engine_test
