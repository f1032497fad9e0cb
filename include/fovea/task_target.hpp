#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/decode.hpp"
#include "fovea/export.hpp"
#include "fovea/origins.hpp"
#include "fovea/target.hpp"
#include "fovea/task.hpp"
#include "fovea/tensor.hpp"

/// Targets in a task's own terms. They are of the values that PrepareOptions::target_values has to
/// name: `values_in` says which. Errors as those of `fovea/decode.hpp`.
namespace fovea {

/// The values that a target reads, each once; "" is the scores.
FOVEA_API std::vector<std::string> values_in(const Target& target);

/// sum_i factor_i target_i, of targets over named values (no class, no rank, no probability): why
/// this and not that. A sum of sums stays one. Throws Error invalid_argument for any other kind,
/// for none at all and for factors that are not finite.
FOVEA_API Target combined(const std::vector<std::pair<double, Target>>& terms);

/// Every value that targets of a task may read, for PrepareOptions::target_values: its outputs, or
/// the logits behind them.
FOVEA_API std::vector<std::string> target_values_of(const Task& task,
                                                    const std::map<std::string, Shape>& shapes,
                                                    const FindLogits& logits = {});

/// A row of a detector that was not chosen: its class' logit, as Detection::target.
FOVEA_API Detection row_of(const Task& task, const Outputs& outputs, std::int64_t row,
                           std::int64_t class_index, const FindLogits& logits = {});

/// One position of a segmentation, in pixels of the input ([y, x] or [z, y, x]; the output's are
/// where they lie). Of a map of one channel class 1 is the score, class 0 minus it.
FOVEA_API Target position_target(const Task& task, const Outputs& outputs, const Shape& position,
                                 const Shape& input_extents, std::int64_t class_index,
                                 const FindLogits& logits = {});
/// The mean over a mask (weighted by it: sum(w x) / sum(|w|)), or the sum. `mask` has the output's
/// extents, or others, and is then looked up at the nearest position; its weights may have signs.
/// Throws Error invalid_argument for a mask that is empty.
FOVEA_API Target mask_target(const Task& task, const Outputs& outputs, const Tensor& mask,
                             std::int64_t class_index, bool mean = true,
                             const FindLogits& logits = {});

/// log p(text), over all ways of writing it (Graves et al. 2006), with its gradient: that of the
/// steps' logits. Several classes that are one character, as an alphabet with two spaces has
/// them, count together. Throws Error invalid_argument for a character that
/// the alphabet does not have, and for a text that is longer than the steps allow.
FOVEA_API Target text_target(const Task& task, const Outputs& outputs, std::string_view text,
                             const FindLogits& logits = {});
/// log p(text) - log p(minus): why this and not that.
FOVEA_API Target text_difference_target(const Task& task, const Outputs& outputs,
                                        std::string_view text, std::string_view minus,
                                        const FindLogits& logits = {});

/// A choice of `decode_answers` or `decode_actions`, by its index.
FOVEA_API Target choice_target(const Task& task, const Outputs& outputs, std::int64_t index,
                               const FindLogits& logits = {});
FOVEA_API Target choice_difference_target(const Task& task, const Outputs& outputs,
                                          std::int64_t index, std::int64_t minus,
                                          const FindLogits& logits = {});
/// Its number less the mean of all.
FOVEA_API Target advantage_target(const Task& task, const Outputs& outputs, std::int64_t index,
                                  const FindLogits& logits = {});
/// What the state is worth. Throws Error invalid_argument where the network does not say.
FOVEA_API Target value_target(const Task& task, const Outputs& outputs);

/// The logit of a word at a row, or its log probability among all words.
FOVEA_API Target word_target(const Task& task, const Outputs& outputs, std::int64_t step,
                             std::int64_t word, bool log_probability = false,
                             const FindLogits& logits = {});
/// The sum of the log probabilities of `tokens` but for the first, each at the row before it.
FOVEA_API Target caption_target(const Task& task, const Outputs& outputs,
                                const std::vector<std::int64_t>& tokens,
                                const FindLogits& logits = {});

}  // namespace fovea
