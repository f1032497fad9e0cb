#include "api/fixed_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "api/partial.hpp"
#include "base/checked.hpp"
#include "base/text.hpp"
#include "graph/infer.hpp"

namespace fovea::api {
namespace {

[[noreturn]] void refuse(const std::string& sentence, const std::string& name) {
  throw Error(ErrorCode::invalid_argument, sentence, {"", name, ""});
}

bool fits(const Shape& declared, const Shape& given) {
  if (declared == graph::kAnyShape) return true;
  return std::equal(declared.begin(), declared.end(), given.begin(), given.end(),
                    [](auto want, auto have) { return want == -1 || want == have; });
}

std::vector<std::int64_t> integers(const Tensor& tensor, graph::DType type,
                                   const std::string& name) {
  constexpr float kMost = 9e18f;
  std::vector<std::int64_t> out;
  out.reserve(tensor.data.size());
  for (const float v : tensor.data) {
    if (!(std::abs(v) < kMost) || std::trunc(v) != v)
      refuse("a value given for the input when the explainer was made is no integer", name);
    const auto whole = static_cast<std::int64_t>(v);
    out.push_back(type == graph::DType::boolean ? std::int64_t{whole != 0} : whole);
  }
  return out;
}

}  // namespace

void fix_inputs(graph::Graph& source, const std::vector<ValueInfo>& inputs,
                const std::map<std::string, Tensor>& values) {
  for (const auto& [name, tensor] : values) {
    const auto known = [&name = name](const ValueInfo& info) { return info.name == name; };
    if (std::none_of(inputs.begin(), inputs.end(), known))
      refuse("the model has no input of this name to fix", name);
    const auto id = source.find_value(name);
    auto& value = source.value(id);
    if (!fits(value.shape, tensor.shape))
      refuse("the values given for the input when the explainer was made have extents " +
                 base::text(tensor.shape) + ", the model's are " + base::text(value.shape),
             name);
    if (std::ssize(tensor.data) != base::element_count(tensor.shape))
      refuse("the values given for the input when the explainer was made do not fill its extents",
             name);
    value.constant = value.type == graph::DType::f32
                         ? graph::Constant::of_floats(tensor.shape, tensor.data)
                         : graph::Constant::of_ints(tensor.shape,
                                                    integers(tensor, value.type, name), value.type);
    value.shape = tensor.shape;
    std::erase(source.inputs, id);
  }
}

std::map<std::string, Shape> shapes_to_bind(const std::vector<ValueInfo>& inputs,
                                            const CompileOptions& compile) {
  auto given = compile.input_shapes;
  for (const auto& [name, tensor] : compile.fixed_inputs) {
    const auto [it, is_new] = given.emplace(name, tensor.shape);
    if (!is_new && !fits(it->second, tensor.shape))
      refuse("the input is given a shape and values that have another", name);
    it->second = tensor.shape;
  }
  auto out = with_named_extents(inputs, std::move(given));
  for (const auto& [name, tensor] : compile.fixed_inputs) out.erase(name);
  return out;
}

void require_same(const std::string& name, const Tensor& fixed, const TensorView& given) {
  if (fixed.shape != given.shape || !std::ranges::equal(fixed.data, given.data))
    refuse("the input was fixed when the explainer was made, to other values", name);
}

}  // namespace fovea::api
