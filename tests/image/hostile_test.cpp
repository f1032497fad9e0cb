#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "image/support.hpp"

// What may come from anybody: files cut, spliced and damaged. The answer is an Error or a whole
// image, never a crash, never a picture with an invented rest, and never a line on stderr.
namespace fovea::image::test {
namespace {

class Hostile : public testing::TestWithParam<std::string> {};

TEST_P(Hostile, EveryPrefixIsRefused) {
  const Bytes whole = golden(GetParam());
  ASSERT_NO_THROW(decode_image(whole));
  StderrCapture capture;
  std::size_t accepted = 0, wrong_code = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const Error error = decoding_error(Bytes(whole.begin(), whole.begin() + static_cast<int>(n)));
    if (error.sentence().empty()) ++accepted;
    if (error.code() != ErrorCode::bad_input) ++wrong_code;
  }
  EXPECT_EQ(accepted, 0u) << "of " << whole.size();
  EXPECT_EQ(wrong_code, 0u);
  EXPECT_EQ(capture.text(), "");
}

TEST_P(Hostile, FlippedBytesGiveAnErrorOrAWholeImage) {
  const Bytes whole = golden(GetParam());
  Random random(static_cast<std::uint32_t>(whole.size()));
  StderrCapture capture;
  for (int round = 0; round < 400; ++round) {
    Bytes damaged = whole;
    const int flips = 1 + static_cast<int>(random.next() % 4);
    for (int i = 0; i < flips; ++i)
      damaged[random.next() % damaged.size()] = static_cast<std::byte>(random.next() >> 24);
    try {
      const Image image = decode_image(damaged);
      ASSERT_GT(image.width, 0);
      ASSERT_GT(image.height, 0);
      ASSERT_EQ(image.rgb.size(),
                3 * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::bad_input) << error.what();
    }
  }
  EXPECT_EQ(capture.text(), "");
}

std::string name_of(const testing::TestParamInfo<std::string>& sample) {
  std::string name = sample.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Samples, Hostile, testing::ValuesIn(sample_names()), name_of);

// --- JPEG ---

constexpr std::uint8_t kStartOfScan = 0xDA;

// Where the markers of a kind stand; inside entropy-coded data 0xFF is always followed by 0.
std::vector<std::size_t> markers(const Bytes& jpeg, std::uint8_t kind) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i)
    if (byte_at(jpeg, i) == 0xFF && byte_at(jpeg, i + 1) == kind) found.push_back(i);
  return found;
}

TEST(HostileJpeg, CutWithAnEndMarkerAppendedIsRefused) {
  for (const char* name : {"baseline.jpg", "restarts.jpg", "grey.jpg", "cmyk.jpg"}) {
    const Bytes whole = golden(name);
    const std::size_t data = markers(whole, kStartOfScan).front() + 14;
    std::size_t accepted = 0;
    for (std::size_t n = data; n + 12 < whole.size(); ++n) {
      Bytes cut(whole.begin(), whole.begin() + static_cast<int>(n));
      cut.push_back(std::byte{0xFF});
      cut.push_back(std::byte{0xD9});
      if (decoding_error(cut).sentence().empty()) ++accepted;
    }
    EXPECT_EQ(accepted, 0u) << name;
  }
}

// In a few of these the last pixels are decoded without a look beyond the last byte: only looking
// for the end marker tells that it is missing.
TEST(HostileJpeg, MissingEndMarkerIsRefused) {
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    Bytes bytes = encode_image(noise(17, 8, seed), ".jpg");
    bytes.resize(bytes.size() - 2);
    EXPECT_EQ(decoding_error(bytes).code(), ErrorCode::bad_input) << seed;
  }
}

TEST(HostileJpeg, SaysThatItIsCut) {
  Bytes half = golden("baseline.jpg");
  half.resize(half.size() - 100);
  const std::string sentence = decoding_error(half).sentence();
  EXPECT_NE(sentence.find("cut off"), std::string::npos) << sentence;
}

TEST(HostileJpeg, ScansWithoutEndAreRefused) {
  const Bytes whole = golden("progressive.jpg");
  const auto scans = markers(whole, kStartOfScan);
  ASSERT_GE(scans.size(), 2u);
  const auto first = whole.begin() + static_cast<int>(scans[0]);
  // Up to the tables of the second scan.
  const auto tables = markers(whole, 0xC4);
  const auto next =
      *std::find_if(tables.begin(), tables.end(), [&](std::size_t at) { return at > scans[0]; });
  const Bytes scan(first, whole.begin() + static_cast<int>(next));
  Bytes bomb(whole.begin(), first);
  for (int i = 0; i < 5000; ++i) bomb.insert(bomb.end(), scan.begin(), scan.end());
  bomb.insert(bomb.end(), first, whole.end());
  const std::string sentence = decoding_error(bomb).sentence();
  EXPECT_NE(sentence.find("more than 100 scans"), std::string::npos) << sentence;
}

TEST(HostileJpeg, BytesBetweenSegmentsAreHarmless) {
  Bytes bytes = golden("baseline.jpg");
  const Image expected = decode_image(bytes);
  const auto end = bytes.end() - 2;
  bytes.insert(end, {std::byte{1}, std::byte{2}, std::byte{3}});
  StderrCapture capture;
  EXPECT_EQ(largest_difference(decode_image(bytes), expected), 0);
  EXPECT_EQ(capture.text(), "");
}

// --- PNG ---

TEST(HostilePng, WrongChecksumOfPixelsIsRefused) {
  Bytes bytes = golden("rgb.png");
  const std::size_t checksum = bytes.size() - 12 - 4;  // IDAT's, before IEND
  put(bytes, checksum, {byte_at(bytes, checksum) ^ 1u});
  StderrCapture capture;
  EXPECT_EQ(decoding_error(bytes).code(), ErrorCode::bad_input);
  EXPECT_EQ(capture.text(), "");
}

TEST(HostilePng, DamagedCommentsAreHarmless) {
  const Bytes whole = golden("turned.png");
  const std::string text(reinterpret_cast<const char*>(whole.data()), whole.size());
  const std::size_t comment = text.find("zTXt");
  ASSERT_NE(comment, std::string::npos);
  Bytes bytes = whole;
  put(bytes, comment + 15, {0xAA, 0xBB});
  StderrCapture capture;
  EXPECT_EQ(largest_difference(decode_image(bytes), decode_image(whole)), 0);
  EXPECT_EQ(capture.text(), "");
}

// --- WebP ---

// Sizes that agree with each other do not make the pixels whole.
TEST(HostileWebp, PixelsCutInsideASoundContainerAreRefused) {
  for (const char* name : {"lossy.webp", "lossless.webp"}) {
    const Bytes whole = golden(name);
    constexpr std::size_t kHeaders = 20, kExtents = 10;
    std::size_t accepted = 0, tried = 0;
    for (std::size_t data = kExtents; data < (whole.size() - kHeaders) * 9 / 10; data += 2) {
      Bytes cut(whole.begin(), whole.begin() + static_cast<int>(kHeaders + data));
      const auto riff = static_cast<unsigned>(cut.size() - 8), chunk = static_cast<unsigned>(data);
      put(cut, 4, {riff & 0xFF, riff >> 8 & 0xFF, riff >> 16 & 0xFF, 0});
      put(cut, 16, {chunk & 0xFF, chunk >> 8 & 0xFF, chunk >> 16 & 0xFF, 0});
      ++tried;
      const Error error = decoding_error(cut);
      if (error.sentence().empty()) ++accepted;
      if (error.code() != ErrorCode::bad_input) ADD_FAILURE() << name << ' ' << data;
    }
    EXPECT_GT(tried, 50u) << name;
    EXPECT_EQ(accepted, 0u) << name << ", of " << tried;
  }
}

}  // namespace
}  // namespace fovea::image::test
