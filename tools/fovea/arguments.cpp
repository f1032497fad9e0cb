#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "fovea/task.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr int kMaxThreads = 1024;
constexpr double kMaxTuningSeconds = 1e6;

}  // namespace

CLI::Validator one_of(std::vector<std::string> names) {
  const auto check = [names = std::move(names)](const std::string& text) {
    if (std::find(names.begin(), names.end(), text) != names.end()) return std::string();
    return "'" + text + "' is none of " + joined(names) + did_you_mean(names, text);
  };
  return {check, ""};
}

CLI::Validator between(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && low <= value && value <= high)
      return std::string();
    return "Value " + text + " not in range " + number_text(low) + " to " + number_text(high);
  };
  return {check, ""};
}

void add_model_option(CLI::App& app, Arguments& arguments) {
  app.add_option("-m,--model", arguments.model, "ONNX file (default: the demo's)")
      ->type_name("FILE");
  app.add_option("MODEL", arguments.first, "As --model")->type_name("FILE");
}

void add_shape_option(CLI::App& app, Arguments& arguments) {
  app.add_option("--input-shape", arguments.input_shapes,
                 "Extents of an input that the model leaves open: NAME=1,3,224,224 (repeatable)")
      ->type_name("NAME=N,N,..")
      ->allow_extra_args(false);
}

void add_output_name_option(CLI::App& app, Arguments& arguments) {
  app.add_option("--output-name", arguments.output_name,
                 "The output that holds the scores (default: the only one, or the first of rank 2)")
      ->type_name("NAME");
}

CLI::Option* add_engine_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--precision", arguments.precision,
                 "f32; bf16 where the CPU has it; auto: bf16 where it is clearly faster here")
      ->check(one_of({"f32", "bf16", "auto"}))
      ->type_name("f32|bf16|auto")
      ->capture_default_str();
  auto* threads =
      app.add_option("--threads", arguments.threads, "Threads; 0 takes OpenMP's default")
          ->check(CLI::Range(0, kMaxThreads))
          ->type_name("N")
          ->capture_default_str();
  app.add_option("--memory-limit", arguments.memory_limit,
                 "Bytes for activations, workspaces and what methods compute in, beyond the "
                 "weights: 800MiB, 2GiB (default: 4GiB). What needs more is refused")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 60))
      ->type_name("SIZE");
  app.add_flag("--no-optimize", arguments.no_optimize, "Run the graph as it is, without fusion");
  return threads;
}

void add_tuning_options(CLI::App& app, Arguments& arguments, const std::string& by_default) {
  app.add_option(
         "--tune", arguments.tune,
         "How to find the fastest algorithm of each layer: off, quick, thorough, or winograd "
         "wherever there is one (default: " +
             by_default + ")")
      ->check(one_of({"off", "quick", "thorough", "winograd"}))
      ->type_name("off|quick|thorough|winograd");
  app.add_option("--tuning-time", arguments.tuning_time,
                 "Seconds that the search may take; what it does not reach runs by the direct "
                 "algorithm (default: 2; with --tune thorough as long as it takes)")
      ->check(between(0, kMaxTuningSeconds))
      ->type_name("S");
  app.add_option("--plan-cache", arguments.plan_cache,
                 "What tuning found, kept in FILE for the next run; made where there is none, "
                 "ignored and made anew where it is another machine's")
      ->type_name("FILE");
}

void add_method_option(CLI::App& app, std::string& method) {
  app.add_option("--method", method, "How: 'fovea methods' lists them")
      ->type_name("NAME")
      ->capture_default_str();
}

void add_layer_option(CLI::App& app, std::string& layer) {
  app.add_option("--layer", layer,
                 "The layer whose map is wanted, by the name of its value or node, or the last of "
                 "an operator, like Conv (default: the last feature map before the head)")
      ->type_name("NAME");
}

void add_token_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--token-grid", arguments.token_grid,
                 "Of a transformer: rows x columns of its patch tokens, where fovea does not find "
                 "them by itself")
      ->type_name("RxC");
  app.add_option("--prefix-tokens", arguments.prefix_tokens,
                 "Of a transformer: class, register and other tokens in front of the patches "
                 "(default: what the graph shows, else 0 or 1)")
      ->check(CLI::Range(0, 1000000))
      ->type_name("N");
}

void add_whole_option(CLI::App& app, std::string& whole) {
  app.add_option("--whole", whole,
                 "Show the network the whole photo in place of its recipe's crop: stretched to the "
                 "input, or letterboxed (default: stretch). It was trained otherwise")
      ->check(one_of({kDefaultWhole, "letterbox"}))
      ->type_name("[stretch|letterbox]");
}

void add_network_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--fixed-input", arguments.fixed_inputs,
                 "The value of an input that is the same in every run and decides what runs: "
                 "NAME=16000; several numbers, or one for all of them (repeatable)")
      ->type_name("NAME=N,N,..")
      ->allow_extra_args(false);
  auto* second = app.add_option("--then", arguments.second,
                                "A second model behind the first, as a decoder behind its encoder")
                     ->type_name("FILE");
  app.add_option("--feed", arguments.feeds,
                 "An input of the second model and the output of the first that it is fed with "
                 "(repeatable; default: those of the same names)")
      ->type_name("INPUT=OUTPUT")
      ->allow_extra_args(false)
      ->needs(second);
}

void add_task_options(CLI::App& app, Arguments& arguments) {
  auto* task = app.add_option("--task", arguments.task,
                              "What the outputs say: " + joined(task_names()) +
                                  ", or a recipe (.json), as docs/tasks.md describes (default: "
                                  "the model's own, else classes)")
                   ->type_name("NAME|FILE");
  app.add_option("--names,--alphabet,--vocabulary", arguments.names,
                 "Of a task: classes, characters, answers, words or actions, one per line (of "
                 "characters also all in one line)")
      ->type_name("FILE")
      ->needs(task);
}

void add_json_option(CLI::App& app, std::string& json) {
  app.add_option("--json", json,
                 "Write the result as JSON to FILE; without FILE or with -, to standard output in "
                 "place of the text. Of several images a line each, unless FILE has {}")
      ->type_name("[FILE]");
}

void add_input_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--input", arguments.inputs,
                 "A ready tensor (.npy) in place of the photo; NAME=x.npy for one of several "
                 "inputs (repeatable), which may hold a batch; NAME=WORDS for one that takes words "
                 "(--task)")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false);
  add_shape_option(app, arguments);
  add_network_options(app, arguments);
  add_task_options(app, arguments);
  app.add_option("--labels", arguments.labels,
                 "Class names, one per line, with or without a WordNet id in front (default: "
                 "the model's own, where its metadata or its graph have them)")
      ->type_name("FILE");
  app.add_option("--preprocess", arguments.preprocess,
                 "How the photo becomes the input: imagenet, inception, caffe, raw, "
                 "torchvision:WEIGHTS, keras:MODE, a JSON object, or a .json file, also timm's and "
                 "transformers' own (default: the model's, else imagenet, or raw for integers)")
      ->type_name("RECIPE");
  add_whole_option(app, arguments.whole);
  app.add_flag("--exact-decode", arguments.exact_decode,
               "Decode every pixel of a JPEG, also where a half, a quarter or an eighth of its "
               "size is enough for the network");
  add_output_name_option(app, arguments);
  app.add_flag("--multi-label", arguments.multi_label,
               "Every class on its own: probabilities by sigmoid");
}

void add_run_options(CLI::App& app, Arguments& arguments, Outputs& outputs) {
  add_model_option(app, arguments);
  app.add_option("-i,--image", arguments.photos,
                 "Photo: JPEG, PNG, BMP, WebP or TIFF; - reads standard input (default: a scene of "
                 "the demo). Of several (repeatable) each is answered, and {} in the names of "
                 "outputs stands for its name")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("IMAGE", arguments.rest, "As --image; with --model there, every argument is one")
      ->type_name("FILE");
  add_input_options(app, arguments);
  app.add_option("--state", arguments.states,
                 "Of a task: an input that is the output of the photo before (repeatable; "
                 "default: pairs of the usual names)")
      ->type_name("INPUT=OUTPUT")
      ->allow_extra_args(false)
      ->needs(app.get_option("--task"));
  add_engine_options(app, arguments);
  add_tuning_options(app, arguments,
                     "quick with --plan-cache, off without, since one run gains less than the "
                     "search costs");
  app.add_option("--logits", outputs.logits, "Write the raw scores, [images, classes], as .npy")
      ->type_name("FILE");
  add_json_option(app, outputs.json);
  app.add_flag("--no-provenance", outputs.no_provenance,
               "Do not write into JSON and PNG files what they were made from and with");
}

}  // namespace fovea::cli
