#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json_output.hpp"
#include "reasons.hpp"
#include "session.hpp"
#include "slices.hpp"

/// What `fovea explain` found, and how it is told.
namespace fovea::cli {

/// What a reader of the pictures must know.
struct Drawn {
  std::optional<float> full_at;  ///< DrawnMap::full_at
  bool is_signed = false;
  int times = 1;
  std::optional<Slices> slices = {};  ///< of a volume
};

/// One explanation, what its map at the final extents is like, and the pictures it goes to.
struct Result {
  const Explanation* why = nullptr;
  Shape shape;                  ///< of the map
  std::optional<Shape> max_at;  ///< none where it is zero everywhere
  std::optional<Box> box;       ///< none where none was asked for, or nothing is above zero
  std::string overlay_file, heatmap_file;
  std::size_t target = 0;  ///< which of those asked for
  Reason reason = {};
  std::vector<std::string> at_frame = {};  ///< sides of the box that end with what was seen
  std::optional<Drawn> drawn = {};         ///< none where there are no pictures
};

struct Results {
  std::vector<Result> rows;  ///< image by image, target by target
  std::int64_t images = 0, targets = 0;
  std::optional<float> box_share;  ///< none where no boxes were asked for

  const Result& at(std::int64_t image, std::int64_t target) const {
    return rows[static_cast<std::size_t>(image * targets + target)];
  }
  /// "2" for the second of several targets or images, "3-2" for the second target of the third
  /// image, nothing for the only one.
  std::string suffix(std::int64_t image, std::int64_t target) const;
};

/// What a reader of the pictures must know, where there is anything: {"colors": {full_at,
/// percentile, signed}, "enlarged", "slices"}.
void add_drawn(Json& row, const Drawn& drawn, double percentile);

/// What was explained: the class with its label and numbers, or the target's text.
Json target_json(const Session& session, const RequestTarget& asked, const Explanation& why);

Json result_json(const Session& session, const Explainer& explainer, const Results& results);

std::string result_text(const Session& session, const Explainer& explainer, const Results& results,
                        const std::vector<std::string>& files);

}  // namespace fovea::cli
