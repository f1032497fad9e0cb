#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "cli/program.hpp"
#include "shapes/asked.hpp"
#include "shapes/expected.hpp"
#include "support/npy.hpp"

/// The reported models by the program: its scores, or an exit status that names a refusal.
namespace fovea::shapes_test {
namespace {

std::string number(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

class ReportsByTheProgram : public testing::TestWithParam<std::string> {};

TEST_P(ReportsByTheProgram, EveryMethodAnswersRightlyOrRefuses) {
  const auto& want = expected().at(GetParam());
  const auto scores = tensor_of(want.at("scores")).data;
  const cli_test::Scratch scratch;
  for (const auto& info : methods()) {
    SCOPED_TRACE(info.name);
    std::vector<std::string> arguments = {
        "explain",  "--model",   report_file(GetParam() + ".onnx"),
        "--method", info.name,   "--tune",
        "off",      "--threads", "1",
        "--class",  "0",         "--logits",
        "y.npy"};
    for (const auto& [input, file] : want.at("feeds").items()) {
      arguments.push_back("--input");
      arguments.push_back(input + "=" + report_file(file.get<std::string>()));
    }
    arguments.insert(arguments.end(), {"--output-name", "y"});
    Draw draw(1);
    for (const auto& [name, value] : cheap_method(info, {1}, draw).options)
      arguments.insert(arguments.end(), {"--option", name + "=" + number(value)});
    for (const auto& tensor : info.given)
      if (tensor.required)
        arguments.insert(arguments.end(), {"--given", tensor.name + "=" + report_file("x.npy")});
    const auto outcome = scratch.fovea(arguments);
    if (outcome.status == 0) {
      const auto got = testing_support::read_npy(scratch / "y.npy").data;
      EXPECT_EQ(unlike(got, scores, "y"), "");
    } else {
      EXPECT_TRUE(outcome.status >= 2 && outcome.status <= 5) << outcome.status << outcome.err;
      EXPECT_GE(std::count(outcome.err.begin(), outcome.err.end(), ' '), 3) << outcome.err;
      EXPECT_EQ(outcome.err.find("another size"), std::string::npos) << outcome.err;
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& [name, value] : expected().items()) out.push_back(name);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Shapes, ReportsByTheProgram, testing::ValuesIn(names()),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace fovea::shapes_test
