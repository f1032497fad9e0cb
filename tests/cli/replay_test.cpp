// What results say about themselves, and --replay, which makes them again from that.
#include <filesystem>
#include <functional>
#include <utility>

#include "colours.hpp"
#include "fovea/fovea.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Names = std::vector<std::string>;

std::string sha256sum(const Scratch& scratch, const std::string& file) {
  const auto outcome = run_command({"sha256sum", file}, scratch.path());
  expect_done(outcome);
  return outcome.out.substr(0, 64);
}

/// The document that a PNG carries, and what it says of the program.
struct Carried {
  json provenance;
  std::string software;
};
Carried carried_by(const std::string& file) {
  Carried out;
  for (const auto& [key, text] : read_texts(file)) {
    if (key == "Software") out.software = text;
    if (key == "fovea") {
      EXPECT_EQ(text.find('\n'), std::string::npos) << "compact";
      out.provenance = json::parse(text);
    }
  }
  return out;
}

class Replays : public testing::Test {
 protected:
  void SetUp() override {
    write_image(scratch_ / "photo.png", red_and_blue(60, 40));
    fs::copy_file(fixture("colours"), scratch_ / "net.onnx");
  }

  json explain(Names extra) const {
    extra.insert(extra.begin(), "explain");
    extra.insert(extra.end(), {"--json", "-"});
    const auto outcome = scratch_.fovea(extra);
    expect_done(outcome);
    return outcome.status == 0 ? json::parse(outcome.out) : json();
  }
  json first(Names extra, const std::string& model = "net.onnx") const {
    extra.insert(extra.begin(), {"--model", model, "--image", "photo.png"});
    auto result = explain(std::move(extra));
    write_file(scratch_ / "first.json", result.dump());
    return result;
  }
  Outcome replay(Names extra, const std::string& file = "first.json") const {
    extra.insert(extra.begin(), {"explain", "--replay", file});
    return scratch_.fovea(extra);
  }
  void edit(const std::function<void(json&)>& change) const {
    auto result = json::parse(read_file(scratch_ / "first.json"));
    change(result);
    write_file(scratch_ / "first.json", result.dump());
  }
  bool same(const std::string& a, const std::string& b) const {
    return read_file(scratch_ / a) == read_file(scratch_ / b);
  }

  Scratch scratch_;
};

TEST_F(Replays, AResultSaysWhatItWasMadeFrom) {
  write_file(scratch_ / "names.txt", "red\ngreen\nblue\n");
  const auto result = first({"--class", "2", "--layer", "relu", "--normalize", "minmax",
                             "--preprocess", "raw", "--labels", "names.txt", "--box", "0.3",
                             "--colormap", "viridis", "--alpha", "0.25", "--no-optimize"});
  const auto& all = result["provenance"];
  const auto build = build_info();
  EXPECT_EQ(all["format"], 1);
  EXPECT_EQ(all["fovea"], build.version);
  EXPECT_EQ(all["onednn"], build.onednn);
  EXPECT_EQ(all["command"], "explain");
  const auto file = [&](const std::string& name) {
    return json{{"file", name}, {"sha256", sha256sum(scratch_, name)}};
  };
  EXPECT_EQ(all["model"], file("net.onnx"));
  EXPECT_EQ(all["image"], file("photo.png"));
  EXPECT_EQ(all["labels"], file("names.txt"));
  EXPECT_EQ(all["preprocess"], result["preprocess"]);
  EXPECT_EQ(all["input_shapes"], (json{{"data", {1, 3, kSize, kSize}}}));
  EXPECT_EQ(all["method"], "gradcam");
  EXPECT_EQ(all["options"], json::object());
  EXPECT_EQ(all["layer"], "features");
  EXPECT_EQ(all["targets"], (json{{{"class", 2}}}));
  EXPECT_EQ(all["normalize"], "minmax");
  EXPECT_EQ(all["precision"], "f32");
  EXPECT_EQ(all["optimize"], false);
  EXPECT_EQ(all["tune"], "off");
  EXPECT_EQ(all["multi_label"], false);
  EXPECT_EQ(all["colormap"], "viridis");
  EXPECT_EQ(all["alpha"], 0.25);
  EXPECT_EQ(all["box"], 0.3);
}

TEST_F(Replays, APredictionSaysItToo) {
  const auto result =
      json_of(scratch_.fovea({"predict", "--model", "net.onnx", "--image", "photo.png", "--json"}));
  EXPECT_EQ(result["provenance"]["command"], "predict");
  EXPECT_EQ(result["provenance"]["model"]["sha256"], sha256sum(scratch_, "net.onnx"));
  EXPECT_FALSE(result["provenance"].contains("method"));
}

TEST_F(Replays, APngCarriesItsOwnClass) {
  const auto result = first({"--top", "2", "--output", "o.png", "--heatmap", "h.PNG"});
  EXPECT_EQ(result["provenance"]["targets"], (json{{{"class", 0}}, {{"class", 2}}}));
  for (const auto& [name, kind] : {std::pair{"o-2.png", "overlay"}, {"h-2.PNG", "heatmap"}}) {
    const auto carried = carried_by(scratch_ / name);
    auto expected = result["provenance"];
    expected["targets"] = {{{"class", 2}}};
    expected["picture"] = {{"kind", kind}, {"image", 0}};
    EXPECT_EQ(carried.provenance, expected) << name;
    EXPECT_EQ(carried.software, "fovea " + build_info().version);
  }
}

TEST_F(Replays, NothingIsSaidWhereTheUserSaysSo) {
  const auto result = first({"--output", "o.png", "--no-provenance"});
  EXPECT_FALSE(result.contains("provenance"));
  EXPECT_TRUE(read_texts(scratch_ / "o.png").empty());
  const auto outcome = replay({});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("no provenance"), std::string::npos) << outcome.err;
}

TEST_F(Replays, AResultIsMadeAgain) {
  const std::vector<Names> ways = {
      {},
      {"--class", "2", "--class", "0", "--layer", "relu", "--normalize", "minmax"},
      {"--top", "3", "--preprocess", R"({"geometry": "letterbox", "mean": [0.1, 0.2, 0.3]})"},
      {"--method", "cam", "--normalize", "none", "--no-optimize", "--box", "0.45"},
      {"--method", "rise", "--option", "masks=5"},
      {"--method", "rise", "--option", "masks=5", "--score", "logit"},
      {"--multi-label", "--colormap", "inferno", "--alpha", "0.1", "--tune", "winograd"},
      {"--exact-decode", "--input-shape", "data=1,3,16,16", "--output-name", "scores"}};
  for (const auto& way : ways) {
    auto arguments = way;
    arguments.insert(arguments.end(), {"--map", "a.npy", "--output", "a.bmp"});
    const auto before = first(arguments);
    const auto outcome = replay({"--map", "b.npy", "--output", "b.bmp", "--json", "b.json"});
    expect_done(outcome);
    EXPECT_TRUE(same("a.npy", "b.npy"));
    const auto after = json::parse(read_file(scratch_ / "b.json"));
    EXPECT_EQ(after["provenance"], before["provenance"]);
    EXPECT_EQ(after["predictions"], before["predictions"]);
    EXPECT_EQ(after["warnings"], before["warnings"]);
    if (before["images"][0]["explanations"].size() == 1) {
      EXPECT_TRUE(same("a.bmp", "b.bmp"));
    }
  }
}

TEST_F(Replays, EveryMethodIsRecorded) {
  std::size_t served = 0;
  for (const auto& info : methods()) {
    SCOPED_TRACE(info.name);
    const auto outcome =
        scratch_.fovea({"explain", "--model", "net.onnx", "--image", "photo.png", "--method",
                        info.name, "--class", "0", "--map", "a.npy", "--json", "first.json"});
    if (outcome.status == 2) continue;  // this model cannot serve it
    expect_done(outcome);
    expect_done(replay({"--map", "b.npy"}));
    EXPECT_TRUE(same("a.npy", "b.npy"));
    const auto options = json::parse(read_file(scratch_ / "first.json"))["provenance"]["options"];
    EXPECT_EQ(options.size(), info.options.size());
    for (const auto& option : info.options) EXPECT_EQ(options[option.name], option.value);
    ++served;
  }
  EXPECT_GE(served, 2U);
}

TEST_F(Replays, AMethodsOptionsCount) {
  first({"--method", "smoothgrad", "--map", "a.npy"});
  edit([](json& result) { result["provenance"]["options"]["samples"] = 2; });
  expect_done(replay({"--map", "b.npy"}));
  EXPECT_FALSE(same("a.npy", "b.npy"));
  edit([](json& result) { result["provenance"]["options"] = {{"sweetness", 8}}; });
  const auto outcome = replay({});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.err.find("sweetness"), std::string::npos) << outcome.err;
}

TEST_F(Replays, APictureIsMadeAgain) {
  first({"--top", "3", "--output", "o.png", "--map", "all.npy", "--heatmap", "h.png"});
  expect_done(replay({"--map", "b.npy", "--output", "again.png"}, "o-2.png"));
  EXPECT_EQ(read_image(scratch_ / "again.png").rgb, read_image(scratch_ / "o-2.png").rgb);
  EXPECT_EQ(carried_by(scratch_ / "again.png").provenance,
            carried_by(scratch_ / "o-2.png").provenance);
  const auto all = cli::read_npy(scratch_ / "all.npy");
  EXPECT_EQ(cli::read_npy(scratch_ / "b.npy").data,
            std::vector<float>(all.data.begin() + 2400, all.data.begin() + 4800));
}

TEST_F(Replays, TheLookMayBeOther) {
  first({"--class", "0", "--map", "a.npy", "--box"});
  expect_done(
      replay({"--map", "b.npy", "--colormap", "viridis", "--alpha", "1", "--output", "o.png",
              "--heatmap", "h.png", "--box", "0.9", "--no-enlarge", "--json", "b.json"}));
  EXPECT_TRUE(same("a.npy", "b.npy"));
  const auto result = json::parse(read_file(scratch_ / "b.json"));
  const auto all = result["provenance"];
  EXPECT_EQ(all["colormap"], "viridis");
  EXPECT_EQ(all["box"], 0.9);
  EXPECT_EQ(all["enlarge"], false);
  auto expected = heatmap(cli::read_npy(scratch_ / "a.npy"), Colormap::viridis);
  const int left = result["seen"]["x"], top = result["seen"]["y"];
  const int right = left + result["seen"]["width"].get<int>();
  const int bottom = top + result["seen"]["height"].get<int>();
  for (int y = 0; y < expected.height; ++y)
    for (int x = 0; x < expected.width; ++x)
      if (x < left || x >= right || y < top || y >= bottom)
        std::copy(kUnseen.begin(), kUnseen.end(),
                  expected.rgb.begin() + 3 * (std::ptrdiff_t{y} * expected.width + x));
  EXPECT_EQ(read_image(scratch_ / "h.png").rgb, expected.rgb);
}

TEST_F(Replays, FilesMayLieElsewhereButNotBeOthers) {
  first({"--map", "a.npy"});
  fs::rename(scratch_ / "net.onnx", scratch_ / "moved.onnx");
  fs::rename(scratch_ / "photo.png", scratch_ / "moved.png");
  auto outcome = replay({});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.err.find("net.onnx"), std::string::npos) << outcome.err;
  outcome = replay({"--model", "moved.onnx"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_NE(outcome.err.find("photo.png"), std::string::npos) << outcome.err;
  const Names moved = {"--model", "moved.onnx", "--image", "moved.png", "--map", "b.npy"};
  expect_done(replay(moved));
  EXPECT_TRUE(same("a.npy", "b.npy"));

  fs::remove(scratch_ / "b.npy");
  write_image(scratch_ / "moved.png", red_and_blue(60, 41));
  outcome = replay(moved);
  EXPECT_EQ(outcome.status, 4);
  for (const auto* text : {"moved.png", "not the image", "SHA-256"})
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << " in " << outcome.err;
  fs::copy_file(fixture("grey"), scratch_ / "moved.onnx", fs::copy_options::overwrite_existing);
  outcome = replay(moved);
  EXPECT_EQ(outcome.status, 3);
  for (const auto* text : {"moved.onnx", "not the model", "SHA-256"})
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << " in " << outcome.err;
  EXPECT_FALSE(fs::exists(scratch_ / "b.npy"));
}

TEST_F(Replays, WeightsBesideTheModelCount) {
  const auto data = fs::path(fixture("")).parent_path() / "../../golden/data/densenet";
  fs::create_directory(scratch_.path() / "there");
  for (const auto* name : {"model.onnx", "model.onnx.data"})
    fs::copy_file(data / name, scratch_.path() / "there" / name);
  const auto shape = Model::load(scratch_ / "there/model.onnx").inputs()[0].shape;
  std::size_t count = 1;
  for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
  Tensor input{shape, std::vector<float>(count)};
  for (std::size_t i = 0; i < count; ++i) input.data[i] = static_cast<float>(i * 37 % 101) / 100.F;
  write_npy(scratch_ / "x.npy", input);
  const auto result =
      explain({"--model", "there/model.onnx", "--input", "x.npy", "--map", "a.npy"});
  write_file(scratch_ / "first.json", result.dump());
  EXPECT_EQ(result["provenance"]["model"]["external"],
            (json{{{"file", "model.onnx.data"},
                   {"sha256", sha256sum(scratch_, "there/model.onnx.data")}}}));
  fs::rename(scratch_.path() / "there", scratch_.path() / "here");
  const Names moved = {"--model", "here/model.onnx", "--map", "b.npy"};
  expect_done(replay(moved));
  EXPECT_TRUE(same("a.npy", "b.npy"));
  auto weights = read_file(scratch_ / "here/model.onnx.data");
  weights[100] = static_cast<char>(weights[100] ^ 1);
  write_file(scratch_ / "here/model.onnx.data", weights);
  const auto outcome = replay(moved);
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.err.find("here/model.onnx.data"), std::string::npos) << outcome.err;
}

TEST_F(Replays, ABatchOfTensorsIsMadeAgain) {
  write_npy(scratch_ / "x.npy", some_colours(2));
  const Names common = {"--model", "net.onnx", "--input", "x.npy"};
  auto arguments = common;
  arguments.insert(arguments.end(), {"--top", "2", "--map", "a.npy", "--output", "o.png"});
  const auto result = explain(arguments);
  write_file(scratch_ / "first.json", result.dump());
  EXPECT_EQ(result["provenance"]["targets"], (json{{{"rank", 0}}, {{"rank", 1}}}));
  EXPECT_EQ(result["provenance"]["inputs"]["data"]["sha256"], sha256sum(scratch_, "x.npy"));
  EXPECT_EQ(carried_by(scratch_ / "o-2-1.png").provenance["picture"],
            (json{{"kind", "overlay"}, {"image", 1}}));
  expect_done(replay({"--map", "b.npy"}));
  EXPECT_TRUE(same("a.npy", "b.npy"));
  fs::rename(scratch_ / "x.npy", scratch_ / "y.npy");
  EXPECT_EQ(replay({}).status, 4);
  expect_done(replay({"--input", "y.npy", "--map", "b.npy"}));
  EXPECT_TRUE(same("a.npy", "b.npy"));
  expect_done(replay({"--input", "data=y.npy", "--map", "b.npy"}));
  EXPECT_TRUE(same("a.npy", "b.npy"));
  write_npy(scratch_ / "y.npy", some_colours(3));
  const auto outcome = replay({"--input", "y.npy"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_NE(outcome.err.find("y.npy"), std::string::npos) << outcome.err;
}

TEST_F(Replays, OneChannelIsTheSameGreyAgain) {
  first({"--map", "a.npy"}, fixture("grey"));
  expect_done(replay({"--map", "b.npy"}));
  EXPECT_TRUE(same("a.npy", "b.npy"));
}

TEST_F(Replays, OtherVersionsAreAWarning) {
  first({"--map", "a.npy"});
  edit([](json& result) { result["provenance"]["fovea"] = "9.8.7"; });
  const auto outcome = replay({"--map", "b.npy", "--json", "-"});
  expect_done(outcome);
  EXPECT_TRUE(same("a.npy", "b.npy"));
  const auto warnings = json::parse(outcome.out)["warnings"];
  ASSERT_EQ(warnings.size(), 1U) << warnings;
  EXPECT_NE(warnings[0].get<std::string>().find("fovea 9.8.7"), std::string::npos);
  edit([](json& result) { result["provenance"]["onednn"] = "0.1"; });
  EXPECT_EQ(json::parse(replay({"--json", "-"}).out)["warnings"].size(), 2U);
}

TEST_F(Replays, OtherLabelsAreAWarning) {
  write_file(scratch_ / "names.txt", "red\ngreen\nblue\n");
  first({"--label", "blue", "--labels", "names.txt", "--map", "a.npy"});
  auto result = json_of(replay({"--json", "-"}));
  EXPECT_EQ(result["target"]["label"], "blue");
  write_file(scratch_ / "names.txt", "one\ntwo\nthree\n");
  result = json::parse(replay({"--json", "-"}).out);
  EXPECT_EQ(result["target"]["class"], 2);
  EXPECT_EQ(result["warnings"].size(), 1U) << result["warnings"];
  fs::remove(scratch_ / "names.txt");
  result = json::parse(replay({"--json", "-", "--map", "b.npy"}).out);
  EXPECT_TRUE(result["target"]["label"].is_null());
  EXPECT_EQ(result["warnings"].size(), 1U) << result["warnings"];
  EXPECT_TRUE(same("a.npy", "b.npy"));
}

TEST_F(Replays, APipeHasNoSha256) {
  const auto outcome = run_command(
      {"sh", "-c", "cat photo.png | fovea explain --model net.onnx --image /dev/stdin --json"},
      scratch_.path());
  const auto result = json_of(outcome);
  EXPECT_TRUE(result["provenance"]["image"]["sha256"].is_null());
  write_file(scratch_ / "first.json", outcome.out);
  EXPECT_EQ(replay({"--image", "photo.png"}).status, 4);
}

TEST_F(Replays, RefuseWhatWouldBeAnotherResult) {
  first({});
  for (const auto& way : std::vector<Names>{{"--class", "1"},
                                            {"--label", "x"},
                                            {"--top", "2"},
                                            {"--method", "cam"},
                                            {"--layer", "relu"},
                                            {"--option", "steps=3"},
                                            {"--given", "noise=x.npy"},
                                            {"--score", "probability"},
                                            {"--minus", "1"},
                                            {"--against"},
                                            {"--fuse", "max"},
                                            {"--smooth"},
                                            {"--keep-sign"},
                                            {"--normalize", "none"},
                                            {"--preprocess", "raw"},
                                            {"--input-shape", "data=1,3,16,16"},
                                            {"--output-name", "scores"},
                                            {"--multi-label"},
                                            {"--precision", "f32"},
                                            {"--no-optimize"}}) {
    const auto outcome = replay(way);
    EXPECT_EQ(outcome.status, 2) << way[0];
    EXPECT_NE(outcome.err.find(way[0]), std::string::npos) << outcome.err;
  }
  const auto over = replay({"--json", "first.json"});
  EXPECT_EQ(over.status, 2);
  EXPECT_NE(over.err.find("overwrite"), std::string::npos) << over.err;
}

TEST_F(Replays, RefuseWhatIsNoResult) {
  const auto refused = [&](const std::string& file, const std::string& words) {
    const auto outcome = replay({}, file);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    for (const auto& word : {file, words})
      EXPECT_NE(outcome.err.find(word), std::string::npos) << word << " in " << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  };
  refused("none.json", "does not exist");
  refused("photo.png", "no provenance");
  refused("net.onnx", "neither");
  write_file(scratch_ / "list.json", "[1, 2]");
  refused("list.json", "neither");
  write_file(scratch_ / "empty.json", "{}");
  refused("empty.json", "no provenance");
  first({});
  const auto with = [&](const char* member, const json& value, const std::string& words) {
    auto result = json::parse(read_file(scratch_ / "first.json"));
    result["provenance"][member] = value;
    write_file(scratch_ / "changed.json", result.dump());
    refused("changed.json", words);
  };
  with("format", 2, "format");
  with("format", "1", "damaged");
  with("command", "predict", "fovea predict");
  with("options", {{"samples", "many"}}, "damaged");
  with("targets", json::array(), "classes");
  with("targets", {{{"colour", 1}}}, "target");
  with("targets", {{{"class", 1}, {"weights", {1, 2}}}}, "target");
  with("targets", {{{"minus", 2}}}, "target");
  with("fuse", "tight", "tight");
  with("keep_sign", "yes", "damaged");
  with("targets", {{{"class", "red"}}}, "damaged");
  with("normalize", "softly", "softly");
  with("colormap", 3, "damaged");
  with("model", "net.onnx", "damaged");
  with("input_shapes", {{"data", {"x"}}}, "damaged");
  with("alpha", "half", "damaged");
}

TEST_F(Replays, ThePixelsOfThePhotoAreNotNeededInFull) {
  write_image(scratch_ / "photo.jpg", red_and_blue(400, 300));
  const Names small = {"--model", "net.onnx", "--image", "photo.jpg", "--map", "a.npy"};
  auto result = explain(small);
  write_file(scratch_ / "first.json", result.dump());
  ASSERT_EQ(result["provenance"]["decode"], "reduced");
  auto outcome = replay({"--map", "b.npy"});
  expect_done(outcome);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(same("a.npy", "b.npy"));
  outcome = replay({"--output", "o.png"});
  expect_done(outcome);
  EXPECT_NE(outcome.err.find("reduced"), std::string::npos) << outcome.err;
  // The picture was made from all of the photo, and so is its map.
  expect_done(scratch_.fovea({"explain", "--model", "net.onnx", "--image", "photo.jpg", "--map",
                              "a.npy", "--output", "o.png"}));
  EXPECT_EQ(carried_by(scratch_ / "o.png").provenance["decode"], "full");
  outcome = replay({"--map", "b.npy"}, "o.png");
  expect_done(outcome);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(same("a.npy", "b.npy"));
}

}  // namespace
}  // namespace fovea::cli_test
