// The options of fovea explain.
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <system_error>

#include "explain_options.hpp"
#include "subcommands.hpp"

namespace fovea::cli {
namespace {

// CLI11 would take what does not fit for the largest number that does.
std::string whole_number(const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  return failure == std::errc() && rest == end ? "" : "'" + text + "' is not a class";
}

}  // namespace

void add_how_options(CLI::App& app, ExplainArguments& arguments, const std::string& of_method) {
  auto* by_class = app.add_option("--class", arguments.classes,
                                  "Explain this class (repeatable; default: the best one)")
                       ->check(whole_number)
                       ->type_name("N")
                       ->allow_extra_args(false);
  auto* by_label = app.add_option("--label", arguments.target_labels,
                                  "Explain the class of this label, or of the only label that "
                                  "contains it (repeatable)")
                       ->type_name("TEXT")
                       ->allow_extra_args(false);
  auto* by_rank = app.add_option("--top", arguments.top, "Explain the K best classes")
                      ->check(CLI::Range(1, 1000000))
                      ->type_name("K");
  auto* by_text =
      app.add_option(
             "--target", arguments.target_texts,
             "Explain any number that the model computes (repeatable): 'NAME[0,5]', its "
             "differences and sums ('NAME[0,5]-NAME[0,3]', '0.5*NAME[0,1]'), 'mean(NAME[0,1,:,:])' "
             "over ranges; or class:N, label:TEXT, top:K, class:N-class:M, similar:FILE, "
             "cosine:FILE")
          ->type_name("TEXT")
          ->allow_extra_args(false);
  by_text->excludes(by_class)->excludes(by_label)->excludes(by_rank);
  by_class->excludes(by_label)->excludes(by_rank);
  by_label->excludes(by_rank);
  app.add_option("--score", arguments.score,
                 "The class's logit, or its probability (default: the logit; of methods that are "
                 "defined on the probability, that)")
      ->check(one_of({"logit", "probability"}))
      ->type_name("logit|probability");
  app.add_flag("--against", arguments.against,
               "Show what speaks against the class (the counterfactual)");
  app.add_option("--minus", arguments.minus, "Explain the class's logit less that of class N")
      ->check(whole_number)
      ->type_name("N");
  auto* region =
      app.add_option(
             "--region", arguments.region,
             "Of scores at positions (a segmentation): explain the class's scores over this "
             "part of the photo (of a tensor: of the input), in pixels, or over a mask "
             "[rows, columns] of the scores' own extents")
          ->type_name("X,Y,W,H|FILE.npy");
  auto* similar =
      app.add_option("--similar-to", arguments.similar_to,
                     "Explain how like the model's output is to that of another image, prepared as "
                     "this one; of a tensor: another tensor (.npy)")
          ->type_name("FILE");
  app.add_option("--similarity", arguments.similarity,
                 "Of --similar-to: dot, the output's product with the other's direction; cosine, "
                 "the same over the output's length, of which Grad-CAM shows next to nothing")
      ->check(one_of({"dot", "cosine"}))
      ->type_name("dot|cosine")
      ->capture_default_str()
      ->needs(similar);
  for (auto* other : {by_class, by_label, by_rank, by_text, region}) similar->excludes(other);
  region->excludes(by_text);
  region->excludes(by_rank);
  app.add_option("--method", arguments.method, of_method)->type_name("NAME")->capture_default_str();
  app.add_option("--option", arguments.options,
                 "An option of the method, a number or one of its choices' names (repeatable)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option(
         "--rule", arguments.layer_rules,
         "The rule that a layer follows, by the name of its node or value, for methods that "
         "have rules (repeatable)")
      ->type_name("LAYER=RULE")
      ->allow_extra_args(false);
  app.add_option("--given", arguments.given,
                 "What the method would draw at random, or its baseline, as .npy (repeatable)")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
  app.add_option("--layer", arguments.layers,
                 "The layer whose map is wanted, by the name of its value or node, or the last of "
                 "an operator, like Conv (default: the last feature map before the head). Several "
                 "(repeatable) are fused")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--fuse", arguments.fuse, "How the maps of several layers become one")
      ->check(one_of({"mean", "max", "product"}))
      ->type_name("mean|max|product")
      ->capture_default_str();
  app.add_flag("--smooth", arguments.smooth,
               "The mean map of the image, mirrored and not, times 0.9, 1 and 1.1");
  app.add_flag("--keep-sign", arguments.keep_sign,
               "Keep what speaks against the class as negative values");
  app.add_option(
         "--rendering", arguments.rendering,
         "heat; signed: red for, blue against, over a pale photo; auto: signed for maps of pixels "
         "(gradients, LRP, SHAP) and with --keep-sign, else heat; color: of --heatmap, an "
         "attribution around grey, at the input's size")
      ->check(one_of({"auto", "heat", "signed", "color"}))
      ->type_name("auto|heat|signed|color")
      ->capture_default_str();
}

void add_normalize_option(CLI::App& app, ExplainArguments& arguments) {
  app.add_option("--normalize", arguments.normalize,
                 "max: divide by the maximum; minmax: stretch to 0..1; none: raw values (pictures "
                 "then show them relative to the maximum) (default: max; of methods whose zero "
                 "says nothing, minmax)")
      ->check(one_of({"max", "minmax", "none"}))
      ->type_name("max|minmax|none");
}

void add_drawing_options(CLI::App& app, ExplainArguments& arguments) {
  app.add_option("--colormap", arguments.colormap, "Colours of the pictures")
      ->check(
          one_of({"viridis", "inferno", "magma", "plasma", "cividis", "turbo", "jet", "red-blue"}))
      ->type_name("viridis|inferno|magma|plasma|cividis|turbo|jet|red-blue")
      ->capture_default_str();
  app.add_option("--alpha", arguments.alpha, "Weight of the colours in the overlay, 0 to 1")
      ->type_name("A")
      ->capture_default_str();
  app.add_option("--opacity", arguments.opacity,
                 "even: the same weight everywhere; value: the weight follows the value, and "
                 "--alpha is that of the middle one")
      ->check(one_of({"even", "value"}))
      ->type_name("even|value")
      ->capture_default_str();
  app.add_option("--percentile", arguments.percentile,
                 "Of maps of pixels (gradients, LRP, SHAP): the percentile of magnitudes at which "
                 "the pictures' colours are full; 100 is the largest")
      ->type_name("P")
      ->capture_default_str();
  app.add_flag("--caption", arguments.caption,
               "Write under the pictures: class, probability, method, layer, the map's lowest and "
               "highest value, and a bar of the colours (sheets have theirs)");
  app.add_flag("--no-enlarge", arguments.no_enlarge,
               "Leave pictures of 64 pixels and less at their size, which are else enlarged in "
               "whole steps to 256 or more");
}

void add_reason_options(CLI::App& app, ExplainArguments& arguments) {
  app.add_flag("--words", arguments.words,
               "Say in words: class, score, where the evidence lies, which channels carried it and "
               "what speaks against it");
  app.add_option("--examples", arguments.examples,
                 "Name the nearest pictures of an index that 'fovea index' made, by the features "
                 "that the explained class weighs")
      ->type_name("FILE");
  app.add_option("--example-count", arguments.example_count, "How many examples")
      ->check(CLI::Range(1, 1000))
      ->type_name("K")
      ->capture_default_str();
}

namespace {

void add_example_pictures_options(CLI::App& app, ExplainArguments& arguments) {
  app.add_option("--examples-output", arguments.examples_output,
                 "Draw the examples beside the photo, a row per class")
      ->type_name("FILE");
  app.add_option("--example-images", arguments.example_images,
                 "For --examples-output: the folder that the index was made from")
      ->type_name("DIR");
}

// --replay excludes every option that would make it another result. Last of all.
void add_replay_option(CLI::App& app, std::string& replay) {
  auto* option =
      app.add_option("--replay", replay,
                     "Make a result again from its JSON, or from a PNG that fovea wrote: the same "
                     "model, input and options. Where the files lie now may be said anew (--model, "
                     "--image, --input); a file that has changed is refused")
          ->type_name("FILE");
  for (const auto* fixed :
       {"--class",       "--label",         "--top",        "--score",       "--against",
        "--target",      "--similarity",    "--minus",      "--region",      "--similar-to",
        "--method",      "--option",        "--rule",       "--given",       "--layer",
        "--token-grid",  "--prefix-tokens", "--fuse",       "--smooth",      "--keep-sign",
        "--normalize",   "--preprocess",    "--whole",      "--input-shape", "--output-name",
        "--multi-label", "--precision",     "--no-optimize"})
    option->excludes(app.get_option(fixed));
}

}  // namespace

void add_explain(CLI::App& app) {
  const auto arguments = std::make_shared<ExplainArguments>();
  auto& sub = *app.add_subcommand("explain", "Show where the network looked");
  add_how_options(
      sub, *arguments,
      "How: 'fovea methods' lists them. NAME,NAME,... or all (but the dear ones) draws "
      "one labelled sheet: the photo, then a map per method; a row per class and layer");
  add_token_options(sub, *arguments);
  add_normalize_option(sub, *arguments);
  sub.add_option("-o,--output", arguments->output,
                 "Overlay: the photo with the map over it (.png .jpg .jpeg .bmp .webp)")
      ->type_name("FILE");
  sub.add_option("--html", arguments->html,
                 "A page with photo, maps, sliders for their opacity and threshold, classes and "
                 "provenance: one file that asks nothing of anywhere (.html .htm)")
      ->type_name("FILE");
  sub.add_option("--heatmap", arguments->heatmap, "The map alone, in colours")->type_name("FILE");
  sub.add_option("--strip", arguments->strip,
                 "Overlays side by side on one picture, each over what it explains: of several "
                 "classes or words, of several photos (frames; with {} one for each)")
      ->type_name("FILE");
  auto* objects = sub.add_option("--objects", arguments->objects,
                                 "One picture of all boxes that are explained: at each place the "
                                 "largest of their maps, with outlines, classes and scores");
  objects->type_name("FILE");
  sub.add_flag("--inside-boxes", arguments->inside_boxes,
               "Of --objects: each box's map inside its box alone")
      ->needs(objects);
  sub.add_option("--spectrogram", arguments->spectrogram,
                 "Of sound: the map over time and frequency, with axes as the task's \"audio\" "
                 "says (docs/tasks.md)")
      ->type_name("FILE");
  sub.add_option("--map", arguments->map,
                 "The map at the photo's size (a tensor's: the input's), normalised, as .npy")
      ->type_name("FILE");
  sub.add_option("--feature-map", arguments->feature_map,
                 "The map at the layer's own grid, before resizing and normalising, as .npy")
      ->type_name("FILE");
  add_drawing_options(sub, *arguments);
  sub.add_option("--sheet-width", arguments->sheet_width,
                 "Of a sheet or a strip: pixels, at most; more maps go on below")
      ->check(CLI::Range(200, 16384))
      ->type_name("PIXELS")
      ->capture_default_str();
  sub.add_option(
         "--box", arguments->box_share,
         "Where, as a box: around the largest connected part of the map above this share of "
         "its maximum (default: 0.2), in the JSON and on the overlay")
      ->type_name("[SHARE]");
  add_reason_options(sub, *arguments);
  add_example_pictures_options(sub, *arguments);
  add_run_options(sub, *arguments, *arguments);
  add_replay_option(sub, arguments->replay);
  sub.footer(
      "Several classes: pictures get -1, -2, ... before their extension; several images in a\n"
      "tensor: likewise; both: -IMAGE-CLASS. The .npy files are stacked: [images,] [classes,]\n"
      "rows, columns. Exit status: 0 done, 2 wrong usage, 3 bad model, 4 bad image or tensor,\n"
      "5 unsupported operator, 130 interrupted, 1 anything else. On failure no output file is "
      "left\n"
      "behind.");
  sub.callback([arguments, &sub] {
    explain(*arguments, [&sub](const std::string& option) { return sub.count(option) > 0; });
  });
}

}  // namespace fovea::cli
