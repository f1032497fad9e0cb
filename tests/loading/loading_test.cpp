// Models in forms that exporters write (README.md), asked for as the program asks.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "fovea/files.hpp"
#include "fovea/fovea.hpp"
#include "fovea/session.hpp"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const fs::path kFolder = FOVEA_SOURCE_DIR "/tests/loading";

std::string decoded(const std::string& base64) {
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : base64) {
    static const std::string kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto digit = kDigits.find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

/// As make_cases.py fills an input.
Tensor ramp(const Shape& shape) {
  Tensor out{shape, {}};
  std::int64_t count = 1;
  for (const auto extent : shape) count *= extent;
  for (std::int64_t i = 0; i < count; ++i)
    out.data.push_back(static_cast<float>(i * 37 % 101) / 100.F - 0.2F);
  return out;
}

/// A model with one more entry of its metadata: messages behind each other are merged.
std::string with_metadata(std::string model, const std::string& key, const std::string& value) {
  const auto text = [](char tag, const std::string& bytes) {
    std::string out{tag};
    auto size = bytes.size();
    for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
    return out + static_cast<char>(size) + bytes;
  };
  return model += text('\x72', text('\x0a', key) + text('\x12', value));
}

class Loading : public testing::Test {
 protected:
  Loading() {
    folder_ = fs::temp_directory_path() / ("fovea_loading_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  ~Loading() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  RequestFile write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return {(folder_ / name).string()};
  }
  RequestFile write(const std::string& name, const Tensor& tensor) const {
    const auto bytes = npy_bytes(tensor);
    return write(name, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }

  Request request_of(const Json& model) const {
    Request out;
    out.command = Request::Command::predict;
    out.output = model.at("scores");
    for (const auto& [name, shape] : model.at("shapes").items())
      out.input_shapes[name] = shape.get<Shape>();
    if (model.contains("file")) {
      out.model = {(kFolder / "reports" / model.at("file").get<std::string>()).string()};
      out.inputs["x"] = {(kFolder / "reports/x.npy").string()};
      return out;
    }
    out.model = write("model.onnx", decoded(model.at("model")));
    for (const auto& [name, shape] : model.at("inputs").items())
      out.inputs[name] = write(name + ".npy", ramp(shape.get<Shape>()));
    return out;
  }

  static void expect_refused(const Request& request, ErrorCode code, const std::string& words) {
    try {
      auto session = open_session(request);
      static_cast<void>(session.explainer({}, {}));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
      return;
    }
    ADD_FAILURE() << words << " is not refused";
  }

  fs::path folder_;
};

Json cases() {
  std::ifstream file(kFolder / "cases.json");
  return Json::parse(file);
}

Json named(const std::string& name) {
  for (auto& one : cases())
    if (one.at("name") == name) return one;
  throw std::runtime_error("no case " + name);
}

TEST_F(Loading, ScoresAreOnnxRuntimes) {
  const auto all = cases();
  ASSERT_GE(all.size(), 50U);
  for (const auto& one : all) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    try {
      auto session = open_session(request_of(one));
      auto run = session.forward(session.explainer({}, {}));
      auto rows = run.predictions();
      std::sort(rows.begin(), rows.end(),
                [](const auto& a, const auto& b) { return a.class_index < b.class_index; });
      const auto expected = one.at("expected").get<std::vector<double>>();
      ASSERT_EQ(rows.size(), expected.size());
      const bool probabilities = one.value("probabilities", false);
      for (std::size_t k = 0; k < rows.size(); ++k)
        EXPECT_NEAR(probabilities ? rows[k].probability : rows[k].logit, expected[k],
                    1e-5 * (1 + std::abs(expected[k])))
            << k;
      EXPECT_EQ(session.labels, one.at("labels").get<Labels>());
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

TEST_F(Loading, AnInputWithoutShapeHasToGetOne) {
  auto request = request_of(named("input-without-shape"));
  request.input_shapes.clear();
  EXPECT_NO_THROW(open_session(request).explainer({}, {})) << "a tensor has one";
  request.inputs.clear();
  Image photo{16, 12, std::vector<std::uint8_t>(16 * 12 * 3, 100)};
  write_image(folder_ / "photo.png", photo);
  request.image = RequestFile{(folder_ / "photo.png").string()};
  expect_refused(request, ErrorCode::invalid_argument,
                 "does not say how many extents input 'x' has: give --input-shape x=1,3");
  request.input_shapes["x"] = {1, 3, 16, 12};
  EXPECT_NO_THROW(open_session(request).explainer({}, {}));
  const auto model = Model::load(request.model.file);
  EXPECT_FALSE(model.inputs().at(0).is_ranked);
  EXPECT_THROW(Explainer(model, {}), Error);
  ExplainerOptions options;
  options.compile.input_shapes["x"] = {2, 3, 16, 12};
  const Explainer explainer(model, options);
  EXPECT_TRUE(explainer.inputs().at(0).is_ranked);
  EXPECT_EQ(explainer.inputs().at(0).shape, (Shape{2, 3, 16, 12}));
  EXPECT_EQ(explainer.forward(ramp({2, 3, 16, 12})).logits().shape, (Shape{2, 5}));
}

TEST_F(Loading, AnOutputThatCannotBeComputedSaysWhy) {
  auto request = request_of(named("unneeded-node"));
  const auto model = Model::load(request.model.file);
  ASSERT_EQ(model.outputs().size(), 3U);
  EXPECT_EQ(model.outputs()[0].refusal, "");
  EXPECT_NE(model.outputs()[1].refusal.find("(Unique, opset 17)"), std::string::npos);
  request.output = "tv";
  expect_refused(request, ErrorCode::unsupported, "(Unique, opset 17)");
  request.output.clear();
  EXPECT_NO_THROW(open_session(request).explainer({}, {})) << "prob is the first in any case";
  request.output = "nothing";
  expect_refused(request, ErrorCode::invalid_argument, "no output 'nothing'");
  ExplainerOptions options;
  options.compile.output = "prob";
  options.compile.fetches = {"tv"};
  try {
    const Explainer explainer(model, options);
    ADD_FAILURE() << "fetched";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

TEST_F(Loading, LabelsOfTheUserGoFirst) {
  Json labelled;
  for (auto& one : cases())
    if (!one.at("labels").empty()) labelled = one;
  auto request = request_of(labelled);
  const auto own = labelled.at("labels").get<Labels>();
  request.targets = {{.kind = RequestTarget::Kind::label, .label = own[1]}};
  EXPECT_EQ(open_session(request).request.targets[0].value, 1);
  std::string lines;
  for (std::size_t k = 0; k < own.size(); ++k) lines += "class " + std::to_string(k) + "\n";
  request.labels = write("labels.txt", lines);
  request.targets = {{}};
  EXPECT_EQ(open_session(request).labels.at(1), "class 1");
}

TEST_F(Loading, LabelsOfUltralytics) {
  const auto plain = named("scores-without-batch 0");
  const auto bytes = decoded(plain.at("model"));
  auto request = request_of(plain);
  const auto labels = [&](const std::string& names) {
    request.model = write("named.onnx", with_metadata(bytes, "names", names));
    return open_session(request).labels;
  };
  EXPECT_EQ(labels(R"({0: 'tench', 1: "a 'b'", 2: 'it\'s', 4 : "\\"})"),
            (Labels{"tench", "a 'b'", "it's", "", "\\"}));
  EXPECT_EQ(labels("{0: 'a\x1b[2J',}"), Labels{"a?[2J"});
  EXPECT_TRUE(labels("{}").empty());
  for (const auto* other : {"", "a, b", "{0: 'a'", "{0: 'a'} b", "{'a': 0}", "{0: a}", "{0 'a'}",
                            "{0: 'a' 1: 'b'}", "{0: 'a}", "{0: '\\x41'}", "{0: '\\",
                            "{99999999999999999999: 'a'}", "{9999999: 'a'}", "{-1: 'a'}"})
    EXPECT_TRUE(labels(other).empty()) << other;
}

TEST_F(Loading, RecipesInOnnxsOwnMetadata) {
  auto request = request_of(named("if-around-squeeze"));
  request.inputs.clear();
  request.input_shapes["x"] = {1, 3, 16, 12};
  write_image(folder_ / "photo.png", Image{16, 12, std::vector<std::uint8_t>(16 * 12 * 3, 100)});
  request.image = RequestFile{(folder_ / "photo.png").string()};
  std::ifstream in(request.model.file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto photo = [&](const std::string& range, const std::string& format) {
    request.model =
        write("image.onnx", with_metadata(with_metadata(bytes, "Image.NominalPixelRange", range),
                                          "Image.BitmapPixelFormat", format));
    return open_session(request).photo.value();
  };
  /// What the recipe makes of the darkest and of the brightest pixel.
  const auto ends = [](const Preprocess& recipe) {
    const auto at = [&](double x) { return (x * recipe.scale - recipe.mean[1]) / recipe.std[1]; };
    return std::pair(at(0), at(255));
  };
  const std::map<std::string, std::pair<double, double>> ranges = {
      {"NominalRange_0_255", {0, 255}},
      {"Normalized_0_1", {0, 1}},
      {"Normalized_1_1", {-1, 1}},
      {"NominalRange_16_235", {16, 235}}};
  for (const auto& [range, wanted] : ranges) {
    const auto got = photo(range, "Bgr8");
    EXPECT_EQ(got.recipe_source, RecipeSource::model);
    EXPECT_EQ(got.recipe.order, Preprocess::Order::bgr);
    EXPECT_NEAR(ends(got.recipe).first, wanted.first, 1e-12) << range;
    EXPECT_NEAR(ends(got.recipe).second, wanted.second, 1e-12) << range;
  }
  EXPECT_EQ(photo("Normalized_0_1", "Rgb8").recipe.order, Preprocess::Order::rgb);
  EXPECT_EQ(photo("Normalized_0_1", "Gray8").recipe.order, Preprocess::Order::luma);
  EXPECT_EQ(photo("something", "Bgr8").recipe_source, RecipeSource::assumed);
}

}  // namespace
}  // namespace fovea
