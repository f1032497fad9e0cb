#include "request/targets.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "fovea/asking.hpp"
#include "fovea/files.hpp"
#include "request/tasks.hpp"
#include "request/text.hpp"
#include "request/texts.hpp"

namespace fovea::request {
namespace {

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

/// How much of [begin, begin + size) is inside [0, 1) x `i` of `count` equal pieces of
/// [from, to).
double share(double from, double to, std::int64_t i, std::int64_t count, std::int64_t begin,
             std::int64_t size) {
  const double piece = (to - from) / static_cast<double>(count);
  const double left = from + piece * static_cast<double>(i), right = left + piece;
  const double inside = std::min(right, static_cast<double>(begin + size)) -
                        std::max(left, static_cast<double>(begin));
  return std::max(0.0, inside) / piece;
}

/// The part of each of the scores' positions that lies in the box.
std::vector<float> mask_of(const Box& box, const View& view, std::int64_t rows,
                           std::int64_t columns) {
  std::vector<float> out;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      out.push_back(static_cast<float>(share(view.y0, view.y1, r, rows, box.y, box.height) *
                                       share(view.x0, view.x1, c, columns, box.x, box.width)));
  return out;
}

/// What the network sees: of the photo, or all of a tensor.
View seen(const Session& session, const Explainer& explainer) {
  if (session.photo) return session.photo->view;
  const auto& shape = explainer.inputs().front().shape;
  if (shape.size() != 4) refuse("--region X,Y,W,H is of images: give a mask (.npy)");
  const bool last = shape[1] > 4 && shape[3] <= 4;
  return {0, 0, static_cast<double>(last ? shape[2] : shape[3]),
          static_cast<double>(last ? shape[1] : shape[2])};
}

std::string text_of(const Box& box) {
  return std::to_string(box.x) + "," + std::to_string(box.y) + "," + std::to_string(box.width) +
         "," + std::to_string(box.height);
}

std::vector<float> region_mask(const std::variant<Box, RequestFile>& region, const Session& session,
                               const Explainer& explainer, const Shape& scores) {
  if (const auto* box = std::get_if<Box>(&region)) {
    auto mask = mask_of(*box, seen(session, explainer), scores[2], scores[3]);
    if (std::all_of(mask.begin(), mask.end(), [](float v) { return v == 0; }))
      refuse("--region " + text_of(*box) + ": the network sees nothing of it");
    return mask;
  }
  const auto& file = std::get<RequestFile>(region).file;
  const ErrorContext where{.file = file, .node = {}, .op = {}};
  auto mask = read_npy(file);
  if (mask.shape != Shape{scores[2], scores[3]})
    throw Error(ErrorCode::bad_input,
                "the region's mask is " + shape_text(mask.shape) + ", and the scores are " +
                    shape_text({scores[2], scores[3]}),
                where);
  if (!std::all_of(mask.data.begin(), mask.data.end(), [](float v) { return std::isfinite(v); }))
    throw Error(ErrorCode::bad_input, "the region's mask has values that are not finite", where);
  return std::move(mask.data);
}

Target over_region(std::int64_t channel, const Shape& scores, const std::vector<float>& mask) {
  if (channel < 0 || channel >= scores[1])
    refuse("class " + std::to_string(channel) + " is out of range: the scores have " +
           std::to_string(scores[1]) + " channels, 0 to " + std::to_string(scores[1] - 1));
  return Target::region(channel, scores[1], mask);
}

/// Of the output that the scores are.
Shape scores_at_positions(const Session& session, const Explainer& explainer) {
  return in_file(session.request.model.file, [&] {
    // A run's own are flat.
    auto shape = explainer.shapes().at(session.options.compile.output);
    if (shape.size() != 4)
      refuse("--region is of scores [images, classes, rows, columns], and the model's are " +
             shape_text(shape));
    return shape;
  });
}

/// The input that the other image takes the place of.
std::string compared_input(const Session& session) {
  if (session.photo) return session.photo->input;
  if (session.tensors.size() == 1) return session.tensors.begin()->first;
  refuse("--similar-to: the model has several inputs and none of them is a photo's");
}

Tensor other_input(const std::string& file, const Session& session) {
  const auto& own = session.tensors.at(compared_input(session));
  const ErrorContext where{.file = file, .node = {}, .op = {}};
  if (lower(file).ends_with(".npy")) {
    auto tensor = read_npy(file);
    if (tensor.shape != own.shape)
      throw Error(ErrorCode::bad_input,
                  "the tensor to compare with is " + shape_text(tensor.shape) + ", and the input " +
                      shape_text(own.shape),
                  where);
    return tensor;
  }
  if (!session.photo)
    refuse("--similar-to: a tensor is explained, so the other image must be one too (.npy)");
  const auto& recipe = session.photo->recipe;
  const auto [layout, channels, height, width] = *image_shape(own.shape);
  // As the photo itself, so that an image is wholly like itself.
  auto out = session.photo->is_whole()
                 ? preprocess(read_image(file), recipe, channels, height, width, layout)
                 : preprocess(read_reduced(file, recipe, static_cast<int>(width),
                                           static_cast<int>(height)),
                              recipe, channels, height, width, layout);
  out.shape = own.shape;  // an image alone has no extent that counts
  return out;
}

Target similar_to(const RequestTarget& target, Session& session, const Explainer& explainer) {
  const auto& file = target.image.file;
  const auto similarity = target.similarity;
  const auto value = value_read(session, target);
  auto other = session.tensors;
  other[compared_input(session)] = other_input(file, session);
  Feeds feeds;
  for (const auto& [name, tensor] : other) feeds.emplace(name, TensorView(tensor));
  const auto run = timed(session.times.forward, [&] { return explainer.forward(feeds); });
  if (run.logits().shape.front() != 1) refuse("--similar-to compares one image with another");
  auto scores = value.empty() ? run.logits() : run.output(value);
  // Of a row that holds other values too, the scores are the first.
  for (const auto& read : explainer.target_values())
    if (value.empty() && read.name.empty() && explainer.target_values().size() > 1)
      scores.data.resize(static_cast<std::size_t>(
          std::accumulate(read.shape.begin(), read.shape.end(), std::int64_t{1},
                          [](std::int64_t count, std::int64_t extent) {
                            return count * std::max<std::int64_t>(extent, 1);
                          })));
  if (similarity == RequestTarget::Similarity::cosine)
    return Target::similarity(scores.data, value);
  double length = 0;
  for (const float v : scores.data) length += static_cast<double>(v) * v;
  if (length == 0)
    refuse("--similar-to: the other image's output is all zeros, so that it has no direction");
  auto unit = scores.data;
  for (auto& v : unit) v = static_cast<float>(v / std::sqrt(length));
  return Target::weighted(std::move(unit), value);
}

}  // namespace

void choose_output(Session& session) {
  const auto& targets = session.request.targets;
  const bool regions = std::any_of(targets.begin(), targets.end(),
                                   [](const auto& target) { return target.region.has_value(); });
  std::vector<std::string> names;
  for (const auto& output : session.model.outputs()) names.push_back(output.name);
  const auto& wanted = session.options.compile.output;
  if (!wanted.empty() && std::find(names.begin(), names.end(), wanted) == names.end())
    refuse("the model has no output '" + wanted + "'" + did_you_mean(names, wanted) +
           " (its outputs are: " + joined(names) + ")");
  if (!regions || !wanted.empty()) return;
  names.clear();
  for (const auto& output : session.model.outputs())
    if (output.refusal.empty()) names.push_back(output.name);
  if (names.size() != 1)
    refuse("--region: the model has several outputs: say which with --output-name");
  session.options.compile.output = names.front();
}

void name_classes(Session& session) {
  using Kind = RequestTarget::Kind;
  for (auto& target : session.request.targets) {
    if (target.kind == Kind::text) {
      const auto named = target_from_text(target.text);
      if (target.minus && named.minus) refuse("the target takes a class off another itself");
      if (named.minus) target.minus = named.minus;
      target.kind = named.kind;
      target.value = named.value;
      target.label = named.label;
      target.text = named.text;
    }
    if (target.kind == Kind::label) {
      target.value = find_label(session.labels, target.label);
      target.kind = Kind::class_index;
      target.label.clear();
    }
    const bool of_a_class = target.kind == Kind::class_index;
    const bool of_probability = target.score == RequestTarget::Score::probability;
    if (target.region && !of_a_class)
      refuse("--region is of a class: say which with --class or --label");
    const bool is_text = target.kind == Kind::text;
    if ((target.region || target.kind == Kind::similar_to || is_text) &&
        (target.minus || of_probability))
      refuse(is_text ? "--minus and --score are of one class's score, and --target says all itself"
                     : "--minus and --score are of one class's score, and --region and "
                       "--similar-to are not");
    if (target.minus && (!of_a_class || of_probability))
      refuse(
          "--minus takes a class off another: say which with --class or --label, and leave "
          "--score alone");
  }
}

RequestTarget for_method(RequestTarget target, const std::string& method,
                         const Explainer& explainer) {
  using Score = RequestTarget::Score;
  if (target.score != Score::by_method) return target;
  const bool one_class = !target.region && !target.minus &&
                         target.kind != RequestTarget::Kind::similar_to &&
                         target.kind != RequestTarget::Kind::text;
  target.score =
      one_class && explains_probability(method, explainer) ? Score::probability : Score::logit;
  return target;
}

void check_targets(const std::vector<Target>& targets, std::int64_t classes) {
  if (classes == 0) return;  // nothing was selected, as the run says
  for (const auto& target : targets) {
    const auto known = [&](std::int64_t index) { return index >= 0 && index < classes; };
    const auto* ranked = target.as<Target::Ranked>();
    std::int64_t wrong = 0;
    if (ranked != nullptr) wrong = ranked->rank;
    if (const auto* one = target.as<Target::Class>()) wrong = one->index;
    if (const auto* pair = target.as<Target::Difference>())
      wrong = known(pair->index) ? pair->minus : pair->index;
    if (known(wrong)) continue;
    const auto range = std::to_string(classes) + " classes, 0 to " + std::to_string(classes - 1);
    throw Error(
        ErrorCode::invalid_argument,
        ranked != nullptr
            ? "--top " + std::to_string(wrong + 1) + " is more than the model's " +
                  std::to_string(classes) + " classes"
            : "class " + std::to_string(wrong) + " is out of range: the model has " + range);
  }
}

std::vector<Target> resolved_targets(const std::vector<RequestTarget>& asked, Session& session,
                                     const Explainer& explainer) {
  using Kind = RequestTarget::Kind;
  if (!session.resolved.empty()) return session.resolved;
  std::vector<Target> out;
  for (const auto& target : asked) {
    auto& made = out.emplace_back();
    if (target.kind == Kind::similar_to) {
      made = similar_to(target, session, explainer);
    } else if (target.kind == Kind::text) {
      made = target_of_text(target, explainer);
    } else if (target.region) {
      const auto scores = scores_at_positions(session, explainer);
      made = over_region(target.value, scores,
                         region_mask(*target.region, session, explainer, scores));
    } else if (target.minus) {
      made = Target::difference(target.value, *target.minus);
    } else {
      made = target.kind == Kind::ranked ? Target::ranked(target.value)
                                         : Target::class_index(target.value);
      made.probability = target.score == RequestTarget::Score::probability;
    }
    made.negated = target.negated;
  }
  return out;
}

}  // namespace fovea::request
