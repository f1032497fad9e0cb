#include "asked.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "demo.hpp"
#include "fovea/task_recipe.hpp"
#include "outputs.hpp"
#include "recipe.hpp"
#include "session.hpp"
#include "text.hpp"

namespace fovea::cli {
namespace {

using Score = RequestTarget::Score;

[[noreturn]] void refuse(const std::string& sentence) {
  throw Error(ErrorCode::invalid_argument, sentence);
}

constexpr const char* kStandardInput = "/dev/stdin";

/// "-" is standard input.
std::string readable(const std::string& file) {
  return file == "-" ? kStandardInput : file;
}

/// NAME=VALUE in two.
std::pair<std::string, std::string> assignment(const std::string& text, const char* option) {
  const auto at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size())
    refuse(std::string(option) + " takes NAME=VALUE, not '" + text + "'");
  return {text.substr(0, at), text.substr(at + 1)};
}

Precision precision_of(const std::string& text) {
  if (text == "auto") return Precision::automatic;
  return text == "bf16" ? Precision::bf16 : Precision::f32;
}

Tuning tuning_of(const Arguments& arguments) {
  if (arguments.tune.empty()) return arguments.plan_cache.empty() ? Tuning::off : Tuning::quick;
  if (arguments.tune == "thorough") return Tuning::thorough;
  if (arguments.tune == "winograd") return Tuning::winograd;
  return arguments.tune == "off" ? Tuning::off : Tuning::quick;
}

std::optional<Normalize> normalize_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "none") return Normalize::none;
  return text == "minmax" ? Normalize::minmax : Normalize::max;
}

Colormap colormap_of(const std::string& text) {
  if (text == "turbo") return Colormap::turbo;
  if (text == "viridis") return Colormap::viridis;
  if (text == "magma") return Colormap::magma;
  if (text == "plasma") return Colormap::plasma;
  if (text == "cividis") return Colormap::cividis;
  if (text == "red-blue") return Colormap::red_blue;
  return text == "inferno" ? Colormap::inferno : Colormap::jet;
}

Fuse fuse_of(const std::string& text) {
  if (text == "max") return Fuse::max;
  return text == "product" ? Fuse::product : Fuse::mean;
}

std::map<std::string, Shape> shapes_of(const std::vector<std::string>& texts) {
  std::map<std::string, Shape> out;
  for (const auto& text : texts) {
    const auto equals = text.rfind('=');
    if (equals == std::string::npos)
      refuse("--input-shape '" + text + "' is not NAME=N,N,..., like data=1,3,224,224");
    Shape shape;
    const char* at = text.data() + equals + 1;
    const char* const end = text.data() + text.size();
    while (true) {
      std::int64_t extent = 0;
      const auto [rest, failure] = std::from_chars(at, end, extent);
      if (failure != std::errc() || extent < 1)
        refuse("--input-shape '" + text + "' must list whole numbers from 1 up");
      shape.push_back(extent);
      if (rest == end) break;
      if (*rest != ',') refuse("--input-shape '" + text + "' must separate its numbers by commas");
      at = rest + 1;
    }
    const auto name = text.substr(0, equals);
    if (!out.emplace(name, std::move(shape)).second)
      refuse("--input-shape is given twice for input '" + name + "'");
  }
  return out;
}

Shape grid_of(const std::string& text) {
  Shape out;
  for (const char *at = text.data(), *const end = at + text.size(); at != end;) {
    std::int64_t extent = 0;
    const auto [rest, failure] = std::from_chars(at, end, extent);
    const bool more = rest != end && *rest == 'x' && rest + 1 != end;
    if (failure != std::errc() || extent < 1 || (rest != end && !more))
      refuse("--token-grid '" + text + "' is not ROWSxCOLUMNS, like 14x14");
    out.push_back(extent);
    at = more ? rest + 1 : end;
  }
  return out;
}

/// X,Y,W,H, or a mask's file.
std::variant<Box, RequestFile> region_of(const std::string& text) {
  if (lower(text).ends_with(".npy")) return RequestFile{text};
  std::int64_t numbers[4] = {};
  const char *at = text.data(), *const end = at + text.size();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto [rest, failure] = std::from_chars(at, end, numbers[i]);
    const bool whole =
        failure == std::errc() && (i == 3 ? rest == end : rest != end && *rest == ',');
    if (!whole || numbers[i] < (i < 2 ? 0 : 1) || numbers[i] > (std::int64_t{1} << 31))
      refuse("--region '" + text + "' is neither X,Y,WIDTH,HEIGHT in pixels nor a .npy file");
    at = rest + (i == 3 ? 0 : 1);
  }
  return Box{numbers[0], numbers[1], numbers[2], numbers[3]};
}

/// The methods' names; "all" is every one that is not expensive and needs nothing that only the
/// user has.
std::vector<std::string> method_names(const std::string& text) {
  std::vector<std::string> out;
  if (text == "all") {
    for (const auto& info : methods())
      if (!info.expensive && std::none_of(info.given.begin(), info.given.end(),
                                          [](const auto& tensor) { return tensor.required; }))
        out.push_back(info.name);
    return out;
  }
  std::size_t begin = 0;
  for (;;) {
    const auto comma = text.find(',', begin);
    out.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return out;
    begin = comma + 1;
  }
}

/// A number, or the name of one of an option's choices.
double option_value(const std::string& name, const std::string& value,
                    const std::vector<std::string>& methods) {
  double number = 0;
  const auto* end = value.data() + value.size();
  if (const auto [rest, failure] = std::from_chars(value.data(), end, number);
      failure == std::errc() && rest == end)
    return number;
  std::vector<std::string> known;
  for (const auto& method : methods)
    for (const auto& option : method_info(method).options) {
      if (option.name != name) continue;
      const auto it = std::find(option.choices.begin(), option.choices.end(), value);
      if (it != option.choices.end()) return static_cast<double>(it - option.choices.begin());
      known.insert(known.end(), option.choices.begin(), option.choices.end());
    }
  if (known.empty()) refuse("--option " + name + ": '" + value + "' is not a number");
  refuse("--option " + name + ": '" + value + "' is none of its choices" +
         did_you_mean(known, value) + " ('fovea methods' lists them)");
}

[[noreturn]] void refuse_option(const std::string& option,
                                const std::vector<std::string>& methods) {
  std::vector<std::string> known;
  for (const auto& method : methods)
    for (const auto& row : method_info(method).options) known.push_back(row.name);
  refuse("the method has no option '" + option + "'" + did_you_mean(known, option) +
         " ('fovea methods' lists them)");
}

/// Each with those of the options that it has.
std::vector<RequestMethod> methods_of(const ExplainArguments& arguments) {
  const auto names = method_names(arguments.method);
  for (const auto& name : names) static_cast<void>(method_info(name));
  if (!arguments.layer_rules.empty() &&
      std::all_of(names.begin(), names.end(),
                  [](const std::string& name) { return method_info(name).layer_rules.empty(); }))
    refuse("--rule: the method has no rules that layers could follow");
  std::map<std::string, double> options;
  for (const auto& text : arguments.options) {
    const auto [name, value] = assignment(text, "--option");
    if (!options.emplace(name, option_value(name, value, names)).second)
      refuse("--option " + name + " is given twice");
  }
  std::vector<RequestMethod> out;
  std::set<std::string> taken;
  for (const auto& name : names) {
    auto& method = out.emplace_back(RequestMethod{name});
    const auto& info = method_info(name);
    for (const auto& option : info.options)
      if (const auto at = options.find(option.name); at != options.end()) {
        method.options.insert(*at);
        taken.insert(option.name);
      }
    for (const auto& text : arguments.layer_rules) {
      const auto [layer, rule] = assignment(text, "--rule");
      if (!info.layer_rules.empty()) method.layer_rules[layer] = rule;
    }
    for (const auto& text : arguments.given) {
      const auto [tensor, file] = assignment(text, "--given");
      method.given[tensor] = {readable(file)};
    }
  }
  for (const auto& [name, value] : options)
    if (!taken.contains(name)) refuse_option(name, names);
  return out;
}

void add_targets(Request& request, const ExplainArguments& arguments) {
  using Kind = RequestTarget::Kind;
  const bool by_class = !arguments.classes.empty() || !arguments.target_labels.empty() ||
                        !arguments.target_texts.empty();
  RequestTarget common;
  common.minus = arguments.minus;
  common.negated = arguments.against;
  if (!arguments.score.empty())
    common.score = arguments.score == "probability" ? Score::probability : Score::logit;
  if (!arguments.region.empty()) common.region = region_of(arguments.region);
  request.targets.clear();
  const auto add = [&](Kind kind) -> RequestTarget& {
    request.targets.push_back(common);
    request.targets.back().kind = kind;
    return request.targets.back();
  };
  if (!arguments.similar_to.empty()) {
    auto& target = add(Kind::similar_to);
    target.image = {readable(arguments.similar_to)};
    if (arguments.similarity == "cosine") target.similarity = RequestTarget::Similarity::cosine;
    return;
  }
  for (const auto& text : arguments.target_texts) {
    auto target = target_from_text(text);
    target.negated = common.negated;
    target.score = common.score;
    if (common.minus && target.minus)
      refuse("--target '" + text + "' takes a class off another itself: leave --minus alone");
    if (common.minus) target.minus = common.minus;
    request.targets.push_back(std::move(target));
  }
  for (const auto index : arguments.classes) add(Kind::class_index).value = index;
  for (const auto& label : arguments.target_labels) add(Kind::label).label = label;
  for (std::int64_t rank = 0; rank < arguments.top && !by_class; ++rank)
    add(Kind::ranked).value = rank;
}

std::map<std::string, std::vector<double>> fixed_inputs_of(const std::vector<std::string>& texts) {
  std::map<std::string, std::vector<double>> out;
  for (const auto& text : texts) {
    const auto [name, list] = assignment(text, "--fixed-input");
    auto& numbers = out[name];
    if (!numbers.empty()) refuse("--fixed-input is given twice for input '" + name + "'");
    const char* at = list.data();
    const char* const end = list.data() + list.size();
    for (;;) {
      double number = 0;
      const auto [rest, failure] = std::from_chars(at, end, number);
      if (failure != std::errc() || !std::isfinite(number) || (rest != end && *rest != ','))
        refuse("--fixed-input '" + text + "' is not NAME=N,N,..., like sr=16000");
      numbers.push_back(number);
      if (rest == end) break;
      at = rest + 1;
    }
  }
  return out;
}

std::optional<Task> task_of(const Arguments& arguments) {
  if (arguments.task.empty()) return std::nullopt;
  auto out = task_by_name(arguments.task);
  if (!out) {
    if (!lower(arguments.task).ends_with(".json"))
      refuse("--task '" + arguments.task + "' is none of " + joined(task_names()) +
             did_you_mean(task_names(), arguments.task) + ", and no recipe (.json)");
    out = read_task(arguments.task);
  }
  if (!arguments.names.empty())
    out->names = names_in(*out, read_text(readable(arguments.names), ErrorCode::bad_input));
  std::set<std::string> states;
  for (const auto& text : arguments.states) {
    const auto [input, output] = assignment(text, "--state");
    if (!states.insert(input).second) refuse("--state is given twice for input '" + input + "'");
    out->states[input] = output;
  }
  return out;
}

/// The model's file and the photos' as they were given, with an option or without.
struct Given {
  std::string model;
  std::vector<std::string> photos;
};
Given given_files(const Arguments& arguments) {
  Given out{arguments.model, arguments.photos};
  if (out.model.empty())
    out.model = arguments.first;
  else if (!arguments.first.empty())
    out.photos.push_back(arguments.first);
  out.photos.insert(out.photos.end(), arguments.rest.begin(), arguments.rest.end());
  const auto extension = lower(std::filesystem::path(out.model).extension().string());
  const auto pictures = picture_extensions();
  if (std::find(pictures.begin(), pictures.end(), extension) != pictures.end())
    refuse("'" + out.model + "' stands where the model goes: MODEL IMAGE, or --image " + out.model +
           " for a photo alone");
  if (out.model == "-")
    refuse("a model is read more than once, which standard input does not allow: name its file");
  for (auto& photo : out.photos) photo = readable(photo);
  return out;
}

/// A folder most often stands for what is in it.
void refuse_folder(const std::string& image) {
  std::error_code failure;
  if (!std::filesystem::is_directory(image, failure)) return;
  const auto inside = (std::filesystem::path(image) / "").string();
  throw Error(ErrorCode::bad_input,
              "a directory, not an image: name the images in it, like " + inside +
                  "*.jpg, or index them all with 'fovea index --images'",
              {.file = image, .node = {}, .op = {}});
}

// An input's name in front of a '=' decides.
std::pair<std::string, std::string> split_input(const std::string& text, const Model& model) {
  std::vector<std::string> names;
  for (const auto& input : model.inputs()) names.push_back(input.name);
  for (auto at = text.find('='); at != std::string::npos; at = text.find('=', at + 1))
    if (std::find(names.begin(), names.end(), text.substr(0, at)) != names.end())
      return {text.substr(0, at), text.substr(at + 1)};
  const auto equals = text.find('=');
  if (equals != std::string::npos && !std::filesystem::exists(text))
    return {text.substr(0, equals), text.substr(equals + 1)};
  return {names.size() == 1 ? names.front() : "", text};
}

/// Not a tensor's file, which is there or at least called like one.
bool are_words(const std::string& text) {
  return text != "-" && !lower(text).ends_with(".npy") && !std::filesystem::exists(text);
}

}  // namespace

std::vector<std::string> Asked::files() const {
  std::vector<std::string> out = {request.model.file};
  const auto add = [&](const RequestFile& file) { out.push_back(file.file); };
  if (request.second) add(request.second->model);
  for (const auto& file : {request.image, request.labels})
    if (file) add(*file);
  out.insert(out.end(), photos.begin(), photos.end());
  for (const auto& [name, file] : request.inputs) add(file);
  for (const auto& input : inputs) {
    out.push_back(input);
    out.push_back(input.substr(input.find('=') + 1));
  }
  for (const auto& target : request.targets) {
    if (target.kind == RequestTarget::Kind::similar_to) add(target.image);
    if (target.region && std::holds_alternative<RequestFile>(*target.region))
      add(std::get<RequestFile>(*target.region));
    for (const auto& name : files_in_text(target)) {
      const auto at = target.files.find(name);
      out.push_back(at != target.files.end() ? at->second.file : name);
    }
  }
  if (request.examples) add(request.examples->index);
  for (const auto& method : request.methods)
    for (const auto& [name, file] : method.given) add(file);
  out.insert(out.end(), also_read.begin(), also_read.end());
  return out;
}

void Asked::check_streams() const {
  std::vector<std::string> all = photos;
  const auto add = [&](const RequestFile& file) { all.push_back(file.file); };
  if (request.labels) add(*request.labels);
  for (const auto& input : inputs) all.push_back(readable(input.substr(input.find('=') + 1)));
  for (const auto& target : request.targets)
    if (target.kind == RequestTarget::Kind::similar_to) add(target.image);
  for (const auto& method : request.methods)
    for (const auto& [name, file] : method.given) add(file);
  all.insert(all.end(), also_read.begin(), also_read.end());
  if (std::count(all.begin(), all.end(), kStandardInput) > 1)
    refuse("two inputs are standard input, which can be read but once: name a file for one");
}

Asked asked(const Arguments& arguments) {
  Asked out;
  auto& request = out.request;
  auto given = given_files(arguments);
  request.model.file = model_file_or_demo(given.model);
  out.model_given = !given.model.empty();
  out.photo_given = !given.photos.empty();
  for (const auto& photo : given.photos) refuse_folder(photo);
  out.photos = std::move(given.photos);
  if (out.photos.empty() && arguments.inputs.empty()) out.photos = {demo_file(kDemoImage)};
  if (!out.photos.empty()) request.image = RequestFile{out.photos.front()};
  if (!arguments.preprocess.empty()) {
    request.preprocess = read_recipe(arguments.preprocess);
    out.also_read.push_back(arguments.preprocess);
  }
  if (!arguments.whole.empty())
    request.whole = arguments.whole == "letterbox" ? Whole::letterbox : Whole::stretch;
  request.exact_decode = arguments.exact_decode;
  request.task = task_of(arguments);
  request.fixed_inputs = fixed_inputs_of(arguments.fixed_inputs);
  if (!arguments.second.empty()) {
    request.second = RequestSecond{{arguments.second}};
    for (const auto& text : arguments.feeds)
      if (const auto pair = assignment(text, "--feed"); !request.second->inputs.insert(pair).second)
        refuse("--feed is given twice for input '" + pair.first + "'");
  }
  for (const auto& file : {arguments.task, arguments.names})
    if (!file.empty()) out.also_read.push_back(readable(file));
  if (!arguments.labels.empty()) request.labels = RequestFile{readable(arguments.labels)};
  request.input_shapes = shapes_of(arguments.input_shapes);
  request.output = arguments.output_name;
  request.multi_label = arguments.multi_label;
  request.token_grid = grid_of(arguments.token_grid);
  if (arguments.prefix_tokens >= 0) request.prefix_tokens = arguments.prefix_tokens;
  request.precision = precision_of(arguments.precision);
  request.optimize = !arguments.no_optimize;
  request.tuning = tuning_of(arguments);
  request.threads = arguments.threads;
  out.inputs = arguments.inputs;
  if (arguments.plan_cache == "-")
    refuse("--plan-cache is read and written again: name a file, not standard output");
  out.plan_cache = arguments.plan_cache;
  if (arguments.tuning_time >= 0)
    out.tuning_time = std::chrono::milliseconds(std::llround(arguments.tuning_time * 1e3));
  out.memory_limit = static_cast<std::int64_t>(arguments.memory_limit);
  return out;
}

Asked asked_of_model(const Arguments& arguments) {
  auto out = asked(arguments);
  if (out.photo_given) refuse("the model is given twice: --model, and " + out.photos.front());
  return out;
}

Asked asked(const ExplainArguments& arguments) {
  auto out = asked(static_cast<const Arguments&>(arguments));
  auto& request = out.request;
  request.methods = methods_of(arguments);
  if (request.methods.size() > 1) request.command = Request::Command::sheet;
  request.skip_unservable = arguments.method == "all";
  add_targets(request, arguments);
  request.layers = arguments.layers;
  request.fuse = fuse_of(arguments.fuse);
  request.smooth = arguments.smooth;
  request.keep_sign = arguments.keep_sign;
  request.normalize = normalize_of(arguments.normalize);
  request.colormap = colormap_of(arguments.colormap);
  request.alpha = arguments.alpha;
  request.opacity_by_value = arguments.opacity == "value";
  request.percentile = arguments.percentile;
  request.caption = arguments.caption;
  request.sheet_width = arguments.sheet_width;
  request.enlarge = !arguments.no_enlarge;
  request.box_share = arguments.box_share;
  request.words = arguments.words;
  if (!arguments.examples.empty())
    request.examples = RequestExamples{{arguments.examples}, arguments.example_count};
  return out;
}

void name_inputs(Asked& asked, const Model& model) {
  std::set<std::string> named;
  for (const auto& text : asked.inputs) {
    const auto [name, file] = split_input(text, model);
    if (!named.insert(name).second) refuse("--input is given twice for input '" + name + "'");
    if (!name.empty() && are_words(file)) {
      asked.request.questions[name] = file;
      continue;
    }
    asked.request.inputs[name].file = readable(file);
  }
}

}  // namespace fovea::cli
