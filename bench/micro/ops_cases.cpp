#include "ops_cases.hpp"

#include <string>
#include <utility>

namespace fovea::bench {
namespace {

using engine_test::Case;
using engine_test::data;
using engine_test::integers;
using engine_test::Operand;
using engine_test::weight;
using graph::Ints;

const Shape kMap = {1, 64, 28, 28};
const Shape kTokens = {1, 49, 96};

graph::Window window(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  graph::Window out;
  out.kernel = {kernel, kernel};
  out.strides = {stride, stride};
  out.dilations = {1, 1};
  out.pads_begin = out.pads_end = {pad, pad};
  return out;
}

void add_windows(std::vector<Case>& out) {
  const auto conv = [&](const char* name, Shape x, Shape w, std::int64_t stride,
                        std::int64_t group) {
    graph::Conv op;
    op.window = window(w[2], stride, w[2] / 2);
    op.group = group;
    out.push_back({name, op, {data(x), weight(w, -0.1, 0.1), weight({w[0]})}});
  };
  conv("Conv/3x3", {1, 32, 14, 14}, {32, 32, 3, 3}, 1, 1);
  conv("Conv/3x3_stride_2", {1, 32, 28, 28}, {32, 32, 3, 3}, 2, 1);
  conv("Conv/1x1", {1, 128, 14, 14}, {64, 128, 1, 1}, 1, 1);
  conv("Conv/depthwise_3x3", {1, 96, 28, 28}, {96, 1, 3, 3}, 1, 96);
  conv("Conv/grouped_3x3", {1, 64, 14, 14}, {64, 4, 3, 3}, 1, 16);
  conv("Conv/first_7x7_stride_2", {1, 3, 48, 48}, {16, 3, 7, 7}, 2, 1);
  graph::ConvTranspose up;
  up.window = window(2, 2, 0);
  out.push_back(
      {"ConvTranspose/2x2_stride_2", up, {data({1, 64, 14, 14}), weight({64, 32, 2, 2})}});
  for (const auto kind : {graph::PoolKind::max, graph::PoolKind::average}) {
    const std::string name = kind == graph::PoolKind::max ? "MaxPool/" : "AveragePool/";
    for (const std::int64_t kernel : {2, 3}) {
      graph::Pool op;
      op.kind = kind;
      op.window = window(kernel, 2, kernel / 3);
      const auto k = std::to_string(kernel);
      out.push_back({name + k + 'x' + k + "_stride_2", op, {data({1, 32, 56, 56})}});
    }
  }
}

void add_elementwise(std::vector<Case>& out) {
  using U = graph::UnaryKind;
  for (const auto& op : std::vector<graph::Unary>{{U::relu},
                                                  {U::leaky_relu, 0.1f},
                                                  {U::clip, 0.f, 6.f},
                                                  {U::elu, 1.f},
                                                  {U::selu, 1.673f, 0.f, 1.051f},
                                                  {U::celu, 1.f},
                                                  {U::sigmoid},
                                                  {U::hard_sigmoid, 0.2f, 0.5f},
                                                  {U::hard_swish},
                                                  {U::tanh},
                                                  {U::softplus},
                                                  {U::softsign},
                                                  {U::mish},
                                                  {U::gelu},
                                                  {U::gelu_tanh},
                                                  {U::silu, 1.f},
                                                  {U::erf},
                                                  {U::exp},
                                                  {U::abs},
                                                  {U::neg},
                                                  {U::floor},
                                                  {U::ceil},
                                                  {U::round},
                                                  {U::sign},
                                                  {U::sin},
                                                  {U::cos}})
    out.push_back({"Unary/" + std::string(graph::name_of(op.kind)), op, {data(kMap)}});
  for (const auto kind : {U::sqrt, U::log, U::reciprocal})
    out.push_back(
        {"Unary/" + std::string(graph::name_of(kind)), graph::Unary{kind}, {data(kMap, 0.5, 3)}});
  using B = graph::BinaryKind;
  for (const auto kind : {B::add, B::sub, B::mul, B::div, B::pow, B::max, B::min}) {
    const std::string name = "Binary/" + std::string(graph::name_of(kind));
    out.push_back({name, graph::Binary{kind}, {data(kMap, 0.5, 2), data(kMap, 0.513, 2.017)}});
    out.push_back({name + "_channels",
                   graph::Binary{kind},
                   {data(kMap, 0.5, 2), data({1, kMap[1], 1, 1}, 0.513, 2.017)}});
  }
  for (const auto kind : {B::mod, B::less, B::equal})
    out.push_back({"Binary/" + std::string(graph::name_of(kind)),
                   graph::Binary{kind},
                   {data(kMap), data(kMap, -1.987, 2.017)},
                   1,
                   false});
  out.push_back({"PRelu", graph::PRelu{}, {data(kMap), weight({kMap[1], 1, 1}, 0.1, 0.4)}});
  out.push_back({"Where", graph::Where{}, {engine_test::flags(kMap), data(kMap), data({1})}});
  out.push_back({"Cast", graph::Cast{graph::DType::f32}, {data(kMap)}});
}

void add_matrices(std::vector<Case>& out) {
  graph::Gemm fc;
  fc.trans_b = true;
  out.push_back(
      {"Gemm/classifier", fc, {data({1, 512}), weight({1000, 512}, -0.1, 0.1), weight({1000})}});
  out.push_back({"MatMul/tokens", graph::MatMul{}, {data(kTokens), weight({96, 192}, -0.1, 0.1)}});
  out.push_back(
      {"MatMul/attention", graph::MatMul{}, {data({1, 3, 49, 64}), data({1, 3, 64, 49})}});
  out.push_back({"Einsum/attention",
                 graph::Einsum{"bhid,bhjd->bhij"},
                 {data({1, 3, 49, 64}), data({1, 3, 49, 64})}});
}

void add_norms(std::vector<Case>& out) {
  const auto c = kMap[1];
  const Operand per_channel = weight({c});
  out.push_back({"BatchNormalization",
                 graph::BatchNorm{},
                 {data(kMap), per_channel, per_channel, per_channel, weight({c}, 0.2, 2)}});
  out.push_back(
      {"LayerNormalization", graph::LayerNorm{}, {data(kTokens), weight({96}), weight({96})}});
  out.push_back(
      {"InstanceNormalization", graph::InstanceNorm{}, {data(kMap), per_channel, per_channel}});
  out.push_back(
      {"GroupNormalization", graph::GroupNorm{16}, {data(kMap), per_channel, per_channel}});
  out.push_back({"LRN", graph::Lrn{5}, {data({1, 64, 27, 27})}});
  out.push_back({"Softmax/classes", graph::Softmax{}, {data({1, 1000})}});
  out.push_back({"Softmax/attention", graph::Softmax{}, {data({1, 3, 49, 49})}});
  out.push_back({"LogSoftmax", graph::Softmax{-1, true}, {data({1, 1000})}});
  using R = graph::ReduceKind;
  for (const auto kind :
       {R::mean, R::sum, R::max, R::min, R::prod, R::l1, R::l2, R::sum_square, R::log_sum_exp}) {
    graph::Reduce op;
    op.kind = kind;
    op.axes = Ints{2, 3};
    const bool product = kind == R::prod;
    out.push_back({"Reduce/" + std::string(graph::name_of(kind)),
                   op,
                   {product ? data(kMap, 0.99, 1.01) : data(kMap)}});
  }
  graph::Reduce arg_max;
  arg_max.kind = R::arg_max;
  arg_max.axes = Ints{1};
  out.push_back({"Reduce/ArgMax", arg_max, {data({1, 1000})}, 1, false});
}

void add_movement(std::vector<Case>& out) {
  out.push_back({"Concat", graph::Concat{1}, {data({1, 64, 28, 28}), data({1, 32, 28, 28})}});
  out.push_back({"Split", graph::Split{1, Ints{32, 32}}, {data(kMap)}, 2});
  out.push_back(
      {"Slice", graph::Slice{Ints{0, 0}, Ints{28, 28}, Ints{2, 3}, Ints{2, 2}}, {data(kMap)}});
  graph::Pad pad;
  pad.pads = Ints{0, 0, 1, 1, 0, 0, 1, 1};
  pad.value = 0.f;
  out.push_back({"Pad", pad, {data(kMap)}});
  graph::Reshape reshape;
  reshape.spec = Ints{1, kMap[1], 784};
  out.push_back({"Reshape", reshape, {data(kMap)}});
  out.push_back({"Transpose/tokens", graph::Transpose{{0, 2, 1}}, {data({1, 96, 49})}});
  out.push_back({"Transpose/channels_last", graph::Transpose{{0, 2, 3, 1}}, {data(kMap)}});
  out.push_back({"Expand", graph::Expand{}, {data({1, 64, 1, 1}), integers({4}, kMap)}});
  out.push_back({"Tile", graph::Tile{}, {data({1, 64, 14, 14}), integers({4}, {1, 1, 2, 2})}});
  out.push_back({"Gather", graph::Gather{1}, {data(kTokens), integers({3}, {0, 16, 48})}});
  out.push_back({"GatherElements",
                 graph::GatherElements{1},
                 {data(kTokens), integers({1, 2, 3}, {0, 16, 48, 7, 7, 7})}});
  out.push_back({"TopK", graph::TopK{1, true, 10}, {data(kTokens)}, 1, false});
  out.push_back({"RoiAlign",
                 graph::RoiAlign{false, true, 7, 7, 2, 0.25f},
                 {data({1, 64, 56, 56}), weight({16, 4}, 0, 220), integers({16}, Ints(16, 0))}});
  out.push_back({"CumSum", graph::CumSum{1}, {data(kTokens)}});
  out.push_back({"GatherND", graph::GatherND{}, {data(kTokens), integers({2, 2}, {0, 0, 0, 40})}});
  out.push_back({"ScatterND",
                 graph::ScatterND{},
                 {data(kTokens), integers({2, 2}, {0, 0, 0, 40}), data({2, 96})}});
  for (const auto mode : {graph::ResizeMode::nearest, graph::ResizeMode::linear}) {
    graph::Resize op;
    op.mode = mode;
    op.scales = std::vector<float>{1, 1, 2, 2};
    out.push_back({mode == graph::ResizeMode::linear ? "Resize/linear" : "Resize/nearest",
                   op,
                   {data({1, 64, 28, 28})}});
  }
  out.push_back({"DepthToSpace", graph::DepthToSpace{2}, {data(kMap)}});
  out.push_back({"SpaceToDepth", graph::SpaceToDepth{2}, {data(kMap)}});
  out.push_back({"Paste",
                 graph::Paste{{28, 28}},
                 {data(kMap), data({4, 64, 9, 9}),
                  integers({4, 1, 4}, {0, 0, 0, 0, 9, 9, 0, 0, 0, 19, 0, 0, 19, 19, 0, 0})}});
}

/// A line of text both ways, and a policy's step.
void add_recurrent(std::vector<Case>& out) {
  struct Form {
    std::string name;
    graph::CellKind kind;
    std::int64_t time, features, hidden, ways;
  };
  for (const auto& form : {Form{"LSTM/57_steps_both_ways", graph::CellKind::lstm, 57, 96, 48, 2},
                           Form{"LSTM/12_steps", graph::CellKind::lstm, 12, 96, 256, 1},
                           Form{"GRU/a_step", graph::CellKind::gru, 1, 800, 256, 1},
                           Form{"RNN/57_steps", graph::CellKind::rnn, 57, 96, 96, 1}}) {
    graph::Recurrent op;
    op.kind = form.kind;
    if (form.ways == 2) op.direction = graph::RecurrentDirection::bidirectional;
    const bool lstm = form.kind == graph::CellKind::lstm, gru = form.kind == graph::CellKind::gru;
    for (std::int64_t d = 0; d < form.ways; ++d) {
      if (lstm || gru) op.activations.push_back({graph::CellFunction::sigmoid});
      op.activations.resize(op.activations.size() + (lstm ? 2 : 1), {graph::CellFunction::tanh});
    }
    const auto rows = graph::gates(form.kind) * form.hidden;
    out.push_back(
        {form.name,
         op,
         {data({form.time, 1, form.features}), weight({form.ways, rows, form.features}, -0.1, 0.1),
          weight({form.ways, rows, form.hidden}, -0.1, 0.1),
          weight({form.ways, 2 * rows}, -0.1, 0.1)},
         lstm ? 3U : 2U});
  }
}

}  // namespace

std::vector<Case> ops_cases() {
  std::vector<Case> out;
  add_recurrent(out);
  add_windows(out);
  add_elementwise(out);
  add_matrices(out);
  add_norms(out);
  add_movement(out);
  return out;
}

}  // namespace fovea::bench
