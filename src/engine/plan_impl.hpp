#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/aligned.hpp"
#include "base/watch.hpp"
#include "engine/backward_pass.hpp"
#include "engine/builder.hpp"
#include "engine/plan.hpp"

/// What a plan and its workspaces hold.
namespace fovea::engine {

struct Plan::Impl {
  struct BackwardPass {
    std::size_t begin = 0, end = 0;  // steps
    BackwardPassEnds ends;
    std::optional<graph::Grid> grid;  // of a result that holds every position
    std::size_t seeds = 1;            // at most
  };
  struct Map {
    Operand tensor;
    Shape shape;
    std::optional<graph::Grid> grid;
  };
  /// An operand of a kernel that lies in References.
  struct ReferenceOperand {
    std::size_t step, operand, offset;
  };
  std::vector<Step> steps;
  std::vector<Buffer> buffers;
  std::vector<Reference> references;
  std::vector<ReferenceOperand> reference_operands;
  std::size_t forward_end = 0;
  std::vector<std::pair<Operand, Shape>> feeds, persistent, fetches;
  std::vector<Map> maps;
  std::vector<BackwardPass> backward_passes;
  std::size_t arena = 0;
  mutable std::vector<base::BestTime> best;  // of the forward pass, then of each backward pass
};

struct Workspace::Impl {
  const Plan::Impl* plan = nullptr;
  base::AlignedBuffer arena;
  dnnl::stream stream{cpu()};
  std::vector<dnnl::memory> memories;  // what args name
  // Per step, those of each repetition behind each other; empty for kernels, and for primitives.
  std::vector<std::vector<dnnl_exec_arg_t>> args;
  std::vector<std::vector<std::byte*>> pointers;

  std::byte* address(const Operand& tensor, std::size_t seed = 0) const {
    const auto& buffer = plan->buffers[static_cast<std::size_t>(tensor.buffer)];
    if (seed > 0) return address(tensor) + seed * buffer.per_seed;
    // Constants are read only: no step writes to them, but oneDNN's interface knows no const.
    if (buffer.constant != nullptr) return const_cast<std::byte*>(buffer.constant) + tensor.offset;
    if (buffer.reference >= 0) return nullptr;  // known when a backward pass begins
    return const_cast<std::byte*>(arena.data()) + buffer.offset + tensor.offset;
  }
};

inline void execute(const dnnl::primitive& primitive, const dnnl::stream& stream,
                    std::span<const dnnl_exec_arg_t> args) {
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(),
                                                 static_cast<int>(args.size()), args.data()),
                          "a primitive could not be run");
}

/// Of a plan whose steps, buffers and references are there.
std::vector<Plan::Impl::ReferenceOperand> reference_operands_of(const Plan::Impl& plan);
/// Has the steps from `begin` to `end` read these references; null where they read none.
void point_to(Workspace::Impl& workspace, const References* references, std::size_t begin,
              std::size_t end);

}  // namespace fovea::engine
