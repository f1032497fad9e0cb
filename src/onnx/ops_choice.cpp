#include <array>

#include "graph/choice.hpp"
#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

// Flattened: the condition, what the one branch gives and what the other does.
void choice(NodeImport& n) {
  const int count = n.output_count();
  if (!n.has_branches()) n.bad("it needs a condition, then_branch and else_branch");
  for (int i = 0; i < count; ++i)
    if (n.output_named(i))
      n.emit_output(i, graph::Where{}, {n.input(0), n.input(1 + i), n.input(1 + count + i)},
                    n.type(n.has_input(1 + i) ? 1 + i : 1 + count + i));
}

constexpr std::array kRows{
    Row{graph::kChoice, kOldestOpset, kNewestOpset, 1, kAny, choice,
        "where the condition follows from constants, extents and fixed inputs", kAny, true},
};

}  // namespace

std::span<const Row> choice_rows() {
  return kRows;
}

}  // namespace fovea::onnx
