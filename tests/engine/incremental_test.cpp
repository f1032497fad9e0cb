#include "passes/incremental.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/net.hpp"
#include "onnx/importer.hpp"
#include "passes/passes.hpp"

/// Networks that compute only what a window changes, against the whole network, window by window.
namespace fovea::engine_test {
namespace {

using graph::ValueId;
using passes::Interval;

struct Windows {
  std::int64_t extent, stride;
  bool cut = true;  ///< the last ones reach over the border, else they stop before it
};

std::vector<Interval> along(std::int64_t extent, const Windows& windows) {
  std::vector<Interval> out;
  for (std::int64_t begin = 0; begin < extent; begin += windows.stride) {
    if (!windows.cut && begin + windows.extent > extent) break;
    out.push_back({begin, std::min(begin + windows.extent, extent)});
  }
  return out;
}

/// The imported graph for so many images, batch norms folded.
graph::Graph bound(graph::Graph graph, std::int64_t images) {
  for (auto& extent : graph.value(graph.inputs[0]).shape)
    if (extent < 0) extent = 32;
  graph.value(graph.inputs[0]).shape[0] = images;
  graph::bind(graph, {}, images);
  engine::fold_constants(graph);
  passes::canonise(graph, {graph.inputs[0], graph.outputs[0]});
  return graph;
}

class Runner {
 public:
  Runner(const graph::Graph& graph, engine::PlanSpec spec)
      : plan_(engine::Plan::build(graph, spec, weights_)), space_(plan_->make_workspace()) {}

  std::vector<float> scores(std::vector<std::span<const float>> feeds) {
    plan_->forward(space_, feeds, {});
    const auto view = plan_->fetch(space_, 0);
    return {view.data, view.data + count_of(view.shape)};
  }
  const engine::Plan& plan() const { return *plan_; }
  engine::Workspace& space() { return space_; }

 private:
  engine::WeightCache weights_;
  std::shared_ptr<const engine::Plan> plan_;
  engine::Workspace space_;
};

/// Does the file say how many images there are?
bool fixed(const graph::Graph& source) {
  return source.value(source.inputs[0]).shape[0] > 1;
}

/// One network both ways.
class Both {
 public:
  Both(const graph::Graph& source, const Windows& windows, std::int64_t batch, double max_changed)
      : batch_(batch),
        known_(bound(source, fixed(source) ? batch : 1)),
        many_(bound(source, batch)) {
    shape_ = many_.value(many_.inputs[0]).shape;
    passes::IncrementalSpec spec{many_.inputs[0], many_.outputs[0], {}, max_changed};
    for (std::size_t d = 2; d < shape_.size(); ++d)
      spec.windows.push_back(along(shape_[d], windows));
    windows_ = spec.windows;
    net_ = passes::incremental(many_, spec);
    image_ = random_floats(count_of(shape_) / batch, 1);
    hidden_ = random_floats(count_of(shape_) / batch, 2);
  }

  const std::optional<passes::IncrementalNetwork>& net() const { return net_; }

  /// The largest difference of a score over all windows, as a part of the scores' range.
  double difference(bool optimize) {
    Runner whole(many_, whole_spec(optimize));
    Runner fast(net_->graph, fast_spec(optimize));
    hold(fast, optimize);
    double worst = 0, low = INFINITY, high = -INFINITY;
    const auto count = windows();
    for (std::int64_t first = 0; first < count; first += batch_) {
      const auto n = std::min(batch_, count - first);
      std::vector<float> images, patches, places;
      for (std::int64_t k = 0; k < batch_; ++k) add(first + k % n, images, patches, places);
      const auto want = whole.scores({images});
      const auto got = fast.scores({patches, places});
      for (std::size_t i = 0; i < want.size(); ++i) {
        worst = std::max(worst, static_cast<double>(std::abs(want[i] - got[i])));
        low = std::min(low, static_cast<double>(want[i]));
        high = std::max(high, static_cast<double>(want[i]));
      }
    }
    EXPECT_GT(high - low, 0);
    return worst / (high - low);
  }

 private:
  engine::PlanSpec whole_spec(bool optimize) const {
    engine::PlanSpec spec;
    spec.fetches = {many_.outputs[0]};
    spec.optimize = optimize;
    return spec;
  }
  engine::PlanSpec fast_spec(bool optimize) const {
    engine::PlanSpec spec;
    const auto& inputs = net_->graph.inputs;
    spec.feeds = {inputs[0], inputs[1]};
    spec.persistent.assign(inputs.begin() + 2, inputs.end());
    spec.fetches = {net_->output};
    spec.optimize = optimize;
    return spec;
  }

  void hold(Runner& fast, bool optimize) {
    engine::PlanSpec spec;
    spec.optimize = optimize;
    for (const auto& name : net_->known) spec.maps.push_back(known_.find_value(name));
    Runner known(known_, spec);
    std::vector<float> images;
    for (std::int64_t n = known_.value(known_.inputs[0]).shape[0]; n > 0; --n)
      images.insert(images.end(), image_.begin(), image_.end());
    known.plan().forward(known.space(), {{std::span<const float>(images)}}, {});
    for (std::size_t k = 0; k < net_->known.size(); ++k)
      fast.plan().set_persistent(fast.space(), k, known.plan().map(known.space(), k), 0);
  }

  std::int64_t windows() const {
    std::int64_t count = 1;
    for (const auto& axis : windows_) count *= static_cast<std::int64_t>(axis.size());
    return count;
  }

  void add(std::int64_t window, std::vector<float>& images, std::vector<float>& patches,
           std::vector<float>& places) const {
    const auto rank = windows_.size();
    std::vector<std::size_t> at(rank);
    for (std::size_t d = rank; d-- > 0;) {
      const auto n = static_cast<std::int64_t>(windows_[d].size());
      at[d] = static_cast<std::size_t>(window % n);
      window /= n;
    }
    for (std::size_t i = 0; i < image_.size(); ++i) {
      bool hidden = true, taken = true;
      auto rest = static_cast<std::int64_t>(i);
      for (std::size_t d = rank; d-- > 0;) {
        const auto p = rest % shape_[d + 2];
        rest /= shape_[d + 2];
        const auto& one = windows_[d][at[d]];
        const auto begin = net_->places[d][at[d]].begin;
        hidden = hidden && p >= one.begin && p < one.end;
        taken = taken && p >= begin && p < begin + net_->patch[d];
      }
      images.push_back(hidden ? hidden_[i] : image_[i]);
      if (taken) patches.push_back(images.back());
    }
    for (std::size_t row = 0; row < static_cast<std::size_t>(net_->rows); ++row)
      for (const std::size_t which : {std::size_t{0}, std::size_t{1}})
        for (std::size_t d = 0; d < rank; ++d)
          places.push_back(net_->places[d][at[d]].rows[2 * row + which]);
  }

  std::int64_t batch_;
  graph::Graph known_, many_;
  Shape shape_;
  std::vector<std::vector<Interval>> windows_;
  std::optional<passes::IncrementalNetwork> net_;
  std::vector<float> image_, hidden_;
};

graph::Graph golden(const std::string& name) {
  const std::filesystem::path root = std::filesystem::path(FOVEA_SOURCE_DIR) / "tests/golden/data";
  return onnx::import_file(root / name / "model.onnx", {}).graph;
}

using Golden = std::tuple<std::string, std::int64_t>;
class GoldenIncremental : public testing::TestWithParam<Golden> {};

TEST_P(GoldenIncremental, EveryWindowHasTheWholeNetworksScores) {
  const auto& [name, wanted] = GetParam();
  const auto source = golden(name);
  const auto batch = fixed(source) ? source.value(source.inputs[0]).shape[0] : wanted;
  int compared = 0;
  for (const Windows windows : {Windows{8, 4}, Windows{5, 3}, Windows{1, 7}, Windows{6, 5, false}})
    for (const double max_changed : {0.4, 0.9, 1.0}) {
      Both both(source, windows, batch, max_changed);
      // A window of almost the whole picture, or a mean over all of it behind the first layer,
      // leaves nothing out; then there is nothing to compare.
      if (!both.net()) continue;
      EXPECT_LT(both.net()->share, 1);
      ++compared;
      for (const bool optimize : {true, false})
        EXPECT_LT(both.difference(optimize), 1e-5)
            << name << " window " << windows.extent << " stride " << windows.stride
            << " most_changed " << max_changed << " optimize " << optimize;
    }
  EXPECT_GE(compared, 3) << name;
}

std::string name_of(const testing::TestParamInfo<Golden>& one) {
  return std::get<0>(one.param) + "_" + std::to_string(std::get<1>(one.param));
}

INSTANTIATE_TEST_SUITE_P(
    Networks, GoldenIncremental,
    testing::Combine(testing::Values(std::string("vgg"), "resnet", "resnet_preactivation",
                                     "densenet", "mobilenet_v2", "efficientnet", "inception",
                                     "squeezenet", "dilated", "max_pooled", "gap_bn_kept",
                                     "pyramid", "signal", "volume"),
                     testing::Values(std::int64_t{1}, std::int64_t{4})),
    name_of);

/// What the golden networks lack: operators that see the map's border or where they are.
struct AtTheBorder {
  const char* name;
  ValueId (*build)(Net& net, ValueId x);  ///< of [1, 8, 16, 16]
};

ValueId pool(Net& n, ValueId x, graph::PoolKind kind, bool with_pad, bool ceil = false) {
  graph::Pool op;
  op.kind = kind;
  op.count_include_pad = with_pad;
  op.ceil_mode = ceil;
  op.window.kernel = {3, 3};
  op.window.strides = {2, 2};
  op.window.pads_begin = op.window.pads_end = {1, 1};
  return n.node("Pool", op, {x});
}

const std::vector<AtTheBorder> kAtTheBorder = {
    {"max pool of values below 0",
     [](Net& n, ValueId x) {
       const auto below = n.node("Neg", graph::Unary{graph::UnaryKind::neg}, {n.relu(x)});
       return pool(n, below, graph::PoolKind::max, false);
     }},
    {"average of what is there",
     [](Net& n, ValueId x) { return pool(n, x, graph::PoolKind::average, false); }},
    {"average that counts the padding",
     [](Net& n, ValueId x) { return pool(n, x, graph::PoolKind::average, true); }},
    {"average that counts the padding but not what rounding up adds",
     [](Net& n, ValueId x) { return pool(n, x, graph::PoolKind::average, true, true); }},
    {"sum with a constant by position",
     [](Net& n, ValueId x) {
       return n.add(x, n.weight({8, 16, 16}));
     }},
    {"slopes by position",
     [](Net& n, ValueId x) {
       return n.node("PRelu", graph::PRelu{}, {x, n.weight({1, 16, 16})});
     }},
    {"rows side by side",
     [](Net& n, ValueId x) {
       return n.node("Concat", graph::Concat{2}, {x, n.relu(x)});
     }},
    {"branches of other reach",
     [](Net& n, ValueId x) { return n.add(n.conv(x, 8, 8, 7, 3), n.conv(x, 8, 8, 1, 0)); }},
};

TEST(Incremental, AtTheBorder) {
  for (const auto& one : kAtTheBorder) {
    Net net;
    const auto x = net.input({1, 3, 16, 16});
    const auto map = one.build(net, net.conv(x, 3, 8, 3, 1));
    net.finish(net.linear(net.mean(net.conv(map, 8, 8, 3, 1), {2, 3}, false), 8, 3));
    Both both(net.graph, {2, 3}, 4, 0.9);
    ASSERT_TRUE(both.net()) << one.name;
    for (const bool optimize : {true, false})
      EXPECT_LT(both.difference(optimize), 1e-5) << one.name;
  }
}

}  // namespace
}  // namespace fovea::engine_test
