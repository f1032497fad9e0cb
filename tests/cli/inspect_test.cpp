// fovea inspect of networks that say other things than classes: which layer for which target, and
// why.
#include <filesystem>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

class Inspect : public testing::Test {
 protected:
  Outcome run(const std::string& name, Names extra = {}) const {
    extra.insert(extra.begin(), {"inspect", "--model", fixture(name)});
    return scratch_.fovea(extra);
  }
  json layers(const std::string& name, Names extra = {}) const {
    extra.emplace_back("--json");
    const auto outcome = run(name, std::move(extra));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return json::parse(outcome.out);
  }
  static json named(const json& layers, const std::string& name) {
    for (const auto& layer : layers)
      if (layer["name"] == name) return layer;
    return nullptr;
  }

  Scratch scratch_;
};

TEST_F(Inspect, ListsTheLayersOfEachLevelOfBoxes) {
  write_file(scratch_ / "two.task.json", R"({"task": "yolox", "boxes": {"strides": [4, 8]}})");
  const auto all = layers("detector", {"--task", "two.task.json"});
  ASSERT_EQ(all["targets"].size(), 2U);
  EXPECT_EQ(all["targets"][0]["of"], "a box of level 0, 4 x 4 cells of 4 pixels");
  EXPECT_EQ(all["targets"][0]["default_layer"], "s4_neck");
  EXPECT_EQ(all["targets"][1]["default_layer"], "s8_neck");
  EXPECT_EQ(all["default_layer"], "s4_neck");
  const auto neck = named(all["layers"], "s4_neck");
  EXPECT_EQ(neck["default"], true);
  EXPECT_NE(neck["why"].get<std::string>().find("all numbers at the place"), std::string::npos);
  // The cell (2, 2), and its neighbours by the tower's 3 x 3.
  EXPECT_EQ(neck["receptive_field"], (json{{1, 4}, {1, 4}}));
  const auto tower = named(all["layers"], "s4_class_map");
  EXPECT_EQ(tower["receptive_field"], (json{{2, 3}, {2, 3}}));
  EXPECT_NE(tower["why"].get<std::string>().find("sees one position"), std::string::npos);
  const auto text = run("detector", {"--task", "two.task.json"}).out;
  EXPECT_NE(text.find("* s8_neck  Conv 'neck8'  1 x 3 x 2 x 2"), std::string::npos) << text;
  EXPECT_NE(text.find("s4_neck  Conv 'neck4'  1 x 3 x 4 x 4, sees 3 x 3"), std::string::npos)
      << text;
}

TEST_F(Inspect, TakesTheTaskThatAModelBrings) {
  EXPECT_EQ(layers("writer")["targets"][0]["of"], "a word");
  EXPECT_FALSE(layers("writer")["default_layer"].is_null());
  EXPECT_EQ(layers("answerer")["targets"][0]["of"], "an answer");
  EXPECT_TRUE(layers("colours")["targets"].is_null());
  EXPECT_EQ(run("writer").out.find("unknown"), run("writer").out.npos);
}

TEST_F(Inspect, ListsTheLayersOfOneNumber) {
  const auto all = layers("segments", {"--target", "segments[0,1,5,7]"});
  EXPECT_FALSE(all["layers"].empty());
  EXPECT_EQ(all["targets"][0]["of"], "segments[0,1,5,7]");
  const auto word = run("segments", {"--target", "pixel:5,7@1"});
  EXPECT_EQ(word.status, 2);
  EXPECT_NE(word.err.find("--task"), std::string::npos) << word.err;
  EXPECT_EQ(layers("segments", {"--task", "segmentation"})["targets"][0]["of"], "a position");
}

}  // namespace
}  // namespace fovea::cli_test
