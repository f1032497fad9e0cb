#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "engine/net.hpp"

/// Products of a few rows with constant weights, forward and back, against sums in double: large
/// enough for several threads, with rows of zeros and without.
namespace fovea::engine_test {
namespace {

using graph::ValueId;

struct Form {
  std::string name;
  std::int64_t rows, inputs, outputs;
  bool outputs_first;  ///< Gemm with weights [outputs, inputs]; else MatMul, [inputs, outputs]
  bool sparse;         ///< two thirds of x, and of the seeds, are zero
};

std::vector<Form> forms() {
  std::vector<Form> out;
  for (const std::int64_t rows : {1, 2, 3, 4, 5, 9})
    for (const bool first : {true, false})
      for (const bool sparse : {true, false})
        for (const auto& [inputs, outputs] : std::vector<std::pair<std::int64_t, std::int64_t>>{
                 {700, 333}, {64, 1000}, {2500, 130}, {5, 1}, {1, 5}})
          out.push_back({std::to_string(rows) + "_of_" + std::to_string(inputs) + "_to_" +
                             std::to_string(outputs) + (first ? "_gemm" : "_matmul") +
                             (sparse ? "_sparse" : ""),
                         rows, inputs, outputs, first, sparse});
  return out;
}

const std::vector<Form>& all_forms() {
  static const std::vector<Form> all = forms();
  return all;
}

std::vector<float> values(std::int64_t n, unsigned seed, bool sparse) {
  auto out = random_floats(n, seed);
  for (std::size_t i = 0; sparse && i < out.size(); ++i)
    if (i % 3 != 0) out[i] = 0;
  return out;
}

class FewRows : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    x_ = net_.input({form().rows, form().inputs});
    const Shape shape = form().outputs_first ? Shape{form().outputs, form().inputs}
                                             : Shape{form().inputs, form().outputs};
    weights_ = net_.weight(shape);
    bias_ = net_.weight({form().outputs});
    graph::Gemm gemm;
    gemm.trans_b = true;
    product_ = form().outputs_first
                   ? net_.node("Gemm", gemm, {x_, weights_, bias_})
                   : net_.add(net_.node("MatMul", graph::MatMul{}, {x_, weights_}), bias_);
    y_ = net_.relu(product_);
    net_.finish(y_);
    x_data_ = values(form().rows * form().inputs, 7, form().sparse);
    seeds_ = values(form().rows * form().outputs, 8, form().sparse);
  }

  const Form& form() const { return all_forms()[GetParam()]; }

  double weight(std::int64_t o, std::int64_t k) const {
    const auto w = net_.graph.value(weights_).constant->floats();
    return w[static_cast<std::size_t>(form().outputs_first ? o * form().inputs + k
                                                           : k * form().outputs + o)];
  }

  /// The result and the gradient of x, both by sums in double.
  void expect(double tolerance, std::vector<float> y, std::vector<float> dx) const {
    const auto rows = form().rows, inputs = form().inputs, outputs = form().outputs;
    const auto bias = net_.graph.value(bias_).constant->floats();
    std::vector<double> want(dx.size(), 0.0), size(dx.size(), 0.0);
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t o = 0; o < outputs; ++o) {
        double sum = bias[static_cast<std::size_t>(o)], magnitude = std::abs(sum);
        for (std::int64_t k = 0; k < inputs; ++k) {
          const double term = x_data_[static_cast<std::size_t>(r * inputs + k)] * weight(o, k);
          sum += term;
          magnitude += std::abs(term);
        }
        const auto at = static_cast<std::size_t>(r * outputs + o);
        ASSERT_NEAR(y[at], std::max(sum, 0.0), tolerance * magnitude) << r << ", " << o;
        if (y[at] <= 0) continue;  // the ReLU's own decision, so that rounding decides nothing here
        for (std::int64_t k = 0; k < inputs; ++k) {
          const double term = seeds_[at] * weight(o, k);
          want[static_cast<std::size_t>(r * inputs + k)] += term;
          size[static_cast<std::size_t>(r * inputs + k)] += std::abs(term);
        }
      }
    for (std::size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(dx[i], want[i], tolerance * size[i] + 1e-30) << i;
  }

  void run(bool optimize, Precision precision, std::vector<float>& y,
           std::vector<float>& dx) const {
    engine::PlanSpec spec;
    spec.optimize = optimize;
    spec.precision = precision;
    spec.fetches = {y_};
    spec.gradients = {{y_, x_}};
    engine::WeightCache cache;
    const auto plan = engine::Plan::build(net_.graph, spec, cache);
    auto workspace = plan->make_workspace();
    const std::vector<std::span<const float>> feeds{x_data_};
    plan->forward(workspace, feeds, {});
    plan->backward(workspace, 0, seeds_, {});
    y.assign(plan->fetch(workspace, 0).data, plan->fetch(workspace, 0).data + seeds_.size());
    dx.assign(plan->gradient(workspace, 0).data,
              plan->gradient(workspace, 0).data + x_data_.size());
  }

  Net net_;
  ValueId x_, weights_, bias_, product_, y_;
  std::vector<float> x_data_, seeds_;
};

TEST_P(FewRows, AreSumsOfProducts) {
  for (const bool optimize : {true, false}) {
    std::vector<float> y, dx;
    run(optimize, Precision::f32, y, dx);
    expect(1e-6, y, dx);
  }
}

TEST_P(FewRows, ThreadsChangeNothing) {
  if (form().rows > 4) GTEST_SKIP() << "oneDNN's product, which may be cut in other pieces";
  std::vector<float> y1, y3, dx1, dx3;
  {
    const base::ThreadScope scope(1);
    run(true, Precision::f32, y1, dx1);
  }
  {
    const base::ThreadScope scope(3);
    run(true, Precision::f32, y3, dx3);
  }
  EXPECT_EQ(y1, y3);
  EXPECT_EQ(dx1, dx3);
}

TEST_P(FewRows, InBf16) {
  if (!engine::bf16_supported()) GTEST_SKIP() << "this CPU cannot compute in bf16";
  std::vector<float> y, dx;
  run(true, Precision::bf16, y, dx);
  expect(1.0 / 128, y, dx);
}

INSTANTIATE_TEST_SUITE_P(All, FewRows, testing::Range<std::size_t>(0, all_forms().size()),
                         [](const auto& at) { return all_forms()[at.param].name; });

}  // namespace
}  // namespace fovea::engine_test
