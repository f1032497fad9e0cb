// Memory that runs out while a picture is encoded or decoded: an Error, also where the libraries'
// C code stands between who asked for the memory and who catches.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "image/failing_memory.hpp"
#include "image/support.hpp"

namespace fovea::image::test {
namespace {

/// The code of what `work` throws where the allocation with this number fails; none where it makes
/// fewer.
template <class Work>
std::optional<ErrorCode> code_of(int number, Work&& work) {
  struct Restored {
    ~Restored() { fail_allocation(-1); }
  };
  try {
    const Restored restored;
    fail_allocation(number);
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

template <class Work>
void expect_errors(const std::string& name, Work&& work) {
  int number = 0;
  for (auto code = code_of(0, work); code; code = code_of(++number, work))
    ASSERT_EQ(*code, ErrorCode::out_of_memory) << name << ", allocation " << number;
  EXPECT_GT(number, 0) << name;
}

TEST(Memory, RunsOutWhileEncoding) {
  const Image image = noise(300, 200, 1);
  const EncodeOptions options{{{"Title", std::string(1000, 'x')}}};
  for (const char* extension : {".png", ".jpg", ".bmp", ".webp"})
    expect_errors(extension, [&] { encode_image(image, extension, options); });
}

TEST(Memory, RunsOutWhileDecoding) {
  for (const char* name : {"rgb.png", "baseline.jpg", "cmyk.jpg", "palette8.bmp", "lossy.webp"}) {
    const Bytes bytes = golden(name);
    expect_errors(name, [&] { decode_image(bytes); });
  }
}

}  // namespace
}  // namespace fovea::image::test
