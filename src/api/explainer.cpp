#include "fovea/explainer.hpp"

#include <utility>

#include "api/explainer_impl.hpp"
#include "api/explainer_maker.hpp"
#include "api/run_impl.hpp"

namespace fovea {

Explainer::Explainer(const Model& model, ExplainerOptions options, const CallOptions& call)
    : impl_(api::make_explainer(model, std::move(options), call)) {}

Run Explainer::forward(const Feeds& feeds, const CallOptions& call) const {
  return Run(Run::Impl::forward(impl_, feeds, call));
}

Run Explainer::forward(const TensorView& input, const CallOptions& call) const {
  return forward(Feeds{{"", input}}, call);
}

Explanation Explainer::explain(const TensorView& input, const Method& method, const Target& target,
                               const ExplainOptions& options, const CallOptions& call) const {
  return forward(input, call).explain(method, target, options, call);
}

const Model& Explainer::model() const {
  return impl_->model;
}
const std::vector<ValueInfo>& Explainer::inputs() const {
  return impl_->inputs;
}
const std::vector<LayerInfo>& Explainer::layers() const {
  return impl_->layers;
}
std::vector<std::string> Explainer::prepared_layers() const {
  std::vector<std::string> out;
  for (const auto& layer : impl_->prepared) out.push_back(layer.name);
  return out;
}
const std::string& Explainer::default_layer() const {
  return impl_->default_layer;
}
bool Explainer::has_probabilities() const {
  return impl_->has_probabilities();
}
const std::string& Explainer::feature_layer() const {
  return impl_->feature_layer;
}
const std::map<std::string, Shape>& Explainer::shapes() const {
  return impl_->shapes;
}
std::vector<StepInfo> Explainer::steps() const {
  return impl_->plan ? impl_->plan->steps() : std::vector<StepInfo>();
}
Precision Explainer::precision() const {
  return impl_->precision;
}
const std::vector<TargetValue>& Explainer::target_values() const {
  return impl_->target_values;
}

int Explainer::threads() const {
  return impl_->threads();
}

}  // namespace fovea
