// Requests run from their files to explanations.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fovea/files.hpp"
#include "fovea/fovea.hpp"
#include "fovea/session.hpp"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using Kind = RequestTarget::Kind;

/// A folder with tensors and a photo, gone with the object; the models are those of tests/cli.
class Requests : public testing::Test {
 protected:
  Requests() {
    folder_ = fs::temp_directory_path() / ("fovea_requests_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    write("one.npy", input(1));
    write("two.npy", input(2));
    Image photo{60, 40, std::vector<std::uint8_t>(60 * 40 * 3)};
    for (std::size_t i = 0; i < photo.rgb.size(); ++i)
      photo.rgb[i] = static_cast<std::uint8_t>(i * 7 % 251);
    write_image(folder_ / "photo.png", photo);
  }
  ~Requests() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  static Tensor input(std::int64_t images) {
    Tensor out{{images, 3, 16, 16}, {}};
    for (std::int64_t i = 0; i < images * 768; ++i)
      out.data.push_back(static_cast<float>(i * 37 % 101) / 100.F - 0.2F);
    return out;
  }
  void write(const std::string& name, const Tensor& tensor) const {
    const auto bytes = npy_bytes(tensor);
    std::ofstream(folder_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  RequestFile file(const std::string& name) const { return {(folder_ / name).string()}; }
  static RequestFile model(const std::string& name) {
    return {FOVEA_SOURCE_DIR "/tests/cli/fixtures/" + name + ".onnx"};
  }
  Request of_tensor(const std::string& name = "one.npy") const {
    Request out;
    out.model = model("colours");
    out.inputs[""] = file(name);
    return out;
  }
  Request of_photo(const std::string& name = "colours") const {
    Request out;
    out.model = model(name);
    out.image = file("photo.png");
    return out;
  }
  static void expect_same(const std::vector<Explanation>& a, const std::vector<Explanation>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].map.data, b[i].map.data) << i;
      EXPECT_EQ(a[i].feature_map.data, b[i].feature_map.data) << i;
      EXPECT_EQ(a[i].method, b[i].method) << i;
      EXPECT_EQ(a[i].score, b[i].score) << i;
    }
  }
  static void expect_refused(const Request& request, const std::string& words,
                             ErrorCode code = ErrorCode::invalid_argument) {
    try {
      static_cast<void>(run(request));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
      return;
    }
    ADD_FAILURE() << words << " is not refused";
  }

  fs::path folder_;
};

TEST_F(Requests, AreOfTheFilesThatTheyRecord) {
  auto request = of_tensor();
  take_digests(request);
  EXPECT_EQ(run(request).explanations.size(), 1);
  write("one.npy", [] {
    auto other = input(1);
    other.data.back() += 1;
    return other;
  }());
  try {
    run(request);
    FAIL() << "another tensor was explained";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_EQ(std::string(error.what()).find("this is not the tensor that was recorded"), 0U)
        << error.what();
  }
  request.inputs.begin()->second.sha256.reset();
  EXPECT_EQ(run(request).explanations.size(), 1);
}

TEST_F(Requests, AreTheLibrarysOwnCalls) {
  auto request = of_tensor("two.npy");
  request.methods = {{"smoothgrad", {{"samples", 3}, {"seed", 5}}}};
  request.targets = {
      {.kind = Kind::class_index, .value = 2, .negated = true},
      {.kind = Kind::ranked, .value = 1, .score = RequestTarget::Score::probability}};
  request.normalize = Normalize::none;
  const auto answered = run(request);

  ExplainerOptions options;
  options.compile.batch = 2;
  options.compile.tuning = Tuning::off;
  const Method method{"smoothgrad", {{"samples", 3}, {"seed", 5}}};
  options.prepare.methods = {method};
  const Explainer explainer(Model::load(request.model.file), options);
  const auto two = input(2);
  const std::vector targets = {Target::class_index(2).counterfactual(),
                               Target::ranked(1).of_probability()};
  expect_same(answered.explanations,
              explainer.forward(two).explain(method, targets, {.normalize = Normalize::none}));
  EXPECT_EQ(answered.request.targets[1].kind, Kind::ranked) << "each image has its own";
}

TEST_F(Requests, TheAnswersRequestGivesTheSameAgain) {
  std::vector<Request> all = {of_tensor(), of_tensor("two.npy"), of_photo(), of_photo("labelled"),
                              of_photo("grey")};
  all.push_back(of_photo());
  all.back().methods = {{"rise", {{"masks", 5}}}};
  all.push_back(of_photo());
  all.back().layers = {"relu", "mix"};
  all.back().fuse = Fuse::product;
  all.back().smooth = all.back().keep_sign = true;
  all.back().targets = {{.kind = Kind::class_index, .value = 1, .minus = 2}};
  all.push_back(of_photo("labelled"));
  all.back().targets = {{.kind = Kind::label, .label = "azure"}};
  all.push_back(of_photo());
  all.back().command = Request::Command::sheet;
  all.back().skip_unservable = true;
  all.back().methods = {{"gradcam"}, {"rise", {{"masks", 5}}}};
  all.back().targets = {{}, {.value = 2}};
  all.push_back(of_photo("segments"));
  all.back().layers = {"relu"};
  all.back().targets = {{.kind = Kind::class_index, .value = 1, .region = Box{4, 2, 30, 20}}};
  all.push_back(of_tensor());
  all.back().targets = {{.kind = Kind::similar_to, .image = file("one.npy")}};
  all.push_back(of_tensor());
  all.back().targets = {{.kind = Kind::similar_to,
                         .image = file("one.npy"),
                         .similarity = RequestTarget::Similarity::cosine}};
  all.push_back(of_photo("segments"));
  all.back().method_by_target = true;
  all.back().targets = {{.kind = Kind::text, .text = "segments[0,1,3,4]-0.5*relu[0,0,2,-1]"}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    const auto first = run(all[i]);
    ASSERT_FALSE(first.explanations.empty());
    const auto kept = request_from_json(to_json(first.request));
    EXPECT_EQ(kept, first.request);
    const auto again = run(kept);
    expect_same(first.explanations, again.explanations);
    EXPECT_EQ(again.request, first.request);
    for (const auto& target : kept.targets) {
      EXPECT_NE(target.kind, Kind::label);
    }
    EXPECT_FALSE(kept.inputs.contains(""));
    EXPECT_FALSE(kept.input_shapes.empty());
  }
}

/// A class that a text names is that class, with all that is said of it besides.
TEST_F(Requests, ATextKeepsItsRegion) {
  auto request = of_photo("segments");
  request.layers = {"relu"};
  request.targets = {{.kind = Kind::class_index, .value = 1, .region = Box{4, 2, 30, 20}}};
  const auto want = run(request);
  request.targets = {{.kind = Kind::text, .region = Box{4, 2, 30, 20}, .text = "class:1"}};
  const auto got = run(request);
  expect_same(got.explanations, want.explanations);
  EXPECT_EQ(got.request.targets, want.request.targets);
}

TEST_F(Requests, ASheetGoesTargetByTargetLayerByLayer) {
  auto request = of_photo();
  request.command = Request::Command::sheet;
  request.methods = {{"gradcam"}, {"rise", {{"masks", 5}}}};
  request.layers = {"relu", "mix"};
  request.targets = {{.kind = Kind::class_index, .value = 2},
                     {.kind = Kind::class_index, .value = 0}};
  const auto sheet = run(request).explanations;
  ASSERT_EQ(sheet.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(sheet[i].method, i % 2 == 0 ? "gradcam" : "rise") << i;
    EXPECT_EQ(sheet[i].prediction.value().class_index, i < 4 ? 2 : 0) << i;
    if (i % 2 == 0) {
      EXPECT_EQ(sheet[i].layer, i % 4 == 0 ? "features" : "mixed") << i;
    }
  }
}

TEST_F(Requests, OneDigestForEachFile) {
  auto request = of_photo();
  request.labels = file("none");
  request.inputs["x"] = file("one.npy");
  request.methods.front().given["noise"] = file("two.npy");
  request.targets = {{.kind = Kind::similar_to, .image = file("one.npy")},
                     {.kind = Kind::class_index, .region = file("two.npy")}};
  request.examples = RequestExamples{file("photo.png"), 3};
  take_digests(request);
  const auto one = sha256_of(folder_ / "one.npy"), two = sha256_of(folder_ / "two.npy");
  const auto photo = sha256_of(folder_ / "photo.png");
  ASSERT_TRUE(one && two && photo);
  EXPECT_EQ(request.model.sha256, sha256_of(request.model.file));
  EXPECT_EQ(request.image->sha256, photo);
  EXPECT_EQ(request.labels->sha256, "") << "is not there";
  EXPECT_EQ(request.inputs["x"].sha256, one);
  EXPECT_EQ(request.methods.front().given["noise"].sha256, two);
  EXPECT_EQ(request.targets[0].image.sha256, one);
  EXPECT_EQ(std::get<RequestFile>(*request.targets[1].region).sha256, two);
  EXPECT_EQ(request.examples->index.sha256, photo);
}

TEST_F(Requests, SayWhatIsWrong) {
  Request request;
  request.model.file = (folder_ / "none.onnx").string();
  request.image = file("photo.png");
  expect_refused(request, "none.onnx", ErrorCode::bad_model);
  request = of_photo();
  request.image = file("none.png");
  expect_refused(request, "none.png", ErrorCode::bad_input);
  request = of_photo();
  request.command = Request::Command::predict;
  expect_refused(request, "no explanation");
  request = of_photo();
  request.methods = {{"nonsense"}};
  expect_refused(request, "nonsense");
  request.methods = {{"gradcam", {{"sweetness", 1}}}};
  expect_refused(request, "sweetness");
  request.methods = {{"gradcam"}, {"cam"}};
  expect_refused(request, "sheet");
  request = of_photo();
  request.layers = {"nonsense"};
  expect_refused(request, "nonsense");
  request = of_photo();
  request.targets = {{.kind = Kind::label, .label = "cat"}};
  expect_refused(request, "label");
  request.targets = {{.minus = 1}};
  expect_refused(request, "minus");
  request.targets = {{.region = Box{0, 0, 1, 1}}};
  expect_refused(request, "region");
  request.targets = {{.kind = Kind::class_index, .value = 7}};
  expect_refused(request, "out of range");
  request = of_photo();
  request.input_shapes["dta"] = {1, 3, 16, 16};
  expect_refused(request, "dta");
  request = of_photo();
  request.alpha = 7;
  expect_refused(request, "alpha");
  request = of_tensor();
  request.inputs["data"] = file("two.npy");
  expect_refused(request, "twice");
  request = of_tensor("two.npy");
  request.command = Request::Command::sheet;
  expect_refused(request, "one image");
  request = {};
  request.model = model("colours");
  expect_refused(request, "not given");
}

TEST_F(Requests, FixInputsThatAreTheSameInEveryRun) {
  write("gain.npy", {{1, 3, 1, 1}, {2, 0.5F, 1}});
  auto request = of_photo("two_inputs");
  request.inputs["gain"] = file("gain.npy");
  const auto given = run(request);
  request.inputs.clear();
  request.fixed_inputs["gain"] = {2, 0.5, 1};
  const auto fixed = run(request);
  EXPECT_EQ(fixed.run.logits().data, given.run.logits().data);
  EXPECT_EQ(fixed.explanations.at(0).map.data, given.explanations.at(0).map.data);
  EXPECT_EQ(fixed.request.fixed_inputs, request.fixed_inputs);
  EXPECT_EQ(run(fixed.request).run.logits().data, given.run.logits().data);
  request.fixed_inputs["gain"] = {2, 0.5};
  expect_refused(request, "input 'gain' takes 1 x 3 x 1 x 1 and is fixed to 2 numbers");
  request.fixed_inputs["gain"] = {2, 0.5, 1};
  request.inputs["gain"] = file("gain.npy");
  expect_refused(request, "input 'gain' is given and fixed");
  request = of_photo("two_inputs");
  request.fixed_inputs["gian"] = {2, 0.5, 1};
  expect_refused(request, "did you mean 'gain'");
}

}  // namespace
}  // namespace fovea
