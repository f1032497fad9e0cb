#pragma once

#include <optional>
#include <string>
#include <vector>

#include "explain_arguments.hpp"
#include "fovea/image.hpp"
#include "fovea/request.hpp"
#include "json_output.hpp"
#include "session.hpp"
#include "sha256.hpp"

/// Explanations beside maps: sentences, and the nearest examples of an index.
namespace fovea::cli {

/// Throws Error invalid_argument for options that do not go together.
void check_reasons(const Request& request, const ExplainOutputs& outputs);

/// Of one image and target.
struct Reason {
  std::optional<Description> words;  ///< where --words
  std::vector<Example> examples;     ///< where --examples
  std::string features;              ///< the layer whose channels they are about; empty: none
};

/// The layer whose channels tell pictures apart, of those that were prepared. A warning where it is
/// not the one whose map is drawn, or where no layer's channels do.
std::string feature_layer(Session& session, const Explainer& explainer);

/// What an index was made from and with, for this model, layer and input. What is no photo has no
/// recipe: `of` is taken at its word then.
ExampleOrigin origin_of(const Session& session, const Explainer& explainer, Digests& digests,
                        const ExampleOrigin* of);

class Reasons {
 public:
  /// Reads the index. Throws Error bad_input. `images` is the folder that it was made from.
  Reasons(Request request, std::string images);

  /// What the explainer is to be prepared for beside the request's method; says so in the session's
  /// options.
  std::vector<Method> methods(Session& session) const;
  /// Throws Error invalid_argument where the index is of another model, layer or recipe.
  void check(const Session& session, const Explainer& explainer, Digests& digests) const;
  /// One for each explanation, image by image, target by target. The photo itself, by its digest,
  /// is no example of itself.
  std::vector<Reason> find(Run& run, Session& session, const Explainer& explainer, Digests& digests,
                           const std::vector<Target>& targets,
                           const std::vector<Explanation>& explanations) const;
  /// A row for each explanation: the photo, then the examples. Warns of pictures that cannot be
  /// read.
  Image sheet(Session& session, const std::vector<Explanation>& explanations,
              const std::vector<Reason>& reasons) const;

 private:
  Request request_;
  std::string images_;
  std::optional<ExampleIndex> index_;
};

/// Adds "features", "sentence" and "examples" to a row of the JSON, where they were asked for.
void add_reason(Json& row, const Reason& reason, bool with_examples);
/// What a person reads, a line each; empty where there is nothing.
std::string reason_text(const Reason& reason);

}  // namespace fovea::cli
