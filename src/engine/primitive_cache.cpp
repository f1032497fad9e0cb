#include "engine/primitive_cache.hpp"

#include <chrono>
#include <dnnl.hpp>
#include <mutex>

namespace fovea::engine {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(10);

std::shared_timed_mutex& users() {
  static std::shared_timed_mutex mutex;
  return mutex;
}

}  // namespace

PrimitivesStayCached keep_primitives_cached() {
  return PrimitivesStayCached(users());
}

WithoutPrimitiveCache::WithoutPrimitiveCache(const std::function<bool()>& waits) {
  std::unique_lock alone(users(), std::defer_lock);
  while (!alone.try_lock_for(kPatience))
    if (!waits()) return;
  const int capacity = dnnl::get_primitive_cache_capacity();
  dnnl::set_primitive_cache_capacity(0);
  capacity_ = capacity;
}

WithoutPrimitiveCache::~WithoutPrimitiveCache() {
  if (capacity_ >= 0) dnnl_set_primitive_cache_capacity(capacity_);
}

}  // namespace fovea::engine
