#include "subcommands.hpp"

#include <CLI/CLI.hpp>
#include <memory>

namespace fovea::cli {
namespace {

constexpr int kMaxWorkers = 1024, kMaxBusy = 1024;
constexpr double kMaxRate = 1e6;

}  // namespace

void add_predict(CLI::App& app) {
  const auto arguments = std::make_shared<PredictArguments>();
  auto& sub = *app.add_subcommand("predict", "Print the best classes");
  sub.add_option("--top", arguments->top, "How many classes")
      ->check(CLI::Range(1, 1000000))
      ->type_name("K")
      ->capture_default_str();
  add_run_options(sub, *arguments, *arguments);
  sub.callback([arguments] { predict(*arguments); });
}

void add_bench(CLI::App& app) {
  const auto arguments = std::make_shared<BenchArguments>();
  auto& sub = *app.add_subcommand("bench", "Measure how fast a model predicts and is explained");
  add_model_option(sub, *arguments);
  add_shape_option(sub, *arguments);
  sub.add_option("--batch", arguments->batch, "Images per run, where the model leaves that open")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N");
  add_method_option(sub, arguments->method);
  add_layer_option(sub, arguments->layer);
  add_token_options(sub, *arguments);
  add_output_name_option(sub, *arguments);
  auto* threads = add_engine_options(sub, *arguments);
  add_tuning_options(sub, *arguments, "quick");
  auto* workers = sub.add_option("--workers", arguments->workers,
                                 "Throughput: N threads that each run on their own, over one model")
                      ->check(CLI::Range(1, kMaxWorkers))
                      ->type_name("N")
                      ->excludes(threads);
  auto* runs = sub.add_option("--runs", arguments->runs,
                              "Predictions and as many explanations to measure (with --workers: "
                              "by each)")
                   ->check(CLI::Range(1, 100000000))
                   ->type_name("N");
  sub.add_option("--seconds", arguments->seconds,
                 "How long to measure; at least 10 predictions and explanations")
      ->check(between(0.001, 1e6))
      ->type_name("S")
      ->capture_default_str()
      ->excludes(runs);
  sub.add_option("--rate", arguments->rate,
                 "An open loop: R runs a second are due, and times are from then on, so that "
                 "queueing counts")
      ->check(between(0.001, kMaxRate))
      ->type_name("R")
      ->excludes(workers);
  sub.add_option("--busy", arguments->busy,
                 "Beside N processes that only count, from before the load to the end")
      ->check(CLI::Range(0, kMaxBusy))
      ->type_name("N")
      ->capture_default_str();
  auto* images = sub.add_option("--images", arguments->images,
                                "Photos in place of random inputs: the first 64 of the folder by "
                                "name, in turn")
                     ->type_name("DIR");
  sub.add_option("--preprocess", arguments->preprocess,
                 "How a photo becomes the input, as for 'fovea explain'")
      ->type_name("RECIPE")
      ->needs(images);
  sub.add_option("--compare", arguments->compare,
                 "The JSON of an earlier measurement: what each figure is of what it was")
      ->type_name("FILE");
  sub.add_flag("--layers", arguments->layers, "Where the time of an explanation goes: every step")
      ->excludes(workers);
  add_json_option(sub, arguments->json);
  sub.footer(
      "Inputs are random, 64 different ones, unless there are photos. Beforehand: 10 runs and 1 s "
      "to warm up.");
  sub.callback([arguments] { bench(*arguments); });
}

void add_index(CLI::App& app) {
  const auto arguments = std::make_shared<IndexArguments>();
  auto& sub = *app.add_subcommand(
      "index", "Index pictures by their features, for the examples of 'fovea explain'");
  add_model_option(sub, *arguments);
  sub.add_option("--images", arguments->images,
                 "The folder of pictures, with the folders in it; most often what the network was "
                 "trained on")
      ->type_name("DIR")
      ->required();
  sub.add_option("-o,--output", arguments->output, "The index, one file")
      ->type_name("FILE")
      ->required();
  add_layer_option(sub, arguments->layer);
  sub.add_flag("--labels-from-folders", arguments->folder_labels,
               "A picture shows what the folder in DIR that it lies in is called");
  add_shape_option(sub, *arguments);
  add_whole_option(sub, arguments->whole);
  sub.add_option("--preprocess", arguments->preprocess,
                 "How a photo becomes the input, as for 'fovea explain'")
      ->type_name("RECIPE");
  sub.add_flag("--exact-decode", arguments->exact_decode, "Decode every pixel of a JPEG");
  add_output_name_option(sub, *arguments);
  add_token_options(sub, *arguments);
  add_engine_options(sub, *arguments);
  add_tuning_options(sub, *arguments, "quick with --plan-cache, off without");
  add_json_option(sub, arguments->json);
  sub.add_flag("--no-provenance", arguments->no_provenance,
               "Do not write into the JSON what the index was made from and with");
  sub.footer(
      "Pictures that cannot be read are warned of and left out. 2 bytes for each channel of each\n"
      "picture, in the file and in memory.");
  sub.callback([arguments] { index(*arguments); });
}

void add_inspect(CLI::App& app) {
  const auto arguments = std::make_shared<InspectArguments>();
  auto& sub = *app.add_subcommand("inspect", "Print a model's inputs, outputs, nodes and layers");
  add_model_option(sub, *arguments);
  add_shape_option(sub, *arguments);
  add_token_options(sub, *arguments);
  sub.add_option("--output-name", arguments->output_name,
                 "The output that holds the scores (the layers depend on it)")
      ->type_name("NAME");
  add_network_options(sub, *arguments);
  add_task_options(sub, *arguments);
  sub.add_option("--target", arguments->target,
                 "List the layers of this target, 'NAME[0,5]' (default: of each kind of place that "
                 "the task has, else of a class)")
      ->type_name("TARGET");
  sub.add_flag("--nodes", arguments->nodes, "Every node in order, with the shapes of its outputs");
  add_json_option(sub, arguments->json);
  sub.callback([arguments] { inspect(*arguments); });
}

void add_methods(CLI::App& app) {
  const auto arguments = std::make_shared<MethodsArguments>();
  auto& sub = *app.add_subcommand("methods", "List the methods: what they need and cost");
  add_json_option(sub, arguments->json);
  sub.add_flag("--markdown", arguments->markdown, "As a table in Markdown");
  sub.callback([arguments] { list_methods(*arguments); });
}

void add_version(CLI::App& app) {
  const auto json = std::make_shared<std::string>();
  auto& sub = *app.add_subcommand("version", "Print versions and what the CPU can do");
  add_json_option(sub, *json);
  sub.callback([json] { show_version(*json); });
}

}  // namespace fovea::cli
