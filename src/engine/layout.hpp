#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <optional>

#include "fovea/tensor.hpp"
#include "simd/kernels.hpp"

/// What memory layouts fovea's own kernels understand, over oneDNN's descriptors.
namespace fovea::engine {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;

/// Row-major; a scalar becomes one element of rank 1, which is the least oneDNN has.
Desc plain_desc(const Shape& shape, Type type = Type::f32);
/// Row-major strides of `dims`.
Dims plain_strides(const Dims& dims);
/// Any layout, for oneDNN to choose.
Desc any_desc(const Shape& shape, Type type);
Dims dims_of(const Shape& shape);

Type type_of(const Desc& desc);
Dims dims_in(const Desc& desc);
bool is_plain(const Desc& desc);

/// A feature map [n, c, ...] as fovea's SIMD kernels see one: dense, channels in blocks of `block`
/// (1: plain; the channel count: channels last). None for anything else.
struct MapView {
  simd::MapLayout layout;
  std::int64_t images = 1;
  std::int64_t image_stride = 0;  ///< floats from one image to the next
};
std::optional<MapView> map_view(const Desc& desc);

/// Channels of a block as wide as this CPU's vectors.
std::int64_t home_block();
/// Channels in blocks as wide as this CPU's vectors, the layout that feature maps keep where no
/// step is faster in another; none for extents that are no feature map's.
std::optional<Desc> home_desc(const Shape& shape, Type type);
/// Channels innermost; none as above.
std::optional<Desc> channels_last_desc(const Shape& shape, Type type);

/// Other extents in the same layout, where `map_view` knows it; else row-major. f32.
Desc like(const Desc& layout, const Shape& shape);

/// The same extents and element order in another element type, where `map_view` knows the layout;
/// else row-major.
Desc with_type(const Desc& desc, Type type);

/// True where the layout holds elements beyond the tensor's own (channels padded to whole blocks).
/// oneDNN wants them to be zero.
bool has_padding(const Desc& desc);

/// Floats that the layout occupies, padding included.
std::int64_t stored_elements(const Desc& desc);

/// The CPU engine of the process.
const dnnl::engine& cpu();

}  // namespace fovea::engine
