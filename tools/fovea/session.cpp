#include "session.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "demo.hpp"
#include "feeds.hpp"
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

Labels choose_labels(const Labels& given, const Model& model, bool is_demo) {
  if (!given.empty()) return given;
  if (const auto* own = metadata(model, "fovea.labels")) return parse_labels(*own);
  return is_demo ? read_labels(demo_file(kDemoLabels)) : Labels{};
}

Precision parse_precision(const std::string& text) {
  if (text == "auto") return Precision::automatic;
  return text == "bf16" ? Precision::bf16 : Precision::f32;
}

Tuning parse_tuning(const Arguments& arguments) {
  if (arguments.tune.empty()) return arguments.plan_cache.empty() ? Tuning::off : Tuning::quick;
  if (arguments.tune == "thorough") return Tuning::thorough;
  if (arguments.tune == "winograd") return Tuning::winograd;
  return arguments.tune == "off" ? Tuning::off : Tuning::quick;
}

// Names that --layer may take: values, nodes, and operators (the last node of that kind).
bool layer_exists(const Model& model, const std::string& name) {
  return std::any_of(model.nodes().begin(), model.nodes().end(), [&](const NodeInfo& node) {
    return node.name == name || node.op == name ||
           std::find(node.outputs.begin(), node.outputs.end(), name) != node.outputs.end();
  });
}

[[noreturn]] void unknown_layer(const Session& session, const std::string& name) {
  std::vector<std::string> names;
  try {
    auto options = session.options;
    options.methods.clear();
    const Explainer bare(session.model, options);
    for (const auto& layer : bare.layers()) {
      names.push_back(layer.name);
      names.push_back(layer.node);
    }
  } catch (const Error&) {
    names.clear();  // the suggestion is a courtesy: the unknown name is what matters
  }
  throw Error(ErrorCode::invalid_argument,
              "the model has no layer '" + name + "'" + did_you_mean(names, name) +
                  " ('fovea inspect' lists the layers)",
              {.file = session.model_file, .node = {}, .op = {}});
}

}  // namespace

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
  for (const auto& layer : layers)
    if (!layer_exists(model, layer)) unknown_layer(*this, layer);
  auto all = options;
  all.layers = layers;
  all.methods = methods;
  const bool cached = !plan_cache_file.empty() && std::filesystem::exists(plan_cache_file);
  if (cached) all.plan_cache = read_text(plan_cache_file, ErrorCode::invalid_argument);
  auto explainer = in_file(
      model_file, [&] { return timed(times.create, [&] { return Explainer(model, all); }); });
  if (!plan_cache_file.empty()) keep_plan_cache(explainer, all.plan_cache);
  return explainer;
}

void Session::keep_plan_cache(const Explainer& explainer, const std::string& known) const {
  const auto text = explainer.plan_cache();
  if (text == known) return;
  OutputFiles files;
  files.add(plan_cache_file, text);
  files.write();
  files.keep();
}

Run Session::forward(const Explainer& explainer) {
  auto run = in_file(
      model_file, [&] { return timed(times.forward, [&] { return explainer.forward(feeds()); }); });
  const auto& shape = run.logits().shape;
  const auto classes = shape.empty() ? 0 : shape.back();
  if (!labels.empty() && static_cast<std::int64_t>(labels.size()) != classes)
    warnings.push_back("there are " + std::to_string(labels.size()) + " labels for " +
                       std::to_string(classes) + " classes");
  return run;
}

Session open_session(const Arguments& arguments) {
  std::optional<Recipe> recipe;
  if (!arguments.preprocess.empty()) recipe = read_recipe(arguments.preprocess);
  Labels labels;
  if (!arguments.labels.empty()) labels = read_labels(arguments.labels);
  if (!arguments.plan_cache.empty()) check_output(arguments.plan_cache, {}, input_files(arguments));

  Stages times;
  const auto model_file = model_file_or_demo(arguments.model);
  auto model = timed(times.load, [&] { return Model::load(model_file); });
  labels = choose_labels(labels, model, arguments.model.empty());
  Session session{model_file, std::move(model), std::move(labels), {}, {}, {}, {}, {}, times, {}};

  auto& options = session.options;
  options.precision = parse_precision(arguments.precision);
  options.tuning = parse_tuning(arguments);
  session.plan_cache_file = arguments.plan_cache;
  options.threads = arguments.threads;
  options.optimize = !arguments.no_optimize;
  options.output = arguments.output_name;
  const auto* activation = metadata(session.model, "fovea.activation");
  options.multi_label = arguments.multi_label || (activation && *activation == "sigmoid");
  options.input_shapes = parse_shapes(arguments.input_shapes, session.model);

  read_tensors(session, arguments.inputs);
  if (!arguments.image.empty() || session.tensors.empty()) {
    const auto chosen = choose_recipe(recipe, session.model, model_file);
    const auto file = arguments.image.empty() ? demo_file(kDemoImage) : arguments.image;
    read_photo(session, file, chosen);
  } else if (recipe) {
    throw Error(ErrorCode::invalid_argument,
                "--preprocess is for photos; a tensor is taken as it is");
  }
  require_all_inputs(session);
  return session;
}

}  // namespace fovea::cli
