#include <algorithm>
#include <string>

#include "base/checked.hpp"
#include "base/state_names.hpp"
#include "graph/infer/context.hpp"
#include "graph/query.hpp"
#include "graph/query/batch_axes.hpp"
#include "graph/query/edges.hpp"

namespace fovea::graph {
namespace {

using detail::along;
using detail::Along;
using detail::follow_images;
using detail::kMixed;
using detail::kPicked;
using detail::text;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

/// The axis whose places are the images, of a value in which they lie so.
std::optional<std::size_t> axis_in(const Along& where, const Shape& shape, std::int64_t images) {
  if (where.is_axis() && where.inner == 1 && shape[where.axis] == images) return where.axis;
  if (where.kind == Along::Kind::unknown && !shape.empty() && shape[0] == images) return 0;
  return std::nullopt;
}
/// Of one image.
std::optional<std::size_t> single_axis(const Shape& shape) {
  const auto found = std::find(shape.begin(), shape.end(), 1);
  if (found == shape.end()) return std::nullopt;
  return static_cast<std::size_t>(found - shape.begin());
}

bool is_rows(const Along& where, const Shape& shape, std::int64_t images) {
  return axis_in(where, shape, images) == std::optional<std::size_t>(0);
}

std::vector<std::optional<std::size_t>> axes_of(const Graph& graph, const std::vector<Along>& where,
                                                std::int64_t images) {
  std::vector<std::optional<std::size_t>> out;
  for (std::size_t v = 0; v < where.size(); ++v)
    out.push_back(axis_in(where[v], graph.values()[v].shape, images));
  return out;
}
std::vector<std::optional<std::size_t>> single_axes(const Graph& graph) {
  std::vector<std::optional<std::size_t>> out;
  for (const auto& value : graph.values()) out.push_back(single_axis(value.shape));
  return out;
}

/// How many images the input holds, if its first extent counts them.
std::int64_t images_in(const Graph& graph, ValueId input) {
  const auto& shape = graph.value(input).shape;
  return shape.size() < 2 ? 1 : shape[0];
}

/// For each value: does a path lead from it to `to`, other than as what a recurrent operator was
/// before its first step?
std::vector<bool> reaching_past_states(const Graph& graph, ValueId to) {
  std::vector<bool> out(graph.values().size(), false);
  std::vector<ValueId> open{to};
  while (!open.empty()) {
    const auto id = open.back();
    open.pop_back();
    if (out[at(id)]) continue;
    out[at(id)] = true;
    const Node* node = detail::producer(graph, id);
    if (node == nullptr) continue;
    const bool recurs = std::holds_alternative<Recurrent>(node->op);
    for (std::size_t i = 0; i < node->inputs.size(); ++i)
      if (node->inputs[i] && !(recurs && i > 4)) open.push_back(node->inputs[i]);
  }
  return out;
}

/// Is the input, no picture by its extents, an output of the run before, by its name?
bool is_carried_over(const Graph& graph, ValueId input) {
  const auto& own = graph.value(input);
  if (own.shape.size() > 3) return false;
  const auto names = base::usual_state_outputs(own.name);
  return std::any_of(graph.outputs.begin(), graph.outputs.end(), [&](ValueId id) {
    const auto& output = graph.value(id);
    return output.type == own.type && output.shape == own.shape &&
           std::find(names.begin(), names.end(), output.name) != names.end();
  });
}

}  // namespace

namespace detail {

/// The first input with positions that the scores depend on; failing that the first with extents,
/// then any, then the first. A recurrent network's memory, and what is carried over from run to run
/// by its name, come after all others.
std::size_t image_input(const Graph& graph, ValueId logits) {
  std::vector<bool> carried;
  for (const auto input : graph.inputs) carried.push_back(is_carried_over(graph, input));
  for (const bool every : {false, true})
    for (const auto& reaching : {reaching_past_states(graph, logits), reaching(graph, logits)})
      for (const auto& [least, most] : {std::pair{3, 5}, std::pair{1, 64}, std::pair{0, 64}})
        for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
          const auto rank = std::ssize(graph.value(graph.inputs[i]).shape);
          if ((every || !carried[i]) && reaching[at(graph.inputs[i])] && rank >= least &&
              rank <= most)
            return i;
        }
  return 0;
}

std::vector<std::optional<std::size_t>> image_axes(const Graph& graph, ValueId logits) {
  if (graph.inputs.empty()) return single_axes(graph);
  const auto input = graph.inputs[image_input(graph, logits)];
  const auto images = images_in(graph, input);
  if (images > 1) {
    const auto where = follow_images(graph, input, along(0), images);
    if (axis_in(where[at(logits)], graph.value(logits).shape, images))
      return axes_of(graph, where, images);
  }
  return single_axes(graph);
}

}  // namespace detail

namespace {

[[noreturn]] void refuse(const Value& scores, const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, "the scores " + text(scores.shape) + " " + sentence,
              {"", scores.name, ""});
}

/// Throws where the scores of several images are not apart, image by image.
void check_batch(const Value& scores, const Along& where, std::int64_t images) {
  const auto several = std::to_string(images) + " images";
  if (where == kMixed)
    refuse(scores, "depend on all of the " + several +
                       " at once: the network mixes them; give one image at a time");
  if (where == kPicked)
    refuse(scores, "are those of some of the " + several +
                       ", or in another order; give one image at a time");
  if (where.axis != 0)
    refuse(scores, "keep the " + several + " along axis " + std::to_string(where.axis) +
                       ", where fovea wants them along the first; give one image at a time");
  if (where.inner != 1 && scores.shape.size() > 1)
    refuse(scores, "hold " + std::to_string(where.inner) + " rows for each of " + several +
                       ": rows that are positions or boxes are no scores of images");
  if (where.inner * images != scores.shape[0])
    refuse(scores, "of the " + several +
                       " lie in turns, where fovea wants one image's behind the other's; give one "
                       "image at a time");
}

/// Throws where one image's scores are rows.
void check_single(const Value& scores) {
  const auto& shape = scores.shape;
  const auto wide =
      std::count_if(shape.begin(), shape.end(), [](auto extent) { return extent > 1; });
  if (shape.empty() || shape[0] == 1 || wide <= 1) return;
  refuse(scores, "hold " + std::to_string(shape[0]) +
                     " rows for one image: rows that are positions or boxes are no scores of "
                     "images");
}

void set_single(const Graph& graph, ImageBatch& out) {
  out.axes = single_axes(graph);
  for (std::size_t v = 0; v < out.rows.size(); ++v)
    out.rows[v] = out.axes[v] == std::optional<std::size_t>(0);
}

}  // namespace

ImageBatch find_image_batch(const Graph& graph, ValueId logits) {
  ImageBatch out;
  out.rows.assign(graph.values().size(), false);
  out.axes.assign(graph.values().size(), std::nullopt);
  const auto& scores = graph.value(logits);
  const auto elements = base::element_count(scores.shape);
  if (elements == 0)
    throw Error(ErrorCode::bad_model, "the scores hold no element", {"", scores.name, ""});
  out.scores = elements;
  if (graph.inputs.empty()) {
    check_single(scores);
    return out;
  }
  out.input = detail::image_input(graph, logits);
  const auto input = graph.inputs[out.input];
  const auto images = images_in(graph, input);
  if (images > 1) {
    const auto where = follow_images(graph, input, along(0), images);
    const auto& end = where[at(logits)];
    // The first extent of [channels, rows, columns] counts no images, though there may be as many
    // classes.
    const bool is_one_image =
        end == kMixed && scores.shape.size() == 1 && graph.value(input).shape.size() == 3;
    const bool counted = !scores.shape.empty() && scores.shape[0] == images && !is_one_image;
    if (end.is_axis() || ((end == kMixed || end == kPicked) && counted))
      check_batch(scores, end, images);
    if (end.is_axis() || is_rows(end, scores.shape, images)) {
      out.count = images;
      out.is_followed = end.is_axis();
      out.scores = elements / images;
      out.axes = axes_of(graph, where, images);
      for (std::size_t v = 0; v < where.size(); ++v)
        out.rows[v] = out.axes[v] == std::optional<std::size_t>(0);
      for (const auto other : graph.inputs) {
        const auto& extents = graph.value(other).shape;
        if (other == input || extents.empty() || extents[0] != images) continue;
        const bool counts = is_rows(follow_images(graph, other, along(0), images)[at(logits)],
                                    scores.shape, images);
        out.rows[at(other)] = counts;
        out.axes[at(other)] = counts ? std::optional<std::size_t>(0) : std::nullopt;
      }
      return out;
    }
  }
  check_single(scores);
  set_single(graph, out);
  return out;
}

ImageBatch one_image(const Graph& graph, ValueId logits) {
  ImageBatch out;
  out.rows.assign(graph.values().size(), false);
  out.scores = base::element_count(graph.value(logits).shape);
  if (!graph.inputs.empty()) out.input = detail::image_input(graph, logits);
  check_single(graph.value(logits));
  set_single(graph, out);
  return out;
}

}  // namespace fovea::graph
