#include "shapes/mutate.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "../onnx/model_builder.hpp"
#include "shapes/graft.hpp"
#include "shapes/words.hpp"

namespace fovea::shapes_test {
namespace {

using fovea_onnx::GraphProto;
using fovea_onnx::ModelProto;
using fovea_onnx::ValueInfoProto;
using test::AttributeProto;
using test::NodeProto;
using test::TensorProto;

class Mutator {
 public:
  Mutator(const std::string& model, Draw& draw, std::string& told) : draw_(draw), told_(told) {
    model_.ParseFromString(model);
  }

  std::string run() {
    const auto times = draw_.one_of<int>({1, 1, 1, 2, 3});
    for (int i = 0; i < times; ++i) one();
    return model_.SerializeAsString();
  }

 private:
  GraphProto& graph() { return *model_.mutable_graph(); }

  std::int64_t whole() {
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    return draw_.one_of<std::int64_t>({0,
                                       0,
                                       1,
                                       1,
                                       -1,
                                       -1,
                                       2,
                                       2,
                                       -2,
                                       3,
                                       -3,
                                       4,
                                       5,
                                       7,
                                       8,
                                       16,
                                       17,
                                       33,
                                       64,
                                       255,
                                       1000,
                                       1 << 20,
                                       (std::int64_t{1} << 31) - 1,
                                       std::int64_t{1} << 31,
                                       -(std::int64_t{1} << 31),
                                       std::int64_t{1} << 33,
                                       std::int64_t{1} << 62,
                                       kMax,
                                       -kMax - 1});
  }
  /// Another number, most often one near by.
  std::int64_t near(std::int64_t value) {
    if (draw_.chance(35) || value > (1 << 20) || value < -(1 << 20)) return whole();
    return draw_.one_of<std::int64_t>({value + 1, value - 1, value * 2, value / 2, -value, 1, 0});
  }
  float number() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return draw_.one_of({0.f, -0.f, 1.f, -1.f, 2.f, 0.5f, 1e-45f, 1e-5f, 3e38f, -3e38f, 1e10f,
                         kInfinity, -kInfinity, std::nanf("")});
  }

  template <class List>
  auto* any(List& list) {
    return list.empty()
               ? nullptr
               : &list[static_cast<int>(draw_.below(static_cast<std::size_t>(list.size())))];
  }
  NodeProto* node() { return any(*graph().mutable_node()); }

  /// Initializers, and tensors of attributes.
  TensorProto* tensor() {
    std::vector<TensorProto*> all;
    for (auto& one : *graph().mutable_initializer()) all.push_back(&one);
    for (auto& n : *graph().mutable_node())
      for (auto& a : *n.mutable_attribute())
        if (a.has_t()) all.push_back(a.mutable_t());
    if (all.empty()) return nullptr;
    // Those of extents and axes are few and matter most.
    std::vector<TensorProto*> small;
    for (auto* one : all)
      if (one->data_type() == test::kInt64) small.push_back(one);
    return !small.empty() && draw_.chance(50) ? draw_.one_of(small) : draw_.one_of(all);
  }

  std::string name_of_value() {
    std::vector<std::string> names;
    for (const auto& n : graph().node())
      for (const auto& output : n.output()) names.push_back(output);
    for (const auto& one : graph().initializer()) names.push_back(one.name());
    for (const auto& one : graph().input()) names.push_back(one.name());
    return names.empty() ? "nothing" : draw_.one_of(names);
  }

  void tell(const std::string& what) { told_ += (told_.empty() ? "" : "; ") + what; }

  void one() {
    switch (draw_.below(22)) {
      case 16:
      case 17:
      case 18:
      case 19:
      case 20:
      case 21:
        return tell(graft(model_, draw_));
      case 0:
      case 1:
      case 2:
      case 3:
        return attribute();
      case 4:
      case 5:
        return extents();
      case 6:
      case 7:
        return data();
      case 8:
      case 9:
        return declared();
      case 10:
      case 11:
      case 12:
        return wiring();
      case 13:
        return alike();
      case 14:
        return nodes();
      default:
        return versions();
    }
  }

  void change(AttributeProto& a) {
    switch (a.type()) {
      case 1:
        a.set_f(number());
        break;
      case 2:
        a.set_i(near(a.i()));
        break;
      case 3:
        a.set_s(draw_.one_of(kTexts));
        break;
      case 7:
        if (a.ints_size() > 0 && draw_.chance(85)) {
          auto& one = *any(*a.mutable_ints());
          one = near(one);
        } else if (draw_.chance(50))
          a.add_ints(whole());
        else if (a.ints_size() > 0)
          a.mutable_ints()->RemoveLast();
        break;
      default:
        a.set_type(static_cast<int>(draw_.below(14)));
    }
  }

  void attribute() {
    auto* n = node();
    // Most nodes have none: take another look.
    for (int i = 0; i < 8 && n != nullptr && n->attribute_size() == 0; ++i) n = node();
    if (n == nullptr) return;
    auto* a = any(*n->mutable_attribute());
    if (a == nullptr || draw_.chance(15)) {
      const auto name = draw_.one_of(kAttributes);
      auto& added = *n->add_attribute();
      switch (draw_.below(3)) {
        case 0:
          added = test::attr(name, whole());
          break;
        case 1:
          added = test::attr(name, test::Ints{whole(), whole()});
          break;
        default:
          added = test::attr(name, number());
      }
      return tell(n->op_type() + " gets " + name);
    }
    tell(n->op_type() + "." + a->name());
    const auto how = draw_.below(10);
    if (how < 7) return change(*a);
    if (how == 7) {
      n->mutable_attribute()->DeleteSubrange(index_of(*n, a), 1);
      return tell("gone");
    }
    if (how == 8) {
      const auto copy = *a;
      *n->add_attribute() = copy;
      return tell("twice");
    }
    if (draw_.chance(50))
      a->set_name(draw_.one_of(kAttributes));
    else
      a->set_type(static_cast<int>(draw_.below(14)));
    tell("renamed or retyped");
  }

  static int index_of(const NodeProto& n, const AttributeProto* a) {
    for (int i = 0; i < n.attribute_size(); ++i)
      if (&n.attribute(i) == a) return i;
    return 0;
  }

  static std::size_t width(int type) {
    switch (type) {
      case test::kInt64:
      case test::kDouble:
      case test::kUint64:
        return 8;
      case test::kUint8:
      case test::kInt8:
      case test::kBool:
        return 1;
      case test::kFloat16:
      case test::kBfloat16:
      case test::kInt16:
      case test::kUint16:
        return 2;
      default:
        return 4;
    }
  }

  /// The data that a tensor's extents ask for, made of what it has; not where that is much.
  void adapt(TensorProto& t) {
    std::size_t count = 1;
    for (const auto d : t.dims()) {
      if (d < 0 || (d > 0 && count > (std::size_t{1} << 22) / static_cast<std::size_t>(d))) return;
      count *= static_cast<std::size_t>(d);
    }
    std::string raw = t.raw_data();
    if (raw.empty() && t.float_data_size() > 0)
      for (const float v : t.float_data()) raw.append(reinterpret_cast<const char*>(&v), sizeof v);
    if (raw.empty() && t.int64_data_size() > 0)
      for (const std::int64_t v : t.int64_data())
        raw.append(reinterpret_cast<const char*>(&v), sizeof v);
    t.clear_float_data();
    t.clear_int64_data();
    t.clear_int32_data();
    const auto wanted = count * width(t.data_type());
    const std::string piece = raw.empty() ? std::string(8, '\1') : raw;
    while (raw.size() < wanted) raw += piece;
    raw.resize(wanted);
    t.set_raw_data(raw);
  }

  void extents() {
    auto* t = tensor();
    if (t == nullptr) return;
    tell("extents of " + t->name());
    const auto rank = static_cast<std::size_t>(t->dims_size());
    const auto how = draw_.below(6);
    if (how == 0) {
      t->add_dims(1);  // the same data
    } else if (how == 1 && rank > 0) {
      t->mutable_dims()->RemoveLast();
    } else if (how == 2) {
      t->set_data_type(
          draw_.one_of<int>({0, 1, 1, 2, 3, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 99}));
    } else if (rank > 0) {
      auto& one = *any(*t->mutable_dims());
      one = near(one);
    }
    if (draw_.chance(65)) {
      adapt(*t);
      tell("with data");
    }
  }

  void data() {
    auto* t = tensor();
    if (t == nullptr) return;
    tell("data of " + t->name());
    const auto store = [&](auto make) {
      auto& raw = *t->mutable_raw_data();
      decltype(make(0)) value{};
      if (raw.size() < sizeof value) return;
      const auto at = draw_.index(raw.size() / sizeof value) * sizeof value;
      std::memcpy(&value, raw.data() + at, sizeof value);
      value = make(value);
      std::memcpy(raw.data() + at, &value, sizeof value);
    };
    if (t->data_type() == test::kInt64) {
      if (t->int64_data_size() > 0) {
        auto& one = *any(*t->mutable_int64_data());
        one = near(one);
      } else {
        store([&](std::int64_t v) { return near(v); });
      }
    } else if (t->data_type() == test::kFloat) {
      if (t->float_data_size() > 0)
        t->set_float_data(0, number());
      else
        store([&](float) { return number(); });
    } else {
      store([&](std::uint8_t) { return static_cast<std::uint8_t>(draw_.below(256)); });
    }
    if (!draw_.chance(8)) return;
    t->clear_raw_data();
    tell("none");
  }

  void declared() {
    ValueInfoProto* v =
        draw_.chance(75) ? any(*graph().mutable_input()) : any(*graph().mutable_output());
    if (v == nullptr) return;
    tell("declared " + v->name());
    auto& type = *v->mutable_type()->mutable_tensor_type();
    auto& shape = *type.mutable_shape();
    switch (draw_.below(9)) {
      case 0:
        type.set_elem_type(draw_.one_of<int>({0, 2, 6, 7, 9, 10, 11, 8, 99}));
        break;
      case 1:
        type.clear_shape();
        break;
      case 2:
        if (shape.dim_size() > 0) shape.mutable_dim()->RemoveLast();
        break;
      case 3:
        shape.add_dim()->set_dim_value(whole());
        break;
      case 4:
        v->set_name(draw_.chance(70) ? name_of_value() : "other");
        break;
      case 5:
        if (auto* d = any(*shape.mutable_dim())) {
          d->clear_dim_value();
          d->set_dim_param("n");
        }
        break;
      default:
        if (auto* d = any(*shape.mutable_dim())) d->set_dim_value(near(d->dim_value()));
    }
  }

  void wiring() {
    auto* n = node();
    if (n == nullptr || n->input_size() == 0) return;
    const auto at = static_cast<int>(draw_.below(static_cast<std::size_t>(n->input_size())));
    tell("wiring of " + n->op_type() + " " + n->output(0));
    switch (draw_.below(8)) {
      case 0:
        n->set_input(at, "");
        break;
      case 1:
        n->set_input(at, "nothing");
        break;
      case 2:
        n->add_input(name_of_value());
        break;
      case 3:
        n->mutable_input()->RemoveLast();
        break;
      case 4:
        n->set_output(0, name_of_value());
        break;
      case 5:
        n->mutable_input()->SwapElements(0, at);
        break;
      default:
        n->set_input(at, name_of_value());
    }
  }

  void alike() {
    auto* n = node();
    if (n == nullptr) return;
    const auto arity = std::clamp(n->input_size(), 1, 3);
    const bool simple = draw_.chance(60);
    const auto& other =
        draw_.one_of((simple ? kElementwise : kAlike)[static_cast<std::size_t>(arity - 1)]);
    tell(n->op_type() + " as " + other);
    n->set_op_type(other);
    if (simple || draw_.chance(40)) n->clear_attribute();
  }

  void nodes() {
    auto& all = *graph().mutable_node();
    if (all.empty()) return;
    const auto at = static_cast<int>(draw_.below(static_cast<std::size_t>(all.size())));
    switch (draw_.below(4)) {
      case 0:
        tell("without " + all[at].op_type());
        all.DeleteSubrange(at, 1);
        break;
      case 1: {
        tell(all[at].op_type() + " twice");
        const auto copy = all[at];
        *all.Add() = copy;
        break;
      }
      case 2:
        tell("nodes swapped");
        all.SwapElements(0, at);
        break;
      default:
        tell("one more output");
        graph().add_output()->set_name(name_of_value());
    }
  }

  void versions() {
    switch (draw_.below(6)) {
      case 0:
        tell("ir");
        model_.set_ir_version(whole());
        break;
      case 1:
        if (graph().initializer_size() == 0) return;
        tell("an initializer twice");
        *graph().add_initializer() = TensorProto(graph().initializer(0));
        break;
      case 2: {
        tell("one more input");
        auto& added = *graph().add_input();
        added.set_name(draw_.chance(50) ? name_of_value() : "more");
        added.mutable_type()->mutable_tensor_type()->set_elem_type(1);
        if (draw_.chance(70)) added.mutable_type()->mutable_tensor_type()->mutable_shape();
        break;
      }
      case 3:
        if (graph().input_size() == 0) return;
        tell("without an input");
        graph().mutable_input()->RemoveLast();
        break;
      default:
        if (model_.opset_import_size() == 0) return;
        model_.mutable_opset_import(0)->set_version(draw_.chance(85) ? 1 + draw_.below(30)
                                                                     : whole());
        tell("opset " + std::to_string(model_.opset_import(0).version()));
    }
  }

  Draw& draw_;
  std::string& told_;
  ModelProto model_;
};

}  // namespace

std::string mutated(const std::string& model, Draw& draw, std::string& told) {
  return Mutator(model, draw, told).run();
}

}  // namespace fovea::shapes_test
