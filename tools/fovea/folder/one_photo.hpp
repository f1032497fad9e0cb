#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "finish.hpp"
#include "folder/arguments.hpp"
#include "folder/rows.hpp"
#include "folder/turns.hpp"
#include "reasons.hpp"
#include "session.hpp"
#include "sha256.hpp"

/// A photo of many: its files and its line.
namespace fovea::cli {

/// An output's file, folder or line cannot be written: of no photo's, so that the call ends.
struct Unwritable {
  Error error;
};

/// Runs `work`; an Error of it becomes Unwritable.
template <class Work>
decltype(auto) writing(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw Unwritable{error};
  }
}

/// What all photos of a call share, from when they are known to the end. Read only.
struct ManyPhotos {
  const ExplainAllArguments& arguments;
  const std::vector<std::string>& files;
  const std::vector<std::string>& names;  ///< of their outputs
  const Reasons& reasons;
  const InputFiles& inputs;
  const Digests& digests;                    ///< of what is no photo
  const std::vector<std::string>& warnings;  ///< of all photos: no part of their lines
};

/// The files that are written of the photo with this name.
ExplainOutputs outputs_of(const ExplainAllArguments& arguments, const std::string& name);

/// A line's beginning: {image, name, sha256, status}.
Json row_json(const ManyPhotos& many, std::size_t place, const std::optional<std::string>& sha256,
              const std::string& status);
/// Of a photo that failed.
Row failed_row(const ManyPhotos& many, std::size_t place, const std::string& error);

/// A thread's own: a session, and an explainer that is shared unless targets follow the photo.
class OnePhoto {
 public:
  OnePhoto(const ManyPhotos& many, const Session& session, const Prepared& prepared,
           std::stop_token stop);

  /// Explains the photo and writes its files; `is_open`: the session has it already. Throws Error:
  /// cancelled, and what is wrong with the photo or with what is asked; Unwritable.
  Row explained(std::size_t place, bool is_open);

 private:
  Json answered(std::size_t place, bool is_open, Files& files, Digests& digests);

  const ManyPhotos& many_;
  Session session_;
  const Prepared& prepared_;
  CallOptions limits_;
};

/// The same with a turn, and with fewer at once where memory does not allow for as many. What is
/// wrong with the photo, or with what is asked of it, is its line's.
Row explained_in_turn(OnePhoto& one, Turns& turns, const ManyPhotos& many, std::size_t place);

}  // namespace fovea::cli
