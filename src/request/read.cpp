#include <algorithm>
#include <limits>
#include <utility>

#include "fovea/task_recipe.hpp"
#include "request/check.hpp"
#include "request/format.hpp"
#include "request/recipe.hpp"

namespace fovea::request {
namespace {

using Command = Request::Command;
using Score = RequestTarget::Score;

std::map<std::string, RequestFile> files(const Json& value, const std::string& what,
                                         const std::string& name) {
  if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
  std::map<std::string, RequestFile> out;
  for (const auto& [key, item] : value.items()) out[key] = file(item, what, name);
  return out;
}

template <class T, class Read>
std::vector<T> list(const Json& value, const std::string& what, const std::string& name,
                    Read&& read) {
  if (!value.is_array()) damaged(what, "'" + name + "' must be a list");
  std::vector<T> out;
  for (const auto& item : value) out.push_back(read(item, what, name));
  return out;
}

RequestMethod read_method(Members& members) {
  RequestMethod out;
  members.read("method", out.name);
  members.with("options", [&](const Json& value, const auto& what, const auto& name) {
    if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
    for (const auto& [option, setting] : value.items())
      out.options[option] = number(setting, what, option);
  });
  members.with("layer_rules", [&](const Json& value, const auto& what, const auto& name) {
    if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
    for (const auto& [layer, rule] : value.items())
      out.layer_rules[layer] = text(rule, what, layer);
  });
  members.with("given", [&](const Json& value, const auto& what, const auto& name) {
    out.given = files(value, what, name);
  });
  return out;
}

std::variant<Box, RequestFile> read_region(const Json& value, const std::string& what,
                                           const std::string& name) {
  if (value.is_object()) return file(value, what, name);
  if (!value.is_array() || value.size() != 4)
    damaged(what, "'" + name + "' must be four numbers or a file");
  return Box{whole(value[0], what, name), whole(value[1], what, name), whole(value[2], what, name),
             whole(value[3], what, name)};
}

RequestTarget read_target(const Json& value, const std::string& what, const std::string& name,
                          Score common) {
  using Kind = RequestTarget::Kind;
  Members members(value, what, name);
  RequestTarget out;
  int kinds = 0;
  const auto is_of = [&](Kind kind) {
    out.kind = kind;
    ++kinds;
  };
  members.with("class", [&](const Json& index, const auto&, const auto& member) {
    is_of(Kind::class_index);
    out.value = whole(index, what, member);
  });
  members.with("rank", [&](const Json& rank, const auto&, const auto& member) {
    is_of(Kind::ranked);
    out.value = whole(rank, what, member, 0);
  });
  members.with("label", [&](const Json& label, const auto&, const auto& member) {
    is_of(Kind::label);
    out.label = text(label, what, member);
  });
  members.with("text", [&](const Json& words, const auto&, const auto& member) {
    is_of(Kind::text);
    out.text = text(words, what, member);
  });
  members.with("files", [&](const Json& named, const auto&, const auto& member) {
    out.files = files(named, what, member);
  });
  members.with("similar_to", [&](const Json& image, const auto&, const auto& member) {
    is_of(Kind::similar_to);
    out.image = file(image, what, member);
    // What was written before there was another.
    out.similarity = RequestTarget::Similarity::cosine;
  });
  members.read("similarity", kSimilarities, out.similarity);
  members.with("minus", [&](const Json& other, const auto&, const auto& member) {
    out.minus = whole(other, what, member);
  });
  out.score = common;
  members.with("probability", [&](const Json& probability, const auto&, const auto& member) {
    out.score = flag(probability, what, member) ? Score::probability : Score::logit;
  });
  members.read("negated", out.negated);
  members.with("region", [&](const Json& region, const auto&, const auto& member) {
    out.region = read_region(region, what, member);
  });
  if (kinds != 1 || members.has_others())
    throw Error(ErrorCode::invalid_argument,
                "the " + what + " has a target that cannot be asked for here");
  return out;
}

RequestExamples read_examples(const Json& value, const std::string& what, const std::string& name) {
  Members members(value, what, name);
  RequestExamples out;
  members.read_file(out.index);
  members.with("count", [&](const Json& count, const auto&, const auto& member) {
    out.count = whole(count, what, member);
  });
  members.no_others();
  return out;
}

void read_model(Members& members, Request& out) {
  members.with("model", [&](const Json& value, const auto& what, const auto& name) {
    Members model(value, what, name);
    model.read_file(out.model);
    model.with("external", [&](const Json& weights, const auto&, const auto& member) {
      out.external = list<RequestFile>(weights, what, member, file);
    });
    model.no_others();
  });
}

/// What every command has.
void read_run(Members& members, Request& out) {
  read_model(members, out);
  members.with("second", [&](const Json& value, const auto& what, const auto& name) {
    auto& second = out.second.emplace();
    Members file(value, what, name);
    file.read_file(second.model);
    file.with("inputs", [&](const Json& pairs, const auto&, const auto& member) {
      if (!pairs.is_object()) damaged(what, "'" + member + "' must be an object");
      for (const auto& [input, output] : pairs.items())
        second.inputs[input] = text(output, what, input);
    });
    file.no_others();
  });
  members.with("fixed_inputs", [&](const Json& value, const auto& what, const auto& name) {
    if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
    for (const auto& [input, numbers] : value.items())
      out.fixed_inputs[input] = list<double>(numbers, what, input, number);
  });
  members.with("image", [&](const Json& value, const auto& what, const auto& name) {
    out.image = file(value, what, name);
  });
  members.with("preprocess", [&](const Json& value, const auto&, const auto&) {
    out.preprocess = read_recipe(value, "");
  });
  members.with("whole", [&](const Json& value, const auto& what, const auto& name) {
    out.whole = word(value, kWholes, what, name);
  });
  members.with("decode", [&](const Json& value, const auto& what, const auto& name) {
    out.exact_decode = word(value, kDecodes, what, name);
  });
  members.with("inputs", [&](const Json& value, const auto& what, const auto& name) {
    out.inputs = files(value, what, name);
  });
  members.with("task", [&](const Json& value, const auto& what, const auto&) {
    out.task = task_from_json(value.dump(), what);
  });
  members.with("questions", [&](const Json& value, const auto& what, const auto& name) {
    if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
    for (const auto& [input, words] : value.items())
      out.questions[input] = text(words, what, input);
  });
  members.with("states", [&](const Json& value, const auto& what, const auto& name) {
    if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
    for (const auto& [input, numbers] : value.items())
      out.states[input] = list<double>(numbers, what, input, number);
  });
  members.with("labels", [&](const Json& value, const auto& what, const auto& name) {
    out.labels = file(value, what, name);
  });
  members.with("input_shapes", [&](const Json& value, const auto& what, const auto& name) {
    if (!value.is_object()) damaged(what, "'" + name + "' must be an object");
    for (const auto& [input, extents] : value.items())
      out.input_shapes[input] = shape(extents, what, name);
  });
  members.read("output_name", out.output);
  members.read("multi_label", out.multi_label);
  members.read("token_grid", out.token_grid);
  members.unless_null("prefix_tokens", [&](const Json& value, const auto& what, const auto& name) {
    out.prefix_tokens = whole(value, what, name);
  });
  members.read("precision", kPrecisions, out.precision);
  members.read("optimize", out.optimize);
  members.read("tune", kTunings, out.tuning);
  members.with("threads", [&](const Json& value, const auto& what, const auto& name) {
    const auto threads = whole(value, what, name, 0);
    out.threads =
        static_cast<int>(std::min<std::int64_t>(threads, std::numeric_limits<int>::max()));
  });
}

/// What is written where no target says more: of a sheet null, a word; else the logit.
Score read_common_score(Members& members, const Request& request) {
  const auto* value = members.find("score");
  if (value == nullptr) return request.command == Command::sheet ? Score::by_method : Score::logit;
  if (value->is_null()) return Score::by_method;
  return word(*value, kScores, members.what(), "score");
}

void read_targets(Members& members, Request& out) {
  const auto common = read_common_score(members, out);
  members.with("targets", [&](const Json& value, const auto& what, const auto& name) {
    out.targets = list<RequestTarget>(value, what, name,
                                      [&](const Json& target, const auto&, const auto& member) {
                                        return read_target(target, what, member, common);
                                      });
  });
}

/// What explain and sheets have.
void read_explanation(Members& members, Request& out) {
  if (out.command == Command::sheet)
    members.with("methods", [&](const Json& value, const auto& what, const auto& name) {
      out.methods = list<RequestMethod>(value, what, name,
                                        [&](const Json& row, const auto&, const auto& member) {
                                          Members method(row, what, member);
                                          auto read = read_method(method);
                                          method.no_others();
                                          return read;
                                        });
    });
  else
    out.methods = {read_method(members)};
  members.read("method_by_target", out.method_by_target);
  members.read("skip_unservable", out.skip_unservable);
  members.unless_null("layer", [&](const Json& value, const auto& what, const auto& name) {
    out.layers = {text(value, what, name)};
  });
  members.with("layers", [&](const Json& value, const auto& what, const auto& name) {
    auto layers = list<std::string>(value, what, name, text);
    if (!layers.empty()) out.layers = std::move(layers);
  });
  members.read("features", out.features);
  members.read("fuse", kFuses, out.fuse);
  members.read("smooth", out.smooth);
  members.read("keep_sign", out.keep_sign);
  read_targets(members, out);
  members.unless_null("normalize", [&](const Json& value, const auto& what, const auto& name) {
    out.normalize = word(value, kNormalizes, what, name);
  });
  members.read("colormap", kColormaps, out.colormap);
  members.read("alpha", out.alpha);
  members.read("opacity", kOpacities, out.opacity_by_value);
  members.read("percentile", out.percentile);
  members.read("caption", out.caption);
  members.with("sheet_width", [&](const Json& value, const auto& what, const auto& name) {
    out.sheet_width = whole(value, what, name);
  });
  members.read("enlarge", out.enlarge);
  members.unless_null("box", [&](const Json& value, const auto& what, const auto& name) {
    out.box_share = static_cast<float>(number(value, what, name));
  });
  members.read("words", out.words);
  members.with("examples", [&](const Json& value, const auto& what, const auto& name) {
    out.examples = read_examples(value, what, name);
  });
}

}  // namespace
}  // namespace fovea::request

namespace fovea {

Request request_from_json(std::string_view json, const std::string& name) {
  using namespace request;
  const auto object = Json::parse(json, nullptr, false);
  if (object.is_discarded()) damaged(name, "it is not valid JSON");
  Members members(object, name, "");
  members.with("format", [&](const Json& value, const auto& what, const auto& member) {
    if (whole(value, what, member) != kFormat)
      throw Error(ErrorCode::invalid_argument,
                  "the " + what + " has a format that this fovea does not know");
  });
  Request out;
  members.read("command", kCommands, out.command);
  members.skip({"fovea", "onednn", "onednn_isa", "picture"});
  read_run(members, out);
  if (out.command == Command::explain || out.command == Command::sheet)
    read_explanation(members, out);
  members.no_others();
  check(out, name);
  return out;
}

}  // namespace fovea
