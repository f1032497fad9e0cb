#include "image/support.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace fovea::image::test {

namespace fs = std::filesystem;

fs::path golden_path(const std::string& name) {
  return fs::path(FOVEA_SOURCE_DIR) / "tests/image/golden" / name;
}

Bytes golden(const std::string& name) {
  std::ifstream file(golden_path(name), std::ios::binary);
  if (!file) throw std::runtime_error("no golden " + name);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string bytes = text.str();
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

std::vector<Image> golden_pictures(const std::string& name) {
  std::ifstream file(golden_path(name), std::ios::binary);
  std::vector<Image> out;
  std::string magic;
  while (file >> magic) {
    Image image;
    int peak = 0;
    file >> image.width >> image.height >> peak;
    file.get();
    image.rgb.resize(3 * static_cast<std::size_t>(image.width) *
                     static_cast<std::size_t>(image.height));
    file.read(reinterpret_cast<char*>(image.rgb.data()),
              static_cast<std::streamsize>(image.rgb.size()));
    if (!file || magic != "P6" || peak != 255) throw std::runtime_error("bad golden " + name);
    out.push_back(std::move(image));
  }
  if (out.empty()) throw std::runtime_error("no golden " + name);
  return out;
}

Image golden_picture(const std::string& name) {
  return golden_pictures(name).front();
}

std::vector<std::string> sample_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden_path(""))) {
    const std::string extension = entry.path().extension();
    const bool encoded = extension == ".jpg" || extension == ".png" || extension == ".bmp" ||
                         extension == ".webp" || extension == ".tif";
    if (encoded && entry.path().stem() != "animated") names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::uint8_t byte_at(const Bytes& bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes.at(at));
}

void put(Bytes& bytes, std::size_t at, std::initializer_list<unsigned> values) {
  for (const unsigned value : values) bytes.at(at++) = static_cast<std::byte>(value);
}

int largest_difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height || a.rgb.size() != b.rgb.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    largest = std::max(largest, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  return largest;
}

Error decoding_error(const Bytes& bytes) {
  try {
    decode_image(bytes, "sample");
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::internal, "");
}

StderrCapture::StderrCapture() : file_(std::tmpfile()), saved_(::dup(STDERR_FILENO)) {
  if (file_ == nullptr || saved_ < 0) throw std::runtime_error("cannot capture stderr");
  ::dup2(::fileno(file_), STDERR_FILENO);
}

StderrCapture::~StderrCapture() {
  ::dup2(saved_, STDERR_FILENO);
  ::close(saved_);
  std::fclose(file_);
}

std::string StderrCapture::text() {
  std::fflush(stderr);
  std::string out;
  std::rewind(file_);
  for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) out += static_cast<char>(c);
  return out;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "fovea-image-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::size_t TemporaryFolder::entries() const {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
}

Image noise(int width, int height, std::uint32_t seed) {
  Image image{width, height, {}};
  Random random(seed);
  image.rgb.resize(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (auto& byte : image.rgb) byte = static_cast<std::uint8_t>(random.next() >> 24);
  return image;
}

}  // namespace fovea::image::test
