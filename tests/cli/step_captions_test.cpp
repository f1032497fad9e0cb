// Captions by an encoder and a decoder that takes one word at a time.
#include <algorithm>

#include "tasks.hpp"

namespace fovea::cli_test {
namespace {

class StepCaptions : public Tasks {
 protected:
  void SetUp() override {
    use("see");
    std::filesystem::copy_file(fixture("step_decoder"), scratch_ / "step_decoder.onnx");
    write_patches("image.npy", {{0, 1, 2, 8, 8}, {2, 9, 9, 4, 4}, {2, 1, 12, 3, 3}});
  }
  static Names with(Names extra) {
    extra.insert(extra.begin(), {"--then", "step_decoder.onnx", "--input", "image=image.npy"});
    return extra;
  }
  static json explanations(const json& told) { return told["images"][0]["explanations"]; }
};

// Red covers 64 pixels of 256, blue 25.
TEST_F(StepCaptions, AreWrittenWordByWord) {
  const auto said = result("predict", with({}));
  EXPECT_EQ(said["caption"], "red blue");
  EXPECT_EQ(said["task"], "caption");
  EXPECT_NEAR(said["words"][0]["logit"].get<double>(), 10 * 64.0 / kPixels, 1e-5);
  EXPECT_NEAR(said["words"][1]["logit"].get<double>(), 10 * 25.0 / kPixels, 1e-5);
  EXPECT_FALSE(said.contains("own_words"));
  EXPECT_NE(run("predict", with({})).out.find("says         red blue\n"), std::string::npos);
}

TEST_F(StepCaptions, EachWordHasItsMap) {
  const auto why = result(
      "explain", with({"--target", "words", "--feature-map", "maps.npy", "--strip", "strip.png"}));
  EXPECT_EQ(why["method"], "gradcam");
  const auto all = explanations(why);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["target"]["text"], "word:0");
  EXPECT_EQ(why["layer"], "features");
  EXPECT_NEAR(all[1]["score"].get<double>(), 10 * 25.0 / kPixels, 1e-5);
  const auto image = cli::read_npy(scratch_ / "image.npy");
  const auto maps = values("maps.npy");
  ASSERT_EQ(maps.size(), 2 * kPixels);
  for (std::size_t word = 0; word < 2; ++word) {
    // Each is its colour, scaled: the maximum is 1 where it shines.
    const std::vector<float> map(maps.begin() + static_cast<std::ptrdiff_t>(word * kPixels),
                                 maps.begin() + static_cast<std::ptrdiff_t>((word + 1) * kPixels));
    const auto colour = rectified(image, 0, word == 0 ? 0 : 2);
    expect_near(divided(map, largest(map)), colour, 1e-5);
  }
  EXPECT_GT(read_image(scratch_ / "strip.png").width, 2 * 190);
  const auto one = result("explain", with({"--target", "word:1"}));
  EXPECT_EQ(explanations(one)[0]["map"], all[1]["map"]);
  const auto whole = result("explain", with({}));
  EXPECT_EQ(explanations(whole)[0]["target"]["text"], "caption");
  refused("explain", with({"--target", "word:2"}), "there are 2, from 0");
  // A number of the network of all words.
  const auto number = result("explain", with({"--target", "word_logits@1[0,5]"}));
  EXPECT_EQ(number["score"], all[1]["score"]);
}

TEST_F(StepCaptions, AreMadeAgain) {
  const auto told = result("explain", with({"--target", "words", "--map", "map.npy"}));
  const auto& made = told["provenance"];
  EXPECT_EQ(made["second"]["file"], "step_decoder.onnx");
  EXPECT_FALSE(made.contains("states"));
  const auto before = values("map.npy");
  write_file(scratch_ / "told.json", told.dump());
  const auto outcome = scratch_.fovea(
      {"explain", "--replay", "told.json", "--map", "again.npy", "--json", "again.json"});
  expect_done(outcome);
  EXPECT_EQ(values("again.npy"), before);
  const auto again = json::parse(read_file(scratch_ / "again.json"));
  auto second = again["provenance"], first = made;
  EXPECT_EQ(second, first);
}

TEST_F(StepCaptions, GivenWordsAreExplained) {
  const auto given = with({"--input", "word=blue green"});
  const auto told = result("predict", given);
  EXPECT_EQ(told["caption"], "blue green");
  EXPECT_NEAR(told["words"][0]["logit"].get<double>(), 10 * 25.0 / kPixels, 1e-5);
  EXPECT_NEAR(told["words"][1]["logit"].get<double>(), 0, 1e-5);
  std::vector<std::string> own;
  for (const auto& word : told["own_words"]) own.push_back(word["name"]);
  EXPECT_EQ(own, (Names{"red", "red", "red"}));
  EXPECT_NE(run("predict", given).out.find("given        blue green\nwould say    red for 'blue'"),
            std::string::npos)
      << run("predict", given).out;
  auto words = given;
  words.insert(words.end(), {"--target", "words"});
  const auto why = result("explain", words);
  ASSERT_EQ(explanations(why).size(), 2U);
  EXPECT_EQ(explanations(why)[0]["score"], told["words"][0]["logit"]);
  EXPECT_EQ(why["provenance"]["questions"], (json{{"word", "blue green"}}));
  refused("predict", with({"--input", "word=purple"}), "purple");
  EXPECT_NE(run("predict", with({"--input", "word=red blue"})).out.find("would say    the same"),
            std::string::npos);
}

TEST_F(StepCaptions, EachPhotoHasItsOwn) {
  Image red{kSize, kSize, {}}, blue = red;
  for (std::size_t i = 0; i < kPixels; ++i) {
    red.rgb.insert(red.rgb.end(), {255, 0, 0});
    blue.rgb.insert(blue.rgb.end(), {0, 51, 204});
  }
  std::filesystem::create_directory(scratch_ / "photos");
  write_image(scratch_ / "photos/red.png", red);
  write_image(scratch_ / "photos/blue.png", blue);
  const Names both{"photos/red.png", "photos/blue.png"};
  for (const std::string command : {"predict", "explain"}) {
    Names of{command, "--model", model_, "--then", "step_decoder.onnx"};
    of.insert(of.end(), both.begin(), both.end());
    of.insert(of.end(), {"--json", "{}.json"});
    if (command == "explain") of.insert(of.end(), {"--target", "words"});
    expect_done(scratch_.fovea(of));
    EXPECT_EQ(json::parse(read_file(scratch_ / "red.json"))["caption"], "red");
    EXPECT_EQ(json::parse(read_file(scratch_ / "blue.json"))["caption"], "blue green");
  }
  const auto outcome =
      scratch_.fovea({"explain-all", "--model", model_, "--then", "step_decoder.onnx", "--images",
                      "photos", "--output", "out"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("'fovea explain' takes several photos"), std::string::npos)
      << outcome.err;
}

TEST_F(StepCaptions, WhatIsMissingIsNamed) {
  const auto refuses = [&](const std::string& recipe, const std::string& words) {
    write_file(scratch_ / "task.json", recipe);
    refused("predict", with({"--task", "task.json"}), words);
  };
  refuses(R"({"task": "caption"})", "nothing says which words the network knows: set 'names'");
  refuses(R"({"task": "caption", "names": ["<pad>", "<s>", "</s>", "red"]})",
          "the task has 4 names, and the network 6 words");
  refuses(R"({"task": "caption", "names": ["<pad>", "<s>", ".", "red", "green", "blue"]})",
          "the words have no '</s>': set 'caption.end' of the task");
  refused("predict", with({"--task", "caption", "--names", "names.txt"}), "names.txt", 4);
  write_file(scratch_ / "names.txt", "<pad>\n<s>\n</s>\nred\ngreen\nblue\n");
  EXPECT_EQ(result("predict", with({"--task", "caption", "--names", "names.txt"}))["caption"],
            "red blue");
  refused("predict", with({"--task", "caption", "--names", "names.txt", "--state", "said=said_in"}),
          "an output that the model does not have");
  refused("predict", with({"--input", "question=red"}), "'question'");
  refused("predict",
          {"--then", "step_decoder.onnx", "--feed", "said=seen", "--input", "image=image.npy"},
          "'seen'");
  write_patches("two.npy", {});
  auto two = cli::read_npy(scratch_ / "two.npy");
  write_file(scratch_ / "bound.json",
             R"({"task": "caption", "names": ["<pad>", "<s>", "</s>", "red", "green", "blue"],
    "caption": {"most": 1}})");
  EXPECT_EQ(result("predict", with({"--task", "bound.json"}))["caption"], "red");
  EXPECT_NE(run("predict", with({"--task", "bound.json"})).err.find("'caption.most'"),
            std::string::npos);
}

TEST_F(StepCaptions, HaveTheEncodersLayers) {
  const auto outcome = run("inspect", {"--then", "step_decoder.onnx"});
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("for a word (* the default)\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("* features  Relu"), std::string::npos) << outcome.out;
}

/// A decoder that attends to the picture for each word: its words are explained where the encoder
/// ends, whichever way the files are cut, and not where one of them attended.
TEST_F(StepCaptions, OfADecoderThatAttends) {
  const std::string folder = FOVEA_SOURCE_DIR "/tests/compose/captioner/";
  const auto golden = json::parse(read_file(folder + "golden.json"));
  write_file(scratch_ / "task.json", json{{"task", "caption"}, {"names", golden["names"]}}.dump());
  write_npy(scratch_ / "image.npy",
            Tensor{{1, 3, 16, 16}, golden["image"].get<std::vector<float>>()});
  std::string sentence;
  for (std::size_t i = 1; i + 1 < golden["tokens"].size(); ++i)
    sentence += (i > 1 ? " " : "") +
                golden["names"][golden["tokens"][i].get<std::size_t>()].get<std::string>();
  const auto maps = golden["word_maps"].get<std::vector<std::vector<float>>>();
  const std::string in_one = "/encoder/layers/layers.3/Relu_output_0";
  for (const auto& [model, extra, layer] :
       {std::tuple{"encoder", Names{"--then", folder + "decoder.onnx"}, std::string("features")},
        std::tuple{"merged", Names{}, in_one}, std::tuple{"teacher", Names{}, in_one}}) {
    SCOPED_TRACE(model);
    model_ = folder + model + ".onnx";
    auto asked = extra;
    asked.insert(asked.end(), {"--input", "image=image.npy", "--task", "task.json", "--target",
                               "words", "--feature-map", "maps.npy"});
    const auto told = result("explain", asked);
    EXPECT_EQ(told["caption"], sentence);
    const auto all = explanations(told);
    ASSERT_EQ(all.size(), maps.size());
    const auto drawn = values("maps.npy");
    EXPECT_EQ(told["layer"], layer);
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const auto most = largest(maps[i]);
      if (most == 0) continue;
      const std::vector<float> map(drawn.begin() + static_cast<std::ptrdiff_t>(i * 16),
                                   drawn.begin() + static_cast<std::ptrdiff_t>((i + 1) * 16));
      expect_near(divided(map, largest(map)), divided(maps[i], most), 1e-4);
    }
  }
}

}  // namespace
}  // namespace fovea::cli_test
