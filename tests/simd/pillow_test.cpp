#include <array>
#include <fstream>
#include <iterator>

#include "simd/reference.hpp"
#include "simd/resize.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

/// One record of golden/pillow.bin (see make_pillow.py).
struct Golden {
  i64 channels, sw, sh, dw, dh;
  std::array<double, 4> box;
  std::vector<u8> src, dst;

  std::string name() const {
    return std::to_string(sw) + "x" + std::to_string(sh) + "x" + std::to_string(channels) + " to " +
           std::to_string(dw) + "x" + std::to_string(dh);
  }
};

std::vector<Golden> read_goldens() {
  std::ifstream file(FOVEA_SOURCE_DIR "/tests/simd/golden/pillow.bin", std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  std::size_t at = 0;
  const auto take = [&](void* to, std::size_t n) {
    if (at + n > bytes.size()) throw std::out_of_range("pillow.bin is cut short");
    std::memcpy(to, bytes.data() + at, n);
    at += n;
  };
  std::vector<Golden> all;
  while (at < bytes.size()) {
    std::array<std::int32_t, 5> sizes{};
    Golden g{};
    take(sizes.data(), sizeof sizes);
    take(g.box.data(), sizeof g.box);
    g.channels = sizes[0];
    g.sw = sizes[1];
    g.sh = sizes[2];
    g.dw = sizes[3];
    g.dh = sizes[4];
    g.src.resize(static_cast<std::size_t>(g.sw * g.sh * g.channels));
    const i64 out = g.dw == 0 ? g.sw * g.sh : g.dw * g.dh * g.channels;
    g.dst.resize(static_cast<std::size_t>(out));
    take(g.src.data(), g.src.size());
    take(g.dst.data(), g.dst.size());
    all.push_back(std::move(g));
  }
  return all;
}

class PillowTest : public SimdTest {};
FOVEA_SIMD_SUITE(PillowTest);

/// Both passes, each in two pieces, every buffer fenced.
std::vector<u8> resize(const Kernels& k, const Golden& g, bool* intact) {
  const PillowTaps columns(g.sw, g.dw, g.box[0], g.box[2]);
  const PillowTaps rows(g.sh, g.dh, g.box[1], g.box[3]);
  Fenced<u8> src{g.src};
  Fenced<u8> middle(g.dw * g.sh * g.channels);
  Fenced<u8> dst(g.dw * g.dh * g.channels);
  const i64 stride = g.dw * g.channels;
  for (const auto& [begin, end] : {std::pair(i64{0}, g.sh / 3), std::pair(g.sh / 3, g.sh)})
    k.pillow_columns(src.data(), g.sw * g.channels, g.sw, g.channels, columns.axis(), g.dw, begin,
                     end, middle.data(), stride);
  for (const auto& [begin, end] : {std::pair(g.dh / 3, g.dh), std::pair(i64{0}, g.dh / 3)})
    k.pillow_rows(middle.data(), stride, stride, rows.axis(), begin, end, dst.data(), stride);
  *intact = middle.intact() && dst.intact();
  return dst.copy();
}

TEST_P(PillowTest, ResizeEqualsPillowByteForByte) {
  int compared = 0;
  for (const Golden& g : read_goldens()) {
    if (g.dw == 0) continue;
    bool intact = false;
    EXPECT_EQ(resize(k(), g, &intact), g.dst) << g.name();
    EXPECT_TRUE(intact) << g.name();
    ++compared;
  }
  EXPECT_EQ(compared, 22);
}

// Filters with negative weights leave 0..255 and are cut to it: black beside white shows.
TEST_P(PillowTest, EveryFilterAsItsTapsSay) {
  std::mt19937 random(11);
  const auto upto = [&](i64 most) { return 1 + static_cast<i64>(random() % std::uint32_t(most)); };
  for (int round = 0; round < 150; ++round) {
    const auto filter = static_cast<PillowFilter>(round % 5);
    const auto precision = static_cast<TapPrecision>(round % 2);
    const i64 channels = std::array<i64, 3>{1, 3, 4}[random() % 3];
    const i64 sw = upto(70), sh = upto(70), dw = upto(50), dh = upto(50);
    auto bytes = random_bytes(sw * sh * channels, static_cast<unsigned>(random()));
    for (u8& byte : bytes) byte = byte < 85 ? 0 : byte > 170 ? 255 : byte;
    const PillowTaps columns(sw, dw, 0, static_cast<double>(sw), filter, precision);
    const PillowTaps rows(sh, dh, 0, static_cast<double>(sh), filter, precision);
    Fenced<u8> src{bytes}, middle(dw * sh * channels), dst(dw * dh * channels);
    const i64 stride = dw * channels;
    k().pillow_columns(src.data(), sw * channels, sw, channels, columns.axis(), dw, 0, sh,
                       middle.data(), stride);
    k().pillow_rows(middle.data(), stride, stride, rows.axis(), 0, dh, dst.data(), stride);
    for (i64 y = 0; y < sh; ++y)
      for (i64 i = 0; i < stride; ++i)
        ASSERT_EQ(middle[y * stride + i],
                  reference::pillow_output(src.data() + y * sw * channels + i % channels, channels,
                                           columns.axis(), i / channels))
            << round << " columns";
    for (i64 y = 0; y < dh; ++y)
      for (i64 i = 0; i < stride; ++i)
        ASSERT_EQ(dst[y * stride + i],
                  reference::pillow_output(middle.data() + i, stride, rows.axis(), y))
            << round << " rows";
  }
}

TEST_P(PillowTest, GreyEqualsPillowByteForByte) {
  int compared = 0;
  for (const Golden& g : read_goldens()) {
    if (g.dw != 0) continue;
    Fenced<u8> src{g.src};
    Fenced<u8> dst(g.sw * g.sh);
    k().grey(src.data(), g.channels, g.sw * g.sh, dst.data());
    EXPECT_EQ(dst.copy(), g.dst);
    EXPECT_TRUE(dst.intact());
    ++compared;
  }
  EXPECT_EQ(compared, 1);
}

TEST_P(PillowTest, StridesMayBeWiderThanTheRows) {
  const i64 sw = 20, sh = 9, dw = 7, channels = 3;
  Fenced<u8> src{random_bytes(sh * 64)};
  const PillowTaps columns(sw, dw);
  Fenced<u8> wide(sh * 40), tight(sh * dw * channels);
  std::fill_n(wide.data(), wide.size(), u8{7});
  k().pillow_columns(src.data(), 64, sw, channels, columns.axis(), dw, 0, sh, wide.data(), 40);
  std::vector<u8> packed;
  for (i64 y = 0; y < sh; ++y)
    packed.insert(packed.end(), src.data() + y * 64, src.data() + y * 64 + sw * channels);
  k().pillow_columns(packed.data(), sw * channels, sw, channels, columns.axis(), dw, 0, sh,
                     tight.data(), dw * channels);
  for (i64 y = 0; y < sh; ++y)
    for (i64 x = 0; x < 40; ++x)
      ASSERT_EQ(wide[y * 40 + x], x < dw * channels ? tight[y * dw * channels + x] : 7);
}

TEST(PillowTaps, IdentityOnlyWhereNothingChanges) {
  EXPECT_TRUE(PillowTaps(33, 33).identity());
  EXPECT_FALSE(PillowTaps(33, 32).identity());
  EXPECT_FALSE(PillowTaps(33, 33, 0.5, 33).identity());
}

TEST(PillowTaps, SourceRangeCoversTheTaps) {
  const PillowTaps taps(100, 13);
  EXPECT_EQ(taps.first_source(0), 0);
  EXPECT_EQ(taps.last_source(13), 100);
  EXPECT_GT(taps.first_source(6), 30);
  EXPECT_LT(taps.last_source(7), 70);
  // What is left out reads nothing around its outputs, however far its filter reaches.
  const PillowTaps same(33, 33, 0, 33, PillowFilter::lanczos);
  EXPECT_EQ(same.first_source(5), 5);
  EXPECT_EQ(same.last_source(9), 9);
}

}  // namespace
}  // namespace fovea::simd::test
