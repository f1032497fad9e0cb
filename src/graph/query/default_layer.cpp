#include <algorithm>

#include "base/checked.hpp"
#include "graph/infer/context.hpp"
#include "graph/query.hpp"
#include "graph/query/batch_axes.hpp"
#include "graph/query/class_maps.hpp"
#include "graph/query/edges.hpp"
#include "graph/query/tokens.hpp"

namespace fovea::graph {
namespace {

using detail::Layout;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id.index);
}

/// A product of two computed values: what attention is made of.
bool mixes_by_attention(const Node& node, const std::vector<bool>& computed) {
  if (!std::holds_alternative<MatMul>(node.op) && !std::holds_alternative<Einsum>(node.op))
    return false;
  return node.inputs.size() == 2 && computed[at(node.inputs[0])] && computed[at(node.inputs[1])];
}

/// Does a pool write fewer positions than it reads (or copy them)?
bool only_shrinks(const Pool& op, const Shape& in, const Shape& out) {
  const auto one = [](std::int64_t k) { return k == 1; };
  if (std::all_of(op.window.kernel.begin(), op.window.kernel.end(), one)) return true;
  return in != out;
}

/// How the head reads the map, in words.
std::string reader_in_words(const Node& node) {
  if (const auto* reduce = std::get_if<Reduce>(&node.op)) {
    if (reduce->kind == ReduceKind::mean) return "global average pooling";
    if (reduce->kind == ReduceKind::max) return "global max pooling";
  }
  if (const auto* pool = std::get_if<Pool>(&node.op))
    return pool->kind == PoolKind::average ? "average pooling over the whole map"
                                           : "max pooling over the whole map";
  if (std::holds_alternative<Reshape>(node.op)) return "flattening";
  return std::string(name_of(node.op));
}

class DefaultLayerSearch {
 public:
  DefaultLayerSearch(const Graph& graph, ValueId logits, const TokenOptions& options)
      : graph_(graph),
        logits_(logits),
        forms_(graph, logits, options),
        layouts_(forms_.layouts),
        computed_(detail::depends_on_inputs(graph)),
        reaching_(detail::reaching(graph, logits)),
        passed_over_(detail::behind_regions(graph)) {}

  DefaultLayer run() {
    auto out = search_of_image();
    out.features = out.value;
    const auto class_maps = detail::class_maps(graph_, logits_, layouts_);
    if (!out.value || !class_maps[at(out.value)]) return out;
    for (std::size_t v = 0; v < class_maps.size(); ++v)
      if (class_maps[v]) passed_over_[v] = true;
    out.features = search().value;
    return out;
  }

 private:
  /// Of several inputs with maps, one of the image's own.
  DefaultLayer search_of_image() {
    if (graph_.inputs.size() < 2) return search();
    const auto image = graph_.inputs[detail::image_input(graph_, logits_)];
    const auto all = passed_over_;
    const auto of_image = detail::values_behind(graph_, image);
    for (std::size_t v = 0; v < all.size(); ++v)
      if (!of_image[v]) passed_over_[v] = true;
    auto out = search();
    if (out.value) return out;
    passed_over_ = all;
    return search();
  }

  DefaultLayer search() const {
    const auto head = maps_read_by_the_head();
    if (head.empty())
      return {{}, "the scores are reached by no feature map with a spatial extent above 1"};
    auto map = head.back();
    const auto reader = reader_of(map);
    std::string skipped;
    map = look_back(map, skipped);
    if (!graph_.value(map).producer) return {{}, "the head reads the model's input itself"};
    if (layouts_[at(map)].order != Layout::Order::channels_first) return from_sequence(map);
    if (attention_after(map))
      return {{},
              "after the last feature map (" + graph_.value(map).name +
                  ") positions are mixed by attention: name a layer"};
    std::string why = "the last feature map, " + detail::text(graph_.value(map).shape) +
                      ", which the head reads by " + reader;
    if (!skipped.empty()) why += ", looked back through " + skipped;
    if (head.size() > 1) why += "; the head reads " + std::to_string(head.size()) + " maps";
    return {map, why};
  }

  bool is_map(ValueId id) const {
    return detail::is_map(graph_.value(id), layouts_[at(id)]) && computed_[at(id)] &&
           !passed_over_[at(id)];
  }

  /// The values with a path to the logits on which no map lies, and the maps that they read.
  std::vector<bool> head_values() const {
    std::vector<bool> in_head(graph_.values().size(), false);
    in_head[at(logits_)] = true;
    const auto& nodes = graph_.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node)
      for (const auto result : node->outputs) {
        if (!in_head[at(result)] || (result != logits_ && is_map(result))) continue;
        for (const auto input : node->inputs)
          if (input && computed_[at(input)]) in_head[at(input)] = true;
      }
    return in_head;
  }
  std::vector<ValueId> maps_read_by_the_head() const {
    const auto in_head = head_values();
    std::vector<ValueId> out;
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (in_head[at(id)] && id != logits_ && is_map(id)) out.push_back(id);
    return out;
  }

  std::vector<bool> values_on_every_path() const {
    return values_on_every_path([](ValueId) { return true; });
  }
  template <class Counts>
  std::vector<bool> values_on_every_path(const Counts& counts) const {
    return detail::on_every_path(graph_, logits_, [&](ValueId id) {
      return reaching_[at(id)] && computed_[at(id)] && counts(id);
    });
  }

  std::string reader_of(ValueId map) const {
    for (const auto& node : graph_.nodes()) {
      const bool reads =
          std::find(node.inputs.begin(), node.inputs.end(), map) != node.inputs.end();
      const bool leads = std::any_of(node.outputs.begin(), node.outputs.end(),
                                     [&](ValueId id) { return reaching_[at(id)]; });
      if (!reads || !leads) continue;
      // Tokens laid out on their grid, and normed, before they are pooled.
      if (!lays_out(node, map)) return reader_in_words(node);
      map = node.outputs[0];
    }
    return "nothing";
  }

  bool lays_out(const Node& node, ValueId map) const {
    const auto& from = graph_.value(map).shape;
    const auto& to = graph_.value(node.outputs[0]).shape;
    const bool tokens = layouts_[at(map)].order == Layout::Order::channels_last;
    if (std::holds_alternative<Reshape>(node.op))
      return tokens && to.size() > 3 && to.back() == from.back();
    return std::holds_alternative<LayerNorm>(node.op) && from.size() > 3;
  }

  /// The input of the node if the node only shrinks, pads or rearranges the map; none otherwise.
  ValueId before(const Node& node) const {
    const auto input = node.inputs.empty() ? ValueId{} : node.inputs[0];
    if (!input || !computed_[at(input)]) return {};
    const auto order = layouts_[at(input)].order;
    const bool is_input = !graph_.value(input).producer;
    if (order == Layout::Order::unknown && !is_input) return {};
    if (const auto* unary = std::get_if<Unary>(&node.op))
      return unary->kind == UnaryKind::identity ? input : ValueId{};
    if (const auto* pool = std::get_if<Pool>(&node.op)) {
      const auto& out = graph_.value(node.outputs[0]).shape;
      return only_shrinks(*pool, graph_.value(input).shape, out) ? input : ValueId{};
    }
    if (const auto* transpose = std::get_if<Transpose>(&node.op))
      return order == Layout::Order::channels_first && detail::moves_channels_last(*transpose)
                 ? input
                 : ValueId{};
    if (std::holds_alternative<Reshape>(node.op)) {
      if (!is_map(input)) return {};
      // Positions may be merged; other channels would make another map.
      const auto& from = graph_.value(input).shape;
      const auto& to = graph_.value(node.outputs[0]).shape;
      const bool same = to.size() >= 2 && from[0] == to[0] && from[1] == to[1];
      return same ? input : ValueId{};
    }
    return std::holds_alternative<Pad>(node.op) && is_map(input) ? input : ValueId{};
  }

  ValueId look_back(ValueId map, std::string& skipped) const {
    for (;;) {
      const auto* node = detail::producer(graph_, map);
      const auto input = node == nullptr ? ValueId{} : before(*node);
      if (!input) return map;
      skipped += (skipped.empty() ? "" : ", ") + std::string(name_of(node->op));
      map = input;
    }
  }

  bool attention_after(ValueId map) const {
    std::vector<bool> after(graph_.values().size(), false);
    after[at(map)] = true;
    for (const auto& node : graph_.nodes()) {
      const bool any = std::any_of(node.inputs.begin(), node.inputs.end(),
                                   [&](ValueId id) { return id && after[at(id)]; });
      if (!any) continue;
      bool leads = false;
      for (const auto id : node.outputs) {
        after[at(id)] = true;
        leads = leads || reaching_[at(id)];
      }
      if (leads && mixes_by_attention(node, computed_)) return true;
    }
    return false;
  }

  /// Does each position of `to` depend on the same position of `from` alone? (By its columns.)
  bool positions_stay(ValueId from, ValueId to) const {
    const auto columns = [&](ValueId id) {
      return forms_.is_sequence(id) ? forms_.token_axis(id)
                                    : layouts_[at(id)].spatial_axes().back();
    };
    const auto axis = columns(to);
    const auto extent = graph_.value(to).shape[axis];
    const auto live = detail::live_parts(graph_, to, detail::Live::range(axis, extent, 0, 1));
    const auto& seen = live[at(from)];
    return extent == 1 || (seen.part == detail::Live::Part::range && seen.axis == columns(from));
  }

  /// The head reads a map with its channels last that is no mere transpose: go on to the last one
  /// with its channels first that all paths go through, unless positions are mixed between the two,
  /// by attention or otherwise (as a mixer mixes its tokens).
  DefaultLayer from_sequence(ValueId sequence) const {
    sequence = in_first_order(sequence);
    ValueId last;
    const auto cuts = values_on_every_path();
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (cuts[at(id)] && is_map(id) && layouts_[at(id)].order == Layout::Order::channels_first)
          last = id;
    if (!last || attention_after(last)) return from_tokens(sequence);
    if (!positions_stay(last, sequence))
      if (auto tokens = from_tokens(sequence); tokens.value) return tokens;
    const auto& name = graph_.value(sequence).name;
    std::string skipped;
    last = look_back(last, skipped);
    return {last, "the last feature map with its channels first, " +
                      detail::text(graph_.value(last).shape) + "; the head reads \"" + name +
                      "\", which has them last"};
  }

  /// The head reads tokens that have been mixed: the last sequence of their width, on a grid,
  /// that all the patch tokens' ways to the logits go through.
  DefaultLayer from_tokens(ValueId read) const {
    const bool by_attention = attention_after(read);
    if (by_attention && forms_.form(read).unseen.empty()) read = before_projections(read);
    const auto& shape = graph_.value(read).shape;
    const auto& name = graph_.value(read).name;
    const auto form = forms_.form(read);
    const auto on_every_path = values_on_every_path();
    if (!form.grid) {
      // Several tokens cut from the patches': what they were cut from.
      const auto before = last_sequence(on_every_path);
      if (before && !forms_.form(before).unseen.empty()) return from_tokens(before);
      return {{},
              "the head reads \"" + name +
                  "\": " + (form.refusal.empty() ? "name a layer" : form.refusal)};
    }
    const auto& grid = *form.grid;
    if (form.unseen.empty() && forms_.is_sequence(read) && !on_every_path[at(read)])
      // Something goes round it, as a class token that has seen the patches.
      if (const auto before = last_sequence(seen_by_all(on_every_path));
          before && forms_.form(before).grid->extents == grid.extents)
        return {before, "the last sequence of tokens whose patches all of the scores depend on, " +
                            in_words(before, *forms_.form(before).grid) +
                            "; some of them go through \"" + name + "\""};
    if (form.unseen.empty())
      return {read,
              std::string("the last ") +
                  (shape.size() == 3 ? "sequence of tokens, " : "map with its channels last, ") +
                  in_words(read, grid) + ", which the head reads by " +
                  (by_attention ? "attention" : reader_of(read))};
    const auto patches = base::element_count(grid.extents);
    const auto cuts = values_on_every_path([&](ValueId id) {
      return forms_.live[at(id)].touches(forms_.tokens_of(read), grid.prefix,
                                         grid.prefix + patches);
    });
    ValueId last;
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (cuts[at(id)] && forms_.is_sequence(id) && width_of(id) == grid.width(shape) &&
            forms_.form(id).grid)
          last = id;
    last = in_first_order(last);
    if (!last)
      return {{},
              "the head reads the class token of \"" + name +
                  "\", and no sequence of tokens before it holds all that it sees of the "
                  "patches: name a layer"};
    return {last, "the last sequence of tokens whose patches the scores depend on, " +
                      in_words(last, *forms_.form(last).grid) +
                      "; behind it the head reads the class token alone"};
  }

  /// Attention that pools reads keys and values: the tokens that these are projections of.
  ValueId before_projections(ValueId id) const {
    for (;;) {
      const auto* node = detail::producer(graph_, id);
      if (node == nullptr || node->inputs.size() != 2) return id;
      const bool first = computed_[at(node->inputs[0])];
      if (first == computed_[at(node->inputs[1])]) return id;
      const auto input = node->inputs[first ? 0 : 1];
      const auto* sum = std::get_if<Binary>(&node->op);
      const bool projects = (std::holds_alternative<MatMul>(node->op) && first) ||
                            (sum != nullptr && sum->kind == BinaryKind::add);
      if (!projects || !forms_.is_sequence(input) || !graph_.value(input).producer) return id;
      id = input;
    }
  }

  /// The sequence before its axes changed places: attention may want them in another order.
  ValueId in_first_order(ValueId id) const {
    for (;;) {
      const auto* node = detail::producer(graph_, id);
      if (node == nullptr || !std::holds_alternative<Transpose>(node->op)) return id;
      const auto input = node->inputs[0];
      const bool same = forms_.is_sequence(id) && forms_.is_sequence(input) &&
                        computed_[at(input)] && graph_.value(input).producer;
      if (!same) return id;
      id = input;
    }
  }

  /// Those of the sequences on which everything that the head reads of a map depends, by their
  /// patches: what is read of a class token alone is not what is read of the others.
  std::vector<bool> seen_by_all(std::vector<bool> sequences) const {
    const auto in_head = head_values();
    for (const auto& node : graph_.nodes()) {
      const auto out = node.outputs[0];
      const auto reads = [&](ValueId id) { return id && is_map(id); };
      if (!in_head[at(out)] || (out != logits_ && is_map(out))) continue;
      if (std::none_of(node.inputs.begin(), node.inputs.end(), reads)) continue;
      const auto live = detail::live_parts(graph_, out);
      for (const auto& value : graph_.nodes())
        for (const auto id : value.outputs) {
          if (!sequences[at(id)] || !forms_.is_sequence(id)) continue;
          const auto form = forms_.form(id);
          if (!form.grid) continue;
          const auto patches = base::element_count(form.grid->extents);
          sequences[at(id)] = live[at(id)].touches(forms_.tokens_of(id), form.grid->prefix,
                                                   form.grid->prefix + patches);
        }
    }
    return sequences;
  }

  /// The last sequence on a grid of those that `count`.
  ValueId last_sequence(const std::vector<bool>& count) const {
    ValueId last;
    for (const auto& node : graph_.nodes())
      for (const auto id : node.outputs)
        if (count[at(id)] && forms_.is_sequence(id) && forms_.form(id).grid) last = id;
    return last ? in_first_order(last) : last;
  }

  std::int64_t width_of(ValueId sequence) const {
    return graph_.value(sequence).shape[forms_.sequence_layout(sequence).channel_axis()];
  }

  std::string in_words(ValueId id, const Grid& grid) const {
    std::string out = detail::text(graph_.value(id).shape) + ", a grid of ";
    for (std::size_t i = 0; i < grid.extents.size(); ++i)
      out += (i == 0 ? "" : "x") + std::to_string(grid.extents[i]);
    if (grid.prefix == 1) return out + " behind a class token";
    if (grid.prefix > 1)
      return out + " behind " + std::to_string(grid.prefix) + " class and register tokens";
    return out;
  }

  const Graph& graph_;
  ValueId logits_;
  MapForms::Impl forms_;
  const std::vector<Layout>& layouts_;
  std::vector<bool> computed_;
  std::vector<bool> reaching_;
  std::vector<bool> passed_over_;  ///< maps that are part of the head, or of a region
};

}  // namespace

DefaultLayer find_default_layer(const Graph& graph, ValueId logits, const TokenOptions& options) {
  return DefaultLayerSearch(graph, logits, options).run();
}

}  // namespace fovea::graph
