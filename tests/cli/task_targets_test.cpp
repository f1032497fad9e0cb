// What is explained of networks that have a task: targets of other kinds, sums, sheets, states.
#include <algorithm>
#include <cmath>

#include "tasks.hpp"

namespace fovea::cli_test {
namespace {

TEST_F(Tasks, NothingFoundIsAResultOfASheet) {
  use("detector");
  Image photo{kSize, kSize, std::vector<std::uint8_t>(3 * kPixels)};
  write_image(scratch_ / "photo.png", photo);
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  const Names common{"--image",      "photo.png", "--task",   "two.task.json",
                     "--preprocess", "raw",       "--target", "boxes"};
  auto sheet = common;
  sheet.insert(sheet.end(), {"--method", "gradcam,layercam", "--output", "sheet.png"});
  const auto nothing = result("explain", sheet);
  EXPECT_EQ(nothing["boxes"], json::array());
  EXPECT_EQ(nothing["explanations"], json::array());
  EXPECT_EQ(read_image(scratch_ / "sheet.png").rgb, photo.rgb);
  auto sums = common;
  sums.back() = "box:0-box:1";
  EXPECT_EQ(result("explain", sums)["images"][0]["explanations"], json::array());
  auto maps = common;
  maps.insert(maps.end(), {"--map", "m.npy", "--heatmap", "h.png", "--strip", "s.png"});
  EXPECT_EQ(result("explain", maps)["warnings"].back(),
            "nothing was found to explain: not written: h.png, s.png, m.npy");
  write_image(scratch_ / "other.png", photo);
  auto several = common;
  several.insert(several.end(), {"--image", "other.png", "--strip", "s.png"});
  const auto outcome = run("explain", several);
  expect_done(outcome);
  EXPECT_NE(outcome.err.find("nothing was found to explain: not written: s.png"), std::string::npos)
      << outcome.err;
  write_patches("x.npy", {});
  EXPECT_EQ(result("explain", {"--input", "x.npy", "--task", "two.task.json", "--target", "boxes",
                               "--objects", "o.png"})["warnings"]
                .back(),
            "nothing was found to explain: not written: o.png");
}

TEST_F(Tasks, BoxesMayBePartsOfSums) {
  use("detector");
  write_patches("x.npy", {{0, 8, 4, 4, 4}, {2, 0, 8, 8, 8}});
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  const auto of = [&](const std::string& target, Names extra = {}) {
    extra.insert(extra.end(), {"--input", "x.npy", "--task", "two.task.json", "--target", target});
    return extra;
  };
  const auto score = [&](const std::string& target) {
    return result("explain", of(target))["score"].get<double>();
  };
  const auto sum = result("explain", of("box:0-0.5*box:1"))["target"];
  EXPECT_EQ(sum, (json{{"text", "box:0-0.5*box:1"}})) << "of no box alone";
  EXPECT_NEAR(score("box:0-0.5*box:1"), score("box:0") - 0.5 * score("box:1"), 1e-5);
  refused("explain", of("box:0-box:99"), "there are");
  refused("explain", of("box:0-boxes"), "'boxes' is several");
  refused("explain", of("box:0@1"), "'box' takes no '@'");
  refused("explain", of("boxes:1"), "'boxes' takes no colon");
  refused("explain", of("box:0", {"--minus", "1"}), "--minus");
  refused("explain", of("class:0-class:1", {"--minus", "1"}), "--minus");
}

TEST_F(Tasks, PairsAreGivenOnce) {
  use("policy");
  write_patches("x.npy", {});
  const Names common{"--input", "frame=x.npy"};
  auto states = common, feeds = common;
  states.insert(states.end(), {"--task", "policy", "--state", "memory=memory_out", "--state",
                               "memory=action_logits"});
  refused("predict", states, "--state is given twice");
  feeds.insert(feeds.end(),
               {"--then", model_, "--feed", "memory=memory_out", "--feed", "memory=action_logits"});
  refused("predict", feeds, "--feed is given twice");
}

/// The maps of a sheet are those of each method by itself, at each box's own level.
TEST_F(Tasks, ASheetHasEachBoxAtItsOwnLevel) {
  use("detector");
  write_patches("x.npy", {{2, 0, 8, 8, 8}});
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  const auto of = [&](const std::string& methods) {
    return result("explain", {"--input", "x.npy", "--task", "two.task.json", "--target", "boxes",
                              "--method", methods});
  };
  const auto sheet = of("hirescam,layercam")["explanations"];
  const auto alone = of("hirescam");
  ASSERT_EQ(sheet.size(), 10U);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto& one = sheet[2 * i];
    EXPECT_EQ(one["target"], alone["images"][0]["explanations"][i]["target"]);
    EXPECT_EQ(one["grid"], alone["images"][0]["explanations"][i]["map"]["grid"]) << i;
    EXPECT_EQ(sheet[2 * i + 1]["layer"], one["layer"]);
    ASSERT_TRUE(one.contains("receptive_field"));
    EXPECT_EQ(one["receptive_field"], alone["images"][0]["explanations"][i]["receptive_field"]);
  }
}

TEST_F(Tasks, ASheetFollowsEachPhoto) {
  use("writer");
  Image red{kSize, kSize, {}}, blue = red;
  for (std::size_t i = 0; i < kPixels; ++i) {
    red.rgb.insert(red.rgb.end(), {255, 0, 0});
    blue.rgb.insert(blue.rgb.end(), {0, 0, 102});
  }
  write_image(scratch_ / "red.png", red);
  write_image(scratch_ / "blue.png", blue);
  const Names how{"--preprocess",    R"({"geometry": "stretch"})", "--target", "words", "--method",
                  "gradcam,layercam"};
  Names both{"--image", "red.png", "--image", "blue.png", "--json", "{}.json"};
  both.insert(both.end(), how.begin(), how.end());
  expect_done(run("explain", both));
  for (const std::string name : {"red", "blue"}) {
    Names one{"--image", name + ".png"};
    one.insert(one.end(), how.begin(), how.end());
    const auto alone = result("explain", one);
    const auto told = json::parse(read_file(scratch_ / (name + ".json")));
    EXPECT_EQ(told["caption"], name);
    ASSERT_EQ(told["explanations"].size(), 2U);
    EXPECT_EQ(told["explanations"][0]["target"], (json{{"text", "word:0"}}));
    EXPECT_EQ(told["explanations"][0]["score"], alone["explanations"][0]["score"]);
    EXPECT_NEAR(told["explanations"][0]["score"].get<double>(), name == "red" ? 10 : 4, 1e-4);
  }
}

TEST_F(Tasks, WhatIsNoWordOfATaskIsOfTheScores) {
  use("answerer");
  write_patches("image.npy", {{1, 2, 2, 6, 6}});
  const Names common{"--input", "image=image.npy", "--input", "question=is green"};
  auto named = common, by_class = common, second = common;
  named.insert(named.end(), {"--target", "answer:green"});
  by_class.insert(by_class.end(), {"--class", "1"});
  second.insert(second.end(), {"--top", "2"});
  EXPECT_EQ(result("explain", by_class)["score"], result("explain", named)["score"]);
  EXPECT_EQ(result("explain", second)["images"][0]["explanations"].size(), 2U);
  auto against = common;
  against.push_back("--against");
  EXPECT_EQ(result("explain", against)["target"]["text"], "answer");
}

TEST_F(Tasks, EmbeddingsAreCompared) {
  use("colours");
  write_npy(scratch_ / "x.npy", some_colours());
  auto other = some_colours();
  std::reverse(other.data.begin(), other.data.end());
  write_npy(scratch_ / "y.npy", other);
  for (const auto* word : {"similar:", "cosine:"}) {
    const Names bare{"--input", "x.npy", "--target", word + std::string("y.npy")};
    auto task = bare;
    task.insert(task.end(), {"--task", "embedding"});
    EXPECT_EQ(result("explain", task)["score"], result("explain", bare)["score"]);
  }
  // Of a value that is not the scores: the network's other end.
  use("policy");
  write_npy(scratch_ / "zeros.npy", Tensor{{1, 3}, std::vector<float>(3)});
  write_file(scratch_ / "seen.json",
             R"({"task": "embedding", "outputs": {"embedding": "memory_out"}})");
  write_image(scratch_ / "photo.png", red_and_blue(16, 16));
  const auto same = result(
      "explain", {"--image", "photo.png", "--preprocess", R"({"geometry": "stretch"})", "--input",
                  "memory=zeros.npy", "--task", "seen.json", "--similar-to", "photo.png"});
  // Half is red, half is a darker blue.
  EXPECT_NEAR(same["score"].get<double>(), std::hypot(0.5, 0.5 * 200 / 255), 1e-5);
}

TEST_F(Tasks, PlacesAreToldInWords) {
  use("segments");
  write_npy(scratch_ / "x.npy", some_colours());
  const auto told = result("explain", {"--input", "x.npy", "--task", "segmentation", "--target",
                                       "pixel:7,5@1", "--words"});
  EXPECT_EQ(told["method"], "hirescam");
  EXPECT_FALSE(told["images"][0]["explanations"][0]["sentence"]["text"].get<std::string>().empty());
  const Names common{"--input", "x.npy", "--task", "segmentation", "--target"};
  auto mask = common;
  mask.emplace_back("mask");
  refused("explain", mask, "wants a class");
}

/// What a result says of the states makes it again; what is fixed does not go on.
TEST_F(Tasks, StatesAreMadeAgain) {
  use("policy");
  Image first{kSize, kSize, {}}, second = first;
  for (std::size_t i = 0; i < kPixels; ++i) {
    first.rgb.insert(first.rgb.end(), {255, 0, 0});
    second.rgb.insert(second.rgb.end(), {0, 204, 102});
  }
  write_image(scratch_ / "f0.png", first);
  write_image(scratch_ / "f1.png", second);
  const Names frames{"--image", "f0.png", "--image",      "f1.png",
                     "--task",  "policy", "--preprocess", R"({"geometry": "stretch"})"};
  auto explained = frames;
  explained.insert(explained.end(), {"--target", "action:0", "--json", "{}.json"});
  expect_done(run("explain", explained));
  const auto before = json::parse(read_file(scratch_ / "f0.json"));
  EXPECT_FALSE(before["provenance"].contains("states"));
  const auto told = json::parse(read_file(scratch_ / "f1.json"));
  EXPECT_EQ(told["provenance"]["states"], (json{{"memory", {1.0, 0.0, 0.0}}}));
  EXPECT_NEAR(told["score"].get<double>(), 1.0 / 3, 1e-5);
  for (const auto* file : {"f0.json", "f1.json"}) {
    expect_done(scratch_.fovea({"explain", "--replay", file, "--json", "again.json"}));
    const auto again = json::parse(read_file(scratch_ / "again.json"));
    EXPECT_EQ(again["score"], json::parse(read_file(scratch_ / file))["score"]) << file;
  }
  auto predicted = frames;
  predicted.insert(predicted.end(), {"--json", "{}.json"});
  expect_done(run("predict", predicted));
  EXPECT_EQ(json::parse(read_file(scratch_ / "f1.json"))["provenance"]["states"],
            told["provenance"]["states"]);

  auto fixed = frames;
  fixed.insert(fixed.end(), {"--fixed-input", "memory=0", "--json", "{}.json"});
  expect_done(run("predict", fixed));
  EXPECT_NEAR(json::parse(read_file(scratch_ / "f1.json"))["actions"][0]["logit"].get<double>(), 0,
              1e-5);
}

/// A mask that a text names is a file as any other: with its digest, and found again.
TEST_F(Tasks, MasksAreFoundAgain) {
  use("segments");
  write_patches("x.npy", {{1, 2, 2, 6, 6}});
  Tensor mask{{kSize, kSize}, std::vector<float>(kPixels)};
  for (std::size_t i = 3 * kSize; i < 5 * kSize; ++i) mask.data[i] = 1;
  write_npy(scratch_ / "mask.npy", mask);
  // No picture takes its place.
  write_image(scratch_ / "mask.png", red_and_blue(kSize, kSize));
  refused("explain",
          {"--input", "x.npy", "--task", "segmentation", "--target", "mask:mask.png@1", "--output",
           "mask.png"},
          "mask.png");
  const auto told = result("explain", {"--input", "x.npy", "--task", "segmentation", "--target",
                                       "mask:mask.npy@1", "--map", "then.npy"});
  const auto& files = told["provenance"]["targets"][0]["files"];
  const auto sum = run_command({"sha256sum", "mask.npy"}, scratch_.path());
  EXPECT_EQ(files["mask.npy"]["sha256"], sum.out.substr(0, 64));

  const auto moved = scratch_ / "moved";
  std::filesystem::create_directory(moved);
  for (const auto* name : {"x.npy", "mask.npy", "segments.onnx"})
    std::filesystem::rename(scratch_ / name, std::filesystem::path(moved) / name);
  write_file(moved + "/then.json", told.dump());
  const std::vector<std::string> again{"explain", "--replay", "moved/then.json", "--map",
                                       "now.npy", "--json",   "now.json"};
  expect_done(scratch_.fovea(again));
  EXPECT_EQ(values("now.npy"), values("then.npy"));
  // And of that result once more.
  const auto second = json::parse(read_file(scratch_ / "now.json"));
  EXPECT_EQ(second["provenance"]["targets"][0]["files"]["mask.npy"]["sha256"],
            files["mask.npy"]["sha256"]);
  expect_done(scratch_.fovea({"explain", "--replay", "now.json", "--map", "last.npy"}));
  EXPECT_EQ(values("last.npy"), values("then.npy"));

  mask.data[0] = 1;
  write_npy(moved + "/mask.npy", mask);
  const auto other = scratch_.fovea(again);
  EXPECT_EQ(other.status, 4) << other.err;
  EXPECT_NE(other.err.find("this is not the mask that was recorded"), std::string::npos)
      << other.err;
  std::filesystem::remove(moved + "/mask.npy");
  const auto gone = scratch_.fovea(again);
  EXPECT_NE(gone.err.find("the mask to replay is not there"), std::string::npos) << gone.err;
}

TEST_F(Tasks, ACaptionOfOneWord) {
  use("one_word");
  write_patches("image.npy", {{2, 2, 2, 6, 6}});
  EXPECT_EQ(result("predict", {"--input", "image=image.npy"})["caption"], "blue");
}

}  // namespace
}  // namespace fovea::cli_test
