#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "fovea/error.hpp"

namespace fovea::base {

/// A file that is read once, from its beginning to its end: a regular one, or a pipe. Devices have
/// no end.
class InputFile {
 public:
  /// Waits for a pipe's writer. `what` it should be, "image" say. Throws Error(code) without the
  /// file's name where there is none, it may not be read, or is something else: a directory, a
  /// device, a socket.
  InputFile(const std::filesystem::path& file, const std::string& what, ErrorCode code);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Of a regular file; 0 for a pipe.
  std::uint64_t size() const { return size_; }
  /// The next bytes: fewer than `out` takes only at the end. Throws Error(code).
  std::size_t read(std::span<std::byte> out);

 private:
  std::string what_;
  ErrorCode code_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace fovea::base
