#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "fovea/fovea.hpp"
#include "fovea/task_target.hpp"
#include "support/npz.hpp"

/// Real networks beside the checkout: what each says, and the scores and maps that PyTorch's
/// autograd gives for its targets.
namespace fovea {
namespace {

using Arrays = std::map<std::string, Tensor>;

const std::filesystem::path kFolder =
    std::filesystem::path(FOVEA_SOURCE_DIR) / "../shared/structured";

Arrays read_example(const std::string& name) {
  return testing_support::read_npz(kFolder / "examples" / (name + ".npz"));
}

Tensor of_pixels(const Tensor& pixels, const std::vector<double>& mean,
                 const std::vector<double>& deviation) {
  const auto h = pixels.shape[0], w = pixels.shape[1];
  Tensor out{{1, 3, h, w}, {}};
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < static_cast<std::size_t>(h * w); ++i)
      out.data.push_back(static_cast<float>((pixels.data[3 * i + c] - mean[c]) / deviation[c]));
  return out;
}

/// A network with a task, an example's inputs, and what it made of them.
class Asked {
 public:
  Asked(const std::string& model, const Task& given, Arrays inputs)
      : model_(Model::load(kFolder / "models" / (model + ".onnx"))), inputs_(std::move(inputs)) {
    ExplainerOptions options = plain();
    const OriginFinder finder(model_, options.compile);
    logits_ = finder.find_logits();
    task = filled(given, model_, finder);
    options.compile.fetches = values_of(task);
    options.prepare.target_values = target_values_of(task, finder.shapes());
    const Explainer explainer(model_, options);
    Feeds feeds(inputs_.begin(), inputs_.end());
    // Whatever was not given, as the task says.
    std::map<std::string, Tensor> made;
    for (const auto& input : explainer.inputs())
      if (!feeds.contains(input.name)) {
        const auto value = default_input(task.inputs.at(input.name), input.shape);
        if (!value) throw Error(ErrorCode::bad_input, "the input is missing", {"", input.name, ""});
        made[input.name] = *value;
        inputs_[input.name] = *value;
      }
    for (const auto& [name, tensor] : made) feeds[name] = tensor;
    outputs = outputs_of(task, explainer.forward(feeds));
  }

  Task task;
  Outputs outputs;
  const FindLogits& logits() const { return logits_; }

  /// The score to 1e-4, maps to `tolerance` of their largest value.
  void expect(const Target& target, const Arrays& golden, const std::string& layer,
              double slack = 0, double tolerance = 1e-4) const {
    auto options = plain();
    options.prepare.target_values = values_in(target);
    options.prepare.layers = {layer};
    options.prepare.methods = {GradCam{}, HiResCam{}};
    const Explainer explainer(model_, options);
    auto run = explainer.forward(Feeds(inputs_.begin(), inputs_.end()));
    const double score = golden.at("score").data[0];
    const auto cam = run.explain(GradCam{}, target);
    EXPECT_NEAR(cam.score, score, 1e-4 * std::abs(score) + slack);
    for (const auto& [name, method] : {std::pair<std::string, Method>{"cam", GradCam{}},
                                       {"gradcam_raw", GradCam{}},
                                       {"hirescam", HiResCam{}},
                                       {"hirescam_raw", HiResCam{}}}) {
      if (!golden.contains(name)) continue;
      const bool is_raw = name.ends_with("_raw");
      ExplainOptions how;
      how.keep_sign = is_raw;
      auto map = run.explain(method, target, how).feature_map.data;
      const auto& want = golden.at(name).data;
      ASSERT_EQ(map.size(), want.size()) << name;
      const double top = *std::max_element(map.begin(), map.end());
      double largest = 0;
      for (const float v : want) largest = std::max(largest, std::abs(static_cast<double>(v)));
      for (std::size_t i = 0; i < want.size(); ++i) {
        const double got = is_raw || top <= 0 ? map[i] : map[i] / top;
        ASSERT_NEAR(got, want[i], tolerance * largest) << name << " " << i;
      }
    }
  }

 private:
  ExplainerOptions plain() const {
    ExplainerOptions options;
    options.compile.tuning = Tuning::off;
    for (const auto& [name, tensor] : inputs_) options.compile.input_shapes[name] = tensor.shape;
    return options;
  }

  Model model_;
  Arrays inputs_;
  FindLogits logits_;
};

Task named(const std::string& decoder) {
  return *task_by_name(decoder);
}

#define NEEDS(model)                                                  \
  if (!std::filesystem::exists(kFolder / "models" / (model ".onnx"))) \
  GTEST_SKIP() << "no structured networks beside the checkout"

TEST(TaskOfRealNetworks, YoloxFindsTheDog) {
  NEEDS("det_yolox_nano_op11");
  const auto golden = read_example("det_yolox_nano_op11__anchor3462_class16_logit");
  Asked asked("det_yolox_nano_op11", named("yolox"),
              {{"images", of_pixels(golden.at("in/images"), {0, 0, 0}, {1, 1, 1})}});
  EXPECT_EQ(asked.task.boxes.classes, 80);
  EXPECT_EQ(asked.task.boxes.width, 416);
  const auto found = decode_boxes(asked.task, asked.outputs, asked.logits());
  ASSERT_FALSE(found.empty());
  const auto& dog = found.front();
  EXPECT_EQ(dog.row, 3462);
  EXPECT_EQ(dog.class_index, 16);
  EXPECT_EQ(dog.level, 2);
  EXPECT_EQ(dog.cell_y, 6);
  EXPECT_EQ(dog.cell_x, 4);
  EXPECT_NEAR(dog.score, 0.9267, 1e-4);
  // (0.88546 + 6) 32 less half of 32 e^2.34322, and so on.
  EXPECT_NEAR(dog.x0, (1.5263635 + 4) * 32 - 16 * std::exp(1.8430746), 1e-2);
  EXPECT_NEAR(dog.y1, (0.88545966 + 6) * 32 + 16 * std::exp(2.3432171), 1e-2);
  EXPECT_EQ(dog.value, "1129") << "the class convolution of its level";
  asked.expect(dog.target, golden, "1112");
  asked.expect(dog.score_target,
               read_example("det_yolox_nano_op11__anchor3462_class16_obj_times_cls"), "1112");
  EXPECT_EQ(target_values_of(asked.task, {{"output", {1, 3549, 85}}}, asked.logits()).size(), 6U)
      << "three levels' objectness and classes";
}

TEST(TaskOfRealNetworks, UltraFaceFindsTheFace) {
  NEEDS("det_ultraface_rfb320_ssd_op9");
  const auto golden = read_example("det_ultraface_rfb320_ssd_op9__box4381_logit_margin");
  Asked asked("det_ultraface_rfb320_ssd_op9", named("ssd"), {{"input", golden.at("in/input")}});
  const auto found = decode_boxes(asked.task, asked.outputs, asked.logits());
  ASSERT_FALSE(found.empty());
  const auto& face = found.front();
  EXPECT_EQ(face.row, 4381);
  EXPECT_EQ(face.class_index, 0) << "the background has no name";
  EXPECT_NEAR(face.score, 1.0, 1e-4);
  EXPECT_NEAR(face.x0, 0.2515 * 320, 0.05);
  EXPECT_NEAR(face.y0, 0.18953 * 240, 0.05);
  EXPECT_NEAR(face.x1, 0.75995 * 320, 0.05);
  EXPECT_NEAR(face.y1, 0.70243 * 240, 0.05);
  asked.expect(face.target, golden, "360");
}

TEST(TaskOfRealNetworks, SinetSeesAPerson) {
  NEEDS("seg_sinet_portrait_op12");
  const auto golden = read_example("seg_sinet_portrait_op12__mean_over_mask");
  auto task = named("segmentation");
  task.names = {"background", "person"};
  const double k = 255;
  Asked asked(
      "seg_sinet_portrait_op12", task,
      {{"data", of_pixels(golden.at("in/data_bgr_uint8"), {102.890434, 111.25247, 126.91212},
                          {62.93292 * k, 62.82138 * k, 66.355705 * k})}});
  const auto segments = decode_segments(asked.task, asked.outputs);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].class_index, 1);
  EXPECT_NEAR(segments[0].share, 0.59, 0.01);
  const auto predicted = predicted_mask(asked.task, asked.outputs, 1);
  EXPECT_EQ(predicted.data[160 * 320 + 160], 1.f);
  EXPECT_EQ(predicted.data[0], 0.f);
  asked.expect(mask_target(asked.task, asked.outputs, golden.at("mask"), 1, true, asked.logits()),
               golden, "684");
  const auto pixel =
      position_target(asked.task, asked.outputs, {160, 160}, {320, 320}, 1, asked.logits());
  asked.expect(pixel, read_example("seg_sinet_portrait_op12__pixel_160_160"), "684");
  // A margin is the difference of two classes at one pixel.
  auto terms = pixel.as<Target::Sum>()->terms;
  auto other = position_target(asked.task, asked.outputs, {160, 160}, {320, 320}, 0, asked.logits())
                   .as<Target::Sum>()
                   ->terms;
  other[0].factor = -1;
  terms.push_back(other[0]);
  asked.expect(Target::sum(terms), read_example("seg_sinet_portrait_op12__margin_pixel"), "684");
}

TEST(TaskOfRealNetworks, MeshNetFindsTissues) {
  NEEDS("seg3d_meshnet5_brain_op13");
  const auto golden = read_example("seg3d_meshnet5_brain_op13__mean_class1");
  Asked asked("seg3d_meshnet5_brain_op13", named("segmentation"),
              {{"volume", golden.at("in/volume")}});
  const auto predicted = predicted_mask(asked.task, asked.outputs, 1);
  asked.expect(mask_target(asked.task, asked.outputs, predicted, 1, true, asked.logits()), golden,
               "30");
  asked.expect(
      position_target(asked.task, asked.outputs, {41, 34, 47}, {48, 48, 48}, 1, asked.logits()),
      read_example("seg3d_meshnet5_brain_op13__voxel_41_34_47"), "30");
}

TEST(TaskOfRealNetworks, VqaAnswersTheQuestion) {
  NEEDS("vqa_easy_nhwc_op13");
  auto task = named("answer");
  task.names = {"green", "triangle", "no",    "rectangle", "gray",  "red", "blue",
                "yes",   "circle",   "black", "yellow",    "brown", "teal"};
  TaskInput question{.role = InputRole::question};
  question.words = {"",     "is",       "shape",     "the",     "a",     "image",   "there",
                    "not",  "what",     "does",      "contain", "in",    "present", "color",
                    "no",   "triangle", "rectangle", "circle",  "teal",  "gray",    "brown",
                    "blue", "green",    "yellow",    "red",     "black", "of"};
  task.inputs["question"] = question;
  for (const auto& [example, text, answer] :
       {std::tuple{"vqa_easy_nhwc_op13__color", "What color is the circle?", "red"},
        {"vqa_easy_nhwc_op13__shape", "what shape is in the image", "circle"}}) {
    const auto golden = read_example(example);
    const auto asks = words_as_input(question, text, {1, 27});
    EXPECT_EQ(asks.data, golden.at("in/question").data) << text;
    Asked asked("vqa_easy_nhwc_op13", task, {{"image", golden.at("in/image")}, {"question", asks}});
    const auto answers = decode_answers(asked.task, asked.outputs, 3, asked.logits());
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0].name, answer);
    asked.expect(answers[0].target, golden, "conv2d_3");
    asked.expect(
        choice_target(asked.task, asked.outputs, index_of(asked.task, answer), asked.logits()),
        golden, "conv2d_3");
  }
}

void expect_breakout(const std::string& model, const std::string& layer) {
  const auto golden = read_example(model + "__action");
  auto task = named("policy");
  task.names = {"noop", "fire", "right", "left"};
  Asked asked(model, task, {{"frame", golden.at("in/frame")}, {"memory", golden.at("in/memory")}});
  EXPECT_EQ(asked.task.states, (std::map<std::string, std::string>{{"memory", "memory_out"}}));
  EXPECT_EQ(asked.task.outputs.at(OutputRole::value), std::vector<std::string>{"value"});
  const auto does = decode_actions(asked.task, asked.outputs, asked.logits());
  EXPECT_EQ(does.actions[static_cast<std::size_t>(does.best)].index, 2);
  EXPECT_NEAR(*does.value, 8.9587, 1e-3);
  asked.expect(does.actions[2].target, golden, layer);
  asked.expect(value_target(asked.task, asked.outputs), read_example(model + "__value"), layer);
  // The score is a difference of numbers about 40 times as large, each of which is rounded.
  asked.expect(advantage_target(asked.task, asked.outputs, 2, asked.logits()),
               read_example(model + "__advantage"), layer, 4e-6);
}

TEST(TaskOfRealNetworks, BreakoutMoves) {
  NEEDS("rl_a3c_breakout_grucell_op18");
  expect_breakout("rl_a3c_breakout_grucell_op18", "val_16");
}

TEST(TaskOfRealNetworks, BreakoutWithAGruMoves) {
  NEEDS("rl_a3c_breakout_gru_op14");
  expect_breakout("rl_a3c_breakout_gru_op14", "/Elu_3_output_0");
}

TEST(TaskOfRealNetworks, MarioRunsRight) {
  NEEDS("rl_ppo_mario_op18");
  const auto golden = read_example("rl_ppo_mario_op18__action");
  Asked asked("rl_ppo_mario_op18", named("policy"), {{"frames", golden.at("in/frames")}});
  EXPECT_EQ(asked.task.inputs.at("frames").role, InputRole::frames);
  const auto does = decode_actions(asked.task, asked.outputs);
  EXPECT_EQ(does.best, 3);
  asked.expect(does.actions[3].target, golden, "relu_3");
  asked.expect(value_target(asked.task, asked.outputs), read_example("rl_ppo_mario_op18__value"),
               "relu_3");
}

TEST(TaskOfRealNetworks, AHiddenLogitIsNamed) {
  NEEDS("rl_unity_gridworld_argmax_op9");
  const auto golden = read_example("rl_unity_gridworld_argmax_op9__action");
  const Arrays inputs{{"obs_0", golden.at("in/obs_0")}};
  try {
    Asked asked("rl_unity_gridworld_argmax_op9", named("policy"), inputs);
    FAIL() << "only an index comes out";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("set 'outputs.logits'"), std::string::npos)
        << error.what();
  }
  auto task = named("policy");
  task.outputs[OutputRole::logits] = {"22"};
  Asked asked("rl_unity_gridworld_argmax_op9", task, inputs);
  EXPECT_EQ(asked.task.inputs.at("action_masks").role, InputRole::mask);
  const auto does = decode_actions(asked.task, asked.outputs);
  EXPECT_EQ(does.best, 4);
  asked.expect(does.actions[4].target, golden, "16");
}

TEST(TaskOfRealNetworks, APolicyWithTwoInputs) {
  NEEDS("rl_unity_visualfood_2in_op9");
  const auto golden = read_example("rl_unity_visualfood_2in_op9__action");
  auto task = named("policy");
  task.outputs[OutputRole::logits] = {"63"};
  Asked asked("rl_unity_visualfood_2in_op9", task,
              {{"visual_observation_0", golden.at("in/visual_observation_0")},
               {"vector_observation", golden.at("in/vector_observation")}});
  EXPECT_EQ(asked.task.inputs.at("vector_observation").role, InputRole::vector);
  const auto does = decode_actions(asked.task, asked.outputs);
  EXPECT_EQ(does.best, 0);
  asked.expect(does.actions[0].target, golden, "39");
}

Task ocr() {
  auto task = named("ctc");
  const std::string characters =
      "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~!\"#$%&'()*+"
      ","
      "-./ ";
  for (const char c : characters) task.names.emplace_back(1, c);
  task.names.emplace_back(" ");
  task.text.blank = 0;
  return task;
}

Task captions() {
  auto task = named("caption");
  task.names = {"<pad>", "<s>",    "</s>",   "a",        "of",     "big",
                "small", "red",    "green",  "blue",     "yellow", "black",
                "teal",  "circle", "square", "triangle", "above",  "left"};
  return task;
}

/// The score of a target that reads one value.
double score_of(const Target& target, const Tensor& tensor) {
  const auto* function = target.as<Target::Function>();
  if (function == nullptr) return std::nan("");
  const ImageValue value{
      function->values[0], {tensor.shape.begin() + 1, tensor.shape.end()}, tensor.data};
  return function->of({&value, 1}, {});
}

/// What the network made of its picture is in the file: reading it takes no network.
TEST(OutputsOfRealNetworks, AreRead) {
  const std::string line = "ocr_ppocr_en_bilstm_ctc_op12__ctc_logprob_of_string";
  if (!std::filesystem::exists(kFolder / "examples" / (line + ".npz")))
    GTEST_SKIP() << "no structured examples beside the checkout";
  auto golden = read_example(line);
  auto task = ocr();
  const std::string name = "save_infer_model/scale_0.tmp_1";
  task.outputs[OutputRole::scores] = {name};
  const Outputs steps{{name, golden.at("out/" + name)}};
  const auto read = decode_text(task, steps);
  EXPECT_EQ(read.text, "fovea 2026 LSTM");
  ASSERT_FALSE(read.characters.empty());
  EXPECT_EQ(read.characters[0].step, 2);
  const double score = golden.at("score").data[0];
  EXPECT_NEAR(score_of(text_target(task, steps, read.text), steps.at(name)), score,
              1e-4 * std::abs(score) + 2e-6);

  golden = read_example("cap_shapes_lstm_op18__caption");
  task = captions();
  task.outputs[OutputRole::scores] = {"word_logits"};
  const Outputs words{{"word_logits", golden.at("out/word_logits")}};
  std::string sentence;
  for (const auto& word : decode_words(task, words))
    sentence += (sentence.empty() ? "" : " ") + word.name;
  EXPECT_EQ(sentence, "a big red circle above a small green square");
  const auto tokens = tokens_of(task, sentence);
  EXPECT_EQ(tokens_as_input(task, tokens, {1, 11}).data, golden.at("in/words").data);
  const double caption = golden.at("score").data[0];
  EXPECT_NEAR(score_of(caption_target(task, words, tokens), words.at("word_logits")), caption,
              1e-4 * std::abs(caption) + 2e-6);
}

TEST(TaskOfRealNetworks, PpOcrReadsTheLine) {
  NEEDS("ocr_ppocr_en_bilstm_ctc_op12");
  const auto golden = read_example("ocr_ppocr_en_bilstm_ctc_op12__step2_char_f_prepool");
  auto task = ocr();
  task.text.blank.reset();
  const Arrays inputs{{"x", golden.at("in/x")}};
  EXPECT_THROW(Asked("ocr_ppocr_en_bilstm_ctc_op12", task, inputs), Error) << "where is the blank?";
  task.text.blank = 0;
  Asked asked("ocr_ppocr_en_bilstm_ctc_op12", task, inputs);
  const auto read = decode_text(asked.task, asked.outputs, asked.logits());
  EXPECT_EQ(read.text, "fovea 2026 LSTM");
  ASSERT_FALSE(read.characters.empty());
  EXPECT_EQ(read.characters[0].step, 2);
  asked.expect(read.characters[0].target, golden, "hardswish_17.tmp_0");
  asked.expect(read.characters[0].target,
               read_example("ocr_ppocr_en_bilstm_ctc_op12__step2_char_f"), "pool2d_9.tmp_0");
  asked.expect(text_target(asked.task, asked.outputs, read.text, asked.logits()),
               read_example("ocr_ppocr_en_bilstm_ctc_op12__ctc_logprob_of_string"),
               "hardswish_17.tmp_0", 2e-6);
}

TEST(TaskOfRealNetworks, ShapesAreCaptioned) {
  NEEDS("cap_shapes_lstm_op18");
  const auto golden = read_example("cap_shapes_lstm_op18__caption");
  const auto task = captions();
  // Greedy: word by word, each an input of the next.
  const auto start = index_of(task, task.caption.start);
  std::vector<std::int64_t> tokens{start};
  for (std::int64_t step = 0; step < 11; ++step) {
    const Asked asked(
        "cap_shapes_lstm_op18", task,
        {{"image", golden.at("in/image")}, {"words", tokens_as_input(task, tokens, {1, 11})}});
    const auto word = decode_word(asked.task, asked.outputs, step);
    tokens.push_back(word.index);
    if (word.name == task.caption.end) break;
  }
  EXPECT_EQ(tokens, tokens_of(task, "a big red circle above a small green square"));
  const auto words = tokens_as_input(task, tokens, {1, 11});
  EXPECT_EQ(words.data, golden.at("in/words").data);
  Asked asked("cap_shapes_lstm_op18", task, {{"image", golden.at("in/image")}, {"words", words}});
  const auto said = decode_words(asked.task, asked.outputs, asked.logits());
  std::string sentence;
  for (const auto& word : said) sentence += (sentence.empty() ? "" : " ") + word.name;
  EXPECT_EQ(sentence, "a big red circle above a small green square");
  // Of words that are sure the golden's own rounding shows: PyTorch in doubles is 1.4e-4 from it.
  constexpr double kSure = 2e-4;
  asked.expect(caption_target(asked.task, asked.outputs, tokens, asked.logits()), golden, "relu_3",
               2e-6, kSure);
  asked.expect(word_target(asked.task, asked.outputs, 2, index_of(task, "red"), true),
               read_example("cap_shapes_lstm_op18__word_2_red"), "relu_3", 2e-6, kSure);
  asked.expect(word_target(asked.task, asked.outputs, 7, index_of(task, "green"), true),
               read_example("cap_shapes_lstm_op18__word_7_green"), "relu_3", 2e-6, kSure);
}

TEST(TaskOfRealNetworks, FacesAreCompared) {
  NEEDS("embed_mobilefacenet_op18");
  const auto golden = read_example("embed_mobilefacenet_op18__cosine");
  Asked asked("embed_mobilefacenet_op18", named("embedding"), {{"input0", golden.at("in/input0")}});
  const auto name = asked.task.outputs.at(OutputRole::embedding).front();
  EXPECT_EQ(name, "output0");
  asked.expect(Target::similarity(golden.at("reference").data, name), golden,
               "/conv2/conv2.2/Clip_output_0");
}

}  // namespace
}  // namespace fovea
