// The nearest examples of an index; example_file.cpp has its form on disk.

#include "api/example_index.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>
#include <utility>

#include "base/parallel.hpp"
#include "simd/kernels.hpp"

namespace fovea {
namespace {

constexpr std::int64_t kGrain = 1 << 18;  // values worth waking a thread for

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

template <class Work>
auto with_memory(Work&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory for the examples");
  }
}

void check_finite(std::span<const float> values, const char* what) {
  for (const float v : values)
    if (!std::isfinite(v)) refuse(std::string(what) + " are not all finite");
}

/// The values over a power of two, their largest magnitude from 1/2 to 1: squares of them neither
/// overflow nor vanish, and a cosine is the same.
std::vector<float> scaled(std::span<const float> values) {
  float most = 0;
  for (const float v : values) most = std::max(most, std::abs(v));
  int exponent = 0;
  std::frexp(most, &exponent);
  std::vector<float> out;
  out.reserve(values.size());
  for (const float v : values) out.push_back(std::ldexp(v, -exponent));
  return out;
}

/// To nearest, ties to even; for finite values.
std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

float from_bf16(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

void check_text(const std::string& text, const char* what) {
  if (text.size() > api::kLongestText) refuse(std::string(what) + " is longer than 2^20 bytes");
}

}  // namespace

void ExampleIndex::Impl::set_channels(std::int64_t count) {
  if (count < 1 || count > api::kMaxChannels)
    refuse("an index of examples has 1 to 2^24 channels, not " + std::to_string(count));
  channels = count;
  stride = api::row_stride(count);
}

ExampleIndex::ExampleIndex(ExampleOrigin origin, std::int64_t channels)
    : impl_(std::make_unique<Impl>()) {
  for (const auto& text : {origin.model, origin.layer, origin.inputs})
    check_text(text, "what an index was made from");
  impl_->origin = std::move(origin);
  impl_->set_channels(channels);
}

ExampleIndex::ExampleIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ExampleIndex::ExampleIndex(const ExampleIndex& other)
    : impl_(std::make_unique<Impl>(*other.impl_)) {}
ExampleIndex& ExampleIndex::operator=(const ExampleIndex& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
ExampleIndex::ExampleIndex(ExampleIndex&&) noexcept = default;
ExampleIndex& ExampleIndex::operator=(ExampleIndex&&) noexcept = default;
ExampleIndex::~ExampleIndex() = default;

void ExampleIndex::add(std::span<const float> features, std::string name, std::string label,
                       std::string digest) {
  if (static_cast<std::int64_t>(features.size()) != impl_->channels)
    refuse("the example has " + std::to_string(features.size()) + " features, the index " +
           std::to_string(impl_->channels) + " channels");
  check_finite(features, "the example's features");
  check_text(name, "the example's name");
  check_text(label, "the example's label");
  check_text(digest, "the example's digest");
  with_memory([&] {
    auto& rows = impl_->rows;
    const auto values = scaled(features);
    impl_->entries.push_back({std::move(name), std::move(label), std::move(digest)});
    try {
      rows.resize(rows.size() + static_cast<std::size_t>(impl_->stride));
    } catch (...) {
      impl_->entries.pop_back();
      throw;
    }
    std::transform(values.begin(), values.end(), rows.end() - impl_->stride, to_bf16);
  });
}

void ExampleIndex::reserve(std::int64_t examples) {
  with_memory([&] {
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(0, examples));
    impl_->entries.reserve(count);
    if (count > impl_->rows.max_size() / static_cast<std::size_t>(impl_->stride))
      throw std::bad_alloc();
    impl_->rows.reserve(count * static_cast<std::size_t>(impl_->stride));
  });
}

void ExampleIndex::require(const ExampleOrigin& origin) const {
  const auto& own = impl_->origin;
  const auto check = [](const char* what, const std::string& made, const std::string& asked) {
    if (made != asked)
      refuse("the index of examples was made with another " + std::string(what) + " ('" + made +
             "', not '" + asked + "')");
  };
  check("model", own.model, origin.model);
  check("layer", own.layer, origin.layer);
  check("way to make inputs", own.inputs, origin.inputs);
}

std::vector<Example> ExampleIndex::nearest(const Channels& query, std::int64_t count, int threads,
                                           const std::string& own) const {
  const auto& index = *impl_;
  if (static_cast<std::int64_t>(query.features.size()) != index.channels ||
      query.weights.size() != query.features.size())
    refuse("the query has " + std::to_string(query.features.size()) + " features and " +
           std::to_string(query.weights.size()) + " weights, the index " +
           std::to_string(index.channels) + " channels");
  if (index.entries.empty()) refuse("the index has no examples");
  if (count < 1) refuse("the number of nearest examples must be at least 1");
  check_finite(query.features, "the query's features");
  check_finite(query.weights, "the query's weights");
  return with_memory([&] {
    // cos(w f, w g) = sum w^2 f g / sqrt(sum w^2 f^2 sum w^2 g^2)
    const auto size = index.entries.size();
    const auto features = scaled(query.features), weights = scaled(query.weights);
    std::vector<float> towards(static_cast<std::size_t>(index.stride)), squared(towards.size());
    double squared_length = 0;
    for (std::size_t k = 0; k < features.size(); ++k) {
      const float f = from_bf16(to_bf16(features[k]));
      squared[k] = weights[k] * weights[k];
      towards[k] = squared[k] * f;
      squared_length += static_cast<double>(towards[k]) * f;
    }
    std::vector<Example> out;
    if (!(squared_length > 0)) return out;
    std::vector<float> dots(size), squares(size);
    const base::ThreadScope scope(threads);
    base::parallel_for(static_cast<std::int64_t>(size),
                       std::max<std::int64_t>(1, kGrain / index.stride),
                       [&](std::int64_t begin, std::int64_t end) {
                         simd::kernels().weighted_dots_bf16(index.rows.data(), index.stride,
                                                            towards.data(), squared.data(), begin,
                                                            end, dots.data(), squares.data());
                       });
    auto& similarity = dots;
    for (std::size_t i = 0; i < size; ++i) {
      const double cosine = dots[i] / std::sqrt(squared_length * squares[i]);
      similarity[i] =
          std::isfinite(cosine) ? static_cast<float>(std::clamp(cosine, -1.0, 1.0)) : 0.F;
    }
    std::vector<std::size_t> order;
    order.reserve(size);
    for (std::size_t i = 0; i < size; ++i)
      if (own.empty() || index.entries[i].digest != own) order.push_back(i);
    const auto wanted = std::min(order.size(), static_cast<std::size_t>(count));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(wanted),
                      order.end(), [&](std::size_t a, std::size_t b) {
                        return similarity[a] != similarity[b] ? similarity[a] > similarity[b]
                                                              : a < b;
                      });
    for (std::size_t i = 0; i < wanted; ++i) {
      const auto& entry = index.entries[order[i]];
      out.push_back(
          {static_cast<std::int64_t>(order[i]), entry.name, entry.label, similarity[order[i]]});
    }
    return out;
  });
}

const ExampleOrigin& ExampleIndex::origin() const {
  return impl_->origin;
}
std::int64_t ExampleIndex::channels() const {
  return impl_->channels;
}
std::int64_t ExampleIndex::size() const {
  return static_cast<std::int64_t>(impl_->entries.size());
}

const api::ExampleEntry& ExampleIndex::Impl::at(std::int64_t index) const {
  if (index < 0 || index >= static_cast<std::int64_t>(entries.size()))
    refuse("there is no example " + std::to_string(index) + " in this index");
  return entries[static_cast<std::size_t>(index)];
}

const std::string& ExampleIndex::name(std::int64_t index) const {
  return impl_->at(index).name;
}
const std::string& ExampleIndex::label(std::int64_t index) const {
  return impl_->at(index).label;
}
const std::string& ExampleIndex::digest(std::int64_t index) const {
  return impl_->at(index).digest;
}

}  // namespace fovea
