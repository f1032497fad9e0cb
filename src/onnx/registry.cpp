#include "onnx/registry.hpp"

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "onnx/flatten.hpp"
#include "onnx/importer.hpp"

namespace fovea::onnx {
namespace {

using Table = std::unordered_map<std::string_view, std::vector<Row>>;

const Table& table() {
  static const Table instance = [] {
    Table out;
    for (const auto rows :
         {binary_rows(), choice_rows(), constant_rows(), conv_rows(), experimental_rows(),
          gather_rows(), index_rows(), matrix_rows(), norm_rows(), recurrent_rows(), reduce_rows(),
          repeat_rows(), resize_rows(), shape_rows(), unary_rows()})
      for (const auto& row : rows) out[row.op].push_back(row);
    for (const auto& row : selection_rows()) out[row.op].push_back(row);
    for (auto& [op, rows] : out)
      std::sort(rows.begin(), rows.end(),
                [](const Row& a, const Row& b) { return a.first < b.first; });
    return out;
  }();
  return instance;
}

}  // namespace

const Row* find_row(std::string_view op, std::int64_t opset) {
  const auto found = table().find(op);
  if (found == table().end()) return nullptr;
  for (const auto& row : found->second)
    if (opset >= row.first && opset <= row.last) return &row;
  return nullptr;
}

const Row* find_row(std::string_view domain, std::string_view op, std::int64_t opset) {
  if (is_default_domain(domain)) return find_row(op, opset);
  if (domain != kMlDomain) return nullptr;
  for (const auto& row : ml_rows())
    if (row.op == op) return &row;
  return nullptr;
}

std::string explain_missing(std::string_view op) {
  const auto found = table().find(op);
  if (found == table().end()) return {};
  return "it belongs to opsets " + std::to_string(found->second.front().first) + " to " +
         std::to_string(found->second.back().last);
}

std::vector<OpSupport> supported_ops() {
  std::vector<OpSupport> out;
  for (const auto& [op, rows] : table())
    for (const auto& row : rows)
      out.push_back({std::string(row.op), row.first, row.last, std::string(row.note)});
  for (const auto& row : ml_rows())
    out.push_back({std::string(kMlDomain) + "." + std::string(row.op), kOldestOpset, kNewestOpset,
                   std::string(row.note)});
  std::sort(out.begin(), out.end(), [](const OpSupport& a, const OpSupport& b) {
    return std::tie(a.op, a.first_opset) < std::tie(b.op, b.first_opset);
  });
  return out;
}

}  // namespace fovea::onnx
