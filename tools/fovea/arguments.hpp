#pragma once

#include <cstdint>
#include <string>
#include <vector>

// CLI11's own header takes long to compile: only what declares options includes it.
namespace CLI {
class App;
class Option;
class Validator;
}  // namespace CLI

/// The command line: the options that subcommands have in common, and the subcommands.
namespace fovea::cli {

/// What a run of a model is told in, beside what it is about.
struct Outputs {
  std::string logits;
  std::string json;  ///< a file, "-" for standard output, or empty
  bool no_provenance = false;
};

/// Options of every subcommand that runs a model, as they were typed.
struct Arguments {
  std::string model;                      ///< empty: the demo's
  std::vector<std::string> photos;        ///< none: the demo's, unless a tensor is given
  std::string first;                      ///< without an option: the model, unless --model is there
  std::vector<std::string> rest;          ///< behind it: photos
  std::vector<std::string> inputs;        ///< FILE or NAME=FILE
  std::vector<std::string> input_shapes;  ///< NAME=1,3,224,224
  std::vector<std::string> fixed_inputs;  ///< NAME=N,N,...
  std::string second;                     ///< a model behind the model; or empty
  std::vector<std::string> feeds;         ///< INPUT=OUTPUT
  std::string labels;
  std::string task;   ///< a name or a recipe's file; empty: the model's own, or classes
  std::string names;  ///< file: the task's characters, answers, words or actions
  std::vector<std::string> states;  ///< INPUT=OUTPUT
  std::string preprocess;
  std::string whole;  ///< stretch, letterbox, or empty: as the recipe has it
  std::string precision = "f32";
  std::string tune;         ///< empty: quick with a plan cache, off without
  std::string plan_cache;   ///< file
  double tuning_time = -1;  ///< seconds; below 0: as CompileOptions has it
  std::string output_name;
  std::string token_grid;  ///< "14x14", or empty
  int prefix_tokens = -1;  ///< below 0: find out
  int threads = 0;
  std::uint64_t memory_limit = 0;  ///< bytes; 0: as ExplainerOptions has it
  bool multi_label = false;
  bool no_optimize = false;
  bool exact_decode = false;
};

/// Takes one of the names alone; refuses another with the nearest.
CLI::Validator one_of(std::vector<std::string> names);

/// A number from `low` to `high`, which NaN is not (CLI::Range takes it for one).
CLI::Validator between(double low, double high);

/// --model, and the model as an argument of its own.
void add_model_option(CLI::App& app, Arguments& arguments);
void add_shape_option(CLI::App& app, Arguments& arguments);
void add_output_name_option(CLI::App& app, Arguments& arguments);
/// --precision, --threads (which is returned), --memory-limit and --no-optimize.
CLI::Option* add_engine_options(CLI::App& app, Arguments& arguments);
/// --tune, --tuning-time and --plan-cache; `by_default` says what happens without the former.
void add_tuning_options(CLI::App& app, Arguments& arguments, const std::string& by_default);
void add_method_option(CLI::App& app, std::string& method);
void add_layer_option(CLI::App& app, std::string& layer);
/// --token-grid and --prefix-tokens.
void add_token_options(CLI::App& app, Arguments& arguments);
/// --fixed-input, --then and --feed.
void add_network_options(CLI::App& app, Arguments& arguments);
/// --task and --names.
void add_task_options(CLI::App& app, Arguments& arguments);
void add_json_option(CLI::App& app, std::string& json);
void add_whole_option(CLI::App& app, std::string& whole);
/// What --whole takes where it stands alone.
inline constexpr const char* kDefaultWhole = "stretch";
/// What --box takes where it stands alone: find_box's own default.
inline constexpr const char* kDefaultShare = "0.2";
/// What goes into the model beside the photo, how that becomes the input, and what comes out.
void add_input_options(CLI::App& app, Arguments& arguments);
/// Everything in Arguments and Outputs.
void add_run_options(CLI::App& app, Arguments& arguments, Outputs& outputs);

/// Each adds its subcommand, whose callback does the work and throws Error.
void add_explain(CLI::App& app);
void add_explain_all(CLI::App& app);
void add_predict(CLI::App& app);
void add_bench(CLI::App& app);
void add_index(CLI::App& app);
void add_inspect(CLI::App& app);
void add_methods(CLI::App& app);
void add_version(CLI::App& app);

}  // namespace fovea::cli
