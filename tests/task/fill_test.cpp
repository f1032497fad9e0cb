#include <gtest/gtest.h>

#include "fovea/task.hpp"

/// What extents say of a task, and what they leave open.
namespace fovea {
namespace {

struct Net {
  std::vector<ValueInfo> inputs, outputs;
  std::map<std::string, Shape> shapes;

  Net& in(const std::string& name, const Shape& shape, DataType type = DataType::f32) {
    return add(inputs, name, shape, type);
  }
  Net& out(const std::string& name, const Shape& shape, DataType type = DataType::f32) {
    return add(outputs, name, shape, type);
  }
  Net& value(const std::string& name, const Shape& shape) {
    shapes[name] = shape;
    return *this;
  }
  Task fill(const Task& task) const { return filled(task, inputs, outputs, shapes); }
  Task fill(const std::string& decoder) const { return fill(*task_by_name(decoder)); }
  /// What it says of a task that it does not fill.
  std::string asks(const Task& task) const {
    try {
      fill(task);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.what();
    }
    return "filled";
  }
  std::string asks(const std::string& decoder) const { return asks(*task_by_name(decoder)); }

 private:
  Net& add(std::vector<ValueInfo>& to, const std::string& name, const Shape& shape, DataType type) {
    ValueInfo info;
    info.name = name;
    info.type = type;
    info.shape = shape;
    to.push_back(info);
    shapes[name] = shape;
    return *this;
  }
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Fill, EveryDecoderHasAName) {
  for (const auto& name : task_names()) {
    const auto task = task_by_name(name);
    ASSERT_TRUE(task) << name;
    EXPECT_EQ(task->decoder, name);
  }
  EXPECT_FALSE(task_by_name("yolo"));
  EXPECT_EQ(*task_by_name("yolox"), *task_by_name("yolox"));
  EXPECT_NE(*task_by_name("yolox"), *task_by_name("yolov5"));
}

TEST(Fill, ATaskReadsOneImage) {
  const auto two = Net().in("image", {2, 3, 8, 8}).out("scores", {2, 13});
  EXPECT_SAYS(two.asks("answer"), "give one image at a time");
  EXPECT_SAYS(two.asks("answer"), "[2, 13]");
  EXPECT_SAYS(Net().in("image", {1, 3, 8, 8}).out("scores", {1, 2, 3}).asks("answer"),
              "no output looks like");
}

TEST(Fill, SoundMayHaveNoClasses) {
  auto net = Net()
                 .in("wave", {1, 64})
                 .in("rate", {}, DataType::i64)
                 .in("state", {2, 1, 8})
                 .out("notes", {1, 9, 88});
  net.out("stateN", {2, 1, 8});
  const auto task = net.fill("audio");
  EXPECT_TRUE(task.outputs.empty());
  EXPECT_EQ(task.states.at("state"), "stateN");
  EXPECT_EQ(task.inputs.at("state").role, InputRole::state);
}

TEST(Fill, StridesHaveToMakeTheRows) {
  auto net = Net().in("images", {1, 3, 416, 416}).out("output", {1, 3549, 85});
  const auto task = net.fill("yolox");
  EXPECT_EQ(task.boxes.classes, 80);
  EXPECT_EQ(task.boxes.width, 416);
  EXPECT_EQ(task.outputs.at(OutputRole::rows), std::vector<std::string>{"output"});
  EXPECT_EQ(task.inputs.at("images").role, InputRole::image);
  // A fourth level.
  net = Net().in("images", {1, 3, 416, 416}).out("output", {1, 3549 + 36, 85});
  EXPECT_SAYS(net.asks("yolox"), "set 'boxes.strides'");
  auto four = *task_by_name("yolox");
  four.boxes.strides = {8, 16, 32, 64};
  EXPECT_EQ(net.fill(four).boxes.classes, 80);
  // An input that says nothing of a picture.
  net = Net().in("images", {1, 7}).out("output", {1, 3549, 85});
  EXPECT_SAYS(net.asks("yolox"), "set 'boxes.width'");
}

TEST(Fill, RowsAndNumbersMayBeTurned) {
  const auto net = Net().in("images", {1, 3, 64, 64}).out("output0", {1, 84, 8400});
  EXPECT_EQ(net.fill("yolov8").boxes.classes, 80);
  EXPECT_SAYS(net.asks("yolov5"), "set 'boxes.numbers_first'");
}

TEST(Fill, NamesHaveToBeAsMany) {
  const auto net = Net().in("images", {1, 3, 64, 64}).out("output0", {1, 6, 84});
  auto task = *task_by_name("yolov8");
  task.names = {"cat", "dog"};
  EXPECT_EQ(net.fill(task).names.size(), 2U);
  task.names.emplace_back("cow");
  EXPECT_SAYS(net.asks(task), "3 names, and the network 2 classes");
}

TEST(Fill, BoxesAndScoresAreToldApartByTheirExtents) {
  auto net = Net().in("x", {1, 3, 240, 320}).out("scores", {1, 4420, 2}).out("boxes", {1, 4420, 4});
  const auto task = net.fill("ssd");
  EXPECT_EQ(task.outputs.at(OutputRole::boxes), std::vector<std::string>{"boxes"});
  EXPECT_EQ(task.outputs.at(OutputRole::scores), std::vector<std::string>{"scores"});
  EXPECT_EQ(task.boxes.height, 240);
  net = Net().in("x", {1, 3, 240, 320}).out("a", {1, 4420, 4}).out("b", {1, 4420, 4});
  EXPECT_SAYS(net.asks("ssd"), "set 'outputs.boxes'");
}

TEST(Fill, WhatTheFileChoseIsToldApartByItsTypes) {
  auto net = Net()
                 .in("x", {3, 64, 64})
                 .out("boxes", {-1, 4})
                 .out("labels", {-1}, DataType::i64)
                 .out("scores", {-1});
  auto task = net.fill("in-file");
  EXPECT_EQ(task.outputs.at(OutputRole::labels), std::vector<std::string>{"labels"});
  EXPECT_EQ(task.outputs.at(OutputRole::scores), std::vector<std::string>{"scores"});
  net.out("other", {-1});
  EXPECT_SAYS(net.asks("in-file"), "set 'outputs.scores'");
  const auto rows = Net().in("x", {1, 3, 64, 64}).out("y", {1, 300, 6});
  EXPECT_EQ(rows.fill("in-file").outputs.at(OutputRole::rows), std::vector<std::string>{"y"});
}

TEST(Fill, StatesArePairsOfUsualNames) {
  const auto net = Net()
                       .in("frame", {1, 1, 80, 80})
                       .in("memory", {1, 256})
                       .in("h0", {2, 1, 8})
                       .in("recurrent_in", {1, 1, 4})
                       .in("speed", {1, 3})
                       .in("action_masks", {1, 4})
                       .out("action_logits", {1, 4})
                       .out("value", {1, 1})
                       .out("memory_out", {1, 256})
                       .out("hn", {2, 1, 8})
                       .out("recurrent_out", {1, 1, 4});
  const auto task = net.fill("policy");
  EXPECT_EQ(task.states,
            (std::map<std::string, std::string>{
                {"memory", "memory_out"}, {"h0", "hn"}, {"recurrent_in", "recurrent_out"}}));
  EXPECT_EQ(task.inputs.at("memory").role, InputRole::state);
  EXPECT_EQ(task.inputs.at("action_masks").role, InputRole::mask);
  EXPECT_EQ(task.inputs.at("speed").role, InputRole::vector);
  EXPECT_EQ(task.outputs.at(OutputRole::logits), std::vector<std::string>{"action_logits"});
  EXPECT_EQ(default_input(task.inputs.at("memory"), {1, 2})->data, (std::vector<float>{0, 0}));
  EXPECT_EQ(default_input(task.inputs.at("action_masks"), {2})->data, (std::vector<float>{1, 1}));
  EXPECT_FALSE(default_input(task.inputs.at("speed"), {1, 3}));
  auto wrong = *task_by_name("policy");
  wrong.states["memory"] = "missing";
  EXPECT_SAYS(net.asks(wrong), "'states' names an output");
}

TEST(Fill, WhatAnInputIsForIsAskedForWhereNobodyKnows) {
  const auto net = Net().in("image", {1, 64, 64, 3}).in("numbers", {1, 27}).out("answer", {1, 13});
  EXPECT_SAYS(net.asks("answer"), "set 'inputs.numbers.role'");
  auto task = *task_by_name("answer");
  task.inputs["numbers"].role = InputRole::question;
  EXPECT_EQ(net.fill(task).inputs.at("image").role, InputRole::image);
  task.inputs["missing"].role = InputRole::vector;
  EXPECT_SAYS(net.asks(task), "'inputs' names one that the model does not have");
}

TEST(Fill, TheBlankIsAskedFor) {
  const auto net = Net().in("x", {1, 3, 32, 230}).out("y", {1, 57, 4});
  auto task = *task_by_name("ctc");
  EXPECT_SAYS(net.asks(task), "set 'text.blank'");
  task.text.blank = 0;
  EXPECT_FALSE(net.fill(task).text.steps_first);
  task.names = {"a", "b"};
  EXPECT_SAYS(net.asks(task), "the alphabet has 2 characters, and the network 4 classes");
  task.names = {"a", "b", "c"};
  EXPECT_EQ(net.fill(task).names.size(), 3U);
  task.text.blank = 4;
  EXPECT_SAYS(net.asks(task), "none of the 4 classes");
  task.text.blank = 0;
  EXPECT_TRUE(Net().in("x", {1, 3, 32, 230}).out("y", {57, 1, 4}).fill(task).text.steps_first);
}

TEST(Fill, ClassesOfAMapComeWhereTheyAreFewer) {
  const auto first = Net().in("x", {1, 3, 64, 64}).out("y", {1, 5, 64, 64});
  EXPECT_EQ(first.fill("segmentation").segments.channels_last, false);
  const auto last = Net().in("x", {1, 64, 64, 3}).out("y", {1, 64, 64, 5});
  EXPECT_EQ(last.fill("segmentation").segments.channels_last, true);
  const auto either = Net().in("x", {1, 3, 8, 8}).out("y", {1, 8, 8, 8});
  EXPECT_SAYS(either.asks("segmentation"), "set 'segments.channels_last'");
}

TEST(Fill, AnyValueOfTheGraphMayBeNamed) {
  auto net = Net()
                 .in("obs_0", {1, 3, 64, 84})
                 .out("discrete_actions", {1, 1}, DataType::i64)
                 .out("version_number", {1})
                 .value("22", {1, 5});
  EXPECT_SAYS(net.asks("policy"), "set 'outputs.logits'");
  auto task = *task_by_name("policy");
  task.outputs[OutputRole::logits] = {"22"};
  EXPECT_EQ(values_of(net.fill(task)), std::vector<std::string>{"22"});
  task.outputs[OutputRole::logits] = {"23"};
  EXPECT_SAYS(net.asks(task), "names a value that the model does not have");
}

/// A list of no values says nothing.
TEST(Fill, EmptyListsAreAsIfLeftOut) {
  const auto actor = Net().in("x", {1, 3, 8, 8}).out("logits", {1, 3}).out("value", {1});
  auto policy = *task_by_name("policy");
  for (const auto role : {OutputRole::value, OutputRole::logits}) policy.outputs[role] = {};
  EXPECT_EQ(actor.fill(policy).outputs.at(OutputRole::value), std::vector<std::string>{"value"});
  const auto detector =
      Net().in("x", {1, 3, 8, 8}).out("boxes", {1, 9, 4}).out("scores", {1, 9, 3});
  auto ssd = *task_by_name("ssd");
  ssd.outputs = {{OutputRole::boxes, {}}, {OutputRole::scores, {}}};
  EXPECT_EQ(detector.fill(ssd).outputs.at(OutputRole::scores), std::vector<std::string>{"scores"});
}

TEST(Fill, NamesStandForIndices) {
  Task task;
  task.names = {"cat", "dog"};
  EXPECT_EQ(index_of(task, "dog"), 1);
  EXPECT_EQ(index_of(task, "7"), 7);
  EXPECT_EQ(name_of(task, 0), "cat");
  EXPECT_EQ(name_of(task, 7), "7");
  try {
    index_of(task, "doog");
    FAIL();
  } catch (const Error& error) {
    EXPECT_SAYS(std::string(error.what()), "'dog'");
  }
}

}  // namespace
}  // namespace fovea
