#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <ostream>

#include "base/checksum.hpp"
#include "support.hpp"

namespace fovea {
namespace {

using namespace api_test;
namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "fovea-examples-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const std::string& name) const { return path_ / name; }
  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
  }

 private:
  fs::path path_;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

/// What load says of a file; empty where it takes it.
std::string refusal(const fs::path& file) {
  try {
    ExampleIndex::load(file);
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_EQ(error.context().file, file.string());
    return error.sentence();
  }
}

ExampleIndex small_index() {
  ExampleIndex index({"sha", "relu", "recipe"}, 2);
  index.add(std::vector{1.F, 0.F}, "a.png", "cat");
  index.add(std::vector{0.F, 1.F}, "b.png", "dog");
  index.add(std::vector{1.F, 1.F}, "c.png");
  return index;
}

std::string order(const std::vector<Example>& examples) {
  std::string out;
  for (const auto& example : examples) out += example.name.substr(0, 1);
  return out;
}

TEST(Examples, WeightsChangeTheOrder) {
  const auto index = small_index();
  const std::vector<float> ones = {1, 1};
  // Equal ones in the order in which they were added.
  EXPECT_EQ(order(index.nearest({"relu", ones, {1, 0}}, 3)), "acb");
  EXPECT_EQ(order(index.nearest({"relu", ones, {0, 1}}, 3)), "bca");
  // Contributions (3, 4): cosine 3/5 with (3, 0), 4/5 with (0, 4).
  const auto both = index.nearest({"relu", ones, {3, 4}}, 5);
  ASSERT_EQ(order(both), "cba");
  EXPECT_FLOAT_EQ(both[0].similarity, 1);
  EXPECT_FLOAT_EQ(both[1].similarity, 0.8F);
  EXPECT_FLOAT_EQ(both[2].similarity, 0.6F);
  EXPECT_EQ(both[1].label, "dog");
  EXPECT_EQ(both[1].index, 1);
  // What speaks against a class is weighed as well.
  EXPECT_EQ(order(index.nearest({"relu", ones, {-3, 4}}, 3)), "cba");
  EXPECT_EQ(order(index.nearest({"relu", ones, {3, 4}}, 1)), "c");
}

TEST(Examples, WithoutAWeighedFeatureNothingIsNear) {
  const auto index = small_index();
  EXPECT_TRUE(index.nearest({"relu", {1, 1}, {0, 0}}, 3).empty());
  EXPECT_TRUE(index.nearest({"relu", {0, 1}, {1, 0}}, 3).empty());
  const auto found = index.nearest({"relu", {1, 1}, {1, 0}}, 3);
  EXPECT_EQ(found.back().similarity, 0);
}

/// Against the definition, in double, over values in no way scaled or rounded.
TEST(Examples, TheQueryItselfIsLeftOut) {
  ExampleIndex index({"sha", "relu", "recipe"}, 2);
  index.add(std::vector{1.F, 0.F}, "a.png", "", "1");
  index.add(std::vector{1.F, 1.F}, "b.png", "", "2");
  index.add(std::vector{1.F, 0.F}, "c.png", "", "1");
  index.add(std::vector{1.F, 0.F}, "d.png");
  const Folder folder;
  index.save(folder / "index.fvi");
  for (const auto& one : {index, ExampleIndex::load(folder / "index.fvi")}) {
    const Channels query{"relu", {1, 0}, {1, 1}};
    EXPECT_EQ(order(one.nearest(query, 9, 0, "1")), "db");
    EXPECT_EQ(order(one.nearest(query, 1, 0, "2")), "a");
    EXPECT_EQ(order(one.nearest(query, 9)), "acdb");
    EXPECT_EQ(one.digest(1), "2");
    EXPECT_EQ(one.digest(3), "");
  }
}

TEST(Examples, IsTheCosineOfContributions) {
  constexpr std::size_t kChannels = 77, kExamples = 300;
  for (const float scale : {1.F, 1e-30F, 1e30F}) {
    auto rows = random_input({kExamples, kChannels}, 1);
    auto weights = random_input({kChannels}, 2);
    for (auto& v : rows.data) v = scale * std::max(v, -0.5F);
    for (auto& w : weights.data) w *= scale;
    ExampleIndex index({}, kChannels);
    const auto row = [&](std::size_t i) {
      return std::span(rows.data).subspan(i * kChannels, kChannels);
    };
    for (std::size_t i = 0; i < kExamples; ++i) index.add(row(i), std::to_string(i));
    for (std::size_t i = 0; i < kExamples; ++i)  // not by rounding either
      EXPECT_LE(index.nearest({"", {row(i).begin(), row(i).end()}, weights.data}, 1)[0].similarity,
                1);
    for (const std::size_t own : {0, 17, 299}) {
      const std::vector<float> query(row(own).begin(), row(own).end());
      const auto found = index.nearest({"", query, weights.data}, kExamples);
      ASSERT_EQ(found.size(), kExamples);
      EXPECT_EQ(found[0].index, static_cast<std::int64_t>(own));
      EXPECT_NEAR(found[0].similarity, 1, 1e-6);
      for (const auto& example : found) {
        double dot = 0, a = 0, b = 0;
        for (std::size_t k = 0; k < kChannels; ++k) {
          const double w = weights.data[k] / scale, f = query[k] / scale,
                       g = row(static_cast<std::size_t>(example.index))[k] / scale;
          dot += w * f * w * g;
          a += w * f * w * f;
          b += w * g * w * g;
        }
        EXPECT_NEAR(example.similarity, dot / std::sqrt(a * b), 2e-3);
      }
      const auto alone = index.nearest({"", query, weights.data}, 9, 1);
      for (std::size_t i = 0; i < alone.size(); ++i) {
        EXPECT_EQ(alone[i].index, found[i].index);
        EXPECT_EQ(alone[i].similarity, found[i].similarity);
      }
    }
  }
}

TEST(Examples, RefusesWhatCannotBeCompared) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  auto index = small_index();
  const auto refused = [&](const Channels& query, std::int64_t count) {
    return code_of([&] { index.nearest(query, count); }) == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(refused({"", {1}, {1}}, 1));
  EXPECT_TRUE(refused({"", {1, 1}, {1}}, 1));
  EXPECT_TRUE(refused({"", {1, kNan}, {1, 1}}, 1));
  EXPECT_TRUE(refused({"", {1, 1}, {kInf, 1}}, 1));
  EXPECT_TRUE(refused({"", {1, 1}, {1, 1}}, 0));
  const auto not_added = [&](std::vector<float> features) {
    return code_of([&] { index.add(features, "x"); }) == ErrorCode::invalid_argument;
  };
  EXPECT_TRUE(not_added({1}));
  EXPECT_TRUE(not_added({1, kNan}));
  EXPECT_TRUE(not_added({kInf, 1}));
  EXPECT_EQ(index.size(), 3);
  const ExampleIndex empty({}, 2);
  EXPECT_EQ(code_of([&] { empty.nearest({"", {1, 1}, {1, 1}}, 1); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { ExampleIndex({}, 0); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { index.name(3); }), ErrorCode::invalid_argument);
}

TEST(Examples, OfAnotherModelIsRefusedByName) {
  const auto index = small_index();
  index.require({"sha", "relu", "recipe"});
  const auto says = [&](const ExampleOrigin& origin) {
    try {
      index.require(origin);
      return std::string();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.sentence();
    }
  };
  EXPECT_EQ(says({"other", "relu", "recipe"}),
            "the index of examples was made with another model ('sha', not 'other')");
  EXPECT_NE(says({"sha", "conv", "recipe"}).find("another layer"), std::string::npos);
  EXPECT_NE(says({"sha", "relu", ""}).find("another way to make inputs"), std::string::npos);
}

TEST(Examples, ComesBackFromItsFile) {
  const Folder folder;
  const auto index = small_index();
  const auto file = folder / "index.fvi";
  index.save(file);
  index.save(file);  // over what is there
  EXPECT_EQ(folder.files(), 1);
  const auto again = ExampleIndex::load(file);
  EXPECT_EQ(again.channels(), 2);
  EXPECT_EQ(again.size(), 3);
  EXPECT_EQ(again.name(2), "c.png");
  EXPECT_EQ(again.label(0), "cat");
  again.require({"sha", "relu", "recipe"});
  const Channels query{"relu", {0.3F, 0.7F}, {2, -1}};
  const auto here = index.nearest(query, 3), there = again.nearest(query, 3);
  ASSERT_EQ(here.size(), there.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    EXPECT_EQ(here[i].name, there[i].name);
    EXPECT_EQ(here[i].similarity, there[i].similarity);
  }
  EXPECT_EQ(code_of([&] { ExampleIndex({}, 2).save(folder / "empty.fvi"); }),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { index.save(folder / "none" / "index.fvi"); }), ErrorCode::bad_input);
  EXPECT_EQ(folder.files(), 1);
}

/// The three of small_index(), saved when format 1 was written.
fs::path format_1_file() {
  return fs::path(FOVEA_SOURCE_DIR) / "tests/api/data/index-format-1.fvi";
}

TEST(Examples, AFileOfFormatOneIsRead) {
  ASSERT_EQ(bytes_of(format_1_file())[8], 1);
  const auto old = ExampleIndex::load(format_1_file());
  old.require({"sha", "relu", "recipe"});
  // Written again, it is the file that a new index would be.
  const Folder folder;
  old.save(folder / "old.fvi");
  small_index().save(folder / "new.fvi");
  EXPECT_EQ(bytes_of(folder / "old.fvi"), bytes_of(folder / "new.fvi"));
}

/// The bytes of an index with the checksum that they should have.
std::string sealed(std::string bytes) {
  const auto all = std::as_bytes(std::span(bytes));
  std::uint64_t text_bytes = 0;
  std::memcpy(&text_bytes, bytes.data() + 32, sizeof text_bytes);
  const auto sum =
      base::checksum(all.subspan(48 + text_bytes),
                     base::checksum(all.subspan(48, text_bytes), base::checksum(all.first(40))));
  std::memcpy(bytes.data() + 40, &sum, sizeof sum);
  return bytes;
}

/// Format 2 is format 3 without the examples' digests, which are empty here: no bytes, but a
/// length.
TEST(Examples, AFileOfFormatTwoIsRead) {
  const Folder folder;
  const auto file = folder / "index.fvi";
  small_index().save(file);
  auto bytes = bytes_of(file);
  bytes[8] = 2;
  const auto skip = [&](std::size_t at) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + at, sizeof size);
    return at + sizeof size + size;
  };
  std::size_t at = skip(skip(skip(48)));
  for (int example = 0; example < 3; ++example) {
    at = skip(skip(at));
    bytes.erase(at, 4);
  }
  std::uint64_t texts = 0;
  std::memcpy(&texts, bytes.data() + 32, sizeof texts);
  texts -= 12;
  std::memcpy(bytes.data() + 32, &texts, sizeof texts);
  write(file, sealed(bytes));
  const auto old = ExampleIndex::load(file);
  EXPECT_EQ(old.name(2), "c.png");
  EXPECT_EQ(old.label(1), "dog");
  EXPECT_EQ(old.digest(1), "");
}

TEST(Examples, CutOffAnywhereIsRefused) {
  const Folder folder;
  const auto file = folder / "index.fvi";
  small_index().save(file);
  const auto whole = bytes_of(file);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(file, whole.substr(0, size));
    const auto why = refusal(file);
    EXPECT_NE(why.find(size == 0 ? "empty" : "cut off"), std::string::npos) << size << ": " << why;
  }
  write(file, whole + '\0');
  EXPECT_EQ(refusal(file), "the index of examples is damaged");
}

TEST(Examples, EveryChangedByteIsNoticed) {
  const Folder folder;
  const auto file = folder / "index.fvi";
  small_index().save(file);
  for (const auto& whole : {bytes_of(file), bytes_of(format_1_file())})
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const unsigned change : {1U, 3U, 0x80U, 0xffU}) {  // 3: from one format to the other
        auto bytes = whole;
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ change);
        write(file, bytes);
        EXPECT_NE(refusal(file), "") << "byte " << at;
      }
}

TEST(Examples, TextsThatDoNotFitAreRefused) {
  const Folder folder;
  const auto file = folder / "index.fvi";
  small_index().save(file);
  const auto whole = bytes_of(file);
  ASSERT_EQ(sealed(whole), whole);
  // The length of the first text: longer than all, one too long for the last, leaving some over.
  for (const char length : {'d', '\4', '\2', '\0'}) {
    auto bytes = whole;
    bytes[48] = length;
    write(file, sealed(bytes));
    EXPECT_EQ(refusal(file), "the index of examples is damaged") << int{length};
  }
  // The last example's label, which is empty, and no more: its length is cut off, or one too long.
  const auto end = whole.find("c.png") + 5;
  auto longer = whole;
  longer[end] = 1;
  write(file, sealed(longer));
  EXPECT_EQ(refusal(file), "the index of examples is damaged");
  auto over = whole;
  over.insert(end + 4, 1, 'x');
  ++over[32];
  write(file, sealed(over));
  EXPECT_EQ(refusal(file), "the index of examples is damaged");
}

TEST(Examples, ForeignFilesAreRefused) {
  const Folder folder;
  const auto file = folder / "index.fvi";
  EXPECT_EQ(refusal(file), "there is no such index of examples");
  EXPECT_EQ(refusal(folder / ""), "the index of examples is no regular file");
  write(file, std::string(100, 'x'));
  EXPECT_EQ(refusal(file), "this is no index of examples");
  small_index().save(file);
  const auto whole = bytes_of(file);
  auto later = whole;
  later[8] = 4;
  write(file, later);
  EXPECT_NE(refusal(file).find("format 4"), std::string::npos);
  // Sizes that would not fit into any memory: channels, examples, bytes of texts.
  for (const std::size_t at : {16, 24, 32})
    for (const std::uint64_t size :
         {std::uint64_t{1} << 40, std::uint64_t{1} << 62, ~std::uint64_t{0}}) {
      auto huge = whole;
      std::memcpy(huge.data() + at, &size, sizeof size);
      write(file, huge);
      EXPECT_NE(refusal(file), "") << at << ": " << size;
    }
}

struct Net {
  std::string name;
  bool optimize;
  friend void PrintTo(const Net& net, std::ostream* out) { *out << net.name; }
};

class ChannelsOf : public testing::TestWithParam<Net> {};

/// Grad-CAM's map is sum_k alpha_k A^k, so its sum over positions is that of the contributions.
TEST_P(ChannelsOf, AddUpToGradCamsMap) {
  ExplainerOptions options;
  options.compile.optimize = GetParam().optimize;
  options.compile.tuning = Tuning::off;
  const auto model = Model::load(golden_model(GetParam().name));
  const auto layer = Explainer(model, options).prepared_layers().front();
  options.compile.fetches = {layer};
  const Explainer explainer(model, options);
  auto run = explainer.forward(random_input(explainer, 3));
  const auto channels = run.channels(Target::class_index(1));
  const std::vector targets = {Target::class_index(1)};
  const auto maps = run.explain(GradCam{}, targets, {.keep_sign = true});
  ASSERT_EQ(channels.size(), maps.size());
  const auto features = run.features();
  const auto count = static_cast<std::size_t>(features.shape[1]);
  EXPECT_EQ(features.data.size(), channels.size() * count);
  for (std::size_t n = 0; n < channels.size(); ++n) {
    const auto& one = channels[n];
    EXPECT_EQ(one.layer, layer);
    ASSERT_EQ(one.features.size(), count);
    ASSERT_EQ(one.weights.size(), count);
    double sum = 0, magnitude = 0, map = 0;
    for (std::size_t k = 0; k < count; ++k) {
      sum += one.contribution(k);
      magnitude += std::abs(one.contribution(k));
      EXPECT_EQ(one.features[k], features.data[n * count + k]);
    }
    for (const float v : maps[n].feature_map.data) map += v;
    EXPECT_GT(magnitude, 0);
    EXPECT_NEAR(sum, map, 1e-5 * magnitude);
  }
  if (GetParam().name == "vit") return;  // its value is no map
  const auto value = run.output(layer);
  const auto positions = value.data.size() / features.data.size();
  for (std::size_t i = 0; i < features.data.size(); ++i) {
    const auto begin = value.data.begin() + static_cast<std::ptrdiff_t>(i * positions);
    const double mean =
        std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(positions), 0.0) /
        static_cast<double>(positions);
    EXPECT_NEAR(features.data[i], mean, 1e-5 * (1 + std::abs(mean)));
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, ChannelsOf,
                         testing::Values(Net{"gap", true}, Net{"gap", false}, Net{"vgg", true},
                                         Net{"lenet", true}, Net{"vit", true}, Net{"signal", true},
                                         Net{"volume", true}),
                         [](const auto& one) {
                           return one.param.name + (one.param.optimize ? "" : "_plain");
                         });

/// A head of pool + linear is linear in the features, so two images differ in a logit by what their
/// contributions differ.
TEST(ChannelsOfAHead, AddUpToTheLogit) {
  const Explainer explainer(Model::load(golden_model("gap")));
  double logit[2], sum[2] = {0, 0};
  for (const unsigned i : {0U, 1U}) {
    auto run = explainer.forward(random_input(explainer, i));
    logit[i] = run.logits().data[2];
    const auto one = run.channels(Target::class_index(2)).front();
    for (std::size_t k = 0; k < one.features.size(); ++k) sum[i] += one.contribution(k);
  }
  EXPECT_NE(logit[0], logit[1]);
  EXPECT_NEAR(logit[0] - logit[1], sum[0] - sum[1], 1e-5);
}

TEST(FeatureLayer, IsPreparedBesideADefaultThatHoldsAMapPerClass) {
  ExplainerOptions options;
  options.prepare.features = true;
  const auto model = Model::load(golden_model("squeezenet"));
  const Explainer explainer(model, options);
  const auto layers = explainer.prepared_layers();
  EXPECT_EQ(layers, (std::vector{explainer.default_layer(), explainer.feature_layer()}));
  for (const auto& layer : explainer.layers()) {
    if (layer.name == explainer.default_layer()) {
      EXPECT_TRUE(layer.class_maps);
    }
    if (layer.name == explainer.feature_layer()) {
      EXPECT_FALSE(layer.class_maps);
    }
  }
  auto run = explainer.forward(random_input(explainer, 3));
  EXPECT_EQ(run.explain().layer, explainer.default_layer());
  const auto last = run.channels(Target::class_index(1)).front();
  EXPECT_EQ(std::count_if(last.weights.begin(), last.weights.end(), [](float w) { return w != 0; }),
            1);
  const auto features = run.channels(Target::class_index(1), explainer.feature_layer()).front();
  EXPECT_EQ(features.layer, explainer.feature_layer());
  EXPECT_GT(std::count_if(features.weights.begin(), features.weights.end(),
                          [](float w) { return w != 0; }),
            1);
  // Where layers are named, or the default's channels are features, nothing is added.
  options.prepare.layers = {explainer.default_layer()};
  EXPECT_EQ(Explainer(model, options).prepared_layers(), options.prepare.layers);
  options.prepare.layers = {};
  const Explainer vgg(Model::load(golden_model("vgg")), options);
  EXPECT_EQ(vgg.prepared_layers(), std::vector{vgg.default_layer()});
  EXPECT_EQ(vgg.feature_layer(), vgg.default_layer());
}

TEST(ChannelsOfAHead, WantGradCamPrepared) {
  ExplainerOptions options;
  options.prepare.methods = {ActivationMap{}};
  const Explainer explainer(Model::load(golden_model("vgg")), options);
  auto run = explainer.forward(random_input(explainer, 3));
  EXPECT_FALSE(run.features().data.empty());
  EXPECT_EQ(code_of([&] { run.channels(); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { run.features("nowhere"); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace fovea
