// What is not a model, is cut short, damaged or too large is refused before it is parsed.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "graph/infer.hpp"
#include "import_helpers.hpp"
#include "onnx/limits.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

using namespace std::string_literals;

constexpr auto kBad = ErrorCode::bad_model;

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string tag(std::uint64_t field, unsigned wire) {
  return varint(field << 3 | wire);
}
std::string field(std::uint64_t number, const std::string& bytes) {
  return tag(number, 2) + varint(bytes.size()) + bytes;
}

TEST(Wire, ImpostorsAreNamed) {
  expect_error(""s, kBad, "the file is empty");
  expect_error("Hello, world, this is a text file\n"s, kBad, "not an ONNX model (text)");
  expect_error("<!DOCTYPE html><html><body>404</body></html>"s, kBad, "not an ONNX model (text)");
  expect_error("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"s, kBad, "gzip data");
  expect_error("PK\x03\x04\x14\x00\x00\x00"s, kBad, "a zip archive");
  expect_error("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"s, kBad,
               "a Git LFS pointer");
  expect_error("\x89HDF\r\n\x1a\n"s, kBad, "HDF5");
  expect_error("\x1c\x00\x00\x00TFL3"s, kBad, "TensorFlow Lite");
  expect_error("\x00\x00\x00\x00"s, kBad, "not an ONNX model");
  expect_error("\xff\xfe\xfd\xfc\xfb\xfa"s, kBad, "not an ONNX model");
  // Well-formed messages of something else.
  expect_error(field(3, "abc") + field(100, "def"), kBad, "not an ONNX model");
}

TEST(Wire, EveryPrefixIsRefused) {
  const auto whole = small_model().serialize();
  ASSERT_NO_THROW(import(whole));
  // The graph's length is known from byte 12 on; from there to its end the file is "truncated".
  const auto graph_begin = whole.find('\x3a');
  ASSERT_NE(graph_begin, std::string::npos);
  int truncated = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto error = import_error(whole.substr(0, size));
    ASSERT_TRUE(error) << size;
    EXPECT_EQ(error->code(), kBad) << size << ": " << error->what();
    const bool says = std::string(error->what()).find("truncated") != std::string::npos;
    truncated += says ? 1 : 0;
    if (size > graph_begin + 3 && size < whole.size() - 10) {
      EXPECT_TRUE(says) << size << ": " << error->what();
    }
  }
  EXPECT_GT(truncated, 400);
}

// Success or an error of ours, also where shapes are inferred; anything else ends the test.
void try_import(const std::string& bytes) {
  try {
    auto model = import(bytes);
    graph::bind(model.graph, {}, 1);
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
  }
}

TEST(Wire, EveryByteMayBeWrong) {
  const auto whole = small_model().serialize();
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const int flip : {0x01, 0x80, 0xff}) {
      auto bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      try_import(bytes);
    }
}

TEST(Wire, RandomDamage) {
  const auto whole = small_model().serialize();
  std::mt19937 random(1);
  for (int round = 0; round < 5000; ++round) {
    auto bytes = whole;
    for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 3 == 0) bytes.erase(random() % bytes.size(), random() % 8);
    if (round % 3 == 1) bytes.insert(random() % bytes.size(), bytes, random() % bytes.size(), 9);
    try_import(bytes);
  }
}

TEST(Wire, VarintsAreBounded) {
  expect_error(tag(1, 0) + std::string(10, '\xff') + "\x01", kBad, "not an ONNX model");
  const auto model = tiny_model().serialize();
  // The tenth byte may carry one bit.
  expect_error(model + tag(5, 0) + std::string(9, '\xff') + "\x02", kBad, "damaged");
  EXPECT_NO_THROW(import(model + tag(5, 0) + std::string(9, '\xff') + "\x01"));
}

TEST(Wire, LengthsStayInsideTheirParent) {
  auto graph = tiny_model().proto.graph().SerializeAsString();
  const auto header = tag(1, 0) + varint(8) + field(8, tag(2, 0) + varint(13));
  ASSERT_NO_THROW(import(header + field(7, graph)));
  // A node longer than the graph, in a file that goes on behind it.
  graph += tag(1, 2) + varint(20) + "short";
  expect_error(header + field(7, graph) + field(6, std::string(40, 'd')), kBad, "damaged");
}

TEST(Wire, TypesAndNumbersThatDoNotExist) {
  const auto model = tiny_model().serialize();
  for (const unsigned wire : {3U, 4U, 6U, 7U})
    expect_error(model + tag(50, wire) + "\x01", kBad, "damaged");
  expect_error(model + tag(0, 0) + "\x01", kBad, "damaged");
}

TEST(Wire, NestingIsBounded) {
  // A graph in an attribute of a node in a graph, and so on.
  std::string graph = tiny_model().proto.graph().SerializeAsString();
  const auto wrap = [](const std::string& inner) {
    const auto attribute = field(1, "body") + tag(20, 0) + varint(5) + field(6, inner);
    return field(1, field(2, "o") + field(4, "If") + field(5, attribute));
  };
  const auto header = tag(1, 0) + varint(8) + field(8, tag(2, 0) + varint(13));
  auto deep = graph;
  for (int i = 0; i < 30; ++i) deep = wrap(deep);
  expect_error(header + field(7, deep), kBad, "nested deeper than 64");
  for (int i = 0; i < 2000; ++i) deep = field(1, field(5, field(6, deep)));
  expect_error(header + field(7, deep), kBad, "nested deeper than 64");
}

TEST(Wire, UnknownFieldsAreSkippedAndTheLastOneWins) {
  const auto model = tiny_model().serialize();
  const auto extended = model + field(77, "from the future") + tag(78, 0) + varint(5) + tag(79, 1) +
                        std::string(8, 'x') + tag(80, 5) + std::string(4, 'x') + tag(1, 0) +
                        varint(10);
  EXPECT_EQ(import(extended).info.ir_version, 10);
}

TEST(Wire, PackedDataIsWhole) {
  auto tensor = empty_tensor("w", {2}, kFloat);
  const auto cut = tensor.SerializeAsString() + field(4, std::string(7, '\0'));
  auto graph = tiny_model().proto.graph().SerializeAsString() + field(5, cut);
  const auto header = tag(1, 0) + varint(8) + field(8, tag(2, 0) + varint(13));
  expect_error(header + field(7, graph), kBad, "damaged");
}

TEST(Wire, NamesAreTextOfBoundedLength) {
  const auto named = [](const std::string& name) {
    ModelBuilder model;
    model.input(name, {1}).add("Relu", {name}, {"y"}).output("y");
    return model;
  };
  EXPECT_NO_THROW(import(named("größe/層:0")));
  EXPECT_NO_THROW(import(named(std::string(4096, 'n'))));
  expect_error(named(std::string(4097, 'n')), kBad, "longer than 4096 bytes");
  expect_error(named(std::string(1 << 20, 'n')), kBad, "longer than 4096 bytes");
  expect_error(named("a\nb"), kBad, "a control character");
  expect_error(named("a\0b"s), kBad, "a control character");
  for (const auto& bytes : {"\xff"s, "\xc0\xaf"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s,
                            "\xf4\x90\x80\x80"s, "\xf8\x88\x80\x80\x80"s, "\xe4\xbd"s, "\x80"s})
    expect_error(named(bytes), kBad, "not UTF-8");
  const auto error = import_error(named(std::string(1 << 20, 'n')));
  ASSERT_TRUE(error);
  EXPECT_LT(std::string(error->what()).size(), 400U);
}

TEST(Wire, CountsAreBounded) {
  auto model = tiny_model();
  for (std::size_t i = 0; i < onnx::kMaxNodes; ++i) model.proto.mutable_graph()->add_node();
  expect_error(model, kBad, "more than 100000 nodes");

  auto weights = tiny_model();
  for (std::size_t i = 0; i <= onnx::kMaxInitializers; ++i)
    weights.proto.mutable_graph()->add_initializer();
  expect_error(weights, kBad, "more than 100000 initializers");

  // Two bytes each: empty input names.
  std::string node = field(4, "Sum");
  for (std::size_t i = 0; i <= onnx::kMaxFields; ++i) node += "\x0a\0"s;
  const auto header = tag(1, 0) + varint(8) + field(8, tag(2, 0) + varint(13));
  expect_error(header + field(7, field(1, node)), kBad, "more than 4000000 parts");
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
  const std::filesystem::path path = std::filesystem::temp_directory_path() /
                                     ("fovea_wire_" + std::to_string(::getpid()) + ".onnx");
};

void expect_file_error(const std::filesystem::path& path, const std::string& part) {
  try {
    onnx::import_file(path, {});
    ADD_FAILURE() << "the import succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), kBad) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_EQ(error.context().file, path.string());
  }
}

TEST(File, Reads) {
  const TemporaryFile file(small_model().serialize());
  EXPECT_EQ(onnx::import_file(file.path, {}).info.nodes.size(), 6U);
}

TEST(File, WhatCannotBeReadIsNamed) {
  expect_file_error("/nonexistent/model.onnx", "No such file or directory");
  expect_file_error(std::filesystem::temp_directory_path(), "not a regular file");
  expect_file_error("/dev/zero", "not a regular file");
  const TemporaryFile file("");
  expect_file_error(file.path, "the file is empty");
  std::filesystem::remove(file.path);
  ASSERT_EQ(::mkfifo(file.path.c_str(), 0600), 0);
  expect_file_error(file.path, "not a regular file");
}

TEST(File, TwoGibibytesAreTooMuch) {
  const TemporaryFile file("x");
  std::error_code error;
  std::filesystem::resize_file(file.path, std::uintmax_t{1} << 31, error);
  if (error) GTEST_SKIP() << "no sparse files here";
  expect_file_error(file.path, "larger than 2 GiB");
}

TEST(File, ErrorsNameTheFileAndTheNode) {
  ModelBuilder model;
  model.input("x", {1}).add("Conv", {"x"}, {"y"}, {}, "first").output("y");
  const TemporaryFile file(model.serialize());
  try {
    onnx::import_file(file.path, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.context().file, file.path.string());
    EXPECT_EQ(error.context().node, "first");
    EXPECT_EQ(error.context().op, "Conv");
  }
}

}  // namespace
}  // namespace fovea::test
