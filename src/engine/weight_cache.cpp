#include "engine/weight_cache.hpp"

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

Weights pack(const graph::Constant& constant, const Desc& as, const Desc& want,
             base::AlignedBuffer& staging) {
  graph::Floats held;
  const float* source = nullptr;
  if (constant.deferred() == nullptr) {
    held = constant.floats();
    source = held.data.data();
  } else {
    const auto bytes = constant.size() * sizeof(float);
    if (staging.size() < bytes) staging = base::AlignedBuffer(bytes);
    auto* floats = reinterpret_cast<float*>(staging.data());
    constant.read(0, {floats, constant.size()});
    source = floats;
  }
  auto packed = std::make_shared<base::AlignedBuffer>(want.get_size());
  dnnl::memory from(as, cpu(), const_cast<float*>(source));
  dnnl::memory to(want, cpu(), packed->data());
  dnnl::stream stream(cpu());
  dnnl::reorder(from, to).execute(stream, from, to);
  stream.wait();
  const std::byte* data = packed->data();
  return {std::move(packed), data};
}

}  // namespace fovea::engine
