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
  if (!id) refuse("the model has no value of this name for a target");
  if (bound.value(id).type != graph::DType::f32)
    refuse("a target is made of floating-point values, and this one holds others");
  if (bound.value(id).constant) refuse("this value is a constant: no target depends on it");
  return id;
}

}  // namespace

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
    else if (id == read.row)
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
