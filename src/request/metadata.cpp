#include "request/metadata.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "request/text.hpp"

namespace fovea::request {
namespace {

constexpr std::size_t kMaxClasses = 1 << 20;

std::string_view value_of(const std::map<std::string, std::string>& metadata,
                          const std::string& key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string_view() : std::string_view(found->second);
}

/// A dict of classes and strings, from its front to its end.
class Dict {
 public:
  explicit Dict(std::string_view text) : text_(text) {}

  std::optional<Labels> read() {
    Labels out;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      const auto key = number();
      if (!key || *key >= kMaxClasses || !take(':')) return std::nullopt;
      auto value = quoted();
      if (!value || (!take(',') && !ahead('}'))) return std::nullopt;
      if (out.size() <= *key) out.resize(*key + 1);
      out[*key] = printable_label(std::move(*value));
    }
    skip();
    return text_.empty() ? std::optional(out) : std::nullopt;
  }

 private:
  void skip() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool ahead(char c) {
    skip();
    return !text_.empty() && text_.front() == c;
  }
  bool take(char c) {
    if (!ahead(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::optional<std::size_t> number() {
    skip();
    std::size_t value = 0;
    const auto* begin = text_.data();
    const auto [end, error] = std::from_chars(begin, begin + text_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text_.remove_prefix(static_cast<std::size_t>(end - begin));
    return value;
  }
  std::optional<std::string> quoted() {
    skip();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) return std::nullopt;
    const char quote = text_.front();
    std::string out;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        text_.remove_prefix(i + 1);
        return out;
      }
      if (text_[i] == '\\') {
        if (++i == text_.size()) return std::nullopt;
        if (text_[i] != '\\' && text_[i] != '\'' && text_[i] != '"') return std::nullopt;
      }
      out += text_[i];
    }
    return std::nullopt;
  }

  std::string_view text_;
};

}  // namespace

std::optional<Recipe> recipe_in_metadata(const std::map<std::string, std::string>& metadata) {
  const auto range = value_of(metadata, "Image.NominalPixelRange");
  const auto format = value_of(metadata, "Image.BitmapPixelFormat");
  Recipe out;
  auto& values = out.values;
  values.mean = {0, 0, 0};
  values.std = {1, 1, 1};
  const auto all = [](double value) { return std::array<double, 3>{value, value, value}; };
  if (range == "NominalRange_0_255") {
    values.scale = 1;
  } else if (range == "Normalized_1_1") {
    values.scale = 2.0 / 255;
    values.mean = all(1);
  } else if (range == "NominalRange_16_235") {
    values.scale = 219.0 / 255;
    values.mean = all(-16);
  } else if (range != "Normalized_0_1") {
    return std::nullopt;
  }
  using Order = Preprocess::Order;
  out.order_given = true;
  if (format == "Bgr8" || format == "Bgra8")
    values.order = Order::bgr;
  else if (format == "Gray8")
    values.order = Order::luma;
  else if (format != "Rgb8" && format != "Rgba8")
    out.order_given = false;
  return out;
}

Labels labels_in_metadata(const std::map<std::string, std::string>& metadata) {
  return Dict(value_of(metadata, "names")).read().value_or(Labels{});
}

}  // namespace fovea::request
