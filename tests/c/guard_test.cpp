#include "c/guard.hpp"

#include "c/handles.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <stdexcept>

namespace fovea::c {
namespace {

fovea_error fresh() {
  fovea_error out{};
  out.struct_size = sizeof out;
  return out;
}

template <class Thrown>
fovea_status status_of(const Thrown& thrown, fovea_error& error) {
  return guarded(&error, [&]() -> fovea_status { throw thrown; });
}

TEST(Guard, EveryExceptionBecomesAStatus) {
  const std::pair<ErrorCode, fovea_status> codes[] = {
      {ErrorCode::invalid_argument, FOVEA_INVALID_ARGUMENT},
      {ErrorCode::bad_model, FOVEA_BAD_MODEL},
      {ErrorCode::bad_input, FOVEA_BAD_INPUT},
      {ErrorCode::unsupported, FOVEA_UNSUPPORTED},
      {ErrorCode::cancelled, FOVEA_CANCELLED},
      {ErrorCode::deadline_exceeded, FOVEA_DEADLINE_EXCEEDED},
      {ErrorCode::out_of_memory, FOVEA_OUT_OF_MEMORY},
      {ErrorCode::internal, FOVEA_INTERNAL}};
  for (const auto& [code, status] : codes) {
    auto error = fresh();
    const Error thrown(code, "a sentence", {.file = "m.onnx", .node = "conv1", .op = "Conv"});
    EXPECT_EQ(status_of(thrown, error), status);
    EXPECT_EQ(error.code, status);
    EXPECT_STREQ(error.message, "a sentence");
    EXPECT_STREQ(error.file, "m.onnx");
    EXPECT_STREQ(error.node, "conv1");
    EXPECT_STREQ(error.op, "Conv");
    EXPECT_STREQ(fovea_status_name(status), std::string(to_string(code)).c_str());
  }
  auto error = fresh();
  EXPECT_EQ(status_of(std::bad_alloc(), error), FOVEA_OUT_OF_MEMORY);
  EXPECT_EQ(status_of(std::runtime_error("oh"), error), FOVEA_INTERNAL);
  EXPECT_STREQ(error.message, "oh");
  EXPECT_EQ(status_of(3, error), FOVEA_INTERNAL);
  EXPECT_EQ(guarded(nullptr, []() -> fovea_status { throw 3; }), FOVEA_INTERNAL);
}

TEST(Guard, AnErrorOfSuccessStaysAsItWas) {
  auto error = fresh();
  error.code = 77;
  EXPECT_EQ(guarded(&error, [] { return FOVEA_OK; }), FOVEA_OK);
  EXPECT_EQ(error.code, 77);
}

TEST(Guard, ALongSentenceIsCutBetweenCharacters) {
  // é is two bytes, and the face four: the cut falls on each of their places once.
  for (const std::string character : {"x", "\xc3\xa9", "\xf0\x9f\x98\x80"})
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::string sentence(shift, '.');
      while (sentence.size() < 3000) sentence += character;
      auto error = fresh();
      tell(&error, FOVEA_INTERNAL, sentence);
      const std::string told = error.message;
      EXPECT_EQ(sentence.compare(0, told.size(), told), 0);
      EXPECT_EQ((told.size() - shift) % character.size(), 0U);
      EXPECT_GE(told.size() + character.size(), sizeof error.message);
    }
  auto error = fresh();
  tell(&error, FOVEA_INTERNAL, std::string(3000, '\x80'));  // no UTF-8 at all
  EXPECT_EQ(std::strlen(error.message), sizeof error.message - 1);
}

TEST(Guard, ADestroyedHandleHasLostItsMark) {
  using Handle = Marked<0x1234567890>;
  void* memory = ::operator new(sizeof(Handle));
  auto* handle = new (memory) Handle();
  EXPECT_TRUE(lives(handle));
  handle->~Handle();
  const std::uint64_t mark = *static_cast<const volatile std::uint64_t*>(memory);
  ::operator delete(memory);
  EXPECT_NE(mark, 0x1234567890U);
}

TEST(Guard, AnErrorWithoutASizeIsLeftAlone) {
  auto error = fresh();
  error.struct_size = static_cast<std::size_t>(-1);
  tell(&error, FOVEA_INTERNAL, "a sentence");
  EXPECT_EQ(error.code, 0);
}

}  // namespace
}  // namespace fovea::c
