#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fovea/explainer.hpp"
#include "fovea/export.hpp"
#include "fovea/model.hpp"
#include "fovea/task.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// A captioner whose network takes one word at a time: the word before, states and what was seen of
/// the picture go in, the next word's scores and new states come out. It writes a caption, and
/// makes the network of all of a caption's words, whose scores lead back to the picture. The
/// network is one file, or one behind an encoder (`joined`), which may feed states' first values,
/// too. Immutable; copies share one instance; safe from any thread.
class FOVEA_API CaptionWriter {
 public:
  /// None where the task is no caption's, and where the network takes all words at once. `compile`:
  /// extents of the model's inputs. Of a joined model the task may use the names of its second,
  /// too. Throws Error invalid_argument for what the task leaves open, in one sentence that says
  /// which member has to be set, and for several images; and as an Explainer for extents that do
  /// not fit.
  static std::optional<CaptionWriter> find(const Model& model, const Task& task,
                                           const CompileOptions& compile = {});

  /// Of the step alone, filled in, in its own names.
  const Task& task() const;
  /// The input of `find`'s model that takes the word.
  const std::string& word_input() const;
  /// The step's inputs that need not be given, as `find`'s model calls them: the start word, states
  /// (zeros, unless the task has a value for them) and what else the task has a value for.
  std::map<std::string, Tensor> first_inputs() const;

  /// With explainers for `write`, which makes its own without. What `options` say of the model's
  /// inputs is taken for each file's own; what they prepare plays no part. Throws as an Explainer.
  CaptionWriter prepared(const ExplainerOptions& options, const CallOptions& call = {}) const;
  bool is_prepared() const;

  /// The caption as tokens: the start word, then each the likeliest after those before it (greedy
  /// search), to the end word or to CaptionDecoding::most of them. `feeds`: the inputs of `find`'s
  /// model but for the word. Cost: the encoder once, the step once per word; a single file has its
  /// picture's part in every step.
  std::vector<std::int64_t> write(const Feeds& feeds, const CallOptions& call = {}) const;

  /// A network of all words, given the words before each (teacher forcing).
  struct Whole {
    Model model;
    Task task;               ///< to be `filled`: the words' inputs and scores by step
    CompileOptions compile;  ///< as it was given, for this model's inputs
    std::map<std::string, Tensor> words = {};  ///< the inputs that take words
    /// Inputs of `find`'s model by name, and what they are called here; the word's is missing.
    std::map<std::string, std::string> inputs = {};
  };
  /// For tokens as `write` returns them and `tokens_of` makes them: one step for each but the last.
  /// Throws Error invalid_argument as `unrolled`, and for fewer than two tokens.
  Whole whole(const std::vector<std::int64_t>& tokens, const CompileOptions& compile = {}) const;

  struct FOVEA_LOCAL Impl;

 private:
  friend struct Access;
  FOVEA_LOCAL explicit CaptionWriter(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fovea
