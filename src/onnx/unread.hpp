#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/model.hpp"

namespace fovea::onnx {

/// What of a model could not be read. What depends on it is not in the graph.
class Unread {
 public:
  /// An entry of ImportedInfo::nodes, and how a list of such nodes names it.
  void add_node(std::size_t node, std::string description, const Error& error) {
    nodes_.emplace(node, Node{std::move(description), error});
  }
  /// An input or initializer.
  void add_value(std::string name, const Error& error) { values_.emplace(std::move(name), error); }
  /// One of several outputs of a node whose others are read.
  void add_output(std::string name, std::string description) {
    outputs_.emplace(std::move(name), std::move(description));
  }
  /// What makes which value: after the last node.
  void set_producers(const std::vector<NodeInfo>& all);
  bool empty() const { return nodes_.empty() && values_.empty() && outputs_.empty(); }

  /// Why `values` cannot be computed: what contradicts the format, else everything that is not
  /// supported among what they depend on, in one sentence. None where nothing keeps them. `all`: as
  /// given to set_producers.
  std::optional<Error> reason(const std::vector<NodeInfo>& all,
                              std::span<const std::string> values) const;

 private:
  struct Node {
    std::string description;
    Error error;
  };
  std::map<std::size_t, Node> nodes_;
  std::map<std::string, Error> values_;
  std::map<std::string, std::string> outputs_;
  std::unordered_map<std::string, std::size_t> producers_;
};

}  // namespace fovea::onnx
