#include <array>
#include <string>
#include <utility>

#include "graph/repeat.hpp"
#include "onnx/node_import.hpp"
#include "onnx/registry.hpp"

namespace fovea::onnx {
namespace {

using graph::Repeat;

bool is_vector(const format::ValueInfoProto& value) {
  return value.type().tensor_type().has_shape() &&
         value.type().tensor_type().shape().dim_size() == 1;
}

std::vector<Repeat::Scanned> read_scanned(NodeImport& n, const std::string& of, std::size_t count) {
  const auto axes = n.attributes.get_ints("scan_" + of + "_axes");
  const auto directions = n.attributes.get_ints("scan_" + of + "_directions");
  for (const auto* one : {&axes, &directions})
    if (*one && (*one)->size() != count)
      n.bad("it has " + std::to_string(count) + " scanned " + of + "s, and axes or directions of " +
            std::to_string((*one)->size()));
  std::vector<Repeat::Scanned> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (axes) out[i].axis = (*axes)[i];
    if (!directions) continue;
    if ((*directions)[i] != 0 && (*directions)[i] != 1) n.bad("a direction is neither 0 nor 1");
    out[i].reversed = (*directions)[i] == 1;
  }
  return out;
}

Repeat read_repeat(NodeImport& n) {
  Repeat out;
  out.is_scan = n.op() == "Scan";
  const auto& body = *n.body();
  const auto inputs = static_cast<std::size_t>(body.input_size());
  const auto makes = static_cast<std::size_t>(body.output_size());
  if (out.is_scan) {
    const auto scanned = n.attributes.require_int("num_scan_inputs");
    if (scanned < 1 || static_cast<std::size_t>(scanned) > inputs)
      n.bad("num_scan_inputs is out of range");
    out.carried = inputs - static_cast<std::size_t>(scanned);
    out.scanned = read_scanned(n, "input", inputs - out.carried);
  } else {
    out.carried = inputs - 2;
    out.number_is_vector = is_vector(body.input(0));
    out.condition_is_vector = is_vector(body.input(1));
  }
  const std::size_t before = (out.is_scan ? 0 : 1) + out.carried;
  if (makes < before) n.bad("its body makes fewer values than it hands on");
  if (out.is_scan)
    out.collected = read_scanned(n, "output", makes - before);
  else
    out.collected.resize(makes - before);
  return out;
}

/// What the body begins with: the loop's inputs behind what is known of it.
void begin_body(NodeImport& n) {
  const auto repeat = read_repeat(n);
  const auto optional = repeat.is_scan ? 0 : 2;
  for (int i = optional; i < n.body()->input_size(); ++i)
    if (!n.has_input(i)) n.bad("a value that is handed on or scanned is missing");
  std::vector<DataType> types;
  types.reserve(static_cast<std::size_t>(n.output_count()));
  for (int i = 0; i < n.output_count(); ++i)
    types.push_back(i >= optional ? n.type(i) : i == 0 ? DataType::i64 : DataType::boolean);
  auto inputs = n.inputs();
  inputs.insert(inputs.begin(), n.constant(repeat.encoded()));
  n.emit_all(graph::begin_of_repeat(), std::move(inputs), types);
}

void repeat(NodeImport& n) {
  if (n.body() == nullptr) n.bad("it needs a body");
  if (n.begins_body()) return begin_body(n);
  auto inputs = n.inputs();
  const auto* first = n.producer(0);
  // What the body begins with could not be read: this is dropped with it.
  if (first == nullptr || first->inputs.empty()) return n.emit_all(graph::end_of_repeat());
  const auto form = repeat_of(n.graph(), *first);
  const auto makes = form.results() - 1 + form.carried + form.collected.size();
  for (std::size_t i = 0; i < makes; ++i)
    if (!n.has_input(static_cast<int>(i))) n.bad("its body makes a value without a name");
  if (static_cast<std::size_t>(n.output_count()) > form.carried + form.collected.size())
    n.bad("it has more outputs than its body makes");
  std::vector<DataType> types;
  types.reserve(static_cast<std::size_t>(n.output_count()));
  const auto results = static_cast<int>(form.results()) - 1;
  for (int i = 0; i < n.output_count(); ++i) types.push_back(n.type(results + i));
  inputs.insert(inputs.begin(), first->inputs[0]);
  n.emit_all(graph::end_of_repeat(), std::move(inputs), types);
}

constexpr std::array kRows{
    Row{"Loop", kOldestOpset, kNewestOpset, 0, kAny, repeat,
        "of 256 steps at most, as many as constants, extents and fixed inputs say: unrolled", kAny,
        true},
    Row{"Scan", 9, kNewestOpset, 1, kAny, repeat, "of 256 steps at most: unrolled", kAny, true},
};

}  // namespace

std::span<const Row> repeat_rows() {
  return kRows;
}

}  // namespace fovea::onnx
