#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/budget.hpp"
#include "base/size.hpp"
#include "engine/plan.hpp"
#include "explain/network.hpp"
#include "explain/objective.hpp"
#include "fovea/explanation.hpp"
#include "fovea/method_info.hpp"
#include "fovea/running.hpp"
#include "fovea/tensor.hpp"
#include "graph/query.hpp"

/// The methods: each a small file, joined by the registry.
namespace fovea::explain {

/// A gradient of the scores that a method reads.
struct Gradient {
  bool of_input = false;  ///< with respect to the image, else to the layer
  engine::GradientReduce reduce = engine::GradientReduce::none;
  engine::GradientRule rule = engine::GradientRule::plain;
  bool biases = false;  ///< with what reaches every bias on the way (Context::biases)
  std::optional<engine::Relevance> relevance = {};  ///< rules of relevance in its place
  std::int64_t seeds = 1;  ///< of so many targets by one backward pass (JoinedGradients)
  friend auto operator<=>(const Gradient&, const Gradient&) = default;

  /// May one backward pass give it for several targets?
  bool joins() const {
    return rule != engine::GradientRule::rescale && !biases && !relevance && seeds == 1;
  }
};

/// What an explainer prepares for a method.
struct Needs {
  std::vector<Gradient> gradients = {};
  bool inputs = false;      ///< the values of the model's inputs
  bool references = false;  ///< runs on the images of Entry::background, for the rescale rule
  std::vector<NetworkSpec> networks = {};  ///< at most one of each part

  const NetworkSpec* find(NetworkSpec::Part part) const {
    for (const auto& spec : networks)
      if (spec.part == part) return &spec;
    return nullptr;
  }
  /// And the network again, on other inputs.
  Needs and_rerun() && {
    inputs = true;
    networks.push_back({.part = NetworkSpec::Part::rerun});
    return std::move(*this);
  }
};

/// One layer of an explainer (or the image), as methods see it.
struct Layer {
  std::string name;
  graph::ValueId value;
  Shape shape;                      ///< [images, channels, ...], of its map
  std::optional<graph::Grid> grid;  ///< of a value that is no [n, c, ...]; views are
  Shape value_shape = {};           ///< the value's own, where it has a grid
  std::string unseen = {};          ///< why the scores see nothing of it; empty: they do
  std::string other_image = {};     ///< the input that it is made of, where that is not the image
  std::size_t map = 0;              ///< index in the plan's maps; of no use for inputs
  std::map<Gradient, std::size_t> gradients;  ///< indices in the plan's gradients
  bool is_linear_head = false;                ///< all that follows is piecewise linear in it
  bool is_head_map = false;                   ///< what the pool of a pool + linear head reads
  bool is_input = false;                      ///< the model's image
  bool is_single = false;  ///< of an input: one image, without an extent that counts images
};

/// What an image is compared with: images, what the network made of them, and what backward passes
/// under GradientRule::rescale read of that.
struct Background {
  base::Reservation reservation;               ///< of the explainer's budget, for all of this
  Tensor images;                               ///< [images, the image's extents]
  std::vector<engine::References> references;  ///< per image
  std::vector<float> scores;                   ///< what objectives read, [images, row]
};

/// A method that is asked for by name, checked against what it declares.
class Settings {
 public:
  /// Throws Error invalid_argument for an unknown option or tensor, a value out of range, or a
  /// required tensor that is missing or empty.
  Settings(const MethodInfo& info, const Method& method);
  const Method& method() const { return method_; }
  /// Null where none was given. Throws Error invalid_argument where its shape is another (a first
  /// extent of -1 allows any), bad_input where a value is not finite.
  const Tensor* given(const std::string& name, const Shape& shape) const;
  /// As `given`, of a required one.
  const Tensor& required(const std::string& name, const Shape& shape) const;
  /// The option asks for more rows than the given tensor has.
  [[noreturn]] void refuse_rows(const std::string& option) const;

 private:
  const MethodInfo& info_;
  const Method& method_;
};

class JoinedGradients;

/// A forward pass that has been made, and what can be asked of it.
struct Context {
  const engine::Plan& plan;
  std::reference_wrapper<engine::Workspace> workspace;
  const std::optional<graph::PoolLinearHead>& head;
  const Layer& layer;
  const Layer& input;  ///< the model's image
  std::int64_t batch;
  const Reads& reads;                     ///< what objectives read of an image
  std::span<const Objective> objectives;  ///< one per image
  std::span<const float> scores;          ///< what they read, [batch, row]
  const Settings& settings;
  const CallOptions& call;
  std::size_t image_input;              ///< which of the inputs is the image
  const std::vector<bool>& stacked;     ///< per input: has it a row per image?
  Shape extents = {};                   ///< of the image's positions
  std::span<const Tensor> inputs = {};  ///< where Needs::inputs, or networks that read them; the
                                        ///< image is [images, ...]
  std::span<const graph::ChannelBias> biases = {};  ///< where Gradient::biases; the pass's taps
  const Background* background = nullptr;           ///< where Needs::references
  double* backward_ms = nullptr;                    ///< adds up what was spent running backward
  JoinedGradients* joined = nullptr;  ///< the objectives' gradients beside those of other targets
  /// By part: those that Needs::networks names; of windows, where it is of use.
  std::array<const Network*, NetworkSpec::kParts> networks = {};

  /// Numbers that objectives read of an image.
  std::int64_t row() const { return static_cast<std::int64_t>(reads.size()); }
  const Network* find(NetworkSpec::Part part) const {
    return networks[static_cast<std::size_t>(part)];
  }
  /// Throws Error internal where the method did not ask for it.
  const Network& network(NetworkSpec::Part part) const;
};

inline const Network& Context::network(NetworkSpec::Part part) const {
  if (find(part) == nullptr)
    throw Error(ErrorCode::internal, "a method runs a network that it did not ask for");
  return *find(part);
}

inline const Tensor& image_input(const Context& context) {
  return context.inputs[context.image_input];
}

/// The extents of one image.
inline std::span<const std::int64_t> image_shape(const Context& context) {
  return std::span(context.input.shape).subspan(1);
}

/// What an image has of an input: its row, or all of an input that images share.
inline std::span<const float> part_of(const Context& context, std::size_t input,
                                      std::int64_t image) {
  const std::span<const float> all(context.inputs[input].data);
  if (!context.stacked[input]) return all;
  const auto size = all.size() / static_cast<std::size_t>(context.batch);
  return all.subspan(static_cast<std::size_t>(image) * size, size);
}

/// Reports the call's progress: `done` of `all` that `run` will do.
inline void report_progress(const CallOptions& call, std::int64_t done, std::int64_t all) {
  if (call.progress) call.progress(static_cast<double>(done) / static_cast<double>(all));
}

/// What a method says about one image.
struct Evidence {
  Tensor map;               ///< [spatial extents] of the layer or the input
  Tensor attribution = {};  ///< [channels, spatial extents] of the input; of input methods
  std::optional<SumRule> sum_rule = {};  ///< of methods that have one
};

/// For methods that serve every model.
inline void serves_all(const std::optional<graph::PoolLinearHead>&, const Layer&) {}

/// A row of the registry: what a method's file says (row.hpp), with its type erased.
struct Entry {
  MethodInfo info;
  /// Throws Error invalid_argument with the reason where a model cannot serve the method.
  void (*check)(const std::optional<graph::PoolLinearHead>& head, const Layer& layer) = serves_all;
  /// Options that change what is prepared must be those of PrepareOptions::methods.
  std::function<Needs(const Layer& layer, const Settings& settings)> needs;
  /// Per image of the batch.
  std::function<std::vector<Evidence>(Context& context)> run;
  /// Bytes that `run` allocates together at most, beside what `common_bytes` counts (sizes.hpp);
  /// null: nothing worth counting.
  std::function<base::Size(const Context& context)> scratch_bytes;
  /// The map's negative values are no evidence: they become 0 (unless the caller keeps the sign).
  bool relu = true;
  /// The maps of every class of one image at once, [classes, spatial extents]; null where a method
  /// has nothing better than `run` for each. Called for layers that need no gradient only.
  std::function<Tensor(Context& context, std::int64_t image)> class_maps;
  bool input_method_reads_layer = false;  ///< an input method that needs a layer as well
  /// [images, the input's extents], where Needs::references; `image`: the extents without the
  /// batch. Throws Error invalid_argument as Settings::given does.
  std::function<Tensor(const Settings& settings, const Shape& image)> background;
  /// An input method that explains a layer in its place where ExplainOptions names one; asked of
  /// `needs` by Layer::is_input.
  bool layer_on_request = false;

  bool uses_layer() const { return info.kind == MapKind::layer || input_method_reads_layer; }
};

std::span<const Entry> registry();
/// Throws Error invalid_argument that lists the known names.
const Entry& find(std::string_view name);

/// The row of a method by its type.
template <class M>
const Entry& entry();

}  // namespace fovea::explain
