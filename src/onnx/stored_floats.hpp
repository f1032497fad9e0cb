#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "fovea/error.hpp"
#include "fovea/model.hpp"
#include "graph/constant.hpp"
#include "onnx/source.hpp"

namespace fovea::onnx {

/// The floats of a tensor, left where they are stored and read from there each time. A read of
/// other bytes than were there before is an Error bad_model: the source is asked, and checksums are
/// kept.
class StoredFloats : public graph::Deferred {
 public:
  /// `count` elements of the float type `type` from byte `offset` on, which lie within the source.
  /// `where` names the tensor in errors. Reads them once where the source may hide changes.
  StoredFloats(std::shared_ptr<const Source> source, std::int64_t offset, std::int64_t count,
               DataType type, ErrorContext where);

  void read(std::int64_t first, std::span<float> out) const override;

 private:
  void read_block(std::int64_t block, std::int64_t begin, std::span<std::byte> out) const;

  std::shared_ptr<const Source> source_;
  std::int64_t offset_;
  DataType type_;
  ErrorContext where_;
  /// Of each block of bytes; 0: not known yet.
  std::unique_ptr<std::atomic<std::uint64_t>[]> sums_;
};

}  // namespace fovea::onnx
