// The options of fovea explain-all.
#include <CLI/CLI.hpp>
#include <memory>

#include "explain_options.hpp"
#include "folder/arguments.hpp"

namespace fovea::cli {
namespace {

constexpr int kMaxWorkers = 1024;

void add_folder_options(CLI::App& app, ExplainAllArguments& arguments) {
  app.add_option("--images", arguments.images,
                 "The photos: a folder, with the folders in it; a text file with a path a line; or "
                 "- for such a list from standard input (paths that end with a zero byte, as 'find "
                 "-print0' has them, too)")
      ->type_name("DIR|LIST|-")
      ->required();
  app.add_option("-o,--output", arguments.folder,
                 "The folder of results, made where there is none: results.jsonl has a line for "
                 "each photo, in order, and a last one that counts them. Results that are there "
                 "are gone on with, if they were made with the same options")
      ->type_name("DIR")
      ->required();
  app.add_flag("--overlay", arguments.overlays,
               "Write each photo with the map over it: overlay/NAME.png in the folder");
  app.add_flag("--heatmap", arguments.heatmaps,
               "Write each map alone, in colours: heatmap/NAME.png");
  app.add_flag("--map", arguments.maps,
               "Write each map at the photo's size, normalised: map/NAME.npy");
  app.add_flag("--feature-map", arguments.feature_maps,
               "Write each map at the layer's own grid, before resizing and normalising: "
               "feature-map/NAME.npy");
  app.add_option("--format", arguments.format, "Of the pictures, and so their extension")
      ->check(one_of({"png", "jpg", "webp", "bmp"}))
      ->type_name("png|jpg|webp|bmp")
      ->capture_default_str();
  app.add_flag("--retry-failed", arguments.retry_failed,
               "Try again what failed in an earlier call, which is else left as it is");
  app.add_option("--workers", arguments.workers,
                 "Photos at once, each on --threads of its own (default: as many as there are "
                 "cores for)")
      ->check(CLI::Range(1, kMaxWorkers))
      ->type_name("N");
  app.add_option("--progress", arguments.progress,
                 "auto: a bar on standard error, where that is a terminal; json: a line of JSON a "
                 "second there, for a program")
      ->check(one_of({"auto", "json", "none"}))
      ->type_name("auto|json|none")
      ->capture_default_str();
}

}  // namespace

void add_explain_all(CLI::App& app) {
  const auto arguments = std::make_shared<ExplainAllArguments>();
  arguments->threads = 1;
  auto& sub = *app.add_subcommand(
      "explain-all", "Explain every photo of a folder or a list, on all cores, resumably");
  add_model_option(sub, *arguments);
  add_folder_options(sub, *arguments);
  add_how_options(sub, *arguments, "How: 'fovea methods' lists them");
  add_token_options(sub, *arguments);
  add_normalize_option(sub, *arguments);
  add_drawing_options(sub, *arguments);
  sub.add_option(
         "--box", arguments->box_share,
         "Where, as a box: around the largest connected part of the map above this share of "
         "its maximum (default: 0.2), in the lines and on the overlays")
      ->type_name("[SHARE]");
  sub.add_flag("--no-box", arguments->no_box, "No boxes");
  add_reason_options(sub, *arguments);
  add_input_options(sub, *arguments);
  add_engine_options(sub, *arguments);
  add_tuning_options(sub, *arguments, "quick with --plan-cache, off without");
  sub.add_option("--json", arguments->json,
                 "Write what is told at the end as JSON to FILE; without FILE or with -, to "
                 "standard output in place of the text")
      ->type_name("[FILE]");
  sub.add_flag("--no-provenance", arguments->no_provenance,
               "Do not write into PNG files what they were made from and with");
  sub.footer(
      "A photo that cannot be read or explained is an error of its line, told on standard error.\n"
      "Exit status: 0 every photo was explained, 4 some failed, 130 interrupted (the same command\n"
      "goes on), 2 wrong usage or other options than those of the results that are there, 3 bad\n"
      "model, 5 unsupported operator, 1 anything else, as a full disk.");
  sub.callback([arguments, &sub] {
    explain_all(*arguments, [&sub](const std::string& option) { return sub.count(option) > 0; });
  });
}

}  // namespace fovea::cli
