#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/explainer.hpp"
#include "fovea/export.hpp"
#include "fovea/model.hpp"
#include "fovea/tensor.hpp"

/// What a network's inputs are for, and what its outputs say. Read from a recipe beside the model
/// or in it, or made from a name; what shapes determine is filled in, and the rest asked for by
/// name. `fovea/decode.hpp` reads outputs with it, `fovea/task_target.hpp` makes targets of them.
namespace fovea {

/// What is said.
enum class TaskKind {
  classes,
  boxes,      ///< objects: a box, a class and a score each
  segments,   ///< a class per position
  text,       ///< characters by step
  answer,     ///< one of a list, to a question about a picture
  caption,    ///< words by step
  policy,     ///< what to do, and what that is worth
  embedding,  ///< a point in space, to be compared
};

/// What an input is for.
enum class InputRole {
  image,
  frames,    ///< several pictures, one behind the other in the channels
  question,  ///< words that somebody types: TaskInput::words
  tokens,    ///< the words written so far
  state,     ///< what the frame before left behind
  mask,      ///< which actions are allowed
  vector,    ///< any other numbers
  features,  ///< what another file computed
  constant,  ///< a number that belongs to the network: a sampling rate
};

/// How words become numbers.
enum class WordCode {
  bag,  ///< how often each word of the list occurs
  ids,  ///< the word's place in the list, one number per word
};

/// One of a model's inputs.
struct TaskInput {
  InputRole role = InputRole::image;
  /// What every number of it is where nothing else is given. None: of a state 0, of a mask 1; what
  /// has another role has to be given.
  std::optional<double> value = {};
  std::vector<std::string> words = {};  ///< of a question: by id; "" is no word
  WordCode code = WordCode::bag;
  /// Of words so far that have an input each: the place of this one's, from 0. None: all are here.
  std::optional<std::int64_t> step = {};

  friend bool operator==(const TaskInput&, const TaskInput&) = default;
};

/// What an output, or any other named value, says.
enum class OutputRole {
  scores,  ///< of classes: boxes' rows, segments, characters, answers, words
  boxes,   ///< four numbers per row, or bins of distances
  labels,  ///< of boxes that the file chose itself: their classes
  rows,    ///< boxes, scores and classes of a detector in one value
  logits,  ///< a policy's, one per action
  value,   ///< what the state is worth
  embedding,
};

/// How rows become boxes.
struct BoxDecoding {
  enum class Form {
    grid,       ///< offset and log size of a cell, as YOLOX writes them
    centre,     ///< x and y of the centre, width, height
    corners,    ///< x0 y0 x1 y1
    distances,  ///< to the left, top, right and bottom, each by bins of a softmax, as NanoDet
  };
  enum class Scores {
    probabilities,  ///< each class on its own, a sigmoid behind it
    logits,         ///< the same before the sigmoid
    softmax,        ///< the values of one softmax over a row's classes
  };
  Form form = Form::centre;
  Scores scores = Scores::probabilities;
  bool in_shares = false;  ///< boxes are parts of the input's extents, not its pixels
  bool objectness =
      false;  ///< a number in front of the classes, by which their scores are multiplied
  bool numbers_first = false;  ///< [numbers, rows], as YOLOv8 writes them
  bool selected = false;       ///< the file left out overlapping boxes itself
  std::int64_t classes = 0;    ///< columns of scores, the background's with them; 0: not known yet
  std::optional<std::int64_t> background = {};  ///< the column that says "nothing here"
  std::int64_t first_label = 0;  ///< of labels that the file wrote: that of Task::names[0]
  std::vector<std::int64_t> strides = {};  ///< input pixels per cell, level by level, in row order
  double cell_centre = 0;                  ///< of a cell's origin, in cells: 0 or 0.5
  std::int64_t bins = 0;                   ///< of distances
  double threshold = 0.3;                  ///< least score
  double overlap =
      0.45;  ///< of two boxes of a class with more (intersection over union), the lower goes
  std::int64_t most = 100;             ///< boxes
  std::int64_t width = 0, height = 0;  ///< the input's; 0: not known yet

  friend bool operator==(const BoxDecoding&, const BoxDecoding&) = default;
};

/// How steps become text.
struct TextDecoding {
  std::optional<std::int64_t> blank = {};  ///< the class that is no character; none: not said
  bool steps_first = false;                ///< [steps, images, classes]

  friend bool operator==(const TextDecoding&, const TextDecoding&) = default;
};

/// How a caption is written.
struct CaptionDecoding {
  std::string start = "<s>", end = "</s>", pad = "<pad>";  ///< among Task::names
  /// The network takes one word at a time, and remembers the others in its states
  /// (`fovea/caption_writer.hpp`). None: as extents say.
  std::optional<bool> one_word = {};
  std::int64_t most = 50;  ///< words that such a network writes, its end among them; 1 to 256

  friend bool operator==(const CaptionDecoding&, const CaptionDecoding&) = default;
};

/// How a map of classes lies.
struct SegmentDecoding {
  std::optional<bool> channels_last = {};  ///< [n, h, w, c]; none: as extents say
  double threshold = 0.5;                  ///< of one channel: a probability
  bool logits = false;                     ///< one channel's numbers are no probabilities

  friend bool operator==(const SegmentDecoding&, const SegmentDecoding&) = default;
};

/// What the rows and columns of a spectrogram, or the samples of a waveform, are: for the axes of
/// pictures (`fovea/axes.hpp`). Zeros: not known.
struct AudioAxes {
  enum class Frequencies {
    bins,        ///< numbered: which frequencies they are is not known
    linear,      ///< even, from `lowest` to `highest`: a Fourier transform's
    mel,         ///< even on the mel scale 2595 log10(1 + f / 700), between the two
    mel_slaney,  ///< the same on Slaney's, which is even below 1000 Hz
    octaves,     ///< `per_octave` in each octave from `lowest` on: a constant-Q transform's
  };
  double rate = 0;  ///< samples per second
  double hop = 0;   ///< samples from one frame of the input to the next
  Frequencies frequencies = Frequencies::bins;
  double lowest = 0, highest = 0;  ///< Hz; highest 0: half the rate
  double per_octave = 12;
  std::int64_t bins = 0;  ///< of what a network makes of a waveform; 0: as many as the layer has
  /// Is time the first of a map's two axes? None: as an input with its channels last has it; of
  /// layers behind a waveform not known.
  std::optional<bool> time_first = {};

  friend bool operator==(const AudioAxes&, const AudioAxes&) = default;
};

/// Plain data, which compares, copies and has a JSON form (`fovea/task_recipe.hpp`).
struct Task {
  TaskKind kind = TaskKind::classes;
  std::string decoder = {};                      ///< the name in task_names() that it came from
  std::map<std::string, TaskInput> inputs = {};  ///< by the input's name
  /// The values that say it, by role: outputs or any others of the graph. Of detectors with a value
  /// per level, in the order of `BoxDecoding::strides`; of captions with a value per word, in their
  /// order.
  std::map<OutputRole, std::vector<std::string>> outputs = {};
  std::map<std::string, std::string> states = {};  ///< an input, and the output it is fed from
  /// Classes, characters (without the blank), answers, words or actions, by index; may be empty.
  std::vector<std::string> names = {};
  BoxDecoding boxes = {};
  TextDecoding text = {};
  CaptionDecoding caption = {};
  SegmentDecoding segments = {};
  AudioAxes audio = {};

  friend bool operator==(const Task&, const Task&) = default;
};

/// yolox, yolov5, yolov8, ssd, nanodet, nanodet-plus, in-file, segmentation, ctc, answer, caption,
/// policy, embedding, audio (classes, of sound). None for another name.
FOVEA_API std::optional<Task> task_by_name(std::string_view name);
/// Every name that task_by_name knows.
FOVEA_API std::vector<std::string> task_names();

/// The task with what the model's extents determine: roles of inputs and outputs, pairs of states,
/// numbers of classes, strides. `shapes` has every extent bound, by value name. Throws Error
/// invalid_argument: for values that the model does not have, for what extents contradict, and for
/// what they leave open, in one sentence that says which member has to be set.
FOVEA_API Task filled(Task task, const std::vector<ValueInfo>& inputs,
                      const std::vector<ValueInfo>& outputs,
                      const std::map<std::string, Shape>& shapes);
inline Task filled(Task task, const Explainer& explainer) {
  return filled(std::move(task), explainer.inputs(), explainer.model().outputs(),
                explainer.shapes());
}

/// The values that decoding reads, each once: for CompileOptions::fetches and
/// PrepareOptions::target_values.
FOVEA_API std::vector<std::string> values_of(const Task& task);

/// The value of an input that nobody gave: TaskInput::value, or what its role says. None where it
/// has to be given.
FOVEA_API std::optional<Tensor> default_input(const TaskInput& input, const Shape& shape);

/// Words as the input wants them, [..., words] as `shape` says; of ids, what is left over is 0.
/// Letters' case and marks between words do not count. Throws Error invalid_argument for a word
/// that is not in the list, with the nearest that are, and for more words than there is room for.
FOVEA_API Tensor words_as_input(const TaskInput& input, std::string_view text, const Shape& shape);

/// The name at an index, or the index as text where there are no names.
FOVEA_API std::string name_of(const Task& task, std::int64_t index);
/// The index of a name, or of a number written out. Throws Error invalid_argument with the nearest
/// names.
FOVEA_API std::int64_t index_of(const Task& task, std::string_view name);

}  // namespace fovea
