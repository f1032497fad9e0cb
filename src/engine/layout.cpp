#include "engine/layout.hpp"

#include <algorithm>
#include <array>

namespace fovea::engine {
namespace {

using Tag = dnnl::memory::format_tag;

struct Candidate {
  Tag tag;
  std::int64_t block;  // 0: channels last
};

// oneDNN's spelling of "channels in blocks" for each rank: a is the image, b the channel.
std::span<const Candidate> candidates(std::size_t rank) {
  static constexpr std::array<Candidate, 4> rank3 = {
      {{Tag::nCw16c, 16}, {Tag::nCw8c, 8}, {Tag::nCw4c, 4}, {Tag::nwc, 0}}};
  static constexpr std::array<Candidate, 4> rank4 = {
      {{Tag::nChw16c, 16}, {Tag::nChw8c, 8}, {Tag::nChw4c, 4}, {Tag::nhwc, 0}}};
  static constexpr std::array<Candidate, 4> rank5 = {
      {{Tag::nCdhw16c, 16}, {Tag::nCdhw8c, 8}, {Tag::nCdhw4c, 4}, {Tag::ndhwc, 0}}};
  switch (rank) {
    case 3:
      return rank3;
    case 4:
      return rank4;
    case 5:
      return rank5;
    default:
      return {};
  }
}

MapView view_with_block(const Dims& dims, std::int64_t block) {
  MapView view;
  view.images = dims[0];
  view.layout.channels = dims[1];
  view.layout.positions = 1;
  for (std::size_t i = 2; i < dims.size(); ++i) view.layout.positions *= dims[i];
  view.layout.block = block == 0 ? std::max<std::int64_t>(dims[1], 1) : block;
  view.image_stride = simd::padded_channels(view.layout) * view.layout.positions;
  return view;
}

}  // namespace

Dims dims_of(const Shape& shape) {
  return shape.empty() ? Dims{1} : Dims(shape);
}

Dims plain_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(dims[i], 1);
  return strides;
}

Desc plain_desc(const Shape& shape, Type type) {
  const Dims dims = dims_of(shape);
  return {dims, type, plain_strides(dims)};
}

Desc any_desc(const Shape& shape, Type type) {
  return {dims_of(shape), type, Tag::any};
}

#if DNNL_VERSION_MAJOR >= 3
Dims dims_in(const Desc& desc) {
  return desc.get_dims();
}
Type type_of(const Desc& desc) {
  return desc.get_data_type();
}
#else
Dims dims_in(const Desc& desc) {
  return desc.dims();
}
Type type_of(const Desc& desc) {
  return desc.data_type();
}
#endif

bool is_plain(const Desc& desc) {
  const Dims dims = dims_in(desc);
  return desc == Desc(dims, type_of(desc), plain_strides(dims));
}

std::optional<MapView> map_view(const Desc& desc) {
  const Dims dims = dims_in(desc);
  if (dims.size() < 3 || dims.size() > 5) return std::nullopt;
  if (is_plain(desc)) return view_with_block(dims, 1);
  for (const auto& candidate : candidates(dims.size()))
    if (desc == Desc(dims, type_of(desc), candidate.tag))
      return view_with_block(dims, candidate.block);
  return std::nullopt;
}

namespace {

std::optional<Desc> desc_with_block(const Shape& shape, Type type, std::int64_t block) {
  for (const auto& candidate : candidates(shape.size()))
    if (candidate.block == block) return Desc(dims_of(shape), type, candidate.tag);
  return std::nullopt;
}

}  // namespace

std::int64_t home_block() {
  static const bool wide = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  return wide ? 16 : 8;
}

std::optional<Desc> home_desc(const Shape& shape, Type type) {
  return desc_with_block(shape, type, home_block());
}

std::optional<Desc> channels_last_desc(const Shape& shape, Type type) {
  return desc_with_block(shape, type, 0);
}

Desc with_type(const Desc& desc, Type type) {
  const Dims dims = dims_in(desc);
  for (const auto& candidate : candidates(dims.size()))
    if (desc == Desc(dims, type_of(desc), candidate.tag)) return {dims, type, candidate.tag};
  return {dims, type, plain_strides(dims)};
}

Desc like(const Desc& layout, const Shape& shape) {
  const Dims dims = dims_in(layout);
  if (shape.size() == dims.size())
    for (const auto& candidate : candidates(dims.size()))
      if (layout == Desc(dims, type_of(layout), candidate.tag))
        return {dims_of(shape), Type::f32, candidate.tag};
  return plain_desc(shape);
}

std::int64_t stored_elements(const Desc& desc) {
  const auto bytes = static_cast<std::int64_t>(desc.get_size());
  return bytes / static_cast<std::int64_t>(dnnl::memory::data_type_size(type_of(desc)));
}

bool has_padding(const Desc& desc) {
  std::int64_t own = 1;
  for (const auto extent : dims_in(desc)) own *= extent;
  return stored_elements(desc) != own;
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

}  // namespace fovea::engine
