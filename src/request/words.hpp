#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fovea/session.hpp"
#include "fovea/target_text.hpp"

/// Targets in a task's words.
namespace fovea::request {

/// A target that a text comes to, and what it is called.
struct Worded {
  std::string text;  ///< "box:2" of "boxes"
  Target target;
  /// Of a box: its row as the output has it, of which all numbers count for the default layer.
  std::optional<Target> row = {};
};

/// What the text comes to for the session's photo, which `find` has asked about: several of
/// "boxes" and "words", none where nothing was found. Throws Error invalid_argument for words that
/// the task does not have.
std::vector<Worded> worded(const TargetText& text, const Session& session);

/// The files of masks that somebody drew, each once.
std::vector<std::string> files_of(const TargetText& text);

/// The word that a task is explained by where nobody says what. Throws Error invalid_argument for
/// an embedding, which is compared with something.
std::string default_words(const Task& task);

/// Is it one place among many?
bool is_local(const TargetText::Word& word);

}  // namespace fovea::request
