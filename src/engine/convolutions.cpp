#include "base/aligned.hpp"
#include "engine/bare.hpp"
#include "engine/guarded.hpp"
#include "engine/plan.hpp"
#include "engine/plan_impl.hpp"

namespace fovea::engine {

struct Convolutions::Impl {
  struct One {
    dnnl::primitive primitive;
    std::vector<dnnl_exec_arg_t> args;
  };
  dnnl::stream stream{cpu()};
  std::vector<One> all;
  std::vector<dnnl::memory> memories;            // what args name
  std::vector<base::AlignedBuffer> scratchpads;  // where the plan's is too small

  void add(const Step& step, const BareConvolution& bare, Form form, const Workspace::Impl& space) {
    One one{form == Form::bare ? bare.primitive : step.primitive, {}};
    std::byte* scratchpad = nullptr;
    std::size_t room = 0;
    for (const auto& [index, tensor] : step.args) {
      if (index == DNNL_ARG_SCRATCHPAD && form == Form::bare) {
        scratchpad = space.address(tensor);
        room = tensor.desc.get_size();
      } else {
        name(one, index, tensor.desc, space.address(tensor));
      }
    }
    const auto bytes = form == Form::bare ? bare.scratchpad.get_size() : 0;
    if (bytes > room) scratchpad = scratchpads.emplace_back(bytes).data();
    if (bytes > 0) name(one, DNNL_ARG_SCRATCHPAD, bare.scratchpad, scratchpad);
    all.push_back(std::move(one));
  }

 private:
  void name(One& one, int index, const Desc& desc, void* address) {
    one.args.push_back({index, memories.emplace_back(desc, cpu(), address).get()});
  }
};

Convolutions::Convolutions(const Plan& plan, const Workspace& workspace, Form form)
    : impl_(std::make_unique<Impl>()) {
  for (std::size_t i = 0; i < plan.impl().forward_end; ++i) {
    const Step& step = plan.impl().steps[i];
    guarded(
        ErrorCode::internal,
        [&] {
          return ErrorContext{"", step.node, step.what};
        },
        [&] {
          if (const auto bare = bare_convolution(step))
            impl_->add(step, *bare, form, workspace.impl());
        });
  }
}

Convolutions::Convolutions(Convolutions&&) noexcept = default;
Convolutions::~Convolutions() = default;

std::size_t Convolutions::size() const {
  return impl_->all.size();
}

void Convolutions::run() const {
  guarded(ErrorCode::internal, nowhere, [&] {
    for (const auto& one : impl_->all) execute(one.primitive, impl_->stream, one.args);
  });
}

}  // namespace fovea::engine
