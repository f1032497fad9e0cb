#include "engine/op_case.hpp"

namespace fovea::engine_test {

std::vector<Case> norm_cases() {
  std::vector<Case> out;
  const std::vector<Shape> shapes = {{2, 5},        {3, 4, 7},    {1, 6, 5, 3},    {2, 16, 4, 4},
                                     {1, 18, 3, 5}, {2, 4, 1, 7}, {1, 2, 3, 4, 3}, {1, 32, 2, 2}};
  for (const auto& shape : shapes) {
    const std::int64_t c = shape[1];
    out.push_back({"BatchNormalization",
                   graph::BatchNorm{1e-3f},
                   {data(shape), weight({c}), weight({c}), weight({c}), weight({c}, 0.2, 2)}});
    out.push_back({"LayerNormalization",
                   graph::LayerNorm{-1, 1e-3f},
                   {data(shape), weight({shape.back()}), weight({shape.back()})}});
    const Shape inner(shape.begin() + 1, shape.end());
    out.push_back({"LayerNormalization", graph::LayerNorm{1, 1e-3f}, {data(shape), weight(inner)}});
    out.push_back({"Softmax", graph::Softmax{-1, false, false}, {data(shape)}});
    out.push_back({"Hardmax", graph::Hardmax{-1, false}, {data(shape)}});
    out.push_back({"Hardmax", graph::Hardmax{1, false}, {data(shape)}});
    out.push_back({"Hardmax, old", graph::Hardmax{1, true}, {data(shape)}});
    out.push_back({"Softmax", graph::Softmax{1, false, false}, {data(shape)}});
    out.push_back({"Softmax, old", graph::Softmax{1, false, true}, {data(shape)}});
    out.push_back({"LogSoftmax", graph::Softmax{-1, true, false}, {data(shape)}});
    out.push_back({"LogSoftmax", graph::Softmax{0, true, false}, {data(shape)}});
    if (shape.size() < 3) continue;
    out.push_back({"InstanceNormalization",
                   graph::InstanceNorm{1e-2f},
                   {data(shape), weight({c}), weight({c})}});
    out.push_back({"LRN", graph::Lrn{3, 0.3f, 0.75f, 1.f}, {data(shape)}});
    out.push_back({"LRN, even", graph::Lrn{4, 0.2f, 0.5f, 2.f}, {data(shape)}});
    if (c % 2 == 0)
      out.push_back({"GroupNormalization",
                     graph::GroupNorm{2, 1e-2f},
                     {data(shape), weight({c}), weight({c})}});
    out.push_back({"GroupNormalization",
                   graph::GroupNorm{1, 1e-2f},
                   {data(shape), weight({c}), weight({c})}});
  }
  out.push_back({"InstanceNormalization",
                 graph::InstanceNorm{1e-2f},
                 {data({1, 3, 9, 1}), weight({3}), weight({3})}});
  return out;
}

std::vector<Case> reduce_cases() {
  std::vector<Case> out;
  using graph::Ints;
  using graph::Reduce;
  using K = graph::ReduceKind;
  struct Form {
    Shape shape;
    std::optional<Ints> axes;
    bool keep;
  };
  const std::vector<Form> forms = {
      {{2, 5, 4, 3}, Ints{2, 3}, true}, {{2, 17, 4, 3}, Ints{2, 3}, false},
      {{3, 4}, Ints{1}, true},          {{3, 4}, Ints{0}, false},
      {{2, 3, 4}, Ints{-1}, false},     {{2, 3, 4}, Ints{0, 2}, true},
      {{5}, std::nullopt, true},        {{2, 3, 4}, std::nullopt, false},
      {{1, 16, 3, 3}, Ints{1}, true},   {{1, 3, 2, 3, 4}, Ints{2, 3, 4}, true}};
  for (const auto kind :
       {K::mean, K::sum, K::max, K::min, K::prod, K::l1, K::l2, K::sum_square, K::log_sum_exp}) {
    for (const auto& form : forms) {
      Reduce op;
      op.kind = kind;
      op.axes = form.axes;
      op.keep_dims = form.keep;
      const double low = kind == K::prod ? 0.7 : -2, high = kind == K::prod ? 1.4 : 2;
      out.push_back({std::string(graph::name_of(kind)), op, {data(form.shape, low, high)}});
    }
  }
  for (const auto& shape : std::vector<Shape>{{3, 4}, {2, 17, 4, 3}}) {
    for (std::int64_t axis = -2; axis < 2; ++axis) {
      Reduce op;
      op.kind = K::arg_max;
      op.axes = Ints{axis};
      op.keep_dims = axis % 2 == 0;
      out.push_back({"ArgMax", op, {data(shape)}, 1, false});
    }
  }
  return out;
}

}  // namespace fovea::engine_test
