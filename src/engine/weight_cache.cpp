#include "engine/weight_cache.hpp"

#include <algorithm>
#include <utility>

#include "base/parallel.hpp"

namespace fovea::engine {

WeightCache::WeightCache() : impl_(std::make_unique<Impl>()) {}
WeightCache::~WeightCache() = default;

std::shared_ptr<WeightCache::Impl::Slot> WeightCache::Impl::slot(const WeightKey& key) {
  const std::lock_guard guard(mutex_);
  const auto [begin, end] = slots_.equal_range(key.identity);
  for (auto it = begin; it != end; ++it) {
    const auto& known = it->second->key;
    if (known.want == key.want && known.as == key.as && known.transform == key.transform)
      return it->second;
  }
  if (slots_.size() >= drop_at_) drop_unused();
  return slots_.emplace(key.identity, std::make_shared<Slot>(key))->second;
}

void WeightCache::Impl::drop_unused() {
  // A slot that is only in this list is nobody's who waits or makes: nobody else hands them out.
  std::erase_if(slots_, [](const auto& item) {
    return item.second.use_count() == 1 && item.second->data.expired();
  });
  drop_at_ = 2 * slots_.size() + 64;
}

Weights WeightCache::Impl::get(const WeightKey& key, const std::function<Weights()>& make) {
  const auto place = slot(key);
  const std::lock_guard guard(place->making);
  if (auto held = place->data.lock()) return held;
  auto made = make();
  place->data = made;
  return made;
}

std::pair<std::shared_ptr<void>, std::byte*> Packer::allocate(std::size_t bytes) {
  constexpr std::size_t kSmall = std::size_t{1} << 20, kFirst = kSmall / 4, kLargest = kSmall * 4;
  if (bytes > kSmall) {
    auto own = std::make_shared<base::AlignedBuffer>(bytes);
    auto* data = own->data();
    return {std::move(own), data};
  }
  const std::size_t size = base::aligned_size(bytes);
  if (!block_ || block_->size() - used_ < size) {
    const std::size_t next = block_ ? std::min(2 * block_->size(), kLargest) : kFirst;
    block_ = std::make_shared<base::AlignedBuffer>(std::max(next, size));
    used_ = 0;
  }
  return {block_, block_->data() + std::exchange(used_, used_ + size)};
}

std::span<const float> Packer::read(const graph::Constant& constant) {
  if (constant.deferred() == nullptr) {
    source_ = constant.floats();
    return source_.data;
  }
  const auto bytes = constant.size() * sizeof(float);
  if (staging_.size() < bytes) staging_ = base::AlignedBuffer(bytes);
  const std::span floats(reinterpret_cast<float*>(staging_.data()), constant.size());
  constant.read(0, floats);
  return floats;
}

Weights Packer::lay_out(const float* source, const Desc& as, const Desc& want) {
  auto [owner, data] = allocate(want.get_size());
  dnnl::memory from(as, cpu(), const_cast<float*>(source));
  dnnl::memory to(want, cpu(), data);
  dnnl::stream stream(cpu());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  return {std::move(owner), data};
}

Weights Packer::pack(const graph::Constant& constant, const Desc& as, const Desc& want) {
  return lay_out(read(constant).data(), as, want);
}

Weights Packer::pack(const graph::Constant& constant, const Desc& as, const Desc& want,
                     const std::function<std::vector<float>(std::span<const float>)>& make,
                     std::span<const float> in_memory) {
  return lay_out(make(in_memory.empty() ? read(constant) : in_memory).data(), as, want);
}

namespace {

constexpr std::int64_t kTile = 16;  // a cache line on either side

void transpose_tile(const float* src, std::int64_t src_stride, std::int64_t rows,
                    std::int64_t columns, float* dst, std::int64_t dst_stride) {
  float tile[kTile][kTile];
  for (std::int64_t r = 0; r < rows; ++r) std::copy_n(src + r * src_stride, columns, tile[r]);
  for (std::int64_t k = 0; k < columns; ++k)
    for (std::int64_t r = 0; r < rows; ++r) dst[k * dst_stride + r] = tile[r][k];
}

}  // namespace

Weights Packer::transpose(const graph::Constant& constant) {
  constexpr std::int64_t kRows = 4 * kTile;
  const auto rows = constant.shape[0], columns = constant.shape[1];
  const auto part = static_cast<std::size_t>(std::min(kRows, rows) * columns);
  auto [owner, data] = allocate(constant.size() * sizeof(float));
  auto* dst = reinterpret_cast<float*>(data);
  if (staging_.size() < part * sizeof(float)) staging_ = base::AlignedBuffer(part * sizeof(float));
  auto* src = reinterpret_cast<float*>(staging_.data());
  for (std::int64_t first = 0; first < rows; first += kRows) {
    const auto count = std::min(kRows, rows - first);
    constant.read(first * columns, {src, static_cast<std::size_t>(count * columns)});
    base::parallel_for((columns + kTile - 1) / kTile, 1, [=](std::int64_t begin, std::int64_t end) {
      for (auto k = begin * kTile; k < std::min(end * kTile, columns); k += kTile)
        for (std::int64_t r = 0; r < count; r += kTile)
          transpose_tile(src + r * columns + k, columns, std::min(kTile, count - r),
                         std::min(kTile, columns - k), dst + k * rows + first + r, rows);
    });
  }
  return {std::move(owner), data};
}

}  // namespace fovea::engine
