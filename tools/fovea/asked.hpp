#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "explain_arguments.hpp"
#include "fovea/session.hpp"

/// From the command line to a request: the one place where options' texts are read.
namespace fovea::cli {

/// A request, and what of the command line is no part of it.
struct Asked {
  Request request;
  /// --input, FILE or NAME=FILE. Both may have '=' in them, so that the model's names decide.
  std::vector<std::string> inputs;
  std::string plan_cache;
  std::optional<std::chrono::milliseconds> tuning_time;  ///< CompileOptions's
  std::int64_t memory_limit = 0;                         ///< bytes; 0: as ExplainerOptions has it
  std::vector<std::string> also_read;                    ///< files that are no part of the request
  std::vector<std::string> photos;  ///< the request's image, then others to be asked the same of
  bool model_given = false, photo_given = false;  ///< else the demo's

  /// Every file that is read, so that no output overwrites one.
  std::vector<std::string> files() const;
  /// Throws Error invalid_argument where two of them are standard input, which is read but once.
  void check_streams() const;
};

/// The options that all subcommands share. Throws Error invalid_argument naming the option.
Asked asked(const Arguments& arguments);

/// The same for a subcommand that takes a model and no photo. Throws for a second file.
Asked asked_of_model(const Arguments& arguments);

/// `fovea explain`: one method, or a sheet of several.
Asked asked(const ExplainArguments& arguments);

/// Names what --input gives: into the request's inputs, in place of those of the same name. Throws
/// Error invalid_argument for an input that is given twice.
void name_inputs(Asked& asked, const Model& model);

}  // namespace fovea::cli
