// What is written on pictures: captions, bars of colours, sheets; and pages.
#include <algorithm>
#include <cstdio>

#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

// Marks that keep a label's direction to itself.
const std::string kFrom = "\xE2\x81\xA8", kTo = "\xE2\x81\xA9";

class Captions : public testing::Test {
 protected:
  void SetUp() override { write_image(scratch_ / "photo.png", red_and_blue(320, 200)); }

  Outcome run(Names extra) const {
    extra.insert(extra.begin(), {"explain", "--model", fixture("colours"), "--image", "photo.png",
                                 "--preprocess", R"({"geometry": "stretch"})"});
    return scratch_.fovea(extra);
  }
  json result(Names extra) const {
    extra.insert(extra.end(), {"--json", "result.json"});
    expect_done(run(std::move(extra)));
    return json::parse(read_file(scratch_ / "result.json"));
  }
  Image picture(const std::string& name) const { return read_image(scratch_ / name); }

  static std::string number(const char* format, double value) {
    char text[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    std::snprintf(text, sizeof text, format, value);
#pragma GCC diagnostic pop
    return text;
  }
  /// What a caption says, by the JSON and the map of the same call.
  static Names lines(const json& result, const Tensor& map, const std::string& target) {
    const auto [low, high] = std::minmax_element(map.data.begin(), map.data.end());
    return {kFrom + target + kTo +
                number(", probability %.4f", result["target"]["probability"].get<double>()),
            result["method"].get<std::string>() + " at " + kFrom +
                result["layer"].get<std::string>() + kTo,
            number("minimum %.3g", *low) + number(", maximum %.3g", *high)};
  }

  Scratch scratch_;
};

TEST_F(Captions, StandUnderThePicturesWithTheMapsOwnValues) {
  const auto told = result({"--class", "0", "--output", "bare.png", "--heatmap", "bare-heat.png",
                            "--feature-map", "map.npy"});
  const auto map = cli::read_npy(scratch_ / "map.npy");
  expect_done(run({"--class", "0", "--output", "over.png", "--heatmap", "heat.png", "--caption"}));
  const double high = *std::max_element(map.data.begin(), map.data.end());
  ASSERT_GT(high, 0);
  const Caption caption{ColorScale{Colormap::jet, 0, high}, lines(told, map, "class 0")};
  EXPECT_EQ(picture("over.png").rgb, captioned(picture("bare.png"), caption).image.rgb);
  EXPECT_EQ(picture("heat.png").rgb, captioned(picture("bare-heat.png"), caption).image.rgb);
}

TEST_F(Captions, OfMapsOfPixelsHaveBothSigns) {
  const Names how = {"--class", "0", "--method", "gradient-x-input"};
  auto bare = how, with = how;
  bare.insert(bare.end(), {"--output", "bare.png", "--feature-map", "map.npy"});
  with.insert(with.end(), {"--output", "over.png", "--caption"});
  const auto told = result(bare);
  expect_done(run(with));
  const double full = told["images"][0]["explanations"][0]["colors"]["full_at"].get<double>();
  const Caption caption{ColorScale{Colormap::red_blue, -full, full},
                        lines(told, cli::read_npy(scratch_ / "map.npy"), "class 0")};
  EXPECT_EQ(picture("over.png").rgb, captioned(picture("bare.png"), caption).image.rgb);
}

TEST_F(Captions, OfStretchedMapsGoFromTheLowestValue) {
  const Names how = {"--class", "0", "--normalize", "minmax"};
  auto bare = how, with = how;
  bare.insert(bare.end(), {"--output", "bare.png", "--feature-map", "map.npy"});
  with.insert(with.end(), {"--output", "over.png", "--caption"});
  const auto told = result(bare);
  expect_done(run(with));
  const auto map = cli::read_npy(scratch_ / "map.npy");
  const auto [low, high] = std::minmax_element(map.data.begin(), map.data.end());
  const Caption caption{ColorScale{Colormap::jet, *low, *high}, lines(told, map, "class 0")};
  EXPECT_EQ(picture("over.png").rgb, captioned(picture("bare.png"), caption).image.rgb);
}

TEST_F(Captions, AreOfAnyScript) {
  const Names labels = {"γάτα ριγωτή", "قطة صغيرة", "三毛猫 \U0001F408 \xF4\x8F\xBF\xB0"};
  write_file(scratch_ / "labels.txt", labels[0] + "\n" + labels[1] + "\n" + labels[2] + "\n");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto index = std::to_string(i);
    const Names how = {"--labels", "labels.txt", "--class", index};
    auto bare = how, with = how;
    bare.insert(bare.end(), {"--output", "bare.png", "--feature-map", "map.npy"});
    with.insert(with.end(), {"--output", "over.png", "--caption", "--json", "told.json"});
    const auto told = result(bare);
    const auto outcome = run(with);
    expect_done(outcome);
    // The JSON has the label whole, and the warnings of what no font has.
    const auto document = json::parse(read_file(scratch_ / "told.json"));
    EXPECT_EQ(document["target"]["label"], labels[i]);
    const auto map = cli::read_npy(scratch_ / "map.npy");
    const double high = *std::max_element(map.data.begin(), map.data.end());
    const auto text = lines(told, map, labels[i] + " (class " + index + ")");
    const auto expected = captioned(
        picture("bare.png"),
        {high > 0 ? std::optional(ColorScale{Colormap::jet, 0, high}) : std::nullopt, text});
    EXPECT_EQ(picture("over.png").rgb, expected.image.rgb) << labels[i];
    const auto warnings = document["warnings"].get<Names>();
    for (const auto& warning : expected.warnings)
      EXPECT_NE(std::find(warnings.begin(), warnings.end(), warning), warnings.end()) << warning;
    EXPECT_EQ(outcome.err.find("U+10FFF0") != std::string::npos, i == 2) << outcome.err;
  }
}

TEST_F(Captions, AreKeptByAReplay) {
  expect_done(run({"--output", "a.png", "--caption", "--json", "r.json"}));
  expect_done(scratch_.fovea({"explain", "--replay", "r.json", "--output", "b.png"}));
  EXPECT_EQ(picture("a.png").rgb, picture("b.png").rgb);
  expect_done(run({"--output", "c.png"}));
  EXPECT_NE(picture("a.png").height, picture("c.png").height);
}

class CaptionedSheets : public Captions {
 protected:
  Image sheet(const Names& more) const {
    Names how = {"--method", "gradcam,layercam,hirescam,cam,saliency,gradient-x-input",
                 "--class",  "0",
                 "--output", "sheet.png"};
    how.insert(how.end(), more.begin(), more.end());
    expect_done(run(how));
    return picture("sheet.png");
  }
};

TEST_F(CaptionedSheets, AreAsWideAsTheyMayBe) {
  const auto usual = sheet({});
  EXPECT_EQ(usual.width, 5 * 264 + 8);  // the photo and four maps, then two
  const auto wide = sheet({"--sheet-width", "4000"});
  EXPECT_EQ(wide.width, 7 * 264 + 8);
  EXPECT_LT(wide.height, usual.height);
  const auto narrow = sheet({"--sheet-width", "700"});
  EXPECT_EQ(narrow.width, 2 * 264 + 8);
  const auto one = sheet({"--sheet-width", "300"});
  EXPECT_EQ(one.width, 264 + 8);
  EXPECT_EQ(sheet({"--sheet-width", "200"}).width, 200);
  EXPECT_EQ(
      run({"--method", "gradcam,layercam", "--output", "s.png", "--sheet-width", "100"}).status, 2);
  expect_done(run({"--method", "gradcam,layercam", "--output", "a.png", "--sheet-width", "300",
                   "--json", "r.json"}));
  expect_done(scratch_.fovea({"explain", "--replay", "r.json", "--output", "b.png"}));
  EXPECT_EQ(picture("a.png").rgb, picture("b.png").rgb);
}

TEST_F(CaptionedSheets, HaveBarsAndSayWhatShowedNothing) {
  // The photo has no green.
  const auto nothing = result({"--class", "1", "--output", "nothing.png"});
  const auto some = result({"--class", "0", "--output", "some.png", "--feature-map", "map.npy"});
  expect_done(run(
      {"--class", "0", "--class", "1", "--method", "gradcam,layercam", "--output", "sheet.png"}));
  const auto map = cli::read_npy(scratch_ / "map.npy");
  const ColorScale scale{Colormap::jet, 0, *std::max_element(map.data.begin(), map.data.end())};
  const auto text = [&](const json& told, const std::string& target) {
    return kFrom + target + kTo +
           number(", probability %.4f", told["target"]["probability"].get<double>());
  };
  const std::string note = "nothing to show: the map is zero everywhere";
  const auto photo = read_image(scratch_ / "photo.png");
  const auto layercam = result({"--class", "0", "--method", "layercam", "--output", "layercam.png",
                                "--feature-map", "layercam.npy"});
  const auto other = cli::read_npy(scratch_ / "layercam.npy");
  const ColorScale own{Colormap::jet, 0, *std::max_element(other.data.begin(), other.data.end())};
  const auto expected = contact_sheet({{{text(some, "class 0"), photo},
                                        {"gradcam", picture("some.png"), scale},
                                        {"layercam", picture("layercam.png"), own}},
                                       {{text(nothing, "class 1"), photo},
                                        {"gradcam", picture("nothing.png"), {}, note},
                                        {"layercam", picture("nothing.png"), {}, note}}});
  EXPECT_EQ(picture("sheet.png").rgb, expected.rgb);
}

TEST_F(Captions, NeedNoFont) {
  write_file(
      scratch_ / "none.conf",
      "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"fonts.dtd\">\n<fontconfig/>\n");
  const Names command = {"env",       "FONTCONFIG_FILE=" + scratch_ / "none.conf",
                         "fovea",     "explain",
                         "--model",   fixture("colours"),
                         "--image",   "photo.png",
                         "--caption", "--output",
                         "over.png"};
  const auto outcome = run_command(command, scratch_.path());
  expect_done(outcome);
  EXPECT_NE(outcome.err.find("no font is installed"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find("Fontconfig"), std::string::npos) << outcome.err;
  EXPECT_GT(picture("over.png").height, 240);
}

}  // namespace
}  // namespace fovea::cli_test
