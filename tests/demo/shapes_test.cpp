#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fovea/session.hpp"

/// The captioner and the question answerer, on the scenes of shapes that come with them: what they
/// say is what was drawn, and their maps lie on what the word or the question is about.
namespace fovea {
namespace {

using nlohmann::json;

const std::string kDemo = FOVEA_SOURCE_DIR "/tools/demo/";

json scenes() {
  std::ifstream file(kDemo + "shapes/scenes.json");
  return json::parse(file);
}

Request request_of(const std::string& model, const json& scene, const std::string& target) {
  Request out;
  out.model.file = kDemo + "models/" + model + ".onnx";
  out.image = {kDemo + "shapes/" + scene.at("file").get<std::string>()};
  out.targets = {target_from_text(target)};
  out.threads = 1;
  return out;
}

struct Asked {
  Session session;
  Answer answer;
};

Asked asked(Request request) {
  auto session = open_session(std::move(request));
  const auto prepared = prepare(session);
  auto answered = answer(session, prepared);
  return {std::move(session), std::move(answered)};
}

/// Does the map have its maximum in the object's box? The scenes have the input's extents.
bool points_at(const Explanation& why, const json& object) {
  const auto& map = why.map;
  const auto best = std::max_element(map.data.begin(), map.data.end());
  const auto at = best - map.data.begin();
  const auto x = at % map.shape[1], y = at / map.shape[1];
  const auto box = object.at("box").get<std::vector<std::int64_t>>();
  return *best > 0 && box[0] <= x && x < box[2] && box[1] <= y && y < box[3];
}

TEST(Captioner, SaysWhatWasDrawn) {
  const auto all = scenes();
  ASSERT_GE(all.size(), 4u);
  for (const auto& scene : all) {
    const auto [session, answered] = asked(request_of("caption", scene, "words"));
    EXPECT_EQ(caption_of(*session.task, *session.found), scene.at("caption").get<std::string>());
  }
}

TEST(Captioner, LooksAtTheObjectWhenItNamesItsColour) {
  for (const auto& scene : scenes()) {
    const auto [session, answered] = asked(request_of("caption", scene, "words"));
    ASSERT_EQ(answered.request.methods.front().name, "gradcam");
    const auto& words = session.found->words;
    for (const auto& object : scene.at("objects")) {
      const auto word = std::find_if(words.begin(), words.end(), [&](const Choice& one) {
        return one.name == object.at("colour").get<std::string>();
      });
      ASSERT_NE(word, words.end());
      const auto& why = answered.explanations.at(static_cast<std::size_t>(word - words.begin()));
      EXPECT_EQ(why.map.shape, (Shape{64, 64}));
      EXPECT_TRUE(points_at(why, object)) << scene.at("file") << " " << object.at("colour");
    }
  }
}

TEST(Answerer, AnswersAboutTheShapeAskedFor) {
  const auto yes_or_no = [](const json& scene, const std::string& what) {
    auto request = request_of("answer", scene, "answer");
    request.questions["question"] = "Is there a " + what + "?";
    return asked(std::move(request)).session.found->answers.front().name;
  };
  for (const auto& scene : scenes())
    for (const auto& object : scene.at("objects")) {
      const auto size = object.at("size").get<std::string>(),
                 colour = object.at("colour").get<std::string>(),
                 shape = object.at("shape").get<std::string>();
      for (const auto& [question, answer] :
           {std::pair{"What color is the " + shape + "?", colour},
            std::pair{"what colour is the " + shape + "?", colour},
            std::pair{"what shape is the " + colour + " shape?", shape},
            std::pair{"what size is the " + shape + "?", size}}) {
        auto request = request_of("answer", scene, "answer");
        request.questions["question"] = question;
        EXPECT_EQ(asked(std::move(request)).session.found->answers.front().name, answer)
            << scene.at("file") << " " << question;
      }
      EXPECT_EQ(yes_or_no(scene, size + " " + colour + " " + shape), "yes");
      EXPECT_EQ(yes_or_no(scene, (size == "big" ? "small " : "big ") + colour + " " + shape), "no");
    }
}

TEST(Answerer, LooksAtTheShapeAskedFor) {
  for (const auto& scene : scenes()) {
    std::vector<std::vector<float>> maps;
    for (const auto& object : scene.at("objects")) {
      auto request =
          request_of("answer", scene, "answer:" + object.at("colour").get<std::string>());
      request.questions["question"] =
          "what color is the " + object.at("shape").get<std::string>() + "?";
      const auto [session, answered] = asked(std::move(request));
      EXPECT_TRUE(points_at(answered.explanations.front(), object))
          << scene.at("file") << " " << object.at("shape");
      maps.push_back(answered.explanations.front().map.data);
    }
    EXPECT_NE(maps[0], maps[1]);
  }
}

TEST(Answerer, RefusesWordsThatItDoesNotKnow) {
  auto request = request_of("answer", scenes()[0], "answer");
  request.questions["question"] = "what colour is the squaer?";
  try {
    static_cast<void>(run(request));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("square"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace fovea
