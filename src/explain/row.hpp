#pragma once

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "explain/method.hpp"
#include "fovea/methods/fields.hpp"

/// What a method's file says of it, from which its row of the registry is made.
namespace fovea::explain {

/// A method as a call asks for it: its type M with the options that are named and the defaults of
/// the others, but without its tensors, which stay where the caller has them.
template <class M>
class Chosen {
 public:
  explicit Chosen(const Settings& settings) : settings_(settings) {
    fields::for_each<M>([&](const auto& field) {
      if constexpr (!std::is_same_v<decltype(field), const TensorField<M>&>)
        fields::read(settings.method(), field, method_);
    });
  }
  const M* operator->() const { return &method_; }
  operator const M&() const { return method_; }

  /// As Settings::given.
  const Tensor* given(Tensor M::*member, const Shape& shape) const {
    return settings_.given(name_of(member), shape);
  }
  /// As `given`, of a required one.
  const Tensor& required(Tensor M::*member, const Shape& shape) const {
    return settings_.required(name_of(member), shape);
  }
  /// An option that counts the rows of `given`, where that is not null. Throws Error
  /// invalid_argument where there are fewer.
  std::int64_t rows(std::int64_t M::*member, const Tensor* given) const {
    const auto count = method_.*member;
    if (given != nullptr && count > given->shape[0]) settings_.refuse_rows(name_of(member));
    return count;
  }

 private:
  template <class Member>
  static std::string name_of(Member member) {
    std::string out;
    fields::for_each<M>([&](const auto& field) {
      if constexpr (std::is_same_v<std::remove_cv_t<decltype(field.member)>, Member>)
        if (field.member == member) out = field.name;
    });
    return out;
  }

  const Settings& settings_;
  M method_;
};

/// A function of Args and of the method as it was asked for; the last or all may be left out.
template <class M, class Result, class... Args>
class Part {
 public:
  Part() = default;
  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, Part>) Part(Function function) {
    if constexpr (std::is_invocable_v<Function, Args..., const Chosen<M>&>)
      function_ = std::move(function);
    else if constexpr (std::is_invocable_v<Function, Args...>)
      function_ = [function](Args... args, const Chosen<M>&) { return function(args...); };
    else
      function_ = [function](Args..., const Chosen<M>&) { return function(); };
  }
  explicit operator bool() const { return static_cast<bool>(function_); }
  Result operator()(Args... args, const Settings& settings) const {
    return function_(args..., Chosen<M>(settings));
  }

 private:
  std::function<Result(Args..., const Chosen<M>&)> function_;
};

/// As Entry, which says what each member is, with M in place of Settings. The name, the options,
/// the tensors and the rules of `info` are those of M.
template <class M>
struct Row {
  MethodInfo info;
  void (*check)(const std::optional<graph::PoolLinearHead>&, const Layer&) = serves_all;
  Part<M, Needs, const Layer&> needs = {};  ///< none: nothing beside the layer's map
  Part<M, std::vector<Evidence>, Context&> run;
  Part<M, base::Size, const Context&> scratch_bytes = {};
  bool relu = true;
  Part<M, Tensor, Context&, std::int64_t> class_maps = {};
  bool input_method_reads_layer = false;
  Part<M, Tensor, const Shape&> background = {};
  bool layer_on_request = false;
};

/// Defined by each method's file, with the line `template const Entry& entry<M>();`.
template <class M>
Row<M> row();

template <class M, class T>
void add_field(const OptionField<M, T>& field, MethodInfo& info) {
  info.options.push_back({.name = field.name,
                          .value = fields::number(M{}, field),
                          .min = field.min,
                          .max = field.max,
                          .is_integer = !std::is_floating_point_v<T>,
                          .help = field.help,
                          .choices = {field.choices.begin(), field.choices.end()}});
}
template <class M>
void add_field(const TensorField<M>& field, MethodInfo& info) {
  info.given.push_back({field.name, field.shape, field.help, field.required});
}
template <class M>
void add_field(const RulesField<M>& field, MethodInfo& info) {
  info.layer_rules.assign(field.names.begin(), field.names.end());
}

template <class M>
Entry entry_of(Row<M> row) {
  Entry out;
  out.info = std::move(row.info);
  out.info.name = M::name;
  fields::for_each<M>([&](const auto& field) { add_field(field, out.info); });
  out.check = row.check;
  if (!row.needs) row.needs = [] { return Needs{}; };
  out.needs = std::move(row.needs);
  out.run = [run = std::move(row.run)](Context& context) { return run(context, context.settings); };
  if (row.scratch_bytes)
    out.scratch_bytes = [scratch_bytes = std::move(row.scratch_bytes)](const Context& context) {
      return scratch_bytes(context, context.settings);
    };
  out.relu = row.relu;
  if (row.class_maps)
    out.class_maps = [maps = std::move(row.class_maps)](Context& context, std::int64_t image) {
      return maps(context, image, context.settings);
    };
  out.input_method_reads_layer = row.input_method_reads_layer;
  if (row.background)
    out.background = [background = std::move(row.background)](const Settings& settings,
                                                              const Shape& image) {
      return background(image, settings);
    };
  out.layer_on_request = row.layer_on_request;
  return out;
}

template <class M>
const Entry& entry() {
  static const Entry entry = entry_of(row<M>());
  return entry;
}

}  // namespace fovea::explain
