#include "session.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "demo.hpp"
#include "feeds.hpp"
#include "long_call.hpp"
#include "outputs.hpp"
#include "recipe.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

const std::string* metadata(const Model& model, const std::string& key) {
  const auto found = model.metadata().find(key);
  return found == model.metadata().end() ? nullptr : &found->second;
}

Recipe choose_recipe(const std::optional<Recipe>& given, const Model& model,
                     const std::string& model_file) {
  if (given) return *given;
  if (const auto* own = metadata(model, "fovea.preprocess"))
    return parse_recipe(*own, ErrorCode::bad_model, "in the metadata of '" + model_file + "'");
  return {Preprocess::imagenet(), false};
}

// The file that --labels names, or the demo's; empty where the model has labels of its own.
std::string choose_labels_file(const Arguments& arguments, const Model& model) {
  if (!arguments.labels.empty()) return arguments.labels;
  const bool is_demo = arguments.model.empty() && metadata(model, "fovea.labels") == nullptr;
  return is_demo ? demo_file(kDemoLabels) : "";
}

Labels choose_labels(const Labels& given, const Model& model, const std::string& file) {
  if (!given.empty()) return given;
  if (const auto* own = metadata(model, "fovea.labels")) return parse_labels(*own);
  return file.empty() ? Labels{} : read_labels(file);
}

// Names that --layer may take: values, nodes, and operators (the last node of that kind).
bool layer_exists(const Model& model, const std::string& name) {
  return std::any_of(model.nodes().begin(), model.nodes().end(), [&](const NodeInfo& node) {
    return node.name == name || node.op == name ||
           std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end();
  });
}

[[noreturn]] void unknown_layer(const Model& model, const std::string& model_file,
                                ExplainerOptions options, const std::string& name) {
  std::vector<std::string> names;
  try {
    options.layers.clear();
    options.methods.clear();
    options.tuning = Tuning::off;
    const auto bare = make_explainer(model, options);
    for (const auto& layer : bare.layers()) {
      names.push_back(layer.name);
      names.push_back(layer.node);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    names.clear();  // the suggestion is a courtesy: the unknown name is what matters
  }
  throw Error(ErrorCode::invalid_argument,
              "the model has no layer '" + name + "'" + did_you_mean(names, name) +
                  " ('fovea inspect' lists the layers)",
              {.file = model_file, .node = {}, .op = {}});
}

// Scores at positions have theirs at each.
std::int64_t class_count(const Session& session, const Explainer& explainer, const Tensor& scores) {
  const auto& outputs = session.model.outputs();
  const auto& name = session.options.output.empty() && outputs.size() == 1 ? outputs.front().name
                                                                           : session.options.output;
  const auto it = explainer.shapes().find(name);
  const auto all = scores.shape.back();
  const bool at_positions = it != explainer.shapes().end() && it->second.size() == 4 &&
                            it->second[1] != all && it->second[3] != all;
  return at_positions ? it->second[1] : all;
}

}  // namespace

Explainer make_explainer(const Model& model, const ExplainerOptions& options) {
  LongCall call("making the explainer");
  Explainer out(model, options, call.options());
  call.check();
  return out;
}

Recipe recipe_for(const Arguments& arguments, const Session& session) {
  std::optional<Recipe> given;
  if (!arguments.preprocess.empty()) given = read_recipe(arguments.preprocess);
  return choose_recipe(given, session.model, session.model_file);
}

void require_method(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& info : methods()) known.push_back(info.name);
  if (std::find(known.begin(), known.end(), name) == known.end())
    throw Error(ErrorCode::invalid_argument,
                "there is no method '" + name + "'; known: " + joined(known));
}

void require_layers(const Model& model, const std::string& model_file,
                    const ExplainerOptions& options, const std::vector<std::string>& layers) {
  for (const auto& layer : layers)
    if (!layer_exists(model, layer)) unknown_layer(model, model_file, options, layer);
}

Tuning parse_tuning(const std::string& text, Tuning by_default) {
  if (text.empty()) return by_default;
  if (text == "thorough") return Tuning::thorough;
  if (text == "winograd") return Tuning::winograd;
  return text == "off" ? Tuning::off : Tuning::quick;
}

std::string tuning_text(Tuning tuning) {
  if (tuning == Tuning::thorough) return "thorough";
  if (tuning == Tuning::winograd) return "winograd";
  return tuning == Tuning::off ? "off" : "quick";
}

std::string read_plan_cache(const std::string& file) {
  if (file.empty() || !std::filesystem::exists(file)) return {};
  return read_text(file, ErrorCode::invalid_argument);
}

void keep_plan_cache(const std::string& file, const Explainer& explainer,
                     const std::string& known) {
  if (file.empty()) return;
  const auto text = explainer.plan_cache();
  if (text == known) return;
  OutputFiles files;
  files.add(file, text);
  files.write();
  files.keep();
}

Precision parse_precision(const std::string& text) {
  if (text == "auto") return Precision::automatic;
  return text == "bf16" ? Precision::bf16 : Precision::f32;
}

std::string model_file_or_demo(const std::string& given) {
  return given.empty() ? demo_file(kDemoModel) : given;
}

std::vector<std::string> input_files(const Arguments& arguments) {
  std::vector<std::string> files = {model_file_or_demo(arguments.model)};
  for (const auto& file : {arguments.image, arguments.labels, arguments.preprocess})
    if (!file.empty()) files.push_back(file);
  for (const auto& input : arguments.inputs) {
    files.push_back(input);
    files.push_back(input.substr(input.find('=') + 1));
  }
  return files;
}

Feeds Session::feeds() const {
  Feeds out;
  for (const auto& [name, tensor] : tensors) out.emplace(name, TensorView(tensor));
  return out;
}

Explainer Session::explainer(const std::vector<std::string>& layers,
                             const std::vector<Method>& methods) {
  require_layers(model, model_file, options, layers);
  auto all = options;
  all.layers = layers;
  all.methods = methods;
  all.plan_cache = read_plan_cache(plan_cache_file);
  auto explainer = in_file(
      model_file, [&] { return timed(times.create, [&] { return make_explainer(model, all); }); });
  keep_plan_cache(plan_cache_file, explainer, all.plan_cache);
  return explainer;
}

Run Session::forward(const Explainer& explainer) {
  auto run = in_file(
      model_file, [&] { return timed(times.forward, [&] { return explainer.forward(feeds()); }); });
  const auto classes = class_count(*this, explainer, run.logits());
  if (!labels.empty() && static_cast<std::int64_t>(labels.size()) != classes)
    warnings.push_back("there are " + std::to_string(labels.size()) + " labels for " +
                       std::to_string(classes) + " classes");
  return run;
}

Session open_session(const Arguments& arguments, bool whole_photo) {
  std::optional<Recipe> recipe;
  if (!arguments.preprocess.empty()) recipe = read_recipe(arguments.preprocess);
  Labels labels;
  if (!arguments.labels.empty()) labels = read_labels(arguments.labels);
  if (!arguments.plan_cache.empty()) check_output(arguments.plan_cache, {}, input_files(arguments));

  Stages times;
  const auto model_file = model_file_or_demo(arguments.model);
  auto model = timed(times.load, [&] { return Model::load(model_file); });
  const auto labels_file = choose_labels_file(arguments, model);
  labels = choose_labels(labels, model, labels_file);
  Session session{model_file, std::move(model), std::move(labels), {}, {}, {}, {}, {}, times,
                  {},         labels_file};

  auto& options = session.options;
  options.precision = parse_precision(arguments.precision);
  options.tuning =
      parse_tuning(arguments.tune, arguments.plan_cache.empty() ? Tuning::off : Tuning::quick);
  session.plan_cache_file = arguments.plan_cache;
  options.threads = arguments.threads;
  if (arguments.memory_limit > 0)
    options.memory_limit = static_cast<std::int64_t>(arguments.memory_limit);
  options.optimize = !arguments.no_optimize;
  options.output = arguments.output_name;
  const auto* activation = metadata(session.model, "fovea.activation");
  options.multi_label = arguments.multi_label || (activation && *activation == "sigmoid");
  options.input_shapes = parse_shapes(arguments.input_shapes, session.model);
  set_token_options(options, arguments);

  read_tensors(session, arguments.inputs);
  if (!arguments.image.empty() || session.tensors.empty()) {
    const auto chosen = choose_recipe(recipe, session.model, model_file);
    const auto file = arguments.image.empty() ? demo_file(kDemoImage) : arguments.image;
    read_photo(session, file, chosen, whole_photo || arguments.exact_decode);
  } else if (recipe) {
    throw Error(ErrorCode::invalid_argument,
                "--preprocess is for photos; a tensor is taken as it is");
  }
  require_all_inputs(session);
  return session;
}

}  // namespace fovea::cli
