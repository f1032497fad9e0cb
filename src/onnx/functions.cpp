#include "onnx/functions.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/checked.hpp"
#include "fovea/error.hpp"
#include "onnx/branches.hpp"
#include "onnx/flatten.hpp"
#include "onnx/limits.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

using format::FunctionProto;
using format::ModelProto;
using format::NodeProto;

auto key_of(const std::string& domain, const std::string& name, const std::string& overload) {
  return std::tuple(is_default_domain(domain) ? std::string() : domain, name, overload);
}

[[noreturn]] void refuse(const NodeProto& node, std::string sentence) {
  throw Error(ErrorCode::bad_model, std::move(sentence), {{}, display_name(node), node.op_type()});
}

/// A count that stays where it is beyond every limit, so that products of two fit.
class Count {
 public:
  Count(std::size_t n) : n_(std::min<std::int64_t>(static_cast<std::int64_t>(n), kMax)) {}
  friend Count operator+(Count a, Count b) { return Count(base::checked_add(a.n_, b.n_)); }
  friend Count operator*(Count a, Count b) { return Count(base::checked_mul(a.n_, b.n_)); }
  bool exceeds(std::size_t limit) const { return n_ > static_cast<std::int64_t>(limit); }

 private:
  static constexpr std::int64_t kMax = std::int64_t{1} << 31;
  explicit Count(std::int64_t n) : n_(std::min(n, kMax)) {}
  std::int64_t n_;
};

/// What inlining adds, calls within calls included.
struct Size {
  Count visits = 0;  ///< nodes that are looked at, calls too
  Count nodes = 0;   ///< nodes that are left
  Count bytes = 0;   ///< but for the names of the calls
  Count names = 0;   ///< strings that the name of a call is put in front of

  void add(const Size& other) {
    visits = visits + other.visits;
    nodes = nodes + other.nodes;
    bytes = bytes + other.bytes;
    names = names + other.names;
  }
};

class Sizes {
 public:
  explicit Sizes(const Functions& functions) : functions_(functions) {}

  /// Of a node, which may be a call, or an If or a loop around calls.
  Size of(const NodeProto& node) {
    return sum(node, [this](const NodeProto& one) { return of_one(one); });
  }

 private:
  template <class OfOne>
  static Size sum(const NodeProto& node, const OfOne& of_one) {
    Size out = of_one(node);
    const auto added = nodes_added_within(node);
    out.visits = out.visits + added;
    out.nodes = out.nodes + added;
    visit_branches(node, [&](const NodeProto& one) { out.add(of_one(one)); });
    return out;
  }

  Size of_one(const NodeProto& node) {
    Size out;
    out.visits = 1;
    const auto* function = functions_.called_by(node);
    if (function == nullptr) {
      out.nodes = 1;
      return out;
    }
    measure(*function);
    out.add(sizes_.at(function).whole);
    // Names inside begin with the call's, and a slash.
    out.bytes = out.bytes + out.names * (display_name(node).size() + 1);
    const auto passed = passed_through(node, *function);
    out.visits = out.visits + passed;
    out.nodes = out.nodes + passed;
    return out;
  }

  struct Measured {
    Size whole;
    bool is_done = false;
  };

  /// What the function calls is measured before it. Where it calls itself that counts once: the
  /// model is refused, but not for its size.
  void measure(const FunctionProto& root) {
    std::vector<const FunctionProto*> open{&root};
    while (!open.empty()) {
      const auto* function = open.back();
      const auto [it, is_new] = sizes_.try_emplace(function);
      if (is_new) {
        const auto look = [&](const NodeProto& node) {
          const auto* inner = functions_.called_by(node);
          if (inner != nullptr && !sizes_.contains(inner)) open.push_back(inner);
        };
        for (const auto& node : function->node()) {
          look(node);
          visit_branches(node, look);
        }
        continue;
      }
      open.pop_back();
      if (it->second.is_done) continue;
      it->second.is_done = true;
      Size whole;
      whole.bytes = function->encoded_bytes();
      whole.names = names_in(*function);
      for (const auto& node : function->node())
        whole.add(sum(node, [this](const NodeProto& one) { return inside(one); }));
      sizes_.at(function).whole = whole;
    }
  }

  Size inside(const NodeProto& node) {
    const auto* function = functions_.called_by(node);
    if (function == nullptr || sizes_.at(function).is_done) return of_one(node);
    Size out;
    out.visits = 1;
    return out;
  }

  /// Outputs that are an input of the function, or another output: each becomes an Identity.
  static std::size_t passed_through(const NodeProto& call, const FunctionProto& function) {
    const int count = std::min(call.output_size(), function.output_size());
    std::set<std::string_view> known(function.input().begin(), function.input().end());
    std::size_t out = 0;
    for (int i = 0; i < count; ++i)
      if (!call.output(i).empty() && !known.insert(function.output(i)).second) ++out;
    return out;
  }

  const Functions& functions_;
  std::unordered_map<const FunctionProto*, Measured> sizes_;
};

}  // namespace

Functions::Functions(const ModelProto& model) {
  for (const auto& function : model.functions()) {
    auto key = key_of(function.domain(), function.name(), function.overload());
    if (!by_name_.emplace(std::move(key), &function).second)
      throw Error(ErrorCode::bad_model, "a local function is defined twice",
                  {{}, quote(function.name()), {}});
  }
}

const FunctionProto* Functions::called_by(const NodeProto& node) const {
  if (by_name_.empty()) return nullptr;
  const auto it = by_name_.find(key_of(node.domain(), node.op_type(), node.overload()));
  return it == by_name_.end() ? nullptr : it->second;
}

std::size_t names_in(const FunctionProto& function) {
  std::size_t out = 0;
  const auto count = [&out](const NodeProto& node) {
    out += 1 + static_cast<std::size_t>(node.input_size()) +
           static_cast<std::size_t>(node.output_size());
  };
  for (const auto& node : function.node()) {
    count(node);
    visit_branches(node, count);
    out += nodes_added_within(node);
  }
  return out;
}

void refuse_inlined_nodes(const NodeProto& node) {
  refuse(node, "the model has more than " + std::to_string(kMaxNodes) +
                   " nodes once its local functions are inlined");
}

void refuse_inlined_bytes(const NodeProto& node) {
  refuse(node, "the model is larger than 256 MiB once its local functions are inlined");
}

void check_inlined_size(const ModelProto& model, const Functions& functions) {
  Sizes sizes(functions);
  Size total;
  for (const auto& node : model.graph().node()) {
    total.add(sizes.of(node));
    if (total.visits.exceeds(2 * kMaxNodes) || total.nodes.exceeds(kMaxNodes))
      refuse_inlined_nodes(node);
    if (total.bytes.exceeds(kMaxInlinedBytes)) refuse_inlined_bytes(node);
  }
}

}  // namespace fovea::onnx
