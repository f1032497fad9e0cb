#include "npy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "fovea/error.hpp"
#include "program.hpp"

namespace fovea::cli {
namespace {

using cli_test::Scratch;
using cli_test::write_file;

std::string file_of(const std::string& header, const std::string& data, int version = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(version);
  out += '\0';
  for (int byte = 0; byte < (version == 1 ? 2 : 4); ++byte)
    out += static_cast<char>((header.size() >> (8 * byte)) & 255);
  return out + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values, bool swapped = false) {
  std::string out(values.size() * sizeof(T), '\0');
  std::memcpy(out.data(), values.data(), out.size());
  if (swapped)
    for (std::size_t i = 0; i < out.size(); i += sizeof(T))
      std::reverse(out.begin() + static_cast<std::ptrdiff_t>(i),
                   out.begin() + static_cast<std::ptrdiff_t>(i + sizeof(T)));
  return out;
}

std::string dictionary(const std::string& type, const std::string& shape, bool fortran = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + shape + ", }\n";
}

Tensor parsed(const std::string& bytes) {
  const Scratch scratch;
  write_file(scratch / "x.npy", bytes);
  return read_npy(scratch / "x.npy");
}

std::string refusal(const std::string& bytes) {
  try {
    parsed(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_NE(std::string(error.what()).find("x.npy"), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

template <class T>
void expect_read(const std::string& type, const std::vector<T>& values) {
  for (const bool swapped : {false, true}) {
    const auto tensor = parsed(
        file_of(dictionary((swapped ? ">" : "<") + type, "(2, 2)"), bytes_of(values, swapped)));
    EXPECT_EQ(tensor.shape, (Shape{2, 2})) << type;
    EXPECT_EQ(tensor.data, std::vector<float>(values.begin(), values.end())) << type << swapped;
  }
}

TEST(Npy, ReadsEveryTypeInBothByteOrders) {
  expect_read<float>("f4", {1.5F, -2.25F, 0.0F, 1e30F});
  expect_read<double>("f8", {1.5, -2.25, 0.0, 1e30});
  expect_read<std::int8_t>("i1", {-128, 127, 0, 5});
  expect_read<std::int16_t>("i2", {-32768, 32767, 0, 5});
  expect_read<std::int32_t>("i4", {-70000, 70000, 0, 5});
  expect_read<std::int64_t>("i8", {-5000000000, 5000000000, 0, 5});
  expect_read<std::uint8_t>("u1", {0, 255, 128, 5});
  expect_read<std::uint16_t>("u2", {0, 65535, 128, 5});
  expect_read<std::uint32_t>("u4", {0, 4000000000U, 128, 5});
  expect_read<std::uint64_t>("u8", {0, 10000000000U, 128, 5});
}

TEST(Npy, ReadsHalfPrecision) {
  const std::vector<std::uint16_t> bits = {0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000, 0x7C00};
  const auto tensor = parsed(file_of(dictionary("<f2", "(6,)"), bytes_of(bits)));
  EXPECT_EQ(tensor.data, (std::vector<float>{1, -2, std::ldexp(1.0F, -24), 65504, -0.0F,
                                             std::numeric_limits<float>::infinity()}));
  EXPECT_TRUE(std::isnan(
      parsed(file_of(dictionary("<f2", "(1,)"), bytes_of<std::uint16_t>({0x7E00}))).data[0]));
}

TEST(Npy, TurnsFortranOrderAround) {
  // [[0, 1, 2], [10, 11, 12]], columns first.
  const std::vector<float> values = {0, 10, 1, 11, 2, 12};
  const auto tensor = parsed(file_of(dictionary("<f4", "(2, 3)", true), bytes_of(values)));
  EXPECT_EQ(tensor.data, (std::vector<float>{0, 1, 2, 10, 11, 12}));
}

TEST(Npy, ReadsScalarsAndEveryVersion) {
  for (const int version : {1, 2, 3}) {
    const auto tensor = parsed(file_of(dictionary("<f4", "()"), bytes_of<float>({7}), version));
    EXPECT_TRUE(tensor.shape.empty());
    EXPECT_EQ(tensor.data, std::vector<float>{7});
  }
}

TEST(Npy, WritesWhatItReads) {
  for (const Shape& shape : {Shape{}, Shape{6}, Shape{2, 3}, Shape{1, 2, 1, 3}}) {
    Tensor tensor{shape, {1, -2, 3.5F, 1e-30F, 1e30F, 0}};
    if (shape.empty()) tensor.data.resize(1);
    const auto bytes = npy_bytes(tensor);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_EQ((bytes.size() - 4 * tensor.data.size()) % 64, 0U);
    const auto back = parsed(text);
    EXPECT_EQ(back.shape, tensor.shape);
    EXPECT_EQ(back.data, tensor.data);
  }
}

TEST(Npy, WritesPythonTuples) {
  const auto header = [](const Shape& shape, std::size_t count) {
    const auto bytes = npy_bytes({shape, std::vector<float>(count)});
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  EXPECT_NE(header({}, 1).find("'shape': (), }"), std::string::npos);
  EXPECT_NE(header({5}, 5).find("'shape': (5,), }"), std::string::npos);
  EXPECT_NE(header({5, 2}, 10).find("'shape': (5, 2), }"), std::string::npos);
}

TEST(Npy, RefusesWhatIsNoArray) {
  refusal("");
  refusal("\x93NUMPY");
  refusal("this is a text file, not an array");
  refusal(file_of(dictionary("<f4", "(1,)"), bytes_of<float>({1}), 4));
  const Scratch scratch;
  EXPECT_THROW(read_npy(scratch / "missing.npy"), Error);
  EXPECT_THROW(read_npy(scratch.path().string()), Error);
}

TEST(Npy, RefusesMalformedHeaders) {
  const auto data = bytes_of<float>({1, 2});
  const std::vector<std::string> headers = {
      "",
      "{",
      "{}",
      "nonsense\n",
      "{'descr': '<f4'}",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': (2,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} trailing",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2"};
  for (const auto& header : headers) refusal(file_of(header, data));
}

TEST(Npy, RefusesTypesItDoesNotKnow) {
  for (const std::string type : {"<c8", "|S4", "<U4", "|O", "<M8", "<f3", "", "<", "f"})
    EXPECT_NE(refusal(file_of(dictionary(type, "(1,)"), "12345678")).find("type"),
              std::string::npos);
  EXPECT_NE(
      refusal(file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"))
          .find("structured"),
      std::string::npos);
}

TEST(Npy, HoldsTheShapeAgainstTheFile) {
  const auto data = bytes_of<float>({1, 2, 3});
  EXPECT_NE(refusal(file_of(dictionary("<f4", "(4,)"), data)).find("16 bytes"), std::string::npos);
  refusal(file_of(dictionary("<f4", "(2,)"), data));
  refusal(file_of(dictionary("<f4", "(0, 3)"), data));
  refusal(file_of(dictionary("<f4", "(4294967296, 4294967296)"), data));
  refusal(file_of(dictionary("<f4", "(2147483647, 2147483647)"), data));
  refusal(file_of(dictionary("<f4", "(99999999999999999999999999,)"), data));
  refusal(file_of(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 3)"), data));
  auto cut = file_of(dictionary("<f4", "(3,)"), data);
  for (std::size_t size = 0; size < cut.size(); ++size) refusal(cut.substr(0, size));
}

}  // namespace
}  // namespace fovea::cli
