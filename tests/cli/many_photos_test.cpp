// fovea explain-all: what comes out, and of which photos.
#include "many_photos.hpp"

#include <unistd.h>

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const Words kAllFiles = {"--overlay", "--heatmap", "--map", "--feature-map"};

Words joined(Words one, const Words& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

TEST_F(ManyPhotos, AreExplainedAsOneByOne) {
  write_photos();
  write_file(scratch_ / "photos/3a.jpg", "no picture");
  const Words how = {"--top", "2", "--preprocess", "raw", "--words", "--caption"};
  const auto outcome = all(joined(joined(kAllFiles, how), {"--workers", "3"}));
  EXPECT_EQ(outcome.status, 4) << outcome.err;
  EXPECT_NE(outcome.err.find("photos/3a.jpg"), std::string::npos) << outcome.err;
  const auto told = lines();
  ASSERT_EQ(told.size(), 12U);
  EXPECT_EQ(told.back(), (json{{"status", "done"}, {"photos", 11}, {"ok", 10}, {"failed", 1}}));
  int explained = 0;
  for (const auto& line : told) {
    if (line["status"] != "ok") continue;
    const std::string image = line["image"], name = line["name"];
    EXPECT_EQ(image, "photos/" + name);
    fs::create_directory(scratch_ / "one");
    auto one =
        joined({"explain", "--model", "net.onnx", "--image", image, "--threads", "1", "--box",
                "--output", "one/overlay.png", "--heatmap", "one/heatmap.png", "--map",
                "one/map.npy", "--feature-map", "one/feature-map.npy", "--json", "one/result.json"},
               how);
    expect_done(scratch_.fovea(one));
    for (const std::string kind : {"overlay", "heatmap"})
      for (const std::string target : {"-1", "-2"})
        EXPECT_EQ(read_file(scratch_ / ("out/" + kind + "/" + name + target + ".png")),
                  read_file(scratch_ / ("one/" + kind + target + ".png")))
            << name;
    for (const std::string kind : {"map", "feature-map"})
      EXPECT_EQ(read_file(scratch_ / ("out/" + kind + "/" + name + ".npy")),
                read_file(scratch_ / ("one/" + kind + ".npy")))
          << name;
    EXPECT_EQ(line["map_file"], "map/" + name + ".npy");
    EXPECT_EQ(line["feature_map_file"], "feature-map/" + name + ".npy");
    auto result = json::parse(read_file(scratch_ / "one/result.json"));
    EXPECT_EQ(line["sha256"], result["provenance"]["image"]["sha256"]);
    EXPECT_EQ(line["predictions"], result["predictions"]);
    EXPECT_EQ(line["seen"], result["seen"]);
    auto rows = result["images"][0]["explanations"];
    ASSERT_EQ(rows.size(), 2U);
    for (std::size_t t = 0; t < 2; ++t) {
      const auto end = name + "-" + std::to_string(t + 1) + ".png";
      rows[t]["overlay"] = "overlay/" + end;
      rows[t]["heatmap"] = "heatmap/" + end;
      EXPECT_TRUE(rows[t].contains("box") && rows[t].contains("sentence")) << rows[t];
    }
    EXPECT_EQ(line["explanations"], rows);
    fs::remove_all(scratch_ / "one");
    ++explained;
  }
  EXPECT_EQ(explained, 10);
  EXPECT_EQ(contents(scratch_ / "out").size(), 2U + 10 * (2 + 2 + 1 + 1));
}

TEST_F(ManyPhotos, HaveTheirOwnWarnings) {
  write_photos();
  write_file(scratch_ / "labels.txt", "red\ngreen\n");
  // That of the recipe is all photos', that of the labels is of each run.
  const auto outcome = all({"--labels", "labels.txt", "--workers", "2", "--preprocess",
                            R"({"std": [57, 57, 57]})", "--json"});
  expect_done(outcome);
  const auto of_all = json::parse(outcome.out)["warnings"];
  ASSERT_EQ(of_all.size(), 1U) << of_all;
  EXPECT_NE(of_all[0].get<std::string>().find("the recipe's std"), std::string::npos);
  for (const auto& line : lines()) {
    if (line["status"] != "ok") continue;
    ASSERT_EQ(line["warnings"].size(), 1U) << line;
    EXPECT_NE(line["warnings"][0].get<std::string>().find("2 labels for 3"), std::string::npos);
  }
}

TEST_F(ManyPhotos, AreTheSameHoweverManyAtOnce) {
  write_photos();
  expect_done(all(joined(kAllFiles, {"--workers", "1"})));
  const auto one = contents(scratch_ / "out");
  for (const std::string workers : {"2", "7"}) {
    fs::remove_all(scratch_ / "out");
    expect_done(all(joined(kAllFiles, {"--workers", workers})));
    EXPECT_EQ(differences(one, contents(scratch_ / "out")), Words{});
  }
}

TEST_F(ManyPhotos, HaveNoFilesThatNobodyAskedFor) {
  write_photos();
  expect_done(all());
  Words names;
  for (const auto& [name, bytes] : contents(scratch_ / "out")) names.push_back(name);
  EXPECT_EQ(names, (Words{"results.jsonl", "run.json"}));
  EXPECT_TRUE(lines().front()["explanations"][0].contains("box"));
  expect_done(all({"--output", "plain", "--no-box"}));
  EXPECT_FALSE(lines("plain").front()["explanations"][0].contains("box"));
}

TEST_F(ManyPhotos, ThatAreBrokenStopNothing) {
  write_photos();
  const auto good = read_file(scratch_ / "photos/0.png");
  write_file(scratch_ / "photos/00-first.png", "");
  write_file(scratch_ / "photos/4-cut.png", good.substr(0, good.size() / 2));
  // A header alone that says 20000 x 20000.
  std::string large = "BM" + std::string(52, '\0');
  large[10] = 54;
  large[14] = 40;
  for (const int at : {18, 22}) {
    large[static_cast<std::size_t>(at)] = 0x20;
    large[static_cast<std::size_t>(at) + 1] = 0x4e;
  }
  large[26] = 1;
  large[28] = 24;
  write_file(scratch_ / "photos/5-large.bmp", large);
  fs::create_symlink("nowhere.png", scratch_ / "photos/b/link.png");
  write_file(scratch_ / "photos/zz-last.webp", "RIFF");
  const auto outcome = all({"--map"});
  EXPECT_EQ(outcome.status, 4);
  std::map<std::string, std::string> errors;
  std::size_t ok = 0;
  for (const auto& line : lines()) {
    if (line["status"] == "ok") ++ok;
    if (line["status"] != "failed") continue;
    errors[line["image"]] = line["error"];
    EXPECT_NE(outcome.err.find(line["error"].get<std::string>()), std::string::npos);
    EXPECT_FALSE(fs::exists(scratch_ / ("out/map/" + line["name"].get<std::string>() + ".npy")));
  }
  EXPECT_EQ(ok, 10U);
  EXPECT_EQ(errors.size(), 5U) << outcome.err;
  EXPECT_NE(errors["photos/5-large.bmp"].find("too large"), std::string::npos);
  EXPECT_TRUE(errors.contains("photos/b/link.png"));
  EXPECT_NE(outcome.out.find("10 of 15 photos, 5 failed"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("fovea: error: 5 of 15 photos failed\n"), std::string::npos);
}

TEST_F(ManyPhotos, MayAllBeBroken) {
  write_file(scratch_ / "photos/a.png", "no");
  write_file(scratch_ / "photos/b.png", "no");
  EXPECT_EQ(all().status, 4);
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines()[1]["image"], "photos/b.png");
  EXPECT_EQ(lines().back()["failed"], 2);
  EXPECT_EQ(all().status, 4);
  EXPECT_EQ(lines().size(), 3U);
}

TEST_F(ManyPhotos, MayBeListed) {
  write_photos();
  const auto absolute = scratch_ / "photos/0.png";
  write_file(scratch_ / "list.txt", "photos/b/1.png\r\n\nphotos/0.png\nphotos/./b/1.png\n" +
                                        absolute + "\nphotos/../photos/3.png\nmissing.png");
  const auto listed = all({"--images", "list.txt", "--feature-map"});
  EXPECT_EQ(listed.status, 4) << listed.err;
  EXPECT_NE(listed.err.find("1 line of the list names an image that is there before"),
            std::string::npos)
      << listed.err;
  EXPECT_EQ(images_of_lines(), (Words{"photos/b/1.png", "photos/0.png", absolute,
                                      "photos/../photos/3.png", "missing.png"}));
  EXPECT_EQ(lines()[3]["name"], "photos/3.png");
  EXPECT_EQ(lines()[2]["name"], absolute.substr(1));
  const auto made = contents(scratch_ / "out");

  for (const std::string line :
       {"fovea explain-all --model net.onnx --output in --feature-map --images - < list.txt",
        "grep . list.txt | tr -d '\\r' | tr '\\n' '\\0' | fovea explain-all --model net.onnx "
        "--output in --feature-map --images -"}) {
    EXPECT_EQ(shell(line).status, 4);
    EXPECT_EQ(differences(made, contents(scratch_ / "in")), Words{}) << line;
    fs::remove_all(scratch_ / "in");
  }
}

TEST_F(ManyPhotos, OfLikeNamesDoNotShareFiles) {
  for (const std::string name : {"a.png", "a.bmp", "b/a.png"})
    write_image(scratch_ / ("photos/" + name),
                red_and_blue(24 + static_cast<int>(name.size()), 20));
  fs::create_directory(scratch_ / "up");
  fs::create_directory(scratch_ / "in");
  write_image(scratch_ / "up/c.png", red_and_blue(24, 20));
  write_image(scratch_ / "c.png", red_and_blue(20, 24));
  expect_done(all({"--overlay", "--format", "jpg"}));
  for (const auto* name : {"a.png.jpg", "a.bmp.jpg", "b/a.png.jpg"})
    EXPECT_TRUE(fs::exists(scratch_ / ("out/overlay/" + std::string(name)))) << name;
  // From a folder below, "../c.png" would be called as "up/c.png" is.
  write_file(scratch_ / "in/list.txt", "../c.png\nup/c.png\n");
  fs::rename(scratch_ / "up", scratch_ / "in/up");
  expect_done(
      shell("cd in && fovea explain-all --model ../net.onnx --images list.txt --output ../out2 "
            "--map"));
  ASSERT_EQ(lines("out2").size(), 3U);
  EXPECT_EQ(lines("out2")[0]["map_file"], "map/up/c.png.npy");
  EXPECT_EQ(lines("out2")[1]["map_file"], "map/up/c.png-2.npy");
  EXPECT_EQ(cli::read_npy(scratch_ / "out2/map/up/c.png-2.npy").shape, (Shape{20, 24}));
}

TEST_F(ManyPhotos, AreWantedAtLeastOnce) {
  expect_refused(all(), 4, "the folder holds no images");
  EXPECT_FALSE(fs::exists(scratch_ / "out"));
  write_photos();
  expect_refused(all({"--images", "nothing"}), 4, "nothing");
  expect_refused(all({"--images", "photos/0.png"}), 4, "'fovea explain' takes one");
  write_file(scratch_ / "empty.txt", "\n\n");
  expect_refused(all({"--images", "empty.txt"}), 4, "the list names no images");
  expect_refused(shell("printf '' | fovea explain-all --model net.onnx --output out --images -"), 4,
                 "the list names no images");
  EXPECT_EQ(scratch_.names(), (Words{"empty.txt", "net.onnx", "photos"}));
}

TEST_F(ManyPhotos, AreNotTheirOwnResults) {
  write_photos();
  expect_refused(all({"--output", "photos"}), 2, "the folder of photos");
  for (int i = 0; i < 2; ++i) {
    expect_done(all({"--output", "photos/why", "--overlay"}));
    EXPECT_EQ(lines("photos/why").size(), 11U);
  }
  expect_refused(all({"--output", "net.onnx"}), 2, "the output is a file");
}

TEST_F(ManyPhotos, ThatMayNotBeReadAreToldOf) {
  if (run_command({"setpriv", "--version"}, scratch_.path()).status != 0)
    GTEST_SKIP() << "setpriv is not there";
  write_photos();
  fs::create_directory(scratch_ / "photos/closed");
  write_image(scratch_ / "photos/closed/a.png", red_and_blue(24, 20));
  fs::permissions(scratch_.path(), fs::perms::all);
  fs::permissions(scratch_ / "photos/closed", fs::perms::none);
  // What root may read, nobody else does.
  const auto as_nobody = [&](const std::string& line) {
    return shell((::geteuid() == 0 ? "setpriv --reuid=65534 --clear-groups " : "") + line);
  };
  if (as_nobody("fovea version").status != 0)
    GTEST_SKIP() << "another user cannot run the program where it lies";
  const std::string line = "fovea explain-all --model net.onnx --output out --images ";
  const auto outcome = as_nobody(line + "photos");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("'photos/closed' cannot be read and is left out"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(lines().size(), 11U);
  expect_refused(as_nobody(line + "photos/closed"), 4, "the folder of images cannot be read");
  fs::permissions(scratch_ / "out", fs::perms::owner_read | fs::perms::owner_exec);
  fs::permissions(scratch_ / "photos/closed", fs::perms::all);
  const auto refused = as_nobody(line + "photos/closed");
  EXPECT_EQ(refused.status, 1) << refused.err;
  EXPECT_NE(refused.err.find("cannot be written"), std::string::npos) << refused.err;
  fs::permissions(scratch_ / "out", fs::perms::all);
}

TEST_F(ManyPhotos, AreOfATaskAsOneByOne) {
  fs::remove(scratch_ / "net.onnx");
  fs::copy_file(fixture("segments"), scratch_ / "net.onnx");
  write_photos();
  const Words task = {"--task",   "segmentation", "--preprocess", R"({"geometry": "stretch"})",
                      "--target", "mask:2"};
  const auto outcome = all(joined(task, {"--feature-map", "--workers", "2"}));
  expect_done(outcome);
  for (const auto& line : lines()) {
    if (line["status"] == "done") continue;
    const auto one = scratch_.fovea(
        joined({"explain", "--model", "net.onnx", "--image", line["image"], "--threads", "1",
                "--feature-map", "one.npy", "--json", "one.json", "--box"},
               task));
    expect_done(one);
    const auto result = json::parse(read_file(scratch_ / "one.json"));
    EXPECT_EQ(line["segments"], result["segments"]);
    EXPECT_EQ(line["explanations"], result["images"][0]["explanations"]);
    EXPECT_EQ(read_file(scratch_ / ("out/" + line["feature_map_file"].get<std::string>())),
              read_file(scratch_ / "one.npy"));
  }
}

TEST_F(ManyPhotos, AskForWhatAllOfThemHave) {
  write_photos();
  expect_refused(all({"--model", fixture("policy"), "--task", "policy"}), 2,
                 "a state from photo to photo");
  expect_refused(all({"--class", "99"}), 2, "class");
  EXPECT_FALSE(fs::exists(scratch_ / "out")) << "nothing was done";
  expect_refused(all({"--method", "gradcam,layercam"}), 2, "--method names several");
  expect_refused(all({"--box", "0.3", "--no-box"}), 2, "--no-box");
  expect_refused(all({"--box", "1"}), 2, "--box must be from 0 to below 1");
  expect_refused(all({"--alpha", "2"}), 2, "--alpha must be from 0 to 1");
  expect_refused(all({"--percentile", "101"}), 2, "--percentile must be from 0 to 100");
  expect_refused(all({"--layer", "nowhere"}), 2, "nowhere");
  const Words two = {"explain-all", "net.onnx", "other.onnx", "--images", "photos", "-o", "out"};
  expect_refused(scratch_.fovea(two), 2, "too many");
  EXPECT_FALSE(fs::exists(scratch_ / "out"));
}

}  // namespace
}  // namespace fovea::cli_test
