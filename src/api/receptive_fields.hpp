#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "explain/method.hpp"
#include "fovea/explainer.hpp"
#include "graph/query/receptive_field.hpp"

namespace fovea::api {

struct TargetValues;

/// What targets see of layers: of an explainer whose targets may be single places of a value.
class ReceptiveFields {
 public:
  /// Of the layer's own grid, axis by axis, what the target of one image can depend on; empty where
  /// the target is no place, or sees nothing of the layer. `class_index`: of scores at positions,
  /// the element that a class or a rank came to; else negative.
  std::vector<AxisRange> of(const explain::Layer& layer, const Target& target,
                            std::int64_t class_index, std::int64_t image) const;
  /// The same of every layer of `layers` that is a map, in their order.
  std::vector<std::vector<AxisRange>> of(const std::vector<LayerInfo>& layers, const Target& target,
                                         std::int64_t class_index, std::int64_t image) const;

  struct Value {
    TargetValue described;
    graph::ValueId id;
  };

  graph::Graph graph;  ///< without weights
  std::vector<Value> values;
};

/// Null where no value has positions.
std::shared_ptr<const ReceptiveFields> receptive_fields(const graph::Graph& bound,
                                                        const TargetValues& read,
                                                        const std::vector<TargetValue>& described);

/// Positions in it; of none 0.
std::int64_t positions_in(const std::vector<AxisRange>& field);

/// "(6, 4)", "rows 2 to 9, columns 0 to 6".
std::string in_words(const std::vector<AxisRange>& field);

}  // namespace fovea::api
