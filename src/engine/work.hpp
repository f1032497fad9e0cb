#pragma once

#include <utility>
#include <vector>

#include "engine/builder.hpp"

/// How much a primitive computes and moves, from its arguments.
namespace fovea::engine {

/// Two per multiply-add of a convolution, transposed convolution (either way) or matrix product; 0
/// for other primitives.
std::int64_t flops_of(dnnl::primitive::kind kind, const std::vector<std::pair<int, Operand>>& args);

/// Of all arguments, each once; to be called before the scratchpad is among them.
std::int64_t bytes_of(const std::vector<std::pair<int, Operand>>& args);

}  // namespace fovea::engine
