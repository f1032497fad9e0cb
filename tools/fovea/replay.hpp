#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "explain_arguments.hpp"
#include "json_output.hpp"
#include "session.hpp"
#include "sha256.hpp"

/// A result made again from what it says about itself.
namespace fovea::cli {

class Replay {
 public:
  /// Reads the provenance in a result's JSON or in a PNG that fovea wrote. Throws Error
  /// invalid_argument where there is none, or one of a later format or of another subcommand.
  explicit Replay(const std::string& file);

  /// Fills in what the command line leaves out.
  void fill(ExplainArguments& arguments, const IsGiven& is_given) const;

  /// Before anything is loaded: throws Error bad_model or bad_input where the model's file or the
  /// image is not the one recorded. Labels change no map: those that are gone are done without.
  void check_files(ExplainArguments& arguments, Digests& digests) const;

  /// Once everything is loaded: the same for the model's external weights and for tensors. Warns of
  /// other versions, of other labels, and of a photo that is decoded otherwise.
  void check_session(Session& session, Digests& digests) const;

 private:
  std::string file_;
  Json recorded_;
};

}  // namespace fovea::cli
