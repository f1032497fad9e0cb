#include <algorithm>
#include <cmath>

#include "reference/parts.hpp"

namespace fovea::reference {

Array top_k(const graph::TopK& op, const Array& x, const Shape& shape) {
  Array out(shape);
  const auto axis = static_cast<std::size_t>(op.axis);
  each(shape, [&](const Index& o) {
    if (o[axis] != 0) return;
    std::vector<bool> taken(static_cast<std::size_t>(x.shape[axis]), false);
    Index to = o;
    for (std::int64_t place = 0; place < shape[axis]; ++place) {
      std::int64_t best = -1;
      Index at = o, of = o;
      for (std::int64_t i = 0; i < x.shape[axis]; ++i) {
        if (taken[static_cast<std::size_t>(i)]) continue;
        at[axis] = i;
        of[axis] = best;
        if (best < 0 || (op.largest ? x[at] > x[of] : x[at] < x[of])) best = i;
      }
      taken[static_cast<std::size_t>(best)] = true;
      to[axis] = place;
      out[to] = static_cast<double>(best);
    }
  });
  return out;
}

namespace {

/// What an element at distance d of a sample counts for.
double tent(double d) {
  return std::max(0., 1 - std::abs(d));
}

/// The elements of one axis with their weights.
std::vector<double> weights_at(double at, std::int64_t extent) {
  std::vector<double> out(static_cast<std::size_t>(extent), 0);
  if (at < -1 || at > static_cast<double>(extent)) return out;
  at = std::clamp(at, 0., static_cast<double>(extent - 1));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = tent(at - static_cast<double>(i));
  return out;
}

}  // namespace

Array roi_align(const graph::RoiAlign& op, const Arrays& in, const Shape& shape) {
  const auto &x = in[0], &regions = in[1], &images = in[2];
  const double shift = op.half_pixel ? 0.5 : 0, scale = static_cast<double>(op.scale);
  Array out(shape);
  each(shape, [&](const Index& o) {
    const auto corner = [&](std::int64_t i) { return regions[{o[0], i}] * scale - shift; };
    double wide = corner(2) - corner(0), high = corner(3) - corner(1);
    if (!op.half_pixel) wide = std::max(wide, 1.), high = std::max(high, 1.);
    high /= static_cast<double>(op.rows);
    wide /= static_cast<double>(op.columns);
    const auto per_cell = [&](double extent) {
      return op.samples > 0 ? op.samples : static_cast<std::int64_t>(std::ceil(extent));
    };
    const auto down = per_cell(high), across = per_cell(wide);
    const auto image = static_cast<std::int64_t>(images[{o[0]}]);
    double sum = 0, best = 0;
    bool any = false;
    for (std::int64_t i = 0; i < down; ++i)
      for (std::int64_t j = 0; j < across; ++j) {
        const auto rows = weights_at(
            corner(1) + high * (static_cast<double>(o[2]) +
                                (static_cast<double>(i) + 0.5) / static_cast<double>(down)),
            x.shape[2]);
        const auto columns = weights_at(
            corner(0) + wide * (static_cast<double>(o[3]) +
                                (static_cast<double>(j) + 0.5) / static_cast<double>(across)),
            x.shape[3]);
        // The four elements around a sample count, and 0 where one of them lies beyond the border.
        double largest = 0;
        bool found = false;
        int counted = 0;
        for (std::size_t r = 0; r < rows.size(); ++r)
          for (std::size_t k = 0; k < columns.size(); ++k) {
            const double weight = rows[r] * columns[k];
            if (weight == 0) continue;
            const double product =
                weight *
                x[{image, o[1], static_cast<std::int64_t>(r), static_cast<std::int64_t>(k)}];
            sum += product;
            largest = found ? std::max(largest, product) : product;
            found = true;
            ++counted;
          }
        if (counted < 4) largest = found ? std::max(largest, 0.) : 0;
        best = any ? std::max(best, largest) : largest;
        any = true;
      }
    if (any) out[o] = op.max ? best : sum / static_cast<double>(down * across);
  });
  return out;
}

}  // namespace fovea::reference
