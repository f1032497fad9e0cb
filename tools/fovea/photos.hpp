#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "explain_arguments.hpp"
#include "json_output.hpp"
#include "outputs.hpp"
#include "session.hpp"

/// The photos of one call, one after the other.
namespace fovea::cli {

/// A name for each file, none twice: what stands for {} in the names of its outputs. The file's own
/// without folder and extension, with -2, -3, ... behind it where another has that.
std::vector<std::string> output_names(const std::vector<std::string>& files);

/// The file's name with `name` in the place of each {}.
std::string with_name(const std::string& file, const std::string& name);

/// The files that a call writes, as they are called for the photo of this name.
ExplainOutputs named(ExplainOutputs files, const std::string& name);

/// Refuses file names that several photos would share, but for JSON's and the strip's. Throws Error
/// invalid_argument naming the option.
void require_own_names(ExplainOutputs files, std::size_t photos);

/// Refuses what cannot be written of a call's files, before anything is: names that are inputs,
/// there twice, or of no kind that is known. Throws Error invalid_argument.
void check_output_files(const ExplainOutputs& given, const Asked& asked);

/// Where nothing was found to explain: the photo as it is where the overlay goes, and a warning for
/// what else was asked for.
void add_plain(Session& session, const ExplainOutputs& names, OutputFiles& files);

class Photos {
 public:
  /// None: what is asked about is no photo. `json` is where the results go as JSON: of several
  /// photos to one place a line for each, those that cannot be read among them.
  Photos(const std::vector<std::string>& files, std::string json);

  /// With the first photo that can be read. Throws as cli::open_session.
  Session open(const Asked& asked, bool whole_photo);

  /// Calls `work` for each photo that can be read, with its name and the session at it; once, with
  /// no name, where there is none. Those that cannot be read are told on standard error; afterwards
  /// Error bad_input says how many they were, and before that `last` is called.
  void each(Session& session, const std::function<void(const std::string& name)>& work,
            const std::function<void()>& last = {});

  /// The result where --json wants it, under `json`, this photo's file name.
  void add_json(OutputFiles& files, const std::string& json, const Json& document);
  /// What a person reads above the result of one of several photos; else nothing.
  std::string heading(const Session& session) const;
  /// The session's, of several photos each with its photo's name.
  std::vector<std::string> warnings(const Session& session) const;

 private:
  bool several() const { return files_.size() > 1; }
  bool one_place() const;
  void failed(const std::string& file, const Error& error);
  void write_lines() const;
  void finish() const;

  std::vector<std::string> files_, names_;
  std::string json_, lines_;
  std::size_t first_ = 0, failed_ = 0;
};

}  // namespace fovea::cli
