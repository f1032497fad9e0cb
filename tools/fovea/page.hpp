#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/image.hpp"
#include "json_output.hpp"

/// An explanation as one HTML file that asks nothing of anywhere.
namespace fovea::cli {

/// A name and what it is.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// A map as a page shows it. Texts are plain: the page escapes them.
struct PageMap {
  std::string heading;  ///< the method
  std::string target;   ///< what is explained
  std::string alt;      ///< what the picture shows, for who does not see it
  std::string note;     ///< below it, or empty
  Facts facts;
  Image overlay;  ///< without a script
  /// Per pixel: red the value from the scale's low end to its high one, green 255 where the network
  /// looked, else 0. Of any extents with the overlay's proportions.
  Image values;  ///< empty: only a script's sliders need them
  ColorScale scale;
  bool follows_value = false;  ///< OverlayOptions::by_value
  bool pale = false;           ///< OverlayOptions::pale
  std::size_t photo = 0;       ///< which of the page's it lies over
};

struct Page {
  std::string title;
  Facts facts;                ///< of the call
  std::vector<Image> photos;  ///< what lies under the maps
  std::vector<PageMap> maps;
  std::vector<std::vector<Prediction>> predictions;  ///< of each image, best first
  Labels labels;
  double alpha = 0.5;
  std::vector<std::string> warnings;
  std::string provenance;  ///< as JSON; empty: none
};

/// Throws Error where a picture cannot be encoded.
std::string page_html(const Page& page);

/// Text as HTML's: its five marks as references, and U+FFFD for what no page may hold.
std::string escaped(const std::string& text);

std::string base64(const std::vector<std::byte>& bytes);

/// The page's own style and script, which never change, and their SHA-256 as the policy of the page
/// names them.
std::string_view page_style();
std::string_view page_script();
extern const char* const kPageStyleDigest;
extern const char* const kPageScriptDigest;

}  // namespace fovea::cli
