#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fovea/image.hpp"
#include "json_output.hpp"
#include "outputs.hpp"
#include "results.hpp"
#include "session.hpp"

/// --strip: several maps as one picture, each over what it explains.
namespace fovea::cli {

/// The maps of one photo's targets, or of several photos (frames) one after the other, where they
/// share a file.
class Strip {
 public:
  /// `file` as it was given, with {} where each photo has its own. Throws Error invalid_argument
  /// where standard output would take one of several photos', among what is told of each.
  Strip(const std::string& file, std::size_t photos);

  /// A panel for each result; where these are of one photo, several, in front of them the photo.
  /// Warnings that the drawing has are the session's.
  void add(Session& session, const Results& results, const std::string& rendering);
  /// True where the panels so far are a file of their own: the photo's.
  bool of_each() const { return of_each_; }
  /// The panels under `file`, which are gone afterwards. Nothing where there are none.
  void draw(const std::string& file, const Json& provenance, OutputFiles& files);
  /// The same into the file of them all; tells of it.
  void finish();

 private:
  std::string file_;
  bool of_each_ = true;
  std::int64_t sheet_width_ = 0;
  std::vector<SheetCell> panels_;
};

}  // namespace fovea::cli
