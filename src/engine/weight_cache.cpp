#include "engine/weight_cache.hpp"

#include <algorithm>
#include <utility>

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
    held_ = constant.floats();
    return held_.data;
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
                     const std::function<std::vector<float>(std::span<const float>)>& make) {
  return lay_out(make(read(constant)).data(), as, want);
}

}  // namespace fovea::engine
