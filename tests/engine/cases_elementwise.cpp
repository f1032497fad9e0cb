#include "engine/op_case.hpp"

namespace fovea::engine_test {
namespace {

using graph::Binary;
using graph::BinaryKind;
using graph::Unary;
using graph::UnaryKind;

const std::vector<Shape> kShapes = {{7},           {3, 5},        {2, 3, 9},       {1, 5, 7, 3},
                                    {2, 16, 4, 5}, {1, 17, 3, 3}, {1, 3, 2, 5, 4}, {1, 1, 1, 1}};

void add_unary(std::vector<Case>& out, Unary op, double low = -4, double high = 4,
               bool differentiable = true) {
  for (const auto& shape : kShapes)
    out.push_back(
        {std::string(graph::name_of(op.kind)), op, {data(shape, low, high)}, 1, differentiable});
}

/// Integers from 0 up to below `limit`.
Operand whole(const Shape& shape, std::int64_t limit) {
  std::vector<std::int64_t> values;
  std::int64_t n = 1;
  for (const auto extent : shape) n *= extent;
  for (std::int64_t i = 0; i < n; ++i) values.push_back((i * 389 + 7) % limit);
  Operand out = integers(shape, values);
  out.role = Operand::Role::data;
  return out;
}

struct Broadcast {
  Shape a, b;
};
const std::vector<Broadcast> kBroadcasts = {{{2, 3, 4, 5}, {2, 3, 4, 5}},
                                            {{1, 17, 3, 3}, {1, 17, 1, 1}},
                                            {{2, 16, 3, 5}, {2, 16, 1, 1}},
                                            {{2, 5, 3, 3}, {5, 1, 1}},
                                            {{3, 5}, {5}},
                                            {{4, 1}, {1, 6}},
                                            {{5}, {2, 3, 5}},
                                            {{2, 3, 4, 1}, {}},
                                            {{1, 7, 1, 1}, {2, 7, 3, 2}},
                                            {{2, 3, 5}, {1, 3, 1}}};

void add_binary(std::vector<Case>& out, BinaryKind kind, double low, double high,
                bool differentiable = true) {
  for (const auto& [a, b] : kBroadcasts)
    out.push_back({std::string(graph::name_of(kind)),
                   Binary{kind},
                   {data(a, low, high), data(b, low + 0.013, high + 0.017)},
                   1,
                   differentiable});
}

}  // namespace

std::vector<Case> elementwise_cases() {
  std::vector<Case> out;
  add_unary(out, {UnaryKind::identity});
  add_unary(out, {UnaryKind::relu});
  add_unary(out, {UnaryKind::leaky_relu, 0.1f});
  add_unary(out, {UnaryKind::clip, 0.f, 1.77f});
  add_unary(out, {UnaryKind::clip, -1.33f, 2.1f});
  add_unary(out, {UnaryKind::clip, 1.21f, -0.34f});
  add_unary(out, {UnaryKind::elu, 0.7f});
  add_unary(out, {UnaryKind::selu, 1.673f, 0.f, 1.051f});
  add_unary(out, {UnaryKind::celu, 0.6f});
  add_unary(out, {UnaryKind::sigmoid});
  add_unary(out, {UnaryKind::hard_sigmoid, 0.21f, 0.5f});
  add_unary(out, {UnaryKind::hard_swish});
  add_unary(out, {UnaryKind::tanh});
  add_unary(out, {UnaryKind::softplus});
  add_unary(out, {UnaryKind::softsign});
  add_unary(out, {UnaryKind::mish});
  add_unary(out, {UnaryKind::gelu});
  add_unary(out, {UnaryKind::gelu_tanh});
  add_unary(out, {UnaryKind::silu, 1.f});
  add_unary(out, {UnaryKind::silu, 1.7f});
  add_unary(out, {UnaryKind::erf});
  add_unary(out, {UnaryKind::sqrt}, 0.1, 5);
  add_unary(out, {UnaryKind::exp}, -3, 3);
  add_unary(out, {UnaryKind::log}, 0.2, 5);
  add_unary(out, {UnaryKind::abs});
  add_unary(out, {UnaryKind::neg});
  add_unary(out, {UnaryKind::reciprocal}, 0.4, 4);
  add_unary(out, {UnaryKind::floor}, -3.93, 3.91);
  add_unary(out, {UnaryKind::ceil}, -3.93, 3.91);
  add_unary(out, {UnaryKind::round}, -3.93, 3.91);
  add_unary(out, {UnaryKind::sign});
  add_unary(out, {UnaryKind::sin});
  add_unary(out, {UnaryKind::cos});
  add_unary(out, {UnaryKind::tan}, -1.3, 1.3);
  add_unary(out, {UnaryKind::asin}, -0.97, 0.97);
  add_unary(out, {UnaryKind::acos}, -0.97, 0.97);
  add_unary(out, {UnaryKind::atan});
  add_unary(out, {UnaryKind::sinh}, -3, 3);
  add_unary(out, {UnaryKind::cosh}, -3, 3);
  add_unary(out, {UnaryKind::asinh});
  add_unary(out, {UnaryKind::acosh}, 1.05, 5);
  add_unary(out, {UnaryKind::atanh}, -0.97, 0.97);
  add_unary(out, {UnaryKind::is_nan}, -4, 4, false);
  add_unary(out, {UnaryKind::is_inf, 1.f, 1.f}, -4, 4, false);
  for (const auto& shape : kShapes)
    out.push_back({"Not", Unary{UnaryKind::logical_not}, {flags(shape)}, 1, false});

  add_binary(out, BinaryKind::add, -2, 2);
  add_binary(out, BinaryKind::sub, -2, 2);
  add_binary(out, BinaryKind::mul, -2, 2);
  add_binary(out, BinaryKind::div, 0.5, 3);
  add_binary(out, BinaryKind::pow, 0.5, 2);
  add_binary(out, BinaryKind::max, -2, 2);
  add_binary(out, BinaryKind::min, -2, 2);
  for (const auto kind :
       {BinaryKind::mod, BinaryKind::fmod, BinaryKind::equal, BinaryKind::less,
        BinaryKind::less_or_equal, BinaryKind::greater, BinaryKind::greater_or_equal})
    add_binary(out, kind, -2, 2, false);
  for (const auto kind : {BinaryKind::bit_and, BinaryKind::bit_or, BinaryKind::bit_xor,
                          BinaryKind::shift_left, BinaryKind::shift_right})
    for (const auto& [a, b] : kBroadcasts)
      out.push_back({std::string(graph::name_of(kind)),
                     Binary{kind},
                     {whole(a, 1000), whole(b, 11)},
                     1,
                     false});
  Operand far = integers({1}, {std::int64_t{1} << 32});
  far.role = Operand::Role::data;
  out.push_back(
      {"ShiftRight far", Binary{BinaryKind::shift_right}, {whole({7}, 1000), far}, 1, false});
  for (const auto kind : {BinaryKind::logical_and, BinaryKind::logical_or, BinaryKind::logical_xor})
    for (const auto& [a, b] : kBroadcasts)
      out.push_back(
          {std::string(graph::name_of(kind)), Binary{kind}, {flags(a), flags(b)}, 1, false});

  for (const auto& shape : kShapes) {
    out.push_back({"PRelu", graph::PRelu{}, {data(shape), data(shape, 0.1, 0.6)}});
    out.push_back({"PRelu", graph::PRelu{}, {data({2, 5, 3, 3}), weight({5, 1, 1}, 0.1, 0.6)}});
    std::vector<std::int64_t> mask;
    std::int64_t n = 1;
    for (const auto extent : shape) n *= extent;
    for (std::int64_t i = 0; i < n; ++i) mask.push_back(i * 7 % 3 == 0);
    out.push_back({"Where",
                   graph::Where{},
                   {integers(shape, mask, graph::DType::boolean), data(shape), data({1})}});
    out.push_back({"Cast to f32", graph::Cast{graph::DType::f32}, {data(shape)}});
    out.push_back({"Cast to i64", graph::Cast{graph::DType::i64}, {data(shape)}, 1, false});
    out.push_back({"Cast to bool", graph::Cast{graph::DType::boolean}, {data(shape)}, 1, false});
  }
  return out;
}

}  // namespace fovea::engine_test
