#include "page.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr int kBarColours = 256;
constexpr std::size_t kListed = 5;  // classes
constexpr int kSmall = 64;          // a side of pictures whose pixels are shown as squares

/// As valid UTF-8: what is none becomes U+FFFD.
std::string valid(const std::string& text) {
  const auto dumped = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(dumped).get<std::string>();
}

std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + escaped(value) + "\"";
}

enum class Coding { exact, small };

std::string picture_data(const Image& image, Coding coding) {
  const bool exact = coding == Coding::exact;
  return std::string("data:image/") + (exact ? "png" : "jpeg") + ";base64," +
         base64(encode_image(image, exact ? ".png" : ".jpg"));
}

std::string bar_of(const ColorScale& scale) {
  const float first = scale.colormap == Colormap::red_blue ? -1 : 0;
  Tensor ramp{{1, kBarColours}, {}};
  for (int i = 0; i < kBarColours; ++i)
    ramp.data.push_back(first + (1 - first) * static_cast<float>(i) / (kBarColours - 1));
  return picture_data(heatmap(ramp, scale.colormap), Coding::exact);
}

std::string facts_html(const Facts& facts) {
  std::string out = "<dl>\n";
  for (const auto& [name, value] : facts)
    out += "<dt>" + escaped(name) + "</dt><dd dir=\"auto\">" + escaped(value) + "</dd>\n";
  return out + "</dl>\n";
}

std::string photo_id(std::size_t photo) {
  return "photo-" + std::to_string(photo + 1);
}

std::string end_text(double value) {
  return number_text("%.3g", value + 0.0);
}

std::string size_class(const Image& picture) {
  return std::max(picture.width, picture.height) <= kSmall ? " small" : "";
}

std::string bar_html(const ColorScale& scale) {
  const auto low = end_text(scale.low), high = end_text(scale.high);
  const bool both = scale.low < 0 && scale.high > 0;
  return "<div class=\"bar\"><img" + attribute("alt", "Colours from " + low + " to " + high) +
         attribute("src", bar_of(scale)) + ">\n<div class=\"ends\"><span>" + low + "</span>" +
         (both ? "<span>0</span>" : "") + "<span>" + high + "</span></div></div>\n";
}

std::string map_html(const PageMap& map) {
  std::string out = "<figure class=\"map\"" + attribute("data-photo", photo_id(map.photo)) +
                    attribute("data-low", number_text("%.9g", map.scale.low)) +
                    attribute("data-high", number_text("%.9g", map.scale.high)) +
                    attribute("data-follows", map.follows_value ? "value" : "nothing") +
                    attribute("data-under", map.pale ? "pale" : "photo") + ">\n";
  out += "<figcaption><h3>" + escaped(map.heading) + "</h3><span dir=\"auto\">" +
         escaped(map.target) + "</span></figcaption>\n";
  out += "<div class=\"picture" + size_class(map.overlay) + "\"><img class=\"overlay\"" +
         attribute("alt", map.alt) + attribute("src", picture_data(map.overlay, Coding::small)) +
         ">";
  if (!map.values.rgb.empty())
    out += "<img class=\"values\" hidden alt=\"\"" +
           attribute("src", picture_data(map.values, Coding::exact)) + ">";
  out += "</div>\n";
  if (map.note.empty()) out += bar_html(map.scale);
  if (!map.note.empty()) out += "<p class=\"note\" dir=\"auto\">" + escaped(map.note) + "</p>\n";
  return out + facts_html(map.facts) + "</figure>\n";
}

std::string slider_html(const std::string& id, const std::string& name, int value) {
  const auto text = std::to_string(value);
  return "<label for=\"" + id + "\">" + name + " <input type=\"range\" id=\"" + id +
         "\" min=\"0\" max=\"100\" value=\"" + text + "\"> <output id=\"" + id + "-value\" for=\"" +
         id + "\">" + text + " %</output></label>\n";
}

std::string predictions_html(const Page& page) {
  std::string out;
  for (std::size_t i = 0; i < page.predictions.size(); ++i) {
    const auto& rows = page.predictions[i];
    if (rows.empty()) continue;
    out += "<table><caption>Best classes" +
           (page.predictions.size() > 1 ? " of image " + std::to_string(i + 1) : std::string()) +
           "</caption>\n<thead><tr><th scope=\"col\">Class</th><th scope=\"col\" class=\"number\">"
           "Probability</th><th scope=\"col\" class=\"number\">Logit</th></tr></thead>\n<tbody>\n";
    for (std::size_t k = 0; k < std::min(rows.size(), kListed); ++k) {
      const auto& row = rows[k];
      out += "<tr><th scope=\"row\" dir=\"auto\">" +
             escaped(class_text(row.class_index, page.labels)) + "</th><td class=\"number\">" +
             (std::isnan(row.probability) ? "-" : number_text("%.4f", row.probability)) +
             "</td><td class=\"number\">" + number_text("%.4g", row.logit) + "</td></tr>\n";
    }
    out += "</tbody></table>\n";
  }
  return out;
}

std::string head_html(const Page& page) {
  const std::string policy = std::string("default-src 'none'; img-src data:; style-src '") +
                             kPageStyleDigest + "'; script-src '" + kPageScriptDigest +
                             "'; base-uri 'none'; form-action 'none'";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\"" +
         attribute("content", policy) +
         ">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<title>" +
         escaped(page.title) + "</title>\n<style>" + std::string(page_style()) +
         "</style>\n</head>\n";
}

std::string maps_html(const Page& page) {
  const auto opacity = static_cast<int>(std::lround(100 * page.alpha));
  std::string out =
      "<section aria-labelledby=\"maps\">\n<h2 id=\"maps\">Where it looked</h2>\n"
      "<div id=\"controls\" class=\"controls\" role=\"group\" aria-label=\"How maps are drawn\" "
      "hidden>\n" +
      slider_html("opacity", "Opacity", opacity) + slider_html("threshold", "Threshold", 0) +
      "</div>\n<div class=\"maps\">\n";
  for (std::size_t i = 0; i < page.photos.size(); ++i) {
    const auto name =
        page.photos.size() == 1 ? std::string("Input") : "Input " + std::to_string(i + 1);
    out += "<figure><figcaption><h3>" + name + "</h3></figcaption>\n<div class=\"picture" +
           size_class(page.photos[i]) + "\"><img" + attribute("id", photo_id(i)) +
           attribute("alt", name + " without a map") +
           attribute("src", picture_data(page.photos[i], Coding::small)) + "></div></figure>\n";
    for (const auto& map : page.maps)
      if (map.photo == i) out += map_html(map);
  }
  return out + "</div>\n</section>\n";
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : valid(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F)
      out += "\xEF\xBF\xBD";
    else
      out += c;
  }
  return out;
}

std::string base64(const std::vector<std::byte>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (k < count ? static_cast<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      out += k <= count ? kDigits[(group >> (18 - 6 * k)) & 63] : '=';
  }
  return out;
}

std::string page_html(const Page& page) {
  auto out = head_html(page) + "<body>\n<header>\n<h1 dir=\"auto\">" + escaped(page.title) +
             "</h1>\n" + facts_html(page.facts) + "</header>\n<main>\n" + maps_html(page);
  if (const auto tables = predictions_html(page); !tables.empty())
    out += "<section aria-labelledby=\"classes\">\n<h2 id=\"classes\">What it saw</h2>\n" + tables +
           "</section>\n";
  if (!page.warnings.empty()) {
    out += "<section aria-labelledby=\"warnings\">\n<h2 id=\"warnings\">Warnings</h2>\n<ul>\n";
    for (const auto& warning : page.warnings)
      out += "<li dir=\"auto\">" + escaped(warning) + "</li>\n";
    out += "</ul>\n</section>\n";
  }
  if (!page.provenance.empty())
    out +=
        "<section aria-labelledby=\"made\">\n<h2 id=\"made\">What it was made from</h2>\n"
        "<details><summary>The request, with versions and digests, as --replay takes it</summary>\n"
        "<pre>" +
        escaped(page.provenance) + "</pre></details>\n</section>\n";
  return out + "</main>\n<script>" + std::string(page_script()) + "</script>\n</body>\n</html>\n";
}

}  // namespace fovea::cli
