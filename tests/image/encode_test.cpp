#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

namespace fs = std::filesystem;

ErrorCode code_of_writing(const fs::path& file, const Image& image) {
  try {
    write_image(file, image);
  } catch (const Error& error) {
    EXPECT_EQ(error.context().file, file.string());
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Encode, LosslessFormatsKeepEveryPixel) {
  const Image image = noise(37, 29, 1);
  for (const char* extension : {".png", ".bmp", ".webp", ".PNG"})
    EXPECT_EQ(largest_difference(decode_image(encode_image(image, extension)), image), 0)
        << extension;
}

TEST(Encode, JpegStaysClose) {
  const Image photo = golden_picture("photos.ppm");
  double sum = 0;
  const Image back = decode_image(encode_image(photo, ".jpeg"));
  ASSERT_EQ(back.rgb.size(), photo.rgb.size());
  for (std::size_t i = 0; i < back.rgb.size(); ++i)
    sum += std::abs(int{back.rgb[i]} - int{photo.rgb[i]});
  EXPECT_LT(sum / static_cast<double>(back.rgb.size()), 12.0);
  EXPECT_EQ(encode_image(photo, ".jpg"), encode_image(photo, ".JPG"));
}

TEST(Encode, WritesWhatItEncodes) {
  const TemporaryFolder folder;
  const Image image = noise(5, 4, 2);
  for (const char* name : {"a.png", "b.jpg", "c.jpeg", "d.bmp", "e.webp"}) {
    write_image(folder.path() / name, image);
    EXPECT_EQ(
        largest_difference(read_image(folder.path() / name),
                           decode_image(encode_image(image, fs::path(name).extension().string()))),
        0)
        << name;
  }
  EXPECT_EQ(folder.entries(), 5u);
}

TEST(Encode, ReplacesAFileAndFollowsALink) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.png", link = folder.path() / "b.png";
  write_image(file, noise(5, 4, 3));
  fs::create_symlink(file, link);
  const Image second = noise(6, 7, 4);
  write_image(link, second);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(largest_difference(read_image(file), second), 0);
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(Encode, RefusesAnUnknownExtensionBeforeAnyWork) {
  const TemporaryFolder folder;
  const Image broken{4, 4, {}};  // would be refused too, for another reason
  for (const char* name : {"a.gif", "a", "a.png.txt", ".png"}) {
    try {
      write_image(folder.path() / name, broken);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_NE(error.sentence().find("the extension must be"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Encode, RefusesAnImageWhoseSizesDisagree) {
  const TemporaryFolder folder;
  Image image = noise(5, 4, 5);
  image.rgb.pop_back();
  EXPECT_EQ(code_of_writing(folder.path() / "a.png", image), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of_writing(folder.path() / "a.png", Image{}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of_writing(folder.path() / "a.png", Image{-5, -4, image.rgb}),
            ErrorCode::invalid_argument);
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Encode, WebpHasASmallerLimit) {
  const Image wide{16384, 1, std::vector<std::uint8_t>(3 * 16384)};
  StderrCapture capture;
  try {
    encode_image(wide, ".webp");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.what();
  }
  EXPECT_EQ(decode_image(encode_image(wide, ".png")).width, 16384);
  EXPECT_EQ(capture.text(), "");
}

TEST(Encode, LeavesNothingBehindWhereItCannotWrite) {
  const TemporaryFolder folder;
  const Image image = noise(5, 4, 6);
  EXPECT_EQ(code_of_writing(folder.path() / "none" / "a.png", image), ErrorCode::bad_input);
  EXPECT_EQ(folder.entries(), 0u);
  // A directory stands where the file should be.
  fs::create_directory(folder.path() / "taken.png");
  EXPECT_EQ(code_of_writing(folder.path() / "taken.png", image), ErrorCode::bad_input);
  EXPECT_EQ(folder.entries(), 1u);
  // A pipe is not replaced by a file.
  const auto pipe = folder.path() / "pipe.png";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(code_of_writing(pipe, image), ErrorCode::bad_input);
  EXPECT_TRUE(fs::is_fifo(pipe));
  EXPECT_EQ(folder.entries(), 2u);
}

// A limit on the size of files stands in for a full disk: the write fails half-way.
class FullDisk {
 public:
  FullDisk() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &saved_);
    rlimit small = saved_;
    small.rlim_cur = 4096;
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &saved_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit saved_{};
  void (*handler_)(int);
};

TEST(Encode, LeavesNothingBehindOnAFullDisk) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.bmp";
  write_image(file, noise(2, 2, 7));
  ErrorCode code{};
  {
    const FullDisk full;
    code = code_of_writing(file, noise(200, 200, 8));
  }
  EXPECT_EQ(code, ErrorCode::bad_input);
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_EQ(largest_difference(read_image(file), noise(2, 2, 7)), 0);
}

TEST(Encode, LeavesNothingBehindInAFolderThatIsReadOnly) {
  if (::geteuid() == 0) GTEST_SKIP() << "the superuser may write everywhere";
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(code_of_writing(folder.path() / "a.png", noise(5, 4, 9)), ErrorCode::bad_input);
  fs::permissions(folder.path(), fs::perms::owner_all);
  EXPECT_EQ(folder.entries(), 0u);
}

}  // namespace
}  // namespace fovea::image::test
