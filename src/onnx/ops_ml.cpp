#include <array>
#include <limits>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::Unary;
using graph::UnaryKind;

graph::ValueId scalar(NodeImport& n, float value) {
  return n.floats({}, {value});
}

void affine(NodeImport& n) {
  const auto alpha = n.attributes.get_float("alpha", 1), beta = n.attributes.get_float("beta", 0);
  const auto scaled = n.step(Binary{BinaryKind::mul}, {n.input(0), scalar(n, alpha)});
  n.emit(Binary{BinaryKind::add}, {scaled, scalar(n, beta)});
}

void scaled_tanh(NodeImport& n) {
  const auto alpha = n.attributes.get_float("alpha", 1), beta = n.attributes.get_float("beta", 1);
  const auto inner = n.step(Binary{BinaryKind::mul}, {n.input(0), scalar(n, beta)});
  const auto tanh = n.step(Unary{.kind = UnaryKind::tanh}, {inner});
  n.emit(Binary{BinaryKind::mul}, {tanh, scalar(n, alpha)});
}

void parametric_softplus(NodeImport& n) {
  const auto alpha = n.attributes.get_float("alpha", 1), beta = n.attributes.get_float("beta", 1);
  const auto inner = n.step(Binary{BinaryKind::mul}, {n.input(0), scalar(n, beta)});
  const auto soft = n.step(Unary{.kind = UnaryKind::softplus}, {inner});
  n.emit(Binary{BinaryKind::mul}, {soft, scalar(n, alpha)});
}

void image_scaler(NodeImport& n) {
  const auto scale = n.attributes.get_float("scale", 1);
  auto bias = n.attributes.get_floats("bias").value_or(std::vector<float>{});
  const auto channels = static_cast<std::int64_t>(bias.size());
  if (channels == 0) return n.emit(Binary{BinaryKind::mul}, {n.input(0), scalar(n, scale)});
  const auto scaled = n.step(Binary{BinaryKind::mul}, {n.input(0), scalar(n, scale)});
  n.emit(Binary{BinaryKind::add}, {scaled, n.floats({channels, 1, 1}, std::move(bias))});
}

// Left, top, right and bottom; or from the left and top, so many rows and columns.
void crop(NodeImport& n) {
  const auto border = n.attributes.require_ints("border");
  const auto size = n.attributes.get_ints("scale");
  if (border.size() != 4 || (size && size->size() != 2)) n.bad("its border or scale is too short");
  for (const auto& list : {border, size.value_or(graph::Ints{})})
    for (const auto extent : list)
      if (extent < 0 || extent > kMaxExtent) n.bad("an entry of border or scale is out of range");
  const auto end = [&](std::size_t from, std::size_t to, std::size_t i) {
    if (size) return border[from] + (*size)[i];
    return border[to] == 0 ? std::numeric_limits<std::int64_t>::max() : -border[to];
  };
  graph::Slice op;
  op.starts = graph::Ints{border[1], border[0]};
  op.ends = graph::Ints{end(1, 3, 0), end(0, 2, 1)};
  op.axes = graph::Ints{2, 3};
  n.emit(std::move(op));
}

// A table of names beside the scores: see class_names.
void zip_map(NodeImport& n) {
  n.attributes.ignore({"classlabels_strings", "classlabels_int64s"});
  n.emit(Unary{});
}

void scaler(NodeImport& n) {
  const auto list = [&](const char* name, float otherwise) {
    auto values = n.attributes.get_floats(name).value_or(std::vector<float>{otherwise});
    const auto count = static_cast<std::int64_t>(values.size());
    return n.floats({count}, std::move(values));
  };
  const auto moved = n.step(Binary{BinaryKind::sub}, {n.input(0), list("offset", 0)});
  n.emit(Binary{BinaryKind::mul}, {moved, list("scale", 1)});
}

constexpr std::string_view kExperimental = "of ONNX 1.0 to 1.4, where it was experimental";
constexpr std::array kExperimentalRows{
    Row{"Affine", kOldestOpset, kNewestOpset, 1, 1, affine, kExperimental},
    Row{"Crop", kOldestOpset, kNewestOpset, 1, 1, crop, kExperimental},
    Row{"ImageScaler", kOldestOpset, kNewestOpset, 1, 1, image_scaler, kExperimental},
    Row{"ParametricSoftplus", kOldestOpset, kNewestOpset, 1, 1, parametric_softplus, kExperimental},
    Row{"ScaledTanh", kOldestOpset, kNewestOpset, 1, 1, scaled_tanh, kExperimental},
};

constexpr std::array kMlRows{
    Row{"Scaler", 1, kNewestOpset, 1, 1, scaler, "any version"},
    Row{"ZipMap", 1, kNewestOpset, 1, 1, zip_map,
        "any version; the scores, whose classes have its names"},
};

}  // namespace

std::span<const Row> experimental_rows() {
  return kExperimentalRows;
}

std::span<const Row> ml_rows() {
  return kMlRows;
}

}  // namespace fovea::onnx
