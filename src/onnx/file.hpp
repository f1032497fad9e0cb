#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/aligned.hpp"

namespace fovea::onnx {

/// An open file; the only place that opens and reads one. Files are read, never mapped: one that
/// shrinks under a mapping would kill the process.
class File {
 public:
  /// A regular file that the user named; symbolic links are followed. Throws Error bad_model.
  static File open(const std::filesystem::path& path);

  /// A file that a model named, relative to `folder`: only downwards, through no symbolic link, to
  /// a regular file that no other name refers to (a hard link could lead anywhere on the disk).
  /// Throws Error bad_model.
  static File open_beneath(const std::filesystem::path& folder, const std::string& location);

  ~File();
  File(File&& other) noexcept : descriptor_(other.descriptor_), size_(other.size_) {
    other.descriptor_ = -1;
  }
  File& operator=(File&&) = delete;

  std::int64_t size() const { return size_; }

  /// Fills `out` from `offset` on. Throws Error bad_model where the file ends before that, or
  /// cannot be read.
  void read(std::int64_t offset, std::span<std::byte> out) const;

 private:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  void require_regular();

  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace fovea::onnx
