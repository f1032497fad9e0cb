#include "folder/results_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "fovea/error.hpp"
#include "json_output.hpp"
#include "outputs.hpp"

namespace fovea::cli {
namespace {

[[noreturn]] void cannot_write(const std::string& file) {
  throw Error(ErrorCode::internal, "the file cannot be written",
              {.file = file, .node = {}, .op = {}});
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

FolderLock::FolderLock(const std::string& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return;
  ::close(descriptor_);
  throw Error(ErrorCode::invalid_argument, "another call writes into this folder",
              {.file = folder, .node = {}, .op = {}});
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ResultsFile::ResultsFile(std::string file, bool but_failed) : file_(std::move(file)) {
  read(but_failed);
}

ResultsFile::~ResultsFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ResultsFile::read(bool but_failed) {
  std::ifstream stream(file_, std::ios::binary);
  if (!stream) return;
  std::int64_t number = 0, at = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    at += static_cast<std::int64_t>(line.size()) + 1;
    if (stream.eof()) return;  // cut off before its end
    const auto json = Json::parse(line, nullptr, false);
    const auto status = json.is_object() ? text_of(json, "status") : std::string();
    const bool is_row = (status == "ok" || status == "failed") && json.contains("image");
    if ((!is_row && status != "done") || finished_)
      throw Error(ErrorCode::invalid_argument,
                  "line " + std::to_string(finished_ ? number - 1 : number) +
                      " is no result: take it out, or give another --output",
                  {.file = file_, .node = {}, .op = {}});
    finished_ = !is_row;
    if (!is_row) continue;
    if (status == "failed" && but_failed) {
      leaves_out_ = true;
      continue;
    }
    end_ = at;
    count(status == "ok");
    ++done_[text_of(json, "image")];
    if (auto name = text_of(json, "name"); !name.empty()) names_.push_back(std::move(name));
    if (but_failed) kept_.push_back(std::move(line));
  }
}

bool ResultsFile::take(const std::string& image) {
  const auto found = done_.find(as_written(image));
  if (found == done_.end() || found->second == 0) return false;
  --found->second;
  return true;
}

void ResultsFile::open() {
  if (leaves_out_) {
    std::string text;
    for (const auto& line : kept_) text += line + "\n";
    OutputFiles files;
    files.add(file_, text);
    files.write();
    files.keep();
    end_ = static_cast<std::int64_t>(text.size());
    kept_.clear();
  }
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0 || ::ftruncate(descriptor_, end_) != 0 ||
      ::lseek(descriptor_, end_, SEEK_SET) != end_)
    cannot_write(file_);
  finished_ = false;
}

void ResultsFile::append(const std::string& line) {
  std::size_t written = 0;
  while (written < line.size()) {
    const auto count = ::write(descriptor_, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      // What is there of it would be dropped by the next call, too.
      if (::ftruncate(descriptor_, end_) == 0) ::lseek(descriptor_, end_, SEEK_SET);
      cannot_write(file_);
    }
    written += static_cast<std::size_t>(count);
  }
  end_ += static_cast<std::int64_t>(line.size());
}

void ResultsFile::finish() {
  const Json last = {
      {"status", "done"}, {"photos", ok_ + failed_}, {"ok", ok_}, {"failed", failed_}};
  append(last.dump() + "\n");
  finished_ = true;
}

std::string as_written(const std::string& image) {
  const Json json = image;
  return Json::parse(json.dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

}  // namespace fovea::cli
