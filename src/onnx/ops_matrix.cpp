#include <array>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

void gemm(NodeImport& n) {
  graph::Gemm op;
  op.alpha = n.attributes.get_float("alpha", 1);
  op.beta = n.attributes.get_float("beta", 1);
  op.trans_a = n.attributes.get_flag("transA", false);
  op.trans_b = n.attributes.get_flag("transB", false);
  // Opset 6 says in advance what numpy's rules then do anyway.
  if (n.opset() < 7) n.attributes.ignore({"broadcast"});
  n.emit(std::move(op));
}

void matmul(NodeImport& n) {
  n.emit(graph::MatMul{});
}

void einsum(NodeImport& n) {
  n.emit(graph::Einsum{n.attributes.require_string("equation")});
}

constexpr std::array kRows{
    Row{"Gemm", kOldestOpset, 10, 3, 3, gemm, {}},
    Row{"Gemm", 11, kNewestOpset, 2, 3, gemm, {}},
    Row{"MatMul", kOldestOpset, kNewestOpset, 2, 2, matmul, {}},
    Row{"Einsum", 12, kNewestOpset, 1, kAny, einsum, {}},
};

}  // namespace

std::span<const Row> matrix_rows() {
  return kRows;
}

}  // namespace fovea::onnx
