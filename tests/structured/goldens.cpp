#include "structured/goldens.hpp"

#include <cmath>

#include "structured/targets.hpp"

namespace fovea::structured {
namespace {

std::function<Target(const Arrays&)> always(Target target) {
  return [target](const Arrays&) { return target; };
}
std::function<Target(const Arrays&)> element(std::string value, Shape at) {
  return always(Target::element(std::move(value), std::move(at)));
}

const std::string kNote =
    "model_1/conv2d_3/BiasAdd;model_1/conv2d_3/BiasAdd;model_1/conv2d_5/Conv2D;model_1/conv2d_5/"
    "Conv2D;model_1/conv2d_3/Conv2D;model_1/conv2d_3/Conv2D;model_1/conv2d_3/BiasAdd/"
    "ReadVariableOp;model_1/conv2d_3/BiasAdd/ReadVariableOp";
const std::string kFace = "/conv2/conv2.2/Clip_output_0";
const std::string kOcr = "hardswish_17.tmp_0", kPooled = "pool2d_9.tmp_0";

/// "fovea 2026 LSTM" in PP-OCR's alphabet.
const std::vector<std::size_t> kText{55, 64, 71, 54, 50, 96, 3, 1, 3, 7, 96, 29, 36, 37, 30};

std::vector<Shape> words(std::vector<std::int64_t> said) {
  std::vector<Shape> out;
  for (std::size_t t = 0; t < said.size(); ++t)
    out.push_back({static_cast<std::int64_t>(t), said[t]});
  return out;
}

Target similarity(const Arrays& arrays, bool cosine) {
  auto reference = arrays.at("reference").data;
  if (cosine) return Target::similarity(reference, "output0");
  double square = 0;
  for (const float v : reference) square += static_cast<double>(v) * static_cast<double>(v);
  for (float& v : reference) v = static_cast<float>(static_cast<double>(v) / std::sqrt(square));
  return Target::weighted(std::move(reference), "output0");
}

/// The logarithm of next to no sound: of doubles the oracle itself makes so much another map.
constexpr double kSilence = 2e-3;

/// Of a word that is nearly certain: the gradient's 1 - p is a float's last digits in the goldens,
/// which are so far from what the oracle makes of doubles.
constexpr double kCertain = 2e-4;

}  // namespace

const std::vector<Golden>& goldens() {
  static const std::vector<Golden> kRows{
      {"audio_basic_pitch_op15__note48_frame100",
       "Relu__38:0",
       element(kNote, {0, 100, 48}),
       {},
       {},
       kSilence},
      {"audio_silero_vad_if_op18__speech", "input", element("output", {0}), {}, {"sr", "state"}},
      {"cap_shapes_lstm_op18__caption",
       "relu_3",
       always(log_probability("word_logits", words({3, 5, 7, 13, 16, 3, 6, 8, 14, 2}))),
       {},
       {},
       kCertain},
      {"cap_shapes_lstm_op18__word_2_red", "relu_3",
       always(log_probability("word_logits", {{2, 7}}))},
      {"cap_shapes_lstm_op18__word_7_green",
       "relu_3",
       always(log_probability("word_logits", {{7, 8}})),
       {},
       {},
       kCertain},
      {"det_ultraface_rfb320_ssd_op9__box4381_logit_margin", "360",
       always(Target::sum({{"459", {4381, 1}, 1}, {"459", {4381, 0}, -1}}))},
      {"det_yolox_nano_op11__anchor3462_class16_logit", "1112", element("1129", {16, 6, 4})},
      {"det_yolox_nano_op11__anchor3462_class16_obj_times_cls", "1112",
       always(product("output", {3462, 4}, {3462, 21}))},
      {"embed_mobilefacenet_op18__cosine", kFace,
       [](const Arrays& a) { return similarity(a, true); }},
      {"embed_mobilefacenet_op18__dot_with_unit_reference", kFace,
       [](const Arrays& a) { return similarity(a, false); }},
      {"ocr_ppocr_en_bilstm_ctc_op12__ctc_logprob_of_string", kOcr,
       always(ctc("ctc_fc.tmp_1", kText))},
      {"ocr_ppocr_en_bilstm_ctc_op12__step2_char_f", kPooled, element("ctc_fc.tmp_1", {2, 55})},
      {"ocr_ppocr_en_bilstm_ctc_op12__step2_char_f_prepool", kOcr,
       element("ctc_fc.tmp_1", {2, 55})},
      {"rl_a3c_breakout_gru_op14__action", "/Elu_3_output_0", element("action_logits", {2})},
      {"rl_a3c_breakout_gru_op14__advantage", "/Elu_3_output_0",
       always(advantage("action_logits", 2))},
      {"rl_a3c_breakout_gru_op14__value", "/Elu_3_output_0", element("value", {0})},
      {"rl_a3c_breakout_grucell_op18__action", "val_16", element("action_logits", {2})},
      {"rl_a3c_breakout_grucell_op18__advantage", "val_16", always(advantage("action_logits", 2))},
      {"rl_a3c_breakout_grucell_op18__value", "val_16", element("value", {0})},
      {"rl_ppo_mario_op18__action", "relu_3", element("action_logits", {3})},
      {"rl_ppo_mario_op18__value", "relu_3", element("value", {0})},
      {"rl_unity_gridworld_argmax_op9__action", "16", element("22", {4})},
      {"rl_unity_hallway_lstm_op9__action", "obs_0", element("72", {0})},
      {"rl_unity_visualfood_2in_op9__action", "39", element("63", {0}), {"continuous_actions"}},
      {"seg3d_meshnet5_brain_op13__mean_class1", "30", always(mean_of_class("logits", 1))},
      {"seg3d_meshnet5_brain_op13__voxel_41_34_47", "30", element("logits", {1, 41, 34, 47})},
      {"seg_sinet_portrait_op12__margin_pixel", "684",
       always(Target::sum({{"819", {1, 160, 160}, 1}, {"819", {0, 160, 160}, -1}}))},
      {"seg_sinet_portrait_op12__mean_over_mask", "684",
       [](const Arrays& a) { return mean_of_class("819", 1, a.at("mask").data); }},
      {"seg_sinet_portrait_op12__pixel_160_160", "684", element("819", {1, 160, 160})},
      {"vqa_easy_nhwc_op13__color", "conv2d_3", element("logits", {5})},
      {"vqa_easy_nhwc_op13__shape", "conv2d_3", element("logits", {8})},
  };
  return kRows;
}

}  // namespace fovea::structured
