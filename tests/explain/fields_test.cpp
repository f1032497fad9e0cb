#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <string_view>

#include "explain/registered.hpp"
#include "explain/support.hpp"

/// A method's type, its row of the registry and its form as a Method: one table.
namespace fovea {
namespace {

using namespace methods_test;
using Draw = std::mt19937;

template <class... Methods, class Visit>
void for_each_type(explain::Types<Methods...>, Visit visit) {
  (visit(Methods{}), ...);
}
template <class Visit>
void for_each_type(Visit visit) {
  for_each_type(explain::Registered{}, visit);
}

const MethodInfo& info_of(std::string_view name) {
  static const auto all = methods();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const MethodInfo& info) { return info.name == name; });
  if (found == all.end())
    throw Error(ErrorCode::internal, std::string(name) + " is not registered");
  return *found;
}

Tensor drawn_tensor(Draw& draw, std::int64_t rows) {
  Tensor out{{rows, 2}, {}};
  std::uniform_real_distribution<float> values(-1, 1);
  for (std::int64_t i = 0; i < rows * 2; ++i) out.data.push_back(values(draw));
  return out;
}

/// In the option's range, as the registry has it.
double drawn_value(Draw& draw, const MethodOption& option) {
  const double most = std::min(option.max, option.min + 50);
  const double value = std::uniform_real_distribution<double>(option.min, most)(draw);
  return option.is_integer ? std::floor(value) : value;
}

/// Every member by its row.
template <class M>
M drawn(Draw& draw) {
  M out;
  const auto& info = info_of(M::name);
  std::size_t option = 0;
  fields::for_each<M>([&](const auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    auto& member = out.*field.member;
    using Member = std::remove_reference_t<decltype(member)>;
    if constexpr (std::is_same_v<Field, TensorField<M>>)
      member = drawn_tensor(draw, 60);
    else if constexpr (std::is_same_v<Field, RulesField<M>>)
      for (const auto& rule : info.layer_rules) member["layer " + rule] = rule;
    else
      member = static_cast<Member>(drawn_value(draw, info.options.at(option++)));
  });
  return out;
}

bool same(const Method& a, const Method& b) {
  const auto same_tensors = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.shape == other.second.shape &&
           one.second.data == other.second.data;
  };
  return a.name == b.name && a.options == b.options && a.layer_rules == b.layer_rules &&
         std::equal(a.given.begin(), a.given.end(), b.given.begin(), b.given.end(), same_tensors);
}

template <class List>
std::set<std::string> names_of(const List& list) {
  std::set<std::string> out;
  for (const auto& item : list) out.insert(item.name);
  return out;
}
template <class Value>
std::set<std::string> keys_of(const std::map<std::string, Value>& map) {
  std::set<std::string> out;
  for (const auto& [key, value] : map) out.insert(key);
  return out;
}

/// By the words of the tensors' shapes. Gradient SHAP's noise goes with any number of samples.
bool rows_are_given(const Method& method, const MethodInfo& info, const std::string& option) {
  return std::any_of(info.given.begin(), info.given.end(), [&](const MethodTensor& tensor) {
    return method.given.contains(tensor.name) && tensor.shape.starts_with("[" + option + ",") &&
           !(info.name == "gradient-shap" && tensor.name == "noise");
  });
}

TEST(MethodTypes, AreTheRegistry) {
  std::vector<std::string> types, rows;
  for_each_type([&](const auto& method) { types.emplace_back(method.name); });
  for (const auto& info : methods()) rows.push_back(info.name);
  EXPECT_EQ(types, rows);
  EXPECT_EQ(std::set(types.begin(), types.end()).size(), types.size());
}

struct Anything {
  template <class T>
  operator T() const;
};

/// How many members an aggregate has: by how many values it can be made.
template <class M, class... Values>
constexpr std::size_t members() {
  if constexpr (requires { M{Values{}..., Anything{}}; })
    return members<M, Values..., Anything>();
  else
    return sizeof...(Values);
}

TEST(MethodTypes, HaveEveryMemberInTheirTable) {
  for_each_type([]<class M>(const M&) {
    std::size_t rows = 0;
    fields::for_each<M>([&](const auto&) { ++rows; });
    EXPECT_EQ(rows, members<M>()) << M::name;
  });
}

TEST(MethodTypes, CarryTheRegistrysDefaults) {
  for_each_type([](const Method& method) {
    const auto& info = info_of(method.name);
    EXPECT_EQ(keys_of(method.options), names_of(info.options)) << method.name;
    for (const auto& option : info.options)
      EXPECT_EQ(method.options.at(option.name), option.value) << method.name << " " << option.name;
    EXPECT_TRUE(method.given.empty() && method.layer_rules.empty()) << method.name;
  });
}

TEST(MethodTypes, NameTensorsAndOptionsThatTheyHave) {
  for_each_type([]<class M>(const M&) {
    const auto& info = info_of(M::name);
    fields::for_each<M>([&](const auto& field) {
      if constexpr (requires { field.rows_of; }) {
        for (const char* tensor : field.rows_of)
          EXPECT_TRUE(tensor == nullptr || names_of(info.given).contains(tensor)) << M::name;
        EXPECT_TRUE(field.gives_way_to == nullptr ||
                    names_of(info.options).contains(field.gives_way_to))
            << M::name;
      }
    });
  });
}

TEST(MethodTypes, GoToAMethodAndBackWithEveryMember) {
  Draw draw(1);
  for (int round = 0; round < 20; ++round)
    for_each_type([&]<class M>(const M&) {
      const Method there = drawn<M>(draw);
      const auto& info = info_of(M::name);
      EXPECT_EQ(keys_of(there.options), names_of(info.options)) << M::name;
      EXPECT_EQ(keys_of(there.given), names_of(info.given)) << M::name;
      EXPECT_EQ(there.layer_rules.size(), info.layer_rules.size()) << M::name;
      EXPECT_TRUE(same(there, method_as<M>(there))) << M::name;
    });
}

TEST(MethodTypes, HoldWhatAMethodNamesAndItsDefaultsElsewhere) {
  Draw draw(2);
  const auto coin = [&] { return draw() % 2 == 0; };
  for (int round = 0; round < 50; ++round)
    for_each_type([&]<class M>(const M&) {
      Method named{M::name};
      const auto& info = info_of(M::name);
      for (const auto& option : info.options)
        if (coin()) named.options[option.name] = drawn_value(draw, option);
      for (const auto& tensor : info.given)
        if (tensor.required || coin()) named.given[tensor.name] = drawn_tensor(draw, 60);
      const Method back = method_as<M>(named);
      for (const auto& option : info.options) {
        const auto found = named.options.find(option.name);
        double want = option.value;
        if (found != named.options.end())
          want = found->second;
        else if (rows_are_given(named, info, option.name))
          want = 60;
        else if (option.name == "deviation" && named.options.contains("noise"))
          want = 0;
        EXPECT_EQ(back.options.at(option.name), want) << M::name << " " << option.name;
      }
      EXPECT_TRUE(same(Method{named.name, back.options, named.given, {}}, back)) << M::name;
    });
}

TEST(MethodTypes, RefuseWhatTheMethodsUseWouldRefuse) {
  const auto says = [](const Method& method) { return refusal([&] { check_method(method); }); };
  for_each_type([&]<class M>(const M&) {
    for (const auto& option : info_of(M::name).options) {
      Method wrong{M::name, {{option.name, option.max + 1 + std::abs(option.max)}}};
      for (const auto& tensor : info_of(M::name).given)
        if (tensor.required) wrong.given[tensor.name] = {{1}, {0}};
      const auto sentence = says(wrong);
      EXPECT_NE(sentence.find("'" + option.name + "'"), std::string::npos) << sentence;
      EXPECT_EQ(refusal([&] { method_as<M>(wrong); }), sentence);
    }
    EXPECT_NE(refusal([&] { method_as<M>(Method{"other"}); }).find("the method is 'other'"),
              std::string::npos);
  });
  EXPECT_NE(says({"grad-cam"}).find("there is no method 'grad-cam'"), std::string::npos);
  EXPECT_NE(says(DeepShap{}).find("needs the tensor 'background'"), std::string::npos);
}

TEST(MethodTypes, CarryTensorsToTheMap) {
  const auto explainer = explainer_for("vgg", {SmoothGrad{}, RandomCam{}});
  auto run = explainer.forward(random_input(explainer));
  Draw draw(3);
  auto shape = explainer.inputs()[0].shape;
  shape.insert(shape.begin(), 2);
  Tensor noise{shape, {}};
  std::int64_t count = 1;
  for (const auto extent : shape) count *= extent;
  noise.data = drawn_tensor(draw, count).data;
  noise.data.resize(static_cast<std::size_t>(count));
  const auto typed = run.explain(SmoothGrad{.samples = 2, .given_noise = noise});
  EXPECT_EQ(typed.attribution.data,
            run.explain(Method{"smoothgrad", {}, {{"noise", noise}}}).attribution.data);
  EXPECT_NE(typed.attribution.data, run.explain(SmoothGrad{.samples = 2}).attribution.data);
  EXPECT_NE(refusal([&] { run.explain(SmoothGrad{.given_noise = noise}); }).find("more samples"),
            std::string::npos);
}

}  // namespace
}  // namespace fovea
