#include "graph/constant.hpp"

#include <algorithm>
#include <utility>

#include "base/checked.hpp"
#include "base/checksum.hpp"

namespace fovea::graph {
namespace {

void check_length(const Shape& shape, std::size_t length) {
  if (base::element_count(shape) != static_cast<std::int64_t>(length))
    throw Error(ErrorCode::bad_model, "a constant's data does not fit its shape");
}

}  // namespace

Floats Deferred::load() const {
  const auto count = static_cast<std::size_t>(count_);
  const auto as_floats = [count](std::shared_ptr<const base::AlignedBuffer> held) {
    const std::span data(reinterpret_cast<const float*>(held->data()), count);
    return Floats{data, std::move(held)};
  };
  // Whoever comes while another loads waits, and shares what it made.
  const std::lock_guard guard(loading_);
  if (auto held = loaded_.lock()) return as_floats(std::move(held));
  auto fresh = std::make_shared<base::AlignedBuffer>(count * sizeof(float));
  read(0, {reinterpret_cast<float*>(fresh->data()), count});
  loaded_ = fresh;
  return as_floats(std::move(fresh));
}

Constant Constant::of_floats(Shape shape, std::vector<float> data) {
  auto held = std::make_shared<const std::vector<float>>(std::move(data));
  const std::span<const float> view = *held;
  return over(std::move(shape), view, std::move(held));
}

Constant Constant::of_ints(Shape shape, std::vector<std::int64_t> data, DType type) {
  auto held = std::make_shared<const std::vector<std::int64_t>>(std::move(data));
  const std::span<const std::int64_t> view = *held;
  auto out = over(std::move(shape), view, std::move(held));
  out.type = type;
  return out;
}

Constant Constant::over(Shape shape, std::span<const float> data,
                        std::shared_ptr<const void> owner) {
  check_length(shape, data.size());
  Constant out;
  out.shape = std::move(shape);
  out.floats_ = data;
  out.owner_ = std::move(owner);
  return out;
}

Constant Constant::over(Shape shape, std::span<const std::int64_t> data,
                        std::shared_ptr<const void> owner) {
  check_length(shape, data.size());
  Constant out;
  out.type = DType::i64;
  out.shape = std::move(shape);
  out.ints = data;
  out.owner_ = std::move(owner);
  return out;
}

Constant Constant::of_deferred(Shape shape, std::shared_ptr<const Deferred> source) {
  check_length(shape, static_cast<std::size_t>(source->size()));
  Constant out;
  out.shape = std::move(shape);
  out.deferred_ = std::move(source);
  return out;
}

std::size_t Constant::size() const {
  if (deferred_) return static_cast<std::size_t>(deferred_->size());
  return type == DType::f32 ? floats_.size() : ints.size();
}

Floats Constant::floats() const {
  return deferred_ ? deferred_->load() : Floats{floats_, owner_};
}

void Constant::read(std::int64_t first, std::span<float> out) const {
  if (deferred_)
    deferred_->read(first, out);
  else
    std::copy_n(floats_.begin() + first, out.size(), out.begin());
}

std::uint64_t Constant::identity() const {
  return deferred_ ? deferred_->identity() : base::checksum(std::as_bytes(floats_));
}

}  // namespace fovea::graph
