// What the program says where something is wrong: what may have been meant, and the way on.
#include <filesystem>

#include "colours.hpp"
#include "command_line.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

class Messages : public testing::Test {
 protected:
  void SetUp() override {
    write_image(scratch_ / "photo.png", red_and_blue(40, 24));
    write_file(scratch_ / "labels.txt", "red\ngreen\nblue\n");
    fs::copy_file(fixture("colours"), scratch_ / "net.onnx");
  }
  Outcome explain(Words extra) const {
    extra.insert(extra.begin(), {"explain", "--model", "net.onnx", "--image", "photo.png"});
    return scratch_.fovea(extra);
  }
  /// As with standard output whose reader is gone; what bash has of the status.
  Outcome without_reader(const std::string& command) const {
    return run_command({"bash", "-c",
                        "mkfifo pipe; exec 3<>pipe 4>pipe 3>&-; " + command +
                            " >&4; status=$?; rm pipe; exit $status"},
                       scratch_.path());
  }

  Scratch scratch_;
};

TEST_F(Messages, NameWhatMayHaveBeenMeant) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"--method", "gradcamm"}, "did you mean 'gradcam'"},
      {{"--method", "gradcam,layrecam"}, "did you mean 'layercam'"},
      {{"--method", "smoothgrad", "--option", "sample=3"}, "did you mean 'samples'"},
      {{"--method", "lrp", "--rule", "features=epsilom"}, "did you mean 'epsilon'"},
      {{"--layer", "featrues"}, "did you mean 'features'"},
      {{"--labels", "labels.txt", "--label", "gren"}, "did you mean 'green'"},
      {{"--output-name", "score"}, "(its outputs are: "},
      {{"--input-shape", "dat=1,3,16,16"}, "did you mean 'data'"},
      {{"--colormap", "virdis"}, "did you mean 'viridis'"},
      {{"--normalize", "minmx"}, "did you mean 'minmax'"},
      {{"--precision", "fp32"}, "did you mean 'f32'"},
      {{"--preprocess", "imagnet"}, "did you mean 'imagenet'"},
      {{"--preprocess", "torchvison:VGG16_Weights.DEFAULT"},
       "did you mean 'torchvision:VGG16_Weights.DEFAULT'"},
      {{"--colormpa", "jet"}, "did you mean '--colormap'"},
      {{"--colormpa=jet"}, "there is no option '--colormpa'; did you mean '--colormap'"},
  };
  for (const auto& [words, meant] : cases) {
    const auto outcome = explain(words);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(meant), std::string::npos) << meant << " in: " << outcome.err;
  }
}

TEST_F(Messages, SendToTheHelpOfTheSubcommand) {
  const std::vector<std::pair<Words, std::string>> cases = {
      {{"explain", "--nodes"}, "'fovea explain --help'"},
      {{"predict", "--top", "none"}, "'fovea predict --help'"},
      {{"inspect", "--node"}, "did you mean '--nodes'"},
      {{"inspect", "--node"}, "('fovea inspect --help'"},
      {{"index", "--imagse", "photos"}, "did you mean '--images'"},
      {{"--verison"}, "'--version'? ('fovea --help'"},
  };
  for (const auto& [words, help] : cases) {
    const auto outcome = scratch_.fovea(words);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_NE(outcome.err.find(help), std::string::npos) << help << " in: " << outcome.err;
  }
}

TEST_F(Messages, AReaderThatIsGoneEndsTheProgramQuietly) {
  const auto killed = 128 + SIGPIPE;
  for (const auto* command : {"fovea inspect --model net.onnx --nodes", "fovea methods",
                              "fovea version --json", "fovea --help", "fovea explain --help",
                              "fovea predict --model net.onnx --image photo.png"}) {
    const auto outcome = without_reader(command);
    EXPECT_EQ(outcome.status, killed) << command;
    EXPECT_EQ(outcome.err, "") << command;
  }
  const auto outcome = without_reader(
      "fovea explain --model net.onnx --image photo.png --output o.png --json o.json");
  EXPECT_EQ(outcome.status, killed);
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(fs::exists(scratch_ / "o.png")) << "it is done, and only what tells of it is unread";
  EXPECT_TRUE(fs::exists(scratch_ / "o.json"));
}

TEST_F(Messages, HelpThatCannotBeWrittenIsAFailure) {
  const auto outcome = run_command({"sh", "-c", "fovea --help > /dev/full"}, scratch_.path());
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("standard output"), std::string::npos) << outcome.err;
}

TEST_F(Messages, AFolderInPlaceOfAFileNamesTheWayOn) {
  fs::create_directory(scratch_ / "photos");
  const auto outcome =
      scratch_.fovea({"explain", "--model", "net.onnx", "--image", "photos", "--output", "o.png"});
  EXPECT_EQ(outcome.status, 4);
  for (const auto* text : {"a directory, not an image", "photos", "name the images in it"})
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << " in: " << outcome.err;
}

TEST_F(Messages, AReplayLooksBesideTheResult) {
  expect_done(explain({"--output", "first.png", "--json", "first.json", "--map", "first.npy"}));
  const auto first = read_file(scratch_ / "first.npy");
  fs::create_directories(scratch_ / "moved/deep");
  for (const auto* name : {"net.onnx", "photo.png", "first.json", "first.png"})
    fs::rename(scratch_ / name, scratch_ / ("moved/" + std::string(name)));
  for (const auto* result : {"moved/first.json", "moved/first.png"}) {
    expect_done(scratch_.fovea({"explain", "--replay", result, "--map", "again.npy"}));
    EXPECT_EQ(read_file(scratch_ / "again.npy"), first) << result;
  }
  // Another picture where it was: the one that is beside the result fits.
  write_image(scratch_ / "photo.png", red_and_blue(30, 20));
  expect_done(scratch_.fovea({"explain", "--replay", "moved/first.json", "--map", "again.npy"}));
  EXPECT_EQ(read_file(scratch_ / "again.npy"), first);
  // What lies beside the result is an input, and no output overwrites it.
  const auto over =
      scratch_.fovea({"explain", "--replay", "moved/first.json", "--output", "moved/photo.png"});
  EXPECT_EQ(over.status, 2);
  EXPECT_NE(over.err.find("overwrite an input"), std::string::npos) << over.err;
  // Neither is it.
  write_image(scratch_ / "moved/photo.png", red_and_blue(50, 20));
  const auto changed = scratch_.fovea({"explain", "--replay", "moved/first.json"});
  EXPECT_EQ(changed.status, 4);
  EXPECT_NE(changed.err.find("not the image that was recorded"), std::string::npos) << changed.err;
  fs::remove(scratch_ / "photo.png");
  fs::remove(scratch_ / "moved/photo.png");
  const auto gone = scratch_.fovea({"explain", "--replay", "moved/first.json"});
  EXPECT_EQ(gone.status, 4);
  EXPECT_NE(gone.err.find("nor beside the result"), std::string::npos) << gone.err;
}

TEST_F(Messages, OptionsThatMayStandAloneLeaveFilesAlone) {
  const auto given = [](Words words) {
    std::vector<const char*> argv = {"fovea"};
    for (const auto& word : words) argv.push_back(word.c_str());
    auto out = cli::with_values(static_cast<int>(argv.size()), argv.data());
    std::reverse(out.begin(), out.end());
    return out;
  };
  EXPECT_EQ(given({"--json", "a.json"}), (Words{"--json", "a.json"}));
  EXPECT_EQ(given({"--json", "new"}), (Words{"--json", "new"}));
  EXPECT_EQ(given({"--json", "-"}), (Words{"--json", "-"}));
  EXPECT_EQ(given({"--json"}), (Words{"--json", "-"}));
  EXPECT_EQ(given({"--json", "-i", "a.png"}), (Words{"--json", "-", "-i", "a.png"}));
  EXPECT_EQ(given({"--json", "net.onnx", "a.JPG"}), (Words{"--json", "-", "net.onnx", "a.JPG"}));
  write_file(scratch_ / "older", "{\"model\": 1}");
  const auto older = scratch_ / "older";
  EXPECT_EQ(given({"--json", older}), (Words{"--json", older}));
  write_file(older, "no JSON");
  EXPECT_EQ(given({"--json", older}), (Words{"--json", "-", older}));
  EXPECT_EQ(given({"--box", "0.5", "x"}), (Words{"--box", "0.5", "x"}));
  EXPECT_EQ(given({"--box", "a.png"}), (Words{"--box", "0.2", "a.png"}));
  EXPECT_EQ(given({"--box"}), (Words{"--box", "0.2"}));
}

}  // namespace
}  // namespace fovea::cli_test
