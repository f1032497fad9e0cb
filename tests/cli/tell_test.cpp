// What the program says: JSON's fields, the text for a person, the helping subcommands.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

using nlohmann::json;

void expect_row(const json& row) {
  EXPECT_TRUE(row["class"].is_number_integer()) << row;
  EXPECT_TRUE(row["label"].is_string() || row["label"].is_null()) << row;
  EXPECT_TRUE(row["logit"].is_number()) << row;
  EXPECT_TRUE(row["probability"].is_number()) << row;
  EXPECT_EQ(row.size(), 4U) << row;
}

void expect_run(const json& result) {
  EXPECT_TRUE(result["model"].is_string());
  EXPECT_EQ(result["precision"], "f32");
  EXPECT_GE(result["threads"].get<int>(), 1);
  EXPECT_TRUE(result["warnings"].is_array());
  ASSERT_FALSE(result["predictions"].empty());
  for (const auto& row : result["predictions"]) expect_row(row);
  for (std::size_t i = 1; i < result["predictions"].size(); ++i)
    EXPECT_LE(result["predictions"][i]["logit"], result["predictions"][i - 1]["logit"]);
  std::vector<std::string> stages;
  for (const auto& [stage, value] : result["timings_ms"].items()) {
    stages.push_back(stage);
    EXPECT_GE(value.get<double>(), 0) << stage;
  }
  std::sort(stages.begin(), stages.end());
  EXPECT_EQ(stages, (std::vector<std::string>{"backward", "create", "decode", "encode", "forward",
                                              "load", "map", "preprocess", "render"}));
  for (const auto* stage : {"load", "create", "decode", "preprocess", "forward"})
    EXPECT_GT(result["timings_ms"][stage].get<double>(), 0) << stage;
}

class Tell : public testing::Test {
 protected:
  void SetUp() override { write_image(scratch_ / "photo.png", red_and_blue(40, 24)); }

  Scratch scratch_;
  std::vector<std::string> labelled_ = {"--model", fixture("labelled"), "--image", "photo.png"};

  Outcome run(const std::string& command, std::vector<std::string> extra) const {
    extra.insert(extra.begin(), labelled_.begin(), labelled_.end());
    extra.insert(extra.begin(), command);
    return scratch_.fovea(extra);
  }
};

TEST_F(Tell, ShortCallsSleepWhileTheyWaitAndLongOnesAdapt) {
  const auto waiting = [&](std::vector<std::string> arguments) {
    const std::vector<std::string> program = {
        "env", "-u", "OMP_WAIT_POLICY", "-u", "GOMP_SPINCOUNT", "fovea"};
    arguments.insert(arguments.begin(), program.begin(), program.end());
    arguments.insert(arguments.end(), labelled_.begin(), labelled_.end());
    arguments.insert(arguments.end(), {"--json", "-"});
    return json_of(run_command(arguments, scratch_.path()))["waiting"].get<std::string>();
  };
  EXPECT_EQ(waiting({"predict"}), "sleep");
  EXPECT_EQ(waiting({"explain"}), "sleep");
  EXPECT_EQ(waiting({"explain", "--method", "rise", "--option", "masks=4"}), "adaptive");
  EXPECT_EQ(json_of(run_command({"env", "OMP_WAIT_POLICY=passive", "fovea", "predict", "--model",
                                 fixture("labelled"), "--image", "photo.png", "--json", "-"},
                                scratch_.path()))["waiting"],
            "environment");
}

TEST_F(Tell, ExplainFillsEveryField) {
  const auto result = json_of(run("explain", {"--output", "o.png", "--json", "-"}));
  expect_run(result);
  EXPECT_EQ(result["method"], "gradcam");
  EXPECT_EQ(result["layer"], "features");
  EXPECT_EQ(result["normalize"], "max");
  EXPECT_EQ(result["image"], "photo.png");
  expect_row(result["target"]);
  EXPECT_EQ(result["target"], result["predictions"][0]);
  EXPECT_EQ(result["map"]["shape"], (Shape{24, 40}));
  EXPECT_EQ(result["map"]["grid"], (Shape{16, 16}));
  ASSERT_EQ(result["map"]["max_at"].size(), 2U);
  EXPECT_LT(result["map"]["max_at"][1].get<int>(), 20);  // red is on the left
  EXPECT_GT(result["timings_ms"]["render"].get<double>(), 0);
  EXPECT_GT(result["timings_ms"]["encode"].get<double>(), 0);
  ASSERT_EQ(result["images"].size(), 1U);
  EXPECT_EQ(result["images"][0]["predictions"], result["predictions"]);
  ASSERT_EQ(result["images"][0]["explanations"].size(), 1U);
  EXPECT_EQ(result["images"][0]["explanations"][0]["map"], result["map"]);
  EXPECT_TRUE(result["warnings"].empty());
}

TEST_F(Tell, PredictFillsItsFields) {
  const auto result = json_of(run("predict", {"--top", "2", "--json", "-"}));
  expect_run(result);
  EXPECT_EQ(result["predictions"].size(), 2U);
  EXPECT_EQ(json_of(run("predict", {"--top", "99", "--json", "-"}))["predictions"].size(), 3U);
}

TEST_F(Tell, JsonInAFileIsJsonOnTheScreen) {
  auto on_screen = json_of(run("predict", {"--json", "-"}));
  const auto outcome = run("predict", {"--json", "out.json"});
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("crimson"), std::string::npos) << "the text is still there";
  auto in_file = json::parse(read_file(scratch_ / "out.json"));
  on_screen.erase("timings_ms");
  in_file.erase("timings_ms");
  EXPECT_EQ(in_file, on_screen);
}

TEST_F(Tell, LabelsThatAreNotUtf8StayJson) {
  write_file(scratch_ / "labels.txt", "caf\xE9\ngreen\nblue\n");
  const auto result = json_of(run("predict", {"--labels", "labels.txt", "--json"}));
  EXPECT_EQ(result["predictions"][0]["label"], "caf\xEF\xBF\xBD");
}

TEST_F(Tell, APersonReadsWhatMatters) {
  const auto outcome = run("explain", {"--output", "o.png"});
  expect_done(outcome);
  EXPECT_EQ(outcome.err, "");
  for (const auto* text : {"crimson (class 0)", "0.6225", "gradcam", "features", "16 x 16",
                           "24 x 40", "forward", "wrote        o.png"})
    EXPECT_NE(outcome.out.find(text), std::string::npos) << text << " in\n" << outcome.out;
}

TEST_F(Tell, WarningsGoToStandardError) {
  write_file(scratch_ / "labels.txt", "one\n");
  const auto outcome = run("predict", {"--labels", "labels.txt"});
  expect_done(outcome);
  EXPECT_EQ(outcome.err, "fovea: warning: there are 1 labels for 3 classes\n");
}

TEST_F(Tell, InspectListsLayersAndTheDefault) {
  const auto result = json_of(scratch_.fovea({"inspect", "--model", fixture("colours"), "--json"}));
  EXPECT_EQ(result["opset"], 13);
  EXPECT_EQ(result["ir_version"], 8);
  EXPECT_EQ(result["producer"], "make_fixtures");
  EXPECT_EQ(result["inputs"][0]["name"], "data");
  EXPECT_EQ(result["inputs"][0]["shape"], (Shape{-1, 3, 16, 16}));
  EXPECT_EQ(result["inputs"][0]["dimensions"][0], "N");
  EXPECT_EQ(result["outputs"][0]["name"], "scores");
  EXPECT_EQ(result["default_layer"], "features");
  ASSERT_EQ(result["nodes"].size(), 5U);
  EXPECT_EQ(result["nodes"][1]["op"], "Relu");
  EXPECT_EQ(result["nodes"][1]["shapes"][0], (Shape{1, 3, 16, 16}));
  int defaults = 0;
  for (const auto& layer : result["layers"])
    if (layer["default"].get<bool>()) {
      ++defaults;
      EXPECT_EQ(layer["name"], "features");
      EXPECT_EQ(layer["node"], "relu");
      EXPECT_FALSE(layer["why"].get<std::string>().empty());
    }
  EXPECT_EQ(defaults, 1);
}

TEST_F(Tell, InspectToleratesOpenExtents) {
  const auto outcome = scratch_.fovea({"inspect", "--model", fixture("open_extents")});
  expect_done(outcome);
  EXPECT_NE(outcome.out.find("N x 3 x H x W"), std::string::npos) << outcome.out;
  const auto bound = json_of(scratch_.fovea({"inspect", "--model", fixture("open_extents"),
                                             "--input-shape", "data=2,3,10,20", "--json"}));
  EXPECT_EQ(bound["nodes"][1]["shapes"][0], (Shape{2, 3, 10, 20}));
}

TEST_F(Tell, InspectPrintsNodesWhenAsked) {
  const auto brief = scratch_.fovea({"inspect", "--model", fixture("labelled")});
  const auto full = scratch_.fovea({"inspect", "--model", fixture("labelled"), "--nodes"});
  expect_done(brief);
  expect_done(full);
  EXPECT_EQ(brief.out.find("GlobalAveragePool 'pool'"), std::string::npos);
  EXPECT_NE(full.out.find("GlobalAveragePool 'pool': features -> pooled [1 x 3 x 1 x 1]"),
            std::string::npos)
      << full.out;
  EXPECT_NE(full.out.find("fovea.activation = sigmoid"), std::string::npos) << full.out;
}

TEST_F(Tell, InspectAModelWithoutLayers) {
  const auto result =
      json_of(scratch_.fovea({"inspect", "--model", fixture("no_image"), "--json"}));
  EXPECT_TRUE(result["layers"].empty());
  EXPECT_TRUE(result["default_layer"].is_null());
}

TEST_F(Tell, VersionNamesWhatItRunsOn) {
  const auto result = json_of(scratch_.fovea({"version", "--json"}));
  const auto info = build_info();
  EXPECT_EQ(result["version"], info.version);
  EXPECT_EQ(result["onednn"], info.onednn);
  EXPECT_EQ(result["instruction_sets"], info.instruction_sets);
  EXPECT_NE(scratch_.fovea({"version"}).out.find(info.onednn), std::string::npos);
  EXPECT_EQ(scratch_.fovea({"--version"}).out, "fovea " + info.version + "\n");
}

TEST_F(Tell, MethodsListsTheRegistry) {
  const auto result = json_of(scratch_.fovea({"methods", "--json"}));
  const auto text = scratch_.fovea({"methods"}).out;
  ASSERT_EQ(result["methods"].size(), methods().size());
  for (const auto& method : methods()) EXPECT_NE(text.find(method.title), std::string::npos);
}

TEST_F(Tell, MethodsHaveTheirOptionsInJson) {
  const auto result = json_of(scratch_.fovea({"methods", "--json"}));
  const auto all = methods();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& row = result["methods"][i];
    EXPECT_EQ(row["name"], all[i].name);
    EXPECT_EQ(row["explains"], all[i].kind == MapKind::layer ? "layer" : "input");
    EXPECT_EQ(row["score"], all[i].of_probability ? "probability" : "logit");
    ASSERT_EQ(row["options"].size(), all[i].options.size());
    for (std::size_t o = 0; o < all[i].options.size(); ++o) {
      EXPECT_EQ(row["options"][o]["name"], all[i].options[o].name);
      EXPECT_EQ(row["options"][o]["default"], all[i].options[o].value);
    }
    EXPECT_EQ(row["given"].size(), all[i].given.size());
  }
}

std::string text_of(const char* document) {
  std::ifstream file(std::filesystem::path(FOVEA_SOURCE_DIR) / document);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(Tell, TheReadmeNamesEveryMethod) {
  const auto text = text_of("README.md");
  for (const auto& method : methods())
    EXPECT_NE(text.find("`" + method.name + "`"), std::string::npos) << method.name;
}

TEST_F(Tell, TheDocumentationsTableIsTheRegistrys) {
  const auto text = text_of("docs/methods.md");
  const std::string begin = "<!-- methods -->\n", end = "<!-- /methods -->";
  const auto from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()),
            scratch_.fovea({"methods", "--markdown"}).out);
}

TEST_F(Tell, HelpIsOnStandardOutput) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"explain", "--help"}, {"predict", "-h"}}) {
    const auto outcome = scratch_.fovea(arguments);
    expect_done(outcome);
    EXPECT_EQ(outcome.err, "");
    EXPECT_GT(outcome.out.size(), 200U);
  }
}

}  // namespace
}  // namespace fovea::cli_test
