#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "graph/graph.hpp"

/// graph -> graph on a plan's own copy. Every pass keeps the names of the values that remain, and
/// never removes or changes a value in `keep`. After each pass the graph is verified.
namespace fovea::passes {

using Keep = std::set<graph::ValueId>;

/// Nodes that nothing in `keep` or the graph's outputs needs; nodes whose outputs are all
/// constants.
bool eliminate_dead(graph::Graph& graph, const Keep& keep);
/// Identity, Dropout, float casts, reshapes to the same shape, transposes by the identity.
bool eliminate_identity(graph::Graph& graph, const Keep& keep);
/// x * sigmoid(x) -> silu; x * hard_sigmoid -> hard_swish; the erf and tanh forms of GELU;
/// mean/sub/pow/sqrt/div forms of LayerNorm; x * tanh(softplus x) -> mish.
bool recognise_activations(graph::Graph& graph, const Keep& keep);
bool recognise_layernorm(graph::Graph& graph, const Keep& keep);
/// Conv (or ConvTranspose, Gemm, MatMul with constant weights) followed by BatchNorm, or by a Mul /
/// Add with a constant per channel: folded into the weights and bias.
bool fold_batchnorm(graph::Graph& graph, const Keep& keep);
/// Conv 1x1, then AveragePool: the other way round, which is less work.
bool pool_first(graph::Graph& graph, const Keep& keep);
/// Conv / Gemm / MatMul + [Add of another value] + [activation], BatchNorm + [ReLU]: into the op's
/// PostOps.
bool fuse_post_ops(graph::Graph& graph, const Keep& keep);

/// Those up to the fold of the batch norms: the same network with fewer and larger operators, which
/// rules of the backward pass are defined on. Nothing is fused. Throws what `limits` say, and the
/// graph is of no more use then.
void canonise(graph::Graph& graph, const Keep& keep, const base::Limits& limits = {});
/// Appends what lays an image's parts of `values` one behind the other, and returns that:
/// [images, numbers]; of one value that is rows of images, itself. `bound`: the same graph, with
/// every extent known; a value of which it keeps no row per image is all of one image's.
graph::ValueId join_rows(graph::Graph& graph, const graph::Graph& bound,
                         const std::vector<graph::ValueId>& values);
/// All of them in order, each followed by graph::verify; the same of `limits`.
void optimize(graph::Graph& graph, const Keep& keep, const base::Limits& limits = {});

}  // namespace fovea::passes
