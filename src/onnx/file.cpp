#include "onnx/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "fovea/error.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

constexpr std::time_t kCoarsestClock = 2;  // seconds

[[noreturn]] void refuse(std::string sentence) {
  throw Error(ErrorCode::bad_model, std::move(sentence));
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

// The parts of a relative path that stays beneath where it starts.
std::vector<std::string> safe_parts(const std::string& location) {
  const auto refuse_location = [&](const std::string& why) {
    refuse("the external data location " + quote(location) + " " + why);
  };
  if (location.empty()) refuse_location("is empty");
  if (location.front() == '/') refuse_location("is an absolute path");
  if (location.find('\0') != std::string::npos) refuse_location("contains a zero byte");
  std::vector<std::string> parts;
  int depth = 0;
  for (std::size_t begin = 0; begin <= location.size();) {
    const auto end = std::min(location.find('/', begin), location.size());
    const auto part = location.substr(begin, end - begin);
    depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
    if (depth < 0) refuse_location("leaves the model's folder");
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  if (depth == 0 || parts.back() == "..") refuse_location("names no file");
  return parts;
}

// Where `path` is, below `root`; none elsewhere.
std::optional<std::filesystem::path> below(const std::filesystem::path& root,
                                           const std::filesystem::path& path) {
  const auto [at, end] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  if (at != root.end() || end == path.end()) return std::nullopt;
  std::filesystem::path out;
  for (auto part = end; part != path.end(); ++part) out /= *part;
  return out;
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  int get() const { return value_; }

 private:
  int value_;
};

/// Opens what the parts name below a folder, through no link. Going up leads back to the folder
/// that was come from, whatever has been moved meanwhile. Or the error's number, negative.
int open_parts(const std::filesystem::path& folder, const std::vector<std::string>& parts) {
  std::vector<Descriptor> way;
  const int start = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (start < 0) return -errno;
  way.emplace_back(start);
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] == "..") {
      way.pop_back();
      continue;
    }
    const int next =
        ::openat(way.back().get(), parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) return -errno;
    way.emplace_back(next);
  }
  const int file = ::openat(way.back().get(), parts.back().c_str(),
                            O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return file < 0 ? -errno : file;
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      changed_(other.changed_),
      is_settled_(other.is_settled_) {}

void File::remember(const struct stat& status) {
  size_ = status.st_size;
  changed_ = status.st_mtim;
  // File systems count time in steps of up to two seconds: a change in the step of the last one
  // leaves no trace. A time in the future, another clock's, says as little.
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  is_settled_ = now.tv_sec - changed_.tv_sec > kCoarsestClock;
}

void File::check_unchanged() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) refuse("cannot inspect the file: " + reason(errno));
  if (status.st_size != size_ || status.st_mtim.tv_sec != changed_.tv_sec ||
      status.st_mtim.tv_nsec != changed_.tv_nsec)
    refuse("the file changed after the model was loaded");
}

File File::open(const std::filesystem::path& path) {
  // Non-blocking, so that a pipe without a writer is refused and not waited for.
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.descriptor_ < 0) refuse("cannot open the file: " + reason(errno));
  struct stat status {};
  if (::fstat(file.descriptor_, &status) != 0) refuse("cannot inspect the file: " + reason(errno));
  if (!S_ISREG(status.st_mode)) refuse("is not a regular file");
  file.remember(status);
  return file;
}

File File::open_beneath(const std::filesystem::path& folder, const std::string& location,
                        const std::vector<std::filesystem::path>& roots) {
  const auto parts = safe_parts(location);
  const auto fail = [&](int error) {
    // Linux answers ELOOP or ENOTDIR for a link that may not be followed.
    const bool link = error == ELOOP || error == ENOTDIR;
    refuse("cannot open the external data " + quote(location) + ": " +
           (link ? "a part of it is a symbolic link out of the model's folder, or not a folder"
                 : reason(error)));
  };
  int descriptor = open_parts(folder, parts);
  if (descriptor == -ELOOP || descriptor == -ENOTDIR) {
    // Where the link ends is a path without links; whoever puts one into it now is refused.
    std::error_code failure;
    const auto real = std::filesystem::canonical(folder / location, failure);
    if (failure) fail(failure.value());
    for (const auto& root : roots)
      if (const auto rest = below(root, real); rest && descriptor < 0)
        descriptor = open_parts(root, {rest->begin(), rest->end()});
  }
  if (descriptor < 0) fail(-descriptor);
  File file(descriptor);
  struct stat status {};
  if (::fstat(file.descriptor_, &status) != 0) fail(errno);
  if (!S_ISREG(status.st_mode))
    refuse("the external data " + quote(location) + " is not a regular file");
  if (status.st_nlink != 1)
    refuse("the external data " + quote(location) + " has a second name (a hard link)");
  file.remember(status);
  return file;
}

void File::read(std::int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const auto got = ::pread(descriptor_, out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("cannot read the file: " + reason(errno));
    if (got == 0) refuse("the file became shorter while it was read");
    offset += got;
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace fovea::onnx
