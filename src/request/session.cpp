#include "fovea/session.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "request/captions.hpp"
#include "request/check.hpp"
#include "request/inputs.hpp"
#include "request/metadata.hpp"
#include "request/targets.hpp"
#include "request/tasks.hpp"
#include "request/text.hpp"
#include "request/words.hpp"

namespace fovea {
namespace {

using request::in_file;
using request::timed;

const std::string* metadata(const Model& model, const std::string& key) {
  const auto found = model.metadata().find(key);
  return found == model.metadata().end() ? nullptr : &found->second;
}

/// The request's, or the model's own, or none.
struct Said {
  std::optional<Recipe> recipe = {};
  RecipeSource source = RecipeSource::assumed;
};
Said recipe_of(const Session& session) {
  if (session.request.preprocess) return {session.request.preprocess, RecipeSource::request};
  auto own = fovea::recipe_of(session.model, session.request.model.file);
  return own ? Said{std::move(own), RecipeSource::model} : Said{};
}

void read_photo(Session& session, const std::string& file, bool in_full) {
  const auto said = recipe_of(session);
  request::read_photo(session, file, said.recipe, said.source, in_full);
}

/// Scores that hardly prefer a class are what a network makes of pixels that were prepared
/// otherwise than in its training.
bool nearly_uniform(const std::vector<Prediction>& predictions) {
  constexpr double kShare = 0.95;  // of the entropy of classes that are all as likely
  double entropy = 0, total = 0;
  for (const auto& one : predictions) {
    const double p = one.probability;
    total += p;
    if (p > 0) entropy -= p * std::log(p);
  }
  return predictions.size() > 1 && std::abs(total - 1) < 0.01 &&
         entropy > kShare * std::log(static_cast<double>(predictions.size()));
}

// Scores at positions have theirs at each.
std::int64_t class_count(const Session& session, const Explainer& explainer, const Tensor& scores) {
  const auto& outputs = session.model.outputs();
  const auto& name = session.options.compile.output.empty() && outputs.size() == 1
                         ? outputs.front().name
                         : session.options.compile.output;
  const auto it = explainer.shapes().find(name);
  const auto all = scores.shape.back();
  const bool at_positions = it != explainer.shapes().end() && it->second.size() == 4 &&
                            it->second[1] != all && it->second[3] != all;
  return at_positions ? it->second[1] : all;
}

/// The only input by its name.
void name_input(std::map<std::string, RequestFile>& inputs, const Model& model) {
  auto unnamed = inputs.extract("");
  if (unnamed.empty()) return;
  unnamed.key() = request::only_input(model);
  if (!inputs.insert(std::move(unnamed)).inserted)
    throw Error(ErrorCode::invalid_argument, "the only input is given twice");
}

}  // namespace

void Session::take_photo(const std::string& file) {
  request::forget_caption(*this);
  if (photo) tensors.erase(photo->input);
  read_photo(*this, file, request.exact_decode);
}

Feeds Session::feeds() const {
  Feeds out;
  for (const auto& [name, tensor] : tensors) out.emplace(name, TensorView(tensor));
  return out;
}

Explainer Session::explainer(const std::vector<std::string>& layers,
                             const std::vector<Method>& methods, const CallOptions& call) {
  request::write_caption(*this, call);
  auto all = options;
  all.prepare.layers = layers;
  all.prepare.methods = methods;
  request::read_task_values(*this, all);
  auto out = in_file(request.model.file, [&] {
    require_layers(model, options, layers, call);
    return timed(times.create, [&] { return Explainer(model, all, call); });
  });
  warnings.insert(warnings.end(), out.warnings().begin(), out.warnings().end());
  return out;
}

Run Session::forward(const Explainer& explainer, const CallOptions& call) {
  auto run = in_file(request.model.file, [&] {
    return timed(times.forward, [&] { return explainer.forward(feeds(), call); });
  });
  request::keep_states(*this, run);
  const auto classes = class_count(*this, explainer, run.logits());
  const auto& read = explainer.target_values();
  const bool reads_scores = std::any_of(
      read.begin(), read.end(), [](const TargetValue& value) { return value.name.empty(); });
  if (reads_scores && !labels.empty() && static_cast<std::int64_t>(labels.size()) != classes)
    warnings.push_back("there are " + std::to_string(labels.size()) + " labels for " +
                       std::to_string(classes) + " classes");
  if (photo && photo->recipe_source == RecipeSource::assumed && !options.compile.multi_label &&
      nearly_uniform(run.predictions()))
    warnings.emplace_back(
        "the scores hardly prefer a class, and how the photo is prepared was assumed: say it with "
        "--preprocess");
  return run;
}

Run Session::ask(const Explainer& explainer, const CallOptions& call) {
  if (task) request::find(*this, explainer, call);
  return forward(explainer, call);
}

Session open_session(Request request, bool whole_photo) {
  double load = 0;
  auto model = timed(load, [&] { return load_model(request); });
  auto session = open_session(std::move(request), std::move(model), whole_photo);
  session.times.load = load;
  return session;
}

Session open_session(Request asked, Model model, bool whole_photo) {
  request::check(asked, "request");
  Session session{std::move(asked), std::move(model)};
  auto& request = session.request;
  if (request.labels)
    session.labels = read_labels(request.labels->file);
  else if (const auto* own = metadata(session.model, "fovea.labels"))
    session.labels = parse_labels(*own);
  name_input(request.inputs, session.model);
  request::check_shapes(session.model, request.input_shapes);
  session.options = explainer_options(request);
  request::fix_inputs(session);
  const auto* activation = metadata(session.model, "fovea.activation");
  if (activation && *activation == "sigmoid") session.options.compile.multi_label = true;

  request::read_tensors(session);
  if (request.image)
    read_photo(session, request.image->file, whole_photo || request.exact_decode);
  else if (request.preprocess || request.whole)
    throw Error(ErrorCode::invalid_argument,
                std::string(request.preprocess ? "--preprocess" : "--whole") +
                    " is for photos; a tensor is taken as it is");
  request::start_task(session);
  request::require_all_inputs(session);
  request::fix_other_images(session);
  request::warn_of_recipe(session);
  request::choose_output(session);
  const bool explains =
      request.command == Request::Command::explain || request.command == Request::Command::sheet;
  if (explains && session.task && request.targets.size() == 1) {
    auto& target = request.targets.front();
    const bool negated = std::exchange(target.negated, false);
    if (target == RequestTarget())
      if (auto words = request::default_words(*session.task); !words.empty())
        target = target_from_text(words);
    target.negated = negated;
  }
  if (session.labels.empty())
    session.labels = labels_of(session.model, session.options.compile.output);
  request::name_classes(session);
  return session;
}

}  // namespace fovea
