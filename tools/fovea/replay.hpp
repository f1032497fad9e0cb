#pragma once

#include <string>
#include <vector>

#include "asked.hpp"
#include "session.hpp"
#include "sha256.hpp"

/// A result made again from what it says about itself.
namespace fovea::cli {

class Replay {
 public:
  /// Reads the provenance in a result's JSON or in a PNG that fovea wrote. Throws Error
  /// invalid_argument where there is none, or one of a later format or of another subcommand.
  explicit Replay(const std::string& file);

  /// What is asked for again, but for what the command line says anew. Files that are not where
  /// they were, or hold something else now, are looked for beside the result.
  Asked asked(const ExplainArguments& arguments, const IsGiven& given, Digests& digests) const;

  /// Before anything is loaded: throws Error bad_model or bad_input where the model's file or the
  /// image is not the one recorded. Labels change no map: those that are gone are done without.
  void check_files(Request& request, Digests& digests) const;

  /// Once everything is loaded: the same for the model's external weights and for tensors. Warns of
  /// other versions, of other labels, and of a photo that is decoded otherwise.
  void check_session(Session& session, Digests& digests) const;

 private:
  void locate(RequestFile& file, Digests& digests) const;
  void locate_all(Request& request, Digests& digests) const;

  std::string file_;
  Request recorded_;
  std::string fovea_, onednn_;  // the versions that it was made with
};

}  // namespace fovea::cli
