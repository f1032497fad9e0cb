#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fovea/explainer.hpp"
#include "fovea/explanation.hpp"
#include "fovea/export.hpp"
#include "fovea/image.hpp"
#include "fovea/localization.hpp"
#include "fovea/spelling.hpp"
#include "fovea/task.hpp"
#include "fovea/tensor.hpp"

/// What somebody asks of a model, as one value: to be kept, sent, and run again. Plain data, which
/// compares, copies and has one JSON form.
namespace fovea {

/// A file, and what it held.
struct RequestFile {
  std::string file = {};
  /// In 64 hexadecimal digits. None: not recorded. Empty: it could not be taken, as of a pipe.
  std::optional<std::string> sha256 = {};

  friend bool operator==(const RequestFile&, const RequestFile&) = default;
};

/// How a photo becomes the input, where not all of it is said.
struct Recipe {
  Preprocess values = {};
  /// Else the number of the input's channels decides: one gets luma, with the mean of `values.mean`
  /// and of `values.std`.
  bool order_given = false;
  int width = 0, height = 0;  ///< the input's, for a model that leaves them open; 0: not given

  friend bool operator==(const Recipe&, const Recipe&) = default;
};

/// A method, with files in place of tensors.
struct RequestMethod {
  std::string name = "gradcam";
  std::map<std::string, double> options = {};           ///< Method::options
  std::map<std::string, std::string> layer_rules = {};  ///< Method::layer_rules
  std::map<std::string, RequestFile> given = {};        ///< Method::given, .npy

  friend bool operator==(const RequestMethod&, const RequestMethod&) = default;
};

/// What is explained of an image: most often one class.
struct RequestTarget {
  /// text: anything else, as parse_target reads it.
  enum class Kind { ranked, class_index, label, similar_to, text };
  /// by_method: the logit, or of methods that are defined on the probability, that.
  enum class Score { by_method, logit, probability };

  Kind kind = Kind::ranked;
  std::int64_t value = 0;                  ///< rank from 0, or the class
  std::string label = {};                  ///< of the class, or a part of its label
  RequestFile image = {};                  ///< of similar_to: a photo, or a tensor (.npy)
  std::optional<std::int64_t> minus = {};  ///< the class whose score is taken off
  Score score = Score::by_method;
  bool negated = false;  ///< what speaks against it
  /// Of scores at positions: in the photo's pixels (of a tensor: the input's), or a mask (.npy).
  std::optional<std::variant<Box, RequestFile>> region = {};
  /// Of similar_to: the output's product with the other image's, divided by that one's length; or
  /// by both lengths, whose gradient is at right angles to the output, so that Grad-CAM is empty.
  enum class Similarity { dot, cosine };
  Similarity similarity = Similarity::dot;
  std::string text = {};  ///< of Kind::text: "logits[0,5]-logits[0,3]"
  /// Where the files are that the text names ("mask:roi.png@1"), by what it calls them; what is not
  /// here is called by its own name. `take_digests` adds the others.
  std::map<std::string, RequestFile> files = {};

  friend bool operator==(const RequestTarget&, const RequestTarget&) = default;
};

/// The nearest pictures of an index.
struct RequestExamples {
  RequestFile index = {};
  std::int64_t count = 5;

  friend bool operator==(const RequestExamples&, const RequestExamples&) = default;
};

/// A second network, fed by the first: a decoder behind its encoder.
struct RequestSecond {
  RequestFile model = {};
  /// Inputs of it by name, each with an output of the first. None: those of the same names.
  std::map<std::string, std::string> inputs = {};

  friend bool operator==(const RequestSecond&, const RequestSecond&) = default;
};

struct Request {
  /// sheet: several methods of one image side by side. index: how `fovea index` ran the model.
  enum class Command { explain, sheet, predict, index };
  Command command = Command::explain;

  // What goes in.
  RequestFile model = {};
  std::vector<RequestFile> external = {};  ///< the model's weights files, from its folder
  std::optional<RequestSecond> second = {};
  std::optional<RequestFile> image = {};
  std::optional<Recipe> preprocess = {};           ///< none: the model's own, else as assumed
  std::optional<Whole> whole = {};                 ///< all of the photo in place of a recipe's crop
  bool exact_decode = false;                       ///< every pixel of the photo, needed or not
  std::map<std::string, RequestFile> inputs = {};  ///< tensors (.npy); "" is the only input
  /// What the inputs are for and what the outputs say; none: classes, or what the model brings
  /// ("fovea.task" of its metadata, a file NAME.task.json beside it).
  std::optional<Task> task = {};
  std::map<std::string, std::string> questions = {};  ///< words for inputs that take them, by name
  /// What a task's states begin with in place of zeros, by input: of a run after others, what those
  /// left behind.
  std::map<std::string, std::vector<double>> states = {};
  std::optional<RequestFile> labels = {};  ///< none: the model's own, where it has them

  // How the model runs: as in ExplainerOptions.
  /// By input, every number of it, or one that all of them are.
  std::map<std::string, std::vector<double>> fixed_inputs = {};
  std::map<std::string, Shape> input_shapes = {};
  std::string output = {};
  bool multi_label = false;
  Shape token_grid = {};
  std::optional<std::int64_t> prefix_tokens = {};
  Precision precision = Precision::f32;
  bool optimize = true;
  Tuning tuning = Tuning::off;
  int threads = 0;

  // What is explained and how. Not of predict and index.
  std::vector<RequestMethod> methods = {{}};  ///< one, or of a sheet one or several
  /// Nobody chose the method: of a target that is one place (a pixel, a box, a step), HiResCAM in
  /// place of Grad-CAM, which pools the gradient and so forgets where it was.
  bool method_by_target = false;
  bool skip_unservable = false;  ///< a sheet leaves out methods that the model cannot serve
  std::vector<RequestTarget> targets = {{}};
  std::vector<std::string> layers =
      {};  ///< none: the default; several are fused, or a sheet's rows
  /// Where the only layer is the default, unnamed, and holds a map per class: the layer in front of
  /// it whose channels words and examples are about, as it came out. Not of sheets.
  std::string features = {};
  Fuse fuse = Fuse::mean;
  bool smooth = false;
  bool keep_sign = false;
  std::optional<Normalize> normalize = {};  ///< none: as the method's maps want

  // How it is drawn and told.
  Colormap colormap = Colormap::jet;
  double alpha = 0.5;
  bool opacity_by_value = false;  ///< OverlayOptions::by_value
  /// Of maps of pixels (Explanation::attribution): the magnitude of full colours, of full_scale.
  double percentile = 99;
  bool caption = false;             ///< of pictures; sheets always have theirs
  std::int64_t sheet_width = 1400;  ///< pixels, at most; 200 to 16384
  bool enlarge = true;  ///< pictures of 64 pixels at most, in whole steps to 256 or more
  std::optional<float> box_share = {};  ///< none: no boxes
  bool words = false;
  std::optional<RequestExamples> examples = {};

  friend bool operator==(const Request&, const Request&) = default;
};

/// One line of JSON, whose members docs/usage.md describes ("Made again"). What `command` has no
/// use for is left out. Bytes of a name that are not UTF-8 become U+FFFD. Throws Error
/// invalid_argument for values that no request may have.
FOVEA_API std::string to_json(const Request& request);

/// The other way round; what is left out has its default. Members that only say what a result was
/// made with ("fovea", "onednn", "onednn_isa", "picture") are read over. Throws Error
/// invalid_argument for any other unknown member, for a later format, and for values of the wrong
/// kind or out of range, naming the member; `name` is what the sentence calls the text.
FOVEA_API Request request_from_json(std::string_view json, const std::string& name = "request");

/// What a text asks for (fovea/target_text.hpp): class:3, label:cat, top:2, class:3-class:5,
/// similar:FILE and cosine:FILE are kinds of their own, anything else is Kind::text. Throws Error
/// invalid_argument for a text that cannot be read.
FOVEA_API RequestTarget target_from_text(const std::string& text);

/// A recipe as --preprocess takes it; width, height and order where they were given.
FOVEA_API std::string to_json(const Recipe& recipe);

/// What is left out is RGB, scale 1/255, mean 0, std 1, resize-crop with the default shorter side,
/// bilinear-antialias. Or what timm (config.json) or transformers (preprocessor_config.json) wrote:
/// docs/usage.md says what of them is read. Throws Error invalid_argument naming `name` and the key
/// that is wrong, or that nothing here can do.
FOVEA_API Recipe recipe_from_json(std::string_view json, const std::string& name = {});

/// imagenet, inception, caffe, raw; "torchvision:" and the name of classification weights
/// ("torchvision:ResNet50_Weights.IMAGENET1K_V2", or their DEFAULT), as of a Pillow image; "keras:"
/// and tf, torch or caffe, with ":bilinear" and so on where keras.utils.load_img was told so. None
/// for another name. Throws Error invalid_argument, with the nearest, for weights, a mode or an
/// interpolation that do not exist.
FOVEA_API std::optional<Recipe> recipe_by_name(std::string_view name);

/// Every name that recipe_by_name knows, but for Keras' modes with an interpolation.
FOVEA_API std::vector<std::string> recipe_names();

/// The recipe for an input of 1 or 3 channels. One channel gets luma; where the recipe names no
/// order, its mean and std per colour are averaged for that.
FOVEA_API Preprocess for_channels(const Recipe& recipe, std::int64_t channels);

/// The SHA-256 of a file in 64 hexadecimal digits; none for what can be read but once (a pipe) and
/// for what is not there or cannot be read. Throws Error internal where the library fails.
FOVEA_API std::optional<std::string> sha256_of(const std::filesystem::path& file);

/// The request's part of an explainer's options: "How the model runs" above.
FOVEA_API ExplainerOptions explainer_options(const Request& request);

}  // namespace fovea
