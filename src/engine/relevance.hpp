#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Rules of layer-wise relevance propagation, as data: what a backward pass does in place of
/// gradients.
namespace fovea::engine {

/// What stands in place of a layer's input, weights or bias.
struct Substitute {
  enum class Kind {
    parts,     ///< positive * max(v, 0) + negative * min(v, 0)
    constant,  ///< `value` everywhere
    square,    ///< v^2
  } kind = Kind::parts;
  float positive = 1;
  float negative = 1;
  float value = 0;
  friend auto operator<=>(const Substitute&, const Substitute&) = default;
};

/// A layer W x + b with x and W replaced.
struct RuleTerm {
  Substitute input;
  Substitute weights;
  friend auto operator<=>(const RuleTerm&, const RuleTerm&) = default;
};

/// With z = sum over terms of W_t x_t, plus the replaced bias, and R what reached the layer's
/// result:
///
///   s = scale R / (z + stabilizer sign(z))        sign(0) = 1
///   a share of sum over terms of x_t * (W_t^T s) reaches the layer's input
struct RuleGroup {
  float scale = 1;
  /// 0: for every element; 1, -1: for those where the layer's own result is above, below 0.
  int side = 0;
  std::vector<RuleTerm> terms;
  Substitute bias;
  friend auto operator<=>(const RuleGroup&, const RuleGroup&) = default;
};

/// What reaches the input is the sum over groups.
struct LinearRule {
  std::vector<RuleGroup> groups;
  float stabilizer = 1e-6f;
  friend auto operator<=>(const LinearRule&, const LinearRule&) = default;
};

/// Which linear layer follows which rule. Linear layers: convolutions, transposed ones, and matrix
/// products, with constant weights on the right.
struct Relevance {
  LinearRule convolution;
  LinearRule dense;
  /// Of layers that read an input of the model through no other linear layer; none: as the others.
  std::optional<LinearRule> first_convolution;
  std::optional<LinearRule> first_dense;
  std::map<std::string, LinearRule> layers;  ///< by the name of a value or a node
  friend auto operator<=>(const Relevance&, const Relevance&) = default;
};

/// What a backward pass of relevance lost on the way, of one image.
struct Absorbed {
  double biases = 0;       ///< in biases and other constants
  double stabilizers = 0;  ///< in the divisions' stabilizers
};

}  // namespace fovea::engine
