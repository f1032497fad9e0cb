#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "colours.hpp"

/// fovea predict and explain of networks that have a task.
namespace fovea::cli_test {

using nlohmann::json;
using Names = std::vector<std::string>;

class Tasks : public testing::Test {
 protected:
  void use(const std::string& name) {
    std::filesystem::copy_file(fixture(name), scratch_ / (name + ".onnx"));
    model_ = name + ".onnx";
  }
  Outcome run(const std::string& command, Names extra) const {
    extra.insert(extra.begin(), {command, "--model", model_});
    return scratch_.fovea(extra);
  }
  nlohmann::json result(const std::string& command, Names extra) const {
    extra.insert(extra.end(), {"--json", "-"});
    const auto outcome = run(command, std::move(extra));
    expect_done(outcome);
    return nlohmann::json::parse(outcome.out);
  }
  void refused(const std::string& command, const Names& extra, const std::string& words,
               int status = 2) const {
    const auto outcome = run(command, extra);
    EXPECT_EQ(outcome.status, status) << words << "\n" << outcome.out;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << words << " in " << outcome.err;
  }
  /// All black but for rectangles of a colour, as [1, 3, h, 16].
  struct Patch {
    std::size_t colour, y, x, height, width;
    float value = 1;
  };
  void write_patches(const std::string& file, const std::vector<Patch>& patches,
                     std::size_t height = kSize) const {
    Tensor out{{1, 3, static_cast<std::int64_t>(height), kSize},
               std::vector<float>(3 * height * kSize)};
    for (const auto& patch : patches)
      for (std::size_t y = patch.y; y < patch.y + patch.height; ++y)
        for (std::size_t x = patch.x; x < patch.x + patch.width; ++x)
          out.data[(patch.colour * height + y) * kSize + x] = patch.value;
    write_npy(scratch_ / file, out);
  }
  std::vector<float> values(const std::string& file) const {
    return cli::read_npy(scratch_ / file).data;
  }

  Scratch scratch_;
  std::string model_;
};

}  // namespace fovea::cli_test
