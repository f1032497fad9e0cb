#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/aligned.hpp"
#include "fovea/tensor.hpp"
#include "graph/ops.hpp"

/// The data of values that are known before the graph runs.
namespace fovea::graph {

/// Floats, and what keeps them where they are.
struct Floats {
  std::span<const float> data;
  std::shared_ptr<const void> owner;

  auto begin() const { return data.begin(); }
  auto end() const { return data.end(); }
  std::size_t size() const { return data.size(); }
  bool empty() const { return data.empty(); }
  float operator[](std::size_t i) const { return data[i]; }
  float front() const { return data.front(); }
};

/// Floats that lie elsewhere (in a file), or follow from others (scaled): made when they are asked
/// for. Safe from any thread.
class Deferred {
 public:
  Deferred(std::int64_t count, std::uint64_t identity) : count_(count), identity_(identity) {}
  virtual ~Deferred() = default;
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;

  std::int64_t size() const { return count_; }
  /// The same for what holds the same numbers, and only for that, among what one model makes.
  std::uint64_t identity() const { return identity_; }

  /// Elements first, first + 1, ... Throws Error.
  virtual void read(std::int64_t first, std::span<float> out) const = 0;

  /// All of them, in one block of memory for everybody who holds it at the same time. Throws Error.
  Floats load() const;

 private:
  std::int64_t count_;
  std::uint64_t identity_;
  mutable std::mutex loading_;
  mutable std::weak_ptr<const base::AlignedBuffer> loaded_;
};

/// Immutable data of a value. Floats are f32 (f16, bf16 and f64 are converted); integers and
/// booleans are i64. Copies share the data.
class Constant {
 public:
  DType type = DType::f32;
  Shape shape;
  std::span<const std::int64_t> ints;  ///< for i64 and boolean (0 or 1)

  static Constant of_floats(Shape shape, std::vector<float> data);
  static Constant of_ints(Shape shape, std::vector<std::int64_t> data, DType type = DType::i64);
  /// Over memory that `owner` keeps.
  static Constant over(Shape shape, std::span<const float> data, std::shared_ptr<const void> owner);
  static Constant over(Shape shape, std::span<const std::int64_t> data,
                       std::shared_ptr<const void> owner);
  /// f32 that are not here yet.
  static Constant of_deferred(Shape shape, std::shared_ptr<const Deferred> source);

  /// Elements, here or not.
  std::size_t size() const;
  /// For f32: where they lie, loaded if need be. May throw Error then, and cost a read of a file.
  Floats floats() const;
  /// For f32: a copy of elements first, first + 1, ..., of which nothing is kept.
  void read(std::int64_t first, std::span<float> out) const;
  /// Null where the data is here.
  const Deferred* deferred() const { return deferred_.get(); }
  /// For f32: as Deferred::identity. Data that is here costs a pass over it.
  std::uint64_t identity() const;

 private:
  std::span<const float> floats_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const Deferred> deferred_;
};

}  // namespace fovea::graph
