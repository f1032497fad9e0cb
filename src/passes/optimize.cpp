#include <span>

#include "graph/infer.hpp"
#include "passes/passes.hpp"

namespace fovea::passes {
namespace {

struct Pass {
  const char* name;
  bool (*run)(graph::Graph&, const Keep&);
};

constexpr Pass kCanonical[] = {
    // First, so that nothing below is kept from its pattern by a reader that nobody needs.
    {"eliminate_dead", eliminate_dead},
    {"eliminate_identity", eliminate_identity},
    // Before the folds: they would move the numbers by which the patterns are known.
    {"recognise_activations", recognise_activations},
    {"recognise_layernorm", recognise_layernorm},
    // Before the fusion: an Add of a bias is no Add of a skip, and a normalisation between a
    // convolution and its activation keeps them apart.
    {"fold_batchnorm", fold_batchnorm},
};
constexpr Pass kFast[] = {
    // Before the fusion, which would take a convolution's activation for its own.
    {"pool_first", pool_first},
    {"fuse_post_ops", fuse_post_ops},
};

void run(std::span<const Pass> passes, graph::Graph& graph, const Keep& keep,
         const base::Limits& limits) {
  for (const auto& pass : passes) {
    limits.check();
    if (pass.run(graph, keep)) graph::verify(graph, pass.name, limits);
  }
}

}  // namespace

void canonise(graph::Graph& graph, const Keep& keep, const base::Limits& limits) {
  run(kCanonical, graph, keep, limits);
}

void optimize(graph::Graph& graph, const Keep& keep, const base::Limits& limits) {
  canonise(graph, keep, limits);
  run(kFast, graph, keep, limits);
}

}  // namespace fovea::passes
