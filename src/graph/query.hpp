#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

/// Questions about a bound graph. Read-only.
namespace fovea::graph {

/// The score tensor: the named output (or the only one, or of those that depend on an
/// input the first of rank 2, of more, of 1, of 0), looked back through a softmax or a sigmoid,
/// spelled out or not, and what leaves their values up to type, extents, order and a factor.
struct Scores {
  ValueId output;            ///< as declared
  ValueId logits;            ///< before the trailing activation; may equal `output`
  bool softmax = false;      ///< the model ends in a softmax (so `output` holds probabilities)
  bool sigmoid = false;      ///< the model ends in a sigmoid
  std::int64_t classes = 1;  ///< that one softmax is over: all of an image's, or a position's
  float factor = 1;          ///< positive; by which `output` is the activation's values
  /// Are `logits` themselves made of a softmax's or sigmoid's values, of which nobody looked for
  /// the logits: a part of them, a sum, 1 less one?
  bool of_probabilities = false;
  /// Where `output` has the scores in another order, or images in another extent: the values from
  /// the logits to it that are only laid out otherwise than what they come from.
  std::vector<ValueId> layout = {};
};
/// Throws Error invalid_argument for an unknown name or when no output looks like scores.
Scores find_scores(const Graph& graph, std::string_view output_name);
/// Appends to the graph, as imported, what lays out the logits as the output is: `scores.layout`
/// again, behind `scores.logits`, which become the last of it.
void lay_out_logits(Graph& imported, Scores& scores);

/// Where a bound graph keeps the images of a batch. Everything that is said per image is divided by
/// this and by nothing else.
struct ImageBatch {
  std::int64_t count = 1;   ///< images at once
  std::int64_t scores = 1;  ///< numbers per image, one image's behind the other's
  /// Of Graph::inputs, the one that holds the images: the first with positions (rank 3 to 5) that
  /// the scores depend on, else the first with extents; 0 where there is none. What a recurrent
  /// operator alone reads, as its first states, comes after all others.
  std::size_t input = 0;
  /// Per value: does its first extent count the images? An input of which that is false is shared
  /// by all of them, or holds one image without such an extent.
  std::vector<bool> rows;
  /// Per value, the axis whose places are the images: 0 where `rows` is true. Of one image, else
  /// the first axis of extent 1, as good as any. None where images are merged with other things,
  /// or nobody knows.
  std::vector<std::optional<std::size_t>> axes;
  /// Does every operator between the images and the scores tell where they go? Else the extents say
  /// so, which for another number of images would be a guess.
  bool is_followed = true;

  bool are_rows_of(ValueId id) const { return rows[static_cast<std::size_t>(id.index)]; }
  std::optional<std::size_t> axis_of(ValueId id) const {
    return axes[static_cast<std::size_t>(id.index)];
  }
};
/// Follows the images from their input to the scores. Where an operator does not tell, extents
/// decide. Throws Error invalid_argument where the scores are no rows of images: where they are
/// rows of positions or boxes, lie along another axis, or depend on several images at once;
/// bad_model where there are none.
ImageBatch find_image_batch(const Graph& graph, ValueId logits);
/// Of a graph of which it is known that it holds one image.
ImageBatch one_image(const Graph& graph, ValueId logits);

/// A head that is global average pooling (a mean over every spatial position) followed by at most
/// one linear layer: logits[j] = sum_k weights[j, k] mean_p(feature_map[k, p]) + bias[j].
struct PoolLinearHead {
  ValueId feature_map;
  /// [classes, channels] row-major, in place where the model has them so; empty: the identity
  /// (classes == channels).
  Floats weights;
  std::vector<float> bias;  ///< [classes]; empty: zero
  std::int64_t classes = 0;
  std::int64_t channels = 0;
};
std::optional<PoolLinearHead> find_pool_linear_head(const Graph& graph, ValueId logits);

/// A value [n, c, ...] to which a constant per channel is added: what a convolution with a bias
/// gives, or a batch norm (then shift - scale mean / sqrt(variance + epsilon)).
struct ChannelBias {
  ValueId value;
  std::vector<float> bias;
};
/// Those on the way from `from` to `to`, in order.
std::vector<ChannelBias> find_channel_biases(const Graph& graph, ValueId from, ValueId to);

/// How the positions of a layer lie on a grid, where it is no map [n, c, ...] as it stands: one
/// axis counts the images, some hold the channels ([time, directions, n, hidden] has two of those),
/// and all others together, in order, the positions.
struct Grid {
  Shape extents;            ///< spatial
  std::int64_t prefix = 0;  ///< class and register tokens in front of the patches, left out
  std::size_t images = 0;
  std::vector<std::size_t> channels = {1};
  bool operator==(const Grid&) const = default;

  /// [n, c, positions...], every position a patch: a map but for its extents.
  bool is_map() const {
    return images == 0 && prefix == 0 && channels == std::vector<std::size_t>{1};
  }
  /// The axes of a value of so many in a map's order: images, channels, positions where they lie so
  /// (`is_map`), else images, positions, channels.
  std::vector<std::size_t> order(std::size_t rank) const;
  /// Do the axes of a row-major value lie in that order as they are?
  bool is_in_order(const Shape& shape) const;
  /// A value's extents in that order, positions and channels in one extent each; those of its map.
  Shape ordered_shape(const Shape& shape) const;
  Shape map_shape(const Shape& shape) const;
  /// Channels.
  std::int64_t width(const Shape& shape) const;
};

/// What a user says about token sequences that a graph does not show.
struct TokenOptions {
  Shape grid;                          ///< rows and columns of the patch tokens; empty: find out
  std::optional<std::int64_t> prefix;  ///< class and register tokens; none: find out
  bool given() const { return !grid.empty() || prefix; }
};

/// A layer as a map.
struct MapForm {
  std::optional<Grid> grid;  ///< none: [n, c, ...] as it stands
  std::string refusal = {};  ///< one sentence: why it cannot be explained; empty: it can
  std::string unseen = {};   ///< one sentence: why the scores see nothing of it; empty: they do
};

/// What is known of a bound graph's layers. The graph must outlive it.
class MapForms {
 public:
  MapForms(const Graph& graph, ValueId logits, TokenOptions options = {});
  ~MapForms();
  MapForm of(ValueId layer) const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<const Impl> impl_;
};

/// The last spatial feature map that feeds the head: what global pooling or flattening reads,
/// looked back through pools that only shrink, dropouts and layout changes. Of a transformer whose
/// head reads the class token alone: the last sequence of tokens that the scores see the patches
/// of, which is the first norm of the last block. `why` says it in words. None for a graph without
/// one (why says so).
struct DefaultLayer {
  ValueId value;
  std::string why;
  /// The last map whose channels are features: `value`, or, where that holds a map per class
  /// (pooled they are the scores), the last one in front of it; none where there is none.
  ValueId features = {};
};
DefaultLayer find_default_layer(const Graph& graph, ValueId logits,
                                const TokenOptions& options = {});

/// The same for a target that is one place of a value: a pixel, a box's row, a step of a sequence.
/// `place` is an element of the value. Of a value with two extents of positions or more (a
/// segmentation): the coarsest map that the place depends on, else it is the mask itself that one
/// sees. Of rows: the last map, higher and wider than one, that all numbers of the row depend on
/// and that no path to them goes round, which for a detector is what its towers read at the row's
/// own level. None where the value has no positions, or no map is like that.
DefaultLayer find_local_layer(const Graph& graph, ValueId of, const Shape& place);

/// Per value: are its channels the scores but for their positions, so that between the two lie
/// pools, resizes, activations and moves alone?
std::vector<bool> find_class_maps(const Graph& graph, ValueId logits);

/// Does the node's only output hold exactly what its first input holds, in the same shape: an
/// identity, a padding by nothing, a reshape to the same shape?
bool is_copy(const Graph& graph, const Node& node);

/// True where every operator on the way from `from` to `to` is linear in it or a piecewise linear
/// activation or a pooling.
bool is_piecewise_linear(const Graph& graph, ValueId from, ValueId to);

/// True where a path leads from `from` to `to`.
bool reaches(const Graph& graph, ValueId from, ValueId to);

/// Values of rank 3 to 5 that a node produces, that reach `logits` and have a spatial extent
/// above 1: maps, and sequences of tokens that lie on a grid.
std::vector<ValueId> explainable_layers(const Graph& graph, ValueId logits,
                                        const TokenOptions& options = {});

/// A value by its own name or by its node's name ("last Conv": `Conv` finds the last node of that
/// operator). None where nothing matches.
ValueId find_layer(const Graph& graph, std::string_view name);

}  // namespace fovea::graph
