// fovea explain of regions and of another image, and sheets made again.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Names = std::vector<std::string>;

class OtherTargets : public testing::Test {
 protected:
  void SetUp() override {
    write_npy(scratch_ / "x.npy", some_colours());
    write_image(scratch_ / "photo.png", red_and_blue(60, 40));
    fs::copy_file(fixture("segments"), scratch_ / "segments.onnx");
    fs::copy_file(fixture("colours"), scratch_ / "net.onnx");
  }

  Outcome run(Names extra) const {
    extra.insert(extra.begin(), "explain");
    return scratch_.fovea(extra);
  }
  json result(Names extra) const {
    extra.insert(extra.end(), {"--json", "-"});
    return json_of(run(std::move(extra)));
  }
  /// Of a tensor, by HiResCAM, whose map here is the class's colour in the region.
  Names over(const std::string& region) const {
    return {"--model",  "segments.onnx", "--input", "x.npy",  "--class",       "1",
            "--region", region,          "--layer", "relu",   "--feature-map", "m.npy",
            "--method", "hirescam",      "--json",  "r.json", "--map",         "a.npy"};
  }
  json written() const { return json::parse(read_file(scratch_ / "r.json")); }
  std::vector<float> values(const std::string& file) const {
    return cli::read_npy(scratch_ / file).data;
  }
  void refused(const Names& arguments, const std::string& words, int status = 2) const {
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.status, status) << words;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << words << " in " << outcome.err;
  }
  Names with(Names arguments, const std::string& option, const std::string& value) const {
    *(std::find(arguments.begin(), arguments.end(), option) + 1) = value;
    return arguments;
  }

  Scratch scratch_;
};

TEST_F(OtherTargets, TheBestScoreAtPositionsIsMadeAgain) {
  expect_done(
      run({"--model", "segments.onnx", "--output-name", "segments", "--input", "x.npy", "--layer",
           "relu", "--method", "hirescam", "--json", "r.json", "--map", "a.npy"}));
  EXPECT_EQ(written()["target"]["class"], -1);  // a position's, which is no class
  EXPECT_EQ(written()["provenance"]["targets"], (json{{{"rank", 0}}}));
  expect_done(run({"--replay", "r.json", "--map", "b.npy"}));
  EXPECT_EQ(values("b.npy"), values("a.npy"));
}

TEST_F(OtherTargets, ScoresAtPositionsAreNoClasses) {
  const Names of_three{"--model", "segments.onnx", "--output-name", "segments", "--input",
                       "x.npy",   "--layer",       "relu",          "--top",    "3"};
  auto one = of_three;
  one.insert(one.end(), {"--json", "r.json"});
  auto outcome = run(one);
  expect_done(outcome);
  EXPECT_EQ(outcome.err.find("class -1"), std::string::npos) << outcome.err;
  const auto warnings = written()["warnings"].dump();
  EXPECT_NE(warnings.find("best score: the scores"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("score 3: the scores"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("the number 3 of all"), std::string::npos) << warnings;

  auto sheet = of_three;
  sheet.insert(sheet.end(), {"--method", "gradcam,hirescam", "--output", "s.png", "--json", "-"});
  outcome = run(sheet);
  expect_done(outcome);
  EXPECT_NE(json_of(outcome)["warnings"].dump().find("gradcam, the best score: the scores"),
            std::string::npos)
      << outcome.out;
}

TEST_F(OtherTargets, ARegionIsOfItsPixelsAlone) {
  expect_done(run(over("4,2,3,5")));
  auto expected = rectified(some_colours(), 0, 1);
  Tensor mask{{kSize, kSize}, std::vector<float>(kPixels)};
  for (std::size_t i = 0; i < kPixels; ++i) {
    const auto x = i % kSize, y = i / kSize;
    mask.data[i] = x >= 4 && x < 7 && y >= 2 && y < 7 ? 1.F : 0.F;
    expected[i] *= mask.data[i];
  }
  expect_near(values("m.npy"), expected, 1e-6);
  EXPECT_NEAR(written()["score"].get<double>(), mean_of(expected) * kPixels, 1e-4);
  EXPECT_EQ(written()["target"]["class"], -1);

  // A mask of the same pixels is the same target; of half the weight half of it.
  const auto whole = values("m.npy");
  write_npy(scratch_ / "mask.npy", mask);
  expect_done(run(over("mask.npy")));
  EXPECT_EQ(values("m.npy"), whole);
  for (auto& v : mask.data) v /= 2;
  write_npy(scratch_ / "mask.npy", mask);
  expect_done(run(over("mask.npy")));
  expect_near(values("m.npy"), divided(whole, 2), 1e-6);
}

TEST_F(OtherTargets, ARegionOfAPhotoIsInThePhotosPixels) {
  const auto score = [&](const std::string& region) {
    return result({"--model", "segments.onnx", "--image", "photo.png", "--layer", "relu", "--class",
                   "0", "--preprocess", R"({"geometry": "stretch"})", "--region", region})["score"]
        .get<double>();
  };
  // 3.75 columns of the photo are one of the scores; what is left of the middle is all red.
  const double four = score("0,0,15,40");
  EXPECT_GT(four, 0);
  EXPECT_NEAR(score("0,0,5,40"), four / 3, 1e-4 * four);  // one column and a third
  EXPECT_NEAR(score("0,10,15,20"), four / 2, 1e-4 * four);
  EXPECT_NEAR(score("45,0,15,40"), 0, 1e-4 * four);  // blue
  // What the network does not see counts for nothing: the middle square is columns 10 to 50.
  const auto square = [&](const std::string& region) {
    return result({"--model", "segments.onnx", "--image", "photo.png", "--layer", "relu", "--class",
                   "0", "--preprocess", R"({"geometry": "center-square"})", "--region", region});
  };
  EXPECT_NEAR(square("0,0,15,40")["score"].get<double>(),
              square("10,0,5,40")["score"].get<double>(), 1e-4 * four);
}

TEST_F(OtherTargets, ARegionSaysWhatIsWrongWithIt) {
  refused({"--model", "segments.onnx", "--input", "x.npy", "--region", "1,1,2,2"}, "--class");
  for (const auto* text : {"1,2,3", "1,2,3,0", "-1,2,3,4", "1,2,3,4,5", "1;2;3;4", "mask.png"})
    refused(over(text), text);
  refused(over("none.npy"), "none.npy", 4);
  refused(over("16,0,4,4"), "sees nothing");
  refused(with(over("1,1,2,2"), "--class", "3"), "class 3 is out of range");
  write_npy(scratch_ / "small.npy", {{2, 3}, std::vector<float>(6, 1.F)});
  refused(over("small.npy"), "2 x 3", 4);
  write_npy(scratch_ / "nan.npy", {{kSize, kSize}, std::vector<float>(kPixels, NAN)});
  refused(over("nan.npy"), "not finite", 4);
  refused({"--model", "net.onnx", "--input", "x.npy", "--class", "0", "--region", "1,1,2,2"},
          "rows, columns");
  refused({"--top", "2", "--region", "1,1,2,2"}, "--top");
  refused({"--model", "segments.onnx", "--input", "x.npy", "--class", "0", "--region", "1,1,2,2",
           "--minus", "1"},
          "--minus");
  write_npy(scratch_ / "mask.npy", {{kSize, kSize}, std::vector<float>(kPixels, 1.F)});
  refused(with(over("mask.npy"), "--map", "mask.npy"), "overwrite");
}

TEST_F(OtherTargets, SimilarityIsTheCosineOfTheOutputs) {
  auto other = some_colours();
  std::rotate(other.data.begin(), other.data.begin() + kPixels, other.data.end());
  write_npy(scratch_ / "y.npy", other);
  const Names common = {"--model", "net.onnx", "--input", "x.npy"};
  const auto like = [&](const std::string& file, Names extra = {}) {
    extra.insert(extra.begin(), common.begin(), common.end());
    extra.insert(extra.end(), {"--similar-to", file, "--similarity", "cosine"});
    return result(extra);
  };
  std::vector<double> a, b;
  for (const std::size_t c : {0, 1, 2}) {
    a.push_back(mean_of(rectified(some_colours(), 0, c)));
    b.push_back(mean_of(rectified(other, 0, c)));
  }
  const auto dot = [](const auto& u, const auto& v) {
    return std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
  };
  const double cosine = dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
  ASSERT_LT(cosine, 0.99);
  EXPECT_NEAR(like("y.npy")["score"].get<double>(), cosine, 1e-5);
  EXPECT_NEAR(like("y.npy", {"--against"})["score"].get<double>(), -cosine, 1e-5);
  EXPECT_NEAR(like("x.npy")["score"].get<double>(), 1, 1e-6);
  EXPECT_EQ(like("y.npy")["target"]["class"], -1);
}

TEST_F(OtherTargets, AnotherPhotoIsPreparedAsTheFirst) {
  write_image(scratch_ / "other.png", red_and_blue(30, 90));
  const auto like = [&](const std::string& file, const std::string& geometry) {
    return result({"--model", "net.onnx", "--image", "photo.png", "--similar-to", file,
                   "--similarity", "cosine", "--preprocess",
                   "{\"geometry\": \"" + geometry + "\"}"})["score"]
        .get<double>();
  };
  EXPECT_NEAR(like("photo.png", "stretch"), 1, 1e-6);
  EXPECT_NEAR(like("other.png", "stretch"), 1, 1e-3);  // half red, half blue, whatever the extents
  Image red{8, 8, {}};
  for (int i = 0; i < 64; ++i) red.rgb.insert(red.rgb.end(), {255, 0, 0});
  write_image(scratch_ / "red.png", red);
  EXPECT_LT(like("red.png", "stretch"), 0.99);
}

TEST_F(OtherTargets, SimilarityAsksForWhatCanBeCompared) {
  const Names common = {"--model", "net.onnx", "--input", "x.npy", "--similar-to"};
  const auto to = [&](const std::string& file, Names extra = {}) {
    extra.insert(extra.begin(), file);
    extra.insert(extra.begin(), common.begin(), common.end());
    return extra;
  };
  refused(to("none.npy"), "none.npy", 4);
  refused(to("photo.png"), ".npy");
  refused(to("x.npy", {"--class", "1"}), "--class");
  refused(to("x.npy", {"--top", "2"}), "--top");
  refused(to("x.npy", {"--score", "probability"}), "--score");
  write_npy(scratch_ / "small.npy", {{1, 3, 2, 2}, std::vector<float>(12)});
  refused(to("small.npy"), "1 x 3 x 2 x 2", 4);
  write_npy(scratch_ / "dark.npy", {{1, 3, kSize, kSize}, std::vector<float>(3 * kPixels)});
  refused(to("dark.npy"), "all zeros");
  refused(to("dark.npy", {"--similarity", "cosine"}), "all zeros");
  write_npy(scratch_ / "two.npy", some_colours(2));
  refused({"--model", "net.onnx", "--input", "two.npy", "--similar-to", "two.npy"}, "one image");
  refused(to("x.npy", {"--map", "x.npy"}), "overwrite");
}

TEST_F(OtherTargets, AreMadeAgain) {
  const auto replayed = [&](const json& target, const std::string& read) {
    EXPECT_EQ(written()["provenance"]["targets"], json::array({target}));
    expect_done(run({"--replay", "r.json", "--map", "b.npy", "--json", "again.json"}));
    EXPECT_EQ(values("a.npy"), values("b.npy"));
    EXPECT_EQ(json::parse(read_file(scratch_ / "again.json"))["provenance"],
              written()["provenance"]);
    if (read.empty()) return;
    auto changed = cli::read_npy(scratch_ / read);
    changed.data[40] += 1;
    write_npy(scratch_ / read, changed);
    refused({"--replay", "r.json", "--map", "c.npy"}, read, 4);
  };
  const auto file = [&](const std::string& name) {
    return json{{"file", name},
                {"sha256", run_command({"sha256sum", name}, scratch_.path()).out.substr(0, 64)}};
  };
  expect_done(run(over("4,2,3,5")));
  replayed({{"class", 1}, {"region", {4, 2, 3, 5}}}, "");
  Tensor mask{{kSize, kSize}, std::vector<float>(kPixels, 0.25F)};
  write_npy(scratch_ / "mask.npy", mask);
  auto against = over("mask.npy");
  against.insert(against.end(), {"--against", "--keep-sign"});
  expect_done(run(against));
  replayed({{"class", 1}, {"region", file("mask.npy")}, {"negated", true}}, "mask.npy");
  auto other = some_colours();
  std::reverse(other.data.begin(), other.data.end());
  write_npy(scratch_ / "y.npy", other);
  expect_done(run({"--model", "net.onnx", "--input", "x.npy", "--similar-to", "y.npy", "--map",
                   "a.npy", "--json", "r.json", "--keep-sign"}));
  replayed({{"similar_to", file("y.npy")}, {"similarity", "dot"}}, "y.npy");
}

TEST_F(OtherTargets, AnyNumberOfTheModelIsATarget) {
  const Names of_place{"--model", "segments.onnx", "--input",
                       "x.npy",   "--target",      "segments[0,1,5,7]-0.5*segments[1,5,8]",
                       "--layer", "relu",          "--feature-map",
                       "m.npy",   "--json",        "r.json",
                       "--map",   "a.npy"};
  auto outcome = run(of_place);
  expect_done(outcome);
  // What is one place is explained where it is.
  EXPECT_NE(outcome.err.find("hirescam in place of gradcam"), std::string::npos) << outcome.err;
  EXPECT_EQ(written()["method"], "hirescam");
  EXPECT_EQ(written()["target"], (json{{"text", "segments[0,1,5,7]-0.5*segments[1,5,8]"}}));
  const auto colours = rectified(some_colours(), 0, 1);
  auto expected = colours;
  for (std::size_t i = 0; i < kPixels; ++i)
    expected[i] *= i == 5 * kSize + 7 ? 1.F : i == 5 * kSize + 8 ? -0.5F : 0.F;
  for (auto& v : expected) v = std::max(v, 0.F);
  expect_near(values("m.npy"), expected, 1e-6);
  EXPECT_NEAR(written()["score"].get<double>(),
              colours[5 * kSize + 7] - 0.5 * colours[5 * kSize + 8], 1e-6);
  expect_done(run({"--replay", "r.json", "--map", "b.npy"}));
  EXPECT_EQ(values("b.npy"), values("a.npy"));

  // A method that was asked for stays; of all of a class nothing is local.
  outcome = run(with(of_place, "--json", "s.json"));
  auto asked = of_place;
  asked.insert(asked.end(), {"--method", "gradcam"});
  expect_done(run(asked));
  EXPECT_EQ(written()["method"], "gradcam");
  expect_done(run(with(of_place, "--target", "mean(segments[0,1,:,:])")));
  EXPECT_EQ(written()["method"], "gradcam");
}

TEST_F(OtherTargets, ShortTextsAreTheOldKinds) {
  const Names common{"--model", "net.onnx", "--image", "photo.png", "--json", "r.json", "--target"};
  for (const auto& [text, kind] :
       {std::pair{"class:2", json{{"class", 2}}}, std::pair{"top:1", json{{"class", 0}}},
        std::pair{"class:2-class:0", json{{"class", 2}, {"minus", 0}}}}) {
    auto arguments = common;
    arguments.emplace_back(text);
    expect_done(run(arguments));
    EXPECT_EQ(written()["provenance"]["targets"], json{kind}) << text;
  }
}

/// What only the outputs need is not asked for.
TEST_F(OtherTargets, AValueInFrontOfEveryOutputIsATarget) {
  fs::copy_file(fixture("two_inputs"), scratch_ / "two.onnx");
  const auto one = result({"--model", "two.onnx", "--image", "photo.png", "--preprocess", "raw",
                           "--target", "features[0,2,3,12]", "--layer", "mix"});
  EXPECT_NEAR(one["score"].get<double>(), 200, 1e-3);  // of the right half's blue
  refused({"--model", "two.onnx", "--image", "photo.png", "--target", "gain[0,0,0,0]",
           "--fixed-input", "gain=2"},
          "this value is a constant");
}

TEST_F(OtherTargets, TextsThatCannotBeAreRefused) {
  const auto of = [](const std::string& text) {
    return Names{"--model", "net.onnx", "--image", "photo.png", "--target", text};
  };
  refused(of("nothing[0]"), "the model has no value of this name");
  refused(of("features[0,1,99,0]"), "out of range");
  refused(of("features[0,1]"), "2 indices are given");
  refused(of("features[0,:,0,0]"), "sum(...) or mean(...)");
  refused(of("features[0,1,"), "cannot be read");
  refused(of("action:2"), "--task");
  refused(of("class:x"), "whole number");
}

TEST_F(OtherTargets, LikenessIsAProductOrACosine) {
  write_image(scratch_ / "other.png", red_and_blue(40, 60));
  const auto score = [&](Names extra) {
    extra.insert(extra.begin(),
                 {"--model", "net.onnx", "--image", "photo.png", "--similar-to", "other.png"});
    return result(extra)["score"].get<double>();
  };
  const auto dot = score({}), cosine = score({"--similarity", "cosine"});
  EXPECT_LE(std::abs(cosine), 1 + 1e-6);
  // Of the image itself: the output's length, and 1.
  EXPECT_NEAR(result({"--model", "net.onnx", "--image", "photo.png", "--similar-to", "photo.png",
                      "--similarity", "cosine"})["score"]
                  .get<double>(),
              1, 1e-5);
  const auto length =
      result({"--model", "net.onnx", "--image", "photo.png", "--similar-to", "photo.png"})["score"]
          .get<double>();
  EXPECT_NEAR(dot, cosine * length, 1e-4 * length);
}

class Sheets : public OtherTargets {
 protected:
  /// All but the times and what the files are called.
  static json told(json document) {
    document.erase("timings_ms");
    for (auto& row : document["explanations"]) row.erase("timings_ms");
    return document;
  }
  void expect_made_again(Names arguments) const {
    arguments.insert(arguments.end(), {"--output", "s.png", "--json", "r.json"});
    expect_done(run(arguments));
    for (const auto* from : {"r.json", "s.png"}) {
      expect_done(run({"--replay", from, "--output", "again.png", "--json", "again.json"}));
      EXPECT_EQ(read_image(scratch_ / "again.png").rgb, read_image(scratch_ / "s.png").rgb);
      EXPECT_EQ(told(json::parse(read_file(scratch_ / "again.json"))), told(written())) << from;
    }
  }
};

TEST_F(Sheets, AreMadeAgain) {
  const Names common = {"--model",      "net.onnx", "--image", "photo.png",
                        "--preprocess", "raw",      "--class", "2"};
  for (const auto& way : std::vector<Names>{
           {"--method", "gradcam,saliency"},
           {"--method", "gradcam,lrp,rise", "--option", "masks=5"},  // lrp of the input
           {"--method", "smoothgrad,smooth-gradcam++,integrated-gradients", "--option", "steps=3",
            "--option", "seed=7"},
           {"--method", "gradcam,layercam", "--layer", "relu", "--layer", "mix", "--keep-sign",
            "--normalize", "minmax", "--colormap", "viridis", "--alpha", "0.2", "--class", "0"},
           {"--method", "saliency,gradient-x-input", "--against", "--score", "probability"}}) {
    auto arguments = common;
    arguments.insert(arguments.end(), way.begin(), way.end());
    SCOPED_TRACE(way[1]);
    expect_made_again(arguments);
  }
  // Each method has its own number of samples, and what was asked for is asked for again.
  const auto methods = written()["provenance"]["methods"];
  EXPECT_EQ(methods.size(), 2U);
  EXPECT_EQ(written()["provenance"]["targets"],
            (json{{{"class", 2}, {"probability", true}, {"negated", true}}}));
}

TEST_F(Sheets, RanksAreTheClassesThatCameOut) {
  expect_made_again(
      {"--model", "net.onnx", "--input", "x.npy", "--method", "gradcam,saliency", "--top", "2"});
  EXPECT_EQ(written()["provenance"]["targets"], (json{{{"class", 2}}, {{"class", 1}}}));
}

TEST_F(Sheets, AreOfOneImage) {
  Tensor two{{2, 3, 16, 16}, std::vector<float>(2 * 3 * 256, 0.5f)};
  write_npy(scratch_ / "two.npy", two);
  const auto outcome = run({"--model", "net.onnx", "--input", "two.npy", "--method",
                            "gradcam,saliency", "--output", "s.png"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("of one image: the input holds 2"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "s.png"));
}

TEST_F(Sheets, MayBeOfARegion) {
  expect_made_again({"--model", "segments.onnx", "--image", "photo.png", "--method",
                     "hirescam,gradient-x-input", "--class", "0", "--region", "5,5,20,20",
                     "--layer", "relu"});
}

TEST_F(Sheets, MayBeOfAllMethods) {
  expect_done(run({"--model", "net.onnx", "--image", "photo.png", "--method", "all", "--output",
                   "s.png", "--json", "r.json"}));
  expect_done(run({"--replay", "r.json", "--output", "again.png"}));
  EXPECT_EQ(read_image(scratch_ / "again.png").rgb, read_image(scratch_ / "s.png").rgb);
}

TEST_F(Sheets, OfOtherFilesAreRefused) {
  expect_done(run({"--model", "net.onnx", "--image", "photo.png", "--method", "gradcam,saliency",
                   "--output", "s.png"}));
  write_image(scratch_ / "photo.png", red_and_blue(60, 41));
  refused({"--replay", "s.png", "--output", "again.png"}, "not the image", 4);
  write_image(scratch_ / "photo.png", red_and_blue(60, 40));
  refused({"--replay", "s.png", "--output", "a.png", "--map", "m.npy"}, "of one method");
  refused({"--replay", "s.png"}, "--output");
}

}  // namespace
}  // namespace fovea::cli_test
