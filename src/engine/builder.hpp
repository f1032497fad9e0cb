#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/aligned.hpp"
#include "engine/concat_aliases.hpp"
#include "engine/layout.hpp"
#include "engine/plan.hpp"
#include "engine/tuner.hpp"
#include "engine/weight_cache.hpp"
#include "graph/graph.hpp"

/// What a plan is while it is made: buffers with lifetimes, and two kinds of flat steps.
namespace fovea::engine {

/// Index into Builder::buffers; -1: none.
using BufferId = int;

/// A value somewhere in memory, in a layout.
struct Operand {
  Desc desc;
  BufferId buffer = -1;
  std::size_t offset = 0;  ///< bytes from the buffer's start
  explicit operator bool() const { return buffer >= 0; }
  /// The same memory read in another way.
  Operand as(const Desc& other) const { return {other, buffer, offset}; }
  friend bool same_place(const Operand& a, const Operand& b) {
    return a.buffer == b.buffer && a.offset == b.offset;
  }
};

struct Buffer {
  std::size_t bytes = 0;
  int first = -1;  ///< step that writes it first
  int last = -1;   ///< last step that touches it
  bool pinned =
      false;  ///< lives to the end: read after the run, or by a backward pass that may come again
  std::shared_ptr<const void> owner;    ///< of a constant
  const std::byte* constant = nullptr;  ///< its data; null: in the arena, or not loaded
  graph::ValueId deferred;              ///< a constant to be loaded once something reads it
  std::size_t offset = 0;               ///< in the arena, set by plan_memory
  int reference = -1;  ///< not in the arena: index in Builder::references; -1: no reference's
  /// Bytes of one seed's part, the seeds' one behind the other; 0: the same for all seeds.
  std::size_t per_seed = 0;

  bool is_constant() const { return constant != nullptr || deferred; }
};

/// A value of the forward pass that backward passes read of a reference run, too.
struct Reference {
  Operand source;
  Operand copy;            ///< has a buffer of its own
  std::size_t offset = 0;  ///< in References, bytes
};

/// Addresses of a step's buffers, in the order it named them.
using Pointers = std::span<std::byte* const>;
/// fovea's own code for a step. Must not throw, allocate or block.
using Kernel = std::function<void(Pointers)>;

inline float* floats(Pointers p, std::size_t i) {
  return reinterpret_cast<float*>(p[i]);
}

/// One oneDNN primitive or one kernel.
struct Step {
  std::string node;
  std::string what;
  std::string implementation;
  dnnl::primitive primitive;
  std::vector<std::pair<int, Operand>> args;  ///< of the primitive
  Kernel kernel;
  std::vector<Operand> operands;  ///< of the kernel
  std::int64_t flops = 0;
  std::int64_t bytes = 0;
  /// Runs once per seed, on that seed's part of what has one.
  std::int64_t repeats = 1;
};

class Builder {
 public:
  Builder(const graph::Graph& graph, const PlanSpec& spec, WeightCache& weights);

  const graph::Graph& graph() const { return graph_; }
  /// graph::Graph::uses, found once.
  const std::vector<std::vector<graph::NodeId>>& uses();
  /// Element type of convolutions and matrix products.
  Type compute_type() const;
  Tuner& tuner() { return tuner_; }
  /// The value that is zero but at a few positions; may be none.
  graph::ValueId few_positions() const { return few_positions_; }
  /// OpenMP threads that the plan's runs will use.
  int threads() const { return threads_; }

  // --- making steps ---

  /// A new arena buffer: in a backward pass of several seeds with a part per seed. Throws Error
  /// out_of_memory beyond the limits of size.
  Operand make(const Desc& desc);
  /// Memory that is there already and outlives the plan through `owner`.
  Operand constant(const Desc& desc, std::shared_ptr<const void> owner, const void* data);

  /// Throws what the limits of making the plan say.
  void begin_node(const std::string& name, const std::string& what);
  /// Scratchpad memory is added here.
  void primitive(const dnnl::primitive& primitive, const Desc& scratchpad,
                 const char* implementation, std::vector<std::pair<int, Operand>> args);
  /// `reads` and `writes` in this order are the kernel's pointers. A tensor in both is named once
  /// per role. `flops` as in StepInfo.
  void kernel(Kernel kernel, const std::vector<Operand>& reads, const std::vector<Operand>& writes,
              std::int64_t flops = 0);

  /// The same value in another layout or type: itself, an earlier reorder's result, or a new
  /// reorder.
  Operand in_layout(const Operand& tensor, const Desc& desc);
  /// A reorder (or copy) of its own, that the caller may overwrite.
  Operand private_copy(const Operand& tensor, const Desc& desc);
  /// Writes the value to memory that is there, in that memory's layout.
  void copy_to(const Operand& tensor, const Operand& place);
  /// Row-major f32.
  Operand plain(const Operand& tensor);
  /// f32 in its own layout.
  Operand f32(const Operand& tensor);

  /// A constant of the graph, read as `as` (groups split off, a transposed view), in the layout
  /// `want`: packed once for all plans that live, and not at all where it may be read as it lies.
  /// `transform` tells apart what layouts do not.
  Operand packed_weight(graph::ValueId id, const Desc& as, const Desc& want,
                        const std::string& transform);
  /// The same of what `make` computes from the constant, where no descriptor can say it; `as` is
  /// then the row-major descriptor of that. `in_memory`: a form of the constant that is in memory,
  /// to be read in its place.
  Operand derived_weight(graph::ValueId id, const Desc& as, const Desc& want,
                         const std::string& transform,
                         const std::function<std::vector<float>(std::span<const float>)>& make,
                         std::span<const float> in_memory = {});

  /// A constant matrix, transposed.
  Operand transposed_weight(graph::ValueId id);
  /// The floats of what packing returned.
  std::span<const float> packed_floats(const Operand& packed) const;

  // --- values ---

  /// Where a concatenation wants the value, whichever node makes it; none where it may lie
  /// anywhere.
  Operand place_of(graph::ValueId id);
  void set_aliases(ConcatAliases aliases) { aliases_ = std::move(aliases); }

  /// Where a value is; constants are placed on first use, and loaded when a step
  /// reads them.
  Operand value(graph::ValueId id);
  bool has_value(graph::ValueId id) const;
  void set_value(graph::ValueId id, const Operand& tensor);

  /// True where nothing after the current node reads what is in this buffer, so that the node may
  /// overwrite it.
  bool may_overwrite(const Operand& tensor) const;
  /// True for memory that the backward pass being built has filled.
  bool made_in_this_pass(const Operand& tensor) const;
  /// The buffer's content is about to change: forgets its reorders.
  void overwritten(const Operand& tensor);

  // --- what forward steps keep for backward passes ---

  /// A new buffer, found again by the value whose node keeps it and its place among that node's.
  Operand keep(graph::ValueId of, const Desc& desc);
  /// Throws Error internal where nothing was kept.
  Operand kept(graph::ValueId of, std::size_t i) const;

  // --- lifetimes ---

  void count_use(graph::ValueId id) { add_uses(id, 1); }
  void release_use(graph::ValueId id) { add_uses(id, -1); }
  /// The value must stay intact to the end (fetched, or read by a backward pass).
  void pin(graph::ValueId id);
  void pin(const Operand& tensor);
  /// Marks the beginning of steps that run after, and apart from, the forward pass and other
  /// backward passes.
  void begin_gradient(GradientRule rule, std::int64_t seeds = 1);
  /// Of the backward pass being built.
  GradientRule rule() const { return rule_; }

  // --- several seeds at once ---

  /// Seeds that the steps of the backward pass being built are repeated for; 1 also within
  /// AllSeeds, whose steps take all of them.
  std::int64_t seeds() const { return joined_ ? 1 : seeds_; }
  bool is_per_seed(const Operand& tensor) const { return per_seed(tensor) > 0; }
  /// Floats from a seed's part of it to the next one's.
  std::int64_t seed_stride(const Operand& tensor) const {
    return static_cast<std::int64_t>(per_seed(tensor) / sizeof(float));
  }
  /// Do the seeds' parts of it lie behind each other, with nothing else between them?
  bool seeds_are_dense(const Operand& tensor) const {
    return tensor.offset == 0 && is_per_seed(tensor) && per_seed(tensor) == tensor.desc.get_size();
  }

  /// The buffer is filled before the first step; before the next step; read after the last one so
  /// far.
  void live_from_start(const Operand& tensor) { live_at(tensor, 0); }
  void live_from_here(const Operand& tensor) { live_at(tensor, static_cast<int>(steps_.size())); }
  void live_to_here(const Operand& tensor) { live_at(tensor, static_cast<int>(steps_.size())); }

  // --- the reference run of GradientRule::rescale ---

  /// What a value of the forward pass was in the reference run, for kernels to read. Constants are
  /// the same in both.
  Operand reference(const Operand& value);
  /// The same as f32 in another layout, for any step.
  Operand reference_in(const Operand& value, const Desc& desc);
  const std::vector<Reference>& references() const { return references_; }

  std::vector<Step>& steps() { return steps_; }
  std::vector<Buffer>& buffers() { return buffers_; }

 private:
  friend class AllSeeds;
  using Place = std::pair<BufferId, std::size_t>;

  std::size_t per_seed(const Operand& tensor) const {
    return buffers_[static_cast<std::size_t>(tensor.buffer)].per_seed;
  }
  /// A new arena buffer that all seeds use, one after the other.
  Operand make_shared(const Desc& desc);
  /// Throws Error internal where a step that is repeated per seed writes where all of them would.
  void check_writes(const Step& step, std::span<const Operand> writes) const;

  void live_at(const Operand& tensor, int step);
  void touch(BufferId buffer);
  void load(Buffer& buffer);
  void add_uses(graph::ValueId id, int count);
  /// What the values in a buffer still mean to later nodes.
  struct Occupants {
    int uses = 0;    ///< reads to come
    int pinned = 0;  ///< values that must stay intact
  };
  Occupants& occupants(BufferId buffer);
  /// A value comes into the buffer (1), or leaves it (-1).
  void move_value(graph::ValueId id, BufferId buffer, int sign);
  void add(Step step, const std::vector<BufferId>& touched);

  const graph::Graph& graph_;
  std::optional<std::vector<std::vector<graph::NodeId>>> uses_;
  Precision precision_;
  base::Limits limits_;
  WeightCache& weights_;
  Packer packer_;
  Tuner tuner_;
  graph::ValueId few_positions_;
  int threads_;
  std::string node_;
  std::string what_;
  std::vector<Step> steps_;
  std::vector<Buffer> buffers_;
  std::vector<Reference> references_;
  /// Indices of `references_`, by the place of their source.
  std::multimap<Place, std::size_t> reference_at_;
  std::map<int, Operand> values_;
  std::map<int, std::vector<Operand>> kept_;  ///< by the first output of the node
  std::vector<Occupants> occupants_;          ///< by buffer; those that are missing hold no value
  ConcatAliases aliases_;
  std::map<int, Operand> roots_;  ///< memory of what is concatenated in place, by its value
  std::map<int, int> pending_uses_;
  std::set<int> pinned_values_;
  struct Reordered {
    Operand source;
    Operand result;
  };
  std::multimap<Place, Reordered> reorders_;  ///< by the place of their source
  std::map<BufferId, Place> reordered_from_;  ///< by the buffer of the result
  std::vector<BufferId> backward_reorders_;   ///< results of those that backward passes made
  void forget_reorder(BufferId result);
  int backward_from_ = -1;
  int pass_from_ = -1;  ///< the backward pass that is being built
  GradientRule rule_ = GradientRule::plain;
  std::int64_t seeds_ = 1;
  bool joined_ = false;
};

/// While it lives, steps take all seeds of a backward pass at once: what they make has all of them
/// in front, in its first extent.
class AllSeeds {
 public:
  explicit AllSeeds(Builder& builder) : builder_(builder), before_(builder.joined_) {
    builder_.joined_ = builder_.seeds_ > 1;
  }
  ~AllSeeds() { builder_.joined_ = before_; }
  AllSeeds(const AllSeeds&) = delete;
  AllSeeds& operator=(const AllSeeds&) = delete;

 private:
  Builder& builder_;
  bool before_;
};

}  // namespace fovea::engine
