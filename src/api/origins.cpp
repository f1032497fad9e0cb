#include "fovea/origins.hpp"

#include <map>
#include <mutex>
#include <utility>

#include "api/explainer_impl.hpp"
#include "api/fixed_inputs.hpp"
#include "api/model_impl.hpp"
#include "api/partial.hpp"
#include "api/selections.hpp"
#include "base/checked.hpp"
#include "engine/plan.hpp"
#include "graph/query.hpp"
#include "graph/query/origins.hpp"

namespace fovea {
namespace {

graph::Graph bound_graph(const Model& model, const CompileOptions& options) {
  const auto& imported = Access::impl(model).imported;
  auto source = imported.graph;
  api::fix_inputs(source, model.inputs(), options.fixed_inputs);
  // Behind what is selected by the data, extents are those of one element each.
  ExplainerOptions all;
  all.compile = options;
  for (const auto& output : model.outputs())
    if (output.refusal.empty()) all.prepare.target_values.push_back(output.name);
  bool selects = false;
  if (const auto guess = api::guess_selections(model, all, {}, selects))
    guess->selections.apply(source);
  auto bound = source;
  api::Partial(imported).bind(source, bound, api::shapes_to_bind(model.inputs(), options),
                              options.batch, {});
  engine::fold_constants(bound, {});
  return bound;
}

Through through_of(graph::Origin::Through through) {
  switch (through) {
    case graph::Origin::Through::nothing:
      break;
    case graph::Origin::Through::sigmoid:
      return Through::sigmoid;
    case graph::Origin::Through::softmax:
      return Through::softmax;
  }
  return Through::nothing;
}

}  // namespace

struct OriginFinder::Impl {
  explicit Impl(graph::Graph bound) : graph(std::move(bound)), shapes(api::shapes_of(graph)) {}

  const graph::Graph graph;
  const std::map<std::string, Shape> shapes;
  mutable std::mutex mutex;
  mutable std::map<graph::ValueId, bool> rows;  ///< by value, where somebody asked

  graph::ValueId named(const std::string& name) const {
    const auto id = graph::find_layer(graph, name);
    if (!id)
      throw Error(ErrorCode::invalid_argument, "the model has no value of this name",
                  {"", name, ""});
    return id;
  }

  /// Does the first extent count the images?
  bool are_rows(graph::ValueId id) const {
    if (graph.value(id).shape.empty()) return false;
    const std::scoped_lock lock(mutex);
    const auto known = rows.find(id);
    if (known != rows.end()) return known->second;
    bool found = false;
    try {
      found = graph::find_image_batch(graph, id).are_rows_of(id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::invalid_argument) throw;
    }
    return rows.emplace(id, found).first->second;
  }

  Shape shape(graph::ValueId id) const {
    auto out = graph.value(id).shape;
    if (are_rows(id)) out.erase(out.begin());
    return out;
  }

  Origins find(const std::string& name, std::span<const std::int64_t> at, bool logits) const {
    const auto id = named(name);
    const auto count = base::element_count(shape(id));
    for (const auto place : at)
      if (place < 0 || place >= count)
        throw Error(ErrorCode::invalid_argument,
                    "element " + std::to_string(place) + " is out of range: an image has " +
                        std::to_string(count) + " of this value",
                    {"", name, ""});
    auto found = graph::find_origins(graph, id, at, logits);

    Origins out;
    std::map<graph::ValueId, std::size_t> places;
    for (const auto& origin : found) {
      const auto [it, is_new] = places.emplace(origin.value, out.values.size());
      if (is_new) out.values.push_back({graph.value(origin.value).name, shape(origin.value)});
      out.elements.push_back({it->second, origin.at, through_of(origin.through)});
    }
    return out;
  }
};

OriginFinder::OriginFinder(const Model& model, const CompileOptions& options)
    : impl_(std::make_shared<const Impl>(bound_graph(model, options))) {}

OriginFinder::OriginFinder(const Explainer& explainer)
    : OriginFinder(explainer.model(), Access::impl(explainer).options.compile) {}

Origins OriginFinder::logits(const std::string& value, std::span<const std::int64_t> at) const {
  return impl_->find(value, at, true);
}

Origins OriginFinder::sources(const std::string& value, std::span<const std::int64_t> at) const {
  return impl_->find(value, at, false);
}

FindLogits OriginFinder::find_logits() const {
  return [impl = impl_](const std::string& value, std::span<const std::int64_t> at) {
    return impl->find(value, at, true);
  };
}

Shape OriginFinder::shape(const std::string& value) const {
  return impl_->shape(impl_->named(value));
}

const std::map<std::string, Shape>& OriginFinder::shapes() const {
  return impl_->shapes;
}

}  // namespace fovea
