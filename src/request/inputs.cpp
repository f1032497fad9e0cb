#include "request/inputs.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "fovea/compose.hpp"
#include "fovea/files.hpp"
#include "fovea/target_text.hpp"
#include "fovea/task.hpp"
#include "request/text.hpp"

namespace fovea::request {
namespace {

std::vector<std::string> input_names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& input : model.inputs()) names.push_back(input.name);
  return names;
}

std::string described(const Model& model) {
  std::string out;
  for (const auto& input : model.inputs())
    out += (out.empty() ? "'" : ", '") + input.name + "' " + std::string(to_string(input.type)) +
           " " + (input.is_ranked ? shape_text(input.shape) : "of any shape");
  return out.empty() ? "none" : out;
}

bool fits(const Shape& declared, const Shape& shape) {
  if (declared.size() != shape.size()) return false;
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (declared[d] >= 0 && declared[d] != shape[d]) return false;
  return true;
}

// As far as the file and --input-shape say how many extents the input has.
std::optional<Shape> ranked_shape(const Session& session, const ValueInfo& input) {
  const auto given = session.options.compile.input_shapes.find(input.name);
  if (given != session.options.compile.input_shapes.end()) return given->second;
  return input.is_ranked ? std::optional(input.shape) : std::nullopt;
}

// The shape that an input will have, as far as the file and --input-shape say.
Shape known_shape(const Session& session, const ValueInfo& input) {
  return ranked_shape(session, input).value_or(Shape{});
}

/// Values that targets are made of, where all of them are numbers of named values.
std::vector<std::string> target_values(const Request& request) {
  std::vector<std::string> out;
  for (const auto& target : request.targets) {
    if (target.kind != RequestTarget::Kind::text) return {};
    const auto text = parse_target(target.text);
    if (text.has_words()) return {};
    for (auto& name : text.values()) out.push_back(std::move(name));
  }
  return out;
}

// By name: do targets' values depend on the input, or else the output (any, where none is named)?
bool is_needed(const Session& session, const std::string& input) {
  const auto& outputs = session.model.outputs();
  std::set<std::string> reached{input};
  for (const auto& node : session.model.nodes())
    if (std::any_of(node.inputs.begin(), node.inputs.end(),
                    [&](const auto& name) { return !name.empty() && reached.contains(name); }))
      reached.insert(node.outputs.begin(), node.outputs.end());
  if (const auto values = target_values(session.request); !values.empty())
    return std::any_of(values.begin(), values.end(), [&](const std::string& name) {
      if (reached.contains(name)) return true;
      const auto& nodes = session.model.nodes();
      return std::any_of(nodes.begin(), nodes.end(), [&](const NodeInfo& node) {
        return node.name == name && !node.outputs.empty() && reached.contains(node.outputs.front());
      });
    });
  const auto& wanted = session.options.compile.output;
  return std::any_of(outputs.begin(), outputs.end(), [&](const ValueInfo& output) {
    return (wanted.empty() || output.name == wanted) && reached.contains(output.name);
  });
}

// What is not needed is no candidate, unless nothing else is.
std::vector<const ValueInfo*> needed_of(const Session& session,
                                        const std::vector<const ValueInfo*>& inputs) {
  std::vector<const ValueInfo*> needed;
  if (inputs.size() > 1)
    for (const auto* input : inputs)
      if (is_needed(session, input->name)) needed.push_back(input);
  return needed.empty() ? inputs : needed;
}

bool is_fixed(const Session& session, const std::string& input) {
  return session.request.fixed_inputs.contains(input) ||
         session.options.compile.fixed_inputs.contains(input);
}

const ValueInfo& find_image_input(const Session& session) {
  std::vector<const ValueInfo*> found;
  for (const auto& input : session.model.inputs()) {
    if (session.tensors.contains(input.name) || is_fixed(session, input.name)) continue;
    const auto ranked = ranked_shape(session, input);
    if (!ranked && is_needed(session, input.name))
      throw Error(ErrorCode::invalid_argument, "the model does not say how many extents input '" +
                                                   input.name + "' has: give --input-shape " +
                                                   input.name + "=1,3,HEIGHT,WIDTH");
    const auto shape = ranked.value_or(Shape{});
    if (image_shape(shape)) found.push_back(&input);
    if (shape.size() == 4 && shape[1] < 0 && shape[3] < 0)
      throw Error(ErrorCode::invalid_argument, "the model leaves the channels of input '" +
                                                   input.name + "' open: give " + "--input-shape " +
                                                   input.name + "=1,3,HEIGHT,WIDTH");
  }
  found = needed_of(session, found);
  if (found.size() == 1) return *found.front();
  const ErrorContext where{.file = session.request.model.file, .node = {}, .op = {}};
  if (found.empty() && session.tensors.size() == session.model.inputs().size())
    throw Error(ErrorCode::invalid_argument,
                "every input of the model has its tensor, so that none is left for --image", where);
  if (found.empty())
    throw Error(
        ErrorCode::bad_model,
        "the model has no image input (4 dimensions, 1 or 3 channels, or 3 with 3 channels); its "
        "inputs are: " +
            described(session.model) + "; --input takes tensors",
        where);
  throw Error(ErrorCode::invalid_argument,
              "the model has several image inputs: give all but one with --input NAME=FILE (" +
                  described(session.model) + ")",
              where);
}

ReducedImage whole_image(Image image) {
  const int width = image.width, height = image.height;
  return {std::move(image),
          width,
          height,
          {0, 0, static_cast<double>(width), static_cast<double>(height)}};
}

void bind_extent(std::int64_t& extent, int given, const std::string& which) {
  if (given == 0) return;
  if (extent >= 0 && extent != given)
    throw Error(ErrorCode::invalid_argument, "the recipe's " + which + " is " +
                                                 std::to_string(given) + " and the model's " +
                                                 std::to_string(extent));
  extent = given;
}

}  // namespace

bool takes_integers(DataType type) {
  switch (type) {
    case DataType::f32:
    case DataType::f16:
    case DataType::bf16:
    case DataType::f64:
      return false;
    default:
      return true;
  }
}

const ValueInfo& find_input(const Model& model, const std::string& name) {
  for (const auto& input : model.inputs())
    if (input.name == name) return input;
  const auto names = input_names(model);
  throw Error(ErrorCode::invalid_argument, "the model has no input '" + name + "'" +
                                               did_you_mean(names, name) +
                                               " (its inputs are: " + joined(names) + ")");
}

std::string only_input(const Model& model) {
  if (model.inputs().size() == 1) return model.inputs().front().name;
  throw Error(ErrorCode::invalid_argument,
              "the model has " + std::to_string(model.inputs().size()) +
                  " inputs: say which with --input NAME=FILE (" + described(model) + ")");
}

void fix_inputs(Session& session) {
  for (const auto& [name, values] : session.request.fixed_inputs) {
    const auto& input = find_input(session.model, name);
    if (session.request.inputs.contains(name))
      throw Error(ErrorCode::invalid_argument, "input '" + name + "' is given and fixed");
    auto shape = known_shape(session, input);
    for (auto& extent : shape)
      if (extent < 0) extent = 1;
    std::size_t count = 1;
    for (const auto extent : shape) count *= static_cast<std::size_t>(extent);
    if (values.size() != 1 && values.size() != count)
      throw Error(ErrorCode::invalid_argument, "input '" + name + "' takes " + shape_text(shape) +
                                                   " and is fixed to " +
                                                   std::to_string(values.size()) + " numbers");
    Tensor tensor{shape, std::vector<float>(count)};
    for (std::size_t i = 0; i < count; ++i)
      tensor.data[i] = static_cast<float>(values[values.size() == 1 ? 0 : i]);
    session.options.compile.fixed_inputs[name] = std::move(tensor);
  }
}

void check_shapes(const Model& model, const std::map<std::string, Shape>& shapes) {
  for (const auto& [name, shape] : shapes) {
    const auto& input = find_input(model, name);
    if (input.is_ranked && !fits(input.shape, shape))
      throw Error(ErrorCode::invalid_argument, "--input-shape: input '" + name + "' is " +
                                                   shape_text(input.shape) + ", not " +
                                                   shape_text(shape));
  }
}

void read_tensors(Session& session) {
  for (const auto& [name, given] : session.request.inputs) {
    const auto& file = given.file;
    auto tensor = timed(session.times.decode, [&] { return read_npy(file); });
    const auto expected = ranked_shape(session, find_input(session.model, name));
    if (expected && !fits(*expected, tensor.shape))
      throw Error(ErrorCode::bad_input,
                  "input '" + name + "' takes " + shape_text(*expected) + " and the tensor is " +
                      shape_text(tensor.shape),
                  {.file = file, .node = {}, .op = {}});
    if (!std::all_of(tensor.data.begin(), tensor.data.end(),
                     [](float value) { return std::isfinite(value); }))
      session.warnings.push_back("the tensor in '" + file + "' has values that are not finite");
    session.options.compile.input_shapes[name] = tensor.shape;
    if (!tensor.shape.empty()) session.options.compile.batch = tensor.shape.front();
    session.tensors.emplace(name, std::move(tensor));
  }
}

void read_photo(Session& session, const std::string& file, const std::optional<Recipe>& given,
                RecipeSource source, bool in_full) {
  const auto& input = find_image_input(session);
  const Recipe recipe = given ? *given : assumed_recipe(input);
  const auto shape = known_shape(session, input);
  auto extents = *image_shape(shape);
  bind_extent(extents.height, recipe.height, "height");
  bind_extent(extents.width, recipe.width, "width");
  const std::string images = shape.size() == 4 ? "1," : "";
  if (extents.height < 1 || extents.width < 1)
    throw Error(ErrorCode::invalid_argument,
                "the model leaves the height or width of input '" + input.name +
                    "' open: give --input-shape " + input.name + "=" +
                    (extents.layout == Layout::nchw
                         ? images + std::to_string(extents.channels) + ",HEIGHT,WIDTH"
                         : images + "HEIGHT,WIDTH," + std::to_string(extents.channels)));
  if (shape.size() == 4 && shape[0] > 1)
    throw Error(ErrorCode::invalid_argument,
                "the model takes " + std::to_string(shape[0]) +
                    " images at once: give them with --input, as one tensor");
  SessionPhoto photo;
  photo.file = file;
  photo.input = input.name;
  photo.recipe = for_channels(recipe, extents.channels);
  photo.recipe_source = source;
  if (const auto whole = session.request.whole) {
    const auto kept = without_crop(photo.recipe, *whole);
    if (kept != photo.recipe) photo.left_recipe = std::exchange(photo.recipe, kept);
  }
  photo.pixels = timed(session.times.decode, [&] {
    return in_full ? whole_image(read_image(file))
                   : read_reduced(file, photo.recipe, extents.width, extents.height);
  });
  photo.view =
      view_of(photo.pixels.width, photo.pixels.height, photo.recipe, extents.width, extents.height);
  auto tensor = timed(session.times.preprocess, [&] {
    return preprocess(photo.pixels, photo.recipe, extents.channels, extents.height, extents.width,
                      extents.layout);
  });
  if (shape.size() == 3) tensor.shape.erase(tensor.shape.begin());
  session.options.compile.input_shapes[input.name] = tensor.shape;
  session.options.compile.batch = 1;
  session.tensors.emplace(input.name, std::move(tensor));
  session.photo = std::move(photo);
}

void warn_of_recipe(Session& session) {
  if (!session.photo) return;
  if (session.photo->left_recipe)
    session.warnings.push_back(
        std::string("the network was shown the whole photo, ") +
        (session.request.whole == Whole::letterbox ? "letterboxed" : "stretched") +
        ", in place of its recipe's part: scores may differ from those that "
        "it was trained for");
  const auto& recipe = session.photo->recipe;
  // What the brightest pixel becomes before the mean is taken off.
  const double most = 255 * std::abs(recipe.scale);
  const auto above = [most](const std::array<double, 3>& values) {
    return std::any_of(values.begin(), values.end(),
                       [most](double v) { return std::abs(v) > most * (1 + 1e-6); });
  };
  for (const auto& [name, values] :
       {std::pair("mean", &recipe.mean), std::pair("std", &recipe.std)})
    if (above(*values))
      session.warnings.push_back(std::string("the recipe's ") + name +
                                 " is larger than any pixel is with its scale: is it meant for " +
                                 "pixels of 0 to 255, with a scale of 1?");
  const auto whole = [](double v) { return v == std::floor(v); };
  const bool integers =
      whole(recipe.scale) && std::all_of(recipe.mean.begin(), recipe.mean.end(), whole) &&
      std::all_of(recipe.std.begin(), recipe.std.end(), [](double v) { return v == 1; });
  const auto& input = find_input(session.model, session.photo->input);
  if (!integers && takes_integers(input.type))
    session.warnings.push_back("input '" + input.name + "' is " +
                               std::string(to_string(input.type)) +
                               ", and the recipe makes fractions of its pixels");
}

void fix_other_images(Session& session) {
  if (!session.photo) return;
  for (const auto& input : session.model.inputs()) {
    if (input.name == session.photo->input) return;
    const auto at = session.tensors.find(input.name);
    if (at == session.tensors.end() || !image_shape(at->second.shape)) continue;
    if (session.task && session.task->states.contains(input.name)) continue;
    session.options.compile.fixed_inputs[input.name] = std::move(at->second);
    session.tensors.erase(at);
  }
}

namespace {

/// Of an input that no task has made a state: where it would be fed from, by the usual names.
std::string may_be_state(const Model& model, const std::string& input) {
  std::map<std::string, Shape> shapes;
  for (const auto* values : {&model.inputs(), &model.outputs()})
    for (const auto& value : *values)
      if (value.is_ranked) shapes[value.name] = value.shape;
  try {
    const auto task = filled(*task_by_name("audio"), model.inputs(), model.outputs(), shapes);
    const auto found = task.states.find(input);
    if (found != task.states.end())
      return "; it looks like a state, which '" + found->second +
             "' leaves behind: a task (--task) begins with zeros";
  } catch (const Error&) {
  }
  return {};
}

}  // namespace

void require_all_inputs(const Session& session) {
  for (const auto& input : session.model.inputs())
    if (!session.tensors.contains(input.name) && !is_fixed(session, input.name) &&
        is_needed(session, input.name))
      throw Error(ErrorCode::invalid_argument,
                  "the model's input '" + input.name + "' (" +
                      (input.is_ranked ? shape_text(input.shape) : "of any shape") +
                      ") is not given: use --input " + input.name + "=FILE" +
                      may_be_state(session.model, input.name));
}

}  // namespace fovea::request

namespace fovea {

Model load_model(const Request& request) {
  auto first = Model::load(request.model.file);
  if (!request.second) return first;
  const auto second = Model::load(request.second->model.file);
  auto pairs = request.second->inputs;
  if (pairs.empty())
    for (const auto& input : second.inputs())
      for (const auto& output : first.outputs())
        if (input.name == output.name) pairs[input.name] = output.name;
  if (pairs.empty()) {
    std::vector<std::string> outputs;
    for (const auto& output : first.outputs()) outputs.push_back(output.name);
    throw Error(ErrorCode::invalid_argument,
                "no output of the model is called like an input of the second: say which feeds "
                "which with --feed INPUT=OUTPUT (outputs: " +
                    request::joined(outputs) + "; inputs: " + request::described(second) + ")",
                {.file = request.second->model.file, .node = {}, .op = {}});
  }
  return fovea::joined(first, second, pairs);
}

std::optional<ImageShape> image_shape(const Shape& shape) {
  if (shape.size() == 3 && shape[0] == 3) return ImageShape{Layout::nchw, 3, shape[1], shape[2]};
  if (shape.size() == 3 && shape[2] == 3) return ImageShape{Layout::nhwc, 3, shape[0], shape[1]};
  if (shape.size() != 4) return std::nullopt;
  if (shape[1] == 1 || shape[1] == 3) return ImageShape{Layout::nchw, shape[1], shape[2], shape[3]};
  if (shape[3] == 1 || shape[3] == 3) return ImageShape{Layout::nhwc, shape[3], shape[1], shape[2]};
  return std::nullopt;
}

void require_shapes(const Model& model, const std::map<std::string, Shape>& shapes) {
  request::check_shapes(model, shapes);
}

}  // namespace fovea
