#include "engine/builder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/checked.hpp"
#include "base/parallel.hpp"
#include "engine/work.hpp"

namespace fovea::engine {
namespace {

constexpr std::int64_t kLargestInteger = std::int64_t{1} << 24;

}  // namespace

Builder::Builder(const graph::Graph& graph, const PlanSpec& spec, WeightCache& weights)
    : graph_(graph),
      precision_(spec.precision),
      limits_(spec.limits),
      weights_(weights),
      tuner_(spec.tuning, spec.choices, outgrows_caches(graph), spec.memory_limit, spec.limits,
             spec.tuning_time, spec.measures),
      few_positions_(spec.few_positions ? spec.feeds.front() : graph::ValueId{}),
      threads_(base::max_threads()) {}

const std::vector<std::vector<graph::NodeId>>& Builder::uses() {
  if (!uses_) uses_ = graph_.uses();
  return *uses_;
}

Type Builder::compute_type() const {
  return precision_ == Precision::bf16 ? Type::bf16 : Type::f32;
}

Operand Builder::make(const Desc& desc) {
  const Operand out = make_shared(desc);
  if (seeds_ == 1) return out;
  auto& buffer = buffers_.back();
  const auto seeds = static_cast<std::size_t>(seeds_);
  if (joined_ && buffer.bytes % seeds != 0)
    throw Error(ErrorCode::internal, "a step of all seeds makes what holds no part per seed");
  buffer.per_seed = joined_ ? buffer.bytes / seeds : buffer.bytes;
  buffer.bytes = static_cast<std::size_t>(base::checked_mul(
      static_cast<std::int64_t>(buffer.per_seed), seeds_, ErrorCode::out_of_memory));
  return out;
}

Operand Builder::make_shared(const Desc& desc) {
  Buffer buffer;
  buffer.bytes = desc.get_size();
  buffers_.push_back(buffer);
  return {desc, static_cast<BufferId>(buffers_.size()) - 1};
}

Operand Builder::keep(graph::ValueId of, const Desc& desc) {
  return kept_[of.index].emplace_back(make(desc));
}

Operand Builder::kept(graph::ValueId of, std::size_t i) const {
  const auto found = kept_.find(of.index);
  if (found == kept_.end() || i >= found->second.size())
    throw Error(ErrorCode::internal, "a walk back reads what no forward step kept",
                {"", graph_.value(of).name, ""});
  return found->second[i];
}

Operand Builder::constant(const Desc& desc, std::shared_ptr<const void> owner, const void* data) {
  Buffer buffer;
  buffer.bytes = desc.get_size();
  buffer.owner = std::move(owner);
  buffer.constant = static_cast<const std::byte*>(data);
  buffers_.push_back(std::move(buffer));
  return {desc, static_cast<BufferId>(buffers_.size()) - 1};
}

void Builder::begin_node(const std::string& name, const std::string& what) {
  limits_.check();
  node_ = name;
  what_ = what;
}

void Builder::touch(BufferId id) {
  auto& buffer = buffers_[static_cast<std::size_t>(id)];
  load(buffer);
  const int step = static_cast<int>(steps_.size());
  if (buffer.first < 0) buffer.first = step;
  buffer.last = step;
  if (backward_from_ >= 0 && buffer.first < backward_from_) buffer.pinned = true;
}

void Builder::live_at(const Operand& tensor, int step) {
  auto& buffer = buffers_[static_cast<std::size_t>(tensor.buffer)];
  load(buffer);
  if (buffer.first < 0) buffer.first = step;
  buffer.last = std::max(buffer.last, step);
}

void Builder::check_writes(const Step& step, std::span<const Operand> writes) const {
  if (step.repeats == 1) return;
  for (const auto& written : writes)
    if (!is_per_seed(written) && written.desc.get_size() > 0)
      throw Error(ErrorCode::internal, "a step of one seed writes what all of them share",
                  {"", node_, what_});
}

void Builder::add(Step step, const std::vector<BufferId>& touched) {
  for (const auto id : touched) touch(id);
  const bool repeats = seeds() > 1 && std::any_of(touched.begin(), touched.end(), [&](auto id) {
                         return buffers_[static_cast<std::size_t>(id)].per_seed > 0;
                       });
  if (repeats) {
    step.repeats = seeds_;
    step.flops *= seeds_;
    step.bytes *= seeds_;
  }
  step.node = node_;
  if (step.what.empty()) step.what = what_;
  steps_.push_back(std::move(step));
}

void Builder::primitive(const dnnl::primitive& primitive, const Desc& scratchpad,
                        const char* implementation, std::vector<std::pair<int, Operand>> args) {
  Step step;
  step.flops = flops_of(primitive.get_kind(), args);
  step.bytes = bytes_of(args);
  if (scratchpad.get_size() > 0) args.emplace_back(DNNL_ARG_SCRATCHPAD, make_shared(scratchpad));
  std::vector<BufferId> touched;
  for (const auto& [index, tensor] : args) {
    if (buffers_[static_cast<std::size_t>(tensor.buffer)].reference >= 0)
      throw Error(ErrorCode::internal, "a primitive reads a reference run's value where it lies");
    touched.push_back(tensor.buffer);
  }
  step.primitive = primitive;
  step.implementation = implementation;
  step.args = std::move(args);
  add(std::move(step), touched);
  for (const auto& [index, tensor] : steps_.back().args)
    if (index == DNNL_ARG_DST || index == DNNL_ARG_DIFF_SRC || index == DNNL_ARG_DIFF_WEIGHTS)
      check_writes(steps_.back(), {&tensor, 1});
}

void Builder::kernel(Kernel kernel, const std::vector<Operand>& reads,
                     const std::vector<Operand>& writes, std::int64_t flops) {
  Step step;
  step.implementation = "fovea";
  step.kernel = std::move(kernel);
  step.flops = flops;
  for (const auto* tensors : {&reads, &writes})
    for (const auto& tensor : *tensors) {
      step.operands.push_back(tensor);
      step.bytes += static_cast<std::int64_t>(tensor.desc.get_size());
    }
  std::vector<BufferId> touched;
  for (const auto& tensor : step.operands) touched.push_back(tensor.buffer);
  add(std::move(step), touched);
  check_writes(steps_.back(), writes);
}

Operand Builder::private_copy(const Operand& tensor, const Desc& desc) {
  // Another form of what all seeds read serves all of them.
  const Operand out = is_per_seed(tensor) ? make(desc) : make_shared(desc);
  copy_to(tensor, out);
  return out;
}

void Builder::copy_to(const Operand& tensor, const Operand& place) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc pd(cpu(), tensor.desc, cpu(), place.desc, attr);
  const std::string what = std::exchange(what_, "reorder");
  primitive(dnnl::reorder(pd), pd.scratchpad_desc(), pd.impl_info_str(),
            {{DNNL_ARG_FROM, tensor}, {DNNL_ARG_TO, place}});
  what_ = what;
}

Operand Builder::in_layout(const Operand& tensor, const Desc& desc) {
  if (tensor.desc == desc) return tensor;
  const Place place{tensor.buffer, tensor.offset};
  const auto [begin, end] = reorders_.equal_range(place);
  for (auto it = begin; it != end; ++it)
    if (it->second.source.desc == tensor.desc && it->second.result.desc == desc)
      return it->second.result;
  const Operand out = private_copy(tensor, desc);
  reorders_.emplace(place, Reordered{tensor, out});
  reordered_from_.emplace(out.buffer, place);
  if (backward_from_ >= 0) backward_reorders_.push_back(out.buffer);
  return out;
}

Operand Builder::plain(const Operand& tensor) {
  return in_layout(tensor, plain_desc(dims_in(tensor.desc)));
}

Operand Builder::f32(const Operand& tensor) {
  if (type_of(tensor.desc) == Type::f32) return tensor;
  return in_layout(tensor, with_type(tensor.desc, Type::f32));
}

Operand Builder::packed_weight(graph::ValueId id, const Desc& as, const Desc& want,
                               const std::string& transform) {
  if (as == want) return value(id).as(want);
  const auto& source = *graph_.value(id).constant;
  auto data = weights_.impl().get({source.identity(), transform, as, want},
                                  [&] { return packer_.pack(source, as, want); });
  const auto* address = data.get();
  return constant(want, std::move(data), address);
}

Operand Builder::derived_weight(
    graph::ValueId id, const Desc& as, const Desc& want, const std::string& transform,
    const std::function<std::vector<float>(std::span<const float>)>& make,
    std::span<const float> in_memory) {
  const auto& source = *graph_.value(id).constant;
  auto data = weights_.impl().get({source.identity(), transform, as, want},
                                  [&] { return packer_.pack(source, as, want, make, in_memory); });
  const auto* address = data.get();
  return constant(want, std::move(data), address);
}

Operand Builder::transposed_weight(graph::ValueId id) {
  const auto& source = *graph_.value(id).constant;
  const Desc as = plain_desc(source.shape), want = plain_desc({source.shape[1], source.shape[0]});
  auto data = weights_.impl().get({source.identity(), "transposed", as, want},
                                  [&] { return packer_.transpose(source); });
  const auto* address = data.get();
  return constant(want, std::move(data), address);
}

std::span<const float> Builder::packed_floats(const Operand& packed) const {
  const auto* data = buffers_[static_cast<std::size_t>(packed.buffer)].constant;
  return {reinterpret_cast<const float*>(data),
          static_cast<std::size_t>(stored_elements(packed.desc))};
}

Operand Builder::value(graph::ValueId id) {
  if (const auto it = values_.find(id.index); it != values_.end()) return it->second;
  const auto& value = graph_.value(id);
  if (!value.constant)
    throw Error(ErrorCode::internal, "a value is read before it is computed", {"", value.name, ""});
  const auto& data = *value.constant;
  Operand tensor;
  if (data.deferred() != nullptr) {
    tensor = constant(plain_desc(value.shape), nullptr, nullptr);
    buffers_[static_cast<std::size_t>(tensor.buffer)].deferred = id;
  } else if (data.type == graph::DType::f32) {
    const auto floats = data.floats();
    tensor = constant(plain_desc(value.shape), floats.owner, floats.data.data());
  } else {
    // Integers reach a step as floats, exact up to 2^24.
    for (const auto v : data.ints)
      if (v > kLargestInteger || v < -kLargestInteger)
        throw Error(ErrorCode::unsupported,
                    "an integer beyond 2^24 takes part in run-time arithmetic",
                    {"", value.name, ""});
    auto converted = std::make_shared<std::vector<float>>(data.ints.begin(), data.ints.end());
    const float* address = converted->data();
    tensor = constant(plain_desc(value.shape), std::move(converted), address);
  }
  set_value(id, tensor);
  return tensor;
}

Operand Builder::place_of(graph::ValueId id) {
  const auto alias = aliases_.of(id);
  if (!alias) return {};
  const auto& root = graph_.value(alias->root);
  auto& memory = roots_[alias->root.index];
  if (!memory) memory = make(*home_desc(root.shape, Type::f32));
  Operand out = memory.as(*home_desc(graph_.value(id).shape, Type::f32));
  const auto per_channel = base::element_count(root.shape) / root.shape[1];
  out.offset += static_cast<std::size_t>(alias->channel * per_channel) * sizeof(float);
  return out;
}

void Builder::load(Buffer& buffer) {
  if (!buffer.deferred || buffer.constant != nullptr) return;
  const auto& value = graph_.value(buffer.deferred);
  const Desc plain = plain_desc(value.shape);
  const auto data = weights_.impl().get({value.constant->identity(), "", plain, plain}, [&] {
    const auto floats = value.constant->floats();
    return Weights(floats.owner, reinterpret_cast<const std::byte*>(floats.data.data()));
  });
  buffer.constant = data.get();
  buffer.owner = data;
}

bool Builder::has_value(graph::ValueId id) const {
  return values_.contains(id.index);
}

void Builder::set_value(graph::ValueId id, const Operand& tensor) {
  const auto [it, is_new] = values_.try_emplace(id.index, tensor);
  if (!is_new) {
    move_value(id, it->second.buffer, -1);
    it->second = tensor;
  }
  move_value(id, tensor.buffer, 1);
}

Builder::Occupants& Builder::occupants(BufferId buffer) {
  const auto i = static_cast<std::size_t>(buffer);
  if (occupants_.size() <= i) occupants_.resize(buffers_.size());
  return occupants_[i];
}

void Builder::move_value(graph::ValueId id, BufferId buffer, int sign) {
  auto& held = occupants(buffer);
  if (const auto it = pending_uses_.find(id.index); it != pending_uses_.end())
    held.uses += sign * it->second;
  if (pinned_values_.contains(id.index)) held.pinned += sign;
}

void Builder::add_uses(graph::ValueId id, int count) {
  pending_uses_[id.index] += count;
  if (const auto it = values_.find(id.index); it != values_.end())
    occupants(it->second.buffer).uses += count;
}

void Builder::pin(graph::ValueId id) {
  if (!pinned_values_.insert(id.index).second) return;
  if (const auto it = values_.find(id.index); it != values_.end())
    ++occupants(it->second.buffer).pinned;
}

bool Builder::may_overwrite(const Operand& tensor) const {
  const auto i = static_cast<std::size_t>(tensor.buffer);
  const auto& buffer = buffers_[i];
  if (buffer.is_constant() || buffer.pinned || backward_from_ >= 0) return false;
  // Of every value that shares the buffer; the node being built counts as one use.
  const Occupants held = i < occupants_.size() ? occupants_[i] : Occupants{};
  return held.pinned == 0 && held.uses <= 1;
}

void Builder::overwritten(const Operand& tensor) {
  reorders_.erase(reorders_.lower_bound({tensor.buffer, 0}),
                  reorders_.lower_bound({tensor.buffer + 1, 0}));
  forget_reorder(tensor.buffer);
}

void Builder::forget_reorder(BufferId result) {
  const auto from = reordered_from_.find(result);
  if (from == reordered_from_.end()) return;
  const auto [begin, end] = reorders_.equal_range(from->second);
  for (auto it = begin; it != end; ++it)
    if (it->second.result.buffer == result) {
      reorders_.erase(it);
      break;
    }
  reordered_from_.erase(from);
}

bool Builder::made_in_this_pass(const Operand& tensor) const {
  const auto& buffer = buffers_[static_cast<std::size_t>(tensor.buffer)];
  return buffer.constant == nullptr && !buffer.pinned && pass_from_ >= 0 &&
         buffer.first >= pass_from_;
}

void Builder::begin_gradient(GradientRule rule, std::int64_t seeds) {
  rule_ = rule;
  seeds_ = seeds;
  pass_from_ = static_cast<int>(steps_.size());
  if (backward_from_ < 0) backward_from_ = static_cast<int>(steps_.size());
  // A reorder made by another backward pass did not run when this one does.
  for (const auto result : backward_reorders_) forget_reorder(result);
  backward_reorders_.clear();
}

Operand Builder::reference(const Operand& value) {
  if (buffers_[static_cast<std::size_t>(value.buffer)].is_constant()) return value;
  const auto [begin, end] = reference_at_.equal_range({value.buffer, value.offset});
  for (auto it = begin; it != end; ++it) {
    const auto& known = references_[it->second];
    if (known.source.desc == value.desc) return known.copy;
  }
  if (made_in_this_pass(value))
    throw Error(ErrorCode::internal, "a walk back asks for the reference of what it made itself");
  pin(value);
  Reference made;
  made.source = value;
  made.copy = make(value.desc);
  auto& buffer = buffers_.back();
  buffer.pinned = true;  // read only
  buffer.reference = static_cast<int>(references_.size());
  if (!references_.empty())
    made.offset =
        references_.back().offset + base::aligned_size(references_.back().copy.desc.get_size());
  reference_at_.emplace(Place{value.buffer, value.offset}, references_.size());
  references_.push_back(made);
  return made.copy;
}

Operand Builder::reference_in(const Operand& value, const Desc& desc) {
  const Operand kept = reference(value);
  if (kept.desc == desc) return kept;
  if (same_place(kept, value)) return in_layout(kept, desc);
  const Operand copy = make(kept.desc);
  kernel([bytes = kept.desc.get_size()](Pointers p) { std::memcpy(p[1], p[0], bytes); }, {kept},
         {copy});
  return in_layout(copy, desc);
}

void Builder::pin(const Operand& tensor) {
  auto& buffer = buffers_[static_cast<std::size_t>(tensor.buffer)];
  load(buffer);
  buffer.pinned = true;
}

}  // namespace fovea::engine
