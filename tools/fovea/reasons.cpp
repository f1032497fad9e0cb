#include "reasons.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "provenance.hpp"
#include "recipe.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

/// Methods that explain the input have nothing to do with the layer's channels.
bool of_layer(const std::string& name) {
  for (const auto& info : methods())
    if (info.name == name) return info.kind == MapKind::layer;
  return false;
}

bool wants_channels(const Request& request) {
  if (request.layers.size() > 1) return false;
  return request.examples || (request.words && of_layer(request.methods.front().name));
}

Json place_json(const Place& place) {
  auto from = Json::array(), to = Json::array();
  for (const float v : place.from) from.push_back(shortest(v));
  for (const float v : place.to) to.push_back(shortest(v));
  return {{"words", place.words},
          {"from", from},
          {"to", to},
          {"share", shortest(place.share)},
          {"size", shortest(place.size)}};
}

Json shares_json(const std::vector<ChannelShare>& shares) {
  auto out = Json::array();
  for (const auto& [channel, share] : shares)
    out.push_back({{"channel", channel}, {"share", shortest(share)}});
  return out;
}

Json words_json(const Description& words) {
  Json json;
  json["text"] = words.text;
  json["class"] = words.class_index < 0 ? Json(nullptr) : Json(words.class_index);
  json["label"] = words.label.empty() ? Json(nullptr) : Json(words.label);
  json["score"] = shortest(static_cast<float>(words.score));
  json["probability"] = words.probability ? Json(shortest(*words.probability)) : Json(nullptr);
  json["rank"] = words.rank > 0 ? Json(words.rank) : Json(nullptr);
  json["place"] = words.place ? place_json(*words.place) : Json(nullptr);
  json["negative_share"] = shortest(words.negative_share);
  if (words.against_share) {
    json["channels"] = shares_json(words.channels);
    json["against"] = shares_json(words.against);
    json["against_share"] = shortest(*words.against_share);
  }
  if (words.rival) {
    json["rival"] = {{"class", words.rival->class_index},
                     {"label", words.rival_label.empty() ? Json(nullptr) : Json(words.rival_label)},
                     {"probability", shortest(words.rival->probability)}};
  }
  return json;
}

const LayerInfo* info_of(const Explainer& explainer, const std::string& layer) {
  for (const auto& info : explainer.layers())
    if (info.name == layer) return &info;
  return nullptr;
}

bool holds_only(const ExampleIndex& index, const std::string& digest) {
  for (std::int64_t i = 0; i < index.size(); ++i)
    if (digest.empty() || index.digest(i) != digest) return false;
  return true;
}

/// A layer that is named is taken as it is.
std::string features_of(const Request& request, const Explainer& explainer) {
  const auto prepared = explainer.prepared_layers();
  if (prepared.empty()) return {};
  const auto& out = request.layers.empty() ? prepared.back() : prepared.front();
  if (request.layers.empty() && !request.features.empty() && request.features != out)
    throw Error(ErrorCode::invalid_argument, "the result's features were those of '" +
                                                 request.features +
                                                 "', and this fovea takes those of '" + out + "'");
  return out;
}

}  // namespace

std::string feature_layer(Session& session, const Explainer& explainer) {
  auto out = features_of(session.request, explainer);
  const auto* info = info_of(explainer, out);
  const auto& drawn = explainer.default_layer();
  const std::string holds = "' holds a map per class";
  if (session.request.layers.empty() && out != drawn)
    session.warnings.push_back("'" + drawn + holds + ": the features are those of '" + out +
                               "', the last layer in front of it");
  else if (info != nullptr && info->class_maps)
    session.warnings.push_back("'" + out + holds +
                               ", so that its features tell no more than the scores");
  return out;
}

void check_reasons(const Request& request, const ExplainOutputs& outputs) {
  const auto refuse = [](const std::string& sentence) {
    throw Error(ErrorCode::invalid_argument, sentence);
  };
  if (request.examples && request.layers.size() > 1) refuse("--examples are of one layer");
  if (!request.examples && !(outputs.examples_output.empty() && outputs.example_images.empty()))
    refuse("--examples-output and --example-images want an index: say which with --examples");
  if (outputs.examples_output.empty() != outputs.example_images.empty())
    refuse("--examples-output and --example-images go together");
}

ExampleOrigin origin_of(const Session& session, const Explainer& explainer, Digests& digests,
                        const ExampleOrigin* of) {
  ExampleOrigin out;
  auto files = external_files(session);
  files.insert(files.begin(), session.request.model.file);
  for (const auto& file : files) {
    const auto digest = digests.of(file);
    if (!digest)
      throw Error(ErrorCode::bad_model, "the model's file cannot be read twice",
                  {.file = file, .node = {}, .op = {}});
    out.model += (out.model.empty() ? "" : " ") + *digest;
  }
  out.layer = features_of(session.request, explainer);
  if (session.photo) {
    const auto& shape = session.options.compile.input_shapes.at(session.photo->input);
    out.inputs = to_json(session.photo->recipe).dump() + " to " + shape_text(shape);
  } else if (of != nullptr) {
    out.inputs = of->inputs;
  }
  return out;
}

Reasons::Reasons(Request request, std::string images)
    : request_(std::move(request)), images_(std::move(images)) {
  if (request_.examples) index_ = ExampleIndex::load(request_.examples->index.file);
}

std::vector<Method> Reasons::methods(Session& session) const {
  session.options.prepare.features = wants_channels(request_);
  const Method gradcam = GradCam{};
  // Nobody chose the method: what it is the targets decide.
  if (wants_channels(request_) &&
      (request_.methods.front().name != gradcam.name || request_.method_by_target))
    return {gradcam};
  return {};
}

void Reasons::check(const Session& session, const Explainer& explainer, Digests& digests) const {
  if (!index_) return;
  in_file(request_.examples->index.file,
          [&] { index_->require(origin_of(session, explainer, digests, &index_->origin())); });
}

std::vector<Reason> Reasons::find(Run& run, Session& session, const Explainer& explainer,
                                  Digests& digests, const std::vector<Target>& targets,
                                  const std::vector<Explanation>& explanations) const {
  std::vector<Reason> out(explanations.size());
  std::string layer, own;
  if (wants_channels(request_)) layer = feature_layer(session, explainer);
  if (index_ && session.photo) own = digests.of(session.photo->file).value_or("");
  for (std::size_t t = 0; t < targets.size(); ++t) {
    std::vector<Channels> channels;
    if (wants_channels(request_)) channels = run.channels(targets[t], layer);
    for (std::size_t n = 0; n * targets.size() + t < out.size(); ++n) {
      const auto at = n * targets.size() + t;
      out[at].features = layer;
      if (request_.words)
        out[at].words = describe(
            explanations[at],
            {.labels = session.labels,
             .channels = of_layer(request_.methods.front().name) && !channels.empty() ? &channels[n]
                                                                                      : nullptr});
      if (!index_) continue;
      out[at].examples = in_file(request_.examples->index.file, [&] {
        return index_->nearest(channels[n], request_.examples->count, session.options.pool.threads,
                               own);
      });
      if (out[at].examples.empty())
        session.warnings.emplace_back(
            holds_only(*index_, own)
                ? "no example is near: the index holds this picture alone"
                : "no example is near: the class weighs none of the features that the input has");
    }
  }
  return out;
}

Image Reasons::sheet(Session& session, const std::vector<Explanation>& explanations,
                     const std::vector<Reason>& reasons) const {
  std::vector<std::vector<SheetCell>> rows;
  for (std::size_t i = 0; i < explanations.size(); ++i) {
    auto& row = rows.emplace_back();
    const auto& explained = explanations[i].prediction;
    row.push_back({explained ? class_text(explained->class_index, session.labels) : "the input",
                   session.photo ? session.photo->pixels.image : Image{}});
    for (const auto& example : reasons[i].examples) {
      const auto caption = number_text("%.3f ", example.similarity) +
                           (example.label.empty() ? example.name : example.label);
      try {
        const auto file = std::filesystem::path(images_) / example.name;
        row.push_back({caption, read_image(file)});
      } catch (const Error& error) {
        if (error.code() != ErrorCode::bad_input) throw;
        session.warnings.emplace_back(error.what());
        row.push_back({caption, {}});
      }
    }
  }
  return contact_sheet(rows);
}

void add_reason(Json& row, const Reason& reason, bool with_examples) {
  if (!reason.features.empty()) row["features"] = reason.features;
  if (reason.words) row["sentence"] = words_json(*reason.words);
  if (!with_examples) return;
  auto& listed = row["examples"] = Json::array();
  for (const auto& example : reason.examples)
    listed.push_back({{"name", example.name},
                      {"label", example.label.empty() ? Json(nullptr) : Json(example.label)},
                      {"similarity", shortest(example.similarity)}});
}

std::string reason_text(const Reason& reason) {
  std::string out;
  if (!reason.features.empty()) out += "features     of '" + reason.features + "'\n";
  if (reason.words) out += "in words     " + reason.words->text + "\n";
  for (const auto& example : reason.examples)
    out += "like         " + number_text("%.4f  ", example.similarity) + example.name +
           (example.label.empty() ? "" : " (" + example.label + ")") + "\n";
  return out;
}

}  // namespace fovea::cli
