#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "c/infos.hpp"
#include "c/options.hpp"
#include "fovea/drawing.hpp"
#include "fovea/session.hpp"
#include "vision_c/guard.hpp"
#include "vision_c/handles.hpp"
#include "vision_c/images.hpp"

namespace {

using Command = fovea::Request::Command;

/// What the request's target says, as one text.
std::string text_of(const fovea::RequestTarget& target) {
  using Kind = fovea::RequestTarget::Kind;
  switch (target.kind) {
    case Kind::ranked:
      return "top:" + std::to_string(target.value + 1);
    case Kind::class_index:
      return "class:" + std::to_string(target.value) +
             (target.minus ? "-class:" + std::to_string(*target.minus) : "");
    case Kind::label:
      return "label:" + target.label;
    case Kind::similar_to:
      return "similar:" + target.image.file;
    case Kind::text:
      break;
  }
  return target.text;
}

void take_explanations(fovea_answer& to, std::vector<fovea::Explanation> all) {
  const auto& targets = to.request.targets;
  // Of a sheet several explanations are of one target, which comes first.
  const bool by_target = to.request.command == Command::sheet;
  for (std::size_t i = 0; i < all.size() && !targets.empty(); ++i) {
    const auto which = by_target ? i * targets.size() / all.size() : i % targets.size();
    to.explanations.targets.push_back(text_of(targets[which]));
  }
  to.explanations.targets.resize(all.size());
  to.explanations.all = std::move(all);
}

void take_predictions(fovea_answer& to, fovea::Run& run, const fovea::Explainer& explainer) {
  const auto& values = explainer.target_values();
  if (std::none_of(values.begin(), values.end(),
                   [](const auto& value) { return value.name.empty(); }))
    return;
  for (std::int64_t image = 0; image < run.logits().shape.front(); ++image)
    to.predictions.push_back(run.predictions(image));
}

std::unique_ptr<fovea_answer> answered(const char* request_json, const fovea::CallOptions& call) {
  auto request = fovea::request_from_json(request_json);
  if (request.command == Command::predict || request.command == Command::index)
    fovea::c::refuse("the request asks for no explanation");
  // Each file is read once for its digest, however often that is asked for.
  std::map<std::string, std::optional<std::string>> taken;
  const auto digest = [&](const std::string& file) {
    const auto found = taken.find(file);
    return found != taken.end() ? found->second
                                : taken.emplace(file, fovea::sha256_of(file)).first->second;
  };
  auto warnings = require_recorded(request, digest);
  const bool was_reduced = request.image && request.image->sha256 && !request.exact_decode;
  auto session = open_session(std::move(request), true);
  if (was_reduced)
    warnings.emplace_back(
        "the result was made from a reduced image, and this one is whole: maps may differ a "
        "little");
  const auto prepared = prepare(session, {}, call);
  auto result = answer(session, prepared, [&](const fovea::Method&) { return call; });

  auto out = std::make_unique<fovea_answer>();
  out->request = std::move(result.request);
  take_digests(out->request, digest);
  out->request_json = to_json(out->request);
  take_explanations(*out, std::move(result.explanations));
  take_predictions(*out, result.run, prepared.explainer);
  out->warnings = std::move(warnings);
  out->warnings.insert(out->warnings.end(), session.warnings.begin(), session.warnings.end());
  const auto& of_run = result.run.warnings();
  out->warnings.insert(out->warnings.end(), of_run.begin(), of_run.end());
  out->labels = std::move(session.labels);
  if (session.photo) {
    out->photo = std::move(session.photo->pixels.image);
    out->view = session.photo->view;
  }
  return out;
}

}  // namespace

extern "C" {

fovea_status fovea_answer_request(const char* request_json, const fovea_call_options* call,
                                  fovea_answer** answer, fovea_error* error) {
  if (answer != nullptr) *answer = nullptr;
  return fovea::vision_c::guarded(error, [&] {
    auto& to = fovea::c::required(answer, "answer");
    const auto limits = fovea::c::call_options(call);
    to = answered(&fovea::c::required(request_json, "request_json"), limits).release();
    return FOVEA_OK;
  });
}

void fovea_answer_destroy(fovea_answer* answer) {
  fovea::c::destroy(answer);
}

const fovea_explanations* fovea_answer_explanations(const fovea_answer* answer) {
  return fovea::c::lives(answer) ? &answer->explanations : nullptr;
}

const char* fovea_answer_request_json(const fovea_answer* answer) {
  return fovea::c::lives(answer) ? answer->request_json.c_str() : nullptr;
}

fovea_status fovea_answer_predictions(const fovea_answer* answer, int64_t image,
                                      fovea_prediction* predictions, size_t capacity, size_t* size,
                                      fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto& own = fovea::c::used(answer, "answer").predictions;
    auto& count = fovea::c::required(size, "size");
    const auto& all = fovea::c::at(own, static_cast<std::size_t>(image), "image with scores");
    count = all.size();
    if (predictions == nullptr) return FOVEA_OK;
    for (std::size_t i = 0; i < all.size() && i < capacity; ++i)
      predictions[i] = {all[i].class_index, all[i].logit, all[i].probability};
    return FOVEA_OK;
  });
}

const char* fovea_answer_label(const fovea_answer* answer, int64_t class_index) {
  if (!fovea::c::lives(answer) || class_index < 0 || class_index >= std::ssize(answer->labels))
    return nullptr;
  return answer->labels[static_cast<std::size_t>(class_index)].c_str();
}

size_t fovea_answer_warning_count(const fovea_answer* answer) {
  return fovea::c::lives(answer) ? answer->warnings.size() : 0;
}

const char* fovea_answer_warning(const fovea_answer* answer, size_t index) {
  if (index >= fovea_answer_warning_count(answer)) return nullptr;
  return answer->warnings[index].c_str();
}

fovea_status fovea_answer_overlay(const fovea_answer* answer, size_t index, fovea_image* image,
                                  fovea_error* error) {
  return fovea::vision_c::guarded(error, [&] {
    const auto& own = fovea::c::used(answer, "answer");
    const auto& why = fovea::c::at(own.explanations.all, index, "explanation");
    fovea::c::required(image, "image");
    if (own.photo.rgb.empty()) fovea::c::refuse("the request has no photo to draw on");
    return fovea::vision_c::give(error, image,
                                 drawn_over(own.photo, coloured(own.request, why), own.view));
  });
}

}  // extern "C"
