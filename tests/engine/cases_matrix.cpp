#include "engine/op_case.hpp"

namespace fovea::engine_test {
namespace {

void add_gemm(std::vector<Case>& out, float alpha, float beta, bool ta, bool tb,
              std::vector<Operand> operands) {
  graph::Gemm op;
  op.alpha = alpha;
  op.beta = beta;
  op.trans_a = ta;
  op.trans_b = tb;
  out.push_back({"Gemm", op, std::move(operands)});
}

void add_einsum(std::vector<Case>& out, const std::string& equation,
                std::vector<Operand> operands) {
  out.push_back({"Einsum " + equation, graph::Einsum{equation}, std::move(operands)});
}

}  // namespace

std::vector<Case> matrix_cases() {
  std::vector<Case> out;
  add_gemm(out, 1, 1, false, true, {data({1, 7}), weight({5, 7}), weight({5})});
  add_gemm(out, 1, 1, false, false, {data({3, 7}), weight({7, 5}), weight({1, 5})});
  add_gemm(out, 0.5f, 2, false, true, {data({3, 7}), weight({5, 7}), weight({5})});
  add_gemm(out, 1, 1, true, false, {data({7, 3}), weight({7, 5})});
  add_gemm(out, 1.5f, 0.5f, true, true, {data({7, 3}), data({5, 7}), data({3, 1})});
  add_gemm(out, 1, 1, false, false, {data({4, 6}), data({6, 5}), data({4, 5})});
  add_gemm(out, 1, 1, false, true, {data({2, 33}), weight({17, 33}), data({})});
  add_gemm(out, 2, 1, false, false, {weight({3, 4}), data({4, 2}), weight({2})});

  for (const auto& [a, b] :
       std::vector<std::pair<Shape, Shape>>{{{3, 4}, {4, 5}},
                                            {{2, 3, 4}, {4, 5}},
                                            {{2, 3, 4}, {2, 4, 5}},
                                            {{2, 1, 3, 4}, {1, 3, 4, 2}},
                                            {{6, 1, 5, 5}, {5, 2}},
                                            {{8, 1, 1, 19, 6}, {1, 1, 1, 6, 6}},
                                            {{4}, {4, 5}},
                                            {{3, 4}, {4}},
                                            {{4}, {4}},
                                            {{4, 5}, {3, 5, 2}},
                                            {{1, 1, 17}, {17, 33}}}) {
    out.push_back({"MatMul", graph::MatMul{}, {data(a), data(b)}});
    out.push_back({"MatMul", graph::MatMul{}, {data(a), weight(b)}});
  }

  add_einsum(out, "ij,jk->ik", {data({3, 4}), data({4, 5})});
  add_einsum(out, "bij,bjk->bik", {data({2, 3, 4}), data({2, 4, 5})});
  add_einsum(out, "bhid,bhjd->bhij", {data({1, 2, 3, 4}), data({1, 2, 5, 4})});
  add_einsum(out, "nchw,cd->ndhw", {data({2, 3, 2, 2}), weight({3, 4})});
  add_einsum(out, "i,j->ij", {data({3}), data({4})});
  add_einsum(out, "ij,kj->ki", {data({3, 4}), data({5, 4})});
  add_einsum(out, "ij->ji", {data({3, 5})});
  add_einsum(out, "abc,cd->abd", {data({2, 3, 4}), weight({4, 6})});
  add_einsum(out, "bchw->bc", {data({2, 17, 3, 5})});
  add_einsum(out, "bhwc->cb", {data({2, 3, 5, 17})});
  add_einsum(out, "abc->", {data({2, 3, 4})});
  add_einsum(out, "ii->i", {data({5, 5})});
  add_einsum(out, "biij->bj", {data({2, 3, 3, 4})});
  add_einsum(out, "bchw,cd", {data({2, 17, 3, 2}), weight({17, 4})});
  add_einsum(out, "bchw,bchw->bc", {data({2, 16, 3, 2}), data({2, 16, 1, 1})});
  add_einsum(out, "...a,...b->...", {data({4, 2, 3}), data({2, 3})});
  return out;
}

}  // namespace fovea::engine_test
