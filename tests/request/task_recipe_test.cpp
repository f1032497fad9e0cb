// Tasks as JSON and back.
#include "fovea/task_recipe.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

namespace fovea {
namespace {

/// Tasks with every member drawn. Each struct is taken apart by name, so that a new member that is
/// not drawn does not compile.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  Task task() {
    const auto all = task_names();
    auto out = *task_by_name(
        all[static_cast<std::size_t>(whole(0, static_cast<std::int64_t>(all.size()) - 1))]);
    auto& [kind, decoder, inputs, outputs, states, names, boxes, text_, caption, segments, audio] =
        out;
    EXPECT_EQ(task_by_name(decoder)->kind, kind);
    for (auto n = whole(0, 2); n > 0; --n) inputs[text()] = input();
    for (const auto role :
         {OutputRole::scores, OutputRole::boxes, OutputRole::labels, OutputRole::rows,
          OutputRole::logits, OutputRole::value, OutputRole::embedding})
      if (yes()) outputs[role] = texts(1);
    for (auto n = whole(0, 2); n > 0; --n) states[text()] = text();
    names = texts(0);
    if (yes()) draw_boxes(boxes);
    auto& [blank, steps_first] = text_;
    if (yes()) blank = whole(0, 99);
    steps_first = yes();
    auto& [start, end, pad, one_word, most_words] = caption;
    if (yes()) start = text();
    if (yes()) end = text();
    if (yes()) pad = text();
    if (yes()) one_word = yes();
    most_words = whole(1, 256);
    auto& [channels_last, threshold, logits] = segments;
    if (yes()) channels_last = yes();
    threshold = share();
    logits = yes();
    if (yes()) draw_audio(audio);
    return out;
  }

 private:
  void draw_audio(AudioAxes& audio) {
    auto& [rate, hop, frequencies, lowest, highest, per_octave, bins, time_first] = audio;
    rate = share();
    hop = share();
    frequencies = static_cast<AudioAxes::Frequencies>(whole(0, 4));
    lowest = share();
    highest = share();
    per_octave = share();
    bins = whole(0, 999);
    if (yes()) time_first = yes();
  }
  void draw_boxes(BoxDecoding& boxes) {
    auto& [form, scores, in_shares, objectness, numbers_first, selected, classes, background,
           first_label, strides, cell_centre, bins, threshold, overlap, most, width, height] =
        boxes;
    form = static_cast<BoxDecoding::Form>(whole(0, 3));
    scores = static_cast<BoxDecoding::Scores>(whole(0, 2));
    in_shares = yes();
    objectness = yes();
    numbers_first = yes();
    selected = yes();
    classes = whole(0, 99);
    background.reset();
    if (yes()) background = whole(0, 9);
    first_label = whole(-9, 9);
    strides = yes() ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{4, whole(1, 99)};
    cell_centre = share();
    bins = whole(0, 20);
    threshold = share();
    overlap = share();
    most = whole(1, 999);
    width = whole(0, 999);
    height = whole(0, 999);
  }
  TaskInput input() {
    TaskInput out;
    auto& [role, value, words, code, step] = out;
    role = static_cast<InputRole>(whole(0, 8));
    if (yes()) value = share();
    words = texts(0);
    code = static_cast<WordCode>(whole(0, 1));
    if (yes()) step = whole(0, 99);
    return out;
  }
  bool yes() { return whole(0, 1) == 1; }
  std::int64_t whole(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution(least, most)(random_);
  }
  double share() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::string text() {
    std::string out;
    for (auto n = whole(1, 4); n > 0; --n) out += "ab \"\\/é<"[whole(0, 5)];
    return out;
  }
  std::vector<std::string> texts(std::int64_t least) {
    std::vector<std::string> out;
    for (auto n = whole(least, 3); n > 0; --n) out.push_back(text());
    return out;
  }

  std::mt19937 random_;
};

TEST(TaskRecipe, DrawnTasksComeBackAsTheyWere) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const auto drawn = Draw(seed).task();
    const auto text = to_json(drawn);
    ASSERT_EQ(task_from_json(text), drawn) << "seed " << seed << "\n" << text;
  }
}

TEST(TaskRecipe, WhatIsLeftOutIsTheDecoders) {
  EXPECT_EQ(task_from_json(R"({"task": "yolox"})"), *task_by_name("yolox"));
  EXPECT_EQ(to_json(*task_by_name("yolox")), R"({"task":"yolox"})");
  const auto task = task_from_json(R"({"task": "ssd", "boxes": {"background": null},
      "outputs": {"scores": "s", "boxes": ["b"]}, "states": {"h": "h2"},
      "inputs": {"sr": {"role": "constant", "value": 16000}}})");
  EXPECT_FALSE(task.boxes.background);
  EXPECT_EQ(task.outputs.at(OutputRole::scores), std::vector<std::string>{"s"});
  EXPECT_EQ(task.states.at("h"), "h2");
  EXPECT_EQ(task.inputs.at("sr").value, 16000);
}

void expect_refused(const std::string& json, const std::string& part) {
  try {
    task_from_json(json, "task 't.json'");
    FAIL() << json;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("task 't.json'"), std::string::npos) << error.what();
  }
}

TEST(TaskRecipe, WhatIsWrongIsNamed) {
  expect_refused("{", "no valid JSON");
  expect_refused("[]", "must be an object");
  expect_refused("{}", "which 'task' it is");
  expect_refused(R"({"task": "yolo"})", "'yolo' for task");
  expect_refused(R"({"task": "yolox", "box": {}})", "a member 'box'");
  expect_refused(R"({"task": "yolox", "boxes": {"stride": 8}})", "'stride'");
  expect_refused(R"({"task": "yolox", "boxes": {"strides": [8, 0]}})", "'strides'");
  expect_refused(R"({"task": "yolox", "boxes": {"strides": [9000000000000000000]}})", "'strides'");
  expect_refused(R"({"task": "in-file", "boxes": {"first_label": 9000000000000000000}})",
                 "'first_label'");
  expect_refused(R"({"task": "yolox", "boxes": {"threshold": 2}})", "'threshold'");
  expect_refused(R"({"task": "yolox", "boxes": {"form": "oval"}})", "'oval'");
  expect_refused(R"({"task": "ctc", "text": {"blank": -1}})", "'blank'");
  expect_refused(R"({"task": "policy", "outputs": {"logit": "22"}})", "'logit'");
  expect_refused(R"({"task": "policy", "outputs": {"logits": 22}})", "'outputs.logits'");
  expect_refused(R"({"task": "policy", "inputs": {"x": {"role": "picture"}}})", "'picture'");
  expect_refused(R"({"task": "policy", "names": ["a", 1]})", "'names'");
  expect_refused(R"({"task": "policy", "names_file": "a.txt"})", "no folder");
}

class Folder {
 public:
  Folder() : path(std::filesystem::temp_directory_path() / "fovea_task_recipe_test") {
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
  }
  const std::filesystem::path path;
};

TEST(TaskRecipe, NamesMayLieInAFileBesideIt) {
  const Folder folder;
  folder.write("en.txt", "a\nb\n \n");
  folder.write("words.txt", "\nwhat\nis\n");
  folder.write("line.txt", "abé \n");
  folder.write("t.json", R"({"task": "ctc", "names_file": "en.txt",
      "inputs": {"q": {"role": "question", "words_file": "words.txt"}}})");
  const auto task = read_task(folder.path / "t.json");
  EXPECT_EQ(task.names, (std::vector<std::string>{"a", "b", " "}));
  EXPECT_EQ(task.inputs.at("q").words, (std::vector<std::string>{"", "what", "is"}));
  folder.write("t.json", R"({"task": "ctc", "names_file": "line.txt"})");
  EXPECT_EQ(read_task(folder.path / "t.json").names,
            (std::vector<std::string>{"a", "b", "é", " "}));
  folder.write("t.json", R"({"task": "answer", "names_file": "missing.txt"})");
  EXPECT_THROW(read_task(folder.path / "t.json"), Error);
  for (const std::string outside : {"../en.txt", "/etc/hostname", "a/../../en.txt"}) {
    folder.write("t.json", R"({"task": "answer", "names_file": ")" + outside + R"("})");
    try {
      read_task(folder.path / "t.json");
      FAIL() << outside;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("must lie in the folder"), std::string::npos)
          << error.what();
    }
  }
  folder.write("t.json", R"({"task": "answer", "names": ["a"], "names_file": "en.txt"})");
  EXPECT_THROW(read_task(folder.path / "t.json"), Error);
}

TEST(TaskRecipe, LiesBesideTheModel) {
  const Folder folder;
  const auto given = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/data/lenet/model.onnx";
  std::filesystem::copy_file(given, folder.path / "m.onnx",
                             std::filesystem::copy_options::overwrite_existing);
  const auto model = Model::load(folder.path / "m.onnx");
  EXPECT_FALSE(task_of_model(model));
  folder.write("m.task.json", R"({"task": "embedding"})");
  EXPECT_EQ(task_of_model(model)->kind, TaskKind::embedding);
}

TEST(TaskRecipe, EveryMemberIsDocumented) {
  std::ifstream in(std::filesystem::path(FOVEA_SOURCE_DIR) / "docs/tasks.md");
  const std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::set<std::string> members;
  const std::set<std::string> own_names = {"inputs", "states"};
  const std::function<void(const nlohmann::json&)> collect = [&](const nlohmann::json& object) {
    for (const auto& [name, value] : object.items()) {
      members.insert(name);
      if (own_names.contains(name))
        for (const auto& one : value) {
          if (one.is_object()) collect(one);
        }
      else if (value.is_object())
        collect(value);
    }
  };
  for (unsigned seed = 0; seed < 200; ++seed)
    collect(nlohmann::json::parse(to_json(Draw(seed).task())));
  EXPECT_GT(members.size(), 35U);
  for (const auto& name : task_names()) members.insert(name);
  for (const auto& member : members)
    EXPECT_NE(page.find("`" + member + "`"), std::string::npos) << member;
}

}  // namespace
}  // namespace fovea
