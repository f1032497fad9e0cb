#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// jpeglib.h needs FILE and size_t to be declared before it.
#include <jpeglib.h>

#include <jerror.h>

#include "image/byte_order.hpp"
#include "image/codec.hpp"
#include "image/exif.hpp"

namespace fovea::image {
namespace {

// More scans than any encoder writes: each one walks the whole picture, however short it is.
constexpr int kMaxScans = 100;

// What libjpeg only warns about although pixels are missing or wrong from there on. Other warnings
// (bytes between segments, unknown revisions) leave the picture whole.
bool loses_pixels(int message) {
  switch (message) {
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      return true;
    default:
      return false;
  }
}

struct Errors {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer to it is a pointer to the whole
  std::jmp_buf jump;
  std::array<char, JMSG_LENGTH_MAX> text;
};

Errors& errors_of(j_common_ptr info) {
  return *reinterpret_cast<Errors*>(info->err);
}

void fail(j_common_ptr info) {
  info->err->format_message(info, errors_of(info).text.data());
  std::longjmp(errors_of(info).jump, 1);
}

/// Errors are kept, everything else is silent.
jpeg_error_mgr* silent(Errors& errors) {
  jpeg_std_error(&errors.base);
  errors.base.error_exit = fail;
  errors.base.emit_message = [](j_common_ptr, int) {};
  errors.base.output_message = [](j_common_ptr) {};
  return &errors.base;
}

// libjpeg reports by longjmp: between setjmp and a longjmp no object with a destructor may live, so
// each member function that calls libjpeg holds plain values only.
class JpegReader {
 public:
  JpegReader() {
    state_.err = silent(errors_);
    errors_.base.emit_message = [](j_common_ptr info, int level) {
      if (level < 0 && loses_pixels(info->err->msg_code)) fail(info);
    };
    progress_.progress_monitor = [](j_common_ptr info) {
      // Decompression objects only are made here, so the cast undoes libjpeg's own.
      const auto* state = reinterpret_cast<j_decompress_ptr>(info);
      if (state->input_scan_number <= kMaxScans) return;
      std::snprintf(errors_of(info).text.data(), errors_of(info).text.size(), "more than %d scans",
                    kMaxScans);
      std::longjmp(errors_of(info).jump, 1);
    };
  }
  ~JpegReader() { jpeg_destroy_decompress(&state_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  bool read_header(Bytes file) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_decompress(&state_);
    state_.progress = &progress_;
    jpeg_mem_src(&state_, file.data(), file.size());
    jpeg_read_header(&state_, TRUE);
    state_.out_color_space = components() == 4 ? JCS_CMYK : JCS_RGB;
    return true;
  }

  /// Rows of components() bytes a pixel, 3 for everything but CMYK.
  bool start(int eighths) {
    if (setjmp(errors_.jump) != 0) return false;
    state_.scale_num = static_cast<unsigned>(eighths);
    state_.scale_denom = 8;
    jpeg_start_decompress(&state_);
    return true;
  }

  bool read_row(std::uint8_t* row) {
    if (setjmp(errors_.jump) != 0) return false;
    JSAMPROW rows[] = {row};
    jpeg_read_scanlines(&state_, rows, 1);
    return true;
  }

  /// Reads up to the end-of-image marker, which a cut file lacks.
  bool finish() {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_finish_decompress(&state_);
    return true;
  }

  int components() const { return state_.num_components; }
  std::int64_t width() const { return state_.image_width; }
  std::int64_t height() const { return state_.image_height; }
  /// Once started: the extents of what is decoded.
  std::int64_t scaled_width() const { return state_.output_width; }
  std::int64_t scaled_height() const { return state_.output_height; }

  Error error() const {
    const bool cut =
        errors_.base.msg_code == JWRN_JPEG_EOF || errors_.base.msg_code == JWRN_HIT_MARKER;
    return bad_image(std::string(cut ? "the JPEG is cut off or damaged: " : "not a sound JPEG: ") +
                     errors_.text.data());
  }

 private:
  jpeg_decompress_struct state_{};
  Errors errors_{};
  jpeg_progress_mgr progress_{};
};

class JpegWriter {
 public:
  JpegWriter() {
    state_.err = silent(errors_);
    state_.client_data = this;
    destination_.init_destination = [](j_compress_ptr state) { self_of(state).grow(kFirst); };
    destination_.empty_output_buffer = [](j_compress_ptr state) -> boolean {
      self_of(state).grow(self_of(state).bytes_.size());
      return TRUE;
    };
    destination_.term_destination = [](j_compress_ptr state) {
      auto& bytes = self_of(state).bytes_;
      bytes.resize(bytes.size() - state->dest->free_in_buffer);
    };
  }
  ~JpegWriter() { jpeg_destroy_compress(&state_); }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  bool write(const Image& image) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_compress(&state_);
    state_.dest = &destination_;
    state_.image_width = static_cast<JDIMENSION>(image.width);
    state_.image_height = static_cast<JDIMENSION>(image.height);
    state_.input_components = 3;
    state_.in_color_space = JCS_RGB;
    jpeg_set_defaults(&state_);
    jpeg_set_quality(&state_, kQuality, TRUE);
    jpeg_start_compress(&state_, TRUE);
    const std::size_t stride = 3 * static_cast<std::size_t>(image.width);
    for (std::size_t at = 0; at < image.rgb.size(); at += stride) {
      // libjpeg only reads them.
      JSAMPROW rows[] = {const_cast<JSAMPROW>(image.rgb.data() + at)};
      jpeg_write_scanlines(&state_, rows, 1);
    }
    jpeg_finish_compress(&state_);
    return true;
  }

  bool out_of_memory() const { return errors_.base.msg_code == JERR_OUT_OF_MEMORY; }
  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  static constexpr int kQuality = 95;
  static constexpr std::size_t kFirst = std::size_t{1} << 16;

  static JpegWriter& self_of(j_compress_ptr state) {
    return *static_cast<JpegWriter*>(state->client_data);
  }

  // All of the buffer is full: so many more bytes behind it are the next to be written.
  void grow(std::size_t more) {
    const std::size_t full = bytes_.size();
    if (!resize(full + more)) ERREXIT1(&state_, JERR_OUT_OF_MEMORY, 0);
    destination_.next_output_byte = reinterpret_cast<JOCTET*>(bytes_.data() + full);
    destination_.free_in_buffer = more;
  }

  // An exception may not pass libjpeg's frames, and no longjmp a handler.
  bool resize(std::size_t size) noexcept {
    try {
      bytes_.resize(size);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  jpeg_compress_struct state_{};
  Errors errors_{};
  jpeg_destination_mgr destination_{};
  std::vector<std::byte> bytes_;
};

// Stored inverted, as Adobe's programs and everybody after them do; the arithmetic is Pillow's.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::int64_t pixels, std::uint8_t* rgb) {
  for (std::int64_t i = 0; i < pixels; ++i, cmyk += 4, rgb += 3) {
    const int light = cmyk[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - cmyk[c]) * light + 128;
      rgb[c] = static_cast<std::uint8_t>(light - ((product + (product >> 8)) >> 8));
    }
  }
}

void read_header(JpegReader& reader, Bytes file) {
  if (!reader.read_header(file)) throw reader.error();
  check_declared(reader.width(), reader.height());
}

}  // namespace

std::pair<std::int64_t, std::int64_t> jpeg_extents(Bytes file) {
  JpegReader reader;
  read_header(reader, file);
  return {reader.width(), reader.height()};
}

Image decode_jpeg(Bytes file, int eighths) {
  JpegReader reader;
  read_header(reader, file);
  const int components = reader.components();
  if (components != 1 && components != 3 && components != 4)
    throw bad_image("a JPEG with " + std::to_string(components) + " components is not supported");

  if (!reader.start(eighths)) throw reader.error();
  Image image = allocate_image(reader.scaled_width(), reader.scaled_height());
  const std::size_t stride = 3 * static_cast<std::size_t>(image.width);
  std::vector<std::uint8_t> cmyk(components == 4 ? 4 * static_cast<std::size_t>(image.width) : 0);
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* row = image.rgb.data() + static_cast<std::size_t>(y) * stride;
    if (!reader.read_row(cmyk.empty() ? row : cmyk.data())) throw reader.error();
    if (!cmyk.empty()) cmyk_to_rgb(cmyk.data(), image.width, row);
  }
  if (!reader.finish()) throw reader.error();
  return image;
}

std::vector<std::byte> encode_jpeg(const Image& image) {
  JpegWriter writer;
  if (!writer.write(image)) {
    if (writer.out_of_memory()) throw std::bad_alloc();
    throw not_encoded();
  }
  return std::move(writer.bytes());
}

int jpeg_orientation(Bytes file) {
  constexpr std::uint8_t kScan = 0xDA, kApp1 = 0xE1, kEnd = 0xD9;
  constexpr std::string_view kExif("Exif\0\0", 6);
  constexpr std::string_view kXmp("http://ns.adobe.com/xap/1.0/\0", 29);
  Bytes exif;
  std::string_view xmp;
  std::size_t at = 2;  // behind the start-of-image marker
  while (at + 4 <= file.size() && file[at] == 0xFF) {
    const std::uint8_t marker = file[at + 1];
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == kScan || marker == kEnd) break;
    const std::size_t length = be16(file, at + 2);
    if (length < 2 || length > file.size() - at - 2) break;
    const Bytes segment = file.subspan(at + 4, length - 2);
    if (marker == kApp1 && exif.empty() && has_text(segment, 0, kExif)) exif = segment;
    if (marker == kApp1 && has_text(segment, 0, kXmp)) xmp = as_text(segment.subspan(kXmp.size()));
    at += 2 + length;
  }
  return orientation_of(exif, xmp);
}

}  // namespace fovea::image
