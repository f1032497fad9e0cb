#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fovea/decode.hpp"
#include "fovea/export.hpp"
#include "fovea/task.hpp"

namespace fovea {

/// What a network says of one image, in its task's terms. What the task is not about is empty.
struct Findings {
  std::vector<Detection> boxes;   ///< best first; none is a result
  std::vector<Segment> segments;  ///< largest first
  std::optional<Text> text;
  std::vector<Choice> answers;  ///< best first
  std::optional<Actions> actions;
  std::vector<Choice> words;  ///< of a caption, one by one
  /// Of a caption that was given: the network's own word in each one's place, after those given
  /// before it, and what it would write behind the last. Empty where the network wrote.
  std::vector<Choice> guesses;
};

/// Decodes the outputs by the task's kind. Throws as fovea/decode.hpp.
FOVEA_API Findings findings_of(const Task& task, const Outputs& outputs,
                               const FindLogits& logits = {});

/// The words of a caption with spaces between them, without its end.
FOVEA_API std::string caption_of(const Task& task, const Findings& findings);

}  // namespace fovea
