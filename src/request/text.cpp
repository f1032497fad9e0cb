#include "request/text.hpp"

#include <system_error>

#include "fovea/files.hpp"

namespace fovea::request {

std::string shape_text(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (const auto extent : shape) {
    if (!out.empty()) out += " x ";
    out += extent < 0 ? "?" : std::to_string(extent);
  }
  return out;
}

std::string joined(std::span<const std::string> items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::ifstream open_input(const std::filesystem::path& file, ErrorCode code) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(code, sentence, {.file = file.string(), .node = {}, .op = {}});
  };
  // Before it is opened: that alone may start what a device does.
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) refuse("the file does not exist");
  if (std::filesystem::is_directory(status))
    refuse("this is a directory, not a file: name a file in it");
  if (std::filesystem::is_socket(status)) refuse("this is a socket, not a file");
  if (!std::filesystem::is_regular_file(status) && !std::filesystem::is_fifo(status))
    refuse("this is a device, not a file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) refuse("the file cannot be read");
  return stream;
}

}  // namespace fovea::request

namespace fovea {

std::string read_text(const std::filesystem::path& file, ErrorCode code, std::uintmax_t limit) {
  const ErrorContext where{.file = file.string(), .node = {}, .op = {}};
  auto stream = request::open_input(file, code);
  std::string text;
  constexpr std::size_t kPiece = std::size_t{1} << 16;
  while (stream) {
    const auto before = text.size();
    text.resize(before + kPiece);
    stream.read(text.data() + before, kPiece);
    text.resize(before + static_cast<std::size_t>(stream.gcount()));
    if (text.size() > limit)
      throw Error(code, "the file is too large to be what it should be", where);
  }
  if (stream.bad()) throw Error(code, "the file cannot be read", where);
  return text;
}

}  // namespace fovea
