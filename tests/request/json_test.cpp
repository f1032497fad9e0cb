// Requests as JSON and back.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "fovea/request.hpp"

namespace fovea {
namespace {

using nlohmann::json;
using Kind = RequestTarget::Kind;
using Command = Request::Command;

/// Requests with every member drawn. Each struct is taken apart by name, so that a new member that
/// is not drawn does not compile.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  Request request(Command command) {
    Request out;
    auto& [itself, model, external, second, image, preprocess, in_place_of_crop, exact_decode,
           inputs, task, questions, states, labels, fixed_inputs, input_shapes, output, multi_label,
           token_grid, prefix_tokens, precision, optimize, tuning, threads, methods,
           method_by_target, skip_unservable, targets, layers, features, fuse, smooth, keep_sign,
           normalize, colormap, alpha, opacity_by_value, percentile, caption, sheet_width, enlarge,
           box_share, words, examples] = out;
    itself = command;
    model = file();
    external = several<RequestFile>(0, [&] { return file(); });
    if (yes()) image = file();
    if (yes()) preprocess = recipe();
    if (yes()) in_place_of_crop = one_of({Whole::stretch, Whole::letterbox});
    exact_decode = yes();
    if (yes()) second = drawn_second();
    if (yes()) task = task_by_name(one_of<std::string>({"yolox", "ctc", "policy", "in-file"}));
    questions = named<std::string>([&] { return text(); });
    states = named<std::vector<double>>(
        [&] { return several<double>(1, [&] { return real(-1e6, 1e6); }); });
    fixed_inputs = named<std::vector<double>>(
        [&] { return several<double>(1, [&] { return real(-1e6, 1e6); }); });
    inputs = named<RequestFile>([&] { return file(); });
    if (yes()) labels = file();
    input_shapes = named<Shape>([&] { return shape(); });
    output = text();
    multi_label = yes();
    token_grid = shape();
    if (yes()) prefix_tokens = whole(0, 100);
    precision = one_of({Precision::f32, Precision::bf16, Precision::automatic});
    optimize = yes();
    tuning = one_of({Tuning::off, Tuning::quick, Tuning::thorough, Tuning::winograd});
    threads = static_cast<int>(whole(0, 1024));
    if (command == Command::predict || command == Command::index) return out;
    methods = several<RequestMethod>(1, [&] { return method(); });
    if (command == Command::explain) methods.resize(1);
    method_by_target = yes();
    skip_unservable = yes();
    targets = several<RequestTarget>(1, [&] { return target(); });
    layers = several<std::string>(0, [&] { return text(); });
    if (command == Command::explain) features = text();
    fuse = one_of({Fuse::mean, Fuse::max, Fuse::product});
    smooth = yes();
    keep_sign = yes();
    if (yes()) normalize = one_of({Normalize::max, Normalize::minmax, Normalize::none});
    colormap = one_of({Colormap::jet, Colormap::turbo, Colormap::viridis, Colormap::inferno,
                       Colormap::magma, Colormap::plasma, Colormap::cividis, Colormap::red_blue});
    alpha = real(0, 1);
    opacity_by_value = yes();
    percentile = yes() ? 99 : real(0, 100);
    caption = yes();
    sheet_width = yes() ? 1400 : whole(200, 16384);
    enlarge = yes();
    if (yes()) box_share = static_cast<float>(real(0, 0.99));
    words = yes();
    if (yes()) examples = drawn_examples();
    return out;
  }

 private:
  bool yes() { return whole(0, 1) == 1; }
  std::int64_t whole(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution(least, most)(random_);
  }
  double real(double least, double most) {
    return std::uniform_real_distribution(least, most)(random_);
  }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return all.begin()[whole(0, static_cast<std::int64_t>(all.size()) - 1)];
  }
  std::string text() {
    return one_of<std::string>(
               {"", "a=b,c", "\"quoted\" \\ line\n", "größe/名.npy", "{}", "null"}) +
           std::to_string(whole(0, 99));
  }
  template <class T>
  std::vector<T> several(std::int64_t least, const std::function<T()>& make) {
    std::vector<T> out;
    for (auto count = whole(least, 3); count > 0; --count) out.push_back(make());
    return out;
  }
  template <class T>
  std::map<std::string, T> named(const std::function<T()>& make) {
    std::map<std::string, T> out;
    for (auto count = whole(0, 3); count > 0; --count) out[yes() ? text() : ""] = make();
    return out;
  }
  Shape shape() {
    return several<std::int64_t>(0, [&] { return whole(1, std::int64_t{1} << 60); });
  }
  RequestFile file() {
    RequestFile out;
    auto& [name, sha256] = out;
    name = text();
    if (yes()) sha256 = yes() ? std::string(64, 'a') : std::string();
    return out;
  }
  Recipe recipe() {
    Recipe out;
    auto& [values, order_given, width, height] = out;
    auto& [order, scale, mean, deviation, geometry, shorter_side, resize, resized_width,
           resized_height, odd_margin] = values;
    using P = Preprocess;
    order_given = yes();
    if (order_given) order = one_of({P::Order::rgb, P::Order::bgr, P::Order::luma});
    scale = real(0.001, 2);
    for (auto& m : mean) m = real(-200, 200);
    for (auto& d : deviation) d = real(0.1, 100);
    geometry = one_of({P::Geometry::stretch, P::Geometry::center_square, P::Geometry::resize_crop,
                       P::Geometry::letterbox, P::Geometry::squash_crop, P::Geometry::cover_crop,
                       P::Geometry::contain_crop});
    resized_width = static_cast<int>(whole(0, 16384));
    resized_height = static_cast<int>(whole(0, 16384));
    odd_margin = one_of({P::OddMargin::even, P::OddMargin::down});
    shorter_side = static_cast<int>(whole(0, 16384));
    resize =
        one_of({P::Resize::bilinear_antialias, P::Resize::bilinear, P::Resize::nearest,
                P::Resize::area, P::Resize::bicubic_antialias, P::Resize::lanczos_antialias,
                P::Resize::hamming_antialias, P::Resize::box_antialias, P::Resize::bilinear_tensor,
                P::Resize::bicubic_tensor, P::Resize::lanczos_tensor, P::Resize::nearest_tensor});
    width = static_cast<int>(whole(0, 16384));
    height = static_cast<int>(whole(0, 16384));
    return out;
  }
  RequestMethod method() {
    RequestMethod out;
    auto& [name, options, layer_rules, given] = out;
    name = text();
    options = named<double>([&] { return real(-1e9, 1e9); });
    layer_rules = named<std::string>([&] { return text(); });
    given = named<RequestFile>([&] { return file(); });
    return out;
  }
  RequestTarget target() {
    RequestTarget out;
    auto& [kind, value, label, image, minus, score, negated, region, similarity, words, files] =
        out;
    kind = one_of({Kind::ranked, Kind::class_index, Kind::label, Kind::similar_to, Kind::text});
    if (kind == Kind::ranked || kind == Kind::class_index) value = whole(0, 999);
    if (kind == Kind::label) label = text();
    if (kind == Kind::similar_to) {
      image = file();
      similarity = one_of({RequestTarget::Similarity::dot, RequestTarget::Similarity::cosine});
    }
    if (kind == Kind::text) {
      words = one_of<std::string>({"logits[0,5]-2*x[1,:]", "action:2", "mean(y[0])"});
      files = named<RequestFile>([&] { return file(); });
    }
    if (yes()) minus = whole(0, 999);
    score = one_of({RequestTarget::Score::by_method, RequestTarget::Score::logit,
                    RequestTarget::Score::probability});
    negated = yes();
    if (yes()) {
      if (yes())
        region = Box{whole(0, 99), whole(0, 99), whole(1, 99), whole(1, 99)};
      else
        region = file();
    }
    return out;
  }
  RequestSecond drawn_second() {
    RequestSecond out;
    auto& [model, inputs] = out;
    model = file();
    inputs = named<std::string>([&] { return text(); });
    return out;
  }
  RequestExamples drawn_examples() {
    RequestExamples out;
    auto& [index, count] = out;
    index = file();
    count = whole(1, 1000);
    return out;
  }

  std::mt19937 random_;
};

std::string refusal(const std::string& text) {
  try {
    request_from_json(text, "order");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_EQ(error.sentence().rfind("the order ", 0), 0U) << error.sentence();
    return error.sentence();
  }
  ADD_FAILURE() << text << " accepted";
  return {};
}

TEST(RequestJson, GivesEveryRequestBack) {
  for (const auto command : {Command::explain, Command::sheet, Command::predict, Command::index})
    for (unsigned seed = 0; seed < 300; ++seed) {
      const auto drawn = Draw(seed).request(command);
      const auto text = to_json(drawn);
      ASSERT_EQ(request_from_json(text), drawn) << "seed " << seed << "\n" << text;
      ASSERT_EQ(text.find('\n'), std::string::npos) << "one line";
    }
}

TEST(RequestJson, WhatIsLeftOutHasItsDefault) {
  Request expected;
  EXPECT_EQ(request_from_json(to_json(expected)), expected);
  expected.targets.front().score = RequestTarget::Score::by_method;
  expected.model.file = "net.onnx";
  auto asked = request_from_json(R"({"model": {"file": "net.onnx"}, "score": null})");
  EXPECT_EQ(asked, expected);
  asked =
      request_from_json(R"({"targets": [{"label": "cat"}, {"class": 3, "probability": true}]})");
  ASSERT_EQ(asked.targets.size(), 2U);
  EXPECT_EQ(asked.targets[0].label, "cat");
  EXPECT_EQ(asked.targets[0].score, RequestTarget::Score::logit);
  EXPECT_EQ(asked.targets[1].score, RequestTarget::Score::probability);
}

TEST(RequestJson, SaysWhatAResultSays) {
  Request request;
  request.model = {"net.onnx", "aa"};
  request.external = {{"weights", "bb"}};
  request.image = {"cat.png", ""};
  request.layers = {"relu"};
  request.box_share = 0.1F;
  request.targets = {{.kind = Kind::class_index, .value = 7, .score = RequestTarget::Score::logit},
                     {.kind = Kind::class_index,
                      .value = 2,
                      .minus = 3,
                      .score = RequestTarget::Score::logit,
                      .region = Box{1, 2, 3, 4}}};
  const auto all = json::parse(to_json(request));
  EXPECT_EQ(all["format"], 1);
  EXPECT_EQ(all["command"], "explain");
  EXPECT_EQ(all["model"], (json{{"file", "net.onnx"},
                                {"sha256", "aa"},
                                {"external", {{{"file", "weights"}, {"sha256", "bb"}}}}}));
  EXPECT_EQ(all["image"], (json{{"file", "cat.png"}, {"sha256", nullptr}}));
  EXPECT_EQ(all["decode"], "reduced");
  EXPECT_EQ(all["layer"], "relu");
  EXPECT_EQ(all["layers"], json::array());
  EXPECT_EQ(all["box"], 0.1);
  EXPECT_EQ(all["targets"],
            (json{{{"class", 7}}, {{"class", 2}, {"minus", 3}, {"region", {1, 2, 3, 4}}}}));
  for (const auto* absent : {"score", "given", "examples", "labels", "inputs", "methods"})
    EXPECT_FALSE(all.contains(absent)) << absent;
  request.command = Command::sheet;
  const auto sheet = json::parse(to_json(request));
  EXPECT_EQ(sheet["score"], "logit");
  EXPECT_EQ(sheet["methods"], (json{{{"method", "gradcam"}, {"options", json::object()}}}));
  EXPECT_FALSE(sheet.contains("layer"));
  request.command = Command::predict;
  EXPECT_FALSE(json::parse(to_json(request)).contains("method"));
}

TEST(RequestJson, ReadsOverWhatAResultWasMadeWith) {
  EXPECT_EQ(request_from_json(R"({"format": 1, "fovea": "9", "onednn": "3", "onednn_isa": "x",
                                  "picture": {"kind": "overlay"}, "layer": "a", "layers": []})")
                .layers,
            std::vector<std::string>{"a"});
}

TEST(RequestJson, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "JSON"},
      {"[]", "must be an object"},
      {R"({"format": 2})", "format"},
      {R"({"format": "1"})", "'format'"},
      {R"({"command": "dance"})", "'dance' for command"},
      {R"({"modle": {"file": "x"}})", "did you mean 'model'"},
      {R"({"model": "x"})", "'model'"},
      {R"({"model": {"sha256": "x"}})", "'file'"},
      {R"({"model": {"file": "x", "md5": "y"}})", "md5"},
      {R"({"model": {"file": "x", "sha256": 3}})", "sha256"},
      {R"({"model": {"file": "x", "external": {}}})", "external"},
      {R"({"inputs": []})", "inputs"},
      {R"({"input_shapes": {"data": ["x"]}})", "input_shapes"},
      {R"({"input_shapes": {"data": [0]}})", "input_shapes"},
      {R"({"token_grid": [1.5]})", "token_grid"},
      {R"({"prefix_tokens": -1})", "prefix_tokens"},
      {R"({"threads": 1025})", "threads"},
      {R"({"threads": 18446744073709551615})", "threads"},
      {R"({"precision": "f16"})", "'f16' for precision"},
      {R"({"decode": "half"})", "'half' for decode"},
      {R"({"options": {"samples": "many"}})", "samples"},
      {R"({"methods": [{}]})", "methods"},
      {R"({"command": "explain, a sheet", "methods": []})", "no methods"},
      {R"({"command": "explain, a sheet", "methods": [{"metod": "cam"}]})", "metod"},
      {R"({"command": "predict", "method": "cam"})", "method"},
      {R"({"targets": []})", "no classes"},
      {R"({"targets": {}})", "targets"},
      {R"({"targets": [{"colour": 1}]})", "target"},
      {R"({"targets": [{"minus": 1}]})", "target"},
      {R"({"targets": [{"class": 1, "rank": 1}]})", "target"},
      {R"({"targets": [{"class": 1, "region": [1, 2, 3]}]})", "region"},
      {R"({"targets": [{"class": 1, "region": [1, 2, 0, 3]}]})", "region"},
      {R"({"targets": [{"rank": 1000000}]})", "rank"},
      {R"({"normalize": "softly"})", "softly"},
      {R"({"keep_sign": 1})", "keep_sign"},
      {R"({"alpha": 1.5})", "alpha"},
      {R"({"percentile": 101})", "percentile"},
      {R"({"sheet_width": 199})", "sheet_width"},
      {R"({"caption": 1})", "caption"},
      {R"({"opacity": "half"})", "opacity"},
      {R"({"whole": "crop"})", "whole"},
      {R"({"box": 1})", "box"},
      {R"({"examples": {"count": 3}})", "examples"},
      {R"({"examples": {"file": "x", "count": 0}})", "count"}};
  for (const auto& [text, words] : cases) {
    const auto sentence = refusal(text);
    EXPECT_NE(sentence.find(words), std::string::npos) << text << " gives: " << sentence;
  }
  Request wrong;
  wrong.alpha = 2;
  EXPECT_THROW(static_cast<void>(to_json(wrong)), Error);
  wrong = {};
  wrong.methods.resize(2);
  EXPECT_THROW(static_cast<void>(to_json(wrong)), Error);
}

}  // namespace
}  // namespace fovea
