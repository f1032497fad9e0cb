#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "base/checked.hpp"
#include "explain/windows.hpp"
#include "fovea/localization.hpp"
#include "fovea/sentence.hpp"

namespace fovea {
namespace {

constexpr std::int64_t kMaxCells = 16;

/// The positive values of a map of up to three extents, summed into cells.
struct Cells {
  std::array<std::int64_t, 3> extents;
  std::vector<double> sums;

  double& at(std::int64_t d, std::int64_t y, std::int64_t x) {
    return sums[static_cast<std::size_t>((d * extents[1] + y) * extents[2] + x)];
  }
};

Cells cells_of(const Tensor& map, const std::array<std::int64_t, 3>& extents) {
  Cells out{extents, {}};
  for (auto& extent : out.extents) extent = std::min(extent, kMaxCells);
  out.sums.resize(static_cast<std::size_t>(out.extents[0] * out.extents[1] * out.extents[2]));
  const auto cell = [&](std::size_t axis, std::int64_t i) {
    return i * out.extents[axis] / extents[axis];
  };
  const float* value = map.data.data();
  for (std::int64_t d = 0; d < extents[0]; ++d)
    for (std::int64_t y = 0; y < extents[1]; ++y)
      for (std::int64_t x = 0; x < extents[2]; ++x, ++value)
        if (*value > 0) out.at(cell(0, d), cell(1, y), cell(2, x)) += *value;
  return out;
}

struct Range {
  std::int64_t begin, end;
};

/// Per extent, the cells of the box.
std::array<Range, 3> box_of(Cells& cells) {
  const auto [depth, height, width] = cells.extents;
  std::vector<double> plane(static_cast<std::size_t>(height * width)),
      profile(static_cast<std::size_t>(depth));
  for (std::int64_t d = 0; d < depth; ++d)
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x) {
        plane[static_cast<std::size_t>(y * width + x)] += cells.at(d, y, x);
        profile[static_cast<std::size_t>(d)] += cells.at(d, y, x);
      }
  // Relative to the largest, so that no sum is lost in a float.
  const auto relative = [](const std::vector<double>& sums, Shape shape) {
    const double most = *std::max_element(sums.begin(), sums.end());
    Tensor out{std::move(shape), {}};
    for (const double v : sums) out.data.push_back(static_cast<float>(v / most));
    return out;
  };
  const Box rows = *find_box(relative(plane, {height, width}));
  const Box depths = *find_box(relative(profile, {1, depth}));
  return {Range{depths.x, depths.x + depths.width},
          {rows.y, rows.y + rows.height},
          {rows.x, rows.x + rows.width}};
}

/// 0, 1 or 2: the third of `cells` that the range's centre lies in; a centre on a border is in the
/// middle.
int third(const Range& range, std::int64_t cells) {
  const auto twice = range.begin + range.end;  // the centre, in half cells
  if (3 * twice < 2 * cells) return 0;
  return 3 * twice > 4 * cells ? 2 : 1;
}

std::string words_of(const std::array<Range, 3>& box, const std::array<std::int64_t, 3>& cells,
                     std::size_t rank) {
  if (rank == 1) {
    constexpr std::array<const char*, 3> kWords = {"at the beginning", "in the middle",
                                                   "at the end"};
    return kWords.at(static_cast<std::size_t>(third(box[2], cells[2])));
  }
  constexpr std::array<const char*, 9> kWords = {
      "in the upper left", "at the top",    "in the upper right",
      "on the left",       "in the centre", "on the right",
      "in the lower left", "at the bottom", "in the lower right"};
  std::string out = kWords.at(3 * static_cast<std::size_t>(third(box[1], cells[1])) +
                              static_cast<std::size_t>(third(box[2], cells[2])));
  if (rank == 3) {
    constexpr std::array<const char*, 3> kThirds = {"first", "middle", "last"};
    out += ", in the " +
           std::string(kThirds.at(static_cast<std::size_t>(third(box[0], cells[0])))) +
           " third of the slices,";
  }
  return out;
}

}  // namespace

std::optional<Place> find_place(const Tensor& map) {
  const auto rank = map.shape.size();
  if (rank < 1 || rank > 3) return std::nullopt;
  const auto extents = explain::as_three(map.shape);
  const auto count = base::element_count(map.shape, ErrorCode::invalid_argument);
  if (count != static_cast<std::int64_t>(map.data.size()))
    throw Error(ErrorCode::invalid_argument, "the map's data does not fill its extents");
  bool any = false;
  for (const float v : map.data) {
    if (!std::isfinite(v)) return std::nullopt;
    any = any || v > 0;
  }
  if (count < 2 || !any) return std::nullopt;

  auto cells = cells_of(map, extents);
  const auto box = box_of(cells);
  double inside = 0, all = 0;
  for (std::int64_t d = 0; d < cells.extents[0]; ++d)
    for (std::int64_t y = 0; y < cells.extents[1]; ++y)
      for (std::int64_t x = 0; x < cells.extents[2]; ++x) {
        const std::array at = {d, y, x};
        bool in = true;
        for (std::size_t i = 0; i < 3; ++i) in = in && at[i] >= box[i].begin && at[i] < box[i].end;
        all += cells.at(d, y, x);
        if (in) inside += cells.at(d, y, x);
      }
  Place out{words_of(box, cells.extents, rank), {}, {}, static_cast<float>(inside / all), 1};
  for (std::size_t i = 3 - rank; i < 3; ++i) {
    // A cell of a finer map begins where its first value does.
    const auto edge = [&](std::int64_t cell) {
      const auto first = (cell * extents[i] + cells.extents[i] - 1) / cells.extents[i];
      return static_cast<float>(first) / static_cast<float>(extents[i]);
    };
    out.from.push_back(edge(box[i].begin));
    out.to.push_back(edge(box[i].end));
    out.size *= out.to.back() - out.from.back();
  }
  return out;
}

}  // namespace fovea
