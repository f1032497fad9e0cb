#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "image/byte_order.hpp"
#include "image/codec.hpp"

namespace fovea::image {
namespace {

// libpng reports by longjmp: between setjmp and a longjmp no object with a destructor may live, so
// each member function that calls libpng holds plain values only.
class PngReader {
 public:
  explicit PngReader(Bytes file) : file_(file) {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  bool read_header() {
    if (setjmp(jump_) != 0) return false;
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png_ == nullptr) return false;
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return false;
    png_set_read_fn(png_, this, read);
    png_set_user_limits(png_, kMaxSide, kMaxSide);
    // Texts, profiles and the like stay unread: they could unpack to any size.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }

  /// Every kind of PNG becomes 8-bit RGB: the high byte of 16, and alpha dropped.
  bool read_rows(png_bytep* rows) {
    if (setjmp(jump_) != 0) return false;
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_strip_alpha(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != 3 * static_cast<std::size_t>(width()))
      png_error(png_, "unexpected pixel format");
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }

  Error error() const {
    if (short_) return bad_image("the PNG is cut off");
    return bad_image(std::string("not a sound PNG: ") + text_.data());
  }

 private:
  [[noreturn]] static void fail(png_structp png, png_const_charp message) {
    auto& self = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(self.text_.data(), self.text_.size(), "%s", message);
    std::longjmp(self.jump_, 1);
  }

  static void ignore(png_structp, png_const_charp) {}

  static void read(png_structp png, png_bytep to, std::size_t count) {
    auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (count > self.file_.size()) {
      self.short_ = true;
      png_error(png, "end of file");
    }
    std::memcpy(to, self.file_.data(), count);
    self.file_ = self.file_.subspan(count);
  }

  Bytes file_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf jump_{};
  std::array<char, 128> text_{};
  bool short_ = false;
};

class PngWriter {
 public:
  PngWriter() = default;
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  /// One filter and a search for runs only (docs/architecture.md, "Encode").
  bool write(const Image& image, png_const_textp texts, int count) {
    if (setjmp(jump_) != 0) return false;
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png_ == nullptr) return false;
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return false;
    png_set_write_fn(png_, this, append, nullptr);
    png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_compression_level(png_, Z_BEST_SPEED);
    png_set_compression_strategy(png_, Z_RLE);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(image.width),
                 static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_text(png_, info_, texts, count);
    png_write_info(png_, info_);
    const std::size_t stride = 3 * static_cast<std::size_t>(image.width);
    for (std::size_t at = 0; at < image.rgb.size(); at += stride)
      png_write_row(png_, image.rgb.data() + at);
    png_write_end(png_, nullptr);
    return true;
  }

  bool out_of_memory() const { return out_of_memory_; }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  [[noreturn]] static void fail(png_structp png, png_const_charp) {
    std::longjmp(static_cast<PngWriter*>(png_get_error_ptr(png))->jump_, 1);
  }

  static void ignore(png_structp, png_const_charp) {}

  static void append(png_structp png, png_bytep from, std::size_t count) {
    auto& self = *static_cast<PngWriter*>(png_get_io_ptr(png));
    if (!self.append(std::as_bytes(std::span(from, count)))) png_error(png, "out of memory");
  }

  // An exception may not pass libpng's frames, and no longjmp a handler.
  bool append(std::span<const std::byte> data) noexcept {
    try {
      bytes_.insert(bytes_.end(), data.begin(), data.end());
    } catch (const std::bad_alloc&) {
      out_of_memory_ = true;
    }
    return !out_of_memory_;
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::jmp_buf jump_{};
  std::vector<std::byte> bytes_;
  bool out_of_memory_ = false;
};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

}  // namespace

Image decode_png(Bytes file) {
  constexpr std::size_t kHeaderEnd = 24;  // signature, length and name of IHDR, width, height
  if (file.size() < kHeaderEnd || !has_text(file, 12, "IHDR"))
    throw bad_image("the PNG has no header");
  check_declared(be32(file, 16), be32(file, 20));

  PngReader reader(file);
  if (!reader.read_header()) throw reader.error();
  Image image = allocate_image(reader.width(), reader.height());
  std::vector<png_bytep> rows(static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < rows.size(); ++y)
    rows[y] = image.rgb.data() + y * 3 * static_cast<std::size_t>(image.width);
  if (!reader.read_rows(rows.data())) throw reader.error();
  return image;
}

std::vector<std::byte> encode_png(const Image& image, std::span<const ImageText> texts) {
  std::vector<png_text> chunks;
  for (const auto& [key, text] : texts) {
    png_text chunk{};
    chunk.compression = is_ascii(text) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    // libpng reads these; its structure serves readers too.
    chunk.key = const_cast<char*>(key.c_str());
    chunk.text = const_cast<char*>(text.c_str());
    chunks.push_back(chunk);
  }
  PngWriter writer;
  if (!writer.write(image, chunks.data(), static_cast<int>(chunks.size()))) {
    if (writer.out_of_memory()) throw std::bad_alloc();
    throw not_encoded();
  }
  return std::move(writer.bytes());
}

}  // namespace fovea::image
