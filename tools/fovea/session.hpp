#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arguments.hpp"
#include "fovea/fovea.hpp"
#include "fovea/image.hpp"
#include "labels.hpp"
#include "recipe.hpp"

/// From the command line to a model and its input.
namespace fovea::cli {

/// Wall time of each stage, milliseconds.
struct Stages {
  double load = 0, create = 0, decode = 0, preprocess = 0;
  double forward = 0, backward = 0, map = 0, render = 0, encode = 0;
};

/// Runs `work`, adds its wall time to `milliseconds` and returns what it returned.
template <class Work>
decltype(auto) timed(double& milliseconds, Work&& work) {
  struct Watch {
    explicit Watch(double& to) : to_(to) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      to_ += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
                 .count();
    }
    double& to_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  } watch(milliseconds);
  return std::forward<Work>(work)();
}

/// Runs `work`; an Error that names no file names `file` afterwards.
template <class Work>
decltype(auto) in_file(const std::string& file, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw error.with({.file = file, .node = {}, .op = {}});
  }
}

struct Photo {
  std::string file;
  ReducedImage pixels;
  Preprocess recipe;
  View view;          ///< what of the photo the network sees
  std::string input;  ///< the model's input that it feeds
};

/// A model with everything that one run of it needs.
struct Session {
  std::string model_file;
  Model model;
  Labels labels;
  ExplainerOptions options;  ///< without layers and methods
  std::string plan_cache_file;
  std::map<std::string, std::string> tensor_files;
  std::map<std::string, Tensor> tensors;  ///< one per input, by its name
  std::optional<Photo> photo;
  Stages times;
  std::vector<std::string> warnings;
  std::string labels_file;  ///< empty where they came from the model, or there are none

  Feeds feeds() const;
  /// Compiles the model. Throws Error invalid_argument naming the nearest layers where one of
  /// `layers` does not exist.
  Explainer explainer(const std::vector<std::string>& layers, const std::vector<Method>& methods);
  Run forward(const Explainer& explainer);
};

/// An explainer, unless Ctrl-C comes first: Error cancelled.
Explainer make_explainer(const Model& model, const ExplainerOptions& options);

/// Loads the model, the labels and the photo or the tensors. `whole_photo`: every pixel of the
/// photo is wanted, not only what the network sees of it. Throws Error: invalid_argument,
/// bad_model, bad_input, unsupported.
Session open_session(const Arguments& arguments, bool whole_photo);

/// What open_session would take: --preprocess, the model's own, or ImageNet's.
Recipe recipe_for(const Arguments& arguments, const Session& session);

/// Throws Error invalid_argument, listing the known methods.
void require_method(const std::string& name);

/// Throws Error invalid_argument naming the nearest layers where one of `layers` does not exist.
void require_layers(const Model& model, const std::string& model_file,
                    const ExplainerOptions& options, const std::vector<std::string>& layers);

/// "f32" or "bf16", as the options have been checked.
Precision parse_precision(const std::string& text);

/// "off", "quick", "thorough" or "winograd"; `by_default` for nothing.
Tuning parse_tuning(const std::string& text, Tuning by_default);
/// The other way round.
std::string tuning_text(Tuning tuning);

/// What the file holds; nothing where there is none or the name is empty.
std::string read_plan_cache(const std::string& file);
/// Writes what tuning found where it is not what is `known` already. Nothing for an empty name.
void keep_plan_cache(const std::string& file, const Explainer& explainer, const std::string& known);

/// Every file that the command line reads, so that no output overwrites one.
std::vector<std::string> input_files(const Arguments& arguments);

/// "NAME=1,3,224,224" for each. Throws Error invalid_argument for an unknown input or a wrong rank.
std::map<std::string, Shape> parse_shapes(const std::vector<std::string>& texts,
                                          const Model& model);

/// --token-grid and --prefix-tokens. Throws Error invalid_argument for what is no grid.
void set_token_options(ExplainerOptions& options, const Arguments& arguments);

/// The default model's file where `given` is empty.
std::string model_file_or_demo(const std::string& given);

}  // namespace fovea::cli
