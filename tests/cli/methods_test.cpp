// fovea explain with methods, their options, other targets, several layers, and sheets.
#include <algorithm>
#include <fstream>

#include "colours.hpp"
#include "fovea/method.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

class HowToExplain : public testing::Test {
 protected:
  void SetUp() override { write_image(scratch_ / "photo.png", red_and_blue(60, 40)); }

  Outcome run(Names extra) const {
    extra.insert(extra.begin(), {"explain", "--model", fixture("colours"), "--image", "photo.png",
                                 "--preprocess", R"({"geometry": "stretch"})"});
    return scratch_.fovea(extra);
  }
  json result(Names extra) const {
    extra.insert(extra.end(), {"--json", "-"});
    return json_of(run(std::move(extra)));
  }

  Scratch scratch_;
};

TEST_F(HowToExplain, TakesOptionsByName) {
  const auto few = result({"--method", "integrated-gradients", "--option", "steps=1", "--option",
                           "rule=1", "--map", "few.npy"});
  EXPECT_EQ(few["method"], "integrated-gradients");
  EXPECT_EQ(few["provenance"]["options"]["steps"], 1);
  // One right end point is gradient x input.
  result({"--method", "gradient-x-input", "--map", "other.npy"});
  EXPECT_EQ(cli::read_npy(scratch_ / "few.npy").data, cli::read_npy(scratch_ / "other.npy").data);
}

TEST_F(HowToExplain, RefusesOptionsThatAreNone) {
  for (const auto& [option, sentence] :
       {std::pair{"stps=3", "no option 'stps'"}, std::pair{"steps", "takes NAME=VALUE"},
        std::pair{"steps=x", "is not a number"}, std::pair{"steps=0", "between 1 and"}}) {
    const auto outcome = run({"--method", "integrated-gradients", "--option", option});
    EXPECT_EQ(outcome.status, 2) << option;
    EXPECT_NE(outcome.err.find(sentence), std::string::npos) << outcome.err;
  }
}

TEST_F(HowToExplain, RefusesAnOptionThatIsGivenTwice) {
  const auto outcome = run(
      {"--method", "rise", "--option", "masks=3", "--option", "cells=4", "--option", "masks=3"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("--option masks is given twice"), std::string::npos) << outcome.err;
}

TEST_F(HowToExplain, TakesWhatIsGivenFromAFile) {
  const auto grid = result({"--method", "random-cam"})["map"]["grid"];
  const auto layer = result({"--method", "random-cam", "--feature-map", "a.npy"})["layer"];
  (void)grid;
  (void)layer;
  const auto outcome = run({"--method", "random-cam", "--given", "weights=a.npy"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("must have the extents"), std::string::npos) << outcome.err;
  EXPECT_NE(run({"--given", "weights=a.npy"}).err.find("takes no tensor"), std::string::npos);
}

TEST_F(HowToExplain, ExplainsProbabilitiesDifferencesAndWhatSpeaksAgainst) {
  const auto plain = result({"--class", "0"});
  const auto minus = result({"--class", "0", "--minus", "2"});
  const auto other = result({"--class", "2"});
  EXPECT_NEAR(minus["score"].get<double>(),
              plain["score"].get<double>() - other["score"].get<double>(), 1e-4);
  EXPECT_EQ(minus["target"]["class"], -1);
  const auto sure = result({"--class", "0", "--score", "probability"});
  EXPECT_NEAR(sure["score"].get<double>(), sure["target"]["probability"].get<double>(), 1e-6);
  EXPECT_EQ(result({"--class", "0", "--against"})["score"].get<double>(),
            -plain["score"].get<double>());
  const auto outcome = run({"--minus", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("--class or --label"), std::string::npos) << outcome.err;
  EXPECT_NE(run({"--class", "0", "--minus", "99"}).err.find("class 99 is out of range"),
            std::string::npos);
}

TEST_F(HowToExplain, DefaultsAreTheMethods) {
  const auto explained = [&](Names how) {
    how.insert(how.end(), {"--class", "0"});
    const auto out = result(how);
    const auto& targets = out["provenance"]["targets"];
    EXPECT_EQ(targets[0].contains("probability"),
              out["score"].get<double>() == out["target"]["probability"].get<double>());
    return targets[0].contains("probability") ? "probability" : "logit";
  };
  const Names rise = {"--method", "rise", "--option", "masks=3"};
  const auto with = [&](const Names& more) {
    Names out = rise;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  EXPECT_EQ(result(rise)["normalize"], "minmax");
  EXPECT_EQ(result(with({"--normalize", "none"}))["normalize"], "none");
  EXPECT_EQ(result({"--method", "saliency"})["normalize"], "max");
  EXPECT_EQ(explained({"--method", "saliency"}), std::string("logit"));
  EXPECT_EQ(explained(rise), std::string("probability"));
  EXPECT_EQ(explained(with({"--score", "logit"})), std::string("logit"));
  EXPECT_EQ(result(with({"--class", "0", "--minus", "2"}))["target"]["class"], -1);
  // In a sheet each method has its own.
  const auto run_sheet = [&](const Names& more) {
    Names how = {"--method", "saliency,rise", "--option", "masks=3", "--class", "0"};
    how.insert(how.end(), more.begin(), more.end());
    std::vector<bool> out;
    const auto sheet = result(how);
    EXPECT_TRUE(sheet["provenance"]["normalize"].is_null());
    for (const auto& row : sheet["explanations"])
      out.push_back(row["score"] == row["target"]["probability"]);
    return out;
  };
  EXPECT_EQ(run_sheet({}), (std::vector<bool>{false, true}));
  EXPECT_EQ(run_sheet({"--score", "logit"}), (std::vector<bool>{false, false}));
  EXPECT_EQ(run_sheet({"--score", "probability"}), (std::vector<bool>{true, true}));
}

TEST_F(HowToExplain, KeepsTheSign) {
  result({"--class", "0", "--minus", "2", "--keep-sign", "--map", "m.npy", "--heatmap", "h.png",
          "--rendering", "signed"});
  const auto map = cli::read_npy(scratch_ / "m.npy").data;
  const auto [low, high] = std::minmax_element(map.begin(), map.end());
  EXPECT_LT(*low, 0);
  EXPECT_LE(*low, *high);
  EXPECT_GE(*low, -1);
  EXPECT_LE(*high, 1);
  // Red is for class 0, blue against it.
  const auto picture = read_image(scratch_ / "h.png");
  const auto left = picture.rgb.begin() + 3 * (picture.height / 2 * picture.width + 2);
  const auto right = left + 3 * (picture.width - 5);
  EXPECT_GT(left[0], left[2]);
  EXPECT_GT(right[2], right[0]);
}

TEST_F(HowToExplain, DrawsAttributions) {
  const auto color =
      run({"--method", "guided-backprop", "--heatmap", "c.png", "--rendering", "color"});
  expect_done(color);
  EXPECT_GT(read_image(scratch_ / "c.png").width, 0);
  const auto wrong = run({"--heatmap", "d.png", "--rendering", "color"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_NE(wrong.err.find("explains the input"), std::string::npos) << wrong.err;
}

TEST_F(HowToExplain, SmoothsAndReplaysIt) {
  expect_done(run({"--smooth", "--map", "a.npy", "--json", "r.json"}));
  expect_done(scratch_.fovea({"explain", "--replay", "r.json", "--map", "b.npy"}));
  const auto a = cli::read_npy(scratch_ / "a.npy").data;
  EXPECT_EQ(a, cli::read_npy(scratch_ / "b.npy").data);
  expect_done(run({"--map", "plain.npy"}));
  EXPECT_NE(a, cli::read_npy(scratch_ / "plain.npy").data);
}

TEST_F(HowToExplain, ReplaysTargetsAndOptions) {
  expect_done(run({"--class", "0", "--minus", "2", "--keep-sign", "--method", "layercam", "--map",
                   "a.npy", "--json", "r.json"}));
  expect_done(scratch_.fovea({"explain", "--replay", "r.json", "--map", "b.npy"}));
  EXPECT_EQ(cli::read_npy(scratch_ / "a.npy").data, cli::read_npy(scratch_ / "b.npy").data);
}

TEST_F(HowToExplain, SeveralMethodsMakeASheet) {
  const auto one = run({"--method", "gradcam,saliency", "--class", "0", "--class", "2", "--output",
                        "sheet.png", "--json", "sheet.json"});
  expect_done(one);
  const auto sheet = read_image(scratch_ / "sheet.png");
  EXPECT_GT(sheet.width, 3 * 60);
  EXPECT_GT(sheet.height, 2 * 40);
  std::ifstream file(scratch_ / "sheet.json");
  const auto document = json::parse(file);
  EXPECT_EQ(document["provenance"]["methods"][1]["method"], "saliency");
  EXPECT_EQ(document["provenance"]["targets"].size(), 2U);
  const auto& rows = document["explanations"];
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0]["method"], "gradcam");
  EXPECT_EQ(rows[1]["method"], "saliency");
  EXPECT_EQ(rows[0]["target"]["class"], 0);
  EXPECT_EQ(rows[3]["target"]["class"], 2);
}

TEST_F(HowToExplain, AllMethodsButTheDearOnes) {
  const auto outcome = run({"--method", "all", "--output", "all.png", "--json", "-"});
  expect_done(outcome);
  const auto result = json::parse(outcome.out);
  std::size_t expected = 0;
  for (const auto& info : methods()) {
    const bool needs_tensor = std::any_of(info.given.begin(), info.given.end(),
                                          [](const auto& tensor) { return tensor.required; });
    expected += !info.expensive && !needs_tensor;
  }
  const auto left_out =
      std::count_if(result["warnings"].begin(), result["warnings"].end(), [](const json& warning) {
        return warning.get<std::string>().find(" is left out: ") != std::string::npos;
      });
  EXPECT_EQ(result["explanations"].size() + static_cast<std::size_t>(left_out), expected)
      << result["warnings"];
  EXPECT_GT(read_image(scratch_ / "all.png").height, 4 * 40);  // several lines
}

TEST_F(HowToExplain, ASheetHasNoOtherFiles) {
  for (const auto& extra : {Names{}, Names{"--output", "s.png", "--heatmap", "h.png"},
                            Names{"--output", "s.png", "--map", "m.npy"}}) {
    auto names = extra;
    names.insert(names.end(), {"--method", "gradcam,layercam"});
    EXPECT_EQ(run(names).status, 2);
    EXPECT_FALSE(std::filesystem::exists(scratch_ / "s.png"));
  }
  const auto unknown = run({"--method", "gradcam,grad-cam", "--output", "s.png"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("no method 'grad-cam'"), std::string::npos) << unknown.err;
}

}  // namespace
}  // namespace fovea::cli_test
