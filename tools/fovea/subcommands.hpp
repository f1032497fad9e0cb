#pragma once

#include <cstdint>
#include <string>

#include "arguments.hpp"
#include "explain_arguments.hpp"

/// What each subcommand is told, and its work. Each throws Error.
namespace fovea::cli {

struct PredictArguments : Arguments, Outputs {
  std::int64_t top = 5;
};

struct BenchArguments : Arguments, Outputs {
  std::string method = "gradcam", layer;
  std::int64_t batch = 0;  // 0: what the model and --input-shape say, 1 where they leave it open
  std::int64_t runs = 0;
  double seconds = 10;
  int workers = 0;
  double rate = 0;  // runs due per second; 0: one as soon as the other is done
  int busy = 0;
  std::string images;   // a folder; empty: random inputs
  std::string compare;  // a report of before, or empty
  bool layers = false;
};

struct IndexArguments : Arguments, Outputs {
  std::string images;  ///< a folder
  std::string output;
  std::string layer;
  bool folder_labels = false;
};

struct InspectArguments : Arguments, Outputs {
  bool nodes = false;
  std::string target;  ///< or empty
};

struct MethodsArguments {
  std::string json;
  bool markdown = false;
};

void explain(const ExplainArguments& arguments, const IsGiven& is_given);
void predict(const PredictArguments& arguments);
void bench(const BenchArguments& arguments);
void index(const IndexArguments& arguments);
void inspect(const InspectArguments& arguments);
void list_methods(const MethodsArguments& arguments);
void show_version(const std::string& json_file);

}  // namespace fovea::cli
