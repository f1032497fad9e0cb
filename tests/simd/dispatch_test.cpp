#include "simd/support.hpp"

namespace fovea::simd::test {
namespace {

TEST(Dispatch, BestIsTheWidestThatExists) {
  ASSERT_NE(kernels(Isa::baseline), nullptr);
  Isa widest = Isa::baseline;
  for (const Isa isa : {Isa::avx2, Isa::avx512})
    if (kernels(isa) != nullptr) widest = isa;
  EXPECT_EQ(best_isa(), widest);
  EXPECT_EQ(&kernels(), kernels(widest));
}

TEST(Dispatch, EveryTableIsItsOwnAndComplete) {
  for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    const Kernels* table = kernels(isa);
    if (table == nullptr) continue;
    EXPECT_EQ(table->isa, isa);
    // Behind `isa` the table is pointers only, none of which may be null.
    std::vector<void*> entries((sizeof(Kernels) - offsetof(Kernels, channel_mean)) / sizeof(void*));
    std::memcpy(entries.data(),
                reinterpret_cast<const char*>(table) + offsetof(Kernels, channel_mean),
                entries.size() * sizeof(void*));
    for (std::size_t i = 0; i < entries.size(); ++i)
      EXPECT_NE(entries[i], nullptr) << to_string(isa) << " entry " << i;
  }
}

TEST(Dispatch, Names) {
  EXPECT_STREQ(to_string(Isa::baseline), "baseline");
  EXPECT_STREQ(to_string(Isa::avx2), "avx2");
  EXPECT_STREQ(to_string(Isa::avx512), "avx512");
}

}  // namespace
}  // namespace fovea::simd::test
