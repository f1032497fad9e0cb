// What a file's name may stand for: a file, or a pipe. Devices have no end.
#include <functional>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

using Words = std::vector<std::string>;

class InputFiles : public testing::Test {
 protected:
  void SetUp() override {
    write_image(scratch_ / "photo.png", red_and_blue(40, 30));
    write_npy(scratch_ / "x.npy", some_colours());
    write_file(scratch_ / "labels.txt", "red\ngreen\nblue\n");
    write_file(scratch_ / "recipe.json", R"({"geometry": "stretch"})");
  }

  Outcome shell(const std::string& command) const {
    return run_command({"sh", "-c", command}, scratch_.path());
  }

  /// The options of a call that reads `name` in the place of one of its files.
  static Words reading(const std::string& option, const std::string& name) {
    Words out{"explain", "--model", fixture("colours"), "--map", "map.npy"};
    if (option != "--input") out.insert(out.end(), {"--image", "photo.png"});
    if (option == "--image") out.back() = name;
    if (option != "--image") out.insert(out.end(), {option, name});
    return out;
  }

  static std::string line(const Words& arguments) {
    std::string out = "fovea";
    for (const auto& argument : arguments) out += " '" + argument + "'";
    return out;
  }

  Scratch scratch_;
};

const Words kOptions{"--image", "--input", "--labels", "--replay"};

TEST_F(InputFiles, DevicesAndDirectoriesAreRefusedByName) {
  const auto before = scratch_.names();
  for (const auto& option : kOptions)
    for (const auto& [name, kind] :
         {std::pair{"/dev/zero", "a device"}, std::pair{"/tmp", "a directory"}}) {
      const auto outcome = scratch_.fovea(reading(option, name));
      EXPECT_TRUE(outcome.status == 2 || outcome.status == 4) << option << outcome.err;
      EXPECT_NE(outcome.err.find(name), std::string::npos) << option << outcome.err;
      EXPECT_NE(outcome.err.find(kind), std::string::npos) << option << outcome.err;
      EXPECT_EQ(scratch_.names(), before);
    }
  const auto outcome = scratch_.fovea({"inspect", "--model", "/dev/zero"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_NE(outcome.err.find("/dev/zero"), std::string::npos) << outcome.err;
}

TEST_F(InputFiles, PipesAreRead) {
  for (const auto& [option, file] :
       {std::pair{"--image", "photo.png"}, std::pair{"--input", "x.npy"},
        std::pair{"--labels", "labels.txt"}, std::pair{"--preprocess", "recipe.json"}}) {
    const auto named = scratch_.fovea(reading(option, file));
    ASSERT_EQ(named.status, 0) << named.err;
    const auto expected = read_file(scratch_ / "map.npy");
    const auto fifo =
        shell("mkfifo pipe.json; cat " + std::string(file) + " > pipe.json & " +
              line(reading(option, "pipe.json")) + "; status=$?; rm pipe.json; exit $status");
    EXPECT_EQ(fifo.status, 0) << option << fifo.err;
    EXPECT_EQ(read_file(scratch_ / "map.npy"), expected) << option;
    if (option == std::string("--preprocess")) continue;  // a recipe's file ends in .json
    const auto piped =
        shell("cat " + std::string(file) + " | " + line(reading(option, "/dev/stdin")));
    EXPECT_EQ(piped.status, 0) << option << piped.err;
    EXPECT_EQ(read_file(scratch_ / "map.npy"), expected) << option;
  }
}

TEST_F(InputFiles, PipesWithoutAnEndAreLeft) {
  const auto before = scratch_.names();
  for (const auto& option : kOptions) {
    const auto outcome = shell("cat /dev/zero | " + line(reading(option, "/dev/stdin")));
    EXPECT_TRUE(outcome.status == 2 || outcome.status == 4) << option << outcome.err;
    EXPECT_NE(outcome.err.find("/dev/stdin"), std::string::npos) << option << outcome.err;
    EXPECT_EQ(scratch_.names(), before);
  }
  // A tensor's header says how much must come.
  for (const auto* tail : {"cat x.npy /dev/zero", "head -c 1000 x.npy"}) {
    const auto outcome = shell(std::string(tail) + " | " + line(reading("--input", "/dev/stdin")));
    EXPECT_EQ(outcome.status, 4) << tail << outcome.err;
    EXPECT_NE(outcome.err.find(".npy"), std::string::npos) << tail << outcome.err;
  }
}

TEST_F(InputFiles, AnIndexWaitsForNoPipe) {
  const auto outcome =
      shell("mkdir photos; cp photo.png photos; mkfifo photos/pipe.png; fovea index --model '" +
            fixture("colours") +
            "' --images photos --layer features -o index; status=$?; rm -r photos; "
            "exit $status");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("1 picture of 1"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace fovea::cli_test
