#include "api/target_values.hpp"

#include <algorithm>

#include "passes/passes.hpp"

namespace fovea::api {
namespace {

graph::ValueId named(const graph::Graph& bound, const std::string& name) {
  const auto refuse = [&](const char* sentence) {
    throw Error(ErrorCode::invalid_argument, sentence, {"", name, ""});
  };
  const auto id = graph::find_layer(bound, name);
  const auto known = bound.find_value(name);
  if (!id && known && bound.value(known).constant)
    refuse("this value is a constant: no target depends on it");
  if (!id) refuse("the model has no value of this name for a target");
  if (bound.value(id).type != graph::DType::f32)
    refuse("a target is made of floating-point values, and this one holds others");
  if (bound.value(id).constant) refuse("this value is a constant: no target depends on it");
  return id;
}

}  // namespace

std::vector<std::string> value_names(const PrepareOptions& options) {
  auto out = options.target_values;
  const auto add = [&](const std::string& name) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  // No names are the scores; with others beside them they are one more.
  if (out.empty() && options.targets.empty()) return out;
  for (const auto& target : options.targets) {
    if (const auto* weights = target.as<Target::Weights>())
      add(weights->value);
    else if (const auto* other = target.as<Target::Similarity>())
      add(other->value);
    else if (const auto* sum = target.as<Target::Sum>())
      for (const auto& term : sum->terms) add(term.value);
    else if (const auto* function = target.as<Target::Function>())
      for (const auto& name : function->values) add(name);
    else
      add("");
  }
  if (out == std::vector<std::string>{""}) out.clear();
  return out;
}

std::optional<Place> place_of(const Target& target, const std::vector<TargetValue>& values) {
  constexpr std::int64_t kSmallPart = 4;
  Place out;
  const auto* sum = target.as<Target::Sum>();
  const auto* weights = target.as<Target::Weights>();
  if (sum != nullptr && !sum->terms.empty())
    out = {sum->terms.front().value, sum->terms.front().at};
  else if (weights != nullptr)
    out.value = weights->value;
  else
    return std::nullopt;
  const auto value = std::find_if(values.begin(), values.end(),
                                  [&](const auto& one) { return one.name == out.value; });
  if (value == values.end()) return std::nullopt;
  const auto& shape = value->shape;
  if (weights != nullptr) {
    const auto& factors = weights->factors;
    const auto counts = [](float factor) { return factor != 0; };
    const auto first = std::find_if(factors.begin(), factors.end(), counts);
    const auto all = std::count_if(factors.begin(), factors.end(), counts);
    if (first == factors.end()) return std::nullopt;
    // A mask, however large, is of a value with positions each way.
    if (shape.size() < 3 && all * kSmallPart > std::ssize(factors)) return std::nullopt;
    out.at.resize(shape.size());
    auto element = first - factors.begin();
    for (std::size_t d = shape.size(); d-- > 0; element /= shape[d]) out.at[d] = element % shape[d];
  }
  // Where a row lies is known once it is selected.
  if (std::find(shape.begin(), shape.end(), -1) != shape.end()) return std::nullopt;
  if (out.at.size() != shape.size()) return std::nullopt;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (out.at[d] < 0) out.at[d] += shape[d];
    if (out.at[d] < 0 || out.at[d] >= shape[d]) return std::nullopt;
  }
  if (value->of_images) out.at.insert(out.at.begin(), 0);
  return out;
}

std::vector<TargetValue> described(const explain::Reads& reads, const TargetValues& read,
                                   const graph::ImageBatch& images) {
  std::vector<TargetValue> out;
  for (std::size_t i = 0; i < reads.values().size(); ++i) {
    const auto& [name, shape, begin, size] = reads.values()[i];
    out.push_back({name, shape, images.are_rows_of(read.values[i].second)});
  }
  return out;
}

bool reads_scores(const std::vector<std::string>& names) {
  return names.empty() || std::find(names.begin(), names.end(), "") != names.end();
}

TargetValues choose_target_values(graph::Graph& source, const graph::Graph& bound,
                                  const std::vector<std::string>& names,
                                  const graph::Scores& scores) {
  TargetValues out;
  if (reads_scores(names)) out.values.emplace_back("", scores.logits);
  for (const auto& name : names) {
    const auto same = [&](const auto& one) { return one.first == name; };
    if (std::none_of(out.values.begin(), out.values.end(), same))
      out.values.emplace_back(name, named(bound, name));
  }
  if (names.empty()) {
    out.row = scores.logits;
    return out;
  }
  std::vector<graph::ValueId> values;
  for (const auto& [name, id] : out.values) values.push_back(id);
  out.row = passes::join_rows(source, bound, values);
  return out;
}

explain::Reads reads_of(const TargetValues& read, const graph::Graph& bound,
                        const graph::ImageBatch& images) {
  explain::Reads out;
  for (const auto& [name, id] : read.values) {
    Shape shape = bound.value(id).shape;
    const bool has_rows = !shape.empty() && images.are_rows_of(id);
    if (has_rows)
      shape.erase(shape.begin());
    else if (id == read.row && name.empty())
      shape = {images.scores};
    out.add(name, std::move(shape));
  }
  if (static_cast<std::int64_t>(out.size()) != images.scores)
    throw Error(ErrorCode::invalid_argument,
                "the values that targets are to read do not keep the images of a batch apart; "
                "give one image at a time");
  return out;
}

}  // namespace fovea::api
