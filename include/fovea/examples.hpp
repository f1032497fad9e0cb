#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/error.hpp"
#include "fovea/explanation.hpp"
#include "fovea/export.hpp"

namespace fovea {

/// What an index was made from and with: features of another network, of another layer or of
/// inputs that were made otherwise cannot be compared.
struct ExampleOrigin {
  std::string model;  ///< whatever tells models apart, such as the SHA-256 of the file
  std::string layer;
  std::string inputs;  ///< whatever tells apart how pictures become inputs; may be empty
};

/// An example near a query.
struct Example {
  std::int64_t index = 0;  ///< in the order of `add`
  std::string name;
  std::string label;
  float similarity = 0;  ///< -1 to 1; 1: the class weighs the same features in the same proportions
};

/// Pictures (most often those that a network was trained on), each by its features at one layer,
/// and which of them are nearest to another one in the eyes of a class.
///
/// Example-based explanation by a network's own features is Caruana et al. 1999 ("Case-based
/// explanation of non-case-based learning methods"). What is compared here are contributions,
/// weight times feature, after Kenny and Keane 2019 ("Twin-systems to explain artificial neural
/// networks using case-based reasoning", IJCAI): a feature without weight makes no picture alike.
/// By their cosine, so that a picture with the same reasons in a weaker form is near as well. The
/// sign of a weight plays no part: what speaks against the class is a feature that it weighs, too.
/// For pictures that are alike in what speaks for it only, set the negative weights to zero.
///
/// Features are kept as bf16, 2 bytes each: 400 MB for 100,000 pictures of 2048 channels. The
/// rounding (of query and examples alike) moves a similarity by less than 0.001, one near 1 by a
/// few millionths. Const members are safe to call from any number of threads.
class FOVEA_API ExampleIndex {
 public:
  /// An empty index. Throws Error invalid_argument for channels below 1 or above 2^24.
  ExampleIndex(ExampleOrigin origin, std::int64_t channels);
  /// Reads what `save` wrote. Throws Error bad_input naming the file: missing, no regular file,
  /// empty, of another kind or version, damaged or cut off anywhere; nothing is allocated beyond
  /// what the file's own size vouches for. Cost: a read of the file, all of it into memory: what
  /// happens to the file afterwards has no effect.
  static ExampleIndex load(const std::filesystem::path& file);

  ExampleIndex(const ExampleIndex&);
  ExampleIndex& operator=(const ExampleIndex&);
  ExampleIndex(ExampleIndex&&) noexcept;
  ExampleIndex& operator=(ExampleIndex&&) noexcept;
  ~ExampleIndex();

  /// Adds a picture: its row of Run::features, a name (most often its file) and what it shows,
  /// which may be empty. `digest` is whatever tells pictures' files apart, such as their SHA-256.
  /// Throws Error invalid_argument for another number of features, values that are not finite, or a
  /// name, label or digest of more than 2^20 bytes.
  void add(std::span<const float> features, std::string name, std::string label = {},
           std::string digest = {});
  /// Room for so many pictures in all, so that adding them does not move what is there.
  void reserve(std::int64_t examples);

  /// Writes one file, which appears whole or not at all. Throws Error invalid_argument for an empty
  /// index, bad_input where it cannot be written.
  void save(const std::filesystem::path& file) const;

  /// Throws Error invalid_argument, saying which of them differs, where the index was not made with
  /// this model, layer and way to make inputs.
  void require(const ExampleOrigin& origin) const;

  /// The `count` nearest, nearest first (of equal ones, the one that was added first): by the
  /// cosine of weights * features with weights * the example's features. All there are where there
  /// are fewer; none where no feature of the query has a weight, so that nothing can be said.
  /// An example without such a feature has similarity 0. Examples of the digest `own` are left out
  /// (the query itself), unless it is empty. `threads` 0: what the calling thread would use. Throws
  /// Error invalid_argument for an empty index, another number of channels, values that are not
  /// finite, a count below 1. Cost: one read of all features, bound by memory.
  std::vector<Example> nearest(const Channels& query, std::int64_t count, int threads = 0,
                               const std::string& own = {}) const;

  const ExampleOrigin& origin() const;
  std::int64_t channels() const;
  std::int64_t size() const;  ///< pictures
  const std::string& name(std::int64_t index) const;
  const std::string& label(std::int64_t index) const;
  const std::string& digest(std::int64_t index) const;

  struct FOVEA_LOCAL Impl;

 private:
  FOVEA_LOCAL explicit ExampleIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fovea
