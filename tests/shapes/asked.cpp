#include "shapes/asked.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

#include "shapes/scores.hpp"

namespace fovea::shapes_test {
namespace {

/// Inputs of more are not fed: plans of them are made, and that is all.
constexpr std::int64_t kMaxFed = std::int64_t{1} << 22;
constexpr std::int64_t kMaxCompared = std::int64_t{1} << 16;

std::int64_t elements(const Shape& shape) {
  std::int64_t out = 1;
  for (const auto extent : shape) {
    if (extent > 0 && out > (std::int64_t{1} << 40) / extent) return std::int64_t{1} << 40;
    out *= extent;
  }
  return out;
}

std::string text(const Shape& shape) {
  std::string out = "[";
  for (const auto extent : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(extent);
  return out + "]";
}

/// Collects what is broken; the first counts.
class Asking {
 public:
  Asking(const Question& question, Draw& draw, Tally& tally)
      : question_(question), draw_(draw), tally_(tally) {}

  std::string all() {
    attempt("loading", [&] { ask_model(); });
    return fault_.empty() ? "" : question_.method + ": " + fault_ + " (" + question_.told + ")";
  }

 private:
  /// True where `work` answered; a refusal counts, and what is improper is kept.
  template <class Work>
  bool attempt(const std::string& what, Work&& work) {
    if (!fault_.empty()) return false;
    about_to(question_.method + ": " + what + " (" + question_.told + ")");
    try {
      work();
      ++tally_.answers;
      return true;
    } catch (const Error& error) {
      ++tally_.refusals[static_cast<std::size_t>(error.code())];
      const auto why = improper(error);
      if (!why.empty()) fault_ = what + ": " + why;
    } catch (const std::exception& error) {
      fault_ = what + ": left as another exception: " + error.what();
    }
    return false;
  }
  void expect(bool holds, const std::string& sentence) {
    if (!holds && fault_.empty()) fault_ = sentence;
  }
  /// A tensor's data fills its extents, which are all there.
  void expect_whole(const Tensor& tensor, const std::string& what) {
    expect(static_cast<std::int64_t>(tensor.data.size()) == elements(tensor.shape),
           what + " has extents " + text(tensor.shape) + " and " +
               std::to_string(tensor.data.size()) + " values");
  }

  CallOptions call() const {
    CallOptions out;
    out.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
    return out;
  }

  void ask_model() {
    const auto& bytes = question_.bytes;
    const Model model =
        Model::from_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())), question_.load);
    for (const auto& node : model.nodes())
      ends_in_probabilities_ =
          ends_in_probabilities_ || node.op == "Softmax" || node.op == "Sigmoid";
    ExplainerOptions options = question_.options;
    const Shape image = image_shape(model, options);
    for (const auto& info : methods())
      if (info.name == question_.method) method_ = cheap_method(info, image, draw_);
    options.prepare.methods = {method_};
    attempt("making the explainer", [&] {
      const Explainer explainer(model, options);
      ask_explainer(explainer);
    });
  }

  /// Extents of the input that is a picture, or the first that has any.
  static Shape image_shape(const Model& model, const ExplainerOptions& options) {
    Shape out;
    for (const auto& input : model.inputs()) {
      Shape shape = input.shape;
      const auto given = options.compile.input_shapes.find(input.name);
      const bool fits =
          given != options.compile.input_shapes.end() && given->second.size() == shape.size();
      for (std::size_t d = 0; d < shape.size(); ++d)
        if (shape[d] < 0) shape[d] = fits ? given->second[d] : options.compile.batch;
      if (out.empty()) out = shape;
      if (shape.size() >= 3 && shape.size() <= 5) return shape;
    }
    return out;
  }

  void ask_explainer(const Explainer& explainer) {
    for (const auto& [name, shape] : explainer.shapes())
      for (const auto extent : shape)
        expect(extent >= 0, "'" + name + "' has extents " + text(shape));
    for (const auto& layer : explainer.layers())
      expect(!layer.grid.empty() && elements(layer.shape) >= 0,
             "the layer " + layer.name + " has no grid");
    explainer.steps();
    Feeds feeds;
    for (const auto& input : explainer.inputs()) {
      if (elements(input.shape) > kMaxFed) return;
      auto& tensor = fed_[input.name];
      const auto given = question_.feeds.find(input.name);
      tensor = given != question_.feeds.end() ? given->second : drawn_values(input);
      feeds[input.name] = tensor;
    }
    attempt("running", [&] {
      Run run = explainer.forward(feeds, call());
      ask_run(explainer, run);
    });
  }

  Tensor drawn_values(const ValueInfo& input) {
    const auto count = elements(input.shape);
    const bool whole = input.type != DataType::f32 && input.type != DataType::f16 &&
                       input.type != DataType::bf16 && input.type != DataType::f64;
    if (!whole) return {input.shape, draw_.numbers(count, -1, 1)};
    Tensor out{input.shape, {}};
    for (std::int64_t i = 0; i < count; ++i) out.data.push_back(static_cast<float>(draw_.below(2)));
    return out;
  }

  /// Might scores lie at positions: does some output have more than images and classes?
  static bool has_positions(const Explainer& explainer) {
    const auto& outputs = explainer.model().outputs();
    return std::any_of(outputs.begin(), outputs.end(), [&](const ValueInfo& output) {
      const auto shape = explainer.shapes().find(output.name);
      return shape != explainer.shapes().end() && shape->second.size() > 2;
    });
  }

  void ask_run(const Explainer& explainer, Run& run) {
    ++tally_.runs;
    const Tensor& logits = run.logits();
    expect_whole(logits, "the logits");
    expect(logits.shape.size() == 2, "the logits have extents " + text(logits.shape));
    if (!fault_.empty()) return;
    const auto images = logits.shape[0], classes = logits.shape[1];
    compare_outputs(run);
    for (std::int64_t n = 0; n <= images; ++n)
      attempt("predictions", [&] {
        const auto told = static_cast<std::int64_t>(run.predictions(n).size());
        // Scores without probabilities are ranked, too, but at positions.
        const bool must_be = explainer.has_probabilities() || classes == 1;
        expect(told == classes || (told == 0 && !must_be), "predictions are not of every class");
        expect(told == classes || has_positions(explainer),
               "scores without positions are not ranked");
        expect(n < images, "there are predictions of an image that is not there");
      });
    auto targets = question_.targets;
    for (auto& target : targets)
      if (auto* weights = std::get_if<Target::Weights>(&target.of))
        weights->factors.resize(static_cast<std::size_t>(classes), 0.5f);
      else if (auto* similarity = std::get_if<Target::Similarity>(&target.of))
        similarity->embedding.resize(static_cast<std::size_t>(classes), 0.5f);
    std::vector<Explanation> found;
    attempt("explaining", [&] {
      found = run.explain(method_, targets, question_.explain, call());
      expect(found.size() == static_cast<std::size_t>(images) * targets.size(),
             "there are " + std::to_string(found.size()) + " explanations");
    });
    for (std::size_t i = 0; i < found.size(); ++i) {
      expect(found[i].image == static_cast<std::int64_t>(i / targets.size()),
             "images are mixed up");
      check(explainer, found[i]);
    }
    if (images > 1 && !found.empty())
      attempt("the same of another neighbour", [&] { ask_beside_another(explainer, run, found); });
    if (classes <= 16)
      attempt("class maps", [&] {
        const Tensor maps = run.class_maps(method_, images - 1, question_.explain, call());
        expect_whole(maps, "the class maps");
        expect(!maps.shape.empty() && maps.shape[0] == classes, "class maps are not one a class");
      });
    attempt("features", [&] {
      const Tensor features = run.features();
      expect_whole(features, "the features");
      expect(features.shape.size() == 2 && features.shape[0] == images,
             "features have extents " + text(features.shape));
    });
    attempt("channels", [&] {
      const auto all = run.channels(question_.targets[0], {}, call());
      expect(static_cast<std::int64_t>(all.size()) == images, "channels are not one an image");
      for (const auto& one : all)
        expect(one.features.size() == one.weights.size(), "channels have other weights");
    });
  }

  /// The last image replaced: nothing of the others may change.
  void ask_beside_another(const Explainer& explainer, Run& run,
                          const std::vector<Explanation>& found) {
    const auto images = run.logits().shape[0];
    const auto classes = static_cast<std::size_t>(run.logits().shape[1]);
    auto fed = fed_;
    for (auto& [name, tensor] : fed) {
      const bool is_explained = name == found[0].layer;
      const bool is_picture = tensor.shape.size() >= 3 && tensor.shape.size() <= 5;
      if (tensor.shape.empty() || tensor.shape[0] != images) continue;
      if (!is_explained && (!is_picture || fed.contains(found[0].layer))) continue;
      const auto each = tensor.data.size() / static_cast<std::size_t>(images);
      for (auto i = tensor.data.size() - each; i < tensor.data.size(); ++i)
        tensor.data[i] = tensor.data[i] == 0 ? 1.f : tensor.data[i] / 2;
      break;
    }
    Feeds feeds;
    for (const auto& [name, tensor] : fed) feeds[name] = tensor;
    Run other = explainer.forward(feeds, call());
    const auto same = [&](std::span<const float> a, std::span<const float> b,
                          const std::string& what) {
      float largest = 1e-6f;
      for (const float v : a) largest = std::max(largest, std::isfinite(v) ? std::abs(v) : 0.f);
      for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
        if (std::isfinite(a[i]) && std::abs(a[i] - b[i]) > 1e-3f * largest)
          expect(false, "another image changes " + what);
    };
    const auto others = static_cast<std::size_t>(images - 1);
    same(std::span(run.logits().data).first(others * classes), other.logits().data,
         "an image's scores");
    const Target target = question_.targets[0].as<Target::Ranked>() != nullptr
                              ? Target::class_index(0)
                              : question_.targets[0];
    if (target.as<Target::Weights>() || target.as<Target::Similarity>()) return;
    const auto before = run.explain(method_, {&target, 1}, question_.explain, call());
    const auto after = other.explain(method_, {&target, 1}, question_.explain, call());
    for (std::size_t n = 0; n < others; ++n)
      same(before[n].feature_map.data, after[n].feature_map.data, "an image's map");
  }

  void check(const Explainer& explainer, const Explanation& one) {
    expect_whole(one.feature_map, "the map");
    expect_whole(one.map, "the shown map");
    expect(elements(one.feature_map.shape) > 0 && !one.map.data.empty(), "the map is empty");
    if (!one.attribution.data.empty()) {
      expect_whole(one.attribution, "the attribution");
      std::int64_t most = 0;
      for (const auto& input : explainer.inputs()) most = std::max(most, elements(input.shape));
      expect(elements(one.attribution.shape) <= most,
             "the attribution has extents " + text(one.attribution.shape));
    }
    if (one.map.shape.size() == 2)
      attempt("localising", [&] {
        const auto box = find_box(one.map);
        if (!box) return;
        expect(box->x >= 0 && box->y >= 0 && box->width > 0 && box->height > 0 &&
                   box->x + box->width <= one.map.shape[1] &&
                   box->y + box->height <= one.map.shape[0],
               "the box is not in the map");
      });
  }

  void compare_outputs(Run& run) {
    std::int64_t most = 0;
    for (const auto& [name, tensor] : fed_) most = std::max(most, elements(tensor.shape));
    if (!question_.compare || most > kMaxCompared) return;
    attempt("evaluating by the reference", [&] {
      const auto reference = reference_outputs(question_.bytes, fed_);
      if (!reference) return;
      for (const auto& name : question_.options.compile.fetches) {
        const auto want = reference->find(name);
        if (want != reference->end()) compare(run.output(name), want->second, name);
      }
      const auto scores = reference->find(question_.options.compile.output);
      if (scores != reference->end() && !ends_in_probabilities_)
        compare_logits(run.logits(), scores->second);
    });
  }

  /// The scores are the output's values, in whatever order images and classes have there.
  void compare_logits(Tensor got, Tensor want) {
    for (const float v : want.data)
      if (!std::isfinite(v)) return;
    std::sort(got.data.begin(), got.data.end());
    std::sort(want.data.begin(), want.data.end());
    want.shape = got.shape = {static_cast<std::int64_t>(got.data.size())};
    expect(got.data.size() == want.data.size(), "the logits are not all of the scores");
    if (fault_.empty()) compare(got, want, "logits, sorted,");
  }

  void compare(const Tensor& got, const Tensor& want, const std::string& name) {
    expect_whole(got, "output " + name);
    expect(got.shape == want.shape, "output " + name + " has extents " + text(got.shape) +
                                        ", the reference has " + text(want.shape));
    if (!fault_.empty()) return;
    float largest = 1;
    for (const float v : want.data) {
      if (!std::isfinite(v) || std::abs(v) > 1e20f) return;  // what infinity becomes is open
      largest = std::max(largest, std::abs(v));
    }
    for (std::size_t i = 0; i < want.data.size(); ++i) {
      if (std::abs(got.data[i] - want.data[i]) <= 1e-4f * largest) continue;
      std::ostringstream out;
      out << "output " << name << text(got.shape) << " holds " << got.data[i] << " at " << i
          << ", the reference " << want.data[i];
      expect(false, out.str());
      return;
    }
  }

  const Question& question_;
  Draw& draw_;
  Tally& tally_;
  Method method_;
  std::map<std::string, Tensor> fed_;
  bool ends_in_probabilities_ = false;  ///< perhaps: the logits are then other values
  std::string fault_;
};

}  // namespace

std::string improper(const Error& error) {
  const auto& sentence = error.sentence();
  const auto words = std::count(sentence.begin(), sentence.end(), ' ');
  if (error.code() == ErrorCode::internal) return std::string("internal: ") + error.what();
  if (words < 2 || sentence.find('\n') != std::string::npos) return "no sentence: " + sentence;
  if (sentence.find("another size than the plan") != std::string::npos) return sentence;
  return "";
}

Method cheap_method(const MethodInfo& info, const Shape& image, Draw& draw) {
  static const std::map<std::string, double> few = {
      {"samples", 3}, {"masks", 5}, {"cells", 2}, {"steps", 3}, {"evaluations", 3}, {"widths", 1}};
  Method out{info.name};
  for (const auto& option : info.options) {
    const auto it = few.find(option.name);
    if (it != few.end())
      out.options[option.name] = std::clamp(it->second, option.min, option.max);
    else if (draw.chance(10))
      out.options[option.name] = option.min;
    else if (draw.chance(5) && option.is_integer)
      out.options[option.name] =
          std::min(option.max, option.min + static_cast<double>(draw.below(3)));
  }
  for (const auto& tensor : info.given) {
    if (!tensor.required) continue;
    Shape shape = image;
    if (shape.empty() || draw.chance(20)) shape.insert(shape.begin(), 1);
    shape[0] = 1 + draw.below(3);
    const auto count = elements(shape);
    if (count <= kMaxFed) out.given[tensor.name] = {shape, draw.numbers(count, -1, 1)};
  }
  return out;
}

std::string broken(const Question& question, Draw& draw, Tally& tally) {
  return Asking(question, draw, tally).all();
}

}  // namespace fovea::shapes_test
