#include <cmath>
#include <vector>

#include "simd/reference.hpp"
#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

class LstmTest : public SimdTest {};
FOVEA_SIMD_SUITE(LstmTest);

struct Case {
  i64 cells, seeds;
  bool peepholes, input_forget;
};

std::string describe(const Case& c) {
  return std::to_string(c.cells) + " cells, " + std::to_string(c.seeds) + " seeds" +
         (c.peepholes ? ", peepholes" : "") + (c.input_forget ? ", input_forget" : "");
}

TEST_P(LstmTest, Backward) {
  for (const i64 cells : {1, 7, 16, 17, 40, 96})
    for (const i64 seeds : {1, 3, 9})
      for (const bool peepholes : {false, true})
        for (const bool input_forget : {false, true}) {
          const Case c{cells, seeds, peepholes, input_forget};
          Fenced<float> gates{random_floats(5 * cells, -1, 1, 1)};
          Fenced<float> slopes{random_floats(5 * cells, 0, 1, 2)};
          Fenced<float> before{random_floats(cells, -2, 2, 3)};
          Fenced<float> weights{random_floats(3 * cells, -1, 1, 4)};
          Fenced<float> dh{random_floats(seeds * cells, -1, 1, 5)};
          const auto dc = random_floats(seeds * cells, -1, 1, 6);
          Fenced<float> cell{dc}, out(4 * seeds * cells);
          const LstmStep step{cells,
                              gates.data(),
                              slopes.data(),
                              before.data(),
                              peepholes ? weights.data() : nullptr,
                              input_forget};
          k().lstm_backward(step, dh.data(), seeds, cell.data(), out.data());
          for (i64 j = 0; j < seeds; ++j)
            for (i64 i = 0; i < cells; ++i) {
              const auto want = reference::lstm_backward(
                  step, i, static_cast<double>(dh[j * cells + i]),
                  static_cast<double>(dc[static_cast<std::size_t>(j * cells + i)]));
              for (i64 gate = 0; gate < 4; ++gate)
                ASSERT_NEAR(out[(4 * j + gate) * cells + i],
                            want.gates[static_cast<std::size_t>(gate)], 1e-5)
                    << describe(c) << " seed " << j << " cell " << i << " gate " << gate;
              ASSERT_NEAR(cell[j * cells + i], want.cell, 1e-5)
                  << describe(c) << " seed " << j << " cell " << i;
            }
          EXPECT_TRUE(cell.intact() && out.intact()) << describe(c);
        }
}

/// A seed's result is the same whichever others it is computed with.
TEST_P(LstmTest, SeedsDoNotMeet) {
  constexpr i64 kCells = 37, kSeeds = 5;
  Fenced<float> gates{random_floats(5 * kCells, -1, 1, 1)};
  Fenced<float> slopes{random_floats(5 * kCells, 0, 1, 2)};
  Fenced<float> before{random_floats(kCells, -2, 2, 3)};
  Fenced<float> dh{random_floats(kSeeds * kCells, -1, 1, 5)};
  const auto dc = random_floats(kSeeds * kCells, -1, 1, 6);
  Fenced<float> together{dc}, alone{dc}, out(4 * kSeeds * kCells), own(4 * kSeeds * kCells);
  const LstmStep step{kCells, gates.data(), slopes.data(), before.data(), nullptr, false};
  k().lstm_backward(step, dh.data(), kSeeds, together.data(), out.data());
  for (i64 j = 0; j < kSeeds; ++j)
    k().lstm_backward(step, dh.data() + j * kCells, 1, alone.data() + j * kCells,
                      own.data() + 4 * j * kCells);
  EXPECT_EQ(alone.copy(), together.copy());
  EXPECT_EQ(own.copy(), out.copy());
}

/// What goes to a gate that is made of another one is zero, whatever the numbers are.
TEST_P(LstmTest, InputForgetSendsNothingToTheForgetGate) {
  constexpr i64 kCells = 19;
  const std::vector<float> infinite(kCells, INFINITY);
  Fenced<float> gates{random_floats(5 * kCells, -1, 1, 1)};
  Fenced<float> slopes{std::vector<float>(5 * kCells, 0.f)};
  Fenced<float> dh{infinite}, dc{infinite}, before{infinite}, out(4 * kCells);
  k().lstm_backward({kCells, gates.data(), slopes.data(), before.data(), nullptr, true}, dh.data(),
                    1, dc.data(), out.data());
  for (i64 i = 0; i < kCells; ++i) EXPECT_EQ(out[2 * kCells + i], 0.f);
}

}  // namespace
}  // namespace fovea::simd::test
