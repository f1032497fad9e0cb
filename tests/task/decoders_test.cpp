#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "fovea/task_target.hpp"
#include "support/npy.hpp"
#include "task/boxes.hpp"

/// Decoders against each family's own arithmetic in PyTorch: make_decoder_goldens.py.
namespace fovea {
namespace {

constexpr std::int64_t kSize = 64;

Tensor read(const std::string& name) {
  return testing_support::read_npy(std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/task/data" /
                                   (name + ".npy"));
}

ValueInfo info(const std::string& name, const Shape& shape, DataType type = DataType::f32) {
  ValueInfo out;
  out.name = name;
  out.type = type;
  out.shape = shape;
  return out;
}

struct Case {
  Task task;
  Outputs outputs;
};

/// The task filled in from the extents of the family's drawn outputs.
Case drawn(const std::string& name, const std::vector<std::string>& values, Task task = {}) {
  Case out;
  if (task.decoder.empty()) task = *task_by_name(name);
  std::map<std::string, Shape> shapes{{"x", {1, 3, kSize, kSize}}};
  std::vector<ValueInfo> outputs;
  for (const auto& value : values) {
    out.outputs[value] = read(name + "." + value);
    shapes[value] = out.outputs[value].shape;
    outputs.push_back(
        info(value, shapes[value], value == "labels" ? DataType::i64 : DataType::f32));
  }
  out.task = filled(std::move(task), {info("x", shapes["x"])}, outputs, shapes);
  return out;
}

void expect_boxes(const std::string& name, const Case& c) {
  const auto found = decode_boxes(c.task, c.outputs);
  const auto want = read(name + ".found");
  ASSERT_EQ(found.size(), static_cast<std::size_t>(want.shape[0])) << name;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const float* row = &want.data[7 * i];
    EXPECT_NEAR(found[i].x0, row[0], 1e-3) << name << " " << i;
    EXPECT_NEAR(found[i].y0, row[1], 1e-3) << name << " " << i;
    EXPECT_NEAR(found[i].x1, row[2], 1e-3) << name << " " << i;
    EXPECT_NEAR(found[i].y1, row[3], 1e-3) << name << " " << i;
    EXPECT_NEAR(found[i].score, row[4], 1e-5) << name << " " << i;
    EXPECT_EQ(found[i].class_index, static_cast<std::int64_t>(row[5])) << name << " " << i;
    EXPECT_EQ(found[i].row, static_cast<std::int64_t>(row[6])) << name << " " << i;
    const auto again = row_of(c.task, c.outputs, found[i].row, found[i].class_index);
    EXPECT_EQ(again.score, found[i].score);
    EXPECT_EQ(again.x1, found[i].x1);
  }
}

TEST(Decoders, FindTheBoxesOfEachFamilysOwnCode) {
  expect_boxes("yolox", drawn("yolox", {"output"}));
  expect_boxes("yolov5", drawn("yolov5", {"output0"}));
  expect_boxes("yolov8", drawn("yolov8", {"output0"}));
  expect_boxes("ssd", drawn("ssd", {"scores", "boxes"}));
  expect_boxes("nanodet-plus", drawn("nanodet-plus", {"output"}));
  auto by_level = *task_by_name("nanodet");
  by_level.outputs = {{OutputRole::scores, {"cls_8", "cls_16", "cls_32"}},
                      {OutputRole::boxes, {"dis_8", "dis_16", "dis_32"}}};
  expect_boxes(
      "nanodet",
      drawn("nanodet", {"cls_8", "cls_16", "cls_32", "dis_8", "dis_16", "dis_32"}, by_level));
  auto labelled = *task_by_name("in-file");
  labelled.boxes.first_label = 1;
  expect_boxes("in-file", drawn("in-file", {"boxes", "labels", "scores"}, labelled));
}

TEST(Decoders, ScoreTargetsAreTheScores) {
  for (const auto& [name, values] :
       {std::pair<std::string, std::vector<std::string>>{"yolox", {"output"}},
        {"yolov5", {"output0"}},
        {"yolov8", {"output0"}}}) {
    const auto c = drawn(name, values);
    const auto& tensor = c.outputs.at(values[0]);
    for (const auto& found : decode_boxes(c.task, c.outputs)) {
      const auto* score = found.score_target.as<Target::Function>();
      ASSERT_NE(score, nullptr) << name;
      const ImageValue value{
          values[0], {tensor.shape.begin() + 1, tensor.shape.end()}, tensor.data};
      std::vector<float> slopes(tensor.data.size(), 0.f);
      const std::span<float> span(slopes);
      EXPECT_NEAR(score->of({&value, 1}, {&span, 1}), found.score, 1e-12);
      auto moved = tensor.data;
      std::size_t reads = 0;
      for (std::size_t i = 0; i < slopes.size(); ++i) {
        if (slopes[i] == 0) continue;
        ++reads;
        moved[i] += 1e-2f;
        const ImageValue other{value.name, value.shape, moved};
        EXPECT_NEAR((score->of({&other, 1}, {}) - found.score) / 1e-2, slopes[i], 1e-3);
        moved[i] = tensor.data[i];
      }
      EXPECT_EQ(reads, name == "yolov8" ? 1U : 2U);
      // The default is the number of the class alone.
      const auto* sum = found.target.as<Target::Sum>();
      ASSERT_NE(sum, nullptr);
      ASSERT_EQ(sum->terms.size(), 1U);
      const auto at = sum->terms[0].at;
      EXPECT_EQ(name == "yolov8" ? at[0] : at[1], found.class_index + (name == "yolov8" ? 4 : 5));
    }
  }
}

TEST(Decoders, NothingFoundIsAResult) {
  auto c = drawn("yolox", {"output"});
  c.task.boxes.threshold = 2;
  EXPECT_TRUE(decode_boxes(c.task, c.outputs).empty());
  auto selected = *task_by_name("in-file");
  selected.outputs = {
      {OutputRole::boxes, {"b"}}, {OutputRole::scores, {"s"}}, {OutputRole::labels, {"l"}}};
  EXPECT_TRUE(
      decode_boxes(selected, {{"b", {{0, 4}, {}}}, {"s", {{0}, {}}}, {"l", {{0}, {}}}}).empty());
}

TEST(Decoders, NumbersThatAreNoneAreLeftOut) {
  auto c = drawn("yolov8", {"output0"});
  const auto all = decode_boxes(c.task, c.outputs);
  auto& data = c.outputs["output0"].data;
  const auto row = static_cast<std::size_t>(all[0].row);
  data[row] = std::numeric_limits<float>::quiet_NaN();
  const auto left = decode_boxes(c.task, c.outputs);
  for (const auto& found : left) EXPECT_NE(found.row, all[0].row);
}

TEST(Decoders, AClassThatIsNoNumberHidesNoOther) {
  auto task = *task_by_name("yolov5");
  task.outputs[OutputRole::rows] = {"y"};
  task.boxes.classes = 2;
  const float none = std::numeric_limits<float>::quiet_NaN();
  const auto found = decode_boxes(task, {{"y", {{1, 1, 7}, {4, 4, 2, 2, 1, none, 0.5F}}}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].class_index, 1);
}

TEST(Decoders, ChosenBoxesMayBeCentresAndShares) {
  auto task = *task_by_name("in-file");
  task.outputs[OutputRole::rows] = {"y"};
  task.boxes.form = BoxDecoding::Form::centre;
  task.boxes.in_shares = true;
  task.boxes.width = 200;
  task.boxes.height = 100;
  const Outputs outputs{{"y", {{1, 1, 6}, {0.5F, 0.5F, 0.5F, 0.25F, 0.75F, 3}}}};
  const auto found = decode_boxes(task, outputs);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].x0, 50);
  EXPECT_EQ(found[0].y0, 37.5);
  EXPECT_EQ(found[0].x1, 150);
  EXPECT_EQ(found[0].y1, 62.5);
  EXPECT_EQ(found[0].class_index, 3);
  task.boxes.form = BoxDecoding::Form::grid;
  task.boxes.strides = {8};
  EXPECT_THROW(filled(task, {info("x", {1, 3, 100, 200})}, {info("y", {1, 1, 6})},
                      {{"x", {1, 3, 100, 200}}, {"y", {1, 1, 6}}}),
               Error);
}

TEST(Decoders, ALabelThatNoClassCanBeHasNoName) {
  auto task = *task_by_name("in-file");
  task.outputs[OutputRole::rows] = {"y"};
  task.names = {"a", "b"};
  for (const float label : {std::numeric_limits<float>::quiet_NaN(), 1e30F, -1e30F}) {
    const auto found = decode_boxes(task, {{"y", {{1, 1, 6}, {0, 0, 1, 1, 0.75F, label}}}});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].class_index, -1);
  }
}

/// The file may have come to its scores otherwise than the recipe says.
TEST(Decoders, ScoreTargetsAreTheScoresWhateverMadeThem) {
  const std::vector<float> logits{1, 3, 0.5F, -1}, scores{0.1F, 0.7F, 0.15F, 0.05F};
  for (const auto through : {Through::softmax, Through::sigmoid})
    for (const auto kind : {BoxDecoding::Scores::probabilities, BoxDecoding::Scores::logits,
                            BoxDecoding::Scores::softmax}) {
      auto task = *task_by_name("ssd");
      task.boxes.scores = kind;
      task.boxes.classes = 4;
      task.boxes.threshold = 0;
      task.outputs = {{OutputRole::boxes, {"b"}}, {OutputRole::scores, {"s"}}};
      const Outputs outputs{{"b", {{1, 1, 4}, {0, 0, 1, 1}}}, {"s", {{1, 1, 4}, scores}}};
      const FindLogits find = [&](const std::string& name, std::span<const std::int64_t> at) {
        Origins out;
        out.values.push_back({name == "s" ? "logits" : name, {1, 4}});
        for (const auto place : at) out.elements.push_back({0, place, through});
        return out;
      };
      const auto found = decode_boxes(task, outputs, find);
      ASSERT_EQ(found.size(), 1U);
      EXPECT_EQ(values_in(found[0].target).front(), "logits");
      // Only a sigmoid behind a logit each makes the same of it; these logits are of a softmax.
      const auto names = values_in(found[0].score_target);
      ASSERT_EQ(names.size(), 1U);
      const bool as_said =
          (kind == BoxDecoding::Scores::softmax && through == Through::softmax) ||
          (kind == BoxDecoding::Scores::probabilities && through == Through::sigmoid);
      EXPECT_EQ(names[0], as_said ? "logits" : "s");
      if (as_said) continue;
      const ImageValue value{"s", {1, 4}, scores};
      const auto* function = found[0].score_target.as<Target::Function>();
      const auto* sum = found[0].score_target.as<Target::Sum>();
      if (sum != nullptr)
        EXPECT_EQ(scores[static_cast<std::size_t>(sum->terms[0].at[1])], found[0].score);
      else
        EXPECT_NEAR(function->of({&value, 1}, {}), found[0].score, 1e-12);
    }
}

TEST(Decoders, OverlapIsOfTheUnion) {
  const Detection a{.x0 = 0, .y0 = 0, .x1 = 4, .y1 = 2}, b{.x0 = 2, .y0 = 0, .x1 = 6, .y1 = 2};
  EXPECT_EQ(overlap_of(a, b), 4.0 / 12);
  EXPECT_EQ(overlap_of(a, {.x0 = 5, .y0 = 5, .x1 = 6, .y1 = 6}), 0);
  EXPECT_EQ(overlap_of({}, {}), 0);
  std::vector<Detection> three{a, b, a};
  three[2].class_index = 1;
  task::suppress(three, 0.2, 9);
  ASSERT_EQ(three.size(), 2U);
  EXPECT_EQ(three[1].class_index, 1) << "another class stays";
}

TEST(Decoders, OutputsOfOtherExtentsAreRefused) {
  auto c = drawn("yolox", {"output"});
  c.outputs["output"] = {{1, 2, 8}, std::vector<float>(16)};
  EXPECT_THROW(decode_boxes(c.task, c.outputs), Error);
  c.outputs.clear();
  EXPECT_THROW(decode_boxes(c.task, c.outputs), Error);
  EXPECT_THROW(decode_text(c.task, c.outputs), Error) << "another kind";
}

TEST(Segments, OfOneChannelAndOfSeveral) {
  auto task = *task_by_name("segmentation");
  task.outputs = {{OutputRole::scores, {"y"}}};
  task.segments.channels_last = false;
  const Outputs one{{"y", {{1, 1, 2, 3}, {0.9f, 0.1f, 0.5f, 0.6f, 0.2f, 0.3f}}}};
  EXPECT_EQ(class_map(task, one).data, (std::vector<float>{1, 0, 0, 1, 0, 0}));
  const auto found = decode_segments(task, one);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].class_index, 0);
  EXPECT_EQ(found[1].share, 1.0 / 3);
  const Outputs logits{{"y", {{1, 1, 1, 2}, {-3, 3}}}};
  EXPECT_THROW(class_map(task, logits), Error) << "logits or probabilities?";
  task.segments.logits = true;
  EXPECT_EQ(class_map(task, logits).data, (std::vector<float>{0, 1}));
  // Not here is minus the score.
  const auto absent = position_target(task, logits, {0, 1}, {1, 2}, 0);
  EXPECT_EQ(absent.as<Target::Sum>()->terms[0].factor, -1);

  task.segments.channels_last = true;
  const Outputs last{{"y", {{1, 1, 3, 2}, {1, 2, 4, 3, 5, 6}}}};
  EXPECT_EQ(class_map(task, last).data, (std::vector<float>{1, 0, 1}));
  EXPECT_EQ(predicted_mask(task, last, 0).data, (std::vector<float>{0, 1, 0}));
  // Input pixels 0..5 over three positions.
  const auto at = position_target(task, last, {0, 3}, {1, 6}, 1);
  EXPECT_EQ(at.as<Target::Sum>()->terms[0].at, (Shape{0, 1, 1}));
  EXPECT_THROW(position_target(task, last, {0, 6}, {1, 6}, 1), Error);
  EXPECT_THROW(position_target(task, last, {0, 0}, {1, 6}, 2), Error);
}

TEST(Segments, AMaskIsAMeanOrASumAndMayHaveSigns) {
  auto task = *task_by_name("segmentation");
  task.outputs = {{OutputRole::scores, {"y"}}};
  task.segments.channels_last = false;
  const Outputs outputs{{"y", {{1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}}}};
  const auto value = [&](const Target& target) {
    double out = 0;
    for (const auto& term : target.as<Target::Sum>()->terms)
      out +=
          term.factor * outputs.at("y").data[static_cast<std::size_t>(3 * term.at[0] + term.at[2])];
    return out;
  };
  EXPECT_EQ(value(mask_target(task, outputs, {{1, 3}, {1, 0, 1}}, 1)), 5);
  EXPECT_EQ(value(mask_target(task, outputs, {{1, 3}, {1, 0, 1}}, 1, false)), 10);
  EXPECT_EQ(value(mask_target(task, outputs, {{1, 3}, {1, 0, -1}}, 0)), -1);
  // Twice as wide: each position takes the nearer of its pixels.
  EXPECT_EQ(value(mask_target(task, outputs, {{2, 6}, {0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}}, 1)),
            4);
  EXPECT_THROW(mask_target(task, outputs, {{1, 3}, {0, 0, 0}}, 1), Error);
  EXPECT_THROW(mask_target(task, outputs, {{3}, {1, 1, 1}}, 1), Error);
}

TEST(Segments, AMaskOfManyPositionsIsTheSameSum) {
  auto task = *task_by_name("segmentation");
  task.outputs = {{OutputRole::scores, {"y"}}};
  task.segments.channels_last = false;
  Tensor map{{1, 2, 10, 10}, {}}, mask{{10, 10}, {}};
  double want = 0, sum = 0;
  for (int i = 0; i < 200; ++i) map.data.push_back(static_cast<float>(i % 7) - 2.5f);
  for (int i = 0; i < 100; ++i) {
    mask.data.push_back(static_cast<float>(i % 5) - 1);
    want += static_cast<double>(mask.data.back()) * map.data[static_cast<std::size_t>(100 + i)];
    sum += std::abs(mask.data.back());
  }
  const auto target = mask_target(task, {{"y", map}}, mask, 1);
  const auto* weights = target.as<Target::Weights>();
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->value, "y");
  ASSERT_EQ(weights->factors.size(), map.data.size());
  double got = 0;
  for (std::size_t i = 0; i < map.data.size(); ++i)
    got += static_cast<double>(weights->factors[i]) * map.data[i];
  EXPECT_NEAR(got, want / sum, 1e-6);
}

}  // namespace
}  // namespace fovea
