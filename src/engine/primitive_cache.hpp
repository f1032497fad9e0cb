#pragma once

#include <functional>
#include <shared_mutex>

/// oneDNN's cache of primitives, one per process, as far as those who make plans have to know it.
///
/// Who describes what is cached is handed the cached primitive's description. In oneDNN 2 that one
/// points to fused activations which died with the description that the primitive was made of. It
/// serves for as long as the primitive is in the cache, which is then taken in place of a new one;
/// a primitive that is made anew from it computes what happens to lie there, or crashes.
namespace fovea::engine {

/// Held from a description to its primitive: while somebody holds one, nobody empties the cache.
/// Not twice in one thread.
using PrimitivesStayCached = std::shared_lock<std::shared_timed_mutex>;
PrimitivesStayCached keep_primitives_cached();

/// While one lives, they need not stay for this holder: descriptions from before must not be used
/// any more.
class NeedNotStayCached {
 public:
  explicit NeedNotStayCached(PrimitivesStayCached& kept) : kept_(kept) { kept_.unlock(); }
  ~NeedNotStayCached() { kept_.lock(); }
  NeedNotStayCached(const NeedNotStayCached&) = delete;
  NeedNotStayCached& operator=(const NeedNotStayCached&) = delete;

 private:
  PrimitivesStayCached& kept_;
};

/// While one lives, oneDNN caches no primitives, and every description is new. One at a time, and
/// in no thread that wants them kept.
class WithoutPrimitiveCache {
 public:
  /// Waits for those who want them kept, and asks `waits` now and then whether to go on; where it
  /// says no, all stays as it is.
  explicit WithoutPrimitiveCache(const std::function<bool()>& waits);
  ~WithoutPrimitiveCache();
  WithoutPrimitiveCache(const WithoutPrimitiveCache&) = delete;
  WithoutPrimitiveCache& operator=(const WithoutPrimitiveCache&) = delete;

  explicit operator bool() const { return capacity_ >= 0; }

 private:
  int capacity_ = -1;
};

}  // namespace fovea::engine
