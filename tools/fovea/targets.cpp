#include "targets.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "feeds.hpp"
#include "how.hpp"
#include "npy.hpp"
#include "provenance.hpp"
#include "text.hpp"

namespace fovea::cli {
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

std::vector<float> region_mask(const ExplainArguments& arguments, const Session& session,
                               const Explainer& explainer, const Shape& scores) {
  const ErrorContext where{.file = arguments.region, .node = {}, .op = {}};
  if (!is_region_file(arguments.region)) {
    const auto box = parse_region(arguments.region);
    auto mask = mask_of(box, seen(session, explainer), scores[2], scores[3]);
    if (std::all_of(mask.begin(), mask.end(), [](float v) { return v == 0; }))
      refuse("--region " + arguments.region + ": the network sees nothing of it");
    return mask;
  }
  auto mask = read_npy(arguments.region);
  if (mask.shape != Shape{scores[2], scores[3]})
    throw Error(ErrorCode::bad_input,
                "the region's mask is " + shape_text(mask.shape) + ", and the scores are " +
                    shape_text({scores[2], scores[3]}),
                where);
  if (!std::all_of(mask.data.begin(), mask.data.end(), [](float v) { return std::isfinite(v); }))
    throw Error(ErrorCode::bad_input, "the region's mask has values that are not finite", where);
  return std::move(mask.data);
}

Target over_region(const Target& target, const Shape& scores, const std::vector<float>& mask) {
  if (target.value < 0 || target.value >= scores[1])
    refuse("class " + std::to_string(target.value) + " is out of range: the scores have " +
           std::to_string(scores[1]) + " channels, 0 to " + std::to_string(scores[1] - 1));
  auto out = Target::region(target.value, scores[1], mask);
  out.negated = target.negated;
  return out;
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
  if (decode_text(*session.photo) == "full")
    return preprocess(read_image(file), recipe, channels, height, width, layout);
  return preprocess(read_reduced(file, recipe, static_cast<int>(width), static_cast<int>(height)),
                    recipe, channels, height, width, layout);
}

Target similar_to(const std::string& file, Session& session, const Explainer& explainer,
                  bool negated) {
  auto other = session.tensors;
  other[compared_input(session)] = other_input(file, session);
  Feeds feeds;
  for (const auto& [name, tensor] : other) feeds.emplace(name, TensorView(tensor));
  const auto run = timed(session.times.forward, [&] { return explainer.forward(feeds); });
  const auto& scores = run.logits();
  if (scores.shape.front() != 1) refuse("--similar-to compares one image with another");
  auto out = Target::similarity(scores.data);
  out.negated = negated;
  return out;
}

}  // namespace

void choose_output(const ExplainArguments& arguments, Session& session) {
  if (arguments.region.empty() || !session.options.output.empty()) return;
  const auto& outputs = session.model.outputs();
  if (outputs.size() != 1)
    refuse("--region: the model has several outputs: say which with --output-name");
  session.options.output = outputs.front().name;
}

std::vector<Target> choose_targets(const ExplainArguments& arguments, const Labels& labels) {
  std::vector<Target> targets;
  if (!arguments.region.empty() && arguments.classes.empty() && arguments.target_labels.empty())
    refuse("--region is of a class: say which with --class or --label");
  if (!arguments.region.empty() || !arguments.similar_to.empty())
    if (arguments.minus || arguments.score == "probability")
      refuse("--minus and --score are of one class's score, and --region and --similar-to are not");
  for (const auto index : arguments.classes) targets.push_back(Target::class_index(index));
  for (const auto& label : arguments.target_labels)
    targets.push_back(Target::class_index(find_label(labels, label)));
  for (std::int64_t rank = 0; targets.size() < static_cast<std::size_t>(arguments.top) &&
                              arguments.classes.empty() && arguments.target_labels.empty();
       ++rank)
    targets.push_back(Target::ranked(rank));
  for (auto& target : targets) {
    if (arguments.minus) {
      if (target.kind != Target::Kind::class_index || arguments.score == "probability")
        throw Error(ErrorCode::invalid_argument,
                    "--minus takes a class off another: say which with --class or --label, and "
                    "leave --score alone");
      target = Target::difference(target.value, *arguments.minus);
    }
    if (arguments.score == "probability") target = target.of_probability();
    if (arguments.against) target = target.counterfactual();
  }
  return targets;
}

Target target_for(const Target& target, const ExplainArguments& arguments, const Method& method) {
  const bool of_a_class =
      target.kind == Target::Kind::class_index || target.kind == Target::Kind::ranked;
  const bool told = !arguments.score.empty() || !arguments.region.empty() ||
                    !arguments.similar_to.empty() || !of_a_class;
  return told || !info_of(method.name).of_probability ? target : target.of_probability();
}

void check_targets(const std::vector<Target>& targets, std::int64_t classes) {
  for (const auto& target : targets) {
    const auto known = [&](std::int64_t index) { return index >= 0 && index < classes; };
    if (known(target.value) && known(target.other)) continue;
    const auto range = std::to_string(classes) + " classes, 0 to " + std::to_string(classes - 1);
    throw Error(ErrorCode::invalid_argument,
                target.kind == Target::Kind::ranked
                    ? "--top " + std::to_string(target.value + 1) + " is more than the model's " +
                          std::to_string(classes) + " classes"
                    : "class " + std::to_string(known(target.value) ? target.other : target.value) +
                          " is out of range: the model has " + range);
  }
}

bool is_region_file(const std::string& region) {
  return lower(region).ends_with(".npy");
}

Box parse_region(const std::string& text) {
  std::int64_t numbers[4] = {};
  const char *at = text.data(), *const end = at + text.size();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto [rest, failure] = std::from_chars(at, end, numbers[i]);
    const bool whole =
        failure == std::errc() && (i == 3 ? rest == end : rest != end && *rest == ',');
    if (!whole || numbers[i] < (i < 2 ? 0 : 1) || numbers[i] > (std::int64_t{1} << 31))
      refuse("--region '" + text + "' is neither X,Y,WIDTH,HEIGHT in pixels nor a .npy file");
    at = rest + (i == 3 ? 0 : 1);
  }
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

std::vector<Target> resolved_targets(const ExplainArguments& arguments, Session& session,
                                     const Explainer& explainer,
                                     const std::vector<Target>& chosen) {
  if (!arguments.similar_to.empty())
    return {similar_to(arguments.similar_to, session, explainer, arguments.against)};
  if (arguments.region.empty()) return chosen;
  const auto scores = in_file(session.model_file, [&] {
    // A run's own are flat.
    auto shape = explainer.shapes().at(session.options.output);
    if (shape.size() != 4)
      refuse("--region is of scores [images, classes, rows, columns], and the model's are " +
             shape_text(shape));
    return shape;
  });
  const auto mask = region_mask(arguments, session, explainer, scores);
  std::vector<Target> out;
  for (const auto& target : chosen) out.push_back(over_region(target, scores, mask));
  return out;
}

std::vector<std::string> files_read(const ExplainArguments& arguments) {
  auto out = input_files(arguments);
  if (!arguments.replay.empty()) out.push_back(arguments.replay);
  if (is_region_file(arguments.region)) out.push_back(arguments.region);
  if (!arguments.similar_to.empty()) out.push_back(arguments.similar_to);
  if (!arguments.examples.empty()) out.push_back(arguments.examples);
  for (const auto& text : arguments.given) out.push_back(text.substr(text.find('=') + 1));
  return out;
}

}  // namespace fovea::cli
