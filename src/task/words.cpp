#include <algorithm>
#include <string>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "fovea/decode.hpp"
#include "fovea/error.hpp"
#include "fovea/spelling.hpp"
#include "task/fill.hpp"

namespace fovea {
namespace {

bool is_letter(char c) {
  // Bytes above ASCII are parts of letters.
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' || (c & 0x80) != 0;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  const auto end = [&] {
    if (!word.empty()) out.push_back(std::move(word));
    word.clear();
  };
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (is_letter(c))
      word += c;
    else
      end();
  }
  end();
  return out;
}

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::size_t place_of(const std::vector<std::string>& words, const std::string& word,
                     const char* whose) {
  for (std::size_t i = 0; i < words.size(); ++i)
    if (lower(words[i]) == word && !word.empty()) return i;
  throw Error(ErrorCode::invalid_argument, std::string("the network's ") + whose + " have no '" +
                                               word + "'" + did_you_mean(words, word));
}

Tensor zeros(const Shape& shape) {
  const auto count =
      static_cast<std::size_t>(base::element_count(shape, ErrorCode::invalid_argument));
  return {shape, std::vector<float>(count, 0.f)};
}

[[noreturn]] void too_many(std::size_t words, std::size_t room) {
  throw Error(ErrorCode::invalid_argument, "the text has " + std::to_string(words) +
                                               " words, and the network has room for " +
                                               std::to_string(room));
}

}  // namespace

Tensor words_as_input(const TaskInput& input, std::string_view text, const Shape& shape) {
  if (input.words.empty())
    throw Error(ErrorCode::invalid_argument,
                "nothing says which words the network knows: set 'words' of the task's input");
  auto out = zeros(shape);
  const auto words = words_in(text);
  if (input.code == WordCode::bag) {
    if (out.data.size() != input.words.size())
      throw Error(ErrorCode::invalid_argument,
                  "the task's input has " + std::to_string(input.words.size()) +
                      " words, and the network counts " + std::to_string(out.data.size()));
    for (const auto& word : words) out.data[place_of(input.words, word, "questions")] += 1;
    return out;
  }
  if (words.size() > out.data.size()) too_many(words.size(), out.data.size());
  for (std::size_t i = 0; i < words.size(); ++i)
    out.data[i] = static_cast<float>(place_of(input.words, words[i], "questions"));
  return out;
}

std::vector<std::int64_t> tokens_of(const Task& task, std::string_view sentence) {
  std::vector<std::int64_t> out{index_of(task, task.caption.start)};
  for (const auto& word : words_in(sentence))
    out.push_back(static_cast<std::int64_t>(place_of(task.names, word, "captions")));
  out.push_back(index_of(task, task.caption.end));
  return out;
}

Tensor tokens_as_input(const Task& task, const std::vector<std::int64_t>& tokens,
                       const Shape& shape) {
  auto out = zeros(shape);
  const auto pad = std::find(task.names.begin(), task.names.end(), task.caption.pad);
  if (pad != task.names.end())
    std::fill(out.data.begin(), out.data.end(), static_cast<float>(pad - task.names.begin()));
  // The last one is never an input: nothing follows the end.
  if (tokens.size() > out.data.size() + 1) too_many(tokens.size(), out.data.size());
  for (std::size_t i = 0; i < std::min(tokens.size(), out.data.size()); ++i)
    out.data[i] = static_cast<float>(tokens[i]);
  return out;
}

}  // namespace fovea
