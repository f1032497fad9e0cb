#include "fovea/task_recipe.hpp"

#include <algorithm>

#include "fovea/files.hpp"
#include "fovea/session.hpp"
#include "request/members.hpp"

namespace fovea {
namespace request {
namespace {

constexpr auto kRoles = std::to_array<Named<InputRole>>({
    {"image", InputRole::image},
    {"frames", InputRole::frames},
    {"question", InputRole::question},
    {"tokens", InputRole::tokens},
    {"state", InputRole::state},
    {"mask", InputRole::mask},
    {"vector", InputRole::vector},
    {"features", InputRole::features},
    {"constant", InputRole::constant},
});
constexpr auto kCodes = std::to_array<Named<WordCode>>({
    {"bag", WordCode::bag},
    {"ids", WordCode::ids},
});
constexpr auto kOutputs = std::to_array<Named<OutputRole>>({
    {"scores", OutputRole::scores},
    {"boxes", OutputRole::boxes},
    {"labels", OutputRole::labels},
    {"rows", OutputRole::rows},
    {"logits", OutputRole::logits},
    {"value", OutputRole::value},
    {"embedding", OutputRole::embedding},
});
constexpr auto kForms = std::to_array<Named<BoxDecoding::Form>>({
    {"grid", BoxDecoding::Form::grid},
    {"centre", BoxDecoding::Form::centre},
    {"corners", BoxDecoding::Form::corners},
    {"distances", BoxDecoding::Form::distances},
});
constexpr auto kScoreKinds = std::to_array<Named<BoxDecoding::Scores>>({
    {"probabilities", BoxDecoding::Scores::probabilities},
    {"logits", BoxDecoding::Scores::logits},
    {"softmax", BoxDecoding::Scores::softmax},
});

constexpr auto kFrequencies = std::to_array<Named<AudioAxes::Frequencies>>({
    {"bins", AudioAxes::Frequencies::bins},
    {"linear", AudioAxes::Frequencies::linear},
    {"mel", AudioAxes::Frequencies::mel},
    {"mel-slaney", AudioAxes::Frequencies::mel_slaney},
    {"octaves", AudioAxes::Frequencies::octaves},
});

constexpr std::int64_t kLargest = std::int64_t{1} << 24;
constexpr std::int64_t kMostWords = 256;  // steps of `unrolled`

std::vector<std::string> texts(const Json& value, const std::string& what,
                               const std::string& name) {
  if (!value.is_array()) damaged(what, "'" + name + "' must be a list of texts");
  std::vector<std::string> out;
  for (const auto& one : value) out.push_back(text(one, what, name));
  return out;
}

/// A name, or a list of them.
std::vector<std::string> one_or_several(const Json& value, const std::string& what,
                                        const std::string& name) {
  return value.is_string() ? std::vector{value.get<std::string>()} : texts(value, what, name);
}

std::string inside(const std::string& name, const std::string& member) {
  return name + "." + member;
}

/// Reads one task's members; every complaint names them.
class Reader {
 public:
  Reader(std::string what, std::filesystem::path folder)
      : what_(std::move(what)), folder_(std::move(folder)) {}

  Task read(const Json& json) const {
    Members members(json, what_, {});
    std::string decoder;
    members.read("task", decoder);
    const auto known = task_by_name(decoder);
    if (!known)
      throw Error(ErrorCode::invalid_argument,
                  decoder.empty() ? "the " + what_ + " does not say which 'task' it is"
                                  : "the " + what_ + " has '" + decoder +
                                        "' for task, which this fovea does not know" +
                                        did_you_mean(task_names(), decoder));
    Task out = *known;
    members.with("inputs", [&](const Json& value, const auto&, const auto& name) {
      if (!value.is_object()) damaged(what_, "'" + name + "' must be an object");
      for (const auto& [input, one] : value.items()) out.inputs[input] = input_of(one, input);
    });
    members.with("outputs", [&](const Json& value, const auto&, const auto& name) {
      Members roles(value, what_, name);
      for (const auto& row : kOutputs) {
        const std::string role(row.name);
        if (const auto* one = roles.find(role.c_str()))
          out.outputs[row.value] = one_or_several(*one, what_, inside(name, role));
      }
      roles.no_others();
    });
    members.with("states", [&](const Json& value, const auto&, const auto& name) {
      if (!value.is_object()) damaged(what_, "'" + name + "' must be an object");
      for (const auto& [input, output] : value.items())
        out.states[input] = text(output, what_, inside(name, input));
    });
    names(members, "names", "names_file", out.names,
          [&](std::string_view read) { return names_in(out, read); });
    members.with("boxes", [&](const Json& value, const auto&, const auto& name) {
      read_boxes(value, name, out.boxes);
    });
    members.with("text", [&](const Json& value, const auto&, const auto& name) {
      Members text(value, what_, name);
      optional_whole(text, "blank", out.text.blank);
      text.read("steps_first", out.text.steps_first);
      text.no_others();
    });
    members.with("caption", [&](const Json& value, const auto&, const auto& name) {
      Members caption(value, what_, name);
      caption.read("start", out.caption.start);
      caption.read("end", out.caption.end);
      caption.read("pad", out.caption.pad);
      caption.unless_null("one_word", [&](const Json& one, const auto& what, const auto& member) {
        out.caption.one_word = flag(one, what, member);
      });
      whole_number(caption, "most", 1, out.caption.most);
      if (out.caption.most > kMostWords)
        damaged(what_, "'most' of a caption must be at most " + std::to_string(kMostWords));
      caption.no_others();
    });
    members.with("segments", [&](const Json& value, const auto&, const auto& name) {
      Members segments(value, what_, name);
      segments.unless_null("channels_last",
                           [&](const Json& last, const auto& what, const auto& member) {
                             out.segments.channels_last = flag(last, what, member);
                           });
      segments.read("threshold", out.segments.threshold);
      segments.read("logits", out.segments.logits);
      segments.no_others();
    });
    members.with("audio", [&](const Json& value, const auto&, const auto& name) {
      read_audio(value, name, out.audio);
    });
    members.no_others();
    return out;
  }

 private:
  template <class Parse>
  void names(Members& members, const char* own, const char* file, std::vector<std::string>& out,
             Parse&& parse) const {
    members.with(own, [&](const Json& value, const auto& what, const auto& name) {
      out = texts(value, what, name);
    });
    members.with(file, [&](const Json& value, const auto& what, const auto& name) {
      if (!out.empty()) damaged(what, std::string("'") + own + "' and '" + file + "' say the same");
      const auto path = std::filesystem::path(text(value, what, name));
      if (folder_.empty())
        damaged(what, std::string("'") + file + "' names a file, and it has no folder");
      // A model's recipe may come from anywhere: it reads what lies with it.
      const auto within = path.lexically_normal();
      if (within.empty() || within.is_absolute() || *within.begin() == "..")
        damaged(what, std::string("'") + file + "' must lie in the folder of the recipe");
      out = parse(read_text(folder_ / within, ErrorCode::bad_input));
    });
  }

  TaskInput input_of(const Json& value, const std::string& input) const {
    const auto name = "inputs." + input;
    Members members(value, what_, name);
    TaskInput out;
    members.read("role", kRoles, out.role);
    members.unless_null("value", [&](const Json& one, const auto& what, const auto& member) {
      out.value = number(one, what, member);
    });
    names(members, "words", "words_file", out.words, [](std::string_view read) {
      // By id: a blank line is no word, but has its place.
      std::vector<std::string> words;
      for (std::size_t begin = 0; begin < read.size();) {
        const auto end = std::min(read.find('\n', begin), read.size());
        auto line = read.substr(begin, end - begin);
        if (line.ends_with('\r')) line.remove_suffix(1);
        words.emplace_back(line);
        begin = end + 1;
      }
      return words;
    });
    members.read("code", kCodes, out.code);
    optional_whole(members, "step", out.step);
    members.no_others();
    return out;
  }

  static void optional_whole(Members& members, const char* name, std::optional<std::int64_t>& out) {
    members.unless_null(name, [&](const Json& one, const auto& what, const auto& member) {
      out = whole(one, what, member, 0);
    });
  }

  void whole_number(Members& members, const char* name, std::int64_t least,
                    std::int64_t& out) const {
    members.with(name, [&](const Json& one, const auto& what, const auto& member) {
      out = whole(one, what, member, least);
      if (out > kLargest)
        damaged(what, "'" + member + "' must be at most " + std::to_string(kLargest));
    });
  }

  void share(Members& members, const char* name, double& out) const {
    members.read(name, out);
    if (out < 0 || out > 1) damaged(what_, std::string("'") + name + "' must lie between 0 and 1");
  }

  void read_boxes(const Json& value, const std::string& name, BoxDecoding& out) const {
    Members members(value, what_, name);
    members.read("form", kForms, out.form);
    members.read("scores", kScoreKinds, out.scores);
    members.read("in_shares", out.in_shares);
    members.read("objectness", out.objectness);
    members.read("numbers_first", out.numbers_first);
    members.read("selected", out.selected);
    whole_number(members, "classes", 0, out.classes);
    if (const auto* background = members.find("background")) {
      out.background.reset();
      if (!background->is_null()) out.background = whole(*background, what_, "background", 0);
    }
    members.with("first_label", [&](const Json& one, const auto& what, const auto& member) {
      out.first_label = whole(one, what, member, -kLargest);
      if (out.first_label > kLargest)
        damaged(what, "'" + member + "' must be at most " + std::to_string(kLargest));
    });
    members.read("strides", out.strides);
    for (const auto stride : out.strides)
      if (stride > kLargest)
        damaged(what_, "'strides' must be at most " + std::to_string(kLargest));
    members.read("cell_centre", out.cell_centre);
    whole_number(members, "bins", 0, out.bins);
    share(members, "threshold", out.threshold);
    share(members, "overlap", out.overlap);
    whole_number(members, "most", 1, out.most);
    whole_number(members, "width", 0, out.width);
    whole_number(members, "height", 0, out.height);
    members.no_others();
  }

  void read_audio(const Json& value, const std::string& name, AudioAxes& out) const {
    Members members(value, what_, name);
    members.read("frequencies", kFrequencies, out.frequencies);
    for (const auto& [member, number] : {std::pair{"rate", &out.rate},
                                         {"hop", &out.hop},
                                         {"lowest", &out.lowest},
                                         {"highest", &out.highest},
                                         {"per_octave", &out.per_octave}}) {
      members.read(member, *number);
      if (*number < 0) damaged(what_, std::string("'") + member + "' must not be below 0");
    }
    whole_number(members, "bins", 0, out.bins);
    members.unless_null("time_first", [&](const Json& first, const auto& what, const auto& member) {
      out.time_first = flag(first, what, member);
    });
    members.no_others();
  }

  std::string what_;
  std::filesystem::path folder_;
};

/// Adds what differs from the decoder's own.
template <class T, class Write>
void put(Json& json, const char* name, const T& value, const T& own, Write&& write) {
  if (!(value == own)) json[name] = write(value);
}
template <class T>
void put(Json& json, const char* name, const T& value, const T& own) {
  put(json, name, value, own, [](const T& v) { return Json(v); });
}
template <class T>
void put(Json& json, const char* name, const std::optional<T>& value, const std::optional<T>& own) {
  put(json, name, value, own,
      [](const std::optional<T>& v) { return v ? Json(*v) : Json(nullptr); });
}
template <class Names, class T>
void put_word(Json& json, const char* name, const Names& names, const T& value, const T& own) {
  put(json, name, value, own, [&](const T& v) { return Json(name_of(names, v)); });
}

Json input_json(const TaskInput& input) {
  // A member without its line here does not compile.
  const auto& [role, value, words, code, step] = input;
  Json json = Json::object();
  json["role"] = name_of(kRoles, role);
  if (value) json["value"] = *value;
  if (!words.empty()) json["words"] = words;
  put_word(json, "code", kCodes, code, WordCode::bag);
  if (step) json["step"] = *step;
  return json;
}

Json boxes_json(const BoxDecoding& boxes, const BoxDecoding& own) {
  const auto& [form, scores, in_shares, objectness, numbers_first, selected, classes, background,
               first_label, strides, cell_centre, bins, threshold, overlap, most, width, height] =
      boxes;
  Json json = Json::object();
  put_word(json, "form", kForms, form, own.form);
  put_word(json, "scores", kScoreKinds, scores, own.scores);
  put(json, "in_shares", in_shares, own.in_shares);
  put(json, "objectness", objectness, own.objectness);
  put(json, "numbers_first", numbers_first, own.numbers_first);
  put(json, "selected", selected, own.selected);
  put(json, "classes", classes, own.classes);
  put(json, "background", background, own.background);
  put(json, "first_label", first_label, own.first_label);
  put(json, "strides", strides, own.strides);
  put(json, "cell_centre", cell_centre, own.cell_centre);
  put(json, "bins", bins, own.bins);
  put(json, "threshold", threshold, own.threshold);
  put(json, "overlap", overlap, own.overlap);
  put(json, "most", most, own.most);
  put(json, "width", width, own.width);
  put(json, "height", height, own.height);
  return json;
}

void add(Json& json, const char* name, Json part) {
  if (!part.empty()) json[name] = std::move(part);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    auto line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.emplace_back(line);
    begin = end + 1;
  }
  while (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

std::vector<std::string> characters_of(const std::string& line) {
  std::vector<std::string> out;
  for (const char c : line) {
    if (out.empty() || (c & 0xC0) != 0x80) out.emplace_back();
    out.back() += c;
  }
  return out;
}

}  // namespace
}  // namespace request

std::string to_json(const Task& task) {
  using namespace request;
  const auto& [kind, decoder, inputs, outputs, states, names, boxes, text, caption, segments,
               audio] = task;
  const auto own = task_by_name(decoder);
  if (!own || own->kind != kind)
    throw Error(ErrorCode::invalid_argument,
                "the task has no decoder of its kind, and no recipe can name it");
  Json json;
  json["task"] = decoder;
  for (const auto& [name, input] : inputs) json["inputs"][name] = input_json(input);
  for (const auto& [role, values] : outputs) {
    const auto name = name_of(kOutputs, role);
    if (values.size() == 1)
      json["outputs"][name] = values.front();
    else
      json["outputs"][name] = values;
  }
  for (const auto& [input, output] : states) json["states"][input] = output;
  if (!names.empty()) json["names"] = names;
  add(json, "boxes", boxes_json(boxes, own->boxes));
  Json parts = Json::object();
  {
    const auto& [blank, steps_first] = text;
    put(parts, "blank", blank, own->text.blank);
    put(parts, "steps_first", steps_first, own->text.steps_first);
    add(json, "text", parts);
  }
  parts = Json::object();
  {
    const auto& [start, end, pad, one_word, most] = caption;
    put(parts, "start", start, own->caption.start);
    put(parts, "end", end, own->caption.end);
    put(parts, "pad", pad, own->caption.pad);
    put(parts, "one_word", one_word, own->caption.one_word);
    put(parts, "most", most, own->caption.most);
    add(json, "caption", parts);
  }
  parts = Json::object();
  {
    const auto& [channels_last, threshold, logits] = segments;
    put(parts, "channels_last", channels_last, own->segments.channels_last);
    put(parts, "threshold", threshold, own->segments.threshold);
    put(parts, "logits", logits, own->segments.logits);
    add(json, "segments", parts);
  }
  parts = Json::object();
  {
    const auto& [rate, hop, frequencies, lowest, highest, per_octave, bins, time_first] = audio;
    put(parts, "rate", rate, own->audio.rate);
    put(parts, "hop", hop, own->audio.hop);
    put_word(parts, "frequencies", kFrequencies, frequencies, own->audio.frequencies);
    put(parts, "lowest", lowest, own->audio.lowest);
    put(parts, "highest", highest, own->audio.highest);
    put(parts, "per_octave", per_octave, own->audio.per_octave);
    put(parts, "bins", bins, own->audio.bins);
    put(parts, "time_first", time_first, own->audio.time_first);
    add(json, "audio", parts);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Task task_from_json(std::string_view json, const std::string& name,
                    const std::filesystem::path& folder) {
  const auto object = request::Json::parse(json, nullptr, false);
  if (object.is_discarded())
    throw Error(ErrorCode::invalid_argument, "the " + name + " is no valid JSON");
  return request::Reader(name, folder).read(object);
}

Task read_task(const std::filesystem::path& file) {
  const auto folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  return task_from_json(read_text(file, ErrorCode::invalid_argument),
                        "task '" + file.string() + "'", folder);
}

std::optional<Task> task_of_model(const Model& model) {
  const auto& metadata = model.metadata();
  const auto& files = model.files();
  const auto own = metadata.find("fovea.task");
  if (own != metadata.end())
    return task_from_json(own->second, "task in the model's metadata",
                          files.empty() ? std::filesystem::path() : files.front().parent_path());
  // Of two models in one, either may have it.
  for (auto beside : files) {
    beside.replace_extension(".task.json");
    std::error_code error;
    if (std::filesystem::exists(beside, error)) return read_task(beside);
  }
  return std::nullopt;
}

std::vector<std::string> names_in(const Task& task, std::string_view text) {
  if (task.kind != TaskKind::text) return parse_labels(text);
  auto lines = request::lines_of(text);
  if (lines.size() == 1) return request::characters_of(lines.front());
  return lines;
}

}  // namespace fovea
