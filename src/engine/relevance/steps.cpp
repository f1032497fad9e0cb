#include "engine/relevance/steps.hpp"

#include <algorithm>
#include <memory>

#include "base/checked.hpp"
#include "engine/ops/elementwise.hpp"

namespace fovea::engine {
namespace {

double* doubles(Pointers p, std::size_t i) {
  return reinterpret_cast<double*>(p[i]);
}

Desc doubles_desc(std::int64_t count) {
  return plain_desc({std::max<std::int64_t>(1, count), 2});
}

/// A layout as channels of images, for sums per channel.
MapView view_of(const Operand& tensor, const Shape& shape, bool channels_last) {
  if (!channels_last)
    if (const auto map = map_view(tensor.desc)) return *map;
  MapView out;
  if (channels_last) {
    const auto columns = shape.back();
    out.images = 1;
    out.layout = {columns, base::element_count(shape) / std::max<std::int64_t>(1, columns),
                  columns};
  } else {
    out.images = shape.empty() ? 1 : shape[0];
    out.layout = {shape.size() > 1 ? shape[1] : 1, 1, 1};
    for (std::size_t i = 2; i < shape.size(); ++i) out.layout.positions *= shape[i];
  }
  out.image_stride = out.layout.channels * out.layout.positions;
  return out;
}

/// The same memory cut along its leading extent.
MapView cut(MapView view, std::int64_t parts) {
  if (view.images == 1 && parts > 1) {
    view.layout.positions /= parts;
    view.images = parts;
    view.image_stride /= parts;
  }
  return view;
}

}  // namespace

Losses::Losses(Builder& builder, std::int64_t images) : b_(builder), images_(images) {
  totals_ = b_.make(doubles_desc(images * 2));
  b_.begin_node("", "gradient");
  b_.kernel([images](Pointers p) { std::fill_n(doubles(p, 0), images * 2, 0.0); }, {}, {totals_});
}

std::int64_t Losses::parts_of(const Shape& shape) const {
  return !shape.empty() && shape[0] > 0 && shape[0] % images_ == 0 ? images_ : 1;
}

Operand Losses::divide(const Operand& relevance, const Operand& z_any, const Shape& shape,
                       const Division& division) {
  Operand z = b_.f32(z_any);
  const bool understood = division.channels_last ? is_plain(z.desc) : map_view(z.desc).has_value();
  if (!understood) z = b_.plain(z);
  const auto parts = parts_of(shape);
  // A row-major matrix: its rows are cut into images, each with its columns as channels.
  const auto view =
      division.channels_last ? cut(view_of(z, shape, true), parts) : view_of(z, shape, false);
  const Operand r = b_.in_layout(relevance, z.desc);
  const Operand side = division.side ? b_.in_layout(b_.f32(division.side), z.desc) : r;
  const Operand bias = division.bias ? division.bias : r;
  const Operand s = b_.make(z.desc);
  const Operand sums = b_.make(doubles_desc(view.images * view.layout.channels * 2));
  const bool has_side = static_cast<bool>(division.side);
  const bool has_bias = static_cast<bool>(division.bias);
  b_.kernel(
      [view, parts, images = images_, has_side, has_bias, scale = division.scale,
       stabilizer = division.stabilizer, which = division.which](Pointers p) {
        const auto channels = view.layout.channels;
        over_channels(view, [&](std::int64_t n, std::int64_t begin, std::int64_t end) {
          const auto at = n * view.image_stride;
          simd::kernels().relevance_ratio(floats(p, 0) + at, floats(p, 1) + at,
                                          has_side ? floats(p, 2) + at : nullptr, view.layout,
                                          scale, stabilizer, which, begin, end, floats(p, 4) + at,
                                          doubles(p, 5) + 2 * n * channels);
        });
        double* totals = doubles(p, 6);
        const auto each = std::max<std::int64_t>(1, view.images / parts);
        for (std::int64_t n = 0; n < view.images; ++n) {
          double biases = 0, stabilizers = 0;
          for (std::int64_t c = 0; c < channels; ++c) {
            const double* sum = doubles(p, 5) + 2 * (n * channels + c);
            if (has_bias) biases += sum[0] * static_cast<double>(floats(p, 3)[c]);
            stabilizers += sum[1];
          }
          if (parts == images) {
            totals[2 * (n / each)] += biases;
            totals[2 * (n / each) + 1] += stabilizers;
          } else {  // images lie along another axis: in equal parts
            for (std::int64_t i = 0; i < images; ++i) {
              totals[2 * i] += biases / static_cast<double>(images);
              totals[2 * i + 1] += stabilizers / static_cast<double>(images);
            }
          }
        }
      },
      {r, z, side, bias}, {s, sums, totals_});
  return s;
}

Desc Losses::sums_desc(std::int64_t rows) {
  return doubles_desc(rows * 2);
}

void Losses::add(const Operand& sums, std::int64_t rows) {
  b_.kernel(
      [rows, images = images_](Pointers p) {
        const double* from = doubles(p, 0);
        double* totals = doubles(p, 1);
        for (std::int64_t row = 0; row < rows; ++row)
          for (std::int64_t k = 0; k < 2; ++k) {
            if (rows % images == 0) {
              totals[2 * (row % images) + k] += from[2 * row + k];
            } else {  // images lie along another axis: in equal parts
              for (std::int64_t i = 0; i < images; ++i)
                totals[2 * i + k] += from[2 * row + k] / static_cast<double>(images);
            }
          }
      },
      {sums}, {totals_});
}

void Losses::add_sum(const Operand& any, const Shape& shape, double sign) {
  const Operand tensor = b_.plain(b_.f32(any));
  const auto parts = parts_of(shape);
  const auto each = base::element_count(shape) / parts;
  b_.kernel(
      [parts, each, images = images_, sign](Pointers p) {
        for (std::int64_t n = 0; n < parts; ++n) {
          const float* x = floats(p, 0) + n * each;
          double sum = 0;
          for (std::int64_t i = 0; i < each; ++i) sum += static_cast<double>(x[i]);
          if (parts == images) {
            doubles(p, 1)[2 * n] += sign * sum;
          } else {
            for (std::int64_t i = 0; i < images; ++i)
              doubles(p, 1)[2 * i] += sign * sum / static_cast<double>(images);
          }
        }
      },
      {tensor}, {totals_});
}

Operand replaced_input(Builder& b, const Operand& x, const Shape& shape, const Substitute& form) {
  if (form.kind == Substitute::Kind::constant) {
    const auto count = base::element_count(shape);
    auto values = std::make_shared<std::vector<float>>(static_cast<std::size_t>(count), form.value);
    const float* data = values->data();
    return b.constant(plain_desc(shape), std::move(values), data);
  }
  if (form == Substitute{}) return x;
  const Operand out = b.make(x.desc);
  const bool square = form.kind == Substitute::Kind::square;
  b.kernel(
      [n = stored_elements(x.desc), square, positive = form.positive,
       negative = form.negative](Pointers p) {
        const float* from = floats(p, 0);
        float* to = floats(p, 1);
        base::parallel_for(n, kElementGrain, [=](std::int64_t begin, std::int64_t end) {
          for (auto i = begin; i < end; ++i) {
            const float v = from[i];
            to[i] = square ? v * v : (v > 0 ? positive : negative) * v;
          }
        });
      },
      {x}, {out});
  return out;
}

Operand scaled_by(Builder& b, const Operand& a, float factor) {
  if (factor == 1.f) return a;
  const Operand out = b.make(a.desc);
  b.kernel(
      [n = stored_elements(a.desc), factor](Pointers p) {
        simd::kernels().binary_scalar(simd::Binary::mul, floats(p, 0), factor, floats(p, 1), n);
      },
      {a}, {out});
  return out;
}

}  // namespace fovea::engine
