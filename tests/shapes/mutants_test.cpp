#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "shapes/asked.hpp"
#include "shapes/mutate.hpp"

/// The golden networks with fields changed: whatever comes of it is an answer or a refusal.
namespace fovea::shapes_test {
namespace {

namespace fs = std::filesystem;

/// Sorted, so that a number names the same network everywhere.
std::vector<fs::path> networks() {
  std::vector<fs::path> out;
  const fs::path root = FOVEA_SOURCE_DIR;
  for (const auto& entry : fs::directory_iterator(root / "tests/golden/data"))
    if (fs::exists(entry.path() / "model.onnx")) out.push_back(entry.path() / "model.onnx");
  std::sort(out.begin(), out.end());
  out.push_back(root / "tools/demo/models/demo_gap.onnx");
  out.push_back(root / "tools/demo/models/demo_fc.onnx");
  return out;
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Mutant `number` is made of network number % networks.
std::string broken_mutant(std::int64_t number, Tally& tally) {
  static const auto files = networks();
  const auto& file = files[static_cast<std::size_t>(number) % files.size()];
  Draw draw(static_cast<std::uint64_t>(number) + (std::uint64_t{1} << 40U));
  Question question;
  question.bytes = mutated(read(file), draw, question.told);
  question.told = file.lexically_relative(FOVEA_SOURCE_DIR).string() + ": " + question.told;
  if (const auto* keep = std::getenv("FOVEA_MUTANT_FILE"); keep != nullptr)
    std::ofstream(keep, std::ios::binary) << question.bytes;
  question.load.external_data = file.parent_path();
  const auto all = methods();
  question.method = all[draw.index(all.size())].name;
  auto& options = question.options;
  options.compile.tuning = Tuning::off;
  options.pool.threads = 1;
  options.pool.max_workspaces = 4;
  options.pool.memory_limit = std::int64_t{256} << 20;
  options.compile.batch = draw.one_of<std::int64_t>({1, 1, 2});
  options.compile.optimize = draw.chance(80);
  options.prepare.smoothing = draw.chance(10);
  options.prepare.targets_at_once = draw.one_of<std::int64_t>({1, 1, 4});
  question.explain.smooth = options.prepare.smoothing;
  question.compare = false;
  // As their own tests bind what the file leaves open.
  try {
    const auto model =
        Model::from_bytes(std::as_bytes(std::span(question.bytes.data(), question.bytes.size())));
    for (const auto& input : model.inputs()) {
      Shape shape = input.shape;
      for (std::size_t d = 1; d < shape.size(); ++d)
        if (shape[d] < 0) shape[d] = 32;
      options.compile.input_shapes[input.name] = shape;
    }
  } catch (const Error&) {  // asked again, and judged, below
  }
  return broken(question, draw, tally);
}

// FOVEA_MUTANTS=2000 makes more, FOVEA_MUTANTS_FIRST=17 starts at another one, and
// FOVEA_MUTANT_FILE=x.onnx keeps the last one.
TEST(Mutants, OfGoldenNetworksAreAnsweredOrRefused) {
  const auto count = number_from_environment("FOVEA_MUTANTS", 200);
  const auto first = number_from_environment("FOVEA_MUTANTS_FIRST", 0);
  Tally tally;
  const auto found = faults(first, count, broken_mutant, tally);
  EXPECT_TRUE(found.empty()) << listed(found);
  RecordProperty("runs", std::to_string(tally.runs));
  RecordProperty("answers", std::to_string(tally.answers));
  // Were all refused at the door, nothing behind it would be tried.
  if (count >= 100) {
    EXPECT_GT(tally.runs, count / 6);
  }
}

}  // namespace
}  // namespace fovea::shapes_test
