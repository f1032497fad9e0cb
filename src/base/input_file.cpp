#include "base/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace fovea::base {
namespace {

/// What the mode says is there, in words; null where it may be read.
const char* other_kind(mode_t mode) {
  if (S_ISREG(mode) || S_ISFIFO(mode)) return nullptr;
  if (S_ISDIR(mode)) return "a directory";
  return S_ISSOCK(mode) ? "a socket" : "a device";
}

std::string article(const std::string& what) {
  return (std::string("aeiou").find(what.front()) == std::string::npos ? "a " : "an ") + what;
}

}  // namespace

InputFile::InputFile(const std::filesystem::path& file, const std::string& what, ErrorCode code)
    : what_(what), code_(code) {
  const auto fail = [&] {
    throw Error(code_, "cannot open the " + what_ + ": " + std::generic_category().message(errno));
  };
  const auto check = [&](const struct stat& status) {
    if (const auto* kind = other_kind(status.st_mode))
      throw Error(code_, std::string(kind) + ", not " + article(what_) +
                             (S_ISDIR(status.st_mode) ? ": name a file in it" : ""));
  };
  // Before it is opened: that alone may start what a device does.
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) fail();
  check(status);
  do {
    descriptor_ = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail();
  try {
    if (::fstat(descriptor_, &status) != 0) fail();
    check(status);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
  if (S_ISREG(status.st_mode)) size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

std::size_t InputFile::read(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto got = ::read(descriptor_, out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(code_,
                  "cannot read the " + what_ + ": " + std::generic_category().message(errno));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace fovea::base
