#include "request/package_recipe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace fovea::request {
namespace {

using Geometry = Preprocess::Geometry;
using Resize = Preprocess::Resize;
using Numbers = std::array<double, 3>;

constexpr double kLongestSide = 16384;

// The fields of one file; null counts as left out, every complaint names its field.
class Fields {
 public:
  Fields(const Json& object, std::string file) : object_(object), file_(std::move(file)) {
    if (!object.is_object()) throw wrong("it must be a JSON object");
  }

  bool has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }
  const Json& at(const char* key) const {
    if (!has(key)) throw wrong("'" + std::string(key) + "' is missing");
    return object_[key];
  }

  bool flag(const char* key) const {
    if (!at(key).is_boolean()) throw wrong("'" + std::string(key) + "' must be true or false");
    return at(key).get<bool>();
  }
  bool flag(const char* key, bool otherwise) const { return has(key) ? flag(key) : otherwise; }

  double number(const char* key) const { return number(at(key), key); }
  double number(const char* key, double otherwise) const {
    return has(key) ? number(key) : otherwise;
  }
  double positive(const char* key, double otherwise) const {
    const double value = number(key, otherwise);
    if (value <= 0) throw wrong("'" + std::string(key) + "' must be above 0");
    return value;
  }

  std::string word(const char* key, const char* otherwise) const {
    if (!has(key)) return otherwise;
    if (!at(key).is_string()) throw wrong("'" + std::string(key) + "' must be text");
    return at(key).get<std::string>();
  }

  Numbers per_channel(const char* key, bool zero_allowed) const {
    const Json& value = at(key);
    if (value.is_array() && value.size() != 1 && value.size() != 3)
      throw wrong("'" + std::string(key) + "' must have 1 or 3 numbers");
    Numbers out{};
    for (std::size_t c = 0; c < 3; ++c) {
      out[c] = number(value.is_array() ? value[value.size() == 3 ? c : 0] : value, key);
      if (out[c] == 0 && !zero_allowed) throw wrong("'" + std::string(key) + "' must not be 0");
    }
    return out;
  }

  int side(const Json& value, const char* key) const {
    const double extent = number(value, key);
    if (extent < 1 || extent > kLongestSide || extent != std::floor(extent))
      throw wrong("'" + std::string(key) + "' must be made of whole numbers from 1 to 16384");
    return static_cast<int>(extent);
  }

  void only(const std::vector<std::string>& known) const {
    for (const auto& [key, value] : object_.items())
      if (std::find(known.begin(), known.end(), key) == known.end())
        throw wrong("unknown field '" + key + "'" + did_you_mean(known, key));
  }

  Error wrong(const std::string& reason) const {
    return Error(ErrorCode::invalid_argument, file_ + ": " + reason);
  }

 private:
  double number(const Json& value, const char* key) const {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      throw wrong("'" + std::string(key) + "' must be made of finite numbers");
    return value.get<double>();
  }

  const Json& object_;
  std::string file_;
};

// As Python's floor and int of a quotient of positive numbers; bounded before it is a number of
// pixels.
int whole_quotient(const Fields& fields, double side, double by, const char* key) {
  const double out = std::floor(side / by);
  if (!(out >= 1 && out <= kLongestSide))
    throw fields.wrong("'" + std::string(key) + "' makes a photo of more than 16384 pixels a side");
  return static_cast<int>(out);
}

Resize timm_resize(const Fields& fields) {
  const auto name = fields.word("interpolation", "bicubic");
  if (name == "bicubic") return Resize::bicubic_antialias;
  if (name == "bilinear") return Resize::bilinear_antialias;
  if (name == "lanczos") return Resize::lanczos_antialias;
  if (name == "hamming") return Resize::hamming_antialias;
  if (name == "box") return Resize::box_antialias;
  if (name == "nearest") return Resize::nearest;
  throw fields.wrong("'interpolation' is '" + name +
                     "', and must be bicubic, bilinear, lanczos, hamming, box or nearest");
}

// What timm's create_transform makes of its resolve_data_config, in evaluation.
Recipe timm_recipe(const Json& object, const std::string& file) {
  const Fields fields(object, file);
  fields.only({"url",
               "file",
               "state_dict",
               "hf_hub_id",
               "hf_hub_filename",
               "source",
               "architecture",
               "tag",
               "custom_load",
               "input_size",
               "test_input_size",
               "min_input_size",
               "fixed_input_size",
               "interpolation",
               "crop_pct",
               "test_crop_pct",
               "crop_mode",
               "mean",
               "std",
               "num_classes",
               "label_offset",
               "label_names",
               "label_descriptions",
               "pool_size",
               "first_conv",
               "classifier",
               "license",
               "description",
               "origin_url",
               "paper_name",
               "paper_ids",
               "notes",
               "num_features",
               "global_pool",
               "model_args"});
  Recipe out;
  if (!fields.has("input_size")) throw fields.wrong("'input_size' is missing");
  const Json& size = fields.at("input_size");
  if (!size.is_array() || size.size() != 3)
    throw fields.wrong("'input_size' must be [channels, height, width]");
  out.height = fields.side(size[1], "input_size");
  out.width = fields.side(size[2], "input_size");
  if (fields.has("mean")) out.values.mean = fields.per_channel("mean", true);
  if (fields.has("std")) out.values.std = fields.per_channel("std", false);
  out.values.resize = timm_resize(fields);
  const double share = fields.positive("crop_pct", 0.875);
  const int height = whole_quotient(fields, out.height, share, "crop_pct");
  const int width = whole_quotient(fields, out.width, share, "crop_pct");
  const auto mode = fields.word("crop_mode", "center");
  if (mode != "center" && mode != "squash" && mode != "border")
    throw fields.wrong("'crop_mode' is '" + mode + "', and must be center, squash or border");
  if (mode == "center" && width == height) {
    out.values.shorter_side = width;
    return out;
  }
  out.values.geometry = mode == "center"   ? Geometry::cover_crop
                        : mode == "squash" ? Geometry::squash_crop
                                           : Geometry::contain_crop;
  out.values.resized_width = width;
  out.values.resized_height = height;
  return out;
}

// What a class of transformers does where its file does not say.
struct Processor {
  std::string_view name;
  bool square;  ///< a size that is one number is both sides, else the shorter one
  bool crops;   ///< the centre is cut out, unless the file says otherwise
};
constexpr Processor kProcessors[] = {
    {"Beit", true, false},      {"Bit", false, true},         {"CLIP", false, true},
    {"ConvNext", false, false}, {"DeiT", true, true},         {"EfficientNet", true, false},
    {"Levit", false, true},     {"MobileNetV1", false, true}, {"MobileNetV2", false, true},
    {"MobileViT", false, true}, {"PoolFormer", false, true},  {"Pvt", true, false},
    {"Siglip", false, false},   {"ViT", true, false},
};

bool ends(std::string& text, std::string_view end) {
  if (!text.ends_with(end)) return false;
  text.resize(text.size() - end.size());
  return true;
}

class Transformers {
 public:
  Transformers(const Json& object, const std::string& file) : fields_(object, file) {
    auto type = fields_.has("image_processor_type") ? fields_.word("image_processor_type", "")
                                                    : fields_.word("feature_extractor_type", "");
    const auto asked = type;
    pillow_ = ends(type, "Pil");
    ends(type, "Fast");
    if (!ends(type, "ImageProcessor")) ends(type, "FeatureExtractor");
    std::string known;
    for (const auto& one : kProcessors) {
      if (one.name == type) processor_ = &one;
      known += (known.empty() ? "" : ", ") + std::string(one.name);
    }
    if (processor_ == nullptr)
      throw fields_.wrong("'image_processor_type' is '" + asked +
                          "', and the processors that are known are " + known);
    fields_.only({"image_processor_type",
                  "feature_extractor_type",
                  "processor_class",
                  "do_resize",
                  "size",
                  "resample",
                  "do_center_crop",
                  "crop_size",
                  "do_rescale",
                  "rescale_factor",
                  "do_normalize",
                  "image_mean",
                  "image_std",
                  "do_convert_rgb",
                  "crop_pct",
                  "rescale_offset",
                  "include_top",
                  "do_flip_channel_order",
                  "do_flip_channels",
                  "do_reduce_labels",
                  "reduce_labels",
                  "do_pad",
                  "pad_size",
                  "size_divisor",
                  "default_to_square",
                  "data_format",
                  "input_data_format",
                  "return_tensors",
                  "device",
                  "disable_grouping",
                  "_valid_processor_keys",
                  "auto_map"});
  }

  Recipe recipe() {
    if (fields_.has("do_pad") && fields_.flag("do_pad")) throw fields_.wrong("'do_pad' is unknown");
    if (fields_.has("auto_map")) throw fields_.wrong("'auto_map' names code that is not known");
    out_.values.odd_margin = Preprocess::OddMargin::down;
    numbers();
    sizes();
    out_.values.resize = resample();
    return out_;
  }

 private:
  bool is(std::string_view name) const { return processor_->name == name; }

  void numbers() {
    auto& values = out_.values;
    const bool rescales = fields_.flag("do_rescale", true);
    values.scale = rescales ? fields_.positive("rescale_factor", 1.0 / 255) : 1;
    values.mean = {0, 0, 0};
    values.std = {1, 1, 1};
    // MobileViT's processor has no normalising, whatever its file says.
    if (is("MobileViT")) {
      if (fields_.has("do_normalize") && fields_.flag("do_normalize"))
        throw fields_.wrong("'do_normalize' is true, which this processor does not do");
      if (fields_.flag(
              fields_.has("do_flip_channels") ? "do_flip_channels" : "do_flip_channel_order",
              true)) {
        values.order = Preprocess::Order::bgr;
        out_.order_given = true;
      }
      return;
    }
    for (const char* key : {"do_flip_channel_order", "do_flip_channels"})
      if (fields_.flag(key, false))
        throw fields_.wrong("'" + std::string(key) + "' is unknown to it");
    const bool normalizes = fields_.flag("do_normalize", true);
    if (normalizes) {
      values.mean = fields_.per_channel("image_mean", true);
      values.std = fields_.per_channel("image_std", false);
    }
    if (!is("EfficientNet")) {
      for (const char* key : {"rescale_offset", "include_top"})
        if (fields_.flag(key, false))
          throw fields_.wrong("'" + std::string(key) + "' is unknown to it");
      return;
    }
    if (rescales && fields_.flag("rescale_offset", false))
      for (double& mean : values.mean) mean += 1;
    if (fields_.flag("include_top", true)) {
      // Divided by the deviation once more.
      const auto again = fields_.per_channel("image_std", false);
      for (std::size_t c = 0; c < 3; ++c) values.std[c] *= again[c];
    }
  }

  // A size as {"height", "width"}, {"shortest_edge"} or one number.
  struct Size {
    int shortest = 0, height = 0, width = 0;
  };
  Size size(const char* key, bool square) const {
    const Json& value = fields_.at(key);
    if (value.is_number()) {
      const int side = fields_.side(value, key);
      return square ? Size{0, side, side} : Size{side, 0, 0};
    }
    if (value.is_array() && value.size() == 2)
      return {0, fields_.side(value[0], key), fields_.side(value[1], key)};
    Size out;
    if (!value.is_object()) throw fields_.wrong("'" + std::string(key) + "' must be an object");
    for (const auto& [name, extent] : value.items()) {
      int* const to = name == "shortest_edge" ? &out.shortest
                      : name == "height"      ? &out.height
                      : name == "width"       ? &out.width
                                              : nullptr;
      if (to == nullptr)
        throw fields_.wrong("'" + std::string(key) + "' has the unknown member '" + name + "'");
      if (!extent.is_null()) *to = fields_.side(extent, key);
    }
    const bool rectangle = out.height != 0 && out.width != 0;
    if (rectangle == (out.shortest != 0) || (out.height != 0) != (out.width != 0))
      throw fields_.wrong("'" + std::string(key) +
                          "' must have either 'shortest_edge' or 'height' and 'width'");
    return out;
  }

  void sizes() {
    auto& values = out_.values;
    if (!fields_.flag("do_resize", true))
      throw fields_.wrong("'do_resize' is false: a photo of any size has no place in the input");
    Size to = size("size", fields_.flag("default_to_square", processor_->square));
    const bool crops = fields_.flag("do_center_crop", processor_->crops);
    Size crop;
    if (crops) crop = size("crop_size", true);
    if (crops && crop.shortest != 0) crop.height = crop.width = crop.shortest;
    if (is("ConvNext")) {
      if (to.shortest == 0) throw fields_.wrong("'size' must have 'shortest_edge'");
      if (crops) throw fields_.wrong("'do_center_crop' is unknown to it");
      out_.width = out_.height = to.shortest;
      values.geometry = to.shortest < 384 ? Geometry::resize_crop : Geometry::stretch;
      if (to.shortest < 384)
        values.shorter_side = whole_quotient(fields_, to.shortest,
                                             fields_.positive("crop_pct", 224.0 / 256), "crop_pct");
      return;
    }
    if (is("Levit") && to.shortest != 0)
      to.shortest = whole_quotient(fields_, 256.0 / 224 * to.shortest, 1, "size");
    if (is("PoolFormer")) {
      const double share = fields_.positive("crop_pct", 0.9);
      if (to.shortest != 0 || to.height == to.width)
        to = {whole_quotient(fields_, std::max(to.shortest, to.height), share, "crop_pct"), 0, 0};
      else
        to = {0, whole_quotient(fields_, to.height, share, "crop_pct"),
              whole_quotient(fields_, to.width, share, "crop_pct")};
    } else if (fields_.has("crop_pct")) {
      throw fields_.wrong("'crop_pct' is unknown to it");
    }
    if (to.shortest != 0 && !crops)
      throw fields_.wrong(
          "'do_center_crop' is false and 'size' has only 'shortest_edge': the input "
          "would have the photo's proportions");
    out_.height = crops ? crop.height : to.height;
    out_.width = crops ? crop.width : to.width;
    values.geometry = !crops             ? Geometry::stretch
                      : to.shortest != 0 ? Geometry::resize_crop
                                         : Geometry::squash_crop;
    values.shorter_side = crops ? to.shortest : 0;
    if (values.geometry != Geometry::squash_crop) return;
    values.resized_height = to.height;
    values.resized_width = to.width;
  }

  // Pillow's numbers. What is not Pillow resizes tensors.
  Resize resample() const {
    const double number = fields_.number("resample");
    if (number == 0) return pillow_ ? Resize::nearest : Resize::nearest_tensor;
    if (number == 1) return pillow_ ? Resize::lanczos_antialias : Resize::lanczos_tensor;
    if (number == 2) return pillow_ ? Resize::bilinear_antialias : Resize::bilinear_tensor;
    if (number == 3) return pillow_ ? Resize::bicubic_antialias : Resize::bicubic_tensor;
    if (number == 4 && pillow_) return Resize::box_antialias;
    if (number == 5 && pillow_) return Resize::hamming_antialias;
    throw fields_.wrong("'resample' must be 0 (nearest), 1 (Lanczos), 2 (bilinear) or 3 (bicubic)");
  }

  Fields fields_;
  const Processor* processor_ = nullptr;
  bool pillow_ = false;  ///< the processor resizes with Pillow
  Recipe out_;
};

}  // namespace

std::optional<Recipe> read_package_recipe(const Json& object, const std::string& name) {
  if (!object.is_object()) return std::nullopt;
  const auto has = [&](const char* key) { return object.contains(key); };
  const auto file = [&](const char* kind) { return kind + (name.empty() ? "" : " " + name); };
  if (has("pretrained_cfg"))
    return timm_recipe(object["pretrained_cfg"], file("timm configuration"));
  if (has("image_processor_type") || has("feature_extractor_type") || has("image_mean") ||
      has("do_resize"))
    return Transformers(object, file("transformers configuration")).recipe();
  if (has("input_size") || has("crop_pct")) return timm_recipe(object, file("timm configuration"));
  return std::nullopt;
}

}  // namespace fovea::request
