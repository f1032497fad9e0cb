#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>

#include "fovea/error.hpp"

namespace fovea::base {
namespace {

namespace fs = std::filesystem;

// Removes the file unless it has been renamed away.
struct Unfinished {
  fs::path path;
  int descriptor;
  ~Unfinished() {
    if (descriptor >= 0) ::close(descriptor);
    if (!path.empty()) ::unlink(path.c_str());
  }
};

// Threads and processes that write the same target at once each get a file of their own.
fs::path name_beside(const fs::path& target) {
  static std::atomic<unsigned> counter{0};
  fs::path name = target;
  name.replace_filename("." + std::to_string(::getpid()) + "-" + std::to_string(++counter) +
                        ".fovea-part");
  return name;
}

int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

void write_atomically(const fs::path& file,
                      std::initializer_list<std::span<const std::byte>> pieces,
                      const std::string& what) {
  const auto cannot_write = [&](const std::string& why) {
    return Error(ErrorCode::bad_input, "cannot write " + what + ": " + why,
                 {file.string(), "", ""});
  };
  const auto message = [](int number) { return std::generic_category().message(number); };
  std::error_code status;
  const fs::path resolved = fs::exists(file, status) ? fs::canonical(file, status) : file;
  const fs::path& target = status ? file : resolved;
  // A rename would replace a device or a pipe by a file.
  if (fs::exists(target, status) && !fs::is_regular_file(target, status))
    throw cannot_write("not a regular file");

  const fs::path part = name_beside(target);
  constexpr mode_t kReadWriteForAll = 0666;  // less the process's umask
  const int descriptor =
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadWriteForAll);
  if (descriptor < 0) throw cannot_write(message(errno));
  Unfinished unfinished{part, descriptor};
  for (const auto& bytes : pieces)
    if (const int error = write_all(descriptor, bytes); error != 0)
      throw cannot_write(message(error));
  unfinished.descriptor = -1;
  if (::close(descriptor) != 0) throw cannot_write(message(errno));
  if (::rename(part.c_str(), target.c_str()) != 0) throw cannot_write(message(errno));
  unfinished.path.clear();
}

}  // namespace fovea::base
