// --strip: several maps as one picture.
#include <algorithm>
#include <set>

#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

const std::string kDemo = FOVEA_SOURCE_DIR "/tools/demo/";
const std::string kFrom = "\xE2\x81\xA8", kTo = "\xE2\x81\xA9";  // a label's direction is its own

class Strips : public testing::Test {
 protected:
  Outcome run(const std::string& model, Names extra) const {
    extra.insert(extra.begin(), {"explain", "--model", kDemo + "models/" + model + ".onnx"});
    return scratch_.fovea(extra);
  }
  Image picture(const std::string& name) const { return read_image(scratch_ / name); }
  std::string score(const json& explanation) const {
    char text[64];
    std::snprintf(text, sizeof text, ", score %.4g", explanation["score"].get<double>());
    return text;
  }

  const std::string scene_ = kDemo + "shapes/shapes_52.png",
                    other_ = kDemo + "shapes/shapes_19.png";
  Scratch scratch_;
};

TEST_F(Strips, HaveAPanelForEachWordBehindThePhoto) {
  expect_done(run("caption", {scene_, "--target", "words", "--strip", "strip.png", "--output",
                              "one.png", "--json", "told.json"}));
  const auto told = json::parse(read_file(scratch_ / "told.json"));
  const auto& words = told["words"];
  const auto& all = told["images"][0]["explanations"];
  ASSERT_GE(all.size(), 9u);
  std::vector<std::vector<SheetCell>> rows(1);
  rows[0].push_back({{}, fitted(enlarged(read_image(scene_), 4), 192, 256), {}, told["caption"]});
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (rows.back().size() == 6) rows.emplace_back();
    const auto name = words[i]["name"].get<std::string>();
    auto image = fitted(picture("one-" + std::to_string(i + 1) + ".png"), 192, 256);
    rows.back().push_back({{}, std::move(image), {}, kFrom + name + kTo + score(all[i])});
  }
  EXPECT_EQ(picture("strip.png").rgb, contact_sheet(rows, 192).rgb);
}

TEST_F(Strips, GoOnBelowAndAreMadeAgain) {
  const auto width = [&](const std::string& pixels) {
    expect_done(run(
        "caption", {scene_, "--target", "words", "--strip", "strip.png", "--sheet-width", pixels}));
    return picture("strip.png").width;
  };
  EXPECT_EQ(width("1400"), 6 * 200 + 8);
  EXPECT_EQ(width("700"), 3 * 200 + 8);
  EXPECT_EQ(width("200"), 192 + 8);
  // From its own provenance.
  expect_done(scratch_.fovea({"explain", "--replay", "strip.png", "--strip", "again.png"}));
  EXPECT_EQ(picture("again.png").rgb, picture("strip.png").rgb);
}

TEST_F(Strips, OfSeveralPhotosAreOne) {
  const Names ask = {"--input", "question=what color is the triangle?", "--target", "answer"};
  const auto with = [&](Names more) {
    more.insert(more.end(), ask.begin(), ask.end());
    return run("answer", std::move(more));
  };
  expect_done(
      with({scene_, other_, "--strip", "both.png", "--output", "{}.png", "--json", "all.jsonl"}));
  std::vector<std::vector<SheetCell>> rows(1);
  const auto lines = read_file(scratch_ / "all.jsonl");
  const auto end = lines.find('\n');
  for (const auto& [line, name] : {std::pair{lines.substr(0, end), "shapes_52"},
                                   std::pair{lines.substr(end + 1), "shapes_19"}}) {
    const auto told = json::parse(line);
    rows[0].push_back({kFrom + name + ".png" + kTo,
                       fitted(picture(std::string(name) + ".png"), 192, 256),
                       {},
                       kFrom + told["answers"][0]["name"].get<std::string>() + kTo +
                           score(told["images"][0]["explanations"][0])});
  }
  EXPECT_EQ(picture("both.png").rgb, contact_sheet(rows, 192).rgb);

  expect_done(with({scene_, other_, "--strip", "own-{}.png"}));
  EXPECT_EQ(picture("own-shapes_52.png").width, 192 + 16);

  // One that cannot be read is told, and the strip has the others.
  write_file(scratch_ / "bad.png", "no picture");
  const auto outcome = with({scene_, "bad.png", other_, "--strip", "rest.png"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(picture("rest.png").rgb, picture("both.png").rgb);
}

TEST_F(Strips, OfClassesSayTheirProbability) {
  expect_done(scratch_.fovea({"explain", "--top", "2", "--strip", "top.png"}));
  EXPECT_EQ(picture("top.png").width, 3 * 200 + 8);
}

TEST_F(Strips, AreRefusedWhereTheyCannotBe) {
  const auto refused = [&](Names arguments, const std::string& words) {
    arguments.insert(arguments.begin(), "explain");
    const auto outcome = scratch_.fovea(arguments);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << outcome.err;
    EXPECT_TRUE(scratch_.names().empty());
  };
  refused({"--method", "gradcam,layercam", "--output", "a.png", "--strip", "b.png"}, "--strip");
  refused({"--strip", "b.npy"}, ".png");
  refused({"--model", kDemo + "models/demo_gap.onnx", kDemo + "scenes/scene_1.png",
           kDemo + "scenes/scene_2.png", "--strip", "-"},
          "a file's name");
}

}  // namespace
}  // namespace fovea::cli_test
