#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/text.hpp"
#include "fovea/error.hpp"
#include "fovea/task_target.hpp"
#include "task/fill.hpp"
#include "task/values.hpp"

namespace fovea {
namespace task {
namespace {

/// Numbers of which one is chosen: a row of a value.
struct Choices {
  std::string name;
  std::vector<double> numbers;
  std::int64_t begin = 0;  ///< in the value

  std::vector<std::int64_t> places() const {
    std::vector<std::int64_t> out(numbers.size());
    std::iota(out.begin(), out.end(), begin);
    return out;
  }
};

void require_index(const Choices& choices, std::int64_t index, const char* what) {
  if (index >= 0 && index < static_cast<std::int64_t>(choices.numbers.size())) return;
  contradict(std::string(what) + " " + std::to_string(index) + " is out of range: there are " +
                 std::to_string(choices.numbers.size()),
             choices.name);
}

Choices choices_of(const Task& task, const Outputs& outputs) {
  if (task.kind != TaskKind::answer && task.kind != TaskKind::policy &&
      task.kind != TaskKind::classes)
    contradict("the task '" + task.decoder + "' makes no choice");
  Choices out;
  out.name =
      value_name(task, task.kind == TaskKind::policy ? OutputRole::logits : OutputRole::scores);
  const auto& tensor = output_of(outputs, out.name);
  if (without_ones(tensor.shape, 1).size() != 1)
    contradict("the task reads one row of numbers, and this value is " + base::text(tensor.shape) +
                   "; give one image at a time",
               out.name);
  out.numbers.assign(tensor.data.begin(), tensor.data.end());
  require_names(task, static_cast<std::int64_t>(out.numbers.size()), "choices");
  return out;
}

/// [rows, words], of one value or of several, one below the other.
using Rows = std::vector<Table>;

Rows words_of(const Task& task, const Outputs& outputs) {
  require_kind(task, TaskKind::caption, "captions");
  const auto it = task.outputs.find(OutputRole::scores);
  if (it == task.outputs.end() || it->second.empty())
    ask("nothing says which value it reads", "outputs.scores");
  Rows out;
  for (const auto& name : it->second) {
    const auto& tensor = output_of(outputs, name);
    if (tensor.shape.size() == 1) {
      const auto words = tensor.shape.front();
      out.push_back({name, &tensor, 1, words, words, 1});
    } else {
      out.push_back(table_of(outputs, name));
    }
    require_names(task, out.back().columns, "words");
    if (out.back().columns != out.front().columns)
      contradict("the words have " + std::to_string(out.back().columns) + " scores here, and " +
                     std::to_string(out.front().columns) + " in '" + out.front().name + "'",
                 name);
  }
  return out;
}

std::int64_t count_of(const Rows& rows) {
  std::int64_t out = 0;
  for (const auto& table : rows) out += table.rows;
  return out;
}

Choices row_of(const Rows& rows, std::int64_t step) {
  auto row = step;
  for (const auto& table : rows) {
    if (row >= 0 && row < table.rows) {
      Choices out{table.name, {}, table.place(row, 0)};
      for (std::int64_t c = 0; c < table.columns; ++c) out.numbers.push_back(table.at(row, c));
      return out;
    }
    row -= table.rows;
  }
  contradict("word " + std::to_string(step) + " is out of range: the network writes " +
                 std::to_string(count_of(rows)),
             rows.front().name);
}

/// Of all numbers of rows, those of one value in one question.
Origins origins_of_all(const Outputs& outputs, const std::vector<Choices>& rows,
                       const FindLogits& logits) {
  Origins out;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < rows.size();) {
    const auto& name = rows[i].name;
    std::vector<std::int64_t> places;
    for (; i < rows.size() && rows[i].name == name; ++i) {
      const auto own = rows[i].places();
      places.insert(places.end(), own.begin(), own.end());
    }
    const auto part = origins_of(outputs, name, places, logits);
    for (auto element : part.elements) {
      const auto& value = part.values[element.value];
      const auto [it, is_new] = known.emplace(value.name, out.values.size());
      if (is_new) out.values.push_back(value);
      element.value = it->second;
      out.elements.push_back(element);
    }
  }
  return out;
}

/// What makes the number: of probabilities their logits, where somebody finds them.
std::vector<Choice> named(const Task& task, const Outputs& outputs, const Choices& choices,
                          std::span<const std::int64_t> indices, const FindLogits& logits) {
  const bool given = is_distribution(choices.numbers);
  const auto logs = log_probabilities(choices.numbers, given);
  std::vector<std::int64_t> places;
  for (const auto index : indices) places.push_back(choices.begin + index);
  const auto origins = origins_of(outputs, choices.name, places, logits);
  std::vector<Choice> out;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto& element = origins.elements[i];
    const auto& value = origins.values[element.value];
    Choice one;
    one.index = indices[i];
    one.name = name_of(task, indices[i]);
    one.probability = std::exp(logs[static_cast<std::size_t>(indices[i])]);
    one.logit = std::numeric_limits<double>::quiet_NaN();
    const auto read = outputs.find(value.name);
    if (read != outputs.end())
      one.logit = read->second.data[static_cast<std::size_t>(element.at)];
    else if (!given && element.through == Through::nothing)
      one.logit = choices.numbers[static_cast<std::size_t>(indices[i])];
    if (given && element.through == Through::nothing)
      one.logit = std::numeric_limits<double>::quiet_NaN();
    one.target = element_of(origins, i);
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<std::int64_t> best_first(const std::vector<double>& numbers) {
  std::vector<std::int64_t> out(numbers.size());
  std::iota(out.begin(), out.end(), 0);
  std::stable_sort(out.begin(), out.end(), [&](std::int64_t a, std::int64_t b) {
    return numbers[static_cast<std::size_t>(a)] > numbers[static_cast<std::size_t>(b)];
  });
  return out;
}

Target difference(const Outputs& outputs, const Choices& choices,
                  const std::vector<double>& factors, const FindLogits& logits) {
  return sum_of(origins_of(outputs, choices.name, choices.places(), logits), factors);
}

/// sum_k log p(word k) of rows, by the numbers of all words of each.
Target log_probability(const Outputs& outputs, const std::vector<Choices>& rows,
                       std::vector<std::int64_t> words, const FindLogits& logits) {
  bool given = true;
  for (const auto& choices : rows) given = given && is_distribution(choices.numbers);
  auto origins = origins_of_all(outputs, rows, logits);
  const bool behind_softmax =
      std::all_of(origins.elements.begin(), origins.elements.end(),
                  [](const auto& element) { return element.through == Through::softmax; });
  if (behind_softmax)
    given = false;
  else if (given)
    origins = origins_of_all(outputs, rows, {});
  const auto width = rows.front().numbers.size();
  return function_of(origins, [width, words = std::move(words), given](
                                  std::span<const double> numbers, std::span<double> slopes) {
    double out = 0;
    for (std::size_t k = 0; k < words.size(); ++k) {
      const auto logs = log_probabilities(numbers.subspan(k * width, width), given);
      const auto own = static_cast<std::size_t>(words[k]);
      out += logs[own];
      if (slopes.empty()) continue;
      const auto slope = slopes.subspan(k * width, width);
      // Where a word is sure, 1 - p has no digits: the others' sum has.
      double others = 0;
      for (std::size_t i = 0; i < width; ++i) others += i == own ? 0 : std::exp(logs[i]);
      if (given) {
        slope[own] = std::exp(-logs[own]);
        continue;
      }
      for (std::size_t i = 0; i < width; ++i) slope[i] = i == own ? others : -std::exp(logs[i]);
    }
    return out;
  });
}

}  // namespace
}  // namespace task

std::vector<Choice> decode_answers(const Task& task, const Outputs& outputs, std::int64_t count,
                                   const FindLogits& logits) {
  const auto choices = task::choices_of(task, outputs);
  auto order = task::best_first(choices.numbers);
  if (count >= 0 && static_cast<std::int64_t>(order.size()) > count)
    order.resize(static_cast<std::size_t>(count));
  return task::named(task, outputs, choices, order, logits);
}

Actions decode_actions(const Task& task, const Outputs& outputs, const FindLogits& logits) {
  task::require_kind(task, TaskKind::policy, "actions");
  const auto choices = task::choices_of(task, outputs);
  Actions out;
  std::vector<std::int64_t> all(choices.numbers.size());
  std::iota(all.begin(), all.end(), 0);
  out.actions = task::named(task, outputs, choices, all, logits);
  out.best = task::best_first(choices.numbers).front();
  double sum = 0;
  for (const double number : choices.numbers) sum += number;
  out.advantage = choices.numbers[static_cast<std::size_t>(out.best)] -
                  sum / static_cast<double>(choices.numbers.size());
  if (task.outputs.contains(OutputRole::value)) {
    const auto& name = task::value_name(task, OutputRole::value);
    const auto& tensor = task::output_of(outputs, name);
    if (tensor.data.size() != 1)
      task::contradict("what the state is worth is one number, and this value has " +
                           std::to_string(tensor.data.size()),
                       name);
    out.value = tensor.data[0];
  }
  return out;
}

Choice decode_word(const Task& task, const Outputs& outputs, std::int64_t step,
                   const FindLogits& logits) {
  const auto choices = task::row_of(task::words_of(task, outputs), step);
  const std::int64_t best[] = {task::best_first(choices.numbers).front()};
  return task::named(task, outputs, choices, best, logits).front();
}

std::vector<Choice> decode_words(const Task& task, const Outputs& outputs,
                                 const FindLogits& logits) {
  const auto count = task::count_of(task::words_of(task, outputs));
  const auto end = index_of(task, task.caption.end);
  std::vector<Choice> out;
  for (std::int64_t row = 0; row < count; ++row) {
    auto word = decode_word(task, outputs, row, logits);
    if (word.index == end) break;
    out.push_back(std::move(word));
  }
  return out;
}

std::vector<Choice> given_words(const Task& task, const Outputs& outputs,
                                const std::vector<std::int64_t>& tokens, const FindLogits& logits) {
  const auto rows = task::words_of(task, outputs);
  const auto end = index_of(task, task.caption.end);
  std::vector<Choice> out;
  for (std::size_t i = 1; i < tokens.size() && tokens[i] != end; ++i) {
    const auto choices = task::row_of(rows, static_cast<std::int64_t>(i) - 1);
    task::require_index(choices, tokens[i], "word");
    out.push_back(task::named(task, outputs, choices, {{tokens[i]}}, logits).front());
  }
  return out;
}

Target choice_target(const Task& task, const Outputs& outputs, std::int64_t index,
                     const FindLogits& logits) {
  const auto choices = task::choices_of(task, outputs);
  task::require_index(choices, index, "choice");
  const std::int64_t at[] = {index};
  return task::element_of(task::origins_of(outputs, choices.name, at, logits));
}

Target choice_difference_target(const Task& task, const Outputs& outputs, std::int64_t index,
                                std::int64_t minus, const FindLogits& logits) {
  const auto choices = task::choices_of(task, outputs);
  task::require_index(choices, index, "choice");
  task::require_index(choices, minus, "choice");
  std::vector<double> factors(choices.numbers.size(), 0.0);
  factors[static_cast<std::size_t>(index)] += 1;
  factors[static_cast<std::size_t>(minus)] -= 1;
  return task::difference(outputs, choices, factors, logits);
}

Target advantage_target(const Task& task, const Outputs& outputs, std::int64_t index,
                        const FindLogits& logits) {
  task::require_kind(task, TaskKind::policy, "actions");
  const auto choices = task::choices_of(task, outputs);
  task::require_index(choices, index, "action");
  std::vector<double> factors(choices.numbers.size(),
                              -1.0 / static_cast<double>(choices.numbers.size()));
  factors[static_cast<std::size_t>(index)] += 1;
  return task::difference(outputs, choices, factors, logits);
}

Target value_target(const Task& task, const Outputs& outputs) {
  task::require_kind(task, TaskKind::policy, "actions");
  const auto& name = task::value_name(task, OutputRole::value);
  const std::int64_t at[] = {0};
  return task::element_of(task::origins_of(outputs, name, at, {}));
}

Target word_target(const Task& task, const Outputs& outputs, std::int64_t step, std::int64_t word,
                   bool log_probability, const FindLogits& logits) {
  const auto choices = task::row_of(task::words_of(task, outputs), step);
  task::require_index(choices, word, "word");
  if (log_probability) return task::log_probability(outputs, {choices}, {word}, logits);
  const std::int64_t at[] = {choices.begin + word};
  return task::element_of(task::origins_of(outputs, choices.name, at, logits));
}

Target caption_target(const Task& task, const Outputs& outputs,
                      const std::vector<std::int64_t>& tokens, const FindLogits& logits) {
  const auto all = task::words_of(task, outputs);
  if (tokens.size() < 2) task::contradict("a caption has a word that follows the first one");
  std::vector<std::int64_t> words(tokens.begin() + 1, tokens.end());
  std::vector<task::Choices> rows;
  for (std::size_t k = 0; k < words.size(); ++k) {
    rows.push_back(task::row_of(all, static_cast<std::int64_t>(k)));
    task::require_index(rows.back(), words[k], "word");
  }
  return task::log_probability(outputs, rows, std::move(words), logits);
}

}  // namespace fovea
