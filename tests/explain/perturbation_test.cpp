#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "../onnx/model_builder.hpp"
#include "explain/support.hpp"
#include "explain/windows.hpp"

/// Methods that hide parts of the image, on a network whose right answers are known: one product
/// with a matrix. The goldens hold them to other packages on convolutional ones.
namespace fovea {
namespace {

using namespace methods_test;

constexpr std::int64_t kChannels = 2, kRows = 6, kColumns = 8, kClasses = 3;
constexpr std::int64_t kPositions = kRows * kColumns, kInputs = kChannels * kPositions;

std::vector<float> random_values(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> number(-1, 1);
  std::vector<float> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(number(random));
  return out;
}

const std::vector<float> kWeights = random_values(kClasses * kInputs, 4);

Model linear_model(const std::vector<float>& weights = kWeights) {
  test::ModelBuilder builder;
  builder.input("x", {-1, kChannels, kRows, kColumns})
      .output("y")
      .initializer("w", {kClasses, kInputs}, weights)
      .initializer("b", {kClasses}, test::Floats{0.5f, 1, -1})
      .add("Flatten", {"x"}, {"flat"})
      .add("Gemm", {"flat", "w", "b"}, {"y"}, {test::attr("transB", 1)});
  return Model::from_bytes(test::as_bytes(builder.serialize()));
}

Explainer linear(std::vector<Method> methods, ExplainerOptions options = {}) {
  options.prepare.methods = std::move(methods);
  options.compile.tuning = Tuning::off;
  return Explainer(linear_model(), options);
}

Tensor image(std::int64_t count = 1) {
  return {{count, kChannels, kRows, kColumns}, random_values(count * kInputs, 9)};
}

/// What position p adds to class k's score, of image n, where `baseline` stands for nothing.
double part(const Tensor& x, std::int64_t p, std::int64_t k, float baseline = 0,
            std::int64_t n = 0) {
  double out = 0;
  for (std::int64_t c = 0; c < kChannels; ++c) {
    const auto i = c * kPositions + p;
    out += static_cast<double>(kWeights[static_cast<std::size_t>(k * kInputs + i)]) *
           (x.data[static_cast<std::size_t>(n * kInputs + i)] - baseline);
  }
  return out;
}

/// The sum of `part` over each cell of a grid, on the cell's positions.
std::vector<double> by_cell(const Tensor& x, std::int64_t side, std::int64_t k, float baseline) {
  std::vector<double> cells(static_cast<std::size_t>(side * side), 0.0), out;
  const auto cell = [&](std::int64_t p) {
    return static_cast<std::size_t>(p / kColumns * side / kRows * side +
                                    p % kColumns * side / kColumns);
  };
  for (std::int64_t p = 0; p < kPositions; ++p) cells[cell(p)] += part(x, p, k, baseline);
  for (std::int64_t p = 0; p < kPositions; ++p) out.push_back(cells[cell(p)]);
  return out;
}

void expect_near(const Tensor& map, const std::vector<double>& want, double allowed) {
  ASSERT_EQ(map.data.size(), want.size());
  for (std::size_t p = 0; p < want.size(); ++p)
    EXPECT_NEAR(map.data[p], want[p], allowed) << "position " << p;
}

const std::vector<Method> kAll = {Occlusion{.window = 3, .stride = 2},
                                  Rise{.masks = 20, .cells = 3}, Lime{.cells = 2, .samples = 30},
                                  KernelShap{.cells = 3, .samples = 40},
                                  Aise{.widths = 2, .evaluations = 15}};

TEST(Occlusion, OfALinearModelIsTheMeanOverWindowsOfTheirSums) {
  const Occlusion method{.window = 3, .stride = 2, .baseline = 0.25};
  const Tensor x = image();
  const auto map = linear({method}).explain(x, method, Target::class_index(1)).feature_map;
  std::vector<double> sum(kPositions, 0.0), count(kPositions, 0.0);
  for (std::int64_t top = 0; top < kRows - 1; top += 2)
    for (std::int64_t left = 0; left < kColumns - 1; left += 2) {
      double inside = 0;
      std::vector<std::size_t> covered;
      for (auto r = top; r < std::min(top + 3, kRows); ++r)
        for (auto c = left; c < std::min(left + 3, kColumns); ++c) {
          inside += part(x, r * kColumns + c, 1, 0.25f);
          covered.push_back(static_cast<std::size_t>(r * kColumns + c));
        }
      for (const auto p : covered) {
        sum[p] += inside;
        ++count[p];
      }
    }
  for (std::size_t p = 0; p < sum.size(); ++p) sum[p] /= count[p];
  expect_near(map, sum, 1e-5);
}

TEST(Occlusion, WindowsAreAsLargeAsNamedOrASeventhOfTheShorterSide) {
  using explain::sized_for, explain::SlidingWindows;
  EXPECT_EQ(sized_for({0, 0}, {320, 224}), (SlidingWindows{32, 16}));
  EXPECT_EQ(sized_for({0, 0}, {28, 28}), (SlidingWindows{4, 2}));
  EXPECT_EQ(sized_for({0, 0}, {6}), (SlidingWindows{1, 1}));
  EXPECT_EQ(sized_for({9, 0}, {28, 28}), (SlidingWindows{9, 4}));
  EXPECT_EQ(sized_for({0, 3}, {28, 28}), (SlidingWindows{4, 3}));
  EXPECT_EQ(sized_for({5, 2}, {}), (SlidingWindows{5, 2}));
}

TEST(Occlusion, OfAWindowOfOnePixelIsWhatThePixelAdds) {
  const Occlusion method{.window = 1, .stride = 1};
  const Tensor x = image();
  std::vector<double> want;
  for (std::int64_t p = 0; p < kPositions; ++p) want.push_back(part(x, p, 2));
  expect_near(linear({method}).explain(x, method, Target::class_index(2)).feature_map, want, 1e-5);
}

TEST(KernelShap, IsExactOnSums) {
  const Tensor x = image();
  for (const auto& method :
       {KernelShap{.cells = 3, .samples = 510, .baseline = -0.5},  // all of them
        KernelShap{.cells = 3, .samples = 60, .baseline = -0.5},
        KernelShap{.cells = 1, .samples = 1, .baseline = -0.5}}) {
    const auto why = linear({method}).explain(x, method, Target::class_index(0));
    expect_near(why.feature_map, by_cell(x, method.cells, 0, -0.5f), 1e-4);
    ASSERT_TRUE(why.sum_rule);
    double sum = 0;
    for (std::int64_t p = 0; p < kPositions; ++p) sum += part(x, p, 0, -0.5f);
    EXPECT_NEAR(why.sum_rule->expected, sum, 1e-4);
    EXPECT_NEAR(why.sum_rule->attributed, sum, 1e-4);
    EXPECT_LT(why.sum_rule->error, 1e-9);
  }
}

TEST(Lime, WithoutRidgeFindsTheCoefficients) {
  const Lime method{.cells = 3, .samples = 80, .ridge = 0, .baseline = 0.5};
  const Tensor x = image();
  expect_near(linear({method}).explain(x, method, Target::class_index(1)).feature_map,
              by_cell(x, 3, 1, 0.5f), 1e-4);
}

TEST(Rise, DividesByWhatMasksShowOnAverage) {
  const Rise method{.masks = 3000, .cells = 3, .probability = 0.3};
  ExplainerOptions options;
  options.prepare.methods = {method};
  const Explainer explainer(linear_model(std::vector<float>(kWeights.size(), 0.f)), options);
  for (const float v : explainer.explain(image(), method, Target::class_index(1)).feature_map.data)
    EXPECT_NEAR(v, 1, 0.08);  // the bias alone, weighed by the masks' mean
}

/// Every window keeps less than it takes away.
TEST(Aise, TurnsWhatIsNegativeEverywhereAsItsAuthorsDo) {
  const Aise method{.widths = 2, .evaluations = 15};
  ExplainerOptions options;
  options.prepare.methods = {method};
  options.compile.tuning = Tuning::off;
  const Explainer explainer(linear_model(std::vector<float>(kWeights.size(), 1.f)), options);
  const Tensor ones{{1, kChannels, kRows, kColumns}, std::vector<float>(kInputs, 1.f)};
  const auto map = explainer.explain(ones, method, Target::class_index(1)).feature_map.data;
  EXPECT_NEAR(*std::min_element(map.begin(), map.end()), 1, 1e-6);  // once the maximum
  const auto middle = static_cast<std::size_t>(kRows / 2 * kColumns + kColumns / 2);
  EXPECT_GT(map[middle], 2 * map[0]);
}

TEST(Rise, IsStretchedUnlessToldOtherwise) {
  const Rise method{.masks = 50, .cells = 3};
  const auto explainer = linear({method, Lime{.cells = 2}});
  const auto least = [](const Explanation& why) {
    return *std::min_element(why.map.data.begin(), why.map.data.end());
  };
  const auto target = Target::class_index(1).of_probability();
  const auto stretched = explainer.explain(image(), method, target);
  EXPECT_EQ(stretched.normalize, Normalize::minmax);
  EXPECT_EQ(least(stretched), 0);
  const auto divided = explainer.explain(image(), method, target, {.normalize = Normalize::max});
  EXPECT_EQ(divided.normalize, Normalize::max);
  EXPECT_GT(least(divided), 0.1);
  EXPECT_EQ(explainer.explain(image(), Lime{.cells = 2}, target).normalize, Normalize::max);
}

/// Of one mask and a score of 1, the map is the mask: grids are shifted, or a corner is all or
/// nothing.
TEST(Rise, ShiftsItsGrids) {
  ExplainerOptions options;
  options.prepare.methods = {Rise{}};
  const Explainer explainer(linear_model(std::vector<float>(kWeights.size(), 0.f)), options);
  int between = 0;
  for (std::int64_t seed = 0; seed < 20; ++seed) {
    const Rise method{.masks = 1, .cells = 3, .probability = 0.5, .seed = seed};
    const auto map = explainer.explain(image(), method, Target::class_index(1)).feature_map;
    const float corner = 0.5f * map.data[0];
    between += corner > 0.01f && corner < 0.99f ? 1 : 0;
  }
  EXPECT_GT(between, 3);
}

/// Of a network that is no sum, whose fit depends on how often coalitions of each size are seen.
TEST(KernelShap, DrawnCoalitionsLeadToTheShapleyValues) {
  test::ModelBuilder builder;
  builder.input("x", {-1, 1, 3, 3})
      .output("y")
      .initializer("w", {9, 1}, test::Floats{1, 2, 3, 1, 2, 3, 1, 2, 3})
      .initializer("less", {1}, test::Floats{-13})
      .add("Flatten", {"x"}, {"flat"})
      .add("MatMul", {"flat", "w"}, {"sum"})
      .add("Add", {"sum", "less"}, {"much"})
      .add("Relu", {"much"}, {"y"});
  const auto model = Model::from_bytes(test::as_bytes(builder.serialize()));
  const Tensor x{{1, 1, 3, 3}, std::vector<float>(9, 1.f)};
  ExplainerOptions options;
  options.prepare.methods = {KernelShap{.cells = 3}};
  const Explainer explainer(model, options);
  const auto values = [&](std::int64_t samples, std::int64_t seed) {
    const KernelShap method{.cells = 3, .samples = samples, .seed = seed};
    return explainer.explain(x, method, Target::class_index(0)).feature_map.data;
  };
  const auto exact = values(510, 0);
  std::vector<float> mean(exact.size(), 0.f);
  constexpr int kRuns = 40;
  for (std::int64_t seed = 0; seed < kRuns; ++seed) {
    const auto drawn = values(509, seed);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += drawn[i] / kRuns;
  }
  EXPECT_LT(difference(mean, exact), 0.06f);
}

/// Of one sample, the noise is what the attribution is off by.
TEST(GradientShap, NoiseIsNormal) {
  const Tensor background{{1, kChannels, kRows, kColumns}, std::vector<float>(kInputs, 0.f)};
  const GradientShap method{.background = background, .samples = 1, .noise = 0.25};
  const Tensor x = image();
  const auto found = linear({method}).explain(x, method, Target::class_index(0)).attribution;
  double sum = 0, squares = 0, fourth = 0;
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    const double z = (found.data[i] / kWeights[i] - x.data[i]) / 0.25;
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kInputs, 0, 0.35);
  EXPECT_NEAR(squares / kInputs, 1, 0.5);
  EXPECT_NEAR(fourth / kInputs, 3, 1.6);
}

TEST(FullGrad, ScalesEachChannelFromItsLeastToItsMost) {
  const Tensor x = image();
  const auto map = linear({FullGrad{}}).explain(x, FullGrad{}, Target::class_index(1)).feature_map;
  std::vector<double> want(kPositions, 0.0);
  for (std::int64_t c = 0; c < kChannels; ++c) {
    std::vector<double> values;
    for (std::int64_t p = 0; p < kPositions; ++p) {
      const auto i = static_cast<std::size_t>(c * kPositions + p);
      values.push_back(std::abs(double{kWeights[kInputs + i]} * x.data[i]));
    }
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    for (std::size_t p = 0; p < values.size(); ++p) want[p] += (values[p] - *low) / (*high - *low);
  }
  expect_near(map, want, 1e-5);
}

TEST(Perturbation, DoesNotDependOnTheBatch) {
  const Tensor x = image(2);
  for (const auto& method : kAll) {
    std::vector<std::vector<Explanation>> found;
    for (const std::int64_t batch : {1, 3, 8}) {
      ExplainerOptions options;
      options.compile.batch = 2;
      options.prepare.perturbation_batch = batch;
      const auto target = Target::class_index(1);
      found.push_back(linear({method}, options).forward(x).explain(method, std::span(&target, 1)));
    }
    for (const auto& other : found)
      for (std::size_t n : {0, 1})
        EXPECT_LT(difference(other[n].feature_map.data, found[0][n].feature_map.data), 1e-5f)
            << method.name;
    // The second image's map is that of the image alone.
    const Tensor second{{1, kChannels, kRows, kColumns}, {x.data.begin() + kInputs, x.data.end()}};
    EXPECT_LT(difference(
                  linear({method}).explain(second, method, Target::class_index(1)).feature_map.data,
                  found[0][1].feature_map.data),
              1e-5f)
        << method.name;
  }
}

TEST(Perturbation, TakesSeveralImagesAtOnceWhereTheWeightsAreMany) {
  constexpr std::int64_t kHidden = 180000;  // times kInputs: more than caches hold
  test::ModelBuilder builder;
  builder.input("x", {-1, kChannels, kRows, kColumns})
      .output("y")
      .initializer("w", {kHidden, kInputs}, random_values(kHidden * kInputs, 4))
      .initializer("v", {kClasses, kHidden}, random_values(kClasses * kHidden, 5))
      .add("Flatten", {"x"}, {"flat"})
      .add("Gemm", {"flat", "w"}, {"hidden"}, {test::attr("transB", 1)})
      .add("Relu", {"hidden"}, {"above"})
      .add("Gemm", {"above", "v"}, {"y"}, {test::attr("transB", 1)});
  const auto model = Model::from_bytes(test::as_bytes(builder.serialize()));
  const Rise method{.masks = 20, .cells = 3};
  std::vector<std::vector<float>> maps;
  for (const auto& [limit, runs] : std::vector<std::pair<std::int64_t, std::size_t>>{
           {std::int64_t{1} << 30, 5}, {kHidden * 4 * 3, 20}}) {
    ExplainerOptions options;
    options.prepare.methods = {method};
    options.compile.tuning = Tuning::off;
    options.pool.memory_limit = limit;  // the second: room for one image, not for four
    std::size_t told = 0;
    CallOptions call;
    call.progress = [&](double) { ++told; };
    const Explainer explainer(model, options);
    maps.push_back(
        explainer.explain(image(), method, Target::class_index(1), {}, call).feature_map.data);
    EXPECT_EQ(told, runs);
  }
  EXPECT_LT(difference(maps[0], maps[1]), 1e-5f);
}

TEST(Perturbation, SeedsGiveTheSameMapAgain) {
  for (auto method : {kAll[1], kAll[2], kAll[3]}) {
    const auto explainer = linear({method});
    const auto map = [&] { return explainer.explain(image(), method).feature_map.data; };
    const auto first = map();
    EXPECT_EQ(map(), first) << method.name;
    if (method.name == "kernel-shap") continue;  // exact here, whatever is drawn
    method.options["seed"] = 5;
    EXPECT_NE(map(), first) << method.name;
  }
}

TEST(Progress, RisesToOne) {
  for (const bool smooth : {false, true})
    for (const auto& method : kAll) {
      ExplainerOptions options;
      options.prepare.smoothing = smooth;
      const auto explainer = linear({method}, options);
      std::vector<double> told;
      CallOptions call;
      call.progress = [&](double done) { told.push_back(done); };
      const std::vector<Target> targets = {Target::class_index(0), Target::class_index(2)};
      explainer.forward(image()).explain(method, targets, {.smooth = smooth}, call);
      ASSERT_GT(told.size(), 20u) << method.name;
      EXPECT_TRUE(std::is_sorted(told.begin(), told.end())) << method.name;
      for (std::size_t i = 0; i < told.size(); ++i)
        EXPECT_NEAR(told[i], static_cast<double>(i + 1) / static_cast<double>(told.size()), 0.01)
            << method.name;
      EXPECT_EQ(told.back(), 1) << method.name;
    }
}

TEST(Progress, PassesOnWhatItThrows) {
  const auto explainer = linear({kAll[0]});
  CallOptions call;
  call.progress = [](double) { throw std::runtime_error("enough"); };
  EXPECT_THROW(explainer.explain(image(), kAll[0], Target::top1(), {}, call), std::runtime_error);
  EXPECT_NO_THROW(explainer.explain(image(), kAll[0]));
}

TEST(Stopping, InTheMiddleOfACall) {
  for (const auto& method : kAll) {
    const auto explainer = linear({method});
    std::stop_source source;
    double last = 0;
    CallOptions call;
    call.stop = source.get_token();
    call.progress = [&](double done) {
      last = done;
      if (done > 0.3) source.request_stop();
    };
    try {
      explainer.forward(image()).explain(method, Target::top1(), {}, call);
      ADD_FAILURE() << method.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::cancelled) << method.name;
    }
    EXPECT_LT(last, 0.5) << method.name;
    EXPECT_NO_THROW(explainer.explain(image(), method)) << method.name;
  }
}

TEST(Stopping, AtADeadline) {
  const Rise method{.masks = 10000000, .cells = 2};
  const auto explainer = linear({method});
  CallOptions call;
  call.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  try {
    explainer.forward(image()).explain(method, Target::top1(), {}, call);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::deadline_exceeded);
  }
}

std::ptrdiff_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

TEST(Threads, AreThoseOfOpenMPAlone) {
  const auto explainer = linear(kAll);
  auto run = explainer.forward(image());
  const auto before = threads();
  for (const auto& method : kAll) {
    CallOptions call;
    call.progress = [&](double) { EXPECT_EQ(threads(), before) << method.name; };
    run.explain(method, Target::top1(), {}, call);
  }
  EXPECT_EQ(threads(), before);
}

TEST(BadInput, IsRefusedByName) {
  const auto explain = [](const Method& method) {
    return refusal([&] { linear({method}).explain(image(), method); });
  };
  const auto says = [&](const Method& method, const char* what) {
    const auto sentence = explain(method);
    EXPECT_NE(sentence.find(what), std::string::npos) << sentence;
  };
  says(Occlusion{.window = 32}, "a window of 32 is larger than the picture");
  says(Occlusion{.window = 2, .stride = 3}, "a stride of 3 leaves positions");
  says(Lime{}, "a grid of 7 cells a side is finer than the picture");
  says(KernelShap{.cells = 6, .samples = 20}, "20 samples are too few for 36 cells");
  says(Lime{.cells = 3, .samples = 5, .ridge = 0}, "more samples or fewer cells");
  auto given = Method(Lime{.cells = 2});
  given.given["masks"] = {{2, 4}, {1, 0, 0.5, 1, 1, 1, 0, 0}};
  given.options.erase("samples");
  says(given, "values other than 0 and 1");
  given.given["masks"] = {{2, 3}, {1, 0, 1, 1, 1, 0}};
  says(given, "must have the extents [any, 4]");
  given = Method(Rise{});
  given.given["masks"] = {{1, kRows, kColumns}, std::vector<float>(kPositions, 1.f)};
  says(given, "more masks are asked for");
  ExplainerOptions options;
  options.prepare.perturbation_batch = -1;
  EXPECT_NE(refusal([&] { linear({kAll[0]}, options); }).find("perturbation batch"),
            std::string::npos);
}

TEST(BadInput, WithoutPositionsIsRefused) {
  test::ModelBuilder builder;
  builder.input("x", {1, 6})
      .output("y")
      .initializer("w", {6, 2}, random_values(12, 1))
      .add("MatMul", {"x", "w"}, {"y"});
  const auto model = Model::from_bytes(test::as_bytes(builder.serialize()));
  for (const auto& method : kAll) {
    ExplainerOptions options;
    options.prepare.methods = {method};
    const auto sentence = refusal([&] {
      Explainer(model, options).explain(Tensor{{1, 6}, random_values(6, 2)}, method);
    });
    EXPECT_NE(sentence.find("it is no image"), std::string::npos) << sentence;
  }
}

TEST(SeveralInputs, OthersAreTheImagesOwn) {
  test::ModelBuilder builder;
  builder.input("x", {-1, 1, 2, 2})
      .input("scale", {-1, 1})
      .output("y")
      .initializer("w", {4, 1}, test::Floats{1, 2, 3, 4})
      .add("Flatten", {"x"}, {"flat"})
      .add("MatMul", {"flat", "w"}, {"sum"})
      .add("Mul", {"sum", "scale"}, {"y"});
  const auto model = Model::from_bytes(test::as_bytes(builder.serialize()));
  const Occlusion method{.window = 1, .stride = 1};
  ExplainerOptions options;
  options.prepare.methods = {method};
  options.compile.batch = 2;
  options.prepare.perturbation_batch = 3;
  const Tensor x{{2, 1, 2, 2}, std::vector<float>(8, 1.f)}, scale{{2, 1}, {1, 10}};
  const auto target = Target::class_index(0);
  const auto found = Explainer(model, options)
                         .forward({{"x", x}, {"scale", scale}})
                         .explain(method, std::span(&target, 1));
  EXPECT_EQ(found[0].feature_map.data, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(found[1].feature_map.data, (std::vector<float>{10, 20, 30, 40}));
}

}  // namespace
}  // namespace fovea
