// fovea predict and explain of networks that say other things than classes: fixtures/ has one of
// each.
#include <cmath>
#include <filesystem>
#include <numeric>

#include "tasks.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;

TEST_F(Tasks, BoxesAreFoundAndExplainedWhereTheyAre) {
  use("detector");
  write_patches("x.npy", {{0, 8, 4, 4, 4}});
  const Names common{"--input", "x.npy", "--task", "yolox"};
  auto task = common;
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  task[3] = "two.task.json";
  const auto predicted = result("predict", task);
  ASSERT_EQ(predicted["boxes"].size(), 1U);
  const auto& box = predicted["boxes"][0];
  EXPECT_EQ(box["class"], 0);
  EXPECT_EQ(box["row"], 9);
  EXPECT_EQ(box["box"], (json{4.0, 8.0, 8.0, 12.0}));
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  EXPECT_NEAR(box["score"].get<double>(), sigmoid(5) * sigmoid(8), 1e-5);

  // Nobody says what or how: the best box, by its class' logit, at what its towers read.
  auto explained = task;
  explained.insert(explained.end(), {"--feature-map", "m.npy", "--json", "r.json"});
  expect_done(run("explain", explained));
  const auto written = json::parse(read_file(scratch_ / "r.json"));
  EXPECT_EQ(written["method"], "hirescam");
  EXPECT_EQ(written["layer"], "s4_neck");
  EXPECT_EQ(written["target"]["text"], "box:0");
  EXPECT_NEAR(written["score"].get<double>(), 5, 1e-5);
  auto map = values("m.npy");
  ASSERT_EQ(map.size(), 16U);
  EXPECT_NEAR(map[9], 10, 1e-5);
  map[9] = 0;
  EXPECT_EQ(map, std::vector<float>(16, 0.F));

  expect_done(scratch_.fovea({"explain", "--replay", "r.json", "--feature-map", "again.npy"}));
  EXPECT_NEAR(values("again.npy")[9], 10, 1e-5);
}

TEST_F(Tasks, EveryBoxIsExplainedAtItsOwnLevel) {
  use("detector");
  write_patches("x.npy", {{2, 0, 8, 8, 8}});
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  const auto all = result("explain", {"--input", "x.npy", "--task", "two.task.json", "--target",
                                      "boxes", "--map", "m.npy"});
  // The cell of 8 pixels, and the four of 4 in it.
  ASSERT_EQ(all["boxes"].size(), 5U);
  const auto& explanations = all["images"][0]["explanations"];
  ASSERT_EQ(explanations.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto& one = explanations[i];
    EXPECT_EQ(one["target"]["text"], "box:" + std::to_string(i));
    EXPECT_NEAR(one["score"].get<double>(), 5, 1e-4);
    const auto grid = one["map"]["grid"][0].get<int>();
    EXPECT_EQ(grid, all["boxes"][i]["row"].get<int>() < 16 ? 4 : 2);
  }
}

TEST_F(Tasks, NothingFoundIsAResult) {
  use("detector");
  write_patches("x.npy", {});
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  const Names common{"--input", "x.npy", "--task", "two.task.json"};
  EXPECT_EQ(result("predict", common)["boxes"], json::array());
  for (const auto* target : {"box:0", "box:3", "boxes"}) {
    auto asked = common;
    asked.insert(asked.end(), {"--target", target});
    const auto nothing = result("explain", asked);
    EXPECT_EQ(nothing["boxes"], json::array());
    EXPECT_EQ(nothing["images"][0]["explanations"], json::array());
    const auto outcome = run("explain", asked);
    expect_done(outcome);
    EXPECT_NE(outcome.out.find("nothing with a score"), std::string::npos) << outcome.out;
  }
}

/// A photo for one image alone, and boxes that the file chose by the photo.
TEST_F(Tasks, BoxesMayBeChosenInTheFile) {
  use("chosen");
  Image photo{kSize, kSize, {}};
  for (std::size_t i = 0; i < kPixels; ++i) photo.rgb.insert(photo.rgb.end(), {0, 153, 204});
  write_image(scratch_ / "photo.png", photo);
  const Names common{"--image", "photo.png",    "--task",
                     "in-file", "--preprocess", R"({"geometry": "stretch"})"};
  const auto found = result("predict", common);
  // Blue and green; half of green is less than a box wants.
  ASSERT_EQ(found["boxes"].size(), 2U);
  EXPECT_NEAR(found["boxes"][0]["score"].get<double>(), 0.8, 1e-5);
  EXPECT_EQ(found["boxes"][0]["box"], (json{0.0, 8.0, 8.0, 16.0}));
  EXPECT_NEAR(found["boxes"][1]["score"].get<double>(), 0.6, 1e-5);
  auto second = common;
  second.insert(second.end(), {"--target", "box:1", "--layer", "relu", "--method", "gradcam"});
  EXPECT_NEAR(result("explain", second)["score"].get<double>(), 0.6, 1e-5);
  auto named = common;
  named.insert(named.end(), {"--target", "scores[1]", "--layer", "relu"});
  EXPECT_NEAR(result("explain", named)["score"].get<double>(), 0.8, 1e-5);
  // A box alone.
  for (std::size_t i = 0; i < kPixels; ++i) photo.rgb[3 * i + 1] = 0;
  write_image(scratch_ / "photo.png", photo);
  auto first = common;
  first.insert(first.end(), {"--target", "box:0", "--layer", "relu", "--method", "gradcam"});
  const auto alone = result("explain", first);
  EXPECT_EQ(alone["boxes"].size(), 1U);
  EXPECT_NEAR(alone["score"].get<double>(), 0.8, 1e-5);
  for (auto& v : photo.rgb) v = 0;
  write_image(scratch_ / "photo.png", photo);
  EXPECT_EQ(result("predict", common)["boxes"], json::array());
  EXPECT_EQ(result("explain", second)["images"][0]["explanations"], json::array());
}

TEST_F(Tasks, PlacesAndMasksOfSegments) {
  use("segments");
  write_npy(scratch_ / "x.npy", some_colours());
  write_image(scratch_ / "photo.png", red_and_blue(32, 16));
  const Names common{"--input", "x.npy", "--task", "segmentation", "--names", "names.txt"};
  write_file(scratch_ / "names.txt", "red\ngreen\nblue\n");
  const auto of = [&](const std::string& target, Names extra = {}) {
    auto all = common;
    all.insert(all.end(), {"--target", target});
    all.insert(all.end(), extra.begin(), extra.end());
    return all;
  };
  const auto green = rectified(some_colours(), 0, 1);
  const auto pixel = result("explain", of("pixel:7,5@green"));
  EXPECT_NEAR(pixel["score"].get<double>(), green[5 * kSize + 7], 1e-6);
  EXPECT_EQ(pixel["method"], "hirescam");
  const auto difference = result("explain", of("pixel:7,5@green-pixel:7,5@blue"));
  EXPECT_NEAR(difference["score"].get<double>(),
              green[5 * kSize + 7] - rectified(some_colours(), 0, 2)[5 * kSize + 7], 1e-6);

  Tensor mask{{kSize, kSize}, std::vector<float>(kPixels)};
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < kPixels; i += 3) {
    mask.data[i] = 1;
    sum += green[i];
    ++count;
  }
  write_npy(scratch_ / "mask.npy", mask);
  EXPECT_NEAR(result("explain", of("mask:mask.npy@green"))["score"].get<double>(), sum / count,
              1e-5);
  double share = 0;
  const auto predicted = result("predict", common);
  for (const auto& segment : predicted["segments"]) share += segment["share"].get<double>();
  EXPECT_NEAR(share, 1, 1e-6);

  // A place of a photo is in the photo's pixels: the left half is red.
  const Names photo{"--image",  "photo.png",    "--preprocess", R"({"geometry": "stretch"})",
                    "--task",   "segmentation", "--names",      "names.txt",
                    "--target", "pixel:4,8@red"};
  EXPECT_GT(result("explain", photo)["score"].get<double>(), 0.9);
  refused("explain", of("pixel:99,5@green"), "sees nothing there");
  refused("explain", of("pixel:7,5@purple"), "purple");
  refused("explain", of("pixel:7@green"), "wants 2 numbers");
  refused("explain", of("action"), "has no target 'action'");
  refused("explain", common, "mask:CLASS");
}

TEST_F(Tasks, ActionsCarryTheirState) {
  use("policy");
  write_npy(scratch_ / "frame.npy", some_colours());
  refused("explain", {"--input", "frame=frame.npy"}, "it looks like a state");
  Image first{kSize, kSize, {}}, second = first;
  for (std::size_t i = 0; i < kPixels; ++i) {
    first.rgb.insert(first.rgb.end(), {255, 0, 0});
    second.rgb.insert(second.rgb.end(), {0, 204, 102});
  }
  write_image(scratch_ / "f0.png", first);
  write_image(scratch_ / "f1.png", second);
  write_file(scratch_ / "actions.txt", "left\nright\nstay\n");
  const Names frames{"--image", "f0.png",     "--image",      "f1.png",
                     "--task",  "policy",     "--preprocess", R"({"geometry": "stretch"})",
                     "--names", "actions.txt"};
  auto told = frames;
  told.insert(told.end(), {"--json", "-"});
  const auto outcome = run("predict", told);
  expect_done(outcome);
  std::vector<json> lines;
  for (std::size_t at = 0; at < outcome.out.size();) {
    const auto end = outcome.out.find('\n', at);
    lines.push_back(json::parse(outcome.out.substr(at, end - at)));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["action"]["name"], "left");
  EXPECT_NEAR(lines[0]["value"].get<double>(), 1, 1e-5);
  EXPECT_EQ(lines[1]["action"]["name"], "right");
  // What it saw, and a third of what it had seen.
  EXPECT_NEAR(lines[1]["actions"][0]["logit"].get<double>(), 1.0 / 3, 1e-5);
  EXPECT_NEAR(lines[1]["actions"][1]["logit"].get<double>(), 0.8, 1e-5);
  EXPECT_NEAR(lines[1]["actions"][2]["logit"].get<double>(), 0.4, 1e-5);

  auto explained = frames;
  explained.insert(explained.end(), {"--target", "action:right-action:left", "--map", "{}.npy",
                                     "--json", "{}.json"});
  expect_done(run("explain", explained));
  EXPECT_NEAR(json::parse(read_file(scratch_ / "f1.json"))["score"].get<double>(), 0.8 - 1.0 / 3,
              1e-5);
  EXPECT_TRUE(fs::exists(scratch_ / "f0.npy") && fs::exists(scratch_ / "f1.npy"));

  const auto score = [&](const std::string& target) {
    return result("explain", {"--image", "f1.png", "--task", "policy", "--preprocess",
                              R"({"geometry": "stretch"})", "--target", target})["score"]
        .get<double>();
  };
  EXPECT_NEAR(score("action:1"), 0.8, 1e-5);
  EXPECT_NEAR(score("value"), 2 * 0.8 + 4 * 0.4, 1e-5);
  EXPECT_NEAR(score("advantage"), 0.8 - 0.4, 1e-5);
  refused("explain", {"--image", "f1.png", "--task", "policy", "--target", "action:jump"}, "jump");
  refused("explain", {"--image", "f1.png", "--task", "policy", "--state", "memory=nothing"},
          "nothing");
}

TEST_F(Tasks, TextIsReadAndExplained) {
  use("reader");
  // r over columns 2 and 3, b over 7, r again over 9.
  write_patches("line.npy", {{0, 0, 2, 4, 2}, {2, 0, 7, 4, 1}, {0, 0, 9, 4, 1}}, 4);
  write_file(scratch_ / "letters.txt", "rgb\n");
  write_file(scratch_ / "ctc.json", R"({"task": "ctc", "text": {"blank": 0}})");
  const Names common{"--input", "line.npy", "--task", "ctc.json", "--alphabet", "letters.txt"};
  const auto read = result("predict", common);
  EXPECT_EQ(read["text"], "rbr");
  ASSERT_EQ(read["characters"].size(), 3U);
  EXPECT_EQ(read["characters"][1]["step"], 7);
  const auto of = [&](const std::string& target) {
    auto all = common;
    all.insert(all.end(), {"--target", target});
    return all;
  };
  const auto character = result("explain", of("char:1"));
  EXPECT_EQ(character["method"], "hirescam");
  EXPECT_NEAR(character["score"].get<double>(), 20, 1e-4);
  EXPECT_LT(result("explain", of("text"))["score"].get<double>(), 0);
  EXPECT_GT(result("explain", of(R"(text:"rbr"-"rgr")"))["score"].get<double>(), 5);
  refused("explain", of("char:3"), "there are 3");
  refused("explain", of(R"(text:"x")"), "x");
  refused("predict", {"--input", "line.npy", "--task", "ctc", "--alphabet", "letters.txt"},
          "blank");
  write_file(scratch_ / "long.txt", "rgbxyz\n");
  refused("predict", {"--input", "line.npy", "--task", "ctc.json", "--alphabet", "long.txt"}, "6");
}

TEST_F(Tasks, QuestionsAreWords) {
  use("answerer");
  write_patches("image.npy", {{1, 2, 2, 6, 6}});
  const auto asked = [](const std::string& question) {
    return Names{"--input", "image=image.npy", "--input", "question=" + question};
  };
  EXPECT_EQ(result("predict", asked("Is green?"))["answers"][0]["name"], "green");
  EXPECT_EQ(result("predict", asked("is red?"))["answers"][0]["name"], "none");
  auto explained = asked("is green");
  explained.insert(explained.end(), {"--target", "answer:green", "--feature-map", "m.npy"});
  const auto why = result("explain", explained);
  EXPECT_EQ(why["method"], "gradcam");
  EXPECT_NEAR(why["score"].get<double>(), 10 * 36.0 / kPixels, 1e-5);
  EXPECT_EQ(why["provenance"]["questions"], (json{{"question", "is green"}}));
  refused("predict", asked("is purple?"), "purple");
  refused("predict", {"--input", "image=image.npy"}, "'question' (a question");
}

TEST_F(Tasks, CaptionsAreWrittenWordByWord) {
  use("writer");
  write_patches("image.npy", {{2, 2, 2, 6, 6}, {0, 0, 0, 2, 2}});
  const auto said = result("predict", {"--input", "image=image.npy"});
  EXPECT_EQ(said["caption"], "blue");
  const auto words = result("explain", {"--input", "image=image.npy", "--target", "words"});
  ASSERT_EQ(words["images"][0]["explanations"].size(), 1U);
  EXPECT_EQ(words["images"][0]["explanations"][0]["target"]["text"], "word:0");
  EXPECT_NEAR(words["score"].get<double>(), 10 * 36.0 / kPixels, 1e-5);
  EXPECT_LT(result("explain", {"--input", "image=image.npy"})["score"].get<double>(), 0);
  // Given words are not written; what the network would have said in their place is told.
  const Names given{"--input", "image=image.npy", "--input", "words=red"};
  const auto told = result("predict", given);
  EXPECT_EQ(told["caption"], "red");
  EXPECT_EQ(told["words"][0]["name"], "red");
  ASSERT_EQ(told["own_words"].size(), 2U);
  EXPECT_EQ(told["own_words"][0]["name"], "blue");
  EXPECT_EQ(told["own_words"][1]["name"], "</s>");
  EXPECT_NE(run("predict", given).out.find("would say    blue for 'red' ("), std::string::npos);
  EXPECT_FALSE(said.contains("own_words"));
  auto explained = given;
  explained.insert(explained.end(), {"--target", "words"});
  EXPECT_NEAR(result("explain", explained)["score"].get<double>(), 10 * 4.0 / kPixels, 1e-5);
  // The same ids as a tensor.
  write_npy(scratch_ / "ids.npy", Tensor{{1, 4}, {1, 3, 0, 0}});
  EXPECT_EQ(
      result("predict", {"--input", "image=image.npy", "--input", "words=ids.npy"})["own_words"],
      told["own_words"]);
  refused("predict", {"--input", "image=image.npy", "--input", "words=purple"}, "purple");
}

TEST_F(Tasks, WhatIsNoTaskIsRefused) {
  use("policy");
  write_patches("x.npy", {});
  refused("predict", {"--input", "frame=x.npy", "--task", "polcy"}, "did you mean 'policy'");
  refused("predict", {"--input", "frame=x.npy", "--task", "none.json"}, "none.json");
  refused("predict", {"--input", "frame=x.npy", "--names", "x.npy"}, "--task");
  refused(
      "explain",
      {"--input", "frame=x.npy", "--task", "policy", "--target", "action", "--target", "class:1"},
      "in one call");
}

}  // namespace
}  // namespace fovea::cli_test
