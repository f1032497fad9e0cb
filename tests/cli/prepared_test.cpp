// How a photo was prepared: what is assumed, what is told of it, and what is warned of.
#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

class Prepared : public testing::Test {
 protected:
  void SetUp() override {
    Image grey{16, 16, {}};
    for (int i = 0; i < 256; ++i) grey.rgb.insert(grey.rgb.end(), {124, 116, 104});
    write_image(scratch_ / "grey.png", grey);
    write_image(scratch_ / "photo.png", red_and_blue(32, 32));
  }

  Outcome predict(const std::string& model, const std::string& image, const Names& extra) const {
    Names arguments = {"predict", "--model", model, "--image", image};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    return scratch_.fovea(arguments);
  }
  std::string warnings(const std::string& model, const std::string& image, Names extra = {}) const {
    extra.insert(extra.end(), {"--json", "-"});
    return json_of(predict(model, image, extra))["warnings"].dump();
  }

  static std::string reported(const std::string& name) {
    return FOVEA_SOURCE_DIR "/tests/cli/fixtures/uint8/" + name;
  }

  Scratch scratch_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A model with its preprocessing inside, as it was reported; ONNX Runtime's scores of the pixels.
TEST_F(Prepared, AnInputOfIntegersGetsThePixelsAsTheyAre) {
  const auto model = reported("model.onnx"), photo = reported("photo.png");
  const auto result = json_of(predict(model, photo, {"--logits", "l.npy", "--json", "-"}));
  EXPECT_EQ(result["preprocess"]["scale"], 1.0);
  const auto expected = json::parse(read_file(reported("expected.json")));
  expect_near(cli::read_npy(scratch_ / "l.npy").data,
              expected["onnxruntime_on_the_photos_pixels"].get<std::vector<float>>(), 1e-4);
  EXPECT_TRUE(has(predict(model, photo, {}).out, "raw (assumed;"));
  EXPECT_EQ(warnings(model, photo), "[]");
  EXPECT_TRUE(has(warnings(model, photo, {"--preprocess", "imagenet"}), "fractions"));
}

TEST_F(Prepared, TheTextNamesTheRecipeAndWhoSaidIt) {
  const auto model = fixture("colours");
  EXPECT_TRUE(has(predict(model, "photo.png", {}).out, "imagenet (assumed;"));
  EXPECT_TRUE(
      has(predict(model, "photo.png", {"--preprocess", "imagenet"}).out, "preprocess  imagenet\n"));
  const auto told = predict(
      model, "photo.png", {"--preprocess", R"({"geometry": "stretch", "mean": 0.5, "std": 0.25})"});
  EXPECT_TRUE(has(told.out,
                  "RGB * 0.003922, mean 0.5 0.5 0.5, std 0.25 0.25 0.25, stretch, "
                  "bilinear-antialias\n"))
      << told.out;
  EXPECT_TRUE(has(predict(fixture("labelled"), "photo.png", {}).out, "(the model's own)"));
  const auto explained =
      scratch_.fovea({"explain", "--model", model, "--image", "photo.png", "--output", "o.png"});
  EXPECT_TRUE(has(explained.out, "preprocess   imagenet (assumed;")) << explained.out;
}

TEST_F(Prepared, NumbersOfTwoScalesAreWarnedOf) {
  const auto model = fixture("colours");
  EXPECT_TRUE(has(warnings(model, "photo.png", {"--preprocess", R"({"mean": [124, 116, 104]})"}),
                  "mean is larger"));
  EXPECT_TRUE(
      has(warnings(model, "photo.png", {"--preprocess", R"({"std": 58.4})"}), "std is larger"));
  EXPECT_EQ(warnings(model, "photo.png", {"--preprocess", "caffe"}), "[]");
  EXPECT_EQ(warnings(model, "photo.png", {"--preprocess", R"({"mean": 1, "std": 1})"}), "[]");
}

TEST_F(Prepared, ScoresThatPreferNothingUnderAnAssumedRecipeAreWarnedOf) {
  const auto model = fixture("colours");
  EXPECT_TRUE(has(warnings(model, "grey.png"), "assumed"));
  EXPECT_EQ(warnings(model, "grey.png", {"--preprocess", "imagenet"}), "[]");
  EXPECT_EQ(warnings(model, "photo.png"), "[]");
}

}  // namespace
}  // namespace fovea::cli_test
