#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "pictures.hpp"

namespace fovea::quality {
namespace {

using nlohmann::json;

/// A residual network (of CIFAR-10), two sets of SqueezeNet's weights, two MobileNets.
constexpr std::array kNetworks = {"mobilenet_v2_1.0_224_op13", "squeezenet_winml_fp32_op7",
                                  "squeezenet_v1.1_onnxzoo_op8", "mobilenet_v1_0.25_128_op9",
                                  "cifar10_resnet56_bn_op18"};

// In ImageNet's order of classes.
constexpr std::int64_t kFirstDog = 151, kLastDog = 268;

json read(const std::filesystem::path& file) {
  std::ifstream in(file);
  return json::parse(in);
}

Preprocess recipe_of(const json& entry) {
  Preprocess out = Preprocess::raw();
  const auto& p = entry.at("preprocess");
  out.order = p.at("order") == "BGR" ? Preprocess::Order::bgr : Preprocess::Order::rgb;
  out.scale = p.at("scale");
  std::copy(p.at("mean").begin(), p.at("mean").end(), out.mean.begin());
  std::copy(p.at("std").begin(), p.at("std").end(), out.std.begin());
  out.geometry = Preprocess::Geometry::center_square;
  return out;
}

bool is_dog(const json& object) {
  const auto& index = object.at("imagenet_index");
  if (index.is_null()) return object.at("label") == "dog";
  return kFirstDog <= index && index <= kLastDog;
}

/// CIFAR-10's class, where it has one.
std::optional<std::int64_t> cifar_class(const json& object) {
  if (is_dog(object)) return 5;
  const std::map<std::int64_t, std::int64_t> others = {
      {19, 2}, {24, 2}, {88, 2}, {282, 3}, {817, 1}};  // birds, a cat, a car
  const auto it = others.find(object.at("imagenet_index").get<std::int64_t>());
  if (it == others.end()) return std::nullopt;
  return it->second;
}

/// ImageNet's class; of an object that is called a dog and no more, the dog that scores best.
std::int64_t imagenet_class(const json& object, const std::vector<Prediction>& predictions) {
  if (!object.at("imagenet_index").is_null()) return object.at("imagenet_index");
  for (const auto& one : predictions)
    if (kFirstDog <= one.class_index && one.class_index <= kLastDog) return one.class_index;
  throw Error(ErrorCode::invalid_argument, "the network has no dog");
}

/// What of the box the network sees; none where that is less than half.
std::optional<Box> seen(const json& corners, const View& view) {
  const double x0 = std::max(corners[0].get<double>(), view.x0),
               y0 = std::max(corners[1].get<double>(), view.y0),
               x1 = std::min(corners[2].get<double>(), view.x1),
               y1 = std::min(corners[3].get<double>(), view.y1);
  const double whole = (corners[2].get<double>() - corners[0].get<double>()) *
                       (corners[3].get<double>() - corners[1].get<double>());
  if (x0 >= x1 || y0 >= y1 || (x1 - x0) * (y1 - y0) < whole / 2) return std::nullopt;
  const auto left = static_cast<std::int64_t>(x0), top = static_cast<std::int64_t>(y0);
  return Box{left, top, static_cast<std::int64_t>(x1) - left, static_cast<std::int64_t>(y1) - top};
}

void add(std::vector<Thing>& things, std::int64_t class_index, const Box& box) {
  for (auto& thing : things)
    if (thing.class_index == class_index) {
      thing.boxes.push_back(box);
      return;
    }
  things.push_back({class_index, {box}});
}

Network network(const std::string& name, const json& entry, const json& boxes,
                const std::filesystem::path& folder) {
  Network out{name, false, Model::load(folder / entry.at("path").get<std::string>())};
  const Explainer explainer(out.model, untuned({}));
  const auto& shape = explainer.inputs()[0].shape;
  const Preprocess recipe = recipe_of(entry);
  const bool cifar =
      explainer
          .forward(Tensor{
              shape, std::vector<float>(static_cast<std::size_t>(shape[1] * shape[2] * shape[3]))})
          .logits()
          .shape.back() == 10;
  for (const auto& [file, about] : boxes.items()) {
    const Image photo = read_image(folder / "photos" / file);
    Picture picture{preprocess(photo, recipe, 3, shape[2], shape[3]), photo.width, photo.height,
                    view_of(photo.width, photo.height, recipe, shape[3], shape[2])};
    auto run = explainer.forward(picture.input);
    for (const auto& object : about.at("objects")) {
      const auto box = seen(object.at("box_xyxy"), picture.view);
      const auto index = cifar ? cifar_class(object) : imagenet_class(object, run.predictions());
      if (box && index) add(picture.things, *index, *box);
    }
    if (!picture.things.empty()) out.pictures.push_back(std::move(picture));
  }
  return out;
}

}  // namespace

std::vector<Network> real_networks(const std::filesystem::path& folder) {
  std::vector<Network> out;
  if (!std::filesystem::exists(folder / "photos/boxes.json")) return out;
  const json reference = read(folder / "reference_top5.json");
  const json boxes = read(folder / "photos/boxes.json");
  for (const std::string name : kNetworks)
    out.push_back(network(name, reference.at(name), boxes, folder));
  return out;
}

}  // namespace fovea::quality
