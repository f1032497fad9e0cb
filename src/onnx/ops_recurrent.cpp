#include <array>
#include <cctype>
#include <string>
#include <utility>

#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

using graph::CellActivation;
using graph::CellFunction;
using graph::CellKind;
using graph::Recurrent;
using graph::ValueId;

/// A function by its name in any case, what the format has for its parameters, and how many of
/// `activation_alpha` and `activation_beta` it takes.
struct Function {
  std::string_view name;
  CellActivation otherwise;
  bool takes_alpha = false, takes_beta = false;
};

constexpr std::array kFunctions{
    Function{"sigmoid", {CellFunction::sigmoid, 0, 0}},
    Function{"tanh", {CellFunction::tanh, 0, 0}},
    Function{"relu", {CellFunction::relu, 0, 0}},
    Function{"affine", {CellFunction::affine, 1, 0}, true, true},
    Function{"leakyrelu", {CellFunction::leaky_relu, 0.01f, 0}, true},
    Function{"thresholdedrelu", {CellFunction::thresholded_relu, 1, 0}, true},
    Function{"scaledtanh", {CellFunction::scaled_tanh, 1, 1}, true, true},
    Function{"hardsigmoid", {CellFunction::hard_sigmoid, 0.2f, 0.5f}, true, true},
    Function{"elu", {CellFunction::elu, 1, 0}, true},
    Function{"softsign", {CellFunction::softsign, 0, 0}},
    Function{"softplus", {CellFunction::softplus, 0, 0}},
};

const Function& find_function(const NodeImport& n, const std::string& name) {
  std::string lower;
  for (const char letter : name)
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  for (const auto& function : kFunctions)
    if (function.name == lower) return function;
  n.unsupported("with the activation " + quote(name));
}

std::vector<CellActivation> activations(NodeImport& n, const Recurrent& op) {
  std::vector<std::string> each = {"sigmoid", "tanh", "tanh"};
  if (op.kind == CellKind::gru) each = {"sigmoid", "tanh"};
  if (op.kind == CellKind::rnn) each = {"tanh"};
  std::vector<std::string> names;
  for (std::int64_t d = 0; d < graph::directions(op); ++d)
    names.insert(names.end(), each.begin(), each.end());
  if (auto given = n.attributes.get_strings("activations"); given && !given->empty())
    names = std::move(*given);
  // Those that take a parameter take the next one of the list.
  const auto alphas = n.attributes.get_floats("activation_alpha").value_or(std::vector<float>{});
  const auto betas = n.attributes.get_floats("activation_beta").value_or(std::vector<float>{});
  std::size_t alpha = 0, beta = 0;
  std::vector<CellActivation> out;
  for (const auto& name : names) {
    const auto& function = find_function(n, name);
    out.push_back(function.otherwise);
    if (function.takes_alpha && alpha < alphas.size()) out.back().alpha = alphas[alpha++];
    if (function.takes_beta && beta < betas.size()) out.back().beta = betas[beta++];
  }
  return out;
}

template <CellKind kKind>
void recurrent(NodeImport& n) {
  using enum graph::RecurrentDirection;
  Recurrent op;
  op.kind = kKind;
  op.direction = n.attributes.get_choice<graph::RecurrentDirection>(
      "direction", "forward",
      {{"forward", forward}, {"reverse", reverse}, {"bidirectional", bidirectional}});
  op.activations = activations(n, op);
  if (n.attributes.has("clip")) op.clip = n.attributes.get_float("clip", 0);
  if (kKind == CellKind::gru)
    op.linear_before_reset = n.attributes.get_int("linear_before_reset", 0) != 0;
  if (kKind == CellKind::lstm) op.input_forget = n.attributes.get_int("input_forget", 0) != 0;
  n.attributes.ignore({"hidden_size"});  // the weights say it
  constexpr int kResults = kKind == CellKind::lstm ? 3 : 2;
  auto inputs = n.inputs();
  if (!n.attributes.get_flag("layout", false))
    return n.emit_all(std::move(op), std::move(inputs), kResults);
  // Images first: what goes in and comes out, turned.
  const auto turned = [&](ValueId id, graph::Ints perm) {
    return n.step(graph::Transpose{std::move(perm)}, {id});
  };
  for (const std::size_t i : {0u, 5u, 6u})
    if (i < inputs.size() && inputs[i]) inputs[i] = turned(inputs[i], {1, 0, 2});
  const auto results = n.step_all(std::move(op), std::move(inputs), kResults);
  for (int i = 0; i < n.output_count(); ++i)
    n.emit_output(i, graph::Transpose{i == 0 ? graph::Ints{2, 0, 1, 3} : graph::Ints{1, 0, 2}},
                  {results[static_cast<std::size_t>(i)]}, n.type(0));
}

/// "of several outputs": the states before and after are values like others.
Row row_of(std::string_view name, int inputs, int outputs, void (*import)(NodeImport&)) {
  Row row{name, 7, kNewestOpset, 3, inputs, import};
  row.max_outputs = outputs;
  row.all_outputs = true;
  return row;
}

}  // namespace

std::span<const Row> recurrent_rows() {
  static const std::array kRows{row_of("RNN", 6, 2, recurrent<CellKind::rnn>),
                                row_of("GRU", 6, 2, recurrent<CellKind::gru>),
                                row_of("LSTM", 8, 3, recurrent<CellKind::lstm>)};
  return kRows;
}

}  // namespace fovea::onnx
