#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned.hpp"
#include "engine/layout.hpp"
#include "engine/plan.hpp"

namespace fovea::engine {

/// Data in a layout, and what keeps it.
using Weights = std::shared_ptr<const std::byte>;

/// What tells one form of a weight from all others.
struct WeightKey {
  std::uint64_t identity = 0;  ///< of the data: graph::Constant::identity
  std::string transform;       ///< what is done to it besides a change of layout; may be empty
  Desc as;                     ///< how the data is read
  Desc want;                   ///< how it lies
};

/// Every form of a weight lives as long as a plan holds it: explainers of one model share, and what
/// none of them needs any more is released. The source can be read again.
struct WeightCache::Impl {
  /// What is kept under the key; else what `make` returns. Who asks meanwhile waits for it.
  Weights get(const WeightKey& key, const std::function<Weights()>& make);

 private:
  struct Slot {
    explicit Slot(WeightKey k) : key(std::move(k)) {}
    const WeightKey key;
    std::mutex making;
    std::weak_ptr<const std::byte> data;
  };
  std::shared_ptr<Slot> slot(const WeightKey& key);
  void drop_unused();

  std::mutex mutex_;
  std::multimap<std::uint64_t, std::shared_ptr<Slot>> slots_;  // by identity
  std::size_t drop_at_ = 64;
};

/// Lays out the weights of one plan. Not to be shared among threads.
class Packer {
 public:
  /// Reads the constant as `as` and lays it out as `want`.
  Weights pack(const graph::Constant& constant, const Desc& as, const Desc& want);
  /// The same of what `make` computes from the constant, or from what of it is `in_memory`.
  Weights pack(const graph::Constant& constant, const Desc& as, const Desc& want,
               const std::function<std::vector<float>(std::span<const float>)>& make,
               std::span<const float> in_memory);
  /// A matrix [rows, columns] as [columns, rows]. Read a part at a time: it may be most of a model.
  Weights transpose(const graph::Constant& constant);

 private:
  /// Until the next one is read.
  std::span<const float> read(const graph::Constant& constant);
  Weights lay_out(const float* source, const Desc& as, const Desc& want);
  /// Small weights lie side by side in blocks that are large enough for huge pages. A block is
  /// freed with the last of them.
  std::pair<std::shared_ptr<void>, std::byte*> allocate(std::size_t bytes);

  base::AlignedBuffer staging_;  ///< where data is read to
  graph::Floats source_;         ///< or what holds it
  std::shared_ptr<base::AlignedBuffer> block_;
  std::size_t used_ = 0;
};

}  // namespace fovea::engine
