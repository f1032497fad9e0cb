// Photos and pictures in C, beside the C++ interface and the program.
#include <atomic>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "c/support.hpp"
#include "cli/program.hpp"
#include "fovea/explainer.hpp"
#include "fovea/files.hpp"
#include "fovea/session.hpp"
#include "fovea_vision.h"

namespace fovea::c_test {
namespace {

using CPhoto = Handle<fovea_photo, fovea_photo_destroy>;
using CRecipe = Handle<fovea_recipe, fovea_recipe_destroy>;
using CAnswer = Handle<fovea_answer, fovea_answer_destroy>;

std::string demo(const std::string& name) {
  return std::string(FOVEA_SOURCE_DIR) + "/tools/demo/" + name;
}
const std::string kPhoto = demo("scenes/scene_1.png");
const std::string kModel = demo("models/demo_gap.onnx");

/// What a function gives that is asked for its size first: fovea_status ask(fovea_image*).
template <class Ask>
Image drawn(Ask&& ask) {
  fovea_image image{};
  CError error;
  EXPECT_EQ(ask(&image, &error), FOVEA_OK) << error.message;
  Image out{image.width, image.height, std::vector<std::uint8_t>(image.size)};
  image.rgb = out.rgb.data();
  image.capacity = out.rgb.size() - 1;
  EXPECT_EQ(ask(&image, &error), FOVEA_BUFFER_TOO_SMALL);
  image.capacity = out.rgb.size();
  EXPECT_EQ(ask(&image, &error), FOVEA_OK) << error.message;
  return out;
}

Image pixels_of(const fovea_photo* photo) {
  return drawn(
      [&](fovea_image* to, fovea_error* error) { return fovea_photo_pixels(photo, to, error); });
}

void expect_same(const Image& a, const Image& b, const std::string& what = {}) {
  ASSERT_EQ(a.width, b.width) << what;
  ASSERT_EQ(a.height, b.height) << what;
  EXPECT_EQ(a.rgb, b.rgb) << what;
}

TEST(CVision, PhotosAreThoseOfCpp) {
  const auto expected = read_image(kPhoto);
  CError error;
  CPhoto from_file, from_bytes, from_pixels;
  ASSERT_EQ(fovea_photo_read(kPhoto.c_str(), from_file.out(), &error), FOVEA_OK) << error.message;
  expect_same(pixels_of(from_file), expected);
  const auto bytes = cli_test::read_file(kPhoto);
  ASSERT_EQ(fovea_photo_decode(bytes.data(), bytes.size(), nullptr, from_bytes.out(), &error),
            FOVEA_OK);
  expect_same(pixels_of(from_bytes), expected);
  ASSERT_EQ(fovea_photo_from_rgb(expected.rgb.data(), expected.width, expected.height,
                                 from_pixels.out(), &error),
            FOVEA_OK);
  expect_same(pixels_of(from_pixels), expected);
}

TEST(CVision, PhotosThatAreNone) {
  CError error;
  CPhoto photo;
  EXPECT_EQ(fovea_photo_read("/no/such.png", photo.out(), &error), FOVEA_BAD_INPUT);
  EXPECT_STREQ(error.file, "/no/such.png");
  const auto bytes = cli_test::read_file(kPhoto);
  for (const std::size_t size : {std::size_t{0}, std::size_t{4}, bytes.size() / 2}) {
    EXPECT_EQ(fovea_photo_decode(bytes.data(), size, "upload", photo.out(), &error),
              FOVEA_BAD_INPUT);
    EXPECT_STREQ(error.file, "upload");
  }
  const std::uint8_t pixel[3] = {};
  for (const auto& [width, height] : {std::pair(0, 1), {1, -1}, {1 << 20, 1}, {16384, 16384}})
    EXPECT_EQ(fovea_photo_from_rgb(pixel, width, height, photo.out(), &error),
              FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(photo, nullptr);
}

TEST(CVision, RecipesByNameOfTheModelAndAssumed) {
  CError error;
  int32_t source = -1;
  const auto json_of = [&](const char* text, const fovea_model* model) {
    CRecipe recipe;
    EXPECT_EQ(fovea_recipe_create(text, model, recipe.out(), &source, &error), FOVEA_OK)
        << error.message;
    return std::string(fovea_recipe_json(recipe));
  };
  CModel model;
  ASSERT_EQ(fovea_model_load(kModel.c_str(), nullptr, model.out(), &error), FOVEA_OK);
  EXPECT_EQ(json_of("caffe", model), to_json(*recipe_by_name("caffe")));
  EXPECT_EQ(source, FOVEA_RECIPE_SAID);
  EXPECT_EQ(json_of(to_json(*recipe_by_name("caffe")).c_str(), nullptr),
            to_json(*recipe_by_name("caffe")));
  EXPECT_EQ(json_of(nullptr, model), to_json(recipe_of(Model::load(kModel)).value()));
  EXPECT_EQ(source, FOVEA_RECIPE_OF_MODEL);
  EXPECT_EQ(json_of(nullptr, nullptr), to_json(Recipe{}));
  EXPECT_EQ(source, FOVEA_RECIPE_ASSUMED);
  CRecipe none;
  EXPECT_EQ(fovea_recipe_create("imagnet", nullptr, none.out(), &source, &error),
            FOVEA_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(error.message, "'imagenet'"), nullptr) << error.message;
  EXPECT_EQ(fovea_recipe_create("{\"scale\": \"much\"}", nullptr, none.out(), &source, &error),
            FOVEA_INVALID_ARGUMENT);
  CRecipe sized;
  ASSERT_EQ(fovea_recipe_create("torchvision:ResNet50_Weights.DEFAULT", nullptr, sized.out(),
                                nullptr, &error),
            FOVEA_OK);
  const auto expected = recipe_by_name("torchvision:ResNet50_Weights.DEFAULT").value();
  int64_t height = -1, width = -1;
  ASSERT_EQ(fovea_recipe_extents(sized, &height, &width, &error), FOVEA_OK);
  EXPECT_EQ(height, expected.height);
  EXPECT_EQ(width, expected.width);
}

TEST(CVision, InputsAreThoseOfCpp) {
  CError error;
  CPhoto photo;
  CRecipe recipe;
  ASSERT_EQ(fovea_photo_read(kPhoto.c_str(), photo.out(), &error), FOVEA_OK);
  ASSERT_EQ(fovea_recipe_create("imagenet", nullptr, recipe.out(), nullptr, &error), FOVEA_OK);
  const auto image = read_image(kPhoto);
  fovea_view view{};
  const auto input = [&](std::vector<int64_t> shape) {
    return taken([&](fovea_array* to) {
      return fovea_preprocess(photo, recipe, static_cast<int32_t>(shape.size()), shape.data(), to,
                              &view, &error);
    });
  };
  const auto seen = view_of(image.width, image.height, Preprocess::imagenet(), 40, 32);
  const auto first = input({1, 3, 32, 40});
  EXPECT_EQ(first.data, preprocess(image, Preprocess::imagenet(), 3, 32, 40).data);
  EXPECT_EQ(view.x0, seen.x0);
  EXPECT_EQ(view.y1, seen.y1);
  EXPECT_EQ(input({1, 32, 40, 3}).data,
            preprocess(image, Preprocess::imagenet(), 3, 32, 40, Layout::nhwc).data);
  EXPECT_EQ(input({3, 32, 40}).shape, (Shape{3, 32, 40}));
  const auto grey = for_channels(Recipe{}, 1);
  EXPECT_EQ(input({1, 1, 32, 40}).data, preprocess(image, grey, 1, 32, 40).data);
  fovea_array array{};
  for (const auto& shape : std::vector<std::vector<int64_t>>{{2, 3, 32, 40},
                                                             {1, 2, 32, 40},
                                                             {32, 40},
                                                             {1, 3, 0, 40},
                                                             {1, 3, -1, 40},
                                                             {1, 3, 1 << 20, 1 << 20}})
    EXPECT_EQ(fovea_preprocess(photo, recipe, static_cast<int32_t>(shape.size()), shape.data(),
                               &array, nullptr, &error),
              FOVEA_INVALID_ARGUMENT);
}

/// The program's answer about the demo's photo, and its overlay.
struct ByProgram {
  explicit ByProgram(const std::string& method) {
    const auto done = scratch.fovea({"explain", "--model", kModel, "--image", kPhoto, "--class",
                                     "1", "--method", method, "--output", "overlay.png", "--map",
                                     "map.npy", "--json", "answer.json", "--threads", "1"});
    EXPECT_EQ(done.status, 0) << done.err;
    overlay = read_image(scratch / "overlay.png");
    map = read_npy(scratch / "map.npy");
    request =
        nlohmann::json::parse(cli_test::read_file(scratch / "answer.json")).at("provenance").dump();
  }
  cli_test::Scratch scratch;
  Image overlay;
  Tensor map;
  std::string request;
};

TEST(CVision, FromAPhotoToAnOverlayAsTheProgram) {
  CError error;
  CPhoto photo;
  CModel model;
  CRecipe recipe;
  ASSERT_EQ(fovea_photo_read(kPhoto.c_str(), photo.out(), &error), FOVEA_OK);
  ASSERT_EQ(fovea_model_load(kModel.c_str(), nullptr, model.out(), &error), FOVEA_OK);
  ASSERT_EQ(fovea_recipe_create(nullptr, model, recipe.out(), nullptr, &error), FOVEA_OK);
  for (const auto* name : {"gradcam", "saliency"}) {
    auto method = made(fovea_method_init);
    method.name = name;
    const fovea_method* methods[] = {&method};
    auto options = made(fovea_explainer_options_init);
    options.methods = methods;
    options.method_count = 1;
    options.threads = 1;
    options.tuning = FOVEA_TUNING_OFF;
    const char* key = "fovea.activation";
    const char* activation = fovea_model_metadata(model, key);
    options.multi_label = activation != nullptr && std::strcmp(activation, "sigmoid") == 0;
    CExplainer explainer;
    ASSERT_EQ(fovea_explainer_create(model, &options, nullptr, explainer.out(), &error), FOVEA_OK)
        << error.message;
    auto info = made(fovea_value_info_init);
    ASSERT_EQ(fovea_explainer_input(explainer, 0, &info, &error), FOVEA_OK);
    fovea_view view{};
    const auto input = taken([&](fovea_array* to) {
      return fovea_preprocess(photo, recipe, info.rank, info.shape, to, &view, &error);
    });
    const fovea_named_tensor feed{nullptr, borrowed(input)};
    CRun run;
    CExplanations why;
    const char* target = "class:1";
    ASSERT_EQ(fovea_forward(explainer, &feed, 1, nullptr, run.out(), &error), FOVEA_OK);
    ASSERT_EQ(fovea_run_explain(run, &method, &target, 1, nullptr, nullptr, why.out(), &error),
              FOVEA_OK);
    const ByProgram program(name);
    expect_same(drawn([&](fovea_image* to, fovea_error* e) {
                  return fovea_explanation_overlay(why, 0, photo, &view, nullptr, to, e);
                }),
                program.overlay, name);
    // The same by the options that it comes to.
    auto colours = made(fovea_overlay_options_init);
    colours.colormap = std::strcmp(name, "gradcam") == 0 ? "viridis" : "red-blue";
    const auto other = drawn([&](fovea_image* to, fovea_error* e) {
      return fovea_explanation_overlay(why, 0, photo, &view, &colours, to, e);
    });
    EXPECT_NE(other.rgb, pixels_of(photo).rgb);
  }
}

TEST(CVision, ARequestIsAnsweredAsByTheProgram) {
  for (const auto* method : {"gradcam", "saliency"}) {
    const ByProgram program(method);
    CError error;
    CAnswer answer;
    ASSERT_EQ(fovea_answer_request(program.request.c_str(), nullptr, answer.out(), &error),
              FOVEA_OK)
        << error.message;
    EXPECT_EQ(fovea_answer_request_json(answer), to_json(request_from_json(program.request)));
    const auto* explanations = fovea_answer_explanations(answer);
    ASSERT_EQ(fovea_explanations_count(explanations), 1U);
    auto info = made(fovea_explanation_info_init);
    ASSERT_EQ(fovea_explanation_at(explanations, 0, &info, &error), FOVEA_OK);
    EXPECT_STREQ(info.target, "class:1");
    EXPECT_STREQ(info.method, method);
    expect_same(drawn([&](fovea_image* to, fovea_error* e) {
                  return fovea_answer_overlay(answer, 0, to, e);
                }),
                program.overlay, method);
    std::vector<fovea_prediction> best(2);
    size_t size = 0;
    ASSERT_EQ(fovea_answer_predictions(answer, 0, best.data(), 2, &size, &error), FOVEA_OK);
    EXPECT_GE(best[0].logit, best[1].logit);
    EXPECT_EQ(fovea_answer_predictions(answer, 1, best.data(), 2, &size, &error),
              FOVEA_INVALID_ARGUMENT);
    EXPECT_EQ(fovea_answer_predictions(answer, -1, best.data(), 2, &size, &error),
              FOVEA_INVALID_ARGUMENT);
    EXPECT_STREQ(fovea_answer_label(answer, 0), "striped disc");
    EXPECT_EQ(fovea_answer_label(answer, 1000), nullptr);
    EXPECT_EQ(fovea_answer_label(answer, -1), nullptr);
    fovea_image image{};
    EXPECT_EQ(fovea_answer_overlay(answer, 1, &image, &error), FOVEA_INVALID_ARGUMENT);
    // The map over the photo's pixels, which the program writes.
    const auto map = array_of(explanations, 0, FOVEA_FEATURE_MAP);
    EXPECT_FALSE(map.data.empty());
  }
}

TEST(CVision, PhotosAndRecipesServeManyThreads) {
  CPhoto photo;
  CRecipe recipe;
  ASSERT_EQ(fovea_photo_read(kPhoto.c_str(), photo.out(), nullptr), FOVEA_OK);
  ASSERT_EQ(fovea_recipe_create(nullptr, nullptr, recipe.out(), nullptr, nullptr), FOVEA_OK);
  const int64_t shape[] = {1, 3, 64, 64};
  const auto input = [&] {
    return taken([&](fovea_array* to) {
      return fovea_preprocess(photo, recipe, 4, shape, to, nullptr, nullptr);
    });
  };
  const auto expected = input().data;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int turn = 0; turn < 5; ++turn) wrong += input().data != expected;
      });
  }
  EXPECT_EQ(wrong, 0);
}

TEST(CVision, BoxesAndFiles) {
  Tensor map{{8, 8}, std::vector<float>(64, 0)};
  for (const std::size_t at : {18U, 19U, 26U, 27U}) map.data[at] = 1;
  const auto tensor = borrowed(map);
  CError error;
  fovea_box box{};
  int32_t found = 0;
  ASSERT_EQ(fovea_find_box(&tensor, 0.2F, &box, &found, &error), FOVEA_OK);
  EXPECT_EQ(found, 1);
  EXPECT_TRUE(box.x == 2 && box.y == 2 && box.width == 2 && box.height == 2);
  EXPECT_EQ(fovea_find_box(&tensor, 1.5F, &box, &found, &error), FOVEA_INVALID_ARGUMENT);
  const Tensor empty{{8, 8}, std::vector<float>(64, 0)};
  const auto nothing = borrowed(empty);
  ASSERT_EQ(fovea_find_box(&nothing, 0.2F, &box, &found, &error), FOVEA_OK);
  EXPECT_EQ(found, 0);

  auto picture = read_image(kPhoto);
  const auto expected = draw_box(picture, Box{10, 20, 30, 40});
  fovea_image image{picture.rgb.data(), picture.rgb.size(), 0, picture.width, picture.height};
  const fovea_box drawn_box{10, 20, 30, 40}, outside{-5, 0, 3, 3};
  ASSERT_EQ(fovea_draw_box(&image, &drawn_box, &error), FOVEA_OK) << error.message;
  EXPECT_EQ(picture.rgb, expected.rgb);
  EXPECT_EQ(fovea_draw_box(&image, &outside, &error), FOVEA_INVALID_ARGUMENT);

  for (const auto* format : {".png", ".bmp", ".webp", ".jpg"}) {
    size_t size = 0;
    ASSERT_EQ(fovea_encode(&image, format, nullptr, 0, &size, &error), FOVEA_OK) << error.message;
    std::vector<std::byte> bytes(size);
    EXPECT_EQ(fovea_encode(&image, format, bytes.data(), size - 1, &size, &error),
              FOVEA_BUFFER_TOO_SMALL);
    ASSERT_EQ(fovea_encode(&image, format, bytes.data(), size, &size, &error), FOVEA_OK);
    const auto back = decode_image(bytes);
    EXPECT_EQ(back.width, picture.width);
    EXPECT_EQ(back.rgb == picture.rgb, std::strcmp(format, ".jpg") != 0) << format;
  }
  size_t size = 0;
  EXPECT_EQ(fovea_encode(&image, ".gif", nullptr, 0, &size, &error), FOVEA_INVALID_ARGUMENT);
  image.capacity -= 1;
  EXPECT_EQ(fovea_encode(&image, ".png", nullptr, 0, &size, &error), FOVEA_INVALID_ARGUMENT);
}

TEST(CVision, MapsOnPhotos) {
  CPhoto photo;
  CError error;
  ASSERT_EQ(fovea_photo_read(kPhoto.c_str(), photo.out(), &error), FOVEA_OK);
  const auto image = read_image(kPhoto);
  const Tensor map{{2, 2}, {0, 1, 0.5F, 0}};
  const auto tensor = borrowed(map);
  const View all{0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  const fovea_view part{10, 10, 90, 60};
  EXPECT_EQ(taken([&](fovea_array* to) {
              return fovea_map_on_photo(&tensor, &part, image.width, image.height, to, &error);
            }).data,
            map_on_photo(map, {10, 10, 90, 60}, image.width, image.height).data);
  auto options = made(fovea_overlay_options_init);
  const auto with = [&](const fovea_view* view) {
    return drawn([&](fovea_image* to, fovea_error* e) {
      return fovea_overlay(photo, &tensor, view, &options, to, e);
    });
  };
  expect_same(with(nullptr), overlay(image, map, {.view = all}));
  options.colormap = "viridis";
  options.alpha = 0.25;
  options.opacity_by_value = 1;
  options.pale = 1;
  expect_same(with(&part), overlay(image, map,
                                   {.alpha = 0.25,
                                    .colormap = Colormap::viridis,
                                    .view = View{10, 10, 90, 60},
                                    .by_value = true,
                                    .pale = true}));
  options.heatmap_only = 1;
  expect_same(with(&part),
              heatmap(map, {10, 10, 90, 60}, image.width, image.height, Colormap::viridis));
  fovea_image to{};
  options.colormap = "viridsi";
  EXPECT_EQ(fovea_overlay(photo, &tensor, nullptr, &options, &to, &error), FOVEA_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(error.message, "'viridis'"), nullptr) << error.message;
  options = made(fovea_overlay_options_init);
  options.alpha = 2;
  EXPECT_EQ(fovea_overlay(photo, &tensor, nullptr, &options, &to, &error), FOVEA_INVALID_ARGUMENT);
  const fovea_view nothing{5, 5, 5, 9}, infinite{0, 0, std::numeric_limits<double>::infinity(), 1};
  for (const auto* view : {&nothing, &infinite})
    EXPECT_EQ(fovea_overlay(photo, &tensor, view, nullptr, &to, &error), FOVEA_INVALID_ARGUMENT);
}

TEST(CVision, LabelsOfFilesAndModels) {
  CError error;
  const auto all = [&](const char* file, const fovea_model* model) {
    size_t size = 0;
    EXPECT_EQ(fovea_labels(file, model, nullptr, 0, &size, &error), FOVEA_OK) << error.message;
    std::string out(size, '\0');
    EXPECT_EQ(fovea_labels(file, model, out.data(), size, &size, &error), FOVEA_OK);
    return out;
  };
  const auto file = demo("models/labels.txt");
  const auto names = all(file.c_str(), nullptr);
  const auto expected = read_labels(file);
  std::string bytes;
  for (const auto& name : expected) bytes += name + '\0';
  EXPECT_EQ(names, bytes);
  CModel model, plain;
  ASSERT_EQ(fovea_model_load(kModel.c_str(), nullptr, model.out(), &error), FOVEA_OK);
  EXPECT_EQ(all(nullptr, model), bytes);
  ASSERT_EQ(fovea_model_load(golden_model("vgg").c_str(), nullptr, plain.out(), &error), FOVEA_OK);
  EXPECT_EQ(all(nullptr, plain), "");
  int64_t index = -1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(fovea_find_label(names.data(), names.size(), expected[i].c_str(), &index, &error),
              FOVEA_OK);
    EXPECT_EQ(index, static_cast<std::int64_t>(i));
  }
  EXPECT_EQ(fovea_find_label(names.data(), names.size(), "zebra", &index, &error),
            FOVEA_INVALID_ARGUMENT);
  size_t size = 0;
  EXPECT_EQ(fovea_labels("/no/such.txt", nullptr, nullptr, 0, &size, &error),
            FOVEA_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace fovea::c_test
