#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "base/checked.hpp"
#include "fovea/error.hpp"
#include "fovea/spelling.hpp"
#include "fovea/task_target.hpp"
#include "task/ctc.hpp"
#include "task/fill.hpp"
#include "task/values.hpp"

namespace fovea {
namespace task {
namespace {

/// [steps, classes], one image's.
Table steps_of(const Task& task, const Outputs& outputs) {
  require_kind(task, TaskKind::text, "text");
  if (!task.text.blank) ask("nothing says which class is the blank", "text.blank");
  const auto& name = value_name(task, OutputRole::scores);
  const auto& tensor = output_of(outputs, name);
  const auto& shape = tensor.shape;
  // [1, steps, classes] or [steps, 1, classes]: the numbers lie the same way.
  Table out{name, &tensor};
  const std::size_t images = task.text.steps_first ? 1 : 0;
  if (shape.size() == 3 && shape[images] == 1)
    out.rows = shape[1 - images];
  else if (shape.size() == 2)
    out.rows = shape[0];
  else
    contradict("the task reads characters of one image's steps", name);
  out.columns = out.row_step = shape.back();
  out.column_step = 1;
  const auto characters = static_cast<std::int64_t>(task.names.size());
  if (*task.text.blank < 0 || *task.text.blank >= out.columns ||
      (characters != 0 && characters + 1 != out.columns))
    contradict("the value does not have the extents that the task was filled in for", name);
  return out;
}

std::string character_of(const Task& task, std::int64_t column) {
  return name_of(task, column > *task.text.blank ? column - 1 : column);
}

/// Columns of a text, the longest name of a character first.
std::vector<std::int64_t> columns_of(const Task& task, std::string_view text) {
  if (task.names.empty()) ask("nothing says which characters the network reads", "names");
  std::vector<std::int64_t> out;
  while (!text.empty()) {
    std::size_t best = task.names.size();
    for (std::size_t i = 0; i < task.names.size(); ++i) {
      const auto& name = task.names[i];
      if (!name.empty() && text.starts_with(name) &&
          (best == task.names.size() || name.size() > task.names[best].size()))
        best = i;
    }
    if (best == task.names.size()) {
      // All bytes of the character.
      std::size_t length = 1;
      while (length < text.size() && (text[length] & 0xC0) == 0x80) ++length;
      throw Error(ErrorCode::invalid_argument,
                  "the network's alphabet has no '" + std::string(text.substr(0, length)) + "'");
    }
    const auto index = static_cast<std::int64_t>(best);
    out.push_back(index >= *task.text.blank ? index + 1 : index);
    text.remove_prefix(task.names[best].size());
  }
  return out;
}

/// The rows' numbers, and whether they add up to one as they are.
struct Steps {
  Table table;
  Origins origins;  ///< of all of them
  bool are_probabilities = false;
};

Steps all_steps(const Task& task, const Outputs& outputs, const FindLogits& logits) {
  Steps out{steps_of(task, outputs), {}};
  const auto& table = out.table;
  std::vector<std::int64_t> places(
      static_cast<std::size_t>(base::checked_mul(table.rows, table.columns, ErrorCode::bad_input)));
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::int64_t>(i);
  out.origins = origins_of(outputs, table.name, places, logits);
  const bool behind_softmax =
      std::all_of(out.origins.elements.begin(), out.origins.elements.end(),
                  [](const auto& element) { return element.through == Through::softmax; });
  // What went through a sigmoid, or only partly through a softmax, is read as it comes out.
  if (!behind_softmax) {
    out.origins = origins_of(outputs, table.name, places, {});
    out.are_probabilities = table.rows > 0;
    std::vector<double> row(static_cast<std::size_t>(table.columns));
    for (std::int64_t t = 0; t < table.rows; ++t) {
      for (std::int64_t c = 0; c < table.columns; ++c)
        row[static_cast<std::size_t>(c)] = table.at(t, c);
      out.are_probabilities = out.are_probabilities && is_distribution(row);
    }
  }
  return out;
}

/// Per column the first of its name: an alphabet may have a character twice.
std::vector<std::size_t> firsts_of(const Task& task, std::int64_t columns) {
  std::map<std::string, std::size_t> seen;
  std::vector<std::size_t> out;
  for (std::int64_t c = 0; c < columns; ++c) {
    const auto at = static_cast<std::size_t>(c);
    const bool named = c != *task.text.blank && !task.names.empty();
    out.push_back(named ? seen.try_emplace(character_of(task, c), at).first->second : at);
  }
  return out;
}

/// log p of a text by the numbers of all steps, with its derivatives added to `slopes`, times sign.
double text_number(std::span<const double> numbers, std::span<double> slopes, std::int64_t classes,
                   const std::vector<std::int64_t>& labels, std::int64_t blank,
                   const std::vector<std::size_t>& firsts, bool are_probabilities, double sign) {
  const auto width = static_cast<std::size_t>(classes);
  const auto steps = numbers.size() / width;
  std::vector<double> logs;
  for (std::size_t t = 0; t < steps; ++t) {
    const auto row = log_probabilities(numbers.subspan(t * width, width), are_probabilities);
    logs.insert(logs.end(), row.begin(), row.end());
  }
  // A character's probability is that of all its columns.
  auto together = logs;
  for (std::size_t i = 0; i < logs.size(); ++i)
    if (const auto first = i - i % width + firsts[i % width]; first != i)
      together[first] = log_sum(together[first], logs[i]);
  std::vector<double> posterior(slopes.size(), 0.0);
  const double out = ctc_log_probability(together, static_cast<std::int64_t>(steps), classes,
                                         labels, blank, posterior);
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    // Of a softmax' logit: the posterior less the probability, since a step's posteriors add up to
    // one.
    const double p = std::exp(logs[i]);
    const auto first = i - i % width + firsts[i % width];
    // What cannot be has no share, of a character that cannot be either.
    const double own = p > 0 ? posterior[first] * std::exp(logs[i] - together[first]) : 0;
    slopes[i] += sign * (are_probabilities ? own / p : own - p);
  }
  return sign * out;
}

}  // namespace
}  // namespace task

Text decode_text(const Task& task, const Outputs& outputs, const FindLogits& logits) {
  const auto table = task::steps_of(task, outputs);
  std::vector<std::int64_t> best;
  std::vector<double> sure;
  Text out;
  double log_path = 0;
  std::vector<double> row(static_cast<std::size_t>(table.columns));
  for (std::int64_t t = 0; t < table.rows; ++t) {
    for (std::int64_t c = 0; c < table.columns; ++c)
      row[static_cast<std::size_t>(c)] = table.at(t, c);
    const auto largest = std::max_element(row.begin(), row.end()) - row.begin();
    const auto logs = task::log_probabilities(row, task::is_distribution(row));
    best.push_back(largest);
    sure.push_back(std::exp(logs[static_cast<std::size_t>(largest)]));
    log_path += logs[static_cast<std::size_t>(largest)];
  }
  out.probability = std::exp(log_path);
  std::vector<std::int64_t> places;
  for (std::size_t t = 0; t < best.size();) {
    std::size_t end = t;
    while (end < best.size() && best[end] == best[t]) ++end;
    if (best[t] != *task.text.blank) {
      Character one;
      one.class_index = best[t];
      one.text = task::character_of(task, best[t]);
      one.first = static_cast<std::int64_t>(t);
      one.last = static_cast<std::int64_t>(end) - 1;
      const auto surest = std::max_element(sure.begin() + static_cast<std::ptrdiff_t>(t),
                                           sure.begin() + static_cast<std::ptrdiff_t>(end));
      one.step = surest - sure.begin();
      one.probability = *surest;
      places.push_back(table.place(one.step, one.class_index));
      out.text += one.text;
      out.characters.push_back(std::move(one));
    }
    t = end;
  }
  if (places.empty()) return out;
  const auto origins = task::origins_of(outputs, table.name, places, logits);
  for (std::size_t i = 0; i < out.characters.size(); ++i)
    out.characters[i].target = task::element_of(origins, i);
  return out;
}

Target text_target(const Task& task, const Outputs& outputs, std::string_view text,
                   const FindLogits& logits) {
  const auto steps = task::all_steps(task, outputs, logits);
  const auto labels = task::columns_of(task, text);
  // Two of a kind in a row need a blank between them.
  std::int64_t least = static_cast<std::int64_t>(labels.size());
  for (std::size_t i = 1; i < labels.size(); ++i) least += labels[i] == labels[i - 1] ? 1 : 0;
  if (least > steps.table.rows)
    throw Error(ErrorCode::invalid_argument, "the text takes " + std::to_string(least) +
                                                 " steps, and the network made " +
                                                 std::to_string(steps.table.rows));
  return task::function_of(
      steps.origins,
      [classes = steps.table.columns, labels, blank = *task.text.blank,
       firsts = task::firsts_of(task, steps.table.columns),
       given = steps.are_probabilities](std::span<const double> numbers, std::span<double> slopes) {
        return task::text_number(numbers, slopes, classes, labels, blank, firsts, given, 1);
      });
}

Target text_difference_target(const Task& task, const Outputs& outputs, std::string_view text,
                              std::string_view minus, const FindLogits& logits) {
  // Each is checked as by itself.
  text_target(task, outputs, text, logits);
  text_target(task, outputs, minus, logits);
  const auto steps = task::all_steps(task, outputs, logits);
  return task::function_of(
      steps.origins,
      [classes = steps.table.columns, first = task::columns_of(task, text),
       second = task::columns_of(task, minus), blank = *task.text.blank,
       firsts = task::firsts_of(task, steps.table.columns),
       given = steps.are_probabilities](std::span<const double> numbers, std::span<double> slopes) {
        return task::text_number(numbers, slopes, classes, first, blank, firsts, given, 1) +
               task::text_number(numbers, slopes, classes, second, blank, firsts, given, -1);
      });
}

}  // namespace fovea
