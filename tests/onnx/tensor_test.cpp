// Initializers: every type, every way of storing it, and every contradiction.
#include <cmath>
#include <limits>

#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

constexpr auto kBad = ErrorCode::bad_model;

graph::Constant constant_of(const TensorProto& tensor) {
  const auto got = import(with_tensor(tensor));
  const auto id = got.graph.find_value(tensor.name());
  EXPECT_TRUE(id);
  return *got.graph.value(id).constant;
}
Floats floats_of(const graph::Constant& constant) {
  EXPECT_EQ(constant.type, graph::DType::f32);
  const auto floats = constant.floats();
  return {floats.begin(), floats.end()};
}
Floats floats_of(const TensorProto& tensor) {
  return floats_of(constant_of(tensor));
}
Ints ints_of(const TensorProto& tensor) {
  const auto constant = constant_of(tensor);
  EXPECT_NE(constant.type, graph::DType::f32);
  return {constant.ints.begin(), constant.ints.end()};
}

TEST(Tensor, RawFloats) {
  const auto got = constant_of(tensor("w", {2, 3}, Floats{1, 2, 3, 4, 5, -6.5f}));
  EXPECT_EQ(got.shape, (Shape{2, 3}));
  EXPECT_EQ(floats_of(got), (Floats{1, 2, 3, 4, 5, -6.5f}));
  EXPECT_EQ(floats_of(tensor("w", {}, Floats{7})), Floats{7}) << "a scalar";
  EXPECT_EQ(floats_of(raw_tensor("w", {2}, kDouble, std::vector<double>{0.1, -3})),
            (Floats{0.1f, -3}));
}

TEST(Tensor, Float16) {
  // IEEE 754: zero, one, -2, the largest, the smallest normal, two subnormals, infinity.
  const std::vector<std::uint16_t> bits{0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0400,
                                        0x0001, 0x83ff, 0x7c00, 0xfc00, 0x3555};
  const Floats want{0.0f,
                    -0.0f,
                    1.0f,
                    -2.0f,
                    65504.0f,
                    0x1p-14f,
                    0x1p-24f,
                    -1023 * 0x1p-24f,
                    std::numeric_limits<float>::infinity(),
                    -std::numeric_limits<float>::infinity(),
                    0x1.554p-2f};
  const auto got = floats_of(raw_tensor("w", {11}, kFloat16, bits));
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i], want[i]) << i;
    EXPECT_EQ(std::signbit(got[i]), std::signbit(want[i])) << i;
  }
  EXPECT_TRUE(
      std::isnan(floats_of(raw_tensor("w", {1}, kFloat16, std::vector<std::uint16_t>{0x7e00}))[0]));
  auto typed = empty_tensor("w", {2}, kFloat16);
  typed.add_int32_data(0x3c00);
  typed.add_int32_data(0xc000);
  EXPECT_EQ(floats_of(typed), (Floats{1, -2}));
}

TEST(Tensor, Bfloat16) {
  EXPECT_EQ(floats_of(raw_tensor("w", {2}, kBfloat16, std::vector<std::uint16_t>{0x3f80, 0xc049})),
            (Floats{1, -3.140625f}));
}

TEST(Tensor, RawIntegers) {
  EXPECT_EQ(ints_of(raw_tensor("w", {2}, kInt8, std::vector<std::int8_t>{-128, 127})),
            (Ints{-128, 127}));
  EXPECT_EQ(ints_of(raw_tensor("w", {2}, kUint8, std::vector<std::uint8_t>{0, 255})),
            (Ints{0, 255}));
  EXPECT_EQ(ints_of(raw_tensor("w", {2}, kInt16, std::vector<std::int16_t>{-32768, 5})),
            (Ints{-32768, 5}));
  EXPECT_EQ(ints_of(raw_tensor("w", {1}, kUint16, std::vector<std::uint16_t>{65535})),
            (Ints{65535}));
  EXPECT_EQ(ints_of(raw_tensor("w", {1}, kInt32, std::vector<std::int32_t>{-7})), (Ints{-7}));
  EXPECT_EQ(ints_of(raw_tensor("w", {1}, kUint32, std::vector<std::uint32_t>{0xffffffff})),
            (Ints{0xffffffff}));
  EXPECT_EQ(ints_of(tensor("w", {3}, Ints{-1, 0, 1LL << 62})), (Ints{-1, 0, 1LL << 62}));
  EXPECT_EQ(ints_of(raw_tensor("w", {1}, kUint64, std::vector<std::uint64_t>{5})), (Ints{5}));
  expect_error(with_tensor(raw_tensor("w", {1}, kUint64, std::vector<std::uint64_t>{1ULL << 63})),
               ErrorCode::unsupported, "does not fit into 63 bits");
  const auto flags = constant_of(raw_tensor("w", {3}, kBool, std::vector<std::uint8_t>{0, 1, 200}));
  EXPECT_EQ(flags.type, graph::DType::boolean);
  EXPECT_EQ(Ints(flags.ints.begin(), flags.ints.end()), (Ints{0, 1, 1}));
}

TEST(Tensor, TypedFields) {
  auto f32 = empty_tensor("w", {2}, kFloat);
  f32.add_float_data(1.5f);
  f32.add_float_data(-2);
  EXPECT_EQ(floats_of(f32), (Floats{1.5f, -2}));
  auto f64 = empty_tensor("w", {1}, kDouble);
  f64.add_double_data(0.25);
  EXPECT_EQ(floats_of(f64), Floats{0.25});
  auto i64 = empty_tensor("w", {1}, kInt64);
  i64.add_int64_data(-9);
  EXPECT_EQ(ints_of(i64), Ints{-9});
  auto u32 = empty_tensor("w", {1}, kUint32);
  u32.add_uint64_data(9);
  EXPECT_EQ(ints_of(u32), Ints{9});
  u32.set_uint64_data(0, 1ULL << 32);
  expect_error(with_tensor(u32), kBad, "does not fit its tensor's type");
  auto u8 = empty_tensor("w", {1}, kUint8);
  u8.add_int32_data(255);
  EXPECT_EQ(ints_of(u8), Ints{255});
  u8.set_int32_data(0, 256);
  expect_error(with_tensor(u8), kBad, "does not fit its tensor's type");
  auto i8 = empty_tensor("w", {1}, kInt8);
  i8.add_int32_data(-129);
  expect_error(with_tensor(i8), kBad, "does not fit its tensor's type");
  auto boolean = empty_tensor("w", {2}, kBool);
  boolean.add_int32_data(1);
  boolean.add_int32_data(0);
  EXPECT_EQ(ints_of(boolean), (Ints{1, 0}));
}

TEST(Tensor, Extents) {
  expect_error(with_tensor(empty_tensor("w", {2, -1}, kFloat)), kBad,
               "a tensor has a negative extent (file model.onnx, node w)");
  expect_error(with_tensor(empty_tensor("w", {1LL << 40, 1LL << 40}, kFloat)), kBad, "");
  expect_error(with_tensor(empty_tensor("w", {1LL << 31}, kFloat)), kBad,
               "more than 2^31 - 1 elements");
  expect_error(with_tensor(empty_tensor("w", {0, 1LL << 62, 4}, kFloat)), kBad, "");
  expect_error(with_tensor(empty_tensor("w", Ints(9, 1), kFloat)), kBad, "more than 8 dimensions");
  EXPECT_EQ(constant_of(tensor("w", Ints(8, 1), Floats{1})).shape.size(), 8U);
}

TEST(Tensor, ZeroElements) {
  EXPECT_EQ(constant_of(empty_tensor("w", {0}, kFloat)).floats().size(), 0U);
  EXPECT_EQ(constant_of(empty_tensor("w", {3, 0}, kInt64)).ints.size(), 0U);
  expect_error(with_tensor(tensor("w", {0}, Floats{1})), kBad, "4 bytes, its shape needs 0");
}

TEST(Tensor, AmountOfData) {
  expect_error(with_tensor(tensor("w", {3}, Floats{1, 2})), kBad, "8 bytes, its shape needs 12");
  expect_error(with_tensor(tensor("w", {1}, Floats{1, 2})), kBad, "8 bytes, its shape needs 4");
  expect_error(with_tensor(raw_tensor("w", {1}, kFloat, std::vector<char>{1, 2, 3})), kBad,
               "3 bytes, its shape needs 4");
  expect_error(with_tensor(empty_tensor("w", {2}, kFloat)), kBad, "no data");
  auto few = empty_tensor("w", {2}, kFloat);
  few.add_float_data(1);
  expect_error(with_tensor(few), kBad, "1 values, its shape needs 2");
}

TEST(Tensor, KindsOfData) {
  auto both = tensor("w", {1}, Floats{1});
  both.add_float_data(1);
  expect_error(with_tensor(both), kBad, "two kinds of data");
  auto wrong = empty_tensor("w", {1}, kFloat);
  wrong.add_int64_data(1);
  expect_error(with_tensor(wrong), kBad, "the field of another type");
  auto narrow = empty_tensor("w", {1}, kInt64);
  narrow.add_int32_data(1);
  expect_error(with_tensor(narrow), kBad, "the field of another type");
  auto place = tensor("w", {1}, Floats{1});
  place.set_data_location(2);
  expect_error(with_tensor(place), kBad, "location is unknown");
}

TEST(Tensor, Types) {
  expect_error(with_tensor(tensor("", {1}, Floats{1})), kBad, "an initializer has no name");
  expect_error(with_tensor(empty_tensor("w", {1}, 0)), kBad, "an element type is missing");
  expect_error(with_tensor(empty_tensor("w", {1}, 99)), kBad, "99 does not exist");
  for (const int type : {8, 14, 15, 17, 20, 21, 22, 23, 24, 25, 26})
    expect_error(of_tensor(empty_tensor("w", {1}, type)), ErrorCode::unsupported, "node w");
  EXPECT_NO_THROW(import(with_tensor(empty_tensor("w", {1}, 8)))) << "nobody needs it";
}

TEST(Tensor, DataOutlivesTheImport) {
  graph::Constant kept;
  {
    const auto got = import(small_model());
    kept = *got.graph.value(got.graph.find_value("w")).constant;
  }
  EXPECT_EQ(floats_of(kept), (Floats{1, 2, 3, 4}));
}

}  // namespace
}  // namespace fovea::test
