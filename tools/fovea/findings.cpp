#include "findings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "fovea/target_text.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

constexpr std::size_t kListed = 10;

Json choice_json(const Choice& choice) {
  Json out = {{"name", choice.name}, {"index", choice.index}};
  if (!std::isnan(choice.probability)) out["probability"] = choice.probability;
  if (!std::isnan(choice.logit)) out["logit"] = choice.logit;
  return out;
}

std::string choice_text(const Choice& choice) {
  return number_text("%11.4f", choice.probability) +
         (std::isnan(choice.logit) ? "       -" : number_text("%8.4g", choice.logit)) + "  " +
         choice.name + "\n";
}

/// Of given words, those in whose place the network would have said another.
std::string own_words_text(const Task& task, const Findings& found) {
  std::string out;
  const auto add = [&](const std::string& place, const Choice& own) {
    out += (out.empty() ? "would say    " : ", ") + own.name + place + " (" +
           number_text("%.2f", own.probability) + ")";
  };
  for (std::size_t i = 0; i < found.guesses.size(); ++i) {
    const auto& own = found.guesses[i];
    if (i < found.words.size() && own.index != found.words[i].index)
      add(" for '" + found.words[i].name + "'", own);
    if (i == found.words.size() && own.name != task.caption.end) add(" behind it", own);
  }
  return out.empty() ? "would say    the same\n" : out + "\n";
}

/// The number behind the colon, which is one: the target was made of it.
std::size_t number_of(const TargetText::Word& word) {
  return static_cast<std::size_t>(std::stoull(word.argument.value()));
}

}  // namespace

Place place_of(const Detection& found, const Session& session) {
  if (!session.photo) return {found.x0, found.y0, found.x1, found.y1};
  const auto& view = session.photo->view;
  const auto& boxes = session.task->boxes;
  const auto x = [&](double at) {
    return view.x0 + at / static_cast<double>(boxes.width) * (view.x1 - view.x0);
  };
  const auto y = [&](double at) {
    return view.y0 + at / static_cast<double>(boxes.height) * (view.y1 - view.y0);
  };
  return {x(found.x0), y(found.y0), x(found.x1), y(found.y1)};
}

std::optional<std::string> said_at(const Session& session, const RequestTarget& target) {
  if (!session.task || !session.found || target.kind != RequestTarget::Kind::text)
    return std::nullopt;
  const auto text = parse_target(target.text);
  const auto* word = text.word();
  if (word == nullptr) return std::nullopt;
  const auto& task = *session.task;
  const auto& found = *session.found;
  if (word->kind == "word") return found.words.at(number_of(*word)).name;
  if (word->kind == "char") return found.text->characters.at(number_of(*word)).text;
  if (word->kind == "box") return name_of(task, found.boxes.at(number_of(*word)).class_index);
  if (word->kind == "answer")
    return word->argument ? name_of(task, index_of(task, *word->argument))
                          : found.answers.front().name;
  if (word->kind == "action")
    return name_of(task, word->argument ? index_of(task, *word->argument) : found.actions->best);
  return std::nullopt;
}

std::string sentence(const Session& session) {
  if (!session.task || !session.found) return {};
  if (session.task->kind == TaskKind::caption) return caption_of(*session.task, *session.found);
  return session.found->text ? session.found->text->text : std::string();
}

Json place_json(const Detection& found, const Session& session) {
  const auto [x0, y0, x1, y1] = place_of(found, session);
  const auto rounded = [](double v) { return std::round(v * 10) / 10; };
  return {rounded(x0), rounded(y0), rounded(x1), rounded(y1)};
}

void add_findings(Json& json, const Session& session) {
  if (!session.task || !session.found) return;
  const auto& task = *session.task;
  const auto& found = *session.found;
  json["task"] = task.decoder;
  switch (task.kind) {
    case TaskKind::boxes: {
      auto& all = json["boxes"] = Json::array();
      for (const auto& one : found.boxes)
        all.push_back({{"class", one.class_index},
                       {"label", name_of(task, one.class_index)},
                       {"score", one.score},
                       {"box", place_json(one, session)},
                       {"row", one.row}});
      break;
    }
    case TaskKind::segments: {
      auto& all = json["segments"] = Json::array();
      for (const auto& one : found.segments)
        all.push_back({{"class", one.class_index},
                       {"label", name_of(task, one.class_index)},
                       {"share", one.share}});
      break;
    }
    case TaskKind::text: {
      json["text"] = found.text->text;
      auto& all = json["characters"] = Json::array();
      for (const auto& one : found.text->characters)
        all.push_back({{"text", one.text}, {"step", one.step}, {"probability", one.probability}});
      break;
    }
    case TaskKind::answer: {
      auto& all = json["answers"] = Json::array();
      for (const auto& one : found.answers) all.push_back(choice_json(one));
      break;
    }
    case TaskKind::caption: {
      json["caption"] = caption_of(task, found);
      auto& all = json["words"] = Json::array();
      for (const auto& one : found.words) all.push_back(choice_json(one));
      if (!found.guesses.empty()) {
        auto& own = json["own_words"] = Json::array();
        for (const auto& one : found.guesses) own.push_back(choice_json(one));
      }
      break;
    }
    case TaskKind::policy: {
      const auto& best = found.actions->actions.at(static_cast<std::size_t>(found.actions->best));
      json["action"] = choice_json(best);
      auto& all = json["actions"] = Json::array();
      for (const auto& one : found.actions->actions) all.push_back(choice_json(one));
      if (found.actions->value) json["value"] = *found.actions->value;
      json["advantage"] = found.actions->advantage;
      break;
    }
    case TaskKind::classes:
    case TaskKind::embedding:
      break;
  }
}

std::string findings_text(const Session& session) {
  if (!session.task || !session.found) return {};
  const auto& task = *session.task;
  const auto& found = *session.found;
  std::string out;
  switch (task.kind) {
    case TaskKind::boxes:
      out = "  score  x0, y0, x1, y1              object\n";
      for (std::size_t i = 0; i < found.boxes.size() && i < kListed; ++i) {
        const auto& one = found.boxes[i];
        const auto [x0, y0, x1, y1] = place_of(one, session);
        std::string place;
        for (const double v : {x0, y0, x1, y1}) place += number_text("%7.1f", v);
        out +=
            number_text("%7.4f", one.score) + place + "  " + name_of(task, one.class_index) + "\n";
      }
      if (found.boxes.empty())
        return "found        nothing with a score of " + number_text(task.boxes.threshold) +
               " or more\n";
      if (found.boxes.size() > kListed)
        out += "  and " + std::to_string(found.boxes.size() - kListed) + " more\n";
      return out;
    case TaskKind::segments:
      out = "  share  class\n";
      for (std::size_t i = 0; i < found.segments.size() && i < kListed; ++i)
        out += number_text("%7.4f", found.segments[i].share) + "  " +
               name_of(task, found.segments[i].class_index) + "\n";
      return out;
    case TaskKind::text:
      return "read         " + found.text->text + "\n";
    case TaskKind::answer:
      out = "probability   logit  answer\n";
      for (const auto& one : found.answers) out += choice_text(one);
      return out;
    case TaskKind::caption:
      if (!found.guesses.empty())
        return "given        " + caption_of(task, found) + "\n" + own_words_text(task, found);
      return "says         " + caption_of(task, found) + "\n";
    case TaskKind::policy:
      out = "probability   logit  action\n";
      for (const auto& one : found.actions->actions) out += choice_text(one);
      if (found.actions->value)
        out += "value        " + number_text("%.4g", *found.actions->value) + "\n";
      return out;
    case TaskKind::classes:
    case TaskKind::embedding:
      break;
  }
  return {};
}

}  // namespace fovea::cli
