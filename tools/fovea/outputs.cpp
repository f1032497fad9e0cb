#include "outputs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "fovea/error.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kPictures = {".png", ".jpg", ".jpeg", ".bmp", ".webp"};
constexpr std::array<std::string_view, 1> kTensors = {".npy"};
constexpr std::array<std::string_view, 2> kPages = {".html", ".htm"};

constexpr const char* kStandardOutput = "-";

std::optional<std::pair<std::uint64_t, std::uint64_t>> place_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return std::pair<std::uint64_t, std::uint64_t>{status.st_dev, status.st_ino};
}

[[noreturn]] void refuse(const std::string& reason, const std::string& file) {
  throw Error(ErrorCode::invalid_argument, reason, {.file = file, .node = {}, .op = {}});
}

[[noreturn]] void cannot_write(const std::string& file) {
  throw Error(ErrorCode::internal, "the file cannot be written",
              {.file = file, .node = {}, .op = {}});
}

void write_bytes(const std::string& file, std::span<const std::byte> bytes,
                 const std::string& name) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  stream.close();
  if (!stream) cannot_write(name);
}

/// The same for every way to say it: from elsewhere, or through links.
std::string one_spelling(const std::string& name) {
  if (name == kStandardOutput) return name;
  std::error_code failure;
  const auto place = fs::weakly_canonical(fs::absolute(name, failure), failure);
  return failure ? fs::path(name).lexically_normal().string() : place.string();
}

}  // namespace

std::span<const std::string_view> picture_extensions() {
  return kPictures;
}
std::span<const std::string_view> page_extensions() {
  return kPages;
}
std::span<const std::string_view> tensor_extensions() {
  return kTensors;
}

InputFiles::InputFiles(const std::vector<std::string>& files) {
  for (const auto& file : files)
    if (const auto place = place_of(file)) places_.insert(*place);
}

bool InputFiles::contain(const std::string& file) const {
  const auto place = place_of(file);
  return place && places_.contains(*place);
}

void check_output(const std::string& file, std::span<const std::string_view> extensions,
                  const InputFiles& inputs) {
  if (file.empty()) throw Error(ErrorCode::invalid_argument, "an output's file name is empty");
  if (file == kStandardOutput) {
    if (!extensions.empty() && ::isatty(STDOUT_FILENO) == 1)
      throw Error(ErrorCode::invalid_argument,
                  "standard output is a terminal, which shows no picture or tensor: say where it "
                  "goes, or name a file");
    return;
  }
  const fs::path path(file);
  const auto extension = lower(path.extension().string());
  if (!extensions.empty() &&
      std::find(extensions.begin(), extensions.end(), extension) == extensions.end()) {
    std::string known;
    for (const auto candidate : extensions)
      known += (known.empty() ? "" : " ") + std::string(candidate);
    refuse("the output's extension must be " + std::string(extensions.size() > 1 ? "one of " : "") +
               known,
           file);
  }
  std::error_code failure;
  const auto status = fs::status(path, failure);
  if (fs::is_directory(status))
    refuse("the output is a folder: name a file in it, of several images like " +
               (path / "{}").string() + (extensions.empty() ? "" : std::string(extensions.front())),
           file);
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, failure)) refuse("the output's folder does not exist", file);
  const bool in_place = fs::exists(status) && !fs::is_regular_file(status);
  if (::access(in_place ? file.c_str() : folder.c_str(), W_OK) != 0)
    refuse("the output cannot be written there", file);
  if (inputs.contain(file)) refuse("the output would overwrite an input", file);
}

std::string picture_extension(const std::string& file) {
  return file == kStandardOutput ? ".png" : fs::path(file).extension().string();
}

std::string with_suffix(const std::string& file, const std::string& suffix) {
  if (suffix.empty()) return file;
  if (file == kStandardOutput)
    throw Error(ErrorCode::invalid_argument,
                "standard output takes one picture, and there are several: name a file");
  fs::path path(file);
  const auto name = path.stem().string() + "-" + suffix + path.extension().string();
  return path.replace_filename(name).string();
}

OutputFiles::~OutputFiles() {
  if (kept_) return;
  std::error_code ignored;
  for (const auto& file : files_)
    if (!file.temporary.empty()) fs::remove(file.moved ? file.place : file.temporary, ignored);
}

void OutputFiles::add(std::string name, std::vector<std::byte> bytes) {
  if (!names_.insert(one_spelling(name)).second)
    refuse(name == kStandardOutput ? "two outputs are standard output, which is one file"
                                   : "two outputs have the same file name",
           name);
  files_.push_back({std::move(name), {}, {}, std::move(bytes), false});
}

void OutputFiles::add(std::string name, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  add(std::move(name), std::vector<std::byte>(bytes.begin(), bytes.end()));
}

void OutputFiles::write() {
  std::error_code failure;
  for (auto& file : files_) {
    if (file.name == kStandardOutput) continue;
    const auto status = fs::status(file.name, failure);
    file.place = file.name;
    if (fs::exists(status) && !fs::is_regular_file(status)) continue;  // a device or a pipe
    // A link stays a link: its target is what gets replaced.
    if (fs::exists(status)) file.place = fs::canonical(file.name, failure).string();
    if (file.place.empty()) cannot_write(file.name);
    file.temporary = file.place + ".tmp-" + std::to_string(::getpid());
    write_bytes(file.temporary, file.bytes, file.name);
  }
  for (auto& file : files_) {
    if (file.name == kStandardOutput) continue;
    if (file.temporary.empty()) {
      write_bytes(file.place, file.bytes, file.name);
      continue;
    }
    fs::rename(file.temporary, file.place, failure);
    if (failure) cannot_write(file.name);
    file.moved = true;
  }
}

std::vector<std::string> OutputFiles::names() const {
  std::vector<std::string> out;
  for (const auto& file : files_)
    if (file.name != kStandardOutput) out.push_back(file.name);
  return out;
}

void OutputFiles::tell(std::string_view text) {
  const auto streamed = std::find_if(files_.begin(), files_.end(),
                                     [](const File& file) { return file.name == kStandardOutput; });
  if (streamed != files_.end())
    text = {reinterpret_cast<const char*>(streamed->bytes.data()), streamed->bytes.size()};
  try {
    print(text);
  } catch (const ReaderGone&) {
    keep();
    throw;
  }
  keep();
}

void write_result(const std::string& json_file, const std::string& text, const std::string& json) {
  const bool to_file = !json_file.empty() && json_file != "-";
  OutputFiles outputs;
  if (to_file) {
    check_output(json_file, {}, {});
    outputs.add(json_file, json);
    outputs.write();
  }
  outputs.tell(json_file == "-" ? json : text);
}

void print(std::string_view text) {
  const auto written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0) return;
  if (errno == EPIPE) throw ReaderGone();
  throw Error(ErrorCode::internal, "standard output cannot be written");
}

}  // namespace fovea::cli
