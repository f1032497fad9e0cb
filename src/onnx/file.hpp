#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "onnx/source.hpp"

struct stat;

namespace fovea::onnx {

/// An open file; the only place that opens and reads one. Files are read, never mapped: one that
/// shrinks under a mapping would kill the process. It stays what it was when its name is removed or
/// given to another file.
class File : public Source {
 public:
  /// A regular file that the user named; symbolic links are followed. Throws Error bad_model.
  static File open(const std::filesystem::path& path);

  /// A file that a model named, relative to `folder`: only downwards (`a/../b` stays there), to a
  /// regular file that no other name refers to (a hard link could lead anywhere on the disk). A
  /// symbolic link is followed where it ends beneath one of `roots`, which are real paths. Throws
  /// Error bad_model.
  static File open_beneath(const std::filesystem::path& folder, const std::string& location,
                           const std::vector<std::filesystem::path>& roots = {});

  ~File() override;
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;

  std::int64_t size() const override { return size_; }
  /// Throws Error bad_model also where the file became shorter.
  void read(std::int64_t offset, std::span<std::byte> out) const override;

  bool may_change() const override { return true; }
  /// By its size and the time of its last change.
  void check_unchanged() const override;
  bool shows_changes() const override { return is_settled_; }

 private:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  void remember(const struct stat& status);

  int descriptor_ = -1;
  std::int64_t size_ = 0;
  std::timespec changed_{};
  bool is_settled_ = false;
};

}  // namespace fovea::onnx
