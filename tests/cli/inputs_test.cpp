#include <algorithm>
#include <cmath>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

using cli::read_npy;

std::vector<float> logits_of(const Scratch& scratch, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--logits", "logits.npy"});
  arguments.insert(arguments.begin(), "predict");
  expect_done(scratch.fovea(arguments));
  return read_npy(scratch / "logits.npy").data;
}

std::vector<float> means_of(const Tensor& input) {
  std::vector<float> out;
  for (std::size_t colour = 0; colour < 3; ++colour)
    out.push_back(static_cast<float>(mean_of(rectified(input, 0, colour))));
  return out;
}

TEST(Inputs, APhotoAndItsTensorGiveTheSame) {
  const Scratch scratch;
  const auto photo = red_and_blue(53, 37);
  write_image(scratch / "photo.png", photo);
  const auto by_photo = logits_of(
      scratch, {"--model", fixture("colours"), "--image", "photo.png", "--preprocess", "imagenet"});
  write_npy(scratch / "x.npy", preprocess(photo, Preprocess::imagenet(), 3, kSize, kSize));
  EXPECT_EQ(by_photo, logits_of(scratch, {"--model", fixture("colours"), "--input", "x.npy"}));
}

TEST(Inputs, ImagenetIsTheDefaultRecipe) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(53, 37));
  EXPECT_EQ(logits_of(scratch, {"--model", fixture("colours"), "--image", "photo.png"}),
            logits_of(scratch, {"--model", fixture("colours"), "--image", "photo.png",
                                "--preprocess", "imagenet"}));
}

TEST(Inputs, ARecipeMayLieInAFile) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  write_file(scratch / "recipe.json", R"({"geometry": "stretch"})");
  const auto logits = logits_of(scratch, {"--model", fixture("colours"), "--image", "photo.png",
                                          "--preprocess", "recipe.json"});
  expect_near(logits, {0.5F, 0.0F, 0.5F * 200 / 255}, 1e-6);
}

TEST(Inputs, ChannelsMayComeLast) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  expect_near(logits_of(scratch, {"--model", fixture("nhwc"), "--image", "photo.png",
                                  "--preprocess", R"({"geometry": "stretch"})"}),
              {0.5F, 0.0F, 0.5F * 200 / 255}, 1e-6);
}

TEST(Inputs, OneChannelIsGrey) {
  const Scratch scratch;
  Image white{kSize, kSize, std::vector<std::uint8_t>(3 * kPixels, 255)};
  write_image(scratch / "white.png", white);
  expect_near(logits_of(scratch, {"--model", fixture("grey"), "--image", "white.png",
                                  "--preprocess", "raw"}),
              {255}, 1e-3);
  expect_near(logits_of(scratch, {"--model", fixture("grey"), "--image", "white.png"}),
              {static_cast<float>((1 - 0.449) / 0.226)}, 1e-5);
}

TEST(Inputs, OpenExtentsAreBound) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(20, 12));
  const std::vector<float> expected = {0.5F, 0.0F, 0.5F * 200 / 255};
  for (const std::vector<std::string>& extra :
       {std::vector<std::string>{"--input-shape", "data=1,3,12,20", "--preprocess",
                                 R"({"geometry": "stretch"})"},
        std::vector<std::string>{"--preprocess",
                                 R"({"geometry": "stretch", "width": 20, "height": 12})"}}) {
    auto arguments = extra;
    arguments.insert(arguments.end(), {"--model", fixture("open_extents"), "--image", "photo.png"});
    expect_near(logits_of(scratch, arguments), expected, 1e-6);
  }
  write_npy(scratch / "x.npy", some_colours());
  expect_near(logits_of(scratch, {"--model", fixture("open_extents"), "--input", "x.npy"}),
              means_of(some_colours()), 1e-6);
}

TEST(Inputs, SeveralAreGivenByName) {
  const Scratch scratch;
  const auto photo = some_colours();
  write_npy(scratch / "photo.npy", photo);
  write_npy(scratch / "gain=2.npy", {{1, 3, 1, 1}, {2, 3, 4}});
  auto expected = means_of(photo);
  for (std::size_t i = 0; i < 3; ++i) expected[i] *= static_cast<float>(i + 2);
  const std::vector<std::string> common = {
      "--model", fixture("two_inputs"), "--input", "photo=photo.npy", "--input", "gain=gain=2.npy"};
  expect_near(logits_of(scratch, common), expected, 1e-5);
  auto turned = common;
  turned.insert(turned.end(), {"--output-name", "reversed"});
  expect_near(logits_of(scratch, turned), {expected[2], expected[1], expected[0]}, 1e-5);
}

TEST(Inputs, APhotoMayComeWithATensor) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  write_npy(scratch / "gain.npy", {{1, 3, 1, 1}, {2, 1, 1}});
  expect_near(
      logits_of(scratch, {"--model", fixture("two_inputs"), "--image", "photo.png", "--input",
                          "gain=gain.npy", "--preprocess", R"({"geometry": "stretch"})"}),
      {1.0F, 0.0F, 0.5F * 200 / 255}, 1e-6);
}

TEST(Inputs, TheModelSpeaksForItself) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  const auto json = json_of(scratch.fovea(
      {"predict", "--model", fixture("labelled"), "--image", "photo.png", "--json", "-"}));
  const auto& best = json["predictions"][0];
  EXPECT_EQ(best["label"], "crimson");
  EXPECT_NEAR(best["logit"].get<double>(), 0.5, 1e-6);
  EXPECT_NEAR(best["probability"].get<double>(), 1 / (1 + std::exp(-0.5)), 1e-6);
  EXPECT_EQ(json["preprocess"]["geometry"], "stretch");
}

TEST(Inputs, TheCommandLineSpeaksLouder) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  write_file(scratch / "labels.txt", "n00000001 red\nn00000002 green\n");
  const auto json = json_of(scratch.fovea({"predict", "--model", fixture("labelled"), "--image",
                                           "photo.png", "--labels", "labels.txt", "--preprocess",
                                           R"({"geometry": "stretch", "scale": 1})", "--json"}));
  EXPECT_EQ(json["predictions"][0]["label"], "red");
  EXPECT_NEAR(json["predictions"][0]["logit"].get<double>(), 127.5, 1e-4);
  EXPECT_TRUE(json["predictions"][1]["label"].is_null());  // the third class has no label
  ASSERT_EQ(json["warnings"].size(), 1U);
  EXPECT_NE(json["warnings"][0].get<std::string>().find("2 labels for 3"), std::string::npos);
}

TEST(Inputs, MultiLabelIsSigmoid) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  for (const bool multi : {false, true}) {
    std::vector<std::string> arguments = {
        "predict",   "--model", fixture("colours"), "--image",
        "photo.png", "--json",  "--preprocess",     R"({"geometry": "stretch"})"};
    if (multi) arguments.push_back("--multi-label");
    const auto json = json_of(scratch.fovea(arguments));
    double sum = 0;
    for (const auto& row : json["predictions"]) {
      const auto logit = row["logit"].get<double>();
      const auto probability = row["probability"].get<double>();
      if (multi) {
        EXPECT_NEAR(probability, 1 / (1 + std::exp(-logit)), 1e-6);
      }
      sum += probability;
    }
    if (!multi) {
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST(Inputs, ALabelChoosesTheClass) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(kSize, kSize));
  for (const std::string label : {"azure", "AZ"}) {
    const auto json = json_of(scratch.fovea({"explain", "--model", fixture("labelled"), "--image",
                                             "photo.png", "--label", label, "--json"}));
    EXPECT_EQ(json["target"]["class"], 2);
  }
}

/// Of two pictures the photo is explained, whichever input takes it; of two tensors the first.
TEST(TwoImages, AreNotMixedUp) {
  const Scratch scratch;
  // Red at the upper left, red at the lower right.
  Image query{kSize, kSize, std::vector<std::uint8_t>(3 * kPixels)}, candidate = query;
  query.rgb[3 * (2 * kSize + 3)] = 255;
  candidate.rgb[3 * (13 * kSize + 12)] = 255;
  const auto tensor = [](const Image& image) {
    Tensor out{{1, 3, kSize, kSize}, {}};
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < kPixels; ++i)
        out.data.push_back(static_cast<float>(image.rgb[3 * i + c]));
    return out;
  };
  write_image(scratch / "query.png", query);
  write_image(scratch / "candidate.png", candidate);
  write_npy(scratch / "query.npy", tensor(query));
  write_npy(scratch / "candidate.npy", tensor(candidate));
  const std::vector<int> first{2, 3}, second{13, 12};
  struct Case {
    std::vector<std::string> given;
    const char* layer;
    std::vector<int> at;
  };
  for (const auto& [given, layer, at] :
       {Case{{"--image", "query.png", "--input", "candidate=candidate.npy"}, "query_map", first},
        Case{{"--image", "candidate.png", "--input", "query=query.npy"}, "candidate_map", second},
        Case{{"--input", "query=query.npy", "--input", "candidate=candidate.npy"},
             "query_map",
             first}}) {
    double score = 0;
    for (const auto* method : {"gradcam", "gradient-x-input"}) {
      std::vector<std::string> arguments{"explain", "--model", fixture("two_images"),
                                         "--class", "0",       "--method",
                                         method,    "--json",  "-"};
      arguments.insert(arguments.end(), given.begin(), given.end());
      if (given.front() == "--image") arguments.insert(arguments.end(), {"--preprocess", "raw"});
      const auto outcome = scratch.fovea(arguments);
      expect_done(outcome);
      const auto told = nlohmann::json::parse(outcome.out);
      EXPECT_EQ(told["map"]["max_at"].get<std::vector<int>>(), at) << method << " " << layer;
      if (method == std::string("gradcam")) {
        EXPECT_EQ(told["layer"], layer);
        score = told["score"].get<double>();
      } else {
        EXPECT_NEAR(told["score"].get<double>(), score, 1e-5);
      }
    }
    EXPECT_NEAR(score, 2 * 255. / kPixels, 1e-4) << "both are seen";
  }
  // A layer of the other picture is no overlay of the photo.
  for (const auto* layer : {"query_map", "candidate_map"}) {
    const auto outcome =
        scratch.fovea({"explain", "--model", fixture("two_images"), "--image", "query.png",
                       "--input", "candidate=candidate.npy", "--preprocess", "raw", "--class", "0",
                       "--layer", layer, "--json", "-"});
    expect_done(outcome);
    const auto warnings = nlohmann::json::parse(outcome.out)["warnings"].dump();
    EXPECT_EQ(warnings.find("but of 'candidate': its map is about that") != std::string::npos,
              layer == std::string("candidate_map"))
        << warnings;
  }
  // The photo is the first of several, whose other image stays.
  const auto several = scratch.fovea({"explain", "--model", fixture("two_images"), "query.png",
                                      "candidate.png", "--input", "query=query.npy", "--preprocess",
                                      "raw", "--class", "0", "--map", "map-{}.npy"});
  expect_done(several);
  const auto peak = [&](const char* file) {
    const auto map = cli::read_npy(scratch / file).data;
    return std::max_element(map.begin(), map.end()) - map.begin();
  };
  EXPECT_EQ(peak("map-query.npy"), 2 * kSize + 3);
  EXPECT_EQ(peak("map-candidate.npy"), 13 * kSize + 12);
}

}  // namespace
}  // namespace fovea::cli_test
