// Texts in a PNG: what libpng reads of what we write, and what we read of what others write.
#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "image/support.hpp"

namespace fovea::image::test {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(const std::vector<ImageText>& texts) {
  Pairs out;
  for (const auto& [key, text] : texts) out.emplace_back(key, text);
  return out;
}

Bytes with(std::vector<ImageText> texts) {
  return encode_image(noise(9, 7, 3), ".png", {std::move(texts)});
}

/// Key and text of each of the file's texts as libpng sees them, which checks every chunk.
Pairs seen_by_libpng(const Bytes& file) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::pair<const Bytes*, std::size_t> source{&file, 0};
  png_set_read_fn(png, &source, [](png_structp p, png_bytep to, std::size_t count) {
    auto& [bytes, at] = *static_cast<std::pair<const Bytes*, std::size_t>*>(png_get_io_ptr(p));
    std::memcpy(to, bytes->data() + at, count);
    at += count;
  });
  png_read_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(png, info, &texts, &count);
  Pairs out;
  for (int i = 0; i < count; ++i) {
    const bool is_utf8 = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    out.emplace_back(texts[i].key, std::string(texts[i].text, is_utf8 ? texts[i].itxt_length
                                                                      : texts[i].text_length));
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return out;
}

/// A small PNG with chunks that libpng itself wrote.
Bytes written_by_libpng(std::vector<png_text> texts, bool behind_the_pixels) {
  Bytes out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep from, std::size_t count) {
        auto& bytes = *static_cast<Bytes*>(png_get_io_ptr(p));
        const auto* first = reinterpret_cast<const std::byte*>(from);
        bytes.insert(bytes.end(), first, first + count);
      },
      nullptr);
  png_set_IHDR(png, info, 1, 1, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  const auto set = [&] { png_set_text(png, info, texts.data(), static_cast<int>(texts.size())); };
  if (!behind_the_pixels) set();
  png_write_info(png, info);
  const png_byte row[] = {1, 2, 3};
  png_write_row(png, row);
  if (behind_the_pixels) set();
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

png_text text_of(int compression, const char* key, std::string& text) {
  png_text out{};
  out.compression = compression;
  out.key = const_cast<char*>(key);
  out.text = text.data();
  if (compression >= PNG_ITXT_COMPRESSION_NONE)
    out.itxt_length = text.size();
  else
    out.text_length = text.size();
  out.lang = const_cast<char*>("en");
  out.lang_key = const_cast<char*>("");
  return out;
}

std::size_t find(const Bytes& file, const std::string& text) {
  const std::string all(reinterpret_cast<const char*>(file.data()), file.size());
  return all.find(text);
}

const Pairs kSome = {{"Software", "fovea"},
                     {"fovea", R"({"a": [1, 2.5], "b": "x"})"},
                     {"Title", "caf\xC3\xA9 \xE2\x82\xAC"},
                     {"empty", ""},
                     {"two words", std::string(100000, 'x')}};

std::vector<ImageText> some() {
  std::vector<ImageText> out;
  for (const auto& [key, text] : kSome) out.push_back({key, text});
  return out;
}

TEST(Texts, AreWhatLibpngReads) {
  EXPECT_EQ(seen_by_libpng(with(some())), kSome);
  EXPECT_TRUE(seen_by_libpng(with({})).empty());
}

TEST(Texts, ComeBack) {
  EXPECT_EQ(pairs(decode_texts(with(some()))), kSome);
  const TemporaryFolder folder;
  write_image(folder.path() / "a.png", noise(3, 3, 1), {some()});
  EXPECT_EQ(pairs(read_texts(folder.path() / "a.png")), kSome);
}

TEST(Texts, LeaveThePixelsAlone) {
  EXPECT_EQ(largest_difference(decode_image(with(some())), noise(9, 7, 3)), 0);
  EXPECT_EQ(with({}), encode_image(noise(9, 7, 3), ".png"));
}

TEST(Texts, AreTheSimplestKindThatHoldsThem) {
  EXPECT_NE(find(with({{"key", "plain"}}), "tEXtkey"), std::string::npos);
  EXPECT_NE(find(with({{"key", "\xC3\xA9"}}), "iTXtkey"), std::string::npos);
}

TEST(Texts, OfOtherProgramsAreRead) {
  std::string latin = "caf\xE9", utf8 = "\xE2\x82\xAC", longer(5000, 'z');
  const std::vector<png_text> texts = {text_of(PNG_TEXT_COMPRESSION_NONE, "plain", latin),
                                       text_of(PNG_TEXT_COMPRESSION_zTXt, "packed", longer),
                                       text_of(PNG_ITXT_COMPRESSION_NONE, "unicode", utf8),
                                       text_of(PNG_ITXT_COMPRESSION_zTXt, "both", longer)};
  const Pairs expected = {
      {"plain", "caf\xC3\xA9"}, {"packed", longer}, {"unicode", utf8}, {"both", longer}};
  for (const bool behind : {false, true})
    EXPECT_EQ(pairs(decode_texts(written_by_libpng(texts, behind))), expected) << behind;
}

TEST(Texts, ThatUnpackToAnySizeAreLeftOut) {
  std::string bomb(std::size_t{20} << 20, 'x'), after = "still here";
  const auto file = written_by_libpng({text_of(PNG_TEXT_COMPRESSION_zTXt, "bomb", bomb),
                                       text_of(PNG_TEXT_COMPRESSION_NONE, "after", after)},
                                      false);
  EXPECT_EQ(pairs(decode_texts(file)), (Pairs{{"after", after}}));
}

TEST(Texts, AreInPngsOnly) {
  for (const char* extension : {".jpg", ".bmp", ".webp"}) {
    const auto plain = encode_image(noise(9, 7, 3), extension);
    EXPECT_EQ(encode_image(noise(9, 7, 3), extension, {some()}), plain) << extension;
    EXPECT_TRUE(decode_texts(plain).empty()) << extension;
  }
  EXPECT_TRUE(decode_texts({}).empty());
}

TEST(Texts, RefuseWhatAPngCannotHold) {
  const std::string zero("a\0b", 3);
  for (const auto& [key, text] : Pairs{{"", "x"},
                                       {std::string(80, 'k'), "x"},
                                       {" k", "x"},
                                       {"k ", "x"},
                                       {"k  k", "x"},
                                       {"k\n", "x"},
                                       {"\xC3\xA9", "x"},
                                       {zero, "x"},
                                       {"k", zero},
                                       {"k", std::string((std::size_t{16} << 20) + 1, 'x')}})
    try {
      with({{key, text}});
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    }
  EXPECT_EQ(decode_texts(with({{std::string(79, 'k'), "x"}})).size(), 1u);
}

TEST(Texts, EveryCutAndEveryFlipIsFoundOrHarmless) {
  const auto file = with({{"fovea", "{}"}, {"Title", "\xC3\xA9"}});
  const auto expected = pairs(decode_texts(file));
  for (std::size_t size = 8; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(decode_texts(cut), Error) << size;
  }
  const auto texts_end = find(file, "IDAT");
  for (std::size_t at = 33; at < texts_end - 4; ++at) {
    auto flipped = file;
    flipped[at] ^= std::byte{1};
    try {  // a chunk that became another kind of chunk is no text any more
      EXPECT_LT(decode_texts(flipped).size(), expected.size()) << at;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_input);
    }
  }
}

TEST(Texts, OfNoFileAreAnError) {
  try {
    read_texts("none/such.png");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_EQ(error.context().file, "none/such.png");
  }
}

}  // namespace
}  // namespace fovea::image::test
