// Provenance that earlier programs wrote (fixtures/replay), made again.
#include <filesystem>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Names = std::vector<std::string>;

/// A document, and the command line that it came from.
struct Kept {
  const char* name;
  Names arguments;
};

const std::vector<Kept>& all_kept() {
  static const std::vector<Kept> all = {
      {"explain",
       {"--model",
        "colours.onnx",
        "--image",
        "photo.png",
        "--class",
        "2",
        "--class",
        "0",
        "--method",
        "smoothgrad",
        "--option",
        "samples=3",
        "--option",
        "noise=0.3",
        "--score",
        "probability",
        "--against",
        "--normalize",
        "minmax",
        "--preprocess",
        R"({"geometry": "letterbox", "mean": [0.1, 0.2, 0.3]})",
        "--labels",
        "names.txt",
        "--box",
        "0.3",
        "--colormap",
        "viridis",
        "--alpha",
        "0.25",
        "--words",
        "--exact-decode",
        "--tune",
        "winograd",
        "--multi-label",
        "--no-optimize"}},
      {"layers",
       {"--model", "colours.onnx", "--image", "photo.png", "--class", "1", "--minus", "2",
        "--layer", "relu", "--layer", "mix", "--fuse", "product", "--smooth", "--keep-sign"}},
      {"sheet",
       {"--model", "colours.onnx", "--image", "photo.png", "--class", "1", "--method",
        "gradcam,lrp,rise", "--rule", "mix=epsilon", "--option", "masks=5", "--option",
        "composite=epsilon-plus-flat", "--layer", "relu", "--layer", "mix"}},
      {"several", {"--model", "colours.onnx", "--input", "two.npy", "--top", "2"}},
      {"region",
       {"--model", "segments.onnx", "--input", "one.npy", "--class", "1", "--region", "mask.npy",
        "--layer", "relu", "--method", "hirescam"}},
      {"box",
       {"--model", "segments.onnx", "--image", "photo.png", "--class", "1", "--region", "4,2,30,20",
        "--layer", "relu"}},
      {"similar",
       {"--model", "colours.onnx", "--input", "one.npy", "--similar-to", "other.npy",
        "--similarity", "cosine"}}};
  return all;
}

/// The files of an outcome, by name.
std::map<std::string, std::string> files_of(const Scratch& scratch, const Names& before) {
  std::map<std::string, std::string> out;
  for (const auto& name : scratch.names())
    if (std::find(before.begin(), before.end(), name) == before.end()) {
      out[name] = read_file(scratch / name);
      fs::remove(scratch / name);
    }
  return out;
}

TEST(Kept, IsMadeAgainToTheByte) {
  const Scratch scratch;
  for (const auto& file : fs::directory_iterator(fs::path(fixture("")).parent_path() / "replay"))
    fs::copy_file(file, scratch.path() / file.path().filename());
  for (const auto* model : {"colours", "segments"})
    fs::copy_file(fixture(model), scratch / (std::string(model) + ".onnx"));
  const auto before = scratch.names();
  for (const auto& [name, asked] : all_kept()) {
    SCOPED_TRACE(name);
    const auto kept = json::parse(read_file(scratch / (name + std::string(".json"))))["provenance"];
    const bool sheet = kept["command"] != "explain";
    const auto made = [&](Names arguments) {
      arguments.insert(arguments.begin(), "explain");
      arguments.insert(arguments.end(), {"--output", "o.bmp", "--json", "made.json"});
      if (!sheet) arguments.insert(arguments.end(), {"--map", "map.npy", "--feature-map", "f.npy"});
      expect_done(scratch.fovea(arguments));
      auto files = files_of(scratch, before);
      EXPECT_GE(files.size(), sheet ? 2U : 4U);
      return files;
    };
    auto direct = made(asked);
    auto again = made({"--replay", name + std::string(".json")});
    auto said = json::parse(again.extract("made.json").mapped())["provenance"];
    EXPECT_EQ(said, json::parse(direct.extract("made.json").mapped())["provenance"]);
    EXPECT_EQ(again, direct);
    // What the result says now is what it said then, but for the machine.
    for (const auto* member : {"fovea", "onednn", "onednn_isa", "threads"})
      said[member] = kept.at(member);
    EXPECT_EQ(said, kept);
  }
}

}  // namespace
}  // namespace fovea::cli_test
