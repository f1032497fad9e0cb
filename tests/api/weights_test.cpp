// A model's weights stay in its file until an explainer wants them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "api/support.hpp"

namespace fovea::api_test {
namespace {

namespace fs = std::filesystem;

/// A copy of a bundled model that may be done anything to.
class Weights : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("fovea_weights_" + std::string(info->name()) + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    file_ = folder_ / "model.onnx";
    fs::copy_file(original(), file_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static fs::path original(const std::string& name = "demo_fc") {
    return fs::path(FOVEA_SOURCE_DIR) / "tools/demo/models" / (name + ".onnx");
  }
  static std::string bytes_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
  fs::path file_;
};

/// Every explainer computes in the same way, to the bit.
ExplainerOptions untuned() {
  ExplainerOptions options;
  options.compile.tuning = Tuning::off;
  return options;
}

std::vector<float> map_of(const Model& model, const ExplainerOptions& options = untuned()) {
  const Explainer explainer(model, options);
  return explainer.explain(random_input(explainer, 1)).map.data;
}

TEST_F(Weights, AModelOutlivesItsFile) {
  const auto want = map_of(Model::load(original()));
  const auto model = Model::load(file_);
  fs::remove(file_);
  EXPECT_EQ(map_of(model), want);
  // And once more, when the first explainer has given its weights back.
  EXPECT_EQ(map_of(model), want);
}

TEST_F(Weights, AReplacedFileChangesNothing) {
  const auto model = Model::load(file_);
  fs::copy_file(original("demo_gap"), folder_ / "new");
  fs::rename(folder_ / "new", file_);
  EXPECT_EQ(map_of(model), map_of(Model::load(original())));
}

TEST_F(Weights, AnExplainerNeedsItsFileNoMore) {
  const Explainer explainer(Model::load(file_), untuned());
  const auto input = random_input(explainer, 1);
  const auto want = explainer.explain(input).map.data;
  std::ofstream(file_, std::ios::binary) << "something else";
  EXPECT_EQ(explainer.explain(input).map.data, want);
}

TEST_F(Weights, AFileThatIsOverwrittenIsRefused) {
  const auto model = Model::load(file_);
  auto bytes = bytes_of(file_);
  bytes[bytes.size() / 2] ^= 1;
  std::fstream(file_, std::ios::in | std::ios::out | std::ios::binary) << bytes;
  try {
    map_of(model);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_model);
    EXPECT_EQ(error.context().file, file_.string());
    EXPECT_FALSE(error.context().node.empty());
    EXPECT_NE(error.sentence().find("changed after the model was loaded"), std::string::npos);
  }
}

TEST_F(Weights, AFileThatIsCutShortIsRefusedAtLoad) {
  fs::resize_file(file_, fs::file_size(file_) - 1000);
  EXPECT_EQ(code_of([&] { Model::load(file_); }), ErrorCode::bad_model);
}

TEST_F(Weights, OneModelServesOtherExtentsAndPrecisions) {
  const auto file = original("demo_gap");
  const auto model = Model::load(file);
  ExplainerOptions small = untuned(), large = untuned(), bf16 = untuned();
  large.compile.batch = 3;
  bf16.compile.precision = Precision::bf16;
  bf16.compile.allow_precision_fallback = true;
  for (const auto& options : {small, large, bf16, small})
    EXPECT_EQ(map_of(model, options), map_of(Model::load(file), options));
}

TEST_F(Weights, BytesMayGoOnceTheModelIsMade) {
  auto bytes = bytes_of(file_);
  const auto model = Model::from_bytes(std::as_bytes(std::span(bytes)));
  std::fill(bytes.begin(), bytes.end(), 'x');
  fs::remove(file_);
  EXPECT_EQ(map_of(model), map_of(Model::load(original())));
}

TEST_F(Weights, ExplainersAreMadeAtOnce) {
  const auto model = Model::load(file_);
  const auto want = map_of(model);
  std::vector<std::vector<float>> got(4);
  std::vector<std::thread> threads;
  for (auto& map : got) threads.emplace_back([&] { map = map_of(model); });
  for (auto& thread : threads) thread.join();
  for (const auto& map : got) EXPECT_EQ(map, want);
}

}  // namespace
}  // namespace fovea::api_test
