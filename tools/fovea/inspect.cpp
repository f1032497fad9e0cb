#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "asked.hpp"
#include "fovea/asking.hpp"
#include "fovea/caption_writer.hpp"
#include "fovea/decode.hpp"
#include "fovea/target_text.hpp"
#include "fovea/task_layers.hpp"
#include "fovea/task_recipe.hpp"
#include "json_output.hpp"
#include "machine.hpp"
#include "outputs.hpp"
#include "session.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

// What is known once the open extents are bound; a model may leave too many open for that.
struct Bound {
  std::vector<TargetLayers> layers;  // per kind of target; the first by default
  std::map<std::string, Shape> shapes;
  std::string reason;  // why there is none

  std::string default_layer() const { return layers.empty() ? "" : layers.front().default_layer; }
};

ExplainerOptions bare(const Request& request) {
  auto options = bare_options(explainer_options(request));
  options.pool.waiting = Waiting::sleep;
  keep_within_quota(options.pool, cpu_quota());
  return options;
}

Bound of_explainer(const Explainer& explainer, std::string what = {}) {
  return {
      {{std::move(what), explainer.default_layer(), explainer.layers()}}, explainer.shapes(), {}};
}

/// The layers of a target of numbers.
Bound of_target(const Model& model, ExplainerOptions options, const std::string& text) {
  const auto target = parse_target(text);
  if (target.has_words())
    throw Error(ErrorCode::invalid_argument,
                "--target '" + text +
                    "' is a task's word, which is of a photo: --task lists the layers of each kind "
                    "of place");
  options.prepare.target_values = target.values();
  options.prepare.targets = {target_of(target, make_explainer(model, options).target_values())};
  options.prepare.target_values.clear();
  return of_explainer(make_explainer(model, options), to_text(target));
}

Bound of_task(const Model& model, const ExplainerOptions& options, const Task& asked) {
  if (const auto writer = CaptionWriter::find(model, asked, options.compile)) {
    // A step as it stands in a caption.
    const auto whole = writer->whole({0, 0}, options.compile);
    auto of_whole = options;
    of_whole.compile = whole.compile;
    return of_task(whole.model, of_whole, whole.task);
  }
  const OriginFinder finder(model, options.compile);
  return {layers_of(model, options, filled(asked, model, finder), finder), finder.shapes(), {}};
}

Bound bind(const Model& model, const Request& request, const std::string& target) {
  require_shapes(model, request.input_shapes);
  const auto options = bare(request);
  if (!target.empty()) return of_target(model, options, target);
  const auto task = request.task ? request.task : task_of_model(model);
  // What was asked for is answered or refused; what the model brings is tried.
  if (request.task) return of_task(model, options, *request.task);
  try {
    return task ? of_task(model, options, *task) : of_explainer(make_explainer(model, options));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    return {{}, {}, error.sentence()};
  }
}

std::string extents_text(const ValueInfo& value) {
  if (!value.is_ranked) return "?";
  std::string out;
  for (std::size_t d = 0; d < value.shape.size(); ++d) {
    const bool named = d < value.dimensions.size() && !value.dimensions[d].empty();
    out += (d == 0 ? "" : " x ");
    out += value.shape[d] >= 0 ? std::to_string(value.shape[d]) : named ? value.dimensions[d] : "?";
  }
  return out.empty() ? "scalar" : out;
}

std::string values_text(const char* title, const std::vector<ValueInfo>& values) {
  std::string out;
  for (const auto& value : values)
    out += std::string(title) + value.name + "  " + std::string(to_string(value.type)) + "  " +
           extents_text(value) +
           (value.refusal.empty() ? "" : "  (cannot be computed: " + value.refusal + ")") + "\n";
  return out;
}

std::string nodes_text(const Model& model, const std::map<std::string, Shape>& shapes) {
  std::string out = "\nnodes\n";
  for (const auto& node : model.nodes()) {
    out += "  " + node.op + (node.name.empty() ? "" : " '" + node.name + "'") + ": " +
           joined(node.inputs) + " ->";
    for (const auto& output : node.outputs) {
      const auto shape = shapes.find(output);
      out += " " + output;
      if (shape != shapes.end()) out += " [" + shape_text(shape->second) + "]";
    }
    out += "\n";
  }
  return out;
}

// A map's own grid, where the shape does not show it.
std::string grid_text(const LayerInfo& layer) {
  const bool shown = Shape(layer.shape.begin() + 2, layer.shape.end()) == layer.grid;
  return shown ? "" : ", a map of " + shape_text(layer.grid);
}

// What the target sees of the layer.
std::string field_text(const LayerInfo& layer) {
  if (layer.receptive_field.empty()) return "";
  Shape seen;
  for (const auto& range : layer.receptive_field) seen.push_back(range.end - range.begin);
  return seen == layer.grid ? ", sees all of it" : ", sees " + shape_text(seen);
}

std::string layers_text(const TargetLayers& of) {
  const auto head = "\nlayers that can be explained" + (of.what.empty() ? "" : ", for " + of.what);
  if (of.layers.empty()) return head + ": none\n";
  std::string out = head + " (* the default)\n";
  for (const auto& layer : of.layers)
    out += std::string(layer.is_default ? "* " : "  ") + layer.name + "  " + layer.op +
           (layer.node.empty() || layer.node == layer.name ? "" : " '" + layer.node + "'") + "  " +
           shape_text(layer.shape) + grid_text(layer) + field_text(layer) +
           (layer.why.empty() ? "" : "  (" + layer.why + ")") + "\n";
  return out;
}

std::string layers_text(const Bound& bound) {
  if (bound.layers.empty())
    return "\nlayers     unknown: " + bound.reason +
           "; --task says what the outputs are, --target 'NAME[0,5]' what is explained\n";
  std::string out;
  for (const auto& one : bound.layers) out += layers_text(one);
  return out;
}

Json values_json(const std::vector<ValueInfo>& values) {
  auto rows = Json::array();
  for (const auto& value : values) {
    auto& row =
        rows.emplace_back(Json{{"name", value.name},
                               {"type", to_string(value.type)},
                               {"shape", value.is_ranked ? Json(value.shape) : Json(nullptr)},
                               {"dimensions", value.dimensions}});
    if (!value.labels.empty()) row["labels"] = value.labels;
    if (!value.refusal.empty()) row["cannot_be_computed"] = value.refusal;
  }
  return rows;
}

Json nodes_json(const Model& model, const std::map<std::string, Shape>& shapes) {
  auto rows = Json::array();
  for (const auto& node : model.nodes()) {
    auto output_shapes = Json::array();
    for (const auto& output : node.outputs) {
      const auto shape = shapes.find(output);
      output_shapes.push_back(shape == shapes.end() ? Json(nullptr) : Json(shape->second));
    }
    rows.push_back({{"name", node.name},
                    {"op", node.op},
                    {"inputs", node.inputs},
                    {"outputs", node.outputs},
                    {"shapes", std::move(output_shapes)}});
  }
  return rows;
}

Json layers_json(const std::vector<LayerInfo>& layers) {
  auto rows = Json::array();
  for (const auto& layer : layers) {
    auto& row = rows.emplace_back(Json{{"name", layer.name},
                                       {"node", layer.node},
                                       {"op", layer.op},
                                       {"shape", layer.shape},
                                       {"grid", layer.grid},
                                       {"default", layer.is_default},
                                       {"why", layer.why}});
    if (!layer.receptive_field.empty()) row["receptive_field"] = ranges_json(layer.receptive_field);
  }
  return rows;
}

Json default_json(const std::string& layer) {
  return layer.empty() ? Json(nullptr) : Json(layer);
}

}  // namespace

void inspect(const InspectArguments& arguments) {
  const auto request = asked_of_model(arguments).request;
  const auto& file = request.model.file;
  if (!arguments.json.empty() && arguments.json != "-")
    check_output(arguments.json, {}, std::vector<std::string>{file});
  const auto model = load_model(request);
  const auto bound = bind(model, request, arguments.target);
  const auto& shapes = bound.shapes;

  std::string text = "model      " + file + "\n";
  text += "producer   " + (model.producer().empty() ? "unknown" : model.producer()) + "\n";
  text += "opset      " + std::to_string(model.opset()) + ", IR " +
          std::to_string(model.ir_version()) + ", " + std::to_string(model.nodes().size()) +
          " nodes\n";
  text += values_text("input      ", model.inputs()) + values_text("output     ", model.outputs());
  for (const auto& [key, value] : model.metadata())
    text += "metadata   " + key + " = " + value.substr(0, value.find('\n')) +
            (value.find('\n') == std::string::npos ? "\n" : " ...\n");
  if (arguments.nodes) text += nodes_text(model, shapes);
  text += layers_text(bound);

  Json json;
  json["model"] = file;
  json["producer"] = model.producer();
  json["opset"] = model.opset();
  json["ir_version"] = model.ir_version();
  json["inputs"] = values_json(model.inputs());
  json["outputs"] = values_json(model.outputs());
  json["metadata"] = model.metadata();
  json["nodes"] = nodes_json(model, shapes);
  json["layers"] = bound.layers.empty() ? Json::array() : layers_json(bound.layers.front().layers);
  json["default_layer"] = default_json(bound.default_layer());
  for (const auto& one : bound.layers)
    if (!one.what.empty())
      json["targets"].push_back({{"of", one.what},
                                 {"default_layer", default_json(one.default_layer)},
                                 {"layers", layers_json(one.layers)}});
  json["warnings"] = Json::array();
  if (bound.layers.empty()) json["warnings"].push_back(bound.reason);
  write_result(arguments.json, text, json_text(json));
}

}  // namespace fovea::cli
