#pragma once

#include "simd/kernels/arch.hpp"

namespace fovea::simd {
namespace {

/// A vector's width of cells from k on, or a Part of one.
template <bool Part>
void lstm_cells(const LstmStep& step, i64 k, i64 lanes, const float* dh, i64 seeds, float* dc,
                float* out) {
  const i64 n = step.cells;
  const auto at = [=](const float* p) {
    return Part ? load_part<F>(p + k, lanes) : load_all<F>(p + k);
  };
  const auto put = [=](float* p, F v) {
    if (Part)
      store_part(p + k, v, lanes);
    else
      store_all(p + k, v);
  };
  const auto gate = [&](i64 i) { return at(step.gates + i * n); };
  const auto slope = [&](i64 i) { return at(step.slopes + i * n); };
  const bool coupled = step.input_forget, peeps = step.peepholes != nullptr;
  const auto peephole = [&](i64 i) { return peeps ? at(step.peepholes + i * n) : F(0.f); };
  const F c = at(step.before), zero(0.f), keep = gate(2);
  const F to_input = (coupled ? F(gate(3) - c) : gate(3)) * slope(0);
  const F to_output = gate(4) * slope(1), to_forget = c * slope(2);
  const F to_candidate = gate(0) * slope(3), to_cell = gate(1) * slope(4);
  const F from_input = peephole(0), from_output = peephole(1), from_forget = peephole(2);
  for (i64 j = 0; j < seeds; ++j, dh += n, dc += n, out += 4 * n) {
    const F h = at(dh), output = h * to_output;
    F cell = fused(h, to_cell, at(dc));
    if (peeps) cell = fused(from_output, output, cell);
    const F input = cell * to_input, forget = coupled ? zero : F(cell * to_forget);
    F before = cell * keep;
    if (peeps) before = fused(from_input, input, fused(from_forget, forget, before));
    put(out, input);
    put(out + n, output);
    put(out + 2 * n, forget);
    put(out + 3 * n, cell * to_candidate);
    put(dc, before);
  }
}

void lstm_backward(const LstmStep& step, const float* dh, i64 seeds, float* dc, float* out) {
  i64 k = 0;
  for (; k + kLanes <= step.cells; k += kLanes)
    lstm_cells<false>(step, k, kLanes, dh, seeds, dc, out);
  if (k < step.cells) lstm_cells<true>(step, k, step.cells - k, dh, seeds, dc, out);
}

}  // namespace
}  // namespace fovea::simd
