#include "engine/plan.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <utility>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "engine/backward_pass.hpp"
#include "engine/builder.hpp"
#include "engine/grid_view.hpp"
#include "engine/guarded.hpp"
#include "engine/memory.hpp"
#include "engine/ops/op.hpp"
#include "engine/path.hpp"
#include "engine/persistent.hpp"
#include "engine/plan_impl.hpp"
#include "graph/infer.hpp"
#include "passes/passes.hpp"
#include "simd/kernels.hpp"

namespace fovea::engine {

Workspace::Workspace(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;
Workspace::~Workspace() = default;

Plan::Plan(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Plan::~Plan() = default;

namespace {

class PlanMaker {
 public:
  PlanMaker(const graph::Graph& source, const PlanSpec& spec, WeightCache& weights)
      : graph_(source), spec_(spec), weights_(weights) {
    if (spec_.feeds.empty()) spec_.feeds = graph_.inputs;
  }

  std::unique_ptr<Plan::Impl> make() {
    const auto canonical = [](const GradientSpec& gradient) {
      return gradient.canonical || gradient.relevance;
    };
    for (const auto& gradient : spec_.gradients)
      if (gradient.relevance) rules_.try_emplace(&gradient, graph_, *gradient.relevance);
    if (std::any_of(spec_.gradients.begin(), spec_.gradients.end(), canonical))
      passes::canonise(graph_, named(), spec_.limits);
    for (auto& [gradient, rules] : rules_) rules.settle(graph_);
    passes::Keep keep = kept();
    if (spec_.optimize) passes::optimize(graph_, keep, spec_.limits);
    for (auto& [gradient, rules] : rules_) rules.settle(graph_);
    Builder builder(graph_, spec_, weights_);
    place_feeds(builder);
    for (const auto& gradient : spec_.gradients)
      ways_.push_back(way_of(builder, gradient, grid_of(gradient.wrt), spec_.optimize));
    build_forward(builder, keep);
    for (std::size_t i = 0; i < spec_.gradients.size(); ++i)
      build_backward_pass(builder, spec_.gradients[i], ways_[i]);
    finish(builder);
    return std::move(impl_);
  }

 private:
  /// Every value that the spec names.
  passes::Keep named() const {
    passes::Keep keep(spec_.fetches.begin(), spec_.fetches.end());
    keep.insert(spec_.maps.begin(), spec_.maps.end());
    keep.insert(spec_.feeds.begin(), spec_.feeds.end());
    keep.insert(spec_.persistent.begin(), spec_.persistent.end());
    for (const auto& gradient : spec_.gradients) {
      keep.insert(gradient.of);
      keep.insert(gradient.wrt);
      keep.insert(gradient.taps.begin(), gradient.taps.end());
    }
    return keep;
  }

  /// What fusion must leave alone: everything that leaves the plan or that a backward pass reads.
  passes::Keep kept() const {
    auto keep = named();
    for (const auto& gradient : spec_.gradients) add_read_values(gradient, keep);
    return keep;
  }

  void add_read_values(const GradientSpec& gradient, passes::Keep& keep) const {
    each_passed(gradient, [&](std::size_t n, const BackwardReads& reads) {
      const auto& node = graph_.nodes()[n];
      for (std::size_t i = 0; i < node.inputs.size() && i < 32; ++i)
        if (node.inputs[i] && (reads.inputs >> i & 1u) != 0 &&
            !graph_.value(node.inputs[i]).constant)
          keep.insert(node.inputs[i]);
      if (reads.output) keep.insert(node.outputs.begin(), node.outputs.end());
    });
  }

  /// visit(node, what the backward pass through it reads).
  template <class Visit>
  void each_passed(const GradientSpec& gradient, Visit&& visit) const {
    const auto path = values_between(graph_, gradient.wrt, gradient.of);
    const auto [first, last] = nodes_between(graph_, gradient.wrt, gradient.of);
    const auto* rules = rules_of(gradient);
    const bool rescale = gradient.rule == GradientRule::rescale;
    for (std::size_t n = first; n < last; ++n) {
      const auto& node = graph_.nodes()[n];
      if (!on_path(node, path)) continue;
      const auto wanted = wanted_inputs(node, path);
      visit(n, rules != nullptr ? rules->reads(node, wanted)
                                : backward_reads(node.op, wanted, rescale));
    }
  }

  /// Per node: does a backward pass read what its forward steps keep?
  std::vector<bool> keeping_nodes() const {
    std::vector<bool> out(graph_.nodes().size(), false);
    for (std::size_t i = 0; i < spec_.gradients.size(); ++i)
      each_passed(spec_.gradients[i], [&](std::size_t n, const BackwardReads& reads) {
        if (reads.kept && !ways_[i].passed.contains(static_cast<int>(n))) out[n] = true;
      });
    return out;
  }

  void place_feeds(Builder& builder) {
    for (const auto id : spec_.feeds) {
      const auto& value = graph_.value(id);
      Operand tensor = builder.make(plain_desc(value.shape));
      builder.set_value(id, tensor);
      builder.live_from_start(tensor);
      impl_->feeds.emplace_back(tensor, value.shape);
    }
    for (const auto id : spec_.persistent) {
      const auto& shape = graph_.value(id).shape;
      const Operand tensor = builder.make(persistent_desc(shape));
      builder.set_value(id, tensor);
      builder.live_from_start(tensor);
      builder.pin(tensor);
      impl_->persistent.emplace_back(tensor, shape);
    }
  }

  void build_forward(Builder& builder, const passes::Keep& keep) {
    const auto needed = needed_nodes();
    if (spec_.optimize && spec_.precision == Precision::f32)
      builder.set_aliases(ConcatAliases(graph_, needed));
    for (std::size_t i = 0; i < needed.size(); ++i)
      if (needed[i])
        for (const auto input : graph_.nodes()[i].inputs)
          if (input) builder.count_use(input);
    for (const auto id : keep) builder.pin(id);
    const auto keeping = keeping_nodes();
    for (std::size_t i = 0; i < needed.size(); ++i) {
      if (!needed[i]) continue;
      const auto& node = graph_.nodes()[i];
      builder.begin_node(node.name, node.op_type);
      guarded(
          ErrorCode::unsupported, [&] { return graph::where(node); },
          [&] {
            ForwardContext context(builder, node, keeping[i]);
            forward(context);
          });
      for (const auto input : node.inputs)
        if (input) builder.release_use(input);
    }
    builder.begin_node("", "fetch");
    for (const auto id : spec_.fetches) {
      const Operand tensor = builder.plain(builder.value(id));
      builder.pin(tensor);
      impl_->fetches.emplace_back(tensor, graph_.value(id).shape);
    }
    for (const auto id : spec_.maps) {
      Operand tensor = builder.f32(builder.value(id));
      const auto grid = grid_of(id);
      Shape shape = graph_.value(id).shape;
      if (!map_view(tensor.desc) || grid) tensor = builder.plain(tensor);
      if (grid) {
        tensor = on_grid(builder, tensor, shape, *grid);
        shape = grid->ordered_shape(shape);
      }
      builder.pin(tensor);
      impl_->maps.push_back({tensor, std::move(shape), grid});
    }
    impl_->forward_end = builder.steps().size();
  }

  std::optional<graph::Grid> grid_of(graph::ValueId id) const {
    const auto found = spec_.grids.find(id);
    return found == spec_.grids.end() ? std::nullopt : std::optional(found->second);
  }

  /// Nodes that a fetch, a map or a gradient's start depends on, from the feeds on.
  std::vector<bool> needed_nodes() const {
    std::vector<bool> wanted(graph_.values().size(), false);
    const auto want = [&](graph::ValueId id) { wanted[static_cast<std::size_t>(id.index)] = true; };
    for (const auto id : spec_.fetches) want(id);
    for (const auto id : spec_.maps) want(id);
    for (const auto& gradient : spec_.gradients) want(gradient.of);
    std::set<graph::ValueId> fed(spec_.feeds.begin(), spec_.feeds.end());
    fed.insert(spec_.persistent.begin(), spec_.persistent.end());
    std::vector<bool> needed(graph_.nodes().size(), false);
    for (std::size_t i = graph_.nodes().size(); i-- > 0;) {
      const auto& node = graph_.nodes()[i];
      for (const auto output : node.outputs)
        if (wanted[static_cast<std::size_t>(output.index)] && !fed.contains(output) &&
            !graph_.value(output).constant)
          needed[i] = true;
      if (!needed[i]) continue;
      for (const auto input : node.inputs)
        if (input) want(input);
    }
    return needed;
  }

  void build_backward_pass(Builder& builder, const GradientSpec& spec, const ChannelSumsPass& way) {
    Plan::Impl::BackwardPass pass;
    pass.begin = builder.steps().size();
    const auto grid = grid_of(spec.wrt);
    pass.ends = add_backward_pass(builder, spec, grid, way, rules_of(spec));
    if (spec.reduce == GradientReduce::none) pass.grid = grid;
    pass.seeds = static_cast<std::size_t>(spec.seeds);
    pass.end = builder.steps().size();
    impl_->backward_passes.push_back(pass);
  }

  void finish(Builder& builder) {
    impl_->steps = std::move(builder.steps());
    impl_->buffers = std::move(builder.buffers());
    impl_->references = builder.references();
    impl_->reference_operands = reference_operands_of(*impl_);
    impl_->best = std::vector<base::BestTime>(1 + impl_->backward_passes.size());
    impl_->arena = plan_memory(impl_->buffers, static_cast<int>(impl_->steps.size()));
    if (static_cast<std::int64_t>(impl_->arena) > spec_.memory_limit)
      throw Error(ErrorCode::out_of_memory,
                  "the plan needs " + std::to_string(impl_->arena) +
                      " bytes for its activations, where memory_limit leaves it " +
                      std::to_string(std::max<std::int64_t>(0, spec_.memory_limit)));
  }

  const RelevanceRules* rules_of(const GradientSpec& gradient) const {
    return rules_.contains(&gradient) ? &rules_.at(&gradient) : nullptr;
  }

  graph::Graph graph_;
  PlanSpec spec_;
  std::map<const GradientSpec*, RelevanceRules> rules_;
  std::vector<ChannelSumsPass> ways_;  ///< of each gradient
  WeightCache& weights_;
  std::unique_ptr<Plan::Impl> impl_ = std::make_unique<Plan::Impl>();
};

/// `seed`: which of the step's repetitions.
void run_step(const Plan::Impl& plan, const Workspace::Impl& workspace, std::size_t i,
              std::size_t seed) {
  const Step& step = plan.steps[i];
  guarded(
      ErrorCode::internal,
      [&] {
        return ErrorContext{"", step.node, step.what};
      },
      [&] {
        if (step.kernel) {
          const auto n = step.operands.size();
          step.kernel(std::span(workspace.pointers[i]).subspan(seed * n, n));
        } else {
          const auto n = step.args.size();
          execute(step.primitive, workspace.stream,
                  std::span(workspace.args[i]).subspan(seed * n, n));
        }
      });
}

void run_step_for(std::size_t seeds, const Plan::Impl& plan, const Workspace::Impl& workspace,
                  std::size_t i) {
  const auto repeats = std::min(seeds, static_cast<std::size_t>(plan.steps[i].repeats));
  for (std::size_t seed = 0; seed < repeats; ++seed) run_step(plan, workspace, i, seed);
}

void run_steps(const Plan::Impl& plan, const Workspace::Impl& workspace, std::size_t begin,
               std::size_t end, const CallOptions& call, base::BestTime& best,
               std::size_t seeds = 1) {
  using Clock = std::chrono::steady_clock;
  const base::Limits limits(call);
  base::WatchedRun watched(best);
  for (std::size_t i = begin; i < end; ++i) {
    limits.check();
    watched.step();
    if (call.step_ms.empty()) {
      run_step_for(seeds, plan, workspace, i);
      continue;
    }
    const auto start = Clock::now();
    run_step_for(seeds, plan, workspace, i);
    call.step_ms[i] += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }
  watched.end();
}

void check_profile(const Plan::Impl& plan, const CallOptions& call) {
  if (call.step_ms.empty() || call.step_ms.size() == plan.steps.size()) return;
  throw Error(ErrorCode::invalid_argument, "step_ms has " + std::to_string(call.step_ms.size()) +
                                               " entries, the explainer " +
                                               std::to_string(plan.steps.size()) + " steps");
}

ValueView view(const Workspace::Impl& workspace, const Operand& tensor, const Shape& shape,
               std::size_t seed = 0) {
  ValueView out;
  out.data = reinterpret_cast<const float*>(workspace.address(tensor, seed));
  out.shape = shape;
  if (const auto map = map_view(tensor.desc)) {
    out.block = map->layout.block;
    out.image_stride = map->image_stride;
  } else if (!shape.empty() && shape[0] > 0) {
    out.image_stride = base::element_count(shape) / shape[0];
  }
  return out;
}

bool copy_finite(std::span<const float> src, float* dst) {
  constexpr std::int64_t kGrain = 16384;  // floats worth waking a thread for
  std::atomic<bool> finite = true;
  base::parallel_for(
      static_cast<std::int64_t>(src.size()), kGrain, [&](std::int64_t begin, std::int64_t end) {
        if (!simd::kernels().copy_finite(src.data() + begin, dst + begin, end - begin))
          finite = false;
      });
  return finite;
}

}  // namespace

std::shared_ptr<const Plan> Plan::build(const graph::Graph& graph, const PlanSpec& spec,
                                        WeightCache& weights) {
  std::shared_ptr<const Plan> plan;
  guarded(ErrorCode::unsupported, nowhere,
          [&] { plan = std::make_shared<const Plan>(PlanMaker(graph, spec, weights).make()); });
  return plan;
}

std::int64_t Plan::arena_bytes() const {
  return static_cast<std::int64_t>(impl_->arena);
}

std::int64_t Plan::workspace_bytes() const {
  // Room for a vector that has grown, and for oneDNN's description of a piece of memory.
  constexpr std::size_t kStep = 128, kArgument = 2048, kOperand = 32, kRest = 4096;
  std::size_t tables = kRest;
  for (const auto& step : impl_->steps)
    tables += kStep + (kArgument * step.args.size() + kOperand * step.operands.size()) *
                          static_cast<std::size_t>(step.repeats);
  return static_cast<std::int64_t>(impl_->arena + tables);
}

Workspace Plan::make_workspace() const {
  std::unique_ptr<Workspace::Impl> workspace;
  guarded(ErrorCode::internal, nowhere, [&] {
    workspace = std::make_unique<Workspace::Impl>();
    workspace->plan = impl_.get();
    workspace->arena = base::AlignedBuffer(impl_->arena);
    workspace->args.resize(impl_->steps.size());
    workspace->pointers.resize(impl_->steps.size());
    for (std::size_t i = 0; i < impl_->steps.size(); ++i) {
      const Step& step = impl_->steps[i];
      for (std::size_t seed = 0; seed < static_cast<std::size_t>(step.repeats); ++seed) {
        for (const auto& [index, tensor] : step.args) {
          const auto& memory = workspace->memories.emplace_back(tensor.desc, cpu(),
                                                                workspace->address(tensor, seed));
          workspace->args[i].push_back({index, memory.get()});
        }
        for (const auto& tensor : step.operands)
          workspace->pointers[i].push_back(workspace->address(tensor, seed));
      }
    }
  });
  return Workspace(std::move(workspace));
}

std::vector<std::size_t> Plan::forward(Workspace& workspace,
                                       std::span<const std::span<const float>> feeds,
                                       const CallOptions& call) const {
  check_profile(*impl_, call);
  const auto& space = workspace.impl();
  if (feeds.size() != impl_->feeds.size())
    throw Error(ErrorCode::internal, "a plan was given another number of feeds than it has");
  std::vector<std::size_t> not_finite;
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const auto& [tensor, shape] = impl_->feeds[i];
    if (feeds[i].size_bytes() != tensor.desc.get_size())
      throw Error(ErrorCode::internal, "a feed has another size than the plan");
    if (!copy_finite(feeds[i], reinterpret_cast<float*>(space.address(tensor))))
      not_finite.push_back(i);
  }
  run_steps(*impl_, space, 0, impl_->forward_end, call, impl_->best[0]);
  return not_finite;
}

void Plan::set_persistent(Workspace& workspace, std::size_t index, const ValueView& value,
                          std::int64_t image) const {
  const auto& [tensor, shape] = impl_->persistent.at(index);
  copy_persistent(value, image, shape, reinterpret_cast<float*>(workspace.impl().address(tensor)));
}

void Plan::backward(Workspace& workspace, std::size_t gradient, std::span<const float> seeds,
                    const CallOptions& call, const References* references) const {
  check_profile(*impl_, call);
  auto& space = workspace.impl();
  const auto& pass = impl_->backward_passes.at(gradient);
  point_to(space, references, pass.begin, pass.end);
  const auto each = pass.ends.seeds.desc.get_size();
  const auto count = seeds.size_bytes() / each;
  if (seeds.size_bytes() % each != 0 || count < 1 || count > pass.seeds)
    throw Error(ErrorCode::internal, "seeds have another size than the value they start from");
  std::memcpy(space.address(pass.ends.seeds), seeds.data(), seeds.size_bytes());
  // Fewer seeds take less time, which would make a pass of all of them look slow.
  base::BestTime of_some;
  run_steps(*impl_, space, pass.begin, pass.end, call,
            count == pass.seeds ? impl_->best[gradient + 1] : of_some, count);
}

ValueView Plan::fetch(const Workspace& workspace, std::size_t index) const {
  const auto& [tensor, shape] = impl_->fetches.at(index);
  return view(workspace.impl(), tensor, shape);
}

ValueView Plan::map(const Workspace& workspace, std::size_t index) const {
  const auto& [tensor, shape, grid] = impl_->maps.at(index);
  const auto out = view(workspace.impl(), tensor, shape);
  return grid ? on_grid(out, *grid) : out;
}

ValueView Plan::gradient(const Workspace& workspace, std::size_t index, std::size_t seed) const {
  const auto& pass = impl_->backward_passes.at(index);
  const auto out = view(workspace.impl(), pass.ends.result, pass.ends.shape, seed);
  return pass.grid ? on_grid(out, *pass.grid) : out;
}

std::vector<Absorbed> Plan::absorbed(const Workspace& workspace, std::size_t index) const {
  const auto& ends = impl_->backward_passes.at(index).ends;
  const auto* totals = reinterpret_cast<const double*>(workspace.impl().address(ends.absorbed));
  std::vector<Absorbed> out(ends.absorbed.desc.get_size() / (2 * sizeof(double)));
  for (std::size_t n = 0; n < out.size(); ++n) out[n] = {totals[2 * n], totals[2 * n + 1]};
  return out;
}

ValueView Plan::tap(const Workspace& workspace, std::size_t index, std::size_t tap) const {
  const auto& [tensor, shape] = impl_->backward_passes.at(index).ends.taps.at(tap);
  return view(workspace.impl(), tensor, shape);
}

std::vector<StepInfo> Plan::steps() const {
  std::vector<StepInfo> out;
  for (std::size_t i = 0; i < impl_->steps.size(); ++i) {
    const auto& step = impl_->steps[i];
    out.push_back({step.node, step.what, step.implementation, i >= impl_->forward_end, step.flops,
                   step.bytes});
  }
  return out;
}

}  // namespace fovea::engine
