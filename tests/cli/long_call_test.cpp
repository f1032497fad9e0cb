#include <gtest/gtest.h>

#include "colours.hpp"
#include "fovea/image.hpp"
#include "program.hpp"

/// What the program does during long calls: progress, and Ctrl-C.
namespace fovea::cli_test {
namespace {

using Names = std::vector<std::string>;

class LongCalls : public testing::Test {
 protected:
  void SetUp() override { write_image(scratch_ / "photo.png", red_and_blue(60, 40)); }

  Names rise(const std::string& masks) const {
    return {"fovea",    "explain",   "--model",      fixture("colours"),
            "--image",  "photo.png", "--preprocess", R"({"geometry": "stretch"})",
            "--method", "rise",      "--option",     "masks=" + masks,
            "--option", "cells=4",   "-o",           "out.png",
            "--map",    "map.npy"};
  }

  Scratch scratch_;
};

TEST_F(LongCalls, EndAtCtrlCAndLeaveNoFile) {
  auto command = rise("10000000");
  command.insert(command.begin(),
                 {"timeout", "--foreground", "--preserve-status", "--signal=INT", "2"});
  const auto outcome = run_command(command, scratch_.path());
  EXPECT_EQ(outcome.status, 130) << outcome.err;
  EXPECT_EQ(outcome.err, "fovea: error: interrupted\n");
  EXPECT_EQ(scratch_.names(), Names{"photo.png"});
}

TEST_F(LongCalls, EndAtCtrlCWhileTheExplainerIsMade) {
  const Names interrupted{"timeout", "--foreground", "--preserve-status", "--signal=INT", "2"};
  for (const Names& subcommand :
       {Names{"explain", "--image", "photo.png", "-o", "out.png", "--plan-cache", "cache"},
        Names{"bench", "--json", "out.json", "--plan-cache", "cache"}}) {
    Names command = interrupted;
    command.push_back("fovea");
    command.insert(command.end(), subcommand.begin(), subcommand.end());
    command.insert(command.end(), {"--model", fixture("slow_to_tune"), "--tune", "thorough"});
    const auto outcome = run_command(command, scratch_.path());
    EXPECT_EQ(outcome.status, 130) << outcome.err;
    EXPECT_EQ(outcome.err, "fovea: error: interrupted\n");
    EXPECT_EQ(scratch_.names(), Names{"photo.png"});
  }
}

TEST_F(LongCalls, TellATerminalHowFarTheyAre) {
  auto command = rise("10000000");
  command.insert(command.begin(),
                 {"timeout", "--foreground", "--preserve-status", "--signal=INT", "2"});
  const auto outcome = run_command_on_terminal(command, scratch_.path());
  EXPECT_NE(outcome.err.find("\rrise 0 %"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("\r        \r"), std::string::npos) << "the line is not erased";
}

TEST_F(LongCalls, TellNobodyElse) {
  const auto outcome = run_command(rise("20"), scratch_.path());
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(scratch_.names(), (Names{"map.npy", "out.png", "photo.png"}));
}

}  // namespace
}  // namespace fovea::cli_test
