// A program with a protobuf and an OpenCV of its own, and fovea behind them.
#include <dlfcn.h>

#include <fovea/fovea.hpp>
#ifdef WITH_IMAGES
#include <fovea/image.hpp>
#endif
#include <iostream>
#include <utility>

extern "C" int host_has_its_own();

bool comes_first(const char* symbol) {
  Dl_info info{};
  void* found = dlsym(RTLD_DEFAULT, symbol);
  return found != nullptr && dladdr(found, &info) != 0 &&
         std::string(info.dli_fname).find("libhost") != std::string::npos;
}

int main(int, char** arguments) try {
  if (host_has_its_own() != 1 || !comes_first("_ZN2cv3MatC1Ev") ||
      !comes_first(
          "_ZN6google8protobuf11MessageLite20ParseFromCodedStreamEPNS0_2io16CodedInputStreamE")) {
    std::cout << "the host's library is not in front\n";
    return 1;
  }
  const fovea::Explainer explainer(fovea::Model::load(arguments[1]));
#ifdef WITH_IMAGES
  auto photo = fovea::read_image(arguments[2]);
  const fovea::Preprocess recipe{.geometry = fovea::Preprocess::Geometry::stretch,
                                 .resize = fovea::Preprocess::Resize::area};
  const auto why = explainer.explain(fovea::preprocess(photo, recipe, 3, 192, 240));
  const auto view = fovea::view_of(photo.width, photo.height, recipe, 240, 192);
  const auto drawn = fovea::overlay(std::move(photo), why.map, {.view = view});
  std::cout << "drawn " << drawn.width << " x " << drawn.height << '\n';
#else
  std::cout << "loaded\n";
#endif
} catch (const fovea::Error& error) {
  std::cout << error.what() << '\n';
  return 1;
}
