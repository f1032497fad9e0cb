#pragma once

#include <array>
#include <string>
#include <string_view>

#include "fovea/request.hpp"

/// The words of a request's JSON.
namespace fovea::request {

template <class T>
struct Named {
  std::string_view name;
  T value;
};

inline constexpr auto kCommands = std::to_array<Named<Request::Command>>({
    {"explain", Request::Command::explain},
    {"explain, a sheet", Request::Command::sheet},
    {"predict", Request::Command::predict},
    {"index", Request::Command::index},
});
inline constexpr auto kPrecisions = std::to_array<Named<Precision>>({
    {"f32", Precision::f32},
    {"bf16", Precision::bf16},
    {"auto", Precision::automatic},
});
inline constexpr auto kTunings = std::to_array<Named<Tuning>>({
    {"off", Tuning::off},
    {"quick", Tuning::quick},
    {"thorough", Tuning::thorough},
    {"winograd", Tuning::winograd},
});
inline constexpr auto kFuses = std::to_array<Named<Fuse>>({
    {"mean", Fuse::mean},
    {"max", Fuse::max},
    {"product", Fuse::product},
});
inline constexpr auto kNormalizes = std::to_array<Named<Normalize>>({
    {"max", Normalize::max},
    {"minmax", Normalize::minmax},
    {"none", Normalize::none},
});
inline constexpr auto kColormaps = std::to_array<Named<Colormap>>({
    {"jet", Colormap::jet},
    {"turbo", Colormap::turbo},
    {"viridis", Colormap::viridis},
    {"inferno", Colormap::inferno},
    {"magma", Colormap::magma},
    {"plasma", Colormap::plasma},
    {"cividis", Colormap::cividis},
    {"red-blue", Colormap::red_blue},
});
/// Whether the map's weight follows its value.
inline constexpr auto kOpacities = std::to_array<Named<bool>>({{"even", false}, {"value", true}});
inline constexpr auto kWholes = std::to_array<Named<Whole>>({
    {"stretch", Whole::stretch},
    {"letterbox", Whole::letterbox},
});
/// Whether every pixel is decoded.
inline constexpr auto kDecodes = std::to_array<Named<bool>>({{"full", true}, {"reduced", false}});
inline constexpr auto kSimilarities = std::to_array<Named<RequestTarget::Similarity>>({
    {"dot", RequestTarget::Similarity::dot},
    {"cosine", RequestTarget::Similarity::cosine},
});
/// Of a sheet as a whole; null is by_method.
inline constexpr auto kScores = std::to_array<Named<RequestTarget::Score>>({
    {"logit", RequestTarget::Score::logit},
    {"probability", RequestTarget::Score::probability},
});
inline constexpr auto kOrders = std::to_array<Named<Preprocess::Order>>({
    {"RGB", Preprocess::Order::rgb},
    {"BGR", Preprocess::Order::bgr},
    {"L", Preprocess::Order::luma},
});
inline constexpr auto kGeometries = std::to_array<Named<Preprocess::Geometry>>({
    {"stretch", Preprocess::Geometry::stretch},
    {"center-square", Preprocess::Geometry::center_square},
    {"resize-crop", Preprocess::Geometry::resize_crop},
    {"letterbox", Preprocess::Geometry::letterbox},
    {"squash-crop", Preprocess::Geometry::squash_crop},
    {"cover-crop", Preprocess::Geometry::cover_crop},
    {"contain-crop", Preprocess::Geometry::contain_crop},
});
inline constexpr auto kOddMargins = std::to_array<Named<Preprocess::OddMargin>>({
    {"even", Preprocess::OddMargin::even},
    {"down", Preprocess::OddMargin::down},
});
inline constexpr auto kResizes = std::to_array<Named<Preprocess::Resize>>({
    {"bilinear-antialias", Preprocess::Resize::bilinear_antialias},
    {"bilinear", Preprocess::Resize::bilinear},
    {"nearest", Preprocess::Resize::nearest},
    {"area", Preprocess::Resize::area},
    {"bicubic-antialias", Preprocess::Resize::bicubic_antialias},
    {"lanczos-antialias", Preprocess::Resize::lanczos_antialias},
    {"hamming-antialias", Preprocess::Resize::hamming_antialias},
    {"box-antialias", Preprocess::Resize::box_antialias},
    {"bilinear-tensor", Preprocess::Resize::bilinear_tensor},
    {"bicubic-tensor", Preprocess::Resize::bicubic_tensor},
    {"lanczos-tensor", Preprocess::Resize::lanczos_tensor},
    {"nearest-tensor", Preprocess::Resize::nearest_tensor},
});

/// Throws Error invalid_argument for a value that has no name, which only a cast makes.
template <class Names, class T>
std::string name_of(const Names& names, T value) {
  for (const auto& row : names)
    if (row.value == value) return std::string(row.name);
  throw Error(ErrorCode::invalid_argument, "the request has a choice that does not exist");
}

}  // namespace fovea::request
