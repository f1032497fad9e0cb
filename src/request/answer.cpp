#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "fovea/session.hpp"
#include "request/captions.hpp"
#include "request/methods.hpp"
#include "request/targets.hpp"
#include "request/tasks.hpp"
#include "request/text.hpp"
#include "request/texts.hpp"

namespace fovea {
namespace {

using request::in_file;

bool is_sheet(const Session& session) {
  return session.request.command == Request::Command::sheet;
}

ExplainOptions explain_options(const Request& request) {
  ExplainOptions out;
  out.normalize = request.normalize;
  out.fuse = request.fuse;
  out.smooth = request.smooth;
  out.keep_sign = request.keep_sign;
  return out;
}

/// True where the model can serve the method; a warning where it cannot and may be without.
bool can_serve(Session& session, const Method& method, const CallOptions& call) {
  const auto& request = session.request;
  try {
    auto options = session.options;
    options.prepare.methods = {method};
    options.prepare.layers = request.layers;
    options.compile.tuning = Tuning::off;
    request::read_task_values(session, options);
    const Explainer trial(session.model, options, call);
    return true;
  } catch (const Error& error) {
    const bool of_method = error.code() == ErrorCode::invalid_argument ||
                           error.code() == ErrorCode::unsupported;  // by the method's rules
    if (!request.skip_unservable || !of_method) throw;
    session.warnings.push_back(method.name + " is left out: " + error.what());
    return false;
  }
}

void add_times(Session& session, const std::vector<Explanation>& explanations) {
  for (const auto& why : explanations) {
    session.times.backward += why.timings_ms.backward;
    session.times.map += why.timings_ms.map;
  }
}

// A rank, as what it turned out to be. One of scores at positions stays: no class has it.
void name_class(RequestTarget& target, const Explanation& why) {
  if (target.kind != RequestTarget::Kind::ranked || !why.prediction) return;
  target.kind = RequestTarget::Kind::class_index;
  target.value = why.prediction->class_index;
}

Answer answer_one(Session& session, const Prepared& prepared, Answer out, const CallOptions& call) {
  if (out.targets.empty()) return out;
  const auto& request = session.request;
  const auto& method = prepared.methods.front();
  auto options = explain_options(request);
  const auto prepared_layers = prepared.explainer.prepared_layers();
  if (request.layers.size() > 1) options.layers = prepared_layers;
  if (request.layers.size() == 1) options.layer = prepared_layers.front();
  in_file(request.model.file, [&] {
    if (session.own_layers.empty()) {
      out.explanations = out.run.explain(method, out.targets, options, call);
      return;
    }
    // Those of a layer in one call, which may walk back from all of them at once.
    out.explanations.resize(out.targets.size());
    std::map<std::string, std::vector<std::size_t>> of_layer;
    for (std::size_t i = 0; i < out.targets.size(); ++i)
      of_layer[session.own_layers[i]].push_back(i);
    for (const auto& [layer, places] : of_layer) {
      std::vector<Target> targets;
      for (const auto i : places) targets.push_back(out.targets[i]);
      options.layer = layer;
      auto found = out.run.explain(method, targets, options, call);
      for (std::size_t k = 0; k < places.size(); ++k)
        out.explanations[places[k]] = std::move(found[k]);
    }
  });
  const auto& first = out.explanations.front();
  // None where the input itself was explained.
  out.request.layers = first.layers;
  const bool of_a_layer = std::find(prepared_layers.begin(), prepared_layers.end(), first.layer) !=
                          prepared_layers.end();
  if (first.layers.empty() && of_a_layer && session.own_layers.empty())
    out.request.layers = {first.layer};
  const auto& features = prepared.explainer.feature_layer();
  if (request.layers.empty() && out.request.layers.size() == 1 && !features.empty() &&
      features != out.request.layers.front())
    out.request.features = features;
  // A tie may turn out otherwise the next time, unless each image has its own.
  if (out.explanations.size() == out.targets.size())
    for (std::size_t i = 0; i < out.targets.size(); ++i)
      name_class(out.request.targets[i], out.explanations[i]);
  out.request.normalize = first.normalize;
  return out;
}

Answer answer_sheet(Session& session, const Prepared& prepared, Answer out,
                    const std::function<CallOptions(const Method&)>& call) {
  const auto& request = session.request;
  const auto images = out.run.logits().shape.front();
  if (images > 1)
    throw Error(
        ErrorCode::invalid_argument,
        "several methods on one sheet are of one image: the input holds " + std::to_string(images));
  // Methods that explain the input turn to a layer where one is named, so the default goes unnamed.
  const auto layers =
      request.layers.empty() ? std::vector<std::string>{""} : prepared.explainer.prepared_layers();
  auto options = explain_options(request);
  for (std::size_t t = 0; t < out.targets.size(); ++t) {
    const auto first = out.explanations.size();
    for (const auto& layer : layers)
      for (const auto& method : prepared.methods) {
        options.layer = layer;
        if (layer.empty() && !session.own_layers.empty() &&
            method_info(method.name).kind == MapKind::layer)
          options.layer = session.own_layers[t];
        auto target = out.targets[t];
        const auto asked = request::for_method(request.targets[t], method.name, prepared.explainer);
        target.probability = asked.score == RequestTarget::Score::probability;
        out.explanations.push_back(in_file(request.model.file, [&] {
          return out.run.explain(method, target, options, call ? call(method) : CallOptions{});
        }));
      }
    name_class(out.request.targets[t], out.explanations.at(first));
  }
  if (!request.layers.empty()) out.request.layers = layers;
  return out;
}

}  // namespace

Prepared prepare(Session& session, const std::vector<Method>& also, const CallOptions& call) {
  request::write_caption(session, call);
  request::prepare_texts(session, call);
  session.request.method_by_target = false;
  const auto& request = session.request;
  // Nothing was found to explain: the network runs, and that is all.
  const bool found_nothing = !session.asked.empty() && session.resolved.empty();
  std::vector<RequestMethod> served;
  std::vector<Method> methods;
  for (const auto& asked : request.methods) {
    auto method = request::method_of(asked);
    const bool serves = !is_sheet(session) || found_nothing || in_file(request.model.file, [&] {
      return can_serve(session, method, call);
    });
    if (!serves) continue;
    served.push_back(asked);
    methods.push_back(std::move(method));
  }
  if (methods.empty())
    throw Error(ErrorCode::invalid_argument, "the model can serve none of the methods",
                {.file = request.model.file, .node = {}, .op = {}});
  auto all = methods;
  all.insert(all.end(), also.begin(), also.end());
  auto layers = request.layers;
  for (const auto& layer : session.own_layers)
    if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
  if (found_nothing) {
    all.clear();
    layers.clear();
  }
  auto explainer = session.explainer(layers, all, call);
  return {std::move(served), std::move(methods), std::move(explainer)};
}

Answer answer(Session& session, const Prepared& prepared,
              const std::function<CallOptions(const Method&)>& call) {
  auto asked = session.request.targets;
  const auto& method = prepared.methods.front();
  if (!is_sheet(session))
    for (auto& target : asked)
      target = request::for_method(target, method.name, prepared.explainer);
  auto targets = request::resolved_targets(asked, session, prepared.explainer);
  // A sheet's methods have limits of their own.
  const auto limits = call && !is_sheet(session) ? call(method) : CallOptions{};
  CallOptions of_forward;
  of_forward.stop = limits.stop;
  of_forward.stop_flag = limits.stop_flag;
  of_forward.deadline = limits.deadline;
  Answer out{came_out(session, prepared.explainer),
             std::move(targets),
             session.forward(prepared.explainer, of_forward),
             {}};
  request::check_targets(out.targets, out.run.logits().shape.back());
  // Nothing was found to explain: what was asked for is all there is to say.
  out.request.targets = asked.empty() ? session.asked : std::move(asked);
  out.request.methods.clear();
  for (const auto& served : prepared.served)
    out.request.methods.push_back(request::with_defaults(served));
  out.request.skip_unservable = false;
  out = is_sheet(session) ? answer_sheet(session, prepared, std::move(out), call)
                          : answer_one(session, prepared, std::move(out), limits);
  add_times(session, out.explanations);
  return out;
}

Answer run(Request request, const CallOptions& call) {
  if (request.command == Request::Command::predict || request.command == Request::Command::index)
    throw Error(ErrorCode::invalid_argument, "the request asks for no explanation");
  require_recorded(request);
  auto session = open_session(std::move(request));
  const auto prepared = prepare(session, {}, call);
  return answer(session, prepared, [&](const Method&) { return call; });
}

Request came_out(const Session& session, const Explainer& explainer) {
  auto out = session.request;
  // A request is of the step, whose caption is written again.
  const auto& compile = session.one_step ? session.one_step->compile : session.options.compile;
  const auto folder = std::filesystem::path(out.model.file).parent_path();
  out.external.clear();
  const auto& files = session.model.files();
  for (std::size_t i = 1; i < files.size(); ++i)
    out.external.push_back({files[i].lexically_relative(folder).string()});
  out.exact_decode = session.photo && session.photo->is_whole();
  if (session.photo) {
    out.image = RequestFile{session.photo->file};
    out.preprocess = Recipe{session.photo->left_recipe.value_or(session.photo->recipe), true};
  }
  out.input_shapes = compile.input_shapes;
  out.output = compile.output;
  out.multi_label = compile.multi_label;
  request::record_states(session, out);
  out.precision = explainer.precision();
  out.threads = explainer.threads();
  return out;
}

}  // namespace fovea
