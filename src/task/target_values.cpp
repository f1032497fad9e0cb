#include <algorithm>

#include "base/checked.hpp"
#include "fovea/task_target.hpp"
#include "task/fill.hpp"
#include "task/values.hpp"

namespace fovea {
namespace {

void add(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

struct ReadBy {
  std::vector<std::string>& names;

  void operator()(const Target::Ranked&) const { add(names, {}); }
  void operator()(const Target::Class&) const { add(names, {}); }
  void operator()(const Target::Difference&) const { add(names, {}); }
  void operator()(const Target::Rest&) const { add(names, {}); }
  void operator()(const Target::Weights& weights) const { add(names, weights.value); }
  void operator()(const Target::Similarity& similarity) const { add(names, similarity.value); }
  void operator()(const Target::Sum& sum) const {
    for (const auto& term : sum.terms) add(names, term.value);
  }
  void operator()(const Target::Function& function) const {
    for (const auto& name : function.values) add(names, name);
  }
};

}  // namespace

std::vector<std::string> values_in(const Target& target) {
  std::vector<std::string> out;
  std::visit(ReadBy{out}, target.of);
  return out;
}

std::vector<std::string> target_values_of(const Task& task,
                                          const std::map<std::string, Shape>& shapes,
                                          const FindLogits& logits) {
  std::vector<std::string> out;
  for (const auto& [role, names] : task.outputs) {
    // Nobody differentiates a label, and boxes have no target of their own.
    if (role == OutputRole::labels || role == OutputRole::boxes) continue;
    for (const auto& name : names) {
      const auto shape = shapes.find(name);
      if (!logits || shape == shapes.end()) {
        add(out, name);
        continue;
      }
      std::vector<std::int64_t> places(static_cast<std::size_t>(
          base::element_count(shape->second, ErrorCode::invalid_argument)));
      for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::int64_t>(i);
      // Of a detector's rows, the numbers of a box are no score.
      if (role == OutputRole::rows && task.boxes.form != BoxDecoding::Form::distances) {
        const auto two = task::without_ones(shape->second, 2);
        if (two.size() == 2) {
          const auto columns = task.boxes.numbers_first ? two[0] : two[1];
          const auto rows = task.boxes.numbers_first ? two[1] : two[0];
          std::erase_if(places, [&](std::int64_t place) {
            return (task.boxes.numbers_first ? place / rows : place % columns) < 4;
          });
        }
      }
      for (const auto& value : logits(name, places).values) add(out, value.name);
    }
  }
  return out;
}

}  // namespace fovea
