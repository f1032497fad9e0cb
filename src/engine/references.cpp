#include <cstring>

#include "base/parallel.hpp"
#include "engine/plan.hpp"
#include "engine/plan_impl.hpp"

/// What backward passes under GradientRule::rescale read of another run.
namespace fovea::engine {

std::vector<Plan::Impl::ReferenceOperand> reference_operands_of(const Plan::Impl& plan) {
  std::vector<Plan::Impl::ReferenceOperand> out;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const auto& operands = plan.steps[i].operands;
    for (std::size_t k = 0; k < operands.size(); ++k) {
      const auto& buffer = plan.buffers[static_cast<std::size_t>(operands[k].buffer)];
      if (buffer.reference < 0) continue;
      const auto& place = plan.references[static_cast<std::size_t>(buffer.reference)];
      out.push_back({i, k, place.offset + operands[k].offset});
    }
  }
  return out;
}

void point_to(Workspace::Impl& workspace, const References* references, std::size_t begin,
              std::size_t end) {
  for (const auto& [step, operand, offset] : workspace.plan->reference_operands) {
    if (step < begin || step >= end) continue;
    if (references == nullptr)
      throw Error(ErrorCode::internal, "a walk back is given no reference run to compare with");
    // Read only, as constants are.
    workspace.pointers[step][operand] = const_cast<std::byte*>(references->data()) + offset;
  }
}

std::int64_t Plan::reference_bytes() const {
  if (impl_->references.empty()) return 0;
  const auto& last = impl_->references.back();
  return static_cast<std::int64_t>(last.offset + last.copy.desc.get_size());
}

References Plan::save_references(const Workspace& workspace) const {
  References out;
  out.values_ = base::AlignedBuffer(static_cast<std::size_t>(reference_bytes()));
  const auto& all = impl_->references;
  base::parallel_for(
      static_cast<std::int64_t>(all.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
          const auto& one = all[static_cast<std::size_t>(i)];
          std::memcpy(out.values_.data() + one.offset, workspace.impl().address(one.source),
                      one.copy.desc.get_size());
        }
      });
  return out;
}

}  // namespace fovea::engine
