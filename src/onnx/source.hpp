#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

namespace fovea::onnx {

/// Bytes that can be read from any place, by any thread.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::int64_t size() const = 0;
  /// Fills `out` from `offset` on, which lies within the size. Throws Error bad_model.
  virtual void read(std::int64_t offset, std::span<std::byte> out) const = 0;

  /// True where the bytes may become others. Throws Error bad_model where they are known to have.
  virtual bool may_change() const { return false; }
  virtual void check_unchanged() const {}
  /// False where a change could escape check_unchanged.
  virtual bool shows_changes() const { return true; }
};

/// Bytes in memory.
class HeldBytes : public Source {
 public:
  /// `owner` keeps the bytes; none: the caller does.
  explicit HeldBytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = {})
      : bytes_(bytes), owner_(std::move(owner)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  void read(std::int64_t offset, std::span<std::byte> out) const override {
    const auto from = bytes_.subspan(static_cast<std::size_t>(offset), out.size());
    std::copy(from.begin(), from.end(), out.begin());
  }

 private:
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace fovea::onnx
