// fovea explain-all: called again, after whatever ended it.
#include <algorithm>
#include <sstream>

#include "folder/results_file.hpp"
#include "many_photos.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ManyPhotosAgain : public ManyPhotos {
 protected:
  void SetUp() override {
    ManyPhotos::SetUp();
    write_photos();
    write_file(scratch_ / "photos/5a.png", "broken");
  }
  Words with_files(Words extra = {}) const {
    extra.insert(extra.end(), {"--overlay", "--map", "--workers", "2"});
    return extra;
  }
  /// What a call that nothing ends makes.
  std::map<std::string, std::string> undisturbed() {
    const auto outcome = all(with_files({}));
    EXPECT_EQ(outcome.status, 4);
    auto out = contents(scratch_ / "out");
    EXPECT_EQ(out.size(), 2U + 2 * 10);
    fs::rename(scratch_ / "out", scratch_ / "undisturbed");
    return out;
  }
  /// A shell's line that runs the command in the background, `signal`s it at so many lines and says
  /// how it ended.
  std::string ended_at(int line, const std::string& signal, const Words& words) const {
    std::string called = "fovea";
    for (const auto& word : words) called += " '" + word + "'";
    // Job control, or the shell would have it ignore SIGINT.
    return "set -m; " + called + " & until [ $(cat out/results.jsonl 2>/dev/null | wc -l) -ge " +
           std::to_string(line) + " ] || ! kill -0 $! 2>/dev/null; do :; done; kill -" + signal +
           " $! 2>/dev/null; wait $!";
  }
  std::string results() const { return read_file(scratch_ / "out/results.jsonl"); }
};

TEST_F(ManyPhotosAgain, AfterAKillGoOnToTheSameFiles) {
  const auto expected = undisturbed();
  for (const int line : {1, 1, 3, 4, 7, 9}) shell(ended_at(line, "KILL", command(with_files())));
  EXPECT_EQ(all(with_files()).status, 4);
  EXPECT_EQ(differences(contents(scratch_ / "out"), expected), Words{});
}

TEST_F(ManyPhotosAgain, DropALineThatWasCutOff) {
  const auto expected = undisturbed();
  const auto& whole = expected.at("results.jsonl");
  const auto fourth = [&] {
    std::size_t at = 0;
    for (int i = 0; i < 3; ++i) at = whole.find('\n', at) + 1;
    return at;
  }();
  for (const std::string& rest :
       {std::string(), std::string("{"), whole.substr(fourth, 40), std::string(64, '\0'),
        whole.substr(fourth, whole.find('\n', fourth) - fourth)}) {
    fs::remove_all(scratch_ / "out");
    fs::copy(scratch_ / "undisturbed", scratch_ / "out", fs::copy_options::recursive);
    write_file(scratch_ / "out/results.jsonl", whole.substr(0, fourth) + rest);
    write_file(scratch_ / "out/overlay/9.png.tmp-123", "what a kill left");
    const auto outcome = all(with_files());
    EXPECT_EQ(outcome.status, 4);
    EXPECT_NE(outcome.out.find("; 3 in an earlier call"), std::string::npos) << outcome.out;
    EXPECT_EQ(differences(contents(scratch_ / "out"), expected), Words{}) << rest;
  }
  auto damaged = whole;
  damaged[fourth + 2] = '\n';
  write_file(scratch_ / "out/results.jsonl", damaged);
  expect_refused(all(with_files()), 2, "line 4 is no result");
  EXPECT_EQ(results(), damaged);
}

TEST_F(ManyPhotosAgain, DoNothingWhereAllIsDone) {
  const auto expected = undisturbed();
  fs::rename(scratch_ / "undisturbed", scratch_ / "out");
  const auto before = fs::last_write_time(scratch_ / "out/results.jsonl");
  const auto outcome = all(with_files());
  EXPECT_EQ(outcome.status, 4) << "one failed, whenever that was";
  EXPECT_EQ(fs::last_write_time(scratch_ / "out/results.jsonl"), before);
  EXPECT_EQ(differences(contents(scratch_ / "out"), expected), Words{});
}

TEST_F(ManyPhotosAgain, TakeWhatCameToTheFolder) {
  undisturbed();
  fs::rename(scratch_ / "undisturbed", scratch_ / "out");
  write_image(scratch_ / "photos/0a.png", red_and_blue(30, 30));
  EXPECT_EQ(all(with_files()).status, 4);
  const auto told = lines();
  ASSERT_EQ(told.size(), 13U);
  EXPECT_EQ(told[11]["image"], "photos/0a.png");
  EXPECT_EQ(told.back(), (json{{"status", "done"}, {"photos", 12}, {"ok", 11}, {"failed", 1}}));
}

TEST_F(ManyPhotosAgain, TryWhatFailedIfTheyAreToldTo) {
  undisturbed();
  fs::rename(scratch_ / "undisturbed", scratch_ / "out");
  const auto before = lines();
  write_image(scratch_ / "photos/5a.png", red_and_blue(30, 30));
  EXPECT_EQ(all(with_files()).status, 4);
  EXPECT_EQ(lines(), before);
  expect_done(all(with_files({"--retry-failed"})));
  EXPECT_EQ(lines().back(), (json{{"status", "done"}, {"photos", 11}, {"ok", 11}, {"failed", 0}}));
  auto images = images_of_lines();
  EXPECT_EQ(images.back(), "photos/5a.png");
  std::sort(images.begin(), images.end());
  EXPECT_EQ(std::unique(images.begin(), images.end()) - images.begin(), 11);
}

TEST_F(ManyPhotosAgain, WantTheSameOptions) {
  undisturbed();
  fs::rename(scratch_ / "undisturbed", scratch_ / "out");
  write_image(scratch_ / "photos/new.png", red_and_blue(30, 30));
  write_file(scratch_ / "labels.txt", "red\ngreen\nblue\n");
  write_npy(scratch_ / "mask.npy", Tensor{{16, 16}, std::vector<float>(kPixels, 1)});
  fs::copy_file(fixture("labelled"), scratch_ / "other.onnx");
  const auto before = contents(scratch_ / "out");
  const std::vector<std::pair<std::string, Words>> changes = {
      {"--method (gradcam, now layercam)", {"--method", "layercam"}},
      {"--class (the best class, now --class 1)", {"--class", "1"}},
      {"--target (the best class, now --target features[0,1,2,2])",
       {"--target", "features[0,1,2,2]"}},
      {"--top (not given, now --top 2)", {"--top", "2"}},
      {"--against", {"--against"}},
      {"--minus (not given, now 1)", {"--minus", "1"}},
      {"--score", {"--score", "probability"}},
      {"--region", {"--region", "0,0,5,5"}},
      {"--similar-to", {"--similar-to", "photos/0.png"}},
      {"--layer (not given, now Relu)", {"--layer", "Relu"}},
      {"--smooth (false, now true)", {"--smooth"}},
      {"--keep-sign", {"--keep-sign"}},
      {"--normalize", {"--normalize", "none"}},
      {"--colormap (jet, now viridis)", {"--colormap", "viridis"}},
      {"--alpha (0.5, now 0.25)", {"--alpha", "0.25"}},
      {"--opacity", {"--opacity", "value"}},
      {"--caption", {"--caption"}},
      {"--no-enlarge", {"--no-enlarge"}},
      {"--percentile", {"--percentile", "90"}},
      {"--rendering", {"--rendering", "signed"}},
      {"--box (0.2, now 0.5)", {"--box", "0.5"}},
      {"--box (0.2, now not given)", {"--no-box"}},
      {"--words", {"--words"}},
      {"--labels (not given, now labels.txt)", {"--labels", "labels.txt"}},
      {"--preprocess", {"--preprocess", "raw"}},
      {"--whole", {"--whole"}},
      {"--exact-decode", {"--exact-decode"}},
      {"--multi-label", {"--multi-label"}},
      {"--input-shape", {"--input-shape", "data=1,3,16,16"}},
      {"--output-name", {"--output-name", "scores"}},
      {"--threads (1, now 2)", {"--threads", "2"}},
      {"--tune (off, now quick)", {"--tune", "quick"}},
      {"--no-optimize", {"--no-optimize"}},
      {"--precision", {"--precision", "auto"}},
      {"--heatmap (false, now true)", {"--heatmap"}},
      {"--format (png, now jpg)", {"--format", "jpg"}},
      {"--no-provenance", {"--no-provenance"}},
  };
  for (const auto& [text, option] : changes)
    expect_refused(all(with_files(option)), 2, "another " + text);
  expect_refused(all({"--map"}), 2, "another --overlay (true, now false)");
  expect_refused(all(with_files({"--model", "other.onnx"})), 2,
                 "another --model (net.onnx, now other.onnx)");
  EXPECT_EQ(differences(contents(scratch_ / "out"), before), Words{});
  fs::rename(scratch_ / "net.onnx", scratch_ / "moved.onnx");
  const Words moved = {"--model", "moved.onnx",     "--map", "--overlay",  "--workers",
                       "1",       "--memory-limit", "1GiB",  "--progress", "json"};
  EXPECT_EQ(all(moved).status, 4) << "none of these changes a result";
  EXPECT_EQ(lines().size(), 13U);
}

TEST_F(ManyPhotosAgain, KeepToTheAlgorithmsThatMadeTheFirst) {
  const Words tuned = {"--tune", "quick", "--feature-map", "--workers", "2"};
  shell(ended_at(3, "KILL", command(tuned)));
  const auto first = contents(scratch_ / "out");
  ASSERT_FALSE(first.at("plan.cache").empty());
  EXPECT_EQ(all(tuned).status, 4);
  const auto then = contents(scratch_ / "out");
  EXPECT_EQ(then.at("plan.cache"), first.at("plan.cache"));
  EXPECT_EQ(then.size(), 3U + 10);
  expect_done(
      scratch_.fovea({"explain", "--model", "net.onnx", "--image", "photos/b/7.png", "--threads",
                      "1", "--plan-cache", "out/plan.cache", "--feature-map", "one.npy"}));
  EXPECT_EQ(read_file(scratch_ / "one.npy"), then.at("feature-map/b/7.png.npy"));
  // Of another call, whose results are gone.
  write_file(scratch_ / "out/results.jsonl", "");
  write_file(scratch_ / "out/plan.cache", "of another machine");
  EXPECT_EQ(all(tuned).status, 4);
  EXPECT_NE(read_file(scratch_ / "out/plan.cache"), "of another machine");
}

TEST_F(ManyPhotosAgain, BindNobodyBeforeThereIsAResult) {
  fs::create_directory(scratch_ / "out");
  write_file(scratch_ / "out/run.json", R"({"method": "layercam", "outputs": {}, "targets": []})");
  EXPECT_EQ(all(with_files()).status, 4);
  fs::remove(scratch_ / "out/run.json");
  expect_refused(all(with_files()), 2, "do not say what they were made with");
}

TEST_F(ManyPhotosAgain, AfterCtrlCGoOn) {
  const auto expected = undisturbed();
  for (const int line : {1, 3}) {
    // Slow enough that the signal comes before the end.
    const auto outcome =
        shell(ended_at(line, "INT",
                       {"explain-all", "--model", "net.onnx", "--images", "photos", "--output",
                        "out", "--method", "rise", "--option", "masks=40000"}));
    EXPECT_EQ(outcome.status, 130) << outcome.err;
    EXPECT_NE(outcome.err.find(" of 11 photos are done: the same command goes on with the rest\n"),
              std::string::npos)
        << outcome.err;
    EXPECT_NE(outcome.err.find("fovea: error: interrupted\n"), std::string::npos) << outcome.err;
    EXPECT_EQ(results().back(), '\n');
    EXPECT_NE(lines().back()["status"], "done");
  }
}

TEST_F(ManyPhotosAgain, AfterAFullDiskGoOn) {
  // Of a file's size, in KiB: the lines grow beyond it; of the maps one is beyond it.
  write_image(scratch_ / "photos/4z.png", red_and_blue(100, 90));
  for (const auto& [limit, extra] : {std::pair<std::string, Words>{"4", {}}, {"20", {"--map"}}}) {
    auto words = extra;
    words.insert(words.end(), {"--workers", "2", "--output", "whole"});
    EXPECT_EQ(all(words).status, 4);
    const auto expected = contents(scratch_ / "whole");
    words.back() = "out";
    std::string line = "ulimit -f " + limit + "; fovea";
    for (const auto& word : command(words)) line += " " + word;
    const auto outcome = shell(line);
    EXPECT_EQ(outcome.status, 1) << outcome.err;
    EXPECT_NE(outcome.err.find("cannot be written"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("the same command goes on with the rest"), std::string::npos)
        << outcome.err;
    EXPECT_EQ(results().back(), '\n') << "no line in part";
    EXPECT_GE(lines().size(), 1U);
    EXPECT_LT(lines().size(), 12U);
    for (const auto& [name, bytes] : contents(scratch_ / "out"))
      EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
    EXPECT_EQ(all(words).status, 4);
    EXPECT_EQ(differences(contents(scratch_ / "out"), expected), Words{});
    for (const auto* folder : {"out", "whole"}) fs::remove_all(scratch_ / folder);
  }
  EXPECT_EQ(shell("ulimit -f 0; fovea explain-all --model net.onnx --images photos --output out "
                  "--overlay")
                .status,
            1);
  EXPECT_FALSE(fs::exists(scratch_ / "out"));
}

TEST_F(ManyPhotosAgain, DoNotMeetEachOther) {
  fs::create_directory(scratch_ / "out");
  {
    const cli::FolderLock other(scratch_ / "out");
    expect_refused(all(with_files()), 2, "another call writes into this folder");
    EXPECT_TRUE(fs::is_empty(scratch_ / "out"));
  }
  EXPECT_EQ(all(with_files()).status, 4);
}

TEST_F(ManyPhotosAgain, SayHowFarTheyAre) {
  const auto outcome = all(with_files({"--progress", "json", "--json"}));
  EXPECT_EQ(outcome.status, 4);
  std::istringstream err(outcome.err);
  std::vector<json> told;
  for (std::string line; std::getline(err, line);)
    if (line.starts_with('{')) told.push_back(json::parse(line));
  ASSERT_GE(told.size(), 2U) << outcome.err;
  EXPECT_EQ(told.front(), (json{{"done", 0},
                                {"total", 11},
                                {"ok", 0},
                                {"failed", 0},
                                {"photos_per_second", nullptr},
                                {"seconds_left", nullptr}}));
  EXPECT_EQ(told.back()["done"], 11);
  EXPECT_EQ(told.back()["failed"], 1);
  EXPECT_EQ(told.back()["seconds_left"], 0);
  EXPECT_GT(told.back()["photos_per_second"], 0);
  const auto summary = json::parse(outcome.out);
  EXPECT_EQ(summary["ok"], 10);
  EXPECT_EQ(summary["failed"], 1);
  EXPECT_EQ(summary["workers"], 2);
  EXPECT_EQ(summary["threads"], 1);
  EXPECT_EQ(summary["method"], "gradcam");
  EXPECT_EQ(all(with_files({"--output", "none", "--progress", "none"})).err.find('{'),
            std::string::npos);

  auto words = command({"--output", "shown", "--method", "rise", "--option", "masks=20000"});
  words.insert(words.begin(),
               {"timeout", "--foreground", "--preserve-status", "-s", "INT", "3", "fovea"});
  const auto shown = run_command_on_terminal(words, scratch_.path()).err;
  EXPECT_NE(shown.find("\r[....................] 0/11"), std::string::npos) << shown;
}

}  // namespace
}  // namespace fovea::cli_test
