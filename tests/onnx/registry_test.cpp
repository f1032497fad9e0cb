// The registry against itself, and against the table in the documentation.
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "import_helpers.hpp"
#include "onnx/registry.hpp"

namespace fovea::test {
namespace {

TEST(Registry, RowsOfAnOperatorDoNotOverlap) {
  std::map<std::string, std::int64_t> last;
  for (const auto& row : onnx::supported_ops()) {
    SCOPED_TRACE(row.op);
    EXPECT_LE(row.first_opset, row.last_opset);
    EXPECT_GE(row.first_opset, onnx::kOldestOpset);
    EXPECT_LE(row.last_opset, onnx::kNewestOpset);
    if (last.contains(row.op)) {
      EXPECT_EQ(row.first_opset, last[row.op] + 1);
    }
    last[row.op] = row.last_opset;
  }
  EXPECT_GT(last.size(), 100U);
}

TEST(Registry, WhatNetworksForImagesUse) {
  for (const auto* op : {"Conv",
                         "Gemm",
                         "MatMul",
                         "BatchNormalization",
                         "Relu",
                         "LeakyRelu",
                         "PRelu",
                         "Clip",
                         "Elu",
                         "Selu",
                         "Celu",
                         "Sigmoid",
                         "HardSigmoid",
                         "HardSwish",
                         "Tanh",
                         "Softplus",
                         "Softsign",
                         "Mish",
                         "Gelu",
                         "Erf",
                         "Softmax",
                         "LogSoftmax",
                         "MaxPool",
                         "AveragePool",
                         "GlobalAveragePool",
                         "GlobalMaxPool",
                         "LRN",
                         "Add",
                         "Sub",
                         "Mul",
                         "Div",
                         "Pow",
                         "Sqrt",
                         "Exp",
                         "Log",
                         "Abs",
                         "Neg",
                         "Reciprocal",
                         "Max",
                         "Min",
                         "Sum",
                         "Concat",
                         "Split",
                         "Slice",
                         "Pad",
                         "Flatten",
                         "Reshape",
                         "Squeeze",
                         "Unsqueeze",
                         "Transpose",
                         "Expand",
                         "Tile",
                         "Gather",
                         "GatherElements",
                         "CumSum",
                         "RNN",
                         "GRU",
                         "LSTM",
                         "GatherND",
                         "ScatterND",
                         "ReduceMean",
                         "ReduceSum",
                         "ReduceMax",
                         "ReduceL2",
                         "Resize",
                         "DepthToSpace",
                         "SpaceToDepth",
                         "LayerNormalization",
                         "InstanceNormalization",
                         "GroupNormalization",
                         "ConvTranspose",
                         "Einsum",
                         "Identity",
                         "Dropout",
                         "Constant",
                         "ConstantOfShape",
                         "Range",
                         "Shape",
                         "Size",
                         "Cast",
                         "Where",
                         "Equal",
                         "Less",
                         "Greater",
                         "And",
                         "Or",
                         "Not",
                         "Floor",
                         "Ceil",
                         "Sin",
                         "Cos"}) {
    EXPECT_NE(onnx::find_row(op, 20), nullptr) << op;
    EXPECT_NE(onnx::find_row(op, onnx::kNewestOpset), nullptr) << op;
  }
  EXPECT_NE(onnx::find_row("Upsample", 9), nullptr);
}

/// Which operands have a gradient is tests/engine/operand_gradients_test.cpp's to check.
constexpr const char* kOperands = R"(
## Operands that the network computes

Weights, biases and statistics need not be constants of the file: a network may compute them from the image (CondConv, dynamic
convolutions, AdaIN, FiLM, SPADE, hyper-networks). Every float operand of every operator then has its gradient, so that no path to the
score is left out, with these exceptions:

| Operand | Computed from the image |
|---|---|
| what only shapes and indices are made of (shapes, axes, pads, repeats, sizes, scales and regions of Resize, Pad's value) | must be known before the run: refused |
| Floor, Ceil, Round, Sign; flags and integers made of floats (comparisons, ArgMax, Cast, the indices of TopK and MaxPool, Multinomial, Bernoulli) | gradient 0: no path. Where a score lies behind nothing else, the error names what cuts the path |
| the regions of RoiAlign | gradient 0, as in PyTorch |
| Mod of floats | refused, as is any operand without a gradient through which a score depends on what is explained |

Of GRU, LSTM and RNN the sequence and the initial states are followed; weights, biases and peepholes are refused where they are computed
from the image. Guided backpropagation and deconvolution follow the plain gradient within their steps, whatever their activations.

DeepLIFT and Deep SHAP have no rule for these operands and refuse them by name: weights and bias of Conv and ConvTranspose, parameters of
the normalisations, bounds of Clip, and every operand of GRU, LSTM and RNN. LRP refuses the same (bounds take what is theirs; recurrent
operators have rules of their own) and the slope of PRelu. Every other method follows the gradient, or asks for scores alone.

## Stops

Values that are picked by computed indices (Gather, GatherElements, GatherND, ScatterElements, ScatterND, TopK, ReverseSequence, MaxUnpool)
have the gradient of where they were picked from. What is drawn by chance is its mean or the likeliest class, so that no map depends on a draw.

## Selections

How much NonZero, NonMaxSuppression, Compress and a TopK with a computed k select depends on the data, and with it every extent behind them.
Where a target or what is fetched lies there, a run computes what leads to the selections first, selects, and makes the rest for the extents
that came out; behind further selections again. The explainer for these extents is an ordinary one, to which the selected indices are inputs:
the gradient of `scores[i]` leads back through Gather and GatherND to the row that it was taken from, and perturbed images are asked about that
row. The last three are kept. Before a run an explainer knows the layers and shapes in front of the selections; the default layer is the last
map there that every row is made of. How many rows there are is not known (-1 in `target_values()`): an element is named by all of its indices,
without an image's (`scores[3]`, `boxes[3,0]`). Nothing selected is a result: an output without rows can be fetched, and explaining it is refused in one
sentence.

A run costs what leads to the selections twice, and where the extents are none of the last three the making of an explainer. One image at a
time: a batch is refused. So are integers and conditions of the data that anything else would have to know (Reshape, Slice, Range, an If).
)";

std::string table() {
  std::ostringstream out;
  out << "# Operators\n\n"
         "What the importer reads, from the ONNX operator sets "
      << onnx::kOldestOpset << " to " << onnx::kNewestOpset << " (IR versions " << onnx::kOldestIr
      << " to " << onnx::kNewestIr
      << ").\nThis page is generated from the registry in `src/onnx`; to bring it up to date after "
         "a change there:\n`FOVEA_REGENERATE=1 build/release/tests/onnx/onnx_test "
         "--gtest_filter=Registry.*`.\n\n"
         "Floats of every width are computed in f32. Integers of every width have 64 bits in "
         "constants and in what is\ncomputed of constants, exactly. At run time they are held as "
         "f32: up to 2^24 they are exact, a constant beyond that\nis refused where it meets "
         "computed "
         "values, and a computed value beyond that is rounded. Integers of 8 and 16 bits\nwrap as "
         "in "
         "ONNX. Those of 32 and 64 bits do not: 0 - 1 is -1 of unsigned ones, too, and constants "
         "that "
         "leave\n64 bits are refused. Refused of integers that are computed at run time: Einsum, "
         "Erf, "
         "Gemm, MatMul, MaxPool,\nPRelu, ReduceL2, ReduceLogSum, ReduceLogSumExp; of all, Resize "
         "with mode linear.\n\n"
         "| Operator | Opsets | Notes |\n|---|---|---|\n";
  const auto rows = onnx::supported_ops();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // Rows that differ in how parameters are written only are one line.
    auto last = rows[i].last_opset;
    const auto first = rows[i].first_opset;
    while (i + 1 < rows.size() && rows[i + 1].op == rows[i].op &&
           rows[i + 1].note == rows[i].note) {
      ++i;
      last = rows[i].last_opset;
    }
    out << "| " << rows[i].op << " | " << first << " to " << last << " | " << rows[i].note
        << " |\n";
  }
  out << kOperands;
  return out.str();
}

TEST(Registry, TheDocumentationIsUpToDate) {
  const auto path = std::string(FOVEA_SOURCE_DIR) + "/docs/operators.md";
  if (std::getenv("FOVEA_REGENERATE") != nullptr) std::ofstream(path) << table();
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), table()) << "run this test with FOVEA_REGENERATE=1";
}

}  // namespace
}  // namespace fovea::test
