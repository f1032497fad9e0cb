#pragma once

#include <map>
#include <string>
#include <vector>

#include "fovea/model.hpp"
#include "fovea/task.hpp"

/// What the extents of a model's values determine of a task.
namespace fovea::task {

/// A model as `filled` sees it.
struct Extents {
  const std::vector<ValueInfo>& inputs;
  const std::vector<ValueInfo>& outputs;
  const std::map<std::string, Shape>& shapes;  ///< every extent bound

  /// Null where nobody knows it, as of what depends on data.
  const Shape* find(const std::string& name) const;
};

/// Throws Error invalid_argument: "the task ... : set 'outputs.logits'".
[[noreturn]] void ask(const std::string& what, const std::string& member);
/// The same for what contradicts: no member is missing.
[[noreturn]] void contradict(const std::string& sentence, const std::string& value = {});

/// Without its leading extents of 1, but for the last `kept`.
Shape without_ones(Shape shape, std::size_t kept);

/// Height and width of a picture's shape, [n, c, h, w] or [n, h, w, c]; empty where it is none.
Shape picture_extents(const Shape& shape);

/// Pairs of states, then what inputs are for.
void fill_states(Task& task, const Extents& model);
void fill_inputs(Task& task, const Extents& model);
void fill_boxes(Task& task, const Extents& model);

/// Is there one input of words so far, and room for one in it?
bool holds_one_word(const Task& task, const Extents& model);

/// Throws Error invalid_argument where nobody knows what an input of such a network is for.
void require_step_inputs(const Task& task, const Extents& model);

/// The only value with the role. Throws Error invalid_argument where there are none or several.
const std::string& only(const Task& task, OutputRole role);
/// "logits" and so on, as recipes call it.
const char* name_of(OutputRole role);

/// Throws Error invalid_argument where there are names, but not as many as `count`. `what` is what
/// they name.
void require_names(const Task& task, std::int64_t count, const char* what);

}  // namespace fovea::task
