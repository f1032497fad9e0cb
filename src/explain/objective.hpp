#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fovea/target.hpp"
#include "fovea/tensor.hpp"

namespace fovea::explain {

/// How a class's probability comes from the scores: by one softmax over all of them, by a sigmoid
/// each, or they are probabilities already.
enum class Probability { softmax, sigmoid, given, none };

/// A named value that objectives read, and where it lies in an image's row.
struct ReadValue {
  std::string name;
  Shape shape = {};  ///< of one image
  std::size_t begin = 0, size = 0;
};

/// What an explainer's objectives read: of each image a row of numbers, in which the values lie one
/// behind the other. Seeds are such rows too.
class Reads {
 public:
  /// So many scores, named "", and nothing else.
  static Reads scores(std::size_t count);

  void add(std::string name, Shape shape);
  const std::vector<ReadValue>& values() const { return values_; }
  std::size_t size() const { return size_; }
  /// The scores; null where they are not read.
  const ReadValue* scores() const;
  /// Throws Error invalid_argument that lists what is read.
  const ReadValue& find(const std::string& name) const;

 private:
  std::vector<ReadValue> values_;
  std::size_t size_ = 0;
};

/// What a target means for one image: a function of the row of values, and its gradient.
class Objective {
 public:
  using ClassAtRank = std::function<std::int64_t(std::int64_t)>;
  /// Throws Error invalid_argument for a value that is not read, a class or an element out of
  /// range, or factors of another number.
  Objective(const Target& target, const Reads& reads, const ClassAtRank& class_at,
            Probability probability);

  double value(std::span<const float> row) const;
  /// out[i] = d value / d row[i].
  void gradient(std::span<const float> row, std::span<float> out) const;

  /// The values that it is made of, each once, in the order of a row.
  std::vector<ReadValue> values() const;
  /// The class whose score it is; -1 where it is no class's.
  std::int64_t class_index() const { return class_; }

 private:
  Target target_;
  ReadValue read_;                     ///< what all kinds but sums and functions read
  std::vector<ReadValue> several_;     ///< of a function or a sum
  std::vector<std::size_t> elements_;  ///< of a sum: places in the row
  std::int64_t class_ = -1;
  Probability probability_ = Probability::softmax;
};

}  // namespace fovea::explain
