// Arguments without options, standard input and output, several photos.
#include <filesystem>
#include <sstream>

#include "colours.hpp"
#include "photos.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Words = std::vector<std::string>;

class Streams : public testing::Test {
 protected:
  void SetUp() override {
    write_image(scratch_ / "photo.png", red_and_blue(40, 24));
    write_image(scratch_ / "other.png", red_and_blue(24, 40));
    fs::copy_file(fixture("colours"), scratch_ / "net.onnx");
  }
  /// One whole command line of a shell.
  Outcome shell(const std::string& line) const {
    return run_command({"bash", "-c", line}, scratch_.path());
  }
  std::string bytes(const std::string& name) const { return read_file(scratch_ / name); }
  void refuses(const Words& words, int status, const std::string& text) const {
    const auto before = scratch_.names();
    const auto outcome = scratch_.fovea(words);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << " in: " << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(scratch_.names(), before);
  }

  Scratch scratch_;
};

TEST_F(Streams, FilesNeedNoOptions) {
  expect_done(
      scratch_.fovea({"explain", "--model", "net.onnx", "--image", "photo.png", "--map", "a.npy"}));
  const std::vector<Words> ways = {
      {"explain", "net.onnx", "photo.png", "--map", "b.npy"},
      {"explain", "--map", "b.npy", "net.onnx", "photo.png"},
      {"explain", "net.onnx", "--class", "0", "photo.png", "--map", "b.npy"},
      {"explain", "--model", "net.onnx", "photo.png", "--map", "b.npy"},
      {"explain", "photo.png", "--map", "b.npy", "--model", "net.onnx"},
      {"explain", "net.onnx", "--image", "photo.png", "--map", "b.npy"}};
  for (const auto& way : ways) {
    expect_done(scratch_.fovea(way));
    EXPECT_EQ(bytes("b.npy"), bytes("a.npy")) << json(way);
    fs::remove(scratch_ / "b.npy");
  }
  const auto result = json_of(scratch_.fovea({"predict", "--json", "net.onnx", "photo.png"}));
  EXPECT_EQ(result["model"], "net.onnx");
  EXPECT_EQ(result["image"], "photo.png");
  EXPECT_EQ(json_of(scratch_.fovea({"inspect", "net.onnx", "--json"}))["model"], "net.onnx");
  refuses({"inspect", "net.onnx", "photo.png"}, 2, "'photo.png' is an argument too many");
  refuses({"inspect", "--model", "net.onnx", "photo.png"}, 2, "given twice");
  refuses({"explain", "photo.png"}, 2, "'photo.png' stands where the model goes");
}

TEST_F(Streams, StandardInputIsAFile) {
  expect_done(scratch_.fovea({"explain", "net.onnx", "photo.png", "--map", "a.npy"}));
  for (const auto* line : {"cat photo.png | fovea explain net.onnx - --map b.npy",
                           "fovea explain net.onnx --image - --map b.npy < photo.png"}) {
    expect_done(shell(line));
    EXPECT_EQ(bytes("b.npy"), bytes("a.npy")) << line;
    fs::remove(scratch_ / "b.npy");
  }
  write_npy(scratch_ / "x.npy", some_colours());
  expect_done(scratch_.fovea({"predict", "net.onnx", "--input", "x.npy", "--logits", "a.npy"}));
  expect_done(shell("cat x.npy | fovea predict net.onnx --input data=- --logits b.npy"));
  EXPECT_EQ(bytes("b.npy"), bytes("a.npy"));
  const auto labels =
      shell("printf 'red\\ngreen\\nblue\\n' | fovea predict net.onnx photo.png --labels -");
  EXPECT_NE(labels.out.find("red (class 0)"), std::string::npos) << labels.out << labels.err;
  expect_done(scratch_.fovea({"explain", "net.onnx", "photo.png", "--json", "r.json"}));
  expect_done(shell("cat r.json | fovea explain --replay - --map b.npy"));
  refuses({"explain", "net.onnx", "-", "--labels", "-"}, 2, "can be read but once");
  refuses({"explain", "net.onnx", "-", "-", "--json"}, 2, "can be read but once");
  refuses({"explain", "-", "photo.png"}, 2, "a model is read more than once");
}

TEST_F(Streams, StandardOutputIsAFile) {
  expect_done(scratch_.fovea({"explain", "net.onnx", "photo.png", "--output", "a.png", "--heatmap",
                              "h.png", "--map", "a.npy", "--logits", "l.npy"}));
  for (const auto& [option, file] : {std::pair{"--output", "a.png"},
                                     {"--heatmap", "h.png"},
                                     {"--map", "a.npy"},
                                     {"--logits", "l.npy"}}) {
    const auto outcome = scratch_.fovea({"explain", "net.onnx", "photo.png", option, "-"});
    expect_done(outcome);
    EXPECT_EQ(outcome.out, bytes(file)) << option;
  }
  const auto sheet = scratch_.fovea(
      {"explain", "net.onnx", "photo.png", "--method", "gradcam,layercam", "-o", "-"});
  expect_done(sheet);
  EXPECT_TRUE(sheet.out.starts_with("\x89PNG"));
  // Others are files all the same.
  const auto both =
      scratch_.fovea({"explain", "net.onnx", "photo.png", "-o", "-", "--json", "r.json"});
  expect_done(both);
  EXPECT_EQ(json::parse(bytes("r.json"))["image"], "photo.png");
  EXPECT_TRUE(both.out.starts_with("\x89PNG"));
  refuses({"explain", "net.onnx", "photo.png", "-o", "-", "--json", "-"}, 2,
          "two outputs are standard output");
  refuses({"explain", "net.onnx", "photo.png", "-o", "-", "--top", "2"}, 2, "takes one picture");
  EXPECT_FALSE(fs::exists(scratch_ / "-"));
}

TEST_F(Streams, EachOfSeveralPhotosIsAnswered) {
  expect_done(scratch_.fovea(
      {"explain", "net.onnx", "photo.png", "-o", "one.png", "--map", "one.npy", "--top", "2"}));
  const auto outcome =
      scratch_.fovea({"explain", "net.onnx", "photo.png", "other.png", "-o", "{}-why.png", "--map",
                      "{}.npy", "--top", "2", "--json", "all.jsonl"});
  expect_done(outcome);
  for (const auto* name : {"photo-why-1.png", "photo-why-2.png", "other-why-1.png",
                           "other-why-2.png", "photo.npy", "other.npy"}) {
    EXPECT_TRUE(fs::exists(scratch_ / name)) << name;
    EXPECT_NE(outcome.out.find("wrote        " + std::string(name)), std::string::npos) << name;
  }
  EXPECT_EQ(bytes("photo.npy"), bytes("one.npy"));
  std::istringstream lines(bytes("all.jsonl"));
  std::vector<json> results;
  for (std::string line; std::getline(lines, line);) results.push_back(json::parse(line));
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0]["image"], "photo.png");
  EXPECT_EQ(results[1]["image"], "other.png");
  EXPECT_EQ(results[1]["provenance"]["image"]["file"], "other.png");
  EXPECT_EQ(results[1]["map"]["shape"], (Shape{40, 24}));
  // Each of them is a result of its own.
  write_file(scratch_ / "second.json", results[1].dump());
  expect_done(scratch_.fovea({"explain", "--replay", "second.json", "--map", "again.npy"}));
  EXPECT_EQ(bytes("again.npy"), bytes("other.npy"));
  expect_done(scratch_.fovea({"explain", "--replay", "photo-why-2.png", "-o", "again.png"}));
}

TEST_F(Streams, JsonOfSeveralPhotosIsALineEachOrAFileEach) {
  const auto screen =
      scratch_.fovea({"predict", "net.onnx", "photo.png", "other.png", "--json", "-"});
  expect_done(screen);
  EXPECT_EQ(std::count(screen.out.begin(), screen.out.end(), '\n'), 2) << screen.out;
  expect_done(
      scratch_.fovea({"predict", "net.onnx", "photo.png", "other.png", "--json", "{}.json"}));
  EXPECT_EQ(json::parse(bytes("photo.json"))["image"], "photo.png");
  EXPECT_EQ(json::parse(bytes("other.json"))["image"], "other.png");
}

TEST_F(Streams, WarningsNameTheirPhoto) {
  write_file(scratch_ / "labels.txt", "red\n");
  const auto outcome =
      scratch_.fovea({"predict", "net.onnx", "photo.png", "other.png", "--labels", "labels.txt"});
  expect_done(outcome);
  const std::string warning = ": there are 1 labels for 3 classes\n";
  EXPECT_EQ(outcome.err,
            "fovea: warning: photo.png" + warning + "fovea: warning: other.png" + warning);
}

TEST_F(Streams, ABadPhotoHidesNoOther) {
  write_file(scratch_ / "bad.png", "no picture");
  for (const auto& order :
       {Words{"bad.png", "photo.png", "other.png"}, Words{"photo.png", "bad.png", "other.png"},
        Words{"photo.png", "other.png", "bad.png"}}) {
    Words words = {"explain", "net.onnx", "-o", "{}-why.png", "--json", "all.jsonl"};
    words.insert(words.end(), order.begin(), order.end());
    const auto outcome = scratch_.fovea(words);
    EXPECT_EQ(outcome.status, 4);
    EXPECT_NE(outcome.err.find("1 of 3 images could not be read"), std::string::npos)
        << outcome.err;
    EXPECT_NE(outcome.err.find("bad.png"), std::string::npos) << outcome.err;
    for (const auto* name : {"photo-why.png", "other-why.png"}) {
      EXPECT_TRUE(fs::exists(scratch_ / name)) << name << " of " << json(order);
      fs::remove(scratch_ / name);
    }
    EXPECT_FALSE(fs::exists(scratch_ / "bad-why.png"));
    std::istringstream lines(bytes("all.jsonl"));
    std::vector<std::string> images, failed;
    for (std::string line; std::getline(lines, line);) {
      const auto result = json::parse(line);
      images.push_back(result["image"]);
      if (result.contains("error")) failed.push_back(result["image"]);
    }
    EXPECT_EQ(images, order);
    EXPECT_EQ(failed, Words{"bad.png"});
  }
  const auto none = scratch_.fovea({"predict", "net.onnx", "bad.png", "missing.png"});
  EXPECT_EQ(none.status, 4);
  EXPECT_NE(none.err.find("2 of 2 images could not be read"), std::string::npos) << none.err;
}

TEST_F(Streams, NamesOfOutputsCannotCollide) {
  EXPECT_EQ(cli::output_names({"a/cat.jpg", "b/cat.png", "cat-2.png", "c/cat.jpg"}),
            (Words{"cat", "cat-3", "cat-2", "cat-4"}));
  EXPECT_EQ(cli::with_name("out/{}-{}.png", "cat"), "out/cat-cat.png");
  EXPECT_EQ(cli::with_name("{}.png", "{}"), "{}.png");
  for (const auto* option : {"--output", "--heatmap"})
    refuses({"explain", "net.onnx", "photo.png", "other.png", option, "why.png"}, 2,
            std::string(option) + " names one file, and there are 2 images: put {} where each");
  refuses({"predict", "net.onnx", "photo.png", "other.png", "--logits", "l.npy"}, 2, "l-{}.npy");
  refuses({"explain", "net.onnx", "photo.png", "other.png", "-o", "{}.png"}, 2,
          "overwrite an input");
  fs::create_directory(scratch_ / "out");
  refuses({"explain", "net.onnx", "photo.png", "other.png", "-o", "out/{}.gif"}, 2, "extension");
  refuses({"explain", "net.onnx", "photo.png", "-o", "out"}, 2, "");
}

TEST_F(Streams, ASheetOfEachPhoto) {
  expect_done(scratch_.fovea({"explain", "net.onnx", "photo.png", "other.png", "--method",
                              "gradcam,layercam", "-o", "{}-sheet.png", "--json", "all.jsonl"}));
  EXPECT_TRUE(fs::exists(scratch_ / "photo-sheet.png"));
  EXPECT_TRUE(fs::exists(scratch_ / "other-sheet.png"));
  EXPECT_NE(bytes("photo-sheet.png"), bytes("other-sheet.png"));
  const auto lines = bytes("all.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);
}

}  // namespace
}  // namespace fovea::cli_test
