#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/explainer.hpp"
#include "fovea/export.hpp"
#include "fovea/model.hpp"
#include "fovea/tensor.hpp"

namespace fovea {

/// What an element went through on the way from its origin.
enum class Through { nothing, sigmoid, softmax };

/// Where elements of a value come from, as far as they are only moved.
struct Origins {
  struct Value {
    std::string name;
    Shape shape = {};  ///< of one image: as Target::Sum::Term and ImageValue count it
  };
  struct Element {
    std::size_t value = 0;  ///< of `values`
    std::int64_t at = 0;    ///< row-major, without the images' extent
    Through through = Through::nothing;
  };
  std::vector<Value> values;
  std::vector<Element> elements;  ///< one per element that was asked about

  /// The element as Target::Sum::Term::at has it.
  Shape index(std::size_t element) const {
    const auto& shape = values[elements[element].value].shape;
    Shape out(shape.size());
    auto rest = elements[element].at;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) out[d] = rest % shape[d];
    return out;
  }
};

/// Elements of a value, by their places in row-major order without the images' extent, to their
/// logits.
using FindLogits =
    std::function<Origins(const std::string& value, std::span<const std::int64_t> at)>;

/// Answers where numbers of a model's values come from. Immutable; copies share one graph; safe
/// from any thread.
class FOVEA_API OriginFinder {
 public:
  /// With the extents that the explainer was compiled for. Cost: the model's graph without its
  /// weights, copied and bound once more.
  explicit OriginFinder(const Explainer& explainer);
  /// Throws Error as an Explainer of these options would for its extents.
  OriginFinder(const Model& model, const CompileOptions& options);

  /// Each element's logit: followed back through operators that only move values (reshapes,
  /// transposes, slices, concatenations, gathers by constants, splits, identities, casts) and at
  /// most one sigmoid or softmax (or its logarithm) to the element of a named value that is made
  /// before it, as long as the value keeps the extent that counts the images. `through` says which
  /// of them was met; where none was, the element is where its number was made. `at` are places of
  /// one image in row-major order; of several images in a batch, the first one's.
  /// Throws Error invalid_argument for a value that is not there and a place out of range.
  /// Cost: a copy of the places of each value on the way.
  Origins logits(const std::string& value, std::span<const std::int64_t> at) const;
  /// The same, not through a sigmoid or softmax: where the numbers were made.
  Origins sources(const std::string& value, std::span<const std::int64_t> at) const;
  /// `logits`, to be handed on; it holds what it needs.
  FindLogits find_logits() const;

  /// The extents of one image's part of a value. Throws as above.
  Shape shape(const std::string& value) const;
  /// Every value's extents, by name, as Explainer::shapes has them.
  const std::map<std::string, Shape>& shapes() const;

  struct FOVEA_LOCAL Impl;

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fovea
