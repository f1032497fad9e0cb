#include "demo/scene_input.hpp"
#include "pictures.hpp"

namespace fovea::quality {

std::vector<Network> demo_networks(const std::filesystem::path& source) {
  std::vector<Picture> pictures;
  for (std::uint64_t i = 0; i < testing_support::kScenes; ++i) {
    const auto scene = demo::draw_scene(testing_support::kFirstSeed + i);
    Picture picture{
        testing_support::input_of(scene), scene.width, scene.height,
        View{0, 0, static_cast<double>(scene.width), static_cast<double>(scene.height)}};
    // As tests/demo: the first two of two or three.
    for (std::size_t k = 0; k < 2; ++k)
      picture.things.push_back(
          {scene.objects[k].cls, {testing_support::box_of(scene.objects[k].box)}});
    pictures.push_back(std::move(picture));
  }
  std::vector<Network> out;
  for (const std::string name : {"demo_gap", "demo_fc"})
    out.push_back(
        {name, true, Model::load(source / "tools/demo/models" / (name + ".onnx")), pictures});
  return out;
}

}  // namespace fovea::quality
