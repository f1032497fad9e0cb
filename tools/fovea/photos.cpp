#include "photos.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace fovea::cli {
namespace {

constexpr std::string_view kOwnName = "{}";

bool has_own_name(const std::string& file) {
  return file.find(kOwnName) != std::string::npos;
}

/// Every file that is written but JSON's, with its option.
std::vector<std::pair<const char*, std::string*>> outputs_of(ExplainOutputs& files) {
  return {{"--output", &files.output},   {"--heatmap", &files.heatmap},
          {"--objects", &files.objects}, {"--spectrogram", &files.spectrogram},
          {"--html", &files.html},       {"--examples-output", &files.examples_output},
          {"--map", &files.map},         {"--feature-map", &files.feature_map},
          {"--logits", &files.logits}};
}

std::string json_line(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::vector<std::string> output_names(const std::vector<std::string>& files) {
  std::vector<std::string> out;
  std::set<std::string> own, taken;
  for (const auto& file : files) own.insert(std::filesystem::path(file).stem().string());
  for (const auto& file : files) {
    const auto stem = std::filesystem::path(file).stem().string();
    auto name = stem;
    for (int i = 2; taken.contains(name) || (name != stem && own.contains(name)); ++i)
      name = stem + "-" + std::to_string(i);
    taken.insert(name);
    out.push_back(std::move(name));
  }
  return out;
}

std::string with_name(const std::string& file, const std::string& name) {
  auto out = file;
  for (auto at = out.find(kOwnName); at != std::string::npos;
       at = out.find(kOwnName, at + name.size()))
    out.replace(at, kOwnName.size(), name);
  return out;
}

ExplainOutputs named(ExplainOutputs files, const std::string& name) {
  if (name.empty()) return files;
  for (const auto& [option, file] : outputs_of(files)) *file = with_name(*file, name);
  for (auto* file : {&files.json, &files.strip}) *file = with_name(*file, name);
  return files;
}

namespace {

void require_own_name(const std::string& option, const std::string& file, std::size_t photos) {
  if (photos < 2 || file.empty() || has_own_name(file)) return;
  const std::filesystem::path path(file);
  const auto own =
      file == "-"
          ? std::string("{}.png")
          : (path.parent_path() / (path.stem().string() + "-{}" + path.extension().string()))
                .string();
  throw Error(ErrorCode::invalid_argument,
              option + " names one file, and there are " + std::to_string(photos) +
                  " images: put {} where each one's name goes, as in " + own);
}

}  // namespace

void require_own_names(ExplainOutputs files, std::size_t photos) {
  for (const auto& [option, file] : outputs_of(files)) require_own_name(option, *file, photos);
}

void check_output_files(const ExplainOutputs& given, const Asked& asked) {
  asked.check_streams();
  const InputFiles inputs(asked.files());
  OutputFiles outputs;  // refuses a name that is there twice
  const auto check = [&](const std::string& file, std::span<const std::string_view> extensions) {
    if (file.empty()) return;
    check_output(file, extensions, inputs);
    outputs.add(file, std::string_view());
  };
  if (!asked.plan_cache.empty()) outputs.add(asked.plan_cache, std::string_view());
  auto names = output_names(asked.photos);
  if (names.empty()) names = {""};
  for (const auto& name : names) {
    const auto files = named(given, name);
    check(files.output, picture_extensions());
    check(files.heatmap, picture_extensions());
    check(files.objects, picture_extensions());
    check(files.spectrogram, picture_extensions());
    check(files.examples_output, picture_extensions());
    check(files.html, page_extensions());
    check(files.map, tensor_extensions());
    check(files.feature_map, tensor_extensions());
    check(files.logits, tensor_extensions());
    const bool first = &name == &names.front();
    if (first || files.json != given.json) check(files.json, {});
    if (first || files.strip != given.strip) check(files.strip, picture_extensions());
  }
}

void add_plain(Session& session, const ExplainOutputs& names, OutputFiles& files) {
  if (!names.output.empty() && session.photo)
    files.add(names.output,
              encode_image(session.photo->pixels.image, picture_extension(names.output), {}));
  std::string left;
  for (const auto* file : {&names.heatmap, &names.strip, &names.spectrogram, &names.html,
                           &names.examples_output, &names.map, &names.feature_map})
    if (!file->empty()) left += (left.empty() ? "" : ", ") + *file;
  for (const auto* file : {&names.output, &names.objects})
    if (!file->empty() && !session.photo) left += (left.empty() ? "" : ", ") + *file;
  if (!left.empty())
    session.warnings.push_back("nothing was found to explain: not written: " + left);
}

Photos::Photos(const std::vector<std::string>& files, std::string json)
    : files_(files), names_(output_names(files)), json_(std::move(json)) {}

bool Photos::one_place() const {
  return several() && !json_.empty() && !has_own_name(json_);
}

void Photos::failed(const std::string& file, const Error& error) {
  ++failed_;
  std::fprintf(stderr, "fovea: error: %s\n", error.what());
  if (!one_place()) return;
  const Json line = {{"image", file}, {"error", error.what()}};
  if (json_ == "-")
    print(json_line(line));
  else
    lines_ += json_line(line);
}

Session Photos::open(const Asked& asked, bool whole_photo) {
  for (;; ++first_) {
    auto one = asked;
    if (!files_.empty()) one.request.image->file = files_[first_];
    try {
      auto session = open_session(std::move(one), whole_photo);
      // As take_photo wants to hear of the photos that follow.
      if (several() && whole_photo) session.request.exact_decode = true;
      return session;
    } catch (const Error& error) {
      if (!several() || error.code() != ErrorCode::bad_input ||
          error.context().file != files_[first_])
        throw;
      failed(files_[first_], error);
      if (first_ + 1 == files_.size()) finish();
    }
  }
}

void Photos::each(Session& session, const std::function<void(const std::string& name)>& work,
                  const std::function<void()>& last) {
  const auto warnings = session.warnings;
  for (auto i = first_; i < std::max<std::size_t>(files_.size(), 1); ++i) {
    try {
      if (i > first_) {
        session.times = {};
        session.warnings = warnings;
        session.take_photo(files_[i]);
      }
      work(files_.empty() ? std::string() : names_[i]);
    } catch (const Error& error) {
      if (!several() || error.code() != ErrorCode::bad_input) throw;
      failed(files_[i], error);
    } catch (const ReaderGone&) {
      write_lines();  // of those whose files are there
      throw;
    }
  }
  if (last) last();
  finish();
}

void Photos::write_lines() const {
  if (!one_place() || json_ == "-") return;
  OutputFiles out;
  out.add(json_, std::string_view(lines_));
  out.write();
  out.keep();
}

void Photos::finish() const {
  write_lines();
  if (failed_ > 0)
    throw Error(ErrorCode::bad_input, std::to_string(failed_) + " of " +
                                          std::to_string(files_.size()) +
                                          " images could not be read");
}

void Photos::add_json(OutputFiles& files, const std::string& json, const Json& document) {
  if (json.empty()) return;
  if (!one_place())
    files.add(json, json_text(document));
  else if (json == "-")
    files.add(json, json_line(document));
  else
    lines_ += json_line(document);
}

std::vector<std::string> Photos::warnings(const Session& session) const {
  auto out = session.warnings;
  if (several())
    for (auto& warning : out) warning.insert(0, session.photo->file + ": ");
  return out;
}

std::string Photos::heading(const Session& session) const {
  return several() ? "photo        " + session.photo->file + "\n" : std::string();
}

}  // namespace fovea::cli
