#include "onnx/class_names.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "onnx/registry.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

using format::AttributeProto;
using format::NodeProto;
using format::TensorProto;
using Names = std::vector<std::string>;

constexpr int kStringType = 8;
/// Lists of names in one model: each costs a walk over the graph.
constexpr std::size_t kMaxLists = 16;
/// Classes without a name that may stand between those that have one: a key takes ten bytes of the
/// file, whatever it is.
constexpr std::int64_t kMaxGaps = 4096;
/// What the names of all outputs may take together: each has a list of its own.
constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

const AttributeProto* find(const NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute())
    if (attribute.name() == name) return &attribute;
  return nullptr;
}

Names texts(const std::vector<std::string>& strings) {
  Names out;
  for (const auto& text : strings) out.push_back(printable(text));
  return out;
}

Names texts(const TensorProto& tensor) {
  return tensor.data_type() == kStringType ? texts(tensor.string_data()) : Names{};
}

Names strings_in(const NodeProto& node, std::string_view name) {
  const auto* found = find(node, name);
  return found == nullptr ? Names{} : texts(found->strings());
}

std::size_t bytes_of(const Names& names) {
  std::size_t out = 0;
  for (const auto& name : names) out += sizeof(std::string) + name.size();
  return out;
}

/// Scores, and what their classes are called.
struct List {
  Names names;
  /// The scores, what they depend on, and what depends on them.
  std::unordered_set<std::string_view> related;
  std::size_t bytes = 0;
  std::size_t equal = 0;  ///< the first list of the same names
};

class ClassNames {
 public:
  ClassNames(const format::GraphProto& graph, const std::vector<FlatNode>& nodes) : nodes_(nodes) {
    for (const auto& tensor : graph.initializer())
      if (auto names = texts(tensor); !names.empty()) strings_[tensor.name()] = std::move(names);
    bool has_ml = false;
    for (const auto& node : nodes) {
      const auto& proto = *node.proto;
      has_ml = has_ml || proto.domain() == kMlDomain;
      if (proto.op_type() != "Constant" || proto.output_size() == 0) continue;
      auto names = strings_in(proto, "value_strings");
      if (const auto* value = find(proto, "value"); value != nullptr && value->has_t())
        names = texts(value->t());
      if (!names.empty()) strings_[proto.output(0)] = std::move(names);
    }
    if (strings_.empty() && !has_ml) return;
    for (const auto& node : nodes) {
      for (const auto& name : node.proto->output()) producers_[name] = node.proto;
      for (const auto& name : node.proto->input()) readers_[name].push_back(node.proto);
    }
    for (const auto& node : nodes)
      if (lists_.size() < kMaxLists) add(*node.proto);
  }

  bool any() const { return !lists_.empty(); }

  /// Null where there is none, or lists that differ.
  const List* of(const std::string& output) const {
    const List* found = nullptr;
    for (const auto& list : lists_) {
      if (!list.related.contains(output)) continue;
      if (found != nullptr && found->equal != list.equal) return nullptr;
      found = &list;
    }
    return found;
  }

 private:
  void add(const NodeProto& node) {
    if (node.input_size() == 0) return;
    const auto& op = node.op_type();
    const bool is_ml = node.domain() == kMlDomain;
    if (is_ml && op == "ZipMap") {
      auto names = strings_in(node, "classlabels_strings");
      if (names.empty())
        if (const auto* numbers = find(node, "classlabels_int64s"))
          for (const auto number : numbers->ints()) names.push_back(std::to_string(number));
      return add(node.input(0), std::move(names));
    }
    if (is_ml && op == "LabelEncoder")
      return add_ranked(node.input(0), [&] { return encoded(node); });
    if (node.input_size() < 2 || !strings_.contains(node.input(0))) return;
    if ((is_ml && op == "ArrayFeatureExtractor") ||
        (is_default_domain(node.domain()) && op == "Gather"))
      add_ranked(node.input(1), [&] { return strings_.at(node.input(0)); });
  }

  /// By class; classes that it does not name have none.
  static Names encoded(const NodeProto& node) {
    if (auto classes = strings_in(node, "classes_strings"); !classes.empty()) return classes;
    const auto* keys = find(node, "keys_int64s");
    const auto values = strings_in(node, "values_strings");
    if (keys == nullptr || keys->ints_size() != static_cast<int>(values.size())) return {};
    Names out;
    for (int i = 0; i < keys->ints_size(); ++i) {
      const auto key = keys->ints()[static_cast<std::size_t>(i)];
      if (key < 0 || key >= keys->ints_size() + kMaxGaps) return {};
      const auto place = static_cast<std::size_t>(key);
      if (out.size() <= place) out.resize(place + 1);
      out[place] = values[static_cast<std::size_t>(i)];
    }
    return out;
  }

  void add(const std::string& scores, Names names) {
    if (names.empty()) return;
    List list{std::move(names), {}, 0, 0};
    list.bytes = bytes_of(list.names);
    while (list.equal < lists_.size() && lists_[list.equal].names != list.names) ++list.equal;
    follow(scores, list.related, [&](const std::string& name, auto& open) {
      const auto made = producers_.find(name);
      if (made == producers_.end()) return;
      open.insert(open.end(), made->second->input().begin(), made->second->input().end());
    });
    std::unordered_set<std::string_view> behind;
    follow(scores, behind, [&](const std::string& name, auto& open) {
      const auto readers = readers_.find(name);
      if (readers == readers_.end()) return;
      for (const auto* node : readers->second)
        open.insert(open.end(), node->output().begin(), node->output().end());
    });
    list.related.merge(behind);
    lists_.push_back(std::move(list));
  }

  /// `place` says which class is the best: of what scores?
  template <class Make>
  void add_ranked(std::string place, const Make& names) {
    for (std::size_t step = 0; step <= nodes_.size(); ++step) {
      const auto made = producers_.find(place);
      if (made == producers_.end() || made->second->input_size() == 0) return;
      const auto& node = *made->second;
      const auto& op = node.op_type();
      if (op == "ArgMax" || (op == "TopK" && node.output_size() > 1 && place == node.output(1)))
        return add(node.input(0), names());
      const bool keeps = op == "Cast" || op == "Reshape" || op == "Squeeze" || op == "Unsqueeze" ||
                         op == "Flatten" || op == "Identity";
      if (!keeps) return;
      place = node.input(0);
    }
  }

  template <class Next>
  void follow(std::string_view from, std::unordered_set<std::string_view>& out,
              const Next& next) const {
    std::vector<std::string_view> open{from};
    while (!open.empty()) {
      const auto name = open.back();
      open.pop_back();
      if (!name.empty() && out.insert(name).second) next(std::string(name), open);
    }
  }

  const std::vector<FlatNode>& nodes_;
  std::unordered_map<std::string, Names> strings_;
  std::unordered_map<std::string, const NodeProto*> producers_;
  std::unordered_map<std::string, std::vector<const NodeProto*>> readers_;
  std::vector<List> lists_;
};

}  // namespace

void name_classes(const format::GraphProto& graph, const std::vector<FlatNode>& nodes,
                  std::vector<ValueInfo>& outputs) {
  const ClassNames names(graph, nodes);
  if (!names.any()) return;
  std::size_t left = kMaxBytes;
  for (auto& output : outputs) {
    const auto* found = names.of(output.name);
    if (found == nullptr) continue;
    if (found->bytes > left) continue;
    left -= found->bytes;
    output.labels = found->names;
  }
}

}  // namespace fovea::onnx
