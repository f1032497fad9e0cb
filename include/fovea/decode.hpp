#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fovea/explanation.hpp"
#include "fovea/export.hpp"
#include "fovea/origins.hpp"
#include "fovea/target.hpp"
#include "fovea/task.hpp"
#include "fovea/tensor.hpp"

/// What a network's outputs say, by the task that `filled` made: pure functions of one image's
/// outputs, deterministic and safe from any thread. Each throws Error invalid_argument for a task
/// of another kind, for an output that is missing and for extents that do not fit the task.
/// `logits`: who finds the logits that an output's probabilities were made of
/// (OriginFinder::find_logits); without it targets start from the outputs as they are.
namespace fovea {

/// Before there is an explainer, which may have to read what the task says.
inline Task filled(Task task, const Model& model, const OriginFinder& finder) {
  return filled(std::move(task), model.inputs(), model.outputs(), finder.shapes());
}

/// One image's outputs by name, with an images' extent of 1 or without.
using Outputs = std::map<std::string, Tensor>;

/// The values of a task as a run of one image has them (`values_of` names what to fetch).
inline Outputs outputs_of(const Task& task, const Run& run) {
  Outputs out;
  for (const auto& name : values_of(task)) out.emplace(name, run.output(name));
  return out;
}

/// An object.
struct Detection {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;  ///< edges, in pixels of the input; may reach beyond it
  std::int64_t class_index = 0;           ///< of Task::names
  double score = 0;                       ///< 0..1
  std::int64_t row = 0;                   ///< of the output
  std::int64_t level = 0;                 ///< of BoxDecoding::strides; 0 where there are none
  std::int64_t cell_y = -1, cell_x = -1;  ///< of the level's grid; -1 where there is none
  /// What its gradient starts from: the logit of its class, of a softmax with a background less
  /// that one's logit.
  Target target = {};
  Target score_target = {};  ///< the score as the decoder has it (objectness times class)
  /// The value that `target` reads, where it is one.
  std::string value = {};
};

/// Of each row the best class: those with a score of at least the threshold, best first, of equal
/// scores the first row first; of a class' overlapping ones the best, as BoxDecoding::overlap says.
/// Boxes of numbers that are not finite are left out. None is a result.
FOVEA_API std::vector<Detection> decode_boxes(const Task& task, const Outputs& outputs,
                                              const FindLogits& logits = {});
/// Intersection over union of two boxes; 0 where both are empty.
FOVEA_API double overlap_of(const Detection& a, const Detection& b);

/// A class that some positions have.
struct Segment {
  std::int64_t class_index = 0;
  std::int64_t positions = 0;
  double share = 0;  ///< of all positions
};
/// Every position's class, largest score first: [h, w] or [d, h, w]. Of one channel: 1 where its
/// probability is above the threshold, else 0.
FOVEA_API Tensor class_map(const Task& task, const Outputs& outputs);
/// The classes of the class map, largest share first.
FOVEA_API std::vector<Segment> decode_segments(const Task& task, const Outputs& outputs);
/// 1 where the class map has the class, else 0.
FOVEA_API Tensor predicted_mask(const Task& task, const Outputs& outputs, std::int64_t class_index);

/// A character that was read.
struct Character {
  std::string text;
  std::int64_t class_index = 0;      ///< of the scores' columns, the blank's counted
  std::int64_t step = 0;             ///< of a run of steps with one class, the one that is surest
  std::int64_t first = 0, last = 0;  ///< that run of steps
  double probability = 0;            ///< at `step`
  Target target = {};                ///< its logit at `step`
};
struct Text {
  std::string text;
  std::vector<Character> characters;
  double probability = 0;  ///< of the path: the product of every step's largest probability
};
/// By the best path: repeats are one, blanks none.
FOVEA_API Text decode_text(const Task& task, const Outputs& outputs, const FindLogits& logits = {});

/// One choice of several: an answer, a word, an action.
struct Choice {
  std::string name;
  std::int64_t index = 0;
  double probability = 0;  ///< by softmax over the choices
  double logit = 0;        ///< NaN where the output has probabilities and `logits` is not given
  Target target = {};      ///< its logit
};
/// The best `count`, best first.
FOVEA_API std::vector<Choice> decode_answers(const Task& task, const Outputs& outputs,
                                             std::int64_t count = 5, const FindLogits& logits = {});

/// What a policy does.
struct Actions {
  std::vector<Choice> actions;       ///< every one, in the order of the output
  std::int64_t best = 0;             ///< of `actions`
  std::optional<double> value = {};  ///< where the network says one
  double advantage = 0;              ///< the best action's number less the mean of all
};
FOVEA_API Actions decode_actions(const Task& task, const Outputs& outputs,
                                 const FindLogits& logits = {});

/// The word that follows the first `step` + 1 tokens: the choice of row `step`.
FOVEA_API Choice decode_word(const Task& task, const Outputs& outputs, std::int64_t step,
                             const FindLogits& logits = {});
/// A sentence as tokens: start, its words, end, as Task::names counts them. Throws as index_of.
FOVEA_API std::vector<std::int64_t> tokens_of(const Task& task, std::string_view sentence);
/// Tokens as the input wants them, as many as it has room for; what is left over is the pad word.
FOVEA_API Tensor tokens_as_input(const Task& task, const std::vector<std::int64_t>& tokens,
                                 const Shape& shape);
/// Row by row, the word that the network would write next after the given tokens, as far as the
/// first end; with teacher forcing by the caption itself, the caption.
FOVEA_API std::vector<Choice> decode_words(const Task& task, const Outputs& outputs,
                                           const FindLogits& logits = {});

/// A given sentence's words, `tokens` as `tokens_of` makes them: each as its row scores it, which
/// need not be the row's best, as far as the first end.
FOVEA_API std::vector<Choice> given_words(const Task& task, const Outputs& outputs,
                                          const std::vector<std::int64_t>& tokens,
                                          const FindLogits& logits = {});

}  // namespace fovea
