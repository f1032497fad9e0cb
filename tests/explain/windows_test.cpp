#include <gtest/gtest.h>

#include "explain/support.hpp"

/// Occlusion by what windows change alone, against occlusion by the whole network.
namespace fovea {
namespace {

using namespace methods_test;

constexpr float kClose = 1e-4f;  // of the map's largest value, a difference of two scores

Method occlusion(int window, int stride, bool incremental, double blur = 0) {
  return {"occlusion",
          {{"window", window},
           {"stride", stride},
           {"blur", blur},
           {"incremental", incremental ? 1 : 0}}};
}

Method hidden_by(Method method, const Tensor& input) {
  Tensor cover{{input.shape.begin() + 1, input.shape.end()}, {}};
  const auto size = input.data.size() / static_cast<std::size_t>(input.shape[0]);
  for (std::size_t i = 0; i < size; ++i) cover.data.push_back(input.data[size - 1 - i]);
  method.given["baseline"] = std::move(cover);
  return method;
}

class Windows : public testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Windows, WhatTheyChangeGivesTheWholeNetworksMap) {
  const auto& network = std::get<0>(GetParam());
  const int batch = std::get<1>(GetParam());
  for (const auto& [window, stride] : std::vector<std::pair<int, int>>{{8, 4}, {5, 3}}) {
    const auto changed = occlusion(window, stride, true), whole = occlusion(window, stride, false);
    const auto explainer = explainer_for(network, {changed, whole}, [&](ExplainerOptions& options) {
      for (auto& [name, shape] : options.compile.input_shapes)
        if (shape[0] < 0) shape[0] = batch;
    });
    auto input = random_input(explainer);
    const auto images = input.shape[0];
    // Shifted and scaled, some are of another class.
    for (auto i = input.data.size() / static_cast<std::size_t>(images); i < input.data.size(); ++i)
      input.data[i] = 2 * input.data[i] + 1;
    auto run = explainer.forward(input);
    const auto maps = [&](const Method& method) {
      std::vector<float> out;
      for (const auto& one : run.explain(method, std::vector{Target::top1()})) {
        EXPECT_GT(largest(one.feature_map.data), 0);
        out.insert(out.end(), one.feature_map.data.begin(), one.feature_map.data.end());
      }
      EXPECT_EQ(out.size() % static_cast<std::size_t>(images), 0u);
      return out;
    };
    EXPECT_LE(difference(maps(changed), maps(whole)), kClose) << window;
    EXPECT_LE(difference(maps(hidden_by(changed, input)), maps(hidden_by(whole, input))), kClose);
    EXPECT_LE(difference(maps(occlusion(window, stride, true, 2)),
                         maps(occlusion(window, stride, false, 2))),
              kClose);
    // Windows that nothing was made for.
    EXPECT_LE(difference(maps(occlusion(7, 5, true)), maps(occlusion(7, 5, false))), kClose);
  }
}

TEST(WindowsOfTheInput, AreASeventhOfItAndHalfOverlap) {
  const auto sized = occlusion(6, 3, true);  // of 48 positions
  const auto explainer = explainer_for("resnet", {Occlusion{}, sized, Occlusion{.window = 8}});
  const auto input = random_input(explainer);
  ASSERT_EQ(input.shape[2], 48);
  ASSERT_EQ(input.shape[3], 48);
  const auto map = [&](const Method& method) {
    return explainer.forward(input).explain(method, Target::class_index(1)).feature_map.data;
  };
  EXPECT_EQ(map(Occlusion{}), map(sized));
  EXPECT_EQ(map(Occlusion{.window = 8}), map(occlusion(8, 4, true)));
  EXPECT_NE(map(Occlusion{}), map(Occlusion{.window = 8}));
}

std::string name_of(const testing::TestParamInfo<Windows::ParamType>& one) {
  return std::get<0>(one.param) + "_" + std::to_string(std::get<1>(one.param));
}

INSTANTIATE_TEST_SUITE_P(Networks, Windows,
                         testing::Combine(testing::Values("vgg", "resnet", "densenet",
                                                          "mobilenet_v2", "efficientnet",
                                                          "squeezenet", "signal", "volume", "vit"),
                                          testing::Values(1, 3)),
                         name_of);

TEST(WindowsProgress, GrowsToOne) {
  const auto method = occlusion(8, 4, true);
  const auto explainer = explainer_for("vgg", {method});
  auto run = explainer.forward(random_input(explainer));
  std::vector<double> told;
  CallOptions call;
  call.progress = [&](double done) { told.push_back(done); };
  run.explain(method, Target::class_index(1), {}, call);
  ASSERT_GT(told.size(), 2u);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_DOUBLE_EQ(told.back(), 1);
}

TEST(WindowsProgress, ShowsWhichNetworkRan) {
  const auto method = occlusion(8, 4, true);
  const auto explainer = explainer_for("vgg", {method});
  const auto input = random_input(explainer);
  const auto images = static_cast<std::size_t>(input.shape[0]);
  auto run = explainer.forward(input);
  const auto runs = [&](int window, int stride, bool incremental) {
    std::size_t told = 0;
    CallOptions call;
    call.progress = [&](double) { ++told; };
    run.explain(occlusion(window, stride, incremental), Target::class_index(1), {}, call);
    return told;
  };
  const auto windows = [&](std::int64_t window, std::int64_t stride) {
    std::size_t out = 1;
    for (const std::size_t axis : {2, 3})
      out *= static_cast<std::size_t>((input.shape[axis] - window + stride - 1) / stride + 1);
    return out;
  };
  const auto rounds = [](std::size_t all, std::size_t at_once) {
    return (all + at_once - 1) / at_once;
  };
  // The image itself, then four patches at once.
  EXPECT_EQ(runs(8, 4, true), images * (1 + rounds(windows(8, 4), 4)));
  // The image and its variants, as many as the explainer takes.
  EXPECT_EQ(runs(8, 4, false), images * rounds(1 + windows(8, 4), images));
  EXPECT_EQ(runs(7, 5, true), images * rounds(1 + windows(7, 5), images));
}

TEST(WindowsProgress, StopsWhenToldTo) {
  const auto method = occlusion(8, 4, true);
  const auto explainer = explainer_for("vgg", {method});
  auto run = explainer.forward(random_input(explainer));
  std::stop_source source;
  CallOptions call;
  call.stop = source.get_token();
  call.progress = [&](double) { source.request_stop(); };
  EXPECT_THROW(run.explain(method, Target::class_index(1), {}, call), Error);
}

}  // namespace
}  // namespace fovea
