#include "onnx/stored_floats.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/checksum.hpp"
#include "base/parallel.hpp"
#include "onnx/element_type.hpp"
#include "onnx/to_floats.hpp"

namespace fovea::onnx {
namespace {

/// What is read, checked and converted at a time; a whole number of elements of any type.
constexpr std::int64_t kBlock = std::int64_t{1} << 20;

std::int64_t blocks_of(std::int64_t bytes) {
  return (bytes + kBlock - 1) / kBlock;
}

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> last{0};
  const std::uint64_t number = ++last;
  return base::checksum(std::as_bytes(std::span(&number, 1)));
}

}  // namespace

StoredFloats::StoredFloats(std::shared_ptr<const Source> source, std::int64_t offset,
                           std::int64_t count, DataType type, ErrorContext where)
    : Deferred(count, next_identity()),
      source_(std::move(source)),
      offset_(offset),
      type_(type),
      where_(std::move(where)) {
  if (!source_->may_change()) return;
  const auto bytes = count * size_of(type);
  const auto blocks = blocks_of(bytes);
  sums_ = std::make_unique<std::atomic<std::uint64_t>[]>(static_cast<std::size_t>(blocks));
  if (source_->shows_changes()) return;
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min(bytes, kBlock)));
  for (std::int64_t block = 0; block < blocks; ++block) {
    const auto length = std::min(bytes - block * kBlock, kBlock);
    read_block(block, block * kBlock, std::span(buffer).first(static_cast<std::size_t>(length)));
  }
}

/// The block's bytes from `begin` on.
void StoredFloats::read_block(std::int64_t block, std::int64_t begin,
                              std::span<std::byte> out) const {
  source_->read(offset_ + begin, out);
  const auto whole = std::min(size() * size_of(type_) - block * kBlock, kBlock);
  if (!sums_ || static_cast<std::int64_t>(out.size()) != whole) return;
  const auto sum = std::max<std::uint64_t>(base::checksum(out), 1);
  std::uint64_t known = 0;
  auto& kept = sums_[static_cast<std::size_t>(block)];
  if (!kept.compare_exchange_strong(known, sum) && known != sum)
    throw Error(ErrorCode::bad_model, "the file changed after the model was loaded");
}

void StoredFloats::read(std::int64_t first, std::span<float> out) const {
  const auto width = size_of(type_);
  const auto begin = first * width;
  const auto end = begin + static_cast<std::int64_t>(out.size()) * width;
  const auto first_block = begin / kBlock;
  const auto read_blocks = [&](std::int64_t from_block, std::int64_t to_block) {
    std::vector<std::byte> buffer;
    for (auto block = first_block + from_block; block < first_block + to_block; ++block) {
      const auto from = std::max(begin, block * kBlock);
      const auto to = std::min(end, (block + 1) * kBlock);
      const auto place = out.subspan(static_cast<std::size_t>((from - begin) / width),
                                     static_cast<std::size_t>((to - from) / width));
      if (type_ == DataType::f32) {
        read_block(block, from, std::as_writable_bytes(place));
        continue;
      }
      buffer.resize(static_cast<std::size_t>(to - from));
      read_block(block, from, buffer);
      to_floats(type_, buffer, place);
    }
  };
  try {
    source_->check_unchanged();
    base::parallel_for(blocks_of(end) - first_block, 2, read_blocks);
    // Once more: a change during the read shows now.
    source_->check_unchanged();
  } catch (const Error& error) {
    throw error.with(where_);
  }
}

}  // namespace fovea::onnx
