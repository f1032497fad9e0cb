// Requests in the program's JSON, in C.
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "c/support.hpp"
#include "cli/program.hpp"
#include "fovea_vision.h"

namespace fovea::c_test {
namespace {

using CAnswer = Handle<fovea_answer, fovea_answer_destroy>;

std::string demo(const std::string& name) {
  return std::string(FOVEA_SOURCE_DIR) + "/tools/demo/" + name;
}
const std::string kPhoto = demo("scenes/scene_1.png");
const std::string kModel = demo("models/demo_gap.onnx");

TEST(CAnswer, ASheetHasAnExplanationOfEachMethodPerTarget) {
  const cli_test::Scratch scratch;
  const auto done = scratch.fovea({"explain", "--model", kModel, "--image", kPhoto, "--class", "1",
                                   "--class", "2", "--method", "gradcam,layercam", "--output",
                                   "sheet.png", "--json", "answer.json", "--threads", "1"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto request =
      nlohmann::json::parse(cli_test::read_file(scratch / "answer.json")).at("provenance").dump();
  CError error;
  CAnswer answer;
  ASSERT_EQ(fovea_answer_request(request.c_str(), nullptr, answer.out(), &error), FOVEA_OK)
      << error.message;
  const auto* explanations = fovea_answer_explanations(answer);
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < fovea_explanations_count(explanations); ++i) {
    auto info = made(fovea_explanation_info_init);
    ASSERT_EQ(fovea_explanation_at(explanations, i, &info, &error), FOVEA_OK);
    seen.push_back(std::string(info.target) + " " + info.method);
    EXPECT_EQ(info.target, "class:" + std::to_string(info.class_index));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"class:1 gradcam", "class:1 layercam",
                                            "class:2 gradcam", "class:2 layercam"}));
}

TEST(CAnswer, ARequestIsOfTheFilesThatItRecords) {
  namespace fs = std::filesystem;
  const cli_test::Scratch scratch;
  const auto over = fs::copy_options::overwrite_existing;
  const auto put = [&](const std::string& from, const char* name) {
    fs::copy_file(from, scratch / name, over);
  };
  put(kModel, "m.onnx");
  put(kPhoto, "photo.png");
  put(demo("models/labels.txt"), "labels.txt");
  nlohmann::json asked;
  for (const auto& [member, name] :
       {std::pair{"model", "m.onnx"}, {"image", "photo.png"}, {"labels", "labels.txt"}})
    asked[member]["file"] = scratch / name;
  CError error;
  CAnswer answer;
  const auto ask = [&] {
    return fovea_answer_request(asked.dump().c_str(), nullptr, answer.out(), &error);
  };
  ASSERT_EQ(ask(), FOVEA_OK) << error.message;
  asked = nlohmann::json::parse(fovea_answer_request_json(answer));
  ASSERT_EQ(ask(), FOVEA_OK) << error.message;
  EXPECT_EQ(fovea_answer_warning_count(answer), 0U) << fovea_answer_warning(answer, 0);

  put(demo("scenes/scene_2.png"), "photo.png");
  EXPECT_EQ(ask(), FOVEA_BAD_INPUT);
  EXPECT_EQ(std::string(error.message).find("this is not the image that was recorded"), 0U)
      << error.message;
  EXPECT_EQ(error.file, scratch / "photo.png");
  auto recorded = std::exchange(asked["image"]["sha256"], nullptr);
  EXPECT_EQ(ask(), FOVEA_BAD_INPUT);
  EXPECT_NE(std::strstr(error.message, "nothing was recorded"), nullptr) << error.message;
  asked["image"].erase("sha256");
  EXPECT_EQ(ask(), FOVEA_OK) << "any photo is asked for: " << error.message;
  put(kPhoto, "photo.png");
  asked["image"]["sha256"] = recorded;

  put(demo("models/demo_fc.onnx"), "m.onnx");
  EXPECT_EQ(ask(), FOVEA_BAD_MODEL);
  EXPECT_EQ(std::string(error.message).find("this is not the model that was recorded"), 0U)
      << error.message;
  put(kModel, "m.onnx");

  std::ofstream(scratch / "labels.txt") << "one\ntwo\nthree\nfour\n";
  ASSERT_EQ(ask(), FOVEA_OK) << error.message;
  ASSERT_GT(fovea_answer_warning_count(answer), 0U);
  EXPECT_NE(std::strstr(fovea_answer_warning(answer, 0), "labels.txt' are not those"), nullptr);
  fs::remove(scratch / "labels.txt");
  ASSERT_EQ(ask(), FOVEA_OK) << "labels change no map: " << error.message;
  EXPECT_NE(std::strstr(fovea_answer_warning(answer, 0), "labels.txt' are not those"), nullptr);
}

TEST(CAnswer, RequestsThatCannotBeAnswered) {
  CError error;
  CAnswer answer;
  const auto status_of = [&](const std::string& request) {
    return fovea_answer_request(request.c_str(), nullptr, answer.out(), &error);
  };
  EXPECT_EQ(status_of("{"), FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(status_of("{\"modle\": 1}"), FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(status_of("{\"model\": {\"file\": \"/no/such.onnx\"}}"), FOVEA_BAD_MODEL);
  EXPECT_EQ(status_of("{\"command\": \"predict\", \"model\": {\"file\": \"" + kModel + "\"}}"),
            FOVEA_INVALID_ARGUMENT);
  std::atomic<int> flag = 1;
  auto call = made(fovea_call_options_init);
  call.stop = reinterpret_cast<const int*>(&flag);
  const auto good =
      "{\"model\": {\"file\": \"" + kModel + "\"}, \"image\": {\"file\": \"" + kPhoto + "\"}}";
  EXPECT_EQ(fovea_answer_request(good.c_str(), &call, answer.out(), &error), FOVEA_CANCELLED);
  EXPECT_EQ(answer, nullptr);
  EXPECT_EQ(status_of(good), FOVEA_OK) << error.message;
}

}  // namespace
}  // namespace fovea::c_test
