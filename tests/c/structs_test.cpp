#include "c/structs.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "vision_c/structs.hpp"

namespace fovea::c {
namespace {

/// A struct between bytes that nobody may touch.
template <class T>
struct Fenced {
  alignas(16) unsigned char bytes[3 * sizeof(T)];
  explicit Fenced(unsigned char fill) { std::memset(bytes, fill, sizeof bytes); }
  T* get() { return reinterpret_cast<T*>(bytes); }
};

template <class T>
class Structs : public testing::Test {};
using All = testing::Types<fovea_error, fovea_method, fovea_call_options, fovea_explainer_options,
                           fovea_explain_options, fovea_value_info, fovea_layer_info,
                           fovea_method_info, fovea_explanation_info, fovea_overlay_options>;
TYPED_TEST_SUITE(Structs, All);

// A member that the table leaves out would have no value in any call.
TYPED_TEST(Structs, TheTableOfMembersHasNoHole) {
  std::size_t at = 0;
  for (const auto end : ends<TypeParam>()) {
    EXPECT_GT(end, at);
    at = end;
  }
  EXPECT_LT(sizeof(TypeParam) - at, alignof(TypeParam));
  const TypeParam object{};
  std::size_t last = 0;
  std::apply(
      [&](auto... member) {
        const auto look = [&](const auto& field) {
          const auto begin = static_cast<std::size_t>(reinterpret_cast<const char*>(&field) -
                                                      reinterpret_cast<const char*>(&object));
          EXPECT_LT(begin - last, alignof(decltype(field))) << "in front of byte " << begin;
          last = begin + sizeof field;
        };
        (look(object.*member), ...);
      },
      Struct<TypeParam>::members);
}

TYPED_TEST(Structs, AnInitFillsWhatTheProgramKnowsAndNoMore) {
  for (std::size_t size = sizeof(std::size_t); size <= 2 * sizeof(TypeParam); ++size) {
    Fenced<TypeParam> there(0xaa);
    init(there.get(), size);
    for (std::size_t i = size; i < sizeof there.bytes; ++i) ASSERT_EQ(there.bytes[i], 0xaa) << i;
    std::size_t told = 0;
    std::memcpy(&told, there.bytes, sizeof told);
    EXPECT_EQ(told, size);
    for (std::size_t i = sizeof(TypeParam); i < size; ++i) ASSERT_EQ(there.bytes[i], 0) << i;
  }
}

TYPED_TEST(Structs, WhatAnOlderProgramDoesNotKnowHasItsDefault) {
  const auto expected = defaults<TypeParam>();
  for (std::size_t size = sizeof(std::size_t); size < sizeof(TypeParam); ++size) {
    Fenced<TypeParam> there(0xaa);
    init(there.get(), size);
    const auto got = read(there.get());
    EXPECT_EQ(std::memcmp(&got, &expected, sizeof got), 0) << "of size " << size;
  }
}

/// Where the last member ends that a struct of so many bytes holds whole.
template <class T>
std::size_t known(std::size_t size) {
  std::size_t out = 0;
  for (const auto end : ends<T>()) out = end <= size ? end : out;
  return out;
}

TYPED_TEST(Structs, NoPartOfAMemberIsRead) {
  const auto expected = defaults<TypeParam>();
  const auto* byte_of = reinterpret_cast<const unsigned char*>(&expected);
  for (std::size_t size = sizeof(std::size_t); size < sizeof(TypeParam); ++size) {
    Fenced<TypeParam> there(0xaa);
    std::memcpy(there.bytes, &size, sizeof size);
    const auto got = read(there.get());
    const auto* bytes = reinterpret_cast<const unsigned char*>(&got);
    for (std::size_t i = sizeof size; i < sizeof got; ++i)
      ASSERT_EQ(bytes[i], i < known<TypeParam>(size) ? 0xaa : byte_of[i]) << i << " of " << size;
  }
}

TYPED_TEST(Structs, WhatANewerProgramSetsIsRefusedByName) {
  for (const std::size_t size : {sizeof(TypeParam) + 1, 2 * sizeof(TypeParam)}) {
    Fenced<TypeParam> there(0);
    init(there.get(), size);
    EXPECT_NO_THROW(read(there.get())) << "a tail of zeros";
    there.bytes[size - 1] = 1;
    try {
      read(there.get());
      FAIL() << "of size " << size;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_NE(error.sentence().find(Struct<TypeParam>::name), std::string::npos);
    }
  }
}

TYPED_TEST(Structs, ResultsGoAsFarAsTheProgramKnows) {
  TypeParam value = defaults<TypeParam>();
  std::memset(&value, 0x55, sizeof value);
  for (std::size_t size = sizeof(std::size_t); size <= 2 * sizeof(TypeParam); ++size) {
    Fenced<TypeParam> there(0xaa);
    std::memcpy(there.bytes, &size, sizeof size);
    write(*there.get(), value);
    const auto end = known<TypeParam>(size);
    for (std::size_t i = sizeof size; i < end; ++i) ASSERT_EQ(there.bytes[i], 0x55) << i;
    for (std::size_t i = end; i < sizeof there.bytes; ++i)
      ASSERT_EQ(there.bytes[i], 0xaa) << i << " of " << size;
  }
}

TYPED_TEST(Structs, ASizeThatNoInitFillsIsRefused) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{4}, std::size_t{1} << 40}) {
    Fenced<TypeParam> there(0);
    std::memcpy(there.bytes, &size, sizeof size);
    EXPECT_THROW(read(there.get()), Error) << size;
    EXPECT_THROW(write(*there.get(), defaults<TypeParam>()), Error) << size;
  }
}

}  // namespace
}  // namespace fovea::c
