#include "outputs.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "fovea/error.hpp"
#include "program.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;
using cli_test::read_file;
using cli_test::Scratch;
using cli_test::write_file;
using Names = std::vector<std::string>;

ErrorCode refusal(const std::string& file, std::span<const std::string_view> extensions = {},
                  const Names& inputs = {}) {
  try {
    check_output(file, extensions, inputs);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;  // it was not refused
}

TEST(Outputs, AppearTogether) {
  const Scratch scratch;
  OutputFiles files;
  files.add(scratch / "a.txt", "one");
  files.add(scratch / "b.txt", "two");
  EXPECT_TRUE(scratch.names().empty());
  files.write();
  files.keep();
  EXPECT_EQ(scratch.names(), (Names{"a.txt", "b.txt"}));
  EXPECT_EQ(read_file(scratch / "a.txt"), "one");
  EXPECT_EQ(read_file(scratch / "b.txt"), "two");
}

TEST(Outputs, GoTogetherWhenOneFails) {
  const Scratch scratch;
  fs::create_directory(scratch / "later");
  {
    OutputFiles files;
    files.add(scratch / "a.txt", "one");
    files.add(scratch / "later/b.txt", "two");
    fs::remove(scratch / "later");  // between the check and the writing
    EXPECT_THROW(files.write(), Error);
  }
  EXPECT_TRUE(scratch.names().empty());
}

TEST(Outputs, GoWhenNotKept) {
  const Scratch scratch;
  {
    OutputFiles files;
    files.add(scratch / "a.txt", "one");
    files.write();
    EXPECT_EQ(scratch.names(), Names{"a.txt"});
  }
  EXPECT_TRUE(scratch.names().empty());
}

TEST(Outputs, ReplaceWhatALinkLeadsTo) {
  const Scratch scratch;
  write_file(scratch / "real.txt", "before");
  fs::create_symlink(scratch / "real.txt", scratch / "link.txt");
  OutputFiles files;
  files.add(scratch / "link.txt", "after");
  files.write();
  files.keep();
  EXPECT_TRUE(fs::is_symlink(scratch / "link.txt"));
  EXPECT_EQ(read_file(scratch / "real.txt"), "after");
}

TEST(Outputs, LeaveDevicesAlone) {
  OutputFiles files;
  files.add("/dev/null", "gone");
  files.write();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(Outputs, HaveNamesOfTheirOwn) {
  const Scratch scratch;
  OutputFiles files;
  files.add(scratch / "a.txt", "one");
  EXPECT_THROW(files.add(scratch / "./a.txt", "two"), Error);
}

TEST(Outputs, AreCheckedBeforeAnyWork) {
  const Scratch scratch;
  write_file(scratch / "photo.png", "x");
  fs::create_directory(scratch / "folder.png");
  EXPECT_EQ(refusal(scratch / "a.gif", picture_extensions()), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(scratch / "a", tensor_extensions()), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(""), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(scratch / "missing/a.png", picture_extensions()), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(scratch / "folder.png", picture_extensions()), ErrorCode::invalid_argument);
  EXPECT_EQ(refusal(scratch / "photo.png", picture_extensions(), {scratch / "./photo.png"}),
            ErrorCode::invalid_argument);
  fs::create_hard_link(scratch / "photo.png", scratch / "linked.png");
  EXPECT_EQ(refusal(scratch / "linked.png", picture_extensions(), {scratch / "photo.png"}),
            ErrorCode::invalid_argument);
  EXPECT_NO_THROW(check_output(scratch / "new.png", picture_extensions(),
                               Names{scratch / "gone.png", scratch / "photo.png"}));
  EXPECT_NO_THROW(check_output(scratch / "A.PNG", picture_extensions(), {}));
  EXPECT_NO_THROW(check_output(scratch / "photo.png", picture_extensions(), {}));
}

TEST(Outputs, SuffixGoesBeforeTheExtension) {
  EXPECT_EQ(with_suffix("overlay.png", ""), "overlay.png");
  EXPECT_EQ(with_suffix("overlay.png", "2"), "overlay-2.png");
  EXPECT_EQ(with_suffix("out.d/overlay.v1.png", "3-1"), "out.d/overlay.v1-3-1.png");
}

}  // namespace
}  // namespace fovea::cli
