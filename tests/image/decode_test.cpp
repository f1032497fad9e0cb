#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

struct Pair {
  const char* sample;
  const char* pixels;
};

class DecodesAsPillow : public testing::TestWithParam<Pair> {};

TEST_P(DecodesAsPillow, ToTheByte) {
  const Image got = decode_image(golden(GetParam().sample));
  EXPECT_EQ(largest_difference(got, golden_picture(GetParam().pixels)), 0);
}

std::string name_of(const testing::TestParamInfo<Pair>& pair) {
  std::string name = pair.param.sample;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Samples, DecodesAsPillow,
    testing::Values(
        Pair{"baseline.jpg", "baseline.ppm"}, Pair{"full_chroma.jpg", "full_chroma.ppm"},
        Pair{"half_chroma.jpg", "half_chroma.ppm"}, Pair{"progressive.jpg", "progressive.ppm"},
        Pair{"restarts.jpg", "restarts.ppm"}, Pair{"grey.jpg", "grey.ppm"},
        Pair{"cmyk.jpg", "cmyk.ppm"}, Pair{"rgb.png", "rgb.ppm"},
        Pair{"rgb_interlaced.png", "rgb.ppm"}, Pair{"rgb16.png", "rgb.ppm"},
        Pair{"rgba.png", "rgb.ppm"}, Pair{"key.png", "rgb.ppm"},
        Pair{"grey.png", "grey_levels.ppm"}, Pair{"grey16.png", "grey_levels.ppm"},
        Pair{"grey_alpha.png", "grey_levels.ppm"}, Pair{"palette.png", "palette.ppm"},
        Pair{"palette4.png", "palette.ppm"}, Pair{"rgb.bmp", "rgb.ppm"},
        Pair{"top_down.bmp", "rgb.ppm"}, Pair{"core.bmp", "rgb.ppm"}, Pair{"rgbx.bmp", "rgb.ppm"},
        Pair{"masks32.bmp", "rgb.ppm"}, Pair{"palette8.bmp", "palette.ppm"},
        Pair{"palette4.bmp", "palette.ppm"}, Pair{"lossy.webp", "lossy.ppm"},
        Pair{"lossless.webp", "rgb.ppm"}, Pair{"alpha.webp", "rgb.ppm"}),
    name_of);

TEST(Decode, PngOfOneAndTwoBits) {
  const auto expected = golden_pictures("bits.ppm");
  EXPECT_EQ(largest_difference(decode_image(golden("bits1.png")), expected.at(0)), 0);
  EXPECT_EQ(largest_difference(decode_image(golden("bits2.png")), expected.at(1)), 0);
}

TEST(Decode, GoesByContentNotByExtension) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "really_a_png.jpg";
  std::filesystem::copy_file(golden_path("rgb.png"), file);
  EXPECT_EQ(largest_difference(read_image(file), golden_picture("rgb.ppm")), 0);
}

TEST(Decode, IgnoresWhatFollowsTheImage) {
  for (const char* name : {"baseline.jpg", "rgb.png", "rgb.bmp", "lossless.webp"}) {
    Bytes bytes = golden(name);
    const Image expected = decode_image(bytes);
    bytes.resize(bytes.size() + 1000, std::byte{0x5A});
    EXPECT_EQ(largest_difference(decode_image(bytes), expected), 0) << name;
  }
}

/// Writes to a pipe that is read meanwhile, as often as `times`, until nobody reads any more.
std::thread writer(const std::filesystem::path& pipe, const Bytes& bytes, std::size_t times) {
  std::signal(SIGPIPE, SIG_IGN);
  return std::thread([=] {
    const int to = ::open(pipe.c_str(), O_WRONLY);
    for (std::size_t i = 0; i < times; ++i)
      if (::write(to, bytes.data(), bytes.size()) < 0) break;
    ::close(to);
  });
}

TEST(Decode, ReadsPipes) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe.png";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto writing = writer(pipe, golden("rgb.png"), 1);
  EXPECT_EQ(largest_difference(read_image(pipe), golden_picture("rgb.ppm")), 0);
  writing.join();
}

TEST(Decode, EndsAPipeThatIsNoImage) {
  const TemporaryFolder folder;
  const auto pipe = folder.path() / "pipe.png";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto writing = writer(pipe, Bytes(1 << 16), std::numeric_limits<std::size_t>::max());
  EXPECT_THROW(read_image(pipe), Error);
  writing.join();
}

TEST(Decode, RefusesWhatIsNoImageAndNamesTheFile) {
  const TemporaryFolder folder;
  const auto text = folder.path() / "notes.jpg";
  std::ofstream(text) << "not a picture\n";
  const auto empty = folder.path() / "empty.png";
  std::ofstream(empty).flush();
  const auto reason = [](const std::filesystem::path& file) {
    try {
      read_image(file);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
      EXPECT_EQ(error.context().file, file.string());
      return error.sentence();
    }
    return std::string("read");
  };
  EXPECT_EQ(reason(text), "not a JPEG, PNG, BMP, WebP or TIFF image");
  EXPECT_EQ(reason(empty), "the image file is empty");
  EXPECT_EQ(reason(folder.path()), "a directory, not an image: name a file in it");
  EXPECT_EQ(reason("/dev/zero"), "a device, not an image");
  const auto socket = folder.path() / "socket.png";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(socket.string().size(), sizeof address.sun_path);
  std::strcpy(address.sun_path, socket.c_str());
  const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(reason(socket), "a socket, not an image");
  ::close(listener);
  EXPECT_EQ(reason(folder.path() / "none.png"), "cannot open the image: No such file or directory");
}

TEST(Decode, RefusesAnimationByName) {
  EXPECT_EQ(decoding_error(golden("animated.webp")).sentence(),
            "an animated WebP is not supported");
}

// Offsets of the extents in each header; a picture this large must be refused before it is decoded.
TEST(Decode, RefusesHugeDeclaredExtentsBeforeDecoding) {
  Bytes jpeg = golden("baseline.jpg");
  std::size_t frame = 0;
  while (byte_at(jpeg, frame) != 0xFF || byte_at(jpeg, frame + 1) != 0xC0) ++frame;
  put(jpeg, frame + 5, {0xFF, 0xDC, 0xFF, 0xDC});
  Bytes png = golden("rgb.png");
  put(png, 16, {0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF});
  Bytes bmp = golden("rgb.bmp");
  put(bmp, 18, {0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0});
  Bytes webp = golden("lossless.webp");
  put(webp, 21, {0xFF, 0xFF, 0xFF, byte_at(webp, 24) | 0x0Fu});
  for (const Bytes& bytes : {jpeg, png, bmp, webp}) {
    const Error error = decoding_error(bytes);
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_NE(error.sentence().find("too large"), std::string::npos) << error.what();
  }
  // One side within the limit, the product not.
  put(png, 16, {0, 0, 0x40, 0, 0, 0, 0x10, 0x01});
  EXPECT_NE(decoding_error(png).sentence().find("too large: 16384 x 4097"), std::string::npos);
}

TEST(Decode, RefusesExtentsOfZero) {
  Bytes jpeg = golden("baseline.jpg");
  std::size_t frame = 0;
  while (byte_at(jpeg, frame) != 0xFF || byte_at(jpeg, frame + 1) != 0xC0) ++frame;
  put(jpeg, frame + 5, {0, 0});
  EXPECT_EQ(decoding_error(jpeg).code(), ErrorCode::bad_input);
  Bytes png = golden("rgb.png");
  put(png, 16, {0, 0, 0, 0});
  Bytes bmp = golden("rgb.bmp");
  put(bmp, 22, {0, 0, 0, 0});
  for (const Bytes& bytes : {png, bmp})
    EXPECT_EQ(decoding_error(bytes).sentence(), "the image has no pixels");
}

}  // namespace
}  // namespace fovea::image::test
