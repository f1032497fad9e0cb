#pragma once

#include <vector>

#include "fovea/model.hpp"
#include "onnx/flatten.hpp"
#include "onnx/format.hpp"

namespace fovea::onnx {

/// Gives each of `outputs` the names of its classes (ValueInfo::labels) where the graph holds one
/// list of them: in a ZipMap; in strings that are looked up at the place of the best score
/// (ArrayFeatureExtractor, Gather, LabelEncoder behind ArgMax or TopK). An output has the names of
/// the scores that it depends on, or that depend on it.
void name_classes(const format::GraphProto& graph, const std::vector<FlatNode>& nodes,
                  std::vector<ValueInfo>& outputs);

}  // namespace fovea::onnx
