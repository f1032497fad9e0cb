#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "colours.hpp"

/// fovea explain-all over a folder of small pictures.
namespace fovea::cli_test {

using Words = std::vector<std::string>;

/// Files below a folder, by their names as seen from it, with what is in them.
inline std::map<std::string, std::string> contents(const std::filesystem::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      out[entry.path().lexically_relative(folder).string()] = read_file(entry.path());
  return out;
}

/// So that a difference is told by name.
inline std::vector<std::string> differences(const std::map<std::string, std::string>& one,
                                            const std::map<std::string, std::string>& other) {
  std::vector<std::string> out;
  for (const auto& [name, bytes] : one)
    if (!other.contains(name) || other.at(name) != bytes) out.push_back(name);
  for (const auto& [name, bytes] : other)
    if (!one.contains(name)) out.push_back(name);
  return out;
}

class ManyPhotos : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy_file(fixture("colours"), scratch_ / "net.onnx");
    for (const auto* folder : {"photos", "photos/b", "photos/b/deep"})
      std::filesystem::create_directory(scratch_ / folder);
  }
  /// Ten of different extents, in three folders.
  void write_photos(int first = 0) const {
    for (int i = first; i < 10; ++i) {
      const std::string folder[] = {"", "b/", "b/deep/"};
      write_image(scratch_ / ("photos/" + folder[i % 3] + std::to_string(i) + ".png"),
                  red_and_blue(20 + 3 * i, 40 - 2 * i));
    }
  }
  /// What `extra` does not say otherwise of model, photos and folder is as usual.
  Words command(Words extra = {}) const {
    Words out = {"explain-all"};
    for (const auto& [option, usual] :
         {std::pair{"--model", "net.onnx"}, {"--images", "photos"}, {"--output", "out"}})
      if (std::find(extra.begin(), extra.end(), option) == extra.end())
        out.insert(out.end(), {option, usual});
    out.insert(out.end(), extra.begin(), extra.end());
    return out;
  }
  Outcome all(Words extra = {}) const { return scratch_.fovea(command(std::move(extra))); }
  Outcome shell(const std::string& line) const {
    return run_command({"bash", "-c", line}, scratch_.path());
  }
  std::vector<nlohmann::json> lines(const std::string& folder = "out") const {
    std::vector<nlohmann::json> out;
    std::ifstream stream(scratch_ / (folder + "/results.jsonl"));
    for (std::string line; std::getline(stream, line);) out.push_back(nlohmann::json::parse(line));
    return out;
  }
  Words images_of_lines() const {
    Words out;
    for (const auto& line : lines())
      if (line.contains("image")) out.push_back(line["image"]);
    return out;
  }
  void expect_refused(const Outcome& outcome, int status, const std::string& text) const {
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << text << " in: " << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }

  Scratch scratch_;
};

}  // namespace fovea::cli_test
