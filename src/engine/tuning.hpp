#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "graph/graph.hpp"

/// What the tuner found out on this machine, to be shared by explainers and kept in a file.
namespace fovea::engine {

/// Problem (a step with its extents, layouts and threads) -> the name of the candidate that was
/// fastest. Safe from any thread. A choice is only ever a name among those that oneDNN offers for
/// the same problem, so that a wrong one can cost time and nothing else.
class Choices {
 public:
  std::optional<std::string> find(const std::string& problem) const;
  /// Of the same problem on the nearest number of threads for which there is one.
  std::optional<std::string> find_for_other_threads(const std::string& problem) const;
  /// The first that is kept for a problem stays.
  void keep(const std::string& problem, const std::string& choice);

  /// Adds what an earlier `text` of the same machine holds. What was written on another CPU or with
  /// another oneDNN, or is damaged, adds nothing; false then.
  bool add(std::span<const std::byte> text);
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> choices_;
};

/// Are the weights more than caches hold, so that every run reads them from memory? Then several
/// images at once share that.
bool outgrows_caches(const graph::Graph& graph);

}  // namespace fovea::engine
