// fovea index, and the examples and sentences of fovea explain.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "colours.hpp"
#include "fovea/examples.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Names = std::vector<std::string>;

Image plain(int red, int green, int blue) {
  Image image{16, 16, {}};
  for (std::size_t i = 0; i < kPixels; ++i)
    for (const int level : {red, green, blue})
      image.rgb.push_back(static_cast<std::uint8_t>(level));
  return image;
}

/// Pictures whose features are their mean colours.
class Indexed : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* folder : {"photos", "photos/warm", "photos/cold", "photos/cold/deep"})
      fs::create_directory(scratch_ / folder);
    write_image(scratch_ / "photos/warm/red.png", plain(250, 20, 10));
    write_image(scratch_ / "photos/warm/orange.png", plain(250, 120, 10));
    write_image(scratch_ / "photos/cold/blue.png", plain(10, 20, 250));
    write_image(scratch_ / "photos/cold/deep/green.BMP", plain(10, 250, 30));
    write_image(scratch_ / "photos/purple.png", plain(150, 10, 180));
    write_file(scratch_ / "photos/notes.txt", "not a picture");
    fs::copy_file(fixture("colours"), scratch_ / "net.onnx");
  }
  Outcome index(Names extra = {}) const {
    extra.insert(extra.begin(), {"index", "--model", "net.onnx", "--images", "photos",
                                 "--preprocess", "raw", "--output", "photos.fvi"});
    return scratch_.fovea(extra);
  }
  Outcome explain(Names extra, const std::string& image = "photos/warm/orange.png") const {
    extra.insert(extra.begin(),
                 {"explain", "--model", "net.onnx", "--image", image, "--preprocess", "raw"});
    return scratch_.fovea(extra);
  }
  void expect_refused(const Outcome& outcome, int status, const std::string& reason) const {
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_NE(outcome.err.find(reason), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }

  Scratch scratch_;
};

TEST_F(Indexed, HoldsAFoldersPicturesByName) {
  const auto result = json_of(index({"--labels-from-folders", "--json"}));
  EXPECT_EQ(result["examples"], 5);
  EXPECT_EQ(result["unreadable"], 0);
  EXPECT_EQ(result["channels"], 3);
  EXPECT_EQ(result["layer"], "features");
  EXPECT_EQ(result["provenance"]["command"], "index");
  EXPECT_FALSE(result["provenance"].contains("image"));
  const auto made = ExampleIndex::load(scratch_ / "photos.fvi");
  ASSERT_EQ(made.size(), 5);
  EXPECT_EQ(made.name(0), "cold/blue.png");
  EXPECT_EQ(made.name(1), "cold/deep/green.BMP");
  EXPECT_EQ(made.label(1), "cold");
  EXPECT_EQ(made.name(2), "purple.png");
  EXPECT_EQ(made.label(2), "");
  EXPECT_EQ(made.label(4), "warm");
  EXPECT_EQ(made.origin().layer, "features");
}

TEST_F(Indexed, ADamagedPictureIsWarnedOf) {
  write_file(scratch_ / "photos/broken.png", "\x89PNG and nothing");
  write_file(scratch_ / "photos/warm/zero.jpg", "");
  const auto outcome = index();
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("5 pictures of 7"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("photos/broken.png"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("photos/warm/zero.jpg"), std::string::npos) << outcome.err;
  EXPECT_EQ(ExampleIndex::load(scratch_ / "photos.fvi").size(), 5);
}

TEST_F(Indexed, NothingToIndexIsAnError) {
  fs::create_directory(scratch_ / "empty");
  const auto of = [&](const std::string& folder) {
    return scratch_.fovea(
        {"index", "--model", "net.onnx", "--images", folder, "--output", "x.fvi"});
  };
  expect_refused(of("empty"), 4, "holds no images");
  expect_refused(of("nowhere"), 4, "no such folder");
  write_file(scratch_ / "empty/a.png", "");
  expect_refused(of("empty"), 4, "none of the folder's images can be read");
  expect_refused(index({"--layer", "nope"}), 2, "no layer 'nope'");
  expect_refused(scratch_.fovea({"index", "--model", "net.onnx", "--images", "photos", "--output",
                                 "photos/purple.png"}),
                 2, "would overwrite an input");
  for (const auto& name : scratch_.names()) EXPECT_EQ(name.find(".fvi"), std::string::npos) << name;
}

TEST_F(Indexed, AFailureLeavesNoIndex) {
  expect_refused(index({"--json", "nowhere/x.json"}), 2, "folder does not exist");
  EXPECT_FALSE(fs::exists(scratch_ / "photos.fvi"));
  EXPECT_EQ(index({"--json", "photos.fvi"}).status, 2);
  EXPECT_FALSE(fs::exists(scratch_ / "photos.fvi"));
}

TEST_F(Indexed, NamesTheNearest) {
  expect_done(index({"--labels-from-folders"}));
  const auto result = json_of(explain({"--class", "0", "--class", "2", "--examples", "photos.fvi",
                                       "--example-count", "9", "--json"}));
  const auto& rows = result["images"][0]["explanations"];
  for (const auto& row : rows) {
    ASSERT_EQ(row["examples"].size(), 4u);  // the picture itself is none
    EXPECT_EQ(row["examples"][0]["similarity"], 1.0);
  }
  EXPECT_EQ(result["examples"], rows[0]["examples"]);
  const auto text = explain({"--examples", "photos.fvi", "--example-count", "1"});
  expect_done(text);
  EXPECT_NE(text.out.find("like         1.0000  "), std::string::npos) << text.out;
}

TEST_F(Indexed, APictureIsNoExampleOfItself) {
  fs::copy_file(scratch_ / "photos/warm/orange.png", scratch_ / "photos/copy.png");
  expect_done(index());
  const auto names = [&](const std::string& image) {
    Names out;
    const auto result = json_of(explain({"--examples", "photos.fvi", "--json"}, image));
    for (const auto& one : result["examples"]) out.push_back(one["name"].get<std::string>());
    return out;
  };
  const auto of_orange = names("photos/warm/orange.png");
  EXPECT_EQ(of_orange.size(), 4u);
  for (const auto* same : {"warm/orange.png", "copy.png"})
    EXPECT_EQ(std::count(of_orange.begin(), of_orange.end(), same), 0) << same;
  EXPECT_EQ(names("photos/purple.png").size(), 5u);
  for (const auto* other : {"warm/red.png", "cold/blue.png", "cold/deep/green.BMP", "purple.png"})
    fs::remove(scratch_ / (std::string("photos/") + other));
  expect_done(index());
  const auto alone = json_of(explain({"--examples", "photos.fvi", "--json"}));
  EXPECT_TRUE(alone["examples"].empty());
  EXPECT_NE(alone["warnings"].dump().find("holds this picture alone"), std::string::npos);
}

/// SqueezeNet's end: the last layer has a channel per class, of which the class weighs its own.
TEST_F(Indexed, WhereTheLastLayerHoldsAMapPerClassFeaturesAreInFrontOfIt) {
  fs::remove(scratch_ / "net.onnx");
  fs::copy_file(fixture("class_maps"), scratch_ / "net.onnx");
  expect_done(index());
  EXPECT_EQ(ExampleIndex::load(scratch_ / "photos.fvi").origin().layer, "features");
  const auto result =
      json_of(explain({"--class", "0", "--examples", "photos.fvi", "--words", "--json"}));
  EXPECT_EQ(result["layer"], "class_maps");
  EXPECT_EQ(result["features"], "features");
  EXPECT_EQ(result["examples"][0]["name"], "warm/red.png");
  EXPECT_LT(result["examples"].back()["similarity"], 0.9);
  EXPECT_EQ(result["sentence"]["channels"].size(), 2u);
  const std::string told =
      "'class_maps' holds a map per class: the features are those of 'features', the last layer in "
      "front of it";
  EXPECT_EQ(result["warnings"], (json{told}));
  const auto text = explain({"--class", "0", "--examples", "photos.fvi"});
  expect_done(text);
  EXPECT_NE(text.out.find("features     of 'features'\n"), std::string::npos) << text.out;
  EXPECT_NE(text.err.find(told), std::string::npos) << text.err;
  // A replay takes the recorded layer for what it was, the default that nobody named; also the
  // replay of a result whose provenance has no features.
  auto recorded = result;
  EXPECT_EQ(recorded["provenance"]["features"], "features");
  for (const bool older : {false, true}) {
    if (older) recorded["provenance"].erase("features");
    write_file(scratch_ / "first.json", recorded.dump());
    const auto again = json_of(scratch_.fovea({"explain", "--replay", "first.json", "--json"}));
    for (const auto* same : {"layer", "features", "examples", "sentence", "warnings"})
      EXPECT_EQ(again[same], result[same]) << same;
    EXPECT_EQ(again["provenance"], result["provenance"]);
  }
  recorded["provenance"]["features"] = "conv";
  write_file(scratch_ / "first.json", recorded.dump());
  expect_refused(scratch_.fovea({"explain", "--replay", "first.json"}), 2,
                 "the result's features were those of 'conv'");
  const auto words = json_of(explain({"--class", "0", "--words", "--json"}));
  write_file(scratch_ / "first.json", words.dump());
  EXPECT_EQ(json_of(scratch_.fovea({"explain", "--replay", "first.json", "--json"}))["sentence"],
            words["sentence"]);
  // A layer that is named is taken, with a warning.
  expect_done(index({"--layer", "class_maps"}));
  const auto named = json_of(
      explain({"--class", "0", "--examples", "photos.fvi", "--layer", "class_maps", "--json"}));
  EXPECT_EQ(named["features"], "class_maps");
  EXPECT_EQ(named["examples"][0]["similarity"], 1.0);
  EXPECT_NE(named["warnings"].dump().find("tell no more than the scores"), std::string::npos);
  write_file(scratch_ / "first.json", named.dump());
  const auto named_again = json_of(scratch_.fovea({"explain", "--replay", "first.json", "--json"}));
  EXPECT_EQ(named_again["features"], "class_maps");
  EXPECT_EQ(named_again["examples"], named["examples"]);
}

TEST_F(Indexed, DrawsTheNearest) {
  expect_done(index());
  fs::remove(scratch_ / "photos/warm/red.png");
  const auto outcome = explain({"--examples", "photos.fvi", "--examples-output", "sheet.png",
                                "--example-images", "photos", "--output", "why.png"});
  expect_done(outcome);
  EXPECT_NE(outcome.err.find("photos/warm/red.png"), std::string::npos) << outcome.err;
  const auto sheet = read_image(scratch_ / "sheet.png");
  EXPECT_GT(sheet.width, sheet.height);
}

TEST_F(Indexed, AnotherModelsIndexIsRefused) {
  expect_done(index());
  expect_refused(scratch_.fovea({"explain", "--model", fixture("pair"), "--input", "x.npy",
                                 "--examples", "nowhere.fvi"}),
                 4, "no such index");
  fs::copy_file(fixture("labelled"), scratch_ / "other.onnx");
  expect_refused(scratch_.fovea({"explain", "--model", "other.onnx", "--image", "photos/purple.png",
                                 "--preprocess", "raw", "--examples", "photos.fvi"}),
                 2, "made with another model");
  expect_refused(scratch_.fovea({"explain", "--model", "net.onnx", "--image", "photos/purple.png",
                                 "--examples", "photos.fvi"}),
                 2, "another way to make inputs");
  expect_refused(explain({"--examples", "photos/purple.png"}), 4, "no index of examples");
  expect_refused(explain({"--examples-output", "x.png"}), 2, "want an index");
  expect_refused(explain({"--examples", "photos.fvi", "--examples-output", "x.png"}), 2,
                 "go together");
  expect_refused(explain({"--examples", "photos.fvi", "--json=photos.fvi"}), 2,
                 "would overwrite an input");
}

TEST_F(Indexed, AResultIsMadeAgainWithItsExamples) {
  expect_done(index());
  const auto first =
      json_of(explain({"--examples", "photos.fvi", "--example-count", "2", "--words", "--json"}));
  write_file(scratch_ / "first.json", first.dump());
  EXPECT_EQ(first["provenance"]["examples"]["file"], "photos.fvi");
  EXPECT_EQ(first["provenance"]["examples"]["count"], 2);
  EXPECT_EQ(first["provenance"]["words"], true);
  const auto again = json_of(scratch_.fovea({"explain", "--replay", "first.json", "--json"}));
  EXPECT_EQ(again["examples"], first["examples"]);
  EXPECT_EQ(again["sentence"], first["sentence"]);
  EXPECT_EQ(again["provenance"], first["provenance"]);
  fs::remove(scratch_ / "photos/purple.png");
  expect_done(index());
  expect_refused(scratch_.fovea({"explain", "--replay", "first.json"}), 4,
                 "not the index of examples that was recorded");
}

TEST_F(Indexed, SaysItInWords) {
  const auto result = json_of(explain({"--class", "2", "--words", "--json"}));
  const auto& sentence = result["sentence"];
  EXPECT_EQ(sentence, result["images"][0]["explanations"][0]["sentence"]);
  EXPECT_EQ(sentence["class"], 2);
  EXPECT_EQ(sentence["rank"], 3);
  EXPECT_TRUE(sentence.contains("channels"));
  EXPECT_EQ(sentence["place"]["from"], (json{0.0, 0.0}));
  EXPECT_EQ(sentence["place"]["to"], (json{1.0, 1.0}));
  const auto text = sentence["text"].get<std::string>();
  EXPECT_EQ(text.find("The network gives class 2 a logit of "), 0u) << text;
  EXPECT_NE(text.find("number 3 of 3 classes"), std::string::npos) << text;
  EXPECT_NE(text.find("is spread over the whole input"), std::string::npos) << text;
  EXPECT_NE(text.find("channel 2 adds 100 %"), std::string::npos) << text;
  const auto told = explain({"--class", "2", "--words"});
  EXPECT_NE(told.out.find("in words     " + text), std::string::npos) << told.out;
  // Nothing of it without being asked, and no channels for a method of the input.
  EXPECT_FALSE(json_of(explain({"--json"})).contains("sentence"));
  EXPECT_FALSE(json_of(explain({"--method", "saliency", "--words", "--json"}))["sentence"].contains(
      "channels"));
}

}  // namespace
}  // namespace fovea::cli_test
