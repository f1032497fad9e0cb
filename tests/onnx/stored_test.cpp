// Large weights stay in their file: what is read from it later is what was there at load, or an
// error.
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "import_helpers.hpp"
#include "onnx/limits.hpp"
#include "seed_models.hpp"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

// More than two of the blocks that are read and checked at a time, and a part of one.
constexpr std::int64_t kLong = 600'000;
constexpr std::int64_t kLeast = onnx::kLargeBytes / 4;

Floats ramp(std::int64_t count, float first = 0.5f) {
  Floats out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), first);
  return out;
}

class Stored : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("fovea_stored_" + std::string(info->name()) + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    model_ = folder_ / "m.onnx";
    data_ = folder_ / "m.data";
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// One write, in place where the file exists.
  static void write(const fs::path& path, const std::string& bytes) {
    const auto mode = fs::exists(path) ? std::ios::in | std::ios::out : std::ios::out;
    std::fstream(path, mode | std::ios::binary) << bytes;
  }
  void write_model(const ModelBuilder& model) { write(model_, model.serialize()); }
  /// As if nobody had touched the file for an hour.
  static void settle(const fs::path& path) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::hours(1));
  }
  onnx::Imported load() const { return onnx::import_file(model_, {}); }

  fs::path folder_;
  fs::path model_;
  fs::path data_;
};

const graph::Constant& constant(const onnx::Imported& model, const std::string& name = "w") {
  return *model.graph.value(model.graph.find_value(name)).constant;
}
bool is_deferred(const onnx::Imported& model, const std::string& name = "w") {
  return constant(model, name).deferred() != nullptr;
}
Floats weights(const onnx::Imported& model, const std::string& name = "w") {
  const auto floats = constant(model, name).floats();
  return {floats.begin(), floats.end()};
}
TensorProto outside(const std::string& name, std::int64_t count, const std::string& location,
                    std::int64_t offset = 0) {
  auto out = empty_tensor(name, {count}, kFloat);
  out.set_data_location(1);
  const auto add = [&](const char* key, const std::string& value) {
    auto* entry = out.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", location);
  add("offset", std::to_string(offset));
  return out;
}
std::string bytes_of(const Floats& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

template <class Call>
void expect_change(Call&& call, const fs::path& file, const std::string& tensor = "w") {
  try {
    call();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_model) << error.what();
    EXPECT_NE(error.sentence().find("changed after the model was loaded"), std::string::npos)
        << error.what();
    EXPECT_EQ(error.context().file, file.string());
    EXPECT_EQ(error.context().node, tensor);
  }
}

TEST_F(Stored, LargeFloatsAreDeferredAndSmallOnesAreNot) {
  auto model = with_tensor(tensor("w", {kLeast}, ramp(kLeast)));
  model.initializer("small", {kLeast - 1}, ramp(kLeast - 1))
      .initializer("ints", {kLeast}, Ints(kLeast, 7));
  write_model(model);
  const auto got = load();
  EXPECT_TRUE(is_deferred(got));
  EXPECT_FALSE(is_deferred(got, "small"));
  EXPECT_FALSE(is_deferred(got, "ints"));
  EXPECT_EQ(weights(got), ramp(kLeast));
  EXPECT_EQ(weights(got, "small"), ramp(kLeast - 1));
  EXPECT_EQ(constant(got, "ints").ints.back(), 7);
}

TEST_F(Stored, EveryFloatTypeAndPlace) {
  const auto values = ramp(kLong, -1000);
  std::vector<double> doubles(values.begin(), values.end());
  std::vector<std::uint16_t> halves(kLong), bfloats(kLong);
  for (std::size_t i = 0; i < kLong; ++i) {
    halves[i] = static_cast<std::uint16_t>(i);
    bfloats[i] = static_cast<std::uint16_t>(i * 7);
  }
  auto typed = empty_tensor("typed", {kLong}, kFloat);
  for (const auto v : values) typed.add_float_data(v);
  auto model = with_tensor(tensor("w", {kLong}, values));
  model.initializer(typed)
      .initializer(raw_tensor("doubles", {kLong}, kDouble, doubles))
      .initializer(raw_tensor("halves", {kLong}, kFloat16, halves))
      .initializer(raw_tensor("bfloats", {kLong}, kBfloat16, bfloats))
      .initializer(outside("outside", kLong, "m.data", 12))
      .add("Constant", {}, {"inner"}, {attr("value", tensor("", {kLong}, values))}, "c")
      .output("inner");
  write_model(model);
  write(data_, std::string(12, 'x') + bytes_of(values));
  const auto from_file = load();
  const auto from_memory = import(model, folder_);
  for (const auto* name : {"w", "typed", "doubles", "outside", "inner"}) {
    EXPECT_TRUE(is_deferred(from_file, name)) << name;
    EXPECT_EQ(weights(from_file, name), values) << name;
    EXPECT_EQ(weights(from_memory, name), values) << name;
  }
  for (const auto* name : {"halves", "bfloats"}) {
    EXPECT_TRUE(is_deferred(from_file, name)) << name;
    const auto a = weights(from_file, name), b = weights(from_memory, name);
    const std::size_t at = 599'999;
    EXPECT_EQ(bytes_of(a), bytes_of(b)) << name;
    // One at a time, as small tensors are read.
    const auto one = name == std::string("halves")
                         ? raw_tensor("w", {1}, kFloat16, std::vector{halves[at]})
                         : raw_tensor("w", {1}, kBfloat16, std::vector{bfloats[at]});
    EXPECT_EQ(bytes_of({a[at]}), bytes_of(weights(import(with_tensor(one))))) << name;
  }
}

TEST_F(Stored, PartsAreRead) {
  write_model(with_tensor(tensor("w", {kLong}, ramp(kLong))));
  const auto got = load();
  Floats part(300'000);
  constant(got).read(123'456, part);
  EXPECT_EQ(part, ramp(300'000, 123'456.5f));
}

TEST_F(Stored, BytesAreNotNeededAfterwards) {
  auto bytes = with_tensor(tensor("w", {kLong}, ramp(kLong))).serialize();
  const auto got = import(bytes);
  std::fill(bytes.begin(), bytes.end(), 'x');
  EXPECT_FALSE(is_deferred(got));
  EXPECT_EQ(weights(got), ramp(kLong));
}

TEST_F(Stored, ARemovedOrReplacedFileIsStillRead) {
  const auto model = [](float first) {
    auto out = with_tensor(tensor("w", {kLong}, ramp(kLong, first)));
    out.initializer(outside("v", kLong, "m.data"));
    return out;
  };
  write_model(model(1));
  write(data_, bytes_of(ramp(kLong, 2)));
  const auto removed = load();
  fs::remove(model_);
  fs::remove(data_);
  write_model(model(3));
  write(data_, bytes_of(ramp(kLong, 4)));
  const auto replaced = load();
  write(folder_ / "new", "something else");
  fs::rename(folder_ / "new", model_);
  EXPECT_EQ(weights(removed), ramp(kLong, 1));
  EXPECT_EQ(weights(removed, "v"), ramp(kLong, 2));
  EXPECT_EQ(weights(replaced), ramp(kLong, 3));
  EXPECT_EQ(weights(replaced, "v"), ramp(kLong, 4));
}

TEST_F(Stored, AFileThatIsOverwrittenIsRefused) {
  write_model(with_tensor(outside("w", kLong, "m.data")));
  for (const bool settled : {false, true}) {
    write(data_, bytes_of(ramp(kLong)));
    if (settled) settle(data_);
    const auto got = load();
    write(data_, bytes_of(ramp(kLong, 7)));
    expect_change([&] { constant(got).floats(); }, data_);
  }
}

TEST_F(Stored, AChangeWithinTheModelFileIsRefused) {
  const auto model = [](float first) {
    return with_tensor(tensor("w", {kLong}, ramp(kLong, first)));
  };
  write_model(model(1));
  const auto got = load();
  write_model(model(2));
  expect_change([&] { constant(got).floats(); }, model_);
}

TEST_F(Stored, AFileThatIsCutShortIsRefused) {
  write_model(with_tensor(outside("w", kLong, "m.data")));
  write(data_, bytes_of(ramp(kLong)));
  settle(data_);
  const auto got = load();
  fs::resize_file(data_, 1000);
  expect_change([&] { constant(got).floats(); }, data_);
  EXPECT_THROW(load(), Error) << "and is refused at once by who loads it then";
}

// Whatever a file's times say (a copy with the times of its source), bytes that were read once are
// known again.
TEST_F(Stored, AChangeThatLeavesNoTraceIsRefused) {
  write_model(with_tensor(outside("w", kLong, "m.data")));
  for (const bool fresh : {true, false}) {
    write(data_, bytes_of(ramp(kLong)));
    if (!fresh) settle(data_);
    const auto time = fs::last_write_time(data_);
    const auto got = load();
    if (!fresh) constant(got).floats();
    auto values = ramp(kLong);
    values.back() += 1;
    write(data_, bytes_of(values));
    fs::last_write_time(data_, time);
    expect_change([&] { constant(got).floats(); }, data_);
  }
}

TEST_F(Stored, ManyFilesAreReadAtOnce) {
  auto model = tiny_model();
  constexpr int kFiles = static_cast<int>(onnx::kMaxOpenFiles) + 5;
  for (int i = 0; i < kFiles; ++i) {
    const auto name = "w" + std::to_string(i);
    write(folder_ / name, bytes_of(ramp(kLeast, static_cast<float>(i))));
    model.initializer(outside(name, kLeast, name));
  }
  write_model(model);
  const auto got = load();
  int deferred = 0;
  for (int i = 0; i < kFiles; ++i) {
    const auto name = "w" + std::to_string(i);
    deferred += is_deferred(got, name) ? 1 : 0;
    EXPECT_EQ(weights(got, name), ramp(kLeast, static_cast<float>(i)));
  }
  EXPECT_EQ(deferred, static_cast<int>(onnx::kMaxOpenFiles));
}

TEST_F(Stored, FilesAreClosedWithTheModel) {
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  write_model(with_tensor(tensor("w", {kLeast}, ramp(kLeast))));
  const auto before = open_files();
  {
    const auto got = load();
    EXPECT_EQ(open_files(), before + 1);
  }
  EXPECT_EQ(open_files(), before);
  fs::remove(model_);
  write_model(with_tensor(tensor("small", {1}, ramp(1))));
  const auto got = load();
  EXPECT_EQ(open_files(), before) << "nothing is left to read";
}

TEST_F(Stored, ManyThreadsReadAtOnce) {
  write_model(with_tensor(tensor("w", {kLong}, ramp(kLong))));
  const auto got = load();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(weights(got), ramp(kLong)); });
  for (auto& thread : threads) thread.join();
}

// --- what is left out of the messages ---

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string field(std::uint64_t number, const std::string& bytes) {
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string model_of(const std::string& tensor) {
  const auto graph = tiny_model().proto.graph().SerializeAsString() + field(5, tensor);
  return varint(8) + varint(8) + field(8, varint(16) + varint(13)) + field(7, graph);
}

TEST(LeftOut, AFileCannotNameWhatIsLeftOut) {
  // The field's own number in a file: skipped like every unknown one.
  const auto spoof = varint(std::uint64_t{536870911} << 3) + varint(0);
  const auto large = tensor("w", {kLeast}, ramp(kLeast)).SerializeAsString();
  EXPECT_EQ(weights(import(model_of(large + spoof))), ramp(kLeast));
  expect_error(model_of(empty_tensor("w", {kLeast}, kFloat).SerializeAsString() + spoof),
               ErrorCode::bad_model, "has no data");
}

TEST(LeftOut, RepeatedDataMeansWhatItMeansToProtobuf) {
  const auto head = empty_tensor("w", {kLeast}, kFloat).SerializeAsString();
  const auto raw = [](float first) { return field(9, bytes_of(ramp(kLeast, first))); };
  EXPECT_EQ(weights(import(model_of(head + raw(1) + raw(2)))), ramp(kLeast, 2));
  const auto two = empty_tensor("w", {2 * kLeast}, kFloat).SerializeAsString();
  const auto typed = field(4, bytes_of(ramp(kLeast)));
  EXPECT_EQ(weights(import(model_of(two + typed + typed)))[kLeast], 0.5f);
  expect_error(model_of(head + raw(1) + typed), ErrorCode::bad_model, "two kinds of data");
}

TEST(LeftOut, LargeDataIsCheckedLikeSmallData) {
  const auto raw = field(9, bytes_of(ramp(kLeast)));
  const auto with = [&](const Ints& dims, int type) {
    return model_of(empty_tensor("w", dims, type).SerializeAsString() + raw);
  };
  expect_error(with({kLeast + 1}, kFloat), ErrorCode::bad_model, "its shape needs");
  expect_error(with({kLeast}, kDouble), ErrorCode::bad_model, "its shape needs");
  EXPECT_NO_THROW(import(with({kLeast}, kString))) << "nobody needs it";
  const auto head = empty_tensor("w", {kLeast}, kFloat16).SerializeAsString();
  expect_error(model_of(head + field(4, bytes_of(ramp(kLeast)))), ErrorCode::bad_model,
               "the field of another type");
  const auto floats = empty_tensor("w", {kLeast}, kFloat).SerializeAsString();
  expect_error(model_of(floats + field(4, bytes_of(ramp(kLeast)) + "abc")), ErrorCode::bad_model,
               "damaged");
}

TEST(LeftOut, EveryCutBehindLargeDataIsRefused) {
  const auto whole = with_tensor(tensor("w", {kLeast}, ramp(kLeast))).serialize();
  // The last six bytes are the operator set's.
  for (std::size_t lost = 7; lost < 300; ++lost)
    expect_error(whole.substr(0, whole.size() - lost), ErrorCode::bad_model, "truncated");
  expect_error(whole.substr(0, whole.size() / 2), ErrorCode::bad_model, "truncated");
}

}  // namespace
}  // namespace fovea::test
