#pragma once

#include <map>
#include <string>

#include "fovea/explainer.hpp"
#include "graph/graph.hpp"

/// Inputs whose values are known before anything runs.
namespace fovea::api {

/// Makes the named inputs of a graph, as imported, constants. Throws Error invalid_argument for an
/// input that does not exist, and for values that do not fit it.
void fix_inputs(graph::Graph& source, const std::vector<ValueInfo>& inputs,
                const std::map<std::string, Tensor>& values);

/// The shapes of inputs that a graph needs to be bound: `compile.input_shapes`, and what follows
/// from those and from the extents of the values. Throws Error invalid_argument where an input has
/// both and they differ.
std::map<std::string, Shape> shapes_to_bind(const std::vector<ValueInfo>& inputs,
                                            const CompileOptions& compile);

/// Throws Error invalid_argument where the tensor is not what the input was fixed to.
void require_same(const std::string& name, const Tensor& fixed, const TensorView& given);

}  // namespace fovea::api
