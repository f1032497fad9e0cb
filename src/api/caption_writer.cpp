#include "fovea/caption_writer.hpp"

#include <algorithm>
#include <utility>

#include "api/access.hpp"
#include "api/model_impl.hpp"
#include "fovea/compose.hpp"
#include "fovea/decode.hpp"
#include "fovea/error.hpp"
#include "fovea/origins.hpp"

namespace fovea {
namespace {

const std::string kPrefix = "second/";  // of `joined`

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

[[noreturn]] void refuse_state(const std::string& output, const std::string& input) {
  refuse("the state '" + output + "' does not fit the input '" + input + "' that it is fed to");
}

bool has(const std::vector<ValueInfo>& infos, const std::string& name) {
  return std::any_of(infos.begin(), infos.end(),
                     [&](const ValueInfo& info) { return info.name == name; });
}

using Names = std::map<std::string, std::string>;

/// What a joined model calls the inputs and outputs of its second, by their own names: they have
/// the same order, behind the first's inputs and in front of its outputs.
struct Joint {
  Names inputs, outputs;
};
Joint names_in(const Model& joined, const Model* first, const Model& second, const Names& fed) {
  Joint out;
  std::size_t at = first == nullptr ? 0 : first->inputs().size();
  for (const auto& input : second.inputs())
    if (!fed.contains(input.name)) out.inputs[input.name] = joined.inputs().at(at++).name;
  at = 0;
  for (const auto& output : second.outputs())
    out.outputs[output.name] = joined.outputs().at(at++).name;
  return out;
}

Names reversed(const Names& names) {
  Names out;
  for (const auto& [from, to] : names) out[to] = from;
  return out;
}

/// The part of the options that is about these inputs, by other names.
CompileOptions renamed(const CompileOptions& options, const Names& names) {
  auto out = options;
  out.input_shapes.clear();
  out.fixed_inputs.clear();
  for (const auto& [from, to] : names) {
    if (const auto it = options.input_shapes.find(from); it != options.input_shapes.end())
      out.input_shapes[to] = it->second;
    if (const auto it = options.fixed_inputs.find(from); it != options.fixed_inputs.end())
      out.fixed_inputs[to] = it->second;
  }
  out.output.clear();
  out.plan_cache.clear();
  return out;
}

Names own_names(const std::vector<ValueInfo>& infos) {
  Names out;
  for (const auto& info : infos) out[info.name] = info.name;
  return out;
}

Tensor filled_with(const Shape& shape, float value) {
  std::int64_t count = 1;
  for (const auto extent : shape) count *= extent;
  return {shape, std::vector<float>(static_cast<std::size_t>(count), value)};
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A value of the second that is no output, as a joined model calls it.
std::string inner_name(const Model& model, const std::string& name) {
  auto prefixed = kPrefix + name;
  for (const auto& node : model.nodes())
    if (holds(node.outputs, prefixed)) return prefixed;
  return name;
}

bool is_whole(DataType type) {
  switch (type) {
    case DataType::i8:
    case DataType::u8:
    case DataType::i16:
    case DataType::u16:
    case DataType::i32:
    case DataType::u32:
    case DataType::i64:
    case DataType::u64:
      return true;
    case DataType::f32:
    case DataType::f16:
    case DataType::bf16:
    case DataType::f64:
    case DataType::boolean:
    case DataType::string:
    case DataType::other:
      break;
  }
  return false;
}

/// The input that takes words: the task's, or the only one of whole numbers and at most two
/// extents; null for several and none.
const ValueInfo* words_of(const Task& task, const Model& model) {
  const ValueInfo* out = nullptr;
  for (const auto& input : model.inputs()) {
    const auto given = task.inputs.find(input.name);
    const bool takes = given != task.inputs.end()
                           ? given->second.role == InputRole::tokens
                           : is_whole(input.type) && (!input.is_ranked || input.shape.size() <= 2);
    if (!takes) continue;
    if (out != nullptr) return nullptr;
    out = &input;
  }
  return out;
}

}  // namespace

struct CaptionWriter::Impl {
  Model model;
  std::optional<Model> encoder = {};
  Model step;
  Names fed = {};  ///< inputs of the step, and the encoder's outputs that feed them
  Names own = {};  ///< inputs of `model` that are the step's, by their own names
  Task asked = {}, task = {};
  std::map<std::string, Shape> shapes = {};  ///< of the step's values
  std::string word = {};                     ///< the step's input
  std::string word_input = {};               ///< the same in `model`
  std::optional<Explainer> encoding = {}, stepping = {};

  CompileOptions for_encoder(const CompileOptions& options) const {
    auto out = renamed(options, own_names(encoder->inputs()));
    for (const auto& [input, output] : fed)
      if (std::find(out.fetches.begin(), out.fetches.end(), output) == out.fetches.end())
        out.fetches.push_back(output);
    return out;
  }
  CompileOptions for_step(const CompileOptions& options) const {
    auto out = renamed(options, own);
    out.fetches.clear();
    for (const auto& [input, output] : fed) out.input_shapes[input] = shapes.at(input);
    return out;
  }
  const Model* first() const { return encoder ? &*encoder : nullptr; }
};

namespace {

using Impl = CaptionWriter::Impl;

/// The task in the step's own names. What is the encoder's is left out.
Task own_task(const Impl& impl) {
  const auto names = names_in(impl.model, impl.first(), impl.step, impl.fed);
  const auto outputs = reversed(names.outputs);
  const auto input = [&](const std::string& name) -> std::string {
    const auto it = impl.own.find(name);
    return it == impl.own.end() ? name : it->second;
  };
  const auto output = [&](const std::string& name) -> std::string {
    const auto it = outputs.find(name);
    if (it != outputs.end()) return it->second;
    return impl.encoder && name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  };
  auto out = impl.asked;
  out.inputs.clear();
  out.outputs.clear();
  out.states.clear();
  for (const auto& [name, one] : impl.asked.inputs) {
    const bool is_own = impl.own.contains(name) || has(impl.step.inputs(), name);
    if (is_own || !impl.encoder || !has(impl.encoder->inputs(), name))
      out.inputs[input(name)] = one;
  }
  for (const auto& [role, values] : impl.asked.outputs)
    for (const auto& name : values) out.outputs[role].push_back(output(name));
  for (const auto& [to, from] : impl.asked.states) out.states[input(to)] = output(from);
  // What is fed needs no other reason to be there, and may be a state all the same.
  for (const auto& [name, from] : impl.fed)
    if (!out.inputs.contains(name)) out.inputs[name] = {.role = InputRole::state, .value = 0};
  return out;
}

}  // namespace

CaptionWriter::CaptionWriter(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

const Task& CaptionWriter::task() const {
  return impl_->task;
}

const std::string& CaptionWriter::word_input() const {
  return impl_->word_input;
}

std::optional<CaptionWriter> CaptionWriter::find(const Model& model, const Task& task,
                                                 const CompileOptions& compile) {
  if (task.kind != TaskKind::caption || task.caption.one_word == false) return std::nullopt;
  const auto& parts = Access::impl(model).parts;
  auto impl = std::make_shared<Impl>(Impl{
      .model = model, .step = parts ? Access::make<Model>(parts->second) : model, .asked = task});
  if (parts) {
    impl->encoder = Access::make<Model>(parts->first);
    impl->fed = parts->fed;
  }
  impl->own = reversed(names_in(model, impl->first(), impl->step, impl->fed).inputs);
  const auto own = own_task(*impl);
  const auto* word = words_of(own, impl->step);
  if (word == nullptr) return std::nullopt;
  const bool may_be_one = std::all_of(word->shape.begin(), word->shape.end(),
                                      [](auto extent) { return extent == -1 || extent == 1; });
  if (!may_be_one && own.caption.one_word != true) return std::nullopt;

  if (impl->encoder) {
    const OriginFinder finder(model, compile);
    for (const auto& [input, output] : impl->fed) impl->shapes[input] = finder.shapes().at(output);
  }
  const OriginFinder finder(impl->step, impl->for_step(compile));
  impl->shapes = finder.shapes();
  impl->word = word->name;
  std::int64_t room = 1;
  for (const auto extent : impl->shapes.at(impl->word)) room *= extent;
  if (room == compile.batch && room > 1)
    refuse("a caption is written for one image at a time, and there are " + std::to_string(room));
  if (room != 1 && own.caption.one_word != true) return std::nullopt;
  impl->task = filled(own, impl->step, finder);
  if (impl->task.caption.one_word != true) return std::nullopt;
  if (impl->task.states.empty())
    refuse(
        "the network takes one word at a time, and no input of it is fed from an output of the "
        "step before: set 'states' of the task");
  for (const auto& [name, output] : impl->fed)
    if (!own.inputs.contains(name) || !impl->asked.inputs.contains(name)) {
      auto& input = impl->task.inputs.at(name);
      input = {.role = impl->task.states.contains(name) ? InputRole::state : InputRole::features};
    }
  for (const auto& [in_model, in_step] : impl->own)
    if (in_step == impl->word) impl->word_input = in_model;
  if (impl->word_input.empty())
    refuse("the input '" + impl->word + "' takes the caption's words, and the encoder feeds it");
  return CaptionWriter(std::move(impl));
}

std::map<std::string, Tensor> CaptionWriter::first_inputs() const {
  const auto& task = impl_->task;
  std::map<std::string, Tensor> out;
  for (const auto& [in_model, in_step] : impl_->own) {
    const auto& shape = impl_->shapes.at(in_step);
    if (in_step == impl_->word)
      out.emplace(in_model,
                  filled_with(shape, static_cast<float>(index_of(task, task.caption.start))));
    else if (auto first = default_input(task.inputs.at(in_step), shape))
      out.emplace(in_model, std::move(*first));
  }
  return out;
}

CaptionWriter CaptionWriter::prepared(const ExplainerOptions& options,
                                      const CallOptions& call) const {
  auto out = std::make_shared<Impl>(*impl_);
  auto bare = options;
  bare.prepare = {};
  bare.prepare.methods.clear();
  if (out->encoder) {
    auto all = bare;
    all.compile = out->for_encoder(options.compile);
    for (const auto& [input, output] : out->fed)
      if (!holds(all.prepare.target_values, output)) all.prepare.target_values.push_back(output);
    out->encoding.emplace(*out->encoder, std::move(all), call);
  }
  auto all = bare;
  all.compile = out->for_step(options.compile);
  all.compile.fetches = values_of(out->task);
  for (const auto& [input, output] : out->task.states) all.compile.fetches.push_back(output);
  all.prepare.target_values = out->task.outputs.at(OutputRole::scores);
  out->stepping.emplace(out->step, std::move(all), call);
  return CaptionWriter(std::move(out));
}

bool CaptionWriter::is_prepared() const {
  return impl_->stepping.has_value();
}

std::vector<std::int64_t> CaptionWriter::write(const Feeds& feeds, const CallOptions& call) const {
  if (!impl_->stepping) {
    ExplainerOptions options;
    for (const auto& [name, tensor] : feeds) options.compile.input_shapes[name] = tensor.shape;
    return prepared(options, call).write(feeds, call);
  }
  const auto& task = impl_->task;
  std::map<std::string, Tensor> tensors;  // the step's own: what the encoder says, states, words
  if (impl_->encoding) {
    Feeds own;
    for (const auto& input : impl_->encoder->inputs())
      if (const auto it = feeds.find(input.name); it != feeds.end()) own.insert(*it);
    const auto run = impl_->encoding->forward(own, call);
    for (const auto& [input, output] : impl_->fed)
      tensors.insert_or_assign(input, run.output(output));
  }
  for (auto& [in_model, first] : first_inputs())
    if (!feeds.contains(in_model)) tensors.emplace(impl_->own.at(in_model), std::move(first));
  std::vector<std::int64_t> out{index_of(task, task.caption.start)};
  const auto end = index_of(task, task.caption.end);
  Feeds given;
  for (const auto& [in_model, in_step] : impl_->own)
    if (const auto it = feeds.find(in_model); it != feeds.end() && in_step != impl_->word)
      given.emplace(in_step, it->second);
  for (std::int64_t step = 0; step < task.caption.most && (step == 0 || out.back() != end);
       ++step) {
    tensors.insert_or_assign(
        impl_->word, filled_with(impl_->shapes.at(impl_->word), static_cast<float>(out.back())));
    auto all = given;
    for (const auto& [name, tensor] : tensors) all.insert_or_assign(name, TensorView(tensor));
    const auto run = impl_->stepping->forward(all, call);
    out.push_back(decode_word(task, outputs_of(task, run), 0).index);
    for (const auto& [input, output] : task.states) {
      auto next = run.output(output);
      const auto& shape = impl_->shapes.at(input);
      if (next.data.size() != filled_with(shape, 0).data.size()) refuse_state(output, input);
      tensors.insert_or_assign(input, Tensor{shape, std::move(next.data)});
    }
  }
  return out;
}

CaptionWriter::Whole CaptionWriter::whole(const std::vector<std::int64_t>& tokens,
                                          const CompileOptions& compile) const {
  if (tokens.size() < 2) refuse("a caption has a word that follows the first one");
  const auto& own_task = impl_->task;
  std::vector<std::string> shared;
  for (const auto& input : impl_->step.inputs())
    if (input.name != impl_->word && !own_task.states.contains(input.name))
      shared.push_back(input.name);
  const auto steps = std::ssize(tokens) - 1;
  const auto all_steps = fovea::unrolled(impl_->step, own_task.states, steps, shared);
  Whole out{
      impl_->encoder ? joined(*impl_->encoder, all_steps, impl_->fed) : all_steps, own_task, {}};
  const auto names = names_in(out.model, impl_->first(), all_steps, impl_->fed);

  Names kept;
  if (impl_->encoder) kept = own_names(impl_->encoder->inputs());
  out.task.inputs.clear();
  for (const auto& [name, input] : impl_->asked.inputs)
    if (kept.contains(name) && !impl_->own.contains(name)) out.task.inputs[name] = input;
  for (const auto& [in_model, in_step] : impl_->own) {
    if (in_step == impl_->word) continue;
    const auto& now = kept[in_model] = names.inputs.at(in_step);
    auto& input = out.task.inputs[now] = own_task.inputs.at(in_step);
    // It is an input like any other now.
    if (input.role == InputRole::state && !input.value) input.value = 0;
  }
  out.compile = renamed(compile, kept);
  out.inputs = std::move(kept);

  std::int64_t t = 0;
  const auto& shape = impl_->shapes.at(impl_->word);
  const auto declared = compile.input_shapes.contains(impl_->word_input);
  for (const auto& input : all_steps.inputs()) {
    if (own_task.states.contains(input.name) || holds(shared, input.name)) continue;
    const auto& name = names.inputs.at(input.name);
    out.task.inputs[name] = {.role = InputRole::tokens, .step = t};
    out.words.emplace(name,
                      filled_with(shape, static_cast<float>(tokens[static_cast<std::size_t>(t)])));
    if (declared) out.compile.input_shapes[name] = shape;
    ++t;
  }
  out.task.states.clear();
  out.task.caption.one_word = false;
  const auto& score = own_task.outputs.at(OutputRole::scores).front();
  auto& scores = out.task.outputs[OutputRole::scores];
  scores.clear();
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto name = score + "@" + std::to_string(step);
    const auto it = names.outputs.find(name);
    scores.push_back(it != names.outputs.end() ? it->second : inner_name(out.model, name));
  }
  return out;
}

}  // namespace fovea
