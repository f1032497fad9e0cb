// Weights beside the model: only downwards, only regular files, only what is there.
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "import_helpers.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;
constexpr auto kBad = ErrorCode::bad_model;

class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::temp_directory_path() /
            ("fovea_external_" + std::string(info->name()) + std::to_string(::getpid()));
    fs::remove_all(root_);
    folder_ = root_ / "model";
    fs::create_directories(folder_ / "sub");
    const Floats values{1, 2, 3, 4, 5, 6, 7, 8};
    std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * 4);
    write("w.data", bytes);
    write("sub/w.data", bytes);
    std::ofstream(root_ / "outside.data", std::ios::binary) << bytes;
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  fs::path root_;
  fs::path folder_;
};

using Entries = std::vector<std::pair<std::string, std::string>>;

TensorProto external(const std::string& name, const Ints& dims, const Entries& entries,
                     int type = kFloat) {
  auto out = empty_tensor(name, dims, type);
  out.set_data_location(1);
  for (const auto& [key, value] : entries) {
    auto* entry = out.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return out;
}
ModelBuilder model_at(const std::string& location, const std::string& offset = "0",
                      const std::string& length = "32") {
  return with_tensor(
      external("w", {8}, {{"location", location}, {"offset", offset}, {"length", length}}));
}
Floats weights(const onnx::Imported& model, const std::string& name = "w") {
  const auto& constant = *model.graph.value(model.graph.find_value(name)).constant;
  const auto floats = constant.floats();
  return {floats.begin(), floats.end()};
}

const Floats kAll{1, 2, 3, 4, 5, 6, 7, 8};

TEST_F(ExternalData, IsRead) {
  EXPECT_EQ(weights(import(model_at("w.data"), folder_)), kAll);
  EXPECT_EQ(weights(import(model_at("./w.data"), folder_)), kAll);
  EXPECT_EQ(weights(import(model_at("sub/w.data"), folder_)), kAll);
  EXPECT_EQ(weights(import(model_at("sub//./w.data"), folder_)), kAll);
  EXPECT_EQ(weights(import(model_at("sub/../w.data"), folder_)), kAll);
  EXPECT_EQ(weights(import(model_at("sub/.././sub/../sub/w.data"), folder_)), kAll);
  const auto bare = with_tensor(external("w", {8}, {{"location", "w.data"}}));
  EXPECT_EQ(weights(import(bare, folder_)), kAll);
  const auto summed =
      with_tensor(external("w", {8}, {{"location", "w.data"}, {"checksum", "0123"}}));
  EXPECT_EQ(weights(import(summed, folder_)), kAll);
}

TEST_F(ExternalData, LiesBesideTheFile) {
  std::ofstream(folder_ / "m.onnx", std::ios::binary) << model_at("w.data").serialize();
  EXPECT_EQ(weights(onnx::import_file(folder_ / "m.onnx", {})), kAll);
  LoadOptions options;
  options.external_data = folder_ / "sub";
  EXPECT_EQ(weights(onnx::import_file(folder_ / "m.onnx", options)), kAll);
  options.external_data = root_;
  EXPECT_THROW(onnx::import_file(folder_ / "m.onnx", options), Error);
  const auto here = fs::current_path();
  fs::current_path(folder_);
  EXPECT_EQ(weights(onnx::import_file("m.onnx", {})), kAll);
  fs::current_path(here);
}

TEST_F(ExternalData, FilesAreNamedOnce) {
  auto model = tiny_model();
  const auto at = [](const std::string& location) { return Entries{{"location", location}}; };
  model.initializer(external("a", {2}, at("sub/w.data")))
      .initializer(external("b", {2}, at("w.data")))
      .initializer(external("c", {2}, at("./w.data")));
  using Paths = std::vector<fs::path>;
  EXPECT_EQ(import(model, folder_).info.files, (Paths{folder_ / "sub/w.data", folder_ / "w.data"}));
  std::ofstream(folder_ / "m.onnx", std::ios::binary) << model.serialize();
  EXPECT_EQ(onnx::import_file(folder_ / "m.onnx", {}).info.files,
            (Paths{folder_ / "m.onnx", folder_ / "sub/w.data", folder_ / "w.data"}));
  EXPECT_TRUE(import(tiny_model()).info.files.empty());
}

TEST_F(ExternalData, OneFileIsShared) {
  auto model = tiny_model();
  const auto at = [](const std::string& offset) {
    return Entries{{"location", "w.data"}, {"offset", offset}};
  };
  model.initializer(external("a", {2}, at("8")))
      .initializer(external("b", {2, 2}, at("16")))
      .initializer(external("c", {4}, at("0")))
      .initializer(external("odd", {1}, at("6")))
      .initializer(external("halves", {2}, at("0"), kFloat16))
      .initializer(external("empty", {0}, at("32")));
  const auto got = import(model, folder_);
  EXPECT_EQ(weights(got, "a"), (Floats{3, 4}));
  EXPECT_EQ(weights(got, "b"), (Floats{5, 6, 7, 8}));
  EXPECT_EQ(weights(got, "c"), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(weights(got, "odd").size(), 1U) << "not aligned: copied";
  EXPECT_EQ(weights(got, "halves"), (Floats{0, 1.875f})) << "0x0000, 0x3f80";
  EXPECT_TRUE(weights(got, "empty").empty());
  const auto& a = *got.graph.value(got.graph.find_value("a")).constant;
  const auto& b = *got.graph.value(got.graph.find_value("b")).constant;
  EXPECT_EQ(a.floats().owner, b.floats().owner);
  EXPECT_EQ(a.floats().data.data() + 2, b.floats().data.data());
}

TEST_F(ExternalData, FarApartPiecesAreReadAlone) {
  constexpr int kFar = 300'000;
  std::string bytes(kFar + 8, 'x');
  const Floats values{1, 2};
  std::memcpy(bytes.data(), values.data(), 8);
  std::memcpy(bytes.data() + kFar, values.data(), 8);
  write("far.data", bytes);
  auto model = tiny_model();
  model.initializer(external("b", {1}, {{"location", "far.data"}, {"offset", "300004"}}))
      .initializer(external("a", {2}, {{"location", "far.data"}, {"offset", "0"}}));
  const auto got = import(model, folder_);
  EXPECT_EQ(weights(got, "a"), (Floats{1, 2}));
  EXPECT_EQ(weights(got, "b"), Floats{2});
}

TEST_F(ExternalData, InAConstantNode) {
  ModelBuilder model;
  model
      .add("Constant", {}, {"w"}, {attr("value", external("", {8}, {{"location", "w.data"}}))}, "c")
      .add("Relu", {"w"}, {"y"})
      .output("y");
  EXPECT_EQ(weights(import(model, folder_)), kAll);
  ModelBuilder outside;
  outside
      .add("Constant", {}, {"w"},
           {attr("value", external("", {8}, {{"location", "../outside.data"}}))}, "c")
      .output("w");
  expect_error(outside, kBad, "leaves the model's folder (file model.onnx, node c", folder_);
}

TEST_F(ExternalData, StaysInsideTheFolder) {
  for (const auto* location : {"../outside.data", "sub/../../outside.data", "..", "../model/w.data",
                               "sub/../../model/w.data", "./../w.data", "sub/../.."})
    expect_error(model_at(location), kBad, "leaves the model's folder", folder_);
  for (const auto* location : {"sub/..", "w.data/..", "sub/w.data/..", "./sub/../."})
    expect_error(model_at(location), kBad, "names no file", folder_);
  expect_error(model_at("nowhere/../w.data"), kBad, "No such file", folder_);
  expect_error(model_at("w.data/../w.data"), kBad, "not a folder", folder_);
  expect_error(model_at((root_ / "outside.data").string()), kBad, "is an absolute path", folder_);
  expect_error(model_at("/dev/zero"), kBad, "is an absolute path", folder_);
  expect_error(model_at("/proc/self/mem"), kBad, "is an absolute path", folder_);
  expect_error(model_at(""), kBad, "is empty", folder_);
  expect_error(model_at("."), kBad, "names no file", folder_);
  expect_error(model_at(std::string("w.data\0x", 8)), kBad, "contains a zero byte", folder_);
}

TEST_F(ExternalData, FollowsNoLinkOutOfTheFolder) {
  fs::create_symlink(root_ / "outside.data", folder_ / "link.data");
  expect_error(model_at("link.data"), kBad, "symbolic link out of the model's folder", folder_);
  fs::create_symlink("../outside.data", folder_ / "relative.data");
  expect_error(model_at("relative.data"), kBad, "symbolic link", folder_);
  fs::create_symlink("relative.data", folder_ / "link_to_link.data");
  expect_error(model_at("link_to_link.data"), kBad, "symbolic link", folder_);
  fs::create_directory_symlink(root_, folder_ / "up");
  expect_error(model_at("up/outside.data"), kBad, "symbolic link", folder_);
  expect_error(model_at("sub/../up/outside.data"), kBad, "symbolic link", folder_);
  // Lexically this is w.data; where `up` leads, there is another.
  expect_error(model_at("up/../w.data"), kBad, "No such file", folder_);
  fs::create_symlink("/dev/zero", folder_ / "zero.data");
  expect_error(model_at("zero.data"), kBad, "symbolic link", folder_);
  fs::create_symlink("loop.data", folder_ / "loop.data");
  expect_error(model_at("loop.data"), kBad, "symbolic link", folder_);
  fs::create_symlink("nowhere.data", folder_ / "dangling.data");
  expect_error(model_at("dangling.data"), kBad, "No such file", folder_);
  fs::create_hard_link(root_ / "outside.data", folder_ / "hard.data");
  expect_error(model_at("hard.data"), kBad, "a hard link", folder_);
  fs::create_symlink("hard.data", folder_ / "link_to_hard.data");
  expect_error(model_at("link_to_hard.data"), kBad, "a hard link", folder_);
  // A folder whose name begins as the model's does.
  fs::create_directories(root_ / "model.other");
  std::ofstream(root_ / "model.other/w.data", std::ios::binary) << std::string(32, 'x');
  fs::create_symlink("../model.other/w.data", folder_ / "neighbour.data");
  expect_error(model_at("neighbour.data"), kBad, "symbolic link", folder_);
}

TEST_F(ExternalData, FollowsLinksWithinTheFolder) {
  fs::create_symlink("w.data", folder_ / "inner.data");
  fs::create_symlink(folder_ / "sub/w.data", folder_ / "sub/absolute.data");
  fs::create_directory_symlink("sub", folder_ / "other");
  for (const auto* location : {"inner.data", "sub/absolute.data", "other/w.data",
                               "other/../inner.data", "other/absolute.data"})
    EXPECT_EQ(weights(import(model_at(location), folder_)), kAll) << location;
}

/// A file and its data as Hugging Face's cache keeps them, or nearly.
struct Cache {
  explicit Cache(const fs::path& root) : snapshot(root / "hub/snapshots/1234") {
    blobs = root / "hub/blobs";
    fs::create_directories(snapshot / "onnx");
    fs::create_directories(blobs);
    const std::string bytes(reinterpret_cast<const char*>(kAll.data()), kAll.size() * 4);
    std::ofstream(blobs / "aaaa", std::ios::binary) << model_at("model.onnx_data").serialize();
    std::ofstream(blobs / "bbbb", std::ios::binary) << bytes;
  }
  fs::path snapshot, blobs;
};

TEST_F(ExternalData, LiesAmongTheBlobsOfACache) {
  const Cache cache(root_);
  fs::create_symlink("../../blobs/aaaa", cache.snapshot / "model.onnx");
  fs::create_symlink("../../blobs/bbbb", cache.snapshot / "model.onnx_data");
  fs::create_symlink("../../../blobs/aaaa", cache.snapshot / "onnx/model.onnx");
  fs::create_symlink("../../../blobs/bbbb", cache.snapshot / "onnx/model.onnx_data");
  EXPECT_EQ(weights(onnx::import_file(cache.snapshot / "model.onnx", {})), kAll);
  EXPECT_EQ(weights(onnx::import_file(cache.snapshot / "onnx/model.onnx", {})), kAll);
  EXPECT_EQ(onnx::import_file(cache.snapshot / "model.onnx", {}).info.files.at(1),
            cache.snapshot / "model.onnx_data");
  const auto expect_link = [&](const fs::path& model) {
    try {
      onnx::import_file(model, {});
      ADD_FAILURE() << "followed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), kBad);
      EXPECT_NE(std::string(error.what()).find("symbolic link out of"), std::string::npos)
          << error.what();
    }
  };
  // The same, led elsewhere: beside the blobs, above them, and through a link among them.
  std::ofstream(root_ / "hub/private", std::ios::binary) << std::string(32, 'x');
  const auto relink = [&](const fs::path& to) {
    fs::remove(cache.snapshot / "model.onnx_data");
    fs::create_symlink(to, cache.snapshot / "model.onnx_data");
  };
  relink("../../private");
  expect_link(cache.snapshot / "model.onnx");
  relink("../../../outside.data");
  expect_link(cache.snapshot / "model.onnx");
  fs::create_symlink("../private", cache.blobs / "cccc");
  relink("../../blobs/cccc");
  expect_link(cache.snapshot / "model.onnx");
  // A file that is no link has its own folder, and `blobs` beside it.
  relink("../../blobs/bbbb");
  fs::remove(cache.snapshot / "model.onnx");
  fs::copy_file(cache.blobs / "aaaa", cache.snapshot / "model.onnx");
  expect_link(cache.snapshot / "model.onnx");
  fs::create_directories(root_ / "hub/snapshots/blobs");
  fs::copy_file(cache.blobs / "bbbb", root_ / "hub/snapshots/blobs/bbbb");
  relink("../blobs/bbbb");
  EXPECT_EQ(weights(onnx::import_file(cache.snapshot / "model.onnx", {})), kAll);
  // `blobs` is no folder but a link.
  fs::rename(root_ / "hub/snapshots/blobs", root_ / "hub/elsewhere");
  fs::create_directory_symlink("../elsewhere", root_ / "hub/snapshots/blobs");
  expect_link(cache.snapshot / "model.onnx");
}

TEST_F(ExternalData, LiesBesideALinkThatALinkLeadsTo) {
  const Cache cache(root_);
  fs::create_symlink("../../blobs/aaaa", cache.snapshot / "model.onnx");
  fs::create_symlink("../../blobs/bbbb", cache.snapshot / "model.onnx_data");
  fs::create_directories(root_ / "mine/far");
  fs::create_symlink(cache.snapshot / "model.onnx", root_ / "mine/far/m.onnx");
  fs::create_symlink("far/m.onnx", root_ / "mine/m.onnx");
  for (const auto* link : {"mine/far/m.onnx", "mine/m.onnx"}) {
    const auto got = onnx::import_file(root_ / link, {});
    EXPECT_EQ(weights(got), kAll) << link;
    EXPECT_EQ(got.info.files.at(1), fs::canonical(cache.snapshot) / "model.onnx_data");
  }
  // What lies beside a link goes before what lies behind it.
  std::ofstream(root_ / "mine/far/model.onnx_data", std::ios::binary) << std::string(32, '\0');
  EXPECT_EQ(weights(onnx::import_file(root_ / "mine/m.onnx", {})), Floats(8));
  // A folder in between opens nothing of what its links lead to.
  fs::remove(root_ / "mine/far/model.onnx_data");
  fs::create_symlink("../../outside.data", root_ / "mine/far/model.onnx_data");
  EXPECT_THROW(onnx::import_file(root_ / "mine/m.onnx", {}), Error);
  // Links that lead in a circle.
  fs::create_symlink("b.onnx", root_ / "mine/a.onnx");
  fs::create_symlink("a.onnx", root_ / "mine/b.onnx");
  EXPECT_THROW(onnx::import_file(root_ / "mine/a.onnx", {}), Error);
}

TEST_F(ExternalData, LiesWhereALinkToTheModelLeads) {
  std::ofstream(folder_ / "m.onnx", std::ios::binary) << model_at("w.data").serialize();
  fs::create_directories(root_ / "links");
  fs::create_symlink(folder_ / "m.onnx", root_ / "links/m.onnx");
  const auto got = onnx::import_file(root_ / "links/m.onnx", {});
  EXPECT_EQ(weights(got), kAll);
  EXPECT_EQ(got.info.files.at(1), fs::canonical(folder_) / "w.data");
  // What lies beside the link goes first.
  std::ofstream(root_ / "links/w.data", std::ios::binary) << std::string(32, '\0');
  EXPECT_EQ(weights(onnx::import_file(root_ / "links/m.onnx", {})), Floats(8));
}

TEST_F(ExternalData, RegularFilesOnly) {
  expect_error(model_at("missing.data"), kBad, "No such file or directory", folder_);
  expect_error(model_at("sub"), kBad, "is not a regular file", folder_);
  expect_error(model_at("w.data/x"), kBad, "not a folder", folder_);
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  expect_error(model_at("pipe"), kBad, "is not a regular file", folder_);
  expect_error(model_at("w.data"), kBad, "No such file", folder_ / "nowhere");
}

TEST_F(ExternalData, Ranges) {
  EXPECT_EQ(
      weights(import(with_tensor(external(
                         "w", {1}, {{"location", "w.data"}, {"offset", "28"}, {"length", "4"}})),
                     folder_)),
      Floats{8});
  expect_error(model_at("w.data", "4"), kBad, "is truncated: it has 32 bytes, 32 are wanted",
               folder_);
  expect_error(model_at("w.data", "33"), kBad, "is truncated", folder_);
  expect_error(model_at("w.data", "9223372036854775807"), kBad, "is truncated", folder_);
  expect_error(model_at("w.data", "9223372036854775808"), kBad, "is not a size", folder_);
  expect_error(model_at("w.data", "-4"), kBad, "is not a size", folder_);
  expect_error(model_at("w.data", "4x"), kBad, "is not a size", folder_);
  expect_error(model_at("w.data", ""), kBad, "is not a size", folder_);
  expect_error(model_at("w.data", "0", "31"), kBad, "31 bytes, its shape needs 32", folder_);
  expect_error(model_at("w.data", "0", "18446744073709551615"), kBad, "is not a size", folder_);
  write("empty.data", "");
  expect_error(model_at("empty.data"), kBad, "is truncated", folder_);
  // A shape alone may not ask for memory.
  expect_error(with_tensor(external("w", {2147483647}, {{"location", "w.data"}})), kBad,
               "is truncated", folder_);
}

TEST_F(ExternalData, Keys) {
  const auto with = [](const Entries& entries) { return with_tensor(external("w", {8}, entries)); };
  expect_error(with({}), kBad, "names no location", folder_);
  expect_error(with({{"location", "w.data"}, {"location", "w.data"}}), kBad, "repeats the key",
               folder_);
  expect_error(with({{"location", "w.data"}, {"__class__", "x"}}), kBad, "unknown key", folder_);
  auto both = external("w", {1}, {{"location", "w.data"}});
  both.set_raw_data(std::string(4, '\0'));
  expect_error(with_tensor(both), kBad, "two kinds of data", folder_);
  auto silent = tensor("w", {1}, Floats{1});
  silent.add_external_data()->set_key("location");
  expect_error(with_tensor(silent), kBad, "says that it has none", folder_);
}

TEST_F(ExternalData, NeedsAFolder) {
  expect_error(model_at("w.data"), ErrorCode::invalid_argument, "LoadOptions::external_data");
}

}  // namespace
}  // namespace fovea::test
