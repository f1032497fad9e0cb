#include "fovea/compose.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <set>
#include <unordered_map>
#include <utility>

#include "api/access.hpp"
#include "api/model_impl.hpp"
#include "api/partial.hpp"
#include "base/checked.hpp"
#include "base/text.hpp"
#include "graph/copying.hpp"
#include "graph/infer.hpp"
#include "graph/repeat.hpp"
#include "onnx/element_type.hpp"

namespace fovea {
namespace {

using api::Joint;
using onnx::Imported;

[[noreturn]] void refuse(const std::string& sentence, const std::string& name = {}) {
  throw Error(ErrorCode::invalid_argument, sentence, {"", name, ""});
}

const ValueInfo* find(const std::vector<ValueInfo>& infos, const std::string& name) {
  const auto it = std::find_if(infos.begin(), infos.end(),
                               [&](const ValueInfo& info) { return info.name == name; });
  return it == infos.end() ? nullptr : &*it;
}

const onnx::MissingOutput* find_missing(const Imported& imported, const ValueInfo& output) {
  const auto index = static_cast<std::size_t>(&output - imported.info.outputs.data());
  for (const auto& one : imported.missing_outputs)
    if (one.index == index) return &one;
  return nullptr;
}

/// Throws Error where the output cannot feed the input, as far as both are declared.
void require_match(const Imported& from, const ValueInfo& output, const ValueInfo& input) {
  if (const auto* missing = find_missing(from, output)) throw missing->error;
  if (onnx::graph_type(output.type) != onnx::graph_type(input.type))
    refuse("the input is fed with the output '" + output.name + "', which is " +
               std::string(to_string(output.type)) + " where the input is " +
               std::string(to_string(input.type)),
           input.name);
  if (!output.is_ranked || !input.is_ranked) return;
  const bool fits =
      std::equal(output.shape.begin(), output.shape.end(), input.shape.begin(), input.shape.end(),
                 [](auto a, auto b) { return a == -1 || b == -1 || a == b; });
  if (!fits) refuse(api::misfit(output.name, output.shape, input.shape), input.name);
}

/// A model under construction, which shares what another one knows of its weights.
std::shared_ptr<Model::Impl> like(const Model::Impl& model) {
  auto out = std::make_shared<Model::Impl>();
  out->weights = model.weights;
  out->choices = model.choices;
  return out;
}

/// Adds an output, in the order of calls; `id`: none where it is missing.
void add_output(Imported& to, ValueInfo info, graph::ValueId id,
                const onnx::MissingOutput* missing) {
  if (missing != nullptr) {
    auto& one = to.missing_outputs.emplace_back(*missing);
    one.index = to.info.outputs.size();
  } else {
    info.name = to.graph.value(id).name;
    if (std::find(to.graph.outputs.begin(), to.graph.outputs.end(), id) != to.graph.outputs.end())
      return;
    to.graph.outputs.push_back(id);
  }
  to.info.outputs.push_back(std::move(info));
}

class Joining {
 public:
  Joining(const Model::Impl& first, const Model::Impl& second,
          const std::map<std::string, std::string>& inputs, std::string prefix)
      : first_(first.imported),
        second_(second.imported),
        inputs_(inputs),
        prefix_(std::move(prefix)),
        joints_(second.joints),
        out_(like(first)),
        made_(out_->imported) {
    made_ = first_;
    made_.missing_outputs.clear();
    made_.info.outputs.clear();
    made_.graph.outputs.clear();
    out_->joints = first.joints;
  }

  std::shared_ptr<Model::Impl> make() {
    graph::Copying copying(second_.graph, made_.graph);
    copying_ = &copying;
    feed_inputs();
    const graph::Copying::Rename rename = [this](const auto& name) { return renamed(name); };
    copying.copy_constants(rename);
    for (const auto& node : second_.graph.nodes())
      copying.copy_node(node, node_name(node.name), rename);
    add_outputs();
    add_info();
    for (auto joint : joints_) {
      joint.value = renamed(joint.value);
      out_->joints.push_back(std::move(joint));
    }
    return out_;
  }

 private:
  /// What a value of the second network is called; each name is asked for before its value exists.
  const std::string& renamed(const std::string& name) {
    const auto [it, is_new] = names_.try_emplace(name, name);
    if (is_new && made_.graph.find_value(name)) it->second = copying_->fresh(prefix_ + name);
    return it->second;
  }

  std::string node_name(const std::string& name) {
    if (node_names_.empty())
      for (const auto& node : first_.graph.nodes()) node_names_.insert(node.name);
    return node_names_.contains(name) ? prefix_ + name : name;
  }

  void feed_inputs() {
    for (const auto& [input, output] : inputs_) {
      const auto* to = find(second_.info.inputs, input);
      if (to == nullptr) refuse("the second model has no input of this name", input);
      const auto* from = find(first_.info.outputs, output);
      if (from == nullptr) refuse("the first model has no output of this name", output);
      require_match(first_, *from, *to);
      copying_->set(second_.graph.find_value(input), first_.graph.find_value(output));
      names_[input] = output;
      if (to->is_ranked) out_->joints.push_back({output, to->shape, input});
    }
    std::set<std::string> extents;
    for (const auto& input : first_.info.inputs)
      extents.insert(input.dimensions.begin(), input.dimensions.end());
    for (auto info : second_.info.inputs) {
      if (inputs_.contains(info.name)) continue;
      const auto id = second_.graph.find_value(info.name);
      info.name = renamed(info.name);
      copying_->copy_input(id, info.name);
      for (std::size_t d = 1; d < info.dimensions.size(); ++d)
        if (!info.dimensions[d].empty() && extents.contains(info.dimensions[d]))
          info.dimensions[d] = prefix_ + info.dimensions[d];
      made_.info.inputs.push_back(std::move(info));
    }
  }

  void add_outputs() {
    for (const auto& info : second_.info.outputs) {
      const auto* missing = find_missing(second_, info);
      auto copy = info;
      copy.name = renamed(info.name);
      add_output(made_, std::move(copy),
                 missing == nullptr ? copying_->now(second_.graph.find_value(info.name))
                                    : graph::ValueId{},
                 missing);
    }
    std::set<std::string> used;
    for (const auto& [input, output] : inputs_) used.insert(output);
    for (const auto& info : first_.info.outputs)
      if (!used.contains(info.name))
        add_output(made_, info, made_.graph.find_value(info.name), find_missing(first_, info));
  }

  void add_info() {
    for (auto node : second_.info.nodes) {
      node.name = node_name(node.name);
      for (auto* names : {&node.inputs, &node.outputs})
        for (auto& name : *names)
          if (!name.empty()) name = renamed(name);
      made_.info.nodes.push_back(std::move(node));
    }
    made_.info.metadata.insert(second_.info.metadata.begin(), second_.info.metadata.end());
    auto& files = made_.info.files;
    for (const auto& file : second_.info.files)
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
  }

  const Imported& first_;
  const Imported& second_;
  const std::map<std::string, std::string>& inputs_;
  std::string prefix_;
  const std::vector<Joint>& joints_;
  std::shared_ptr<Model::Impl> out_;
  Imported& made_;
  graph::Copying* copying_ = nullptr;
  std::unordered_map<std::string, std::string> names_;
  std::set<std::string> node_names_;  ///< of the first
};

class Unrolling {
 public:
  Unrolling(const Model::Impl& step, const std::map<std::string, std::string>& states,
            std::int64_t steps, const std::vector<std::string>& shared)
      : step_(step.imported),
        joints_(step.joints),
        states_(states),
        steps_(steps),
        shared_(shared.begin(), shared.end()),
        out_(like(step)),
        made_(out_->imported),
        copying_(step_.graph, made_.graph),
        differs_(step_.graph.values().size(), false) {
    made_.info = step_.info;
    made_.info.inputs.clear();
    made_.info.outputs.clear();
    made_.info.nodes.clear();
  }

  std::shared_ptr<const Model::Impl> make() {
    check();
    find_what_differs();
    copying_.copy_constants(graph::as_it_is);
    for (std::int64_t t = 0; t < steps_; ++t) add_step(t);
    for (const auto& output : state_outputs_) add_output_of(*find(step_.info.outputs, output));
    return out_;
  }

 private:
  static std::size_t at(graph::ValueId id) { return static_cast<std::size_t>(id.index); }

  void check() {
    if (steps_ < 1 || steps_ > graph::kMaxSteps)
      refuse("a model is unrolled for " + std::to_string(steps_) + " steps, where 1 to " +
             std::to_string(graph::kMaxSteps) + " are possible");
    for (const auto& [input, output] : states_) {
      const auto* to = find(step_.info.inputs, input);
      if (to == nullptr) refuse("the model has no input of this name for a state", input);
      const auto* from = find(step_.info.outputs, output);
      if (from == nullptr) refuse("the model has no output of this name for a state", output);
      require_match(step_, *from, *to);
      state_outputs_.insert(output);
    }
    for (const auto& name : shared_) {
      if (find(step_.info.inputs, name) == nullptr)
        refuse("the model has no input of this name for all steps", name);
      if (states_.contains(name)) refuse("the input is a state, and cannot be the same", name);
    }
  }

  bool is_per_step(const std::string& input) const {
    return !states_.contains(input) && !shared_.contains(input);
  }

  void find_what_differs() {
    for (const auto& info : step_.info.inputs)
      differs_[at(step_.graph.find_value(info.name))] = !shared_.contains(info.name);
    std::int64_t count = 0;
    // A loop differs as a whole or not at all: where its end does, so does what it begins with.
    for (bool is_done = false; !is_done;) {
      is_done = true;
      count = 0;
      for (const auto& node : step_.graph.nodes()) {
        if (!node_differs(node)) continue;
        ++count;
        for (const auto id : node.outputs) differs_[at(id)] = true;
        if (!graph::ends_repeat(node) || differs_[at(node.inputs.at(1))]) continue;
        const auto& first = step_.graph.node(step_.graph.value(node.inputs[1]).producer);
        for (const auto id : first.outputs) differs_[at(id)] = true;
        is_done = false;
      }
    }
    const auto all = std::ssize(step_.graph.nodes()) + base::checked_mul(count, steps_ - 1);
    if (all > graph::kMaxUnrolledNodes)
      refuse("a model of " + std::to_string(steps_) + " steps has " + std::to_string(all) +
             " nodes, more than " + std::to_string(graph::kMaxUnrolledNodes));
  }

  bool node_differs(const graph::Node& node) const {
    const auto differs = [&](graph::ValueId id) { return id && differs_[at(id)]; };
    return std::any_of(node.inputs.begin(), node.inputs.end(), differs) ||
           std::any_of(node.outputs.begin(), node.outputs.end(), differs);
  }

  void add_step(std::int64_t t) {
    const auto suffix = "@" + std::to_string(t);
    const auto rename = [&](const std::string& name) { return copying_.fresh(name + suffix); };
    const auto before = states_before(t);
    for (auto info : step_.info.inputs) {
      const auto id = step_.graph.find_value(info.name);
      if (const auto state = before.find(info.name); state != before.end()) {
        copying_.set(id, state->second);
        if (info.is_ranked)
          out_->joints.push_back({made_.graph.value(state->second).name, info.shape, info.name});
      } else if (t == 0 || is_per_step(info.name)) {
        if (is_per_step(info.name)) info.name = rename(info.name);
        copying_.copy_input(id, info.name);
        made_.info.inputs.push_back(std::move(info));
      }
    }
    for (const auto& node : step_.graph.nodes()) {
      if (node_differs(node))
        copying_.copy_node(node, node.name + suffix, rename);
      else if (t == 0)
        copying_.copy_node(node, node.name, graph::as_it_is);
    }
    add_nodes(t, suffix);
    for (auto joint : joints_)
      if (const auto id = step_.graph.find_value(joint.value); id && (differs_[at(id)] || t == 0)) {
        joint.value = made_.graph.value(copying_.now(id)).name;
        out_->joints.push_back(std::move(joint));
      }
    for (const auto& info : step_.info.outputs)
      if (!state_outputs_.contains(info.name)) add_output_of(info);
  }

  /// What the states are fed with; all of them, before any is replaced.
  std::map<std::string, graph::ValueId> states_before(std::int64_t t) const {
    std::map<std::string, graph::ValueId> out;
    if (t > 0)
      for (const auto& [input, output] : states_)
        out[input] = copying_.now(step_.graph.find_value(output));
    return out;
  }

  void add_output_of(const ValueInfo& info) {
    const auto* missing = find_missing(step_, info);
    add_output(
        made_, info,
        missing == nullptr ? copying_.now(step_.graph.find_value(info.name)) : graph::ValueId{},
        missing);
  }

  void add_nodes(std::int64_t t, const std::string& suffix) {
    const auto here = [&](const std::string& name) {
      const auto id = step_.graph.find_value(name);
      const auto now = id ? copying_.find(id) : id;
      return now ? made_.graph.value(now).name : name;
    };
    for (auto node : step_.info.nodes) {
      const auto is_own = [&](const std::string& name) {
        const auto id = step_.graph.find_value(name);
        return id && differs_[at(id)];
      };
      const bool differs = std::any_of(node.inputs.begin(), node.inputs.end(), is_own) ||
                           std::any_of(node.outputs.begin(), node.outputs.end(), is_own);
      if (!differs && t > 0) continue;
      if (differs) node.name += suffix;
      for (auto* names : {&node.inputs, &node.outputs})
        for (auto& name : *names) name = here(name);
      made_.info.nodes.push_back(std::move(node));
    }
  }

  const Imported& step_;
  const std::vector<Joint>& joints_;
  const std::map<std::string, std::string>& states_;
  std::int64_t steps_;
  std::set<std::string> shared_, state_outputs_;
  std::shared_ptr<Model::Impl> out_;
  Imported& made_;
  graph::Copying copying_;
  std::vector<bool> differs_;  ///< per value of the step: from step to step
};

template <class Make>
Model made(Make&& make) {
  try {
    return Access::make<Model>(make());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory to put the model together");
  }
}

}  // namespace

Model joined(const Model& first, const Model& second,
             const std::map<std::string, std::string>& inputs, const std::string& prefix) {
  return made([&] {
    const auto a = Access::shared(first), b = Access::shared(second);
    auto out = Joining(*a, *b, inputs, prefix).make();
    out->parts = std::make_shared<const api::Parts>(api::Parts{a, b, inputs});
    return std::shared_ptr<const Model::Impl>(std::move(out));
  });
}

Model unrolled(const Model& step, const std::map<std::string, std::string>& states,
               std::int64_t steps, const std::vector<std::string>& shared) {
  return made([&] { return Unrolling(Access::impl(step), states, steps, shared).make(); });
}

namespace api {

std::string misfit(const std::string& output, const Shape& has, const Shape& wants) {
  return "the input is fed with the output '" + output + "', which has extents " + base::text(has) +
         " where the input has " + base::text(wants);
}

void check_joints(const std::vector<Joint>& joints, const graph::Graph& bound) {
  for (const auto& joint : joints) {
    const auto id = bound.find_value(joint.value);
    if (!id || is_lost(bound, id)) continue;
    const auto& shape = bound.value(id).shape;
    if (!std::equal(shape.begin(), shape.end(), joint.shape.begin(), joint.shape.end(),
                    [](auto has, auto wants) { return wants == -1 || has == wants; }))
      refuse(misfit(joint.value, shape, joint.shape), joint.input);
  }
}

}  // namespace api
}  // namespace fovea
