#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/caption_writer.hpp"
#include "fovea/explainer.hpp"
#include "fovea/findings.hpp"
#include "fovea/image.hpp"
#include "fovea/model.hpp"
#include "fovea/origins.hpp"
#include "fovea/request.hpp"
#include "fovea/task.hpp"

/// From a request to its answer: in one call (`run`), or stage by stage, for who wants something in
/// between. Sentences of errors call members as the options of the command line are called.
namespace fovea {

/// Names of classes.
using Labels = std::vector<std::string>;

/// One label per line; a leading WordNet id ("n01440764 tench, Tinca tinca") is cut off; blank
/// lines at the end do not count.
FOVEA_API Labels parse_labels(std::string_view text);
/// The same from a file. Throws Error invalid_argument naming the file.
FOVEA_API Labels read_labels(const std::filesystem::path& file);
/// The class whose label is `text`: the whole label; else the label or one of its comma-separated
/// names, whatever the case; else the only label that contains it. Throws Error invalid_argument
/// listing the candidates where there are several, or the nearest where there are none.
FOVEA_API std::int64_t find_label(const Labels& labels, const std::string& text);

/// The names of classes that the model brings: "fovea.labels" of its metadata; else those that its
/// graph holds for `output` (empty: for all outputs that have any, if they agree); else what others
/// write into metadata. Empty where there are none.
FOVEA_API Labels labels_of(const Model& model, const std::string& output = {});

/// How the model says that a photo becomes its input: "fovea.preprocess" of its metadata, or ONNX's
/// properties of image models. Throws Error bad_model, calling it `file`, where that makes no
/// sense.
FOVEA_API std::optional<Recipe> recipe_of(const Model& model, const std::string& file = {});
/// What such an input gets where nobody says: ImageNet's recipe, of integers the pixels as they
/// are. Throws Error invalid_argument for a type that holds no pixel.
FOVEA_API Recipe assumed_recipe(const ValueInfo& input);

/// Where an image's extents are in a shape.
struct ImageShape {
  Layout layout = Layout::nchw;
  std::int64_t channels = 0, height = 0, width = 0;
};
/// [n, c, h, w] or [n, h, w, c] with 1 or 3 channels; [3, h, w] or [h, w, 3], one image; none for
/// anything else.
FOVEA_API std::optional<ImageShape> image_shape(const Shape& shape);

/// The registry's row. Throws Error invalid_argument, listing the known methods.
FOVEA_API const MethodInfo& method_info(const std::string& name);

/// Throws Error invalid_argument for an input that the model does not have, or for other extents
/// than its own.
FOVEA_API void require_shapes(const Model& model, const std::map<std::string, Shape>& shapes);

/// Throws Error invalid_argument, naming the nearest layers where one of `layers` does not exist.
FOVEA_API void require_layers(const Model& model, const ExplainerOptions& options,
                              const std::vector<std::string>& layers, const CallOptions& call = {});

/// Who says how a photo becomes the input. Assumed: nobody; an input of floats then gets ImageNet's
/// recipe, one of integers the pixels as they are.
enum class RecipeSource { request, model, assumed };

/// A photo as a model's input.
struct SessionPhoto {
  std::string file;
  ReducedImage pixels;
  Preprocess recipe;
  /// The recipe that was said, where Request::whole leaves its crop out.
  std::optional<Preprocess> left_recipe = {};
  RecipeSource recipe_source = RecipeSource::request;
  View view;          ///< what of the photo the network sees
  std::string input;  ///< the model's input that it feeds

  /// True where every pixel was decoded.
  bool is_whole() const {
    return pixels.image.width == pixels.width && pixels.image.height == pixels.height;
  }
};

/// Wall time of each stage, milliseconds.
struct SessionTimings {
  double load = 0, create = 0, decode = 0, preprocess = 0;
  double forward = 0, backward = 0, map = 0;
  double render = 0, encode = 0;  ///< of whoever draws the answer
};

/// A request with its model and its inputs.
struct FOVEA_API Session {
  Request request;  ///< every input by its name, every label as its class
  Model model;
  Labels labels = {};
  ExplainerOptions options = {};               ///< without layers and methods
  std::map<std::string, Tensor> tensors = {};  ///< one per input, by its name
  std::optional<SessionPhoto> photo = {};
  std::optional<Task> task = {};  ///< the request's or the model's, filled in for its extents
  FindLogits logits = {};         ///< of the task's outputs
  /// Of this photo, once it was asked about in the task's words.
  std::optional<Findings> found = {};
  Outputs outputs = {};
  std::vector<TargetValue> values = {};
  /// The request's targets where they are the task's words, and what these came to for this photo:
  /// `request.targets` has one for each.
  std::vector<RequestTarget> asked = {};
  std::vector<Target> resolved = {};
  /// The layer of each, where they have default layers of their own (boxes of several levels).
  std::vector<std::string> own_layers = {};
  /// Of a captioner that takes one word at a time. Its model, task and inputs are the session's
  /// until `explainer`, `prepare` or `ask` has the photo's caption written; then these are the
  /// network of all of its words, and `one_step` what they were.
  std::optional<CaptionWriter> writer = {};
  struct OneStep {
    Model model;
    Task task;
    CompileOptions compile;
    std::map<std::string, Tensor> tensors;
  };
  std::optional<OneStep> one_step = {};
  std::vector<std::int64_t> tokens = {};  ///< of a caption that was given to it
  std::string layer_of_words = {};        ///< the default layer of a caption's words
  bool went_on = false;                   ///< states of the task are those of a run before
  SessionTimings times = {};
  std::vector<std::string> warnings = {};

  /// Another photo in place of the request's; states of a task go on from the run before. Throws as
  /// open_session.
  void take_photo(const std::string& file);
  Feeds feeds() const;
  /// Throws Error invalid_argument naming the nearest layers where one of `layers` does not exist.
  Explainer explainer(const std::vector<std::string>& layers, const std::vector<Method>& methods,
                      const CallOptions& call = {});
  Run forward(const Explainer& explainer, const CallOptions& call = {});
  /// The same, and what the run says in the task's terms (`found`); a caption is written first.
  Run ask(const Explainer& explainer, const CallOptions& call = {});
};

/// The request's model, with its second behind it. Throws as Model::load and `joined`.
FOVEA_API Model load_model(const Request& request);

/// Reads the model, the labels and the photo or the tensors. `whole_photo`: every pixel of the
/// photo is wanted, not only what the network sees of it. Digests are recorded, not checked. Throws
/// Error: invalid_argument, bad_model, bad_input, unsupported.
FOVEA_API Session open_session(Request request, bool whole_photo = false);
/// The same with a model that was loaded.
FOVEA_API Session open_session(Request request, Model model, bool whole_photo = false);

/// Do the request's targets depend on what the network says of the photo, so that `prepare` has to
/// be called for each?
FOVEA_API bool follows_photo(const Session& session);

/// An explainer, and the methods that it can serve.
struct Prepared {
  std::vector<RequestMethod> served;
  std::vector<Method> methods;  ///< the same with their tensors
  Explainer explainer;
};
/// Compiles the session's model for its request, and for `also`. Throws Error invalid_argument for
/// methods that the model cannot serve, unless the request leaves them out, which is a warning.
FOVEA_API Prepared prepare(Session& session, const std::vector<Method>& also = {},
                           const CallOptions& call = {});

/// What a request comes to.
struct Answer {
  /// What was explained: with the session's files and extents, classes in place of labels and of
  /// ranks (of several images these stay), every option of every method. Run again, it gives the
  /// same.
  Request request;
  std::vector<Target> targets;  ///< the request's, in the library's terms
  Run run;
  /// Image by image, target by target; of a sheet target by target, layer by layer, method by
  /// method.
  std::vector<Explanation> explanations;
};
/// `call` gives the limits of the call that a method makes. Throws Error invalid_argument for
/// targets that the scores do not allow, bad_input for their files, and what the run throws.
FOVEA_API Answer answer(Session& session, const Prepared& prepared,
                        const std::function<CallOptions(const Method&)>& call = {});

/// All of it: `require_recorded`, opens, prepares, answers. Of `explain` and `sheet`; what the
/// request says of drawing, words and examples is left to the caller (overlay, describe,
/// ExampleIndex).
FOVEA_API Answer run(Request request, const CallOptions& call = {});

/// The session's request with what was found out on the way: extents, recipe, output, precision.
FOVEA_API Request came_out(const Session& session, const Explainer& explainer);

/// The files that a target's text names, each once; none of a text that cannot be read.
FOVEA_API std::vector<std::string> files_in_text(const RequestTarget& target);

/// Takes the SHA-256 of every file of the request, by `digest` or sha256_of.
FOVEA_API void take_digests(
    Request& request,
    const std::function<std::optional<std::string>(const std::string&)>& digest = {});

/// Is every file of the request what it was when its digest was taken (RequestFile::sha256)? Those
/// that have none were not recorded, and may hold anything. Throws Error bad_model or bad_input for
/// a file that holds something else now, or whose digest could not be taken. Labels change no map:
/// other ones are a warning, and those that are gone are done without. A file that is not there is
/// left to who reads it. Cost: reads every file that has a digest.
FOVEA_API std::vector<std::string> require_recorded(
    Request& request,
    const std::function<std::optional<std::string>(const std::string&)>& digest = {});
/// The same of one file, `what` it is called, wherever it is now.
FOVEA_API void require_recorded(
    const std::string& what, const std::string& file, const RequestFile& recorded, ErrorCode code,
    const std::function<std::optional<std::string>(const std::string&)>& digest = {});
/// The warning.
FOVEA_API std::string other_labels(const std::string& recorded);

}  // namespace fovea
