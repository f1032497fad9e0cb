#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "image/byte_order.hpp"
#include "image/codec.hpp"
#include "image/exif.hpp"

namespace fovea::image {
namespace {

constexpr std::size_t kRiffHeader = 12;
constexpr std::size_t kChunkHeader = 8;

struct Chunk {
  std::size_t at = 0;  // of its header
  Bytes data;
};

/// The RIFF chunks of a WebP file in order; stops at the first that does not fit.
class Chunks {
 public:
  explicit Chunks(Bytes riff) : riff_(riff) {}

  bool next(Chunk& chunk) {
    if (at_ >= riff_.size()) return false;
    if (riff_.size() - at_ < kChunkHeader) return stop();
    const std::size_t size = le32(riff_, at_ + 4);
    // A chunk of odd size is followed by one byte of padding.
    if (riff_.size() - at_ - kChunkHeader < size + size % 2) return stop();
    chunk = {at_, riff_.subspan(at_ + kChunkHeader, size)};
    at_ += kChunkHeader + size + size % 2;
    return true;
  }

  bool broken() const { return broken_; }

 private:
  bool stop() {
    broken_ = true;
    return false;
  }

  Bytes riff_;
  std::size_t at_ = kRiffHeader;
  bool broken_ = false;
};

/// The file up to where its RIFF header says that it ends.
Bytes riff_of(Bytes file) {
  if (file.size() < kRiffHeader) throw bad_image("the WebP is cut off");
  const std::size_t size = std::size_t{le32(file, 4)} + 8;
  if (size > file.size()) throw bad_image("the WebP is cut off");
  if (size < kRiffHeader) throw bad_image("not a sound WebP: its size is wrong");
  return file.first(size);
}

struct Extents {
  std::int64_t width = 0, height = 0;
};

Extents lossy_extents(Bytes data) {
  if (data.size() < 10 || data[3] != 0x9D || data[4] != 0x01 || data[5] != 0x2A)
    throw bad_image("not a sound WebP: its key frame has no start code");
  return {le16(data, 6) & 0x3FFF, le16(data, 8) & 0x3FFF};
}

Extents lossless_extents(Bytes data) {
  if (data.size() < 5 || data[0] != 0x2F)
    throw bad_image("not a sound WebP: its lossless frame has no signature");
  const std::uint32_t bits = le32(data, 1);
  return {(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
}

Image decode_pixels(Bytes riff, const Extents& extents) {
  const Error damaged = bad_image("the image is damaged");
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) throw damaged;
  // What it will write is decided by its own reading of the header.
  if (WebPGetFeatures(riff.data(), riff.size(), &config.input) != VP8_STATUS_OK ||
      config.input.width != extents.width || config.input.height != extents.height)
    throw damaged;
  Image out = allocate_image(extents.width, extents.height);
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {out.rgb.data(), 3 * out.width, out.rgb.size()};
  const VP8StatusCode status = WebPDecode(riff.data(), riff.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
  if (status != VP8_STATUS_OK) throw damaged;
  return out;
}

class WebpWriter {
 public:
  WebpWriter() { WebPMemoryWriterInit(&memory_); }
  ~WebpWriter() {
    WebPPictureFree(&picture_);
    WebPMemoryWriterClear(&memory_);
  }
  WebpWriter(const WebpWriter&) = delete;
  WebpWriter& operator=(const WebpWriter&) = delete;

  bool write(const Image& image) {
    WebPConfig config;
    if (WebPConfigInit(&config) == 0 || WebPPictureInit(&picture_) == 0) return false;
    config.lossless = 1;
    config.quality = kEffort;
    picture_.use_argb = 1;
    picture_.width = image.width;
    picture_.height = image.height;
    picture_.writer = WebPMemoryWrite;
    picture_.custom_ptr = &memory_;
    return WebPPictureImportRGB(&picture_, image.rgb.data(), 3 * image.width) != 0 &&
           WebPEncode(&config, &picture_) != 0;
  }

  bool out_of_memory() const {
    return picture_.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
           picture_.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY;
  }
  std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(memory_.mem, memory_.size));
  }

 private:
  // libwebp's own choice for lossless pictures: what it tries for a smaller file, of 100.
  static constexpr float kEffort = 70;

  WebPPicture picture_{};
  WebPMemoryWriter memory_{};
};

}  // namespace

Image decode_webp(Bytes file) {
  constexpr std::uint8_t kAnimated = 2;
  const Bytes riff = riff_of(file);
  Chunks chunks(riff);
  Chunk chunk;
  Extents extents;
  bool found = false;
  while (chunks.next(chunk)) {
    if (has_text(riff, chunk.at, "VP8X") && !chunk.data.empty() && (chunk.data[0] & kAnimated))
      throw bad_image("an animated WebP is not supported");
    const bool lossy = has_text(riff, chunk.at, "VP8 ");
    if (found || (!lossy && !has_text(riff, chunk.at, "VP8L"))) continue;
    extents = lossy ? lossy_extents(chunk.data) : lossless_extents(chunk.data);
    check_declared(extents.width, extents.height);
    found = true;
  }
  if (chunks.broken()) throw bad_image("the WebP is cut off or damaged");
  if (!found) throw bad_image("not a sound WebP: it has no picture");
  return decode_pixels(riff, extents);
}

std::vector<std::byte> encode_webp(const Image& image) {
  if (std::max(image.width, image.height) > WEBP_MAX_DIMENSION)
    throw Error(ErrorCode::invalid_argument,
                "a WebP has at most " + std::to_string(WEBP_MAX_DIMENSION) + " pixels a side");
  WebpWriter writer;
  if (!writer.write(image)) {
    if (writer.out_of_memory()) throw std::bad_alloc();
    throw not_encoded();
  }
  return {writer.bytes().begin(), writer.bytes().end()};
}

int webp_orientation(Bytes file) {
  const Bytes riff = riff_of(file);
  Chunks chunks(riff);
  Chunk chunk;
  Bytes exif;
  std::string_view xmp;
  while (chunks.next(chunk)) {
    if (exif.empty() && has_text(riff, chunk.at, "EXIF")) exif = chunk.data;
    if (xmp.empty() && has_text(riff, chunk.at, "XMP ")) xmp = as_text(chunk.data);
  }
  return orientation_of(exif, xmp);
}

}  // namespace fovea::image
