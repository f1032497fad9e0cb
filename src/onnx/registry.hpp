#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "onnx/limits.hpp"

namespace fovea::onnx {

class NodeImport;

inline constexpr int kAny = 1'000'000;  ///< as many inputs or outputs as one likes

/// One operator in one range of operator sets: how many inputs it takes (the first `min_inputs`
/// may not be left out), how many outputs the format gives it, and the function that turns it into
/// graph nodes. Only output 0 may be used, unless `all_outputs`.
struct Row {
  std::string_view op;
  std::int64_t first = kOldestOpset;
  std::int64_t last = kNewestOpset;
  int min_inputs = 1;
  int max_inputs = 1;
  void (*import)(NodeImport&) = nullptr;
  std::string_view note = {};
  int max_outputs = 1;
  bool all_outputs = false;
};

/// The families, one file each.
std::span<const Row> binary_rows();
std::span<const Row> choice_rows();
std::span<const Row> constant_rows();
std::span<const Row> conv_rows();
std::span<const Row> experimental_rows();
std::span<const Row> gather_rows();
std::span<const Row> index_rows();
std::span<const Row> matrix_rows();
std::span<const Row> norm_rows();
std::span<const Row> recurrent_rows();
std::span<const Row> reduce_rows();
std::span<const Row> repeat_rows();
std::span<const Row> resize_rows();
std::span<const Row> selection_rows();
std::span<const Row> shape_rows();
std::span<const Row> unary_rows();

/// Of the domain ai.onnx.ml, whatever its version.
inline constexpr std::string_view kMlDomain = "ai.onnx.ml";
std::span<const Row> ml_rows();

/// The row of an operator of the default domain at an opset; null where there is none.
const Row* find_row(std::string_view op, std::int64_t opset);
/// The same of an operator of any domain; the opset is the default domain's.
const Row* find_row(std::string_view domain, std::string_view op, std::int64_t opset);

/// In words, why there is none: "fovea has Upsample in opset 7 to 9 only", or empty for an operator
/// that it has in none.
std::string explain_missing(std::string_view op);

}  // namespace fovea::onnx
