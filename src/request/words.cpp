#include "request/words.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "fovea/files.hpp"
#include "fovea/image.hpp"
#include "fovea/task_target.hpp"
#include "request/text.hpp"

namespace fovea::request {
namespace {

using Word = TargetText::Word;

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

std::string written(const Word& word) {
  return to_text(TargetText{{{1, word}}});
}

std::optional<std::int64_t> whole(const std::string& text) {
  std::int64_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc() && rest == end ? std::optional(out) : std::nullopt;
}

/// A task's words, kind by kind.
class Words {
 public:
  explicit Words(const Session& session)
      : session_(session), task_(*session.task), found_(*session.found) {}

  std::vector<Worded> of(const TargetText& text) const {
    for (const auto& term : text.terms)
      if (const auto* word = std::get_if<Word>(&term.of)) check(*word);
    if (const auto* word = text.word()) return of(*word);
    // No box is a result, of sums of boxes, too.
    const bool of_boxes = std::any_of(text.terms.begin(), text.terms.end(), [](const auto& term) {
      const auto* word = std::get_if<Word>(&term.of);
      return word != nullptr && word->kind == "box";
    });
    if (of_boxes && task_.kind == TaskKind::boxes && found_.boxes.empty()) return {};
    return {{to_text(text), of_several(text)}};
  }

 private:
  Outputs outputs() const { return session_.outputs; }
  const FindLogits& logits() const { return session_.logits; }

  std::int64_t number(const Word& word, std::int64_t count) const {
    const auto at = word.argument ? whole(*word.argument) : std::nullopt;
    if (!at || *at < 0)
      refuse("the target '" + written(word) + "' wants a number from 0 behind its colon");
    if (*at >= count)
      refuse("the target '" + written(word) + "': there " +
             (count == 0 ? "are none" : "are " + std::to_string(count) + ", from 0"));
    return *at;
  }

  std::int64_t class_of(const Word& word) const {
    if (word.of_class) return index_of(task_, *word.of_class);
    refuse("the target '" + written(word) + "' wants a class behind an '@'");
  }

  /// What a word does not take is no part of it.
  static void check(const Word& word) {
    const auto is_any = [&](std::initializer_list<std::string_view> kinds) {
      return std::find(kinds.begin(), kinds.end(), word.kind) != kinds.end();
    };
    if (word.of_class && !is_any({"pixel", "mask"}))
      refuse("the target '" + written(word) + "': '" + word.kind + "' takes no '@'");
    if (word.argument && is_any({"boxes", "words", "caption", "value"}))
      refuse("the target '" + written(word) + "': '" + word.kind + "' takes no colon");
  }

  void want(TaskKind kind, const Word& word) const {
    if (task_.kind != kind)
      refuse("the task " + task_.decoder + " has no target '" + word.kind + "'");
  }

  std::vector<Worded> of(const Word& word) const {
    if (word.kind == "box" || word.kind == "boxes") return boxes(word);
    if (word.kind == "words") {
      want(TaskKind::caption, word);
      std::vector<Worded> out;
      for (std::size_t i = 0; i < found_.words.size(); ++i)
        if (found_.words[i].name != task_.caption.end)
          out.push_back({"word:" + std::to_string(i), found_.words[i].target});
      return out;
    }
    return {{written(word), one(word)}};
  }

  // No box is a result.
  std::vector<Worded> boxes(const Word& word) const {
    want(TaskKind::boxes, word);
    std::vector<Worded> out;
    const auto add = [&](std::size_t i) {
      out.push_back({"box:" + std::to_string(i), found_.boxes[i].target, row_of(found_.boxes[i])});
    };
    const auto count = static_cast<std::int64_t>(found_.boxes.size());
    if (word.kind == "boxes")
      for (std::size_t i = 0; i < found_.boxes.size(); ++i) add(i);
    else if (count > 0)
      add(static_cast<std::size_t>(number(word, count)));
    return out;
  }

  // Of a value per level nobody asks: its own class map is where the row begins.
  std::optional<Target> row_of(const Detection& found) const {
    for (const auto role : {OutputRole::rows, OutputRole::scores}) {
      const auto at = task_.outputs.find(role);
      if (at == task_.outputs.end() || at->second.size() != 1) continue;
      const auto& name = at->second.front();
      for (const auto& value : session_.values)
        if (value.name == name && value.shape.size() == 2)
          return Target::element(
              name, task_.boxes.numbers_first ? Shape{0, found.row} : Shape{found.row, 0});
    }
    return std::nullopt;
  }

  Target one(const Word& word) const {
    const auto& kind = word.kind;
    if (kind == "pixel") return pixel(word);
    if (kind == "mask") return mask(word);
    if (kind == "box") {
      want(TaskKind::boxes, word);
      return found_.boxes[static_cast<std::size_t>(number(word, std::ssize(found_.boxes)))].target;
    }
    if (kind == "char") {
      want(TaskKind::text, word);
      const auto& all = found_.text->characters;
      return all[static_cast<std::size_t>(number(word, std::ssize(all)))].target;
    }
    if (kind == "text") {
      want(TaskKind::text, word);
      return text_target(task_, outputs(), word.argument.value_or(found_.text->text), logits());
    }
    if (kind == "answer") {
      want(TaskKind::answer, word);
      if (word.argument)
        return choice_target(task_, outputs(), index_of(task_, *word.argument), logits());
      return found_.answers.at(0).target;
    }
    if (kind == "word") {
      want(TaskKind::caption, word);
      return found_.words[static_cast<std::size_t>(number(word, std::ssize(found_.words)))].target;
    }
    if (kind == "caption") {
      want(TaskKind::caption, word);
      std::vector<std::int64_t> tokens{index_of(task_, task_.caption.start)};
      for (const auto& said : found_.words) tokens.push_back(said.index);
      return caption_target(task_, outputs(), tokens, logits());
    }
    if (kind == "action" || kind == "value" || kind == "advantage") return of_policy(word);
    if (kind == "boxes" || kind == "words")
      refuse("the target '" + kind + "' is several, and no part of a sum");
    refuse("the task " + task_.decoder + " has no target '" + kind + "'");
  }

  Target of_policy(const Word& word) const {
    want(TaskKind::policy, word);
    if (word.kind == "value") return value_target(task_, outputs());
    const auto index = word.argument ? index_of(task_, *word.argument) : found_.actions->best;
    return word.kind == "action" ? choice_target(task_, outputs(), index, logits())
                                 : advantage_target(task_, outputs(), index, logits());
  }

  Shape input_extents() const {
    const auto& name = session_.photo ? session_.photo->input : image_input();
    const auto given = session_.tensors.find(name);
    if (given == session_.tensors.end()) refuse("positions are of an image, and none is given");
    const auto& shape = given->second.shape;
    if (shape.size() == 5 && shape.back() <= 4 && shape[1] > 4)
      return {shape[1], shape[2], shape[3]};
    if (shape.size() == 5) return {shape[2], shape[3], shape[4]};
    const auto image = image_shape(shape);
    if (!image) refuse("positions are of an image, and the input is " + shape_text(shape));
    return {image->height, image->width};
  }
  std::string image_input() const {
    for (const auto& [name, input] : task_.inputs)
      if (input.role == InputRole::image) return name;
    return session_.tensors.empty() ? std::string() : session_.tensors.begin()->first;
  }

  /// Of the photo (x, y), or of a tensor: (x, y) or (x, y, z).
  Target pixel(const Word& word) const {
    want(TaskKind::segments, word);
    std::vector<double> at;
    const auto& text = word.argument.value_or("");
    for (std::size_t begin = 0; begin <= text.size();) {
      const auto comma = std::min(text.find(',', begin), text.size());
      const auto place = whole(text.substr(begin, comma - begin));
      if (!place || *place < 0) refuse("the target '" + written(word) + "' is not pixel:X,Y@CLASS");
      at.push_back(static_cast<double>(*place));
      begin = comma + 1;
    }
    const auto extents = input_extents();
    if (at.size() != extents.size())
      refuse("the target '" + written(word) + "' wants " + std::to_string(extents.size()) +
             " numbers: the input has so many extents");
    if (session_.photo) {
      const auto& view = session_.photo->view;
      at[0] = (at[0] + 0.5 - view.x0) / (view.x1 - view.x0) * static_cast<double>(extents[1]);
      at[1] = (at[1] + 0.5 - view.y0) / (view.y1 - view.y0) * static_cast<double>(extents[0]);
    }
    Shape position;
    for (std::size_t d = 0; d < extents.size(); ++d) {
      const auto place = static_cast<std::int64_t>(std::floor(at[extents.size() - 1 - d]));
      if (place < 0 || place >= extents[d])
        refuse("the target '" + written(word) + "': the network sees nothing there");
      position.push_back(place);
    }
    return position_target(task_, outputs(), position, extents, class_of(word), logits());
  }

  /// mask:CLASS is what was predicted, mask:FILE@CLASS what somebody drew.
  Target mask(const Word& word) const {
    want(TaskKind::segments, word);
    if (!word.argument) refuse("the target 'mask' wants a class, or FILE@CLASS, behind a colon");
    const auto& what = *word.argument;
    if (!word.of_class) {
      const auto index = index_of(task_, what);
      const auto predicted = predicted_mask(task_, outputs(), index);
      if (std::none_of(predicted.data.begin(), predicted.data.end(),
                       [](float v) { return v != 0; }))
        refuse("the target '" + written(word) + "': no position has this class");
      return mask_target(task_, outputs(), predicted, index, true, logits());
    }
    return mask_target(task_, outputs(), drawn_mask(what), class_of(word), true, logits());
  }

  Tensor drawn_mask(const std::string& name) const {
    auto file = name;
    for (const auto& target : session_.asked)
      if (const auto at = target.files.find(name); at != target.files.end()) file = at->second.file;
    if (lower(file).ends_with(".npy")) return read_npy(file);
    const auto image = read_image(file);
    const auto extents = input_extents();
    if (extents.size() != 2) refuse("a mask of a volume is a tensor (.npy)");
    Tensor out{extents, {}};
    for (std::int64_t y = 0; y < extents[0]; ++y)
      for (std::int64_t x = 0; x < extents[1]; ++x) {
        double px = (static_cast<double>(x) + 0.5) / static_cast<double>(extents[1]),
               py = (static_cast<double>(y) + 0.5) / static_cast<double>(extents[0]);
        if (session_.photo) {
          // As large as the photo, or as what the network sees.
          const auto& view = session_.photo->view;
          px = (view.x0 + px * (view.x1 - view.x0)) / session_.photo->pixels.width;
          py = (view.y0 + py * (view.y1 - view.y0)) / session_.photo->pixels.height;
        }
        const auto column = static_cast<std::int64_t>(std::floor(px * image.width));
        const auto row = static_cast<std::int64_t>(std::floor(py * image.height));
        const bool inside = column >= 0 && row >= 0 && column < image.width && row < image.height;
        out.data.push_back(
            inside && image.rgb[static_cast<std::size_t>(3 * (row * image.width + column))] > 127
                ? 1.F
                : 0.F);
      }
    return out;
  }

  /// Sums of numbers, or two strings.
  Target of_several(const TargetText& text) const {
    const auto word_at = [&](std::size_t i) {
      return i < text.terms.size() ? std::get_if<Word>(&text.terms[i].of) : nullptr;
    };
    const auto *first = word_at(0), *second = word_at(1);
    if (text.terms.size() == 2 && first != nullptr && second != nullptr && first->kind == "text" &&
        second->kind == "text") {
      want(TaskKind::text, *first);
      if (text.terms[0].factor != 1 || text.terms[1].factor != -1 || !second->argument)
        refuse("of two texts one is taken off the other: text:\"A\"-\"B\"");
      return text_difference_target(task_, outputs(), first->argument.value_or(found_.text->text),
                                    *second->argument, logits());
    }
    std::vector<std::pair<double, Target>> terms;
    for (const auto& term : text.terms) {
      const auto* word = std::get_if<Word>(&term.of);
      terms.emplace_back(
          term.factor, word != nullptr ? one(*word) : target_of({{{1, term.of}}}, session_.values));
    }
    return combined(terms);
  }

  const Session& session_;
  const Task& task_;
  const Findings& found_;
};

}  // namespace

std::vector<Worded> worded(const TargetText& text, const Session& session) {
  return Words(session).of(text);
}

std::vector<std::string> files_of(const TargetText& text) {
  std::vector<std::string> out;
  for (const auto& term : text.terms) {
    const auto* word = std::get_if<Word>(&term.of);
    if (word == nullptr || word->kind != "mask" || !word->of_class || !word->argument) continue;
    if (std::find(out.begin(), out.end(), *word->argument) == out.end())
      out.push_back(*word->argument);
  }
  return out;
}

std::string default_words(const Task& task) {
  switch (task.kind) {
    case TaskKind::boxes:
      return "box:0";
    case TaskKind::text:
      return "text";
    case TaskKind::answer:
      return "answer";
    case TaskKind::caption:
      return "caption";
    case TaskKind::policy:
      return "action";
    case TaskKind::segments:
      refuse(
          "of a segmentation a class is explained where you say: --target mask:CLASS, "
          "mask:FILE@CLASS or pixel:X,Y@CLASS");
    case TaskKind::embedding:
      refuse("an embedding is compared with another's: --similar-to FILE");
    case TaskKind::classes:
      break;
  }
  return {};
}

bool is_local(const Word& word) {
  return word.kind == "box" || word.kind == "boxes" || word.kind == "pixel" ||
         word.kind == "mask" || word.kind == "char";
}

}  // namespace fovea::request
