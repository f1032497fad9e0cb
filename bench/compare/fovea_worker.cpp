// Measures fovea on one network in a process of its own, as worker.py measures the peers: the same
// options, the same loop, the same fields of JSON.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fovea/fovea.hpp"
#include "npy.hpp"

namespace {

using Json = nlohmann::ordered_json;
using Times = std::vector<double>;

constexpr std::size_t kMaps = 4;  // inputs whose maps are kept, to be compared

class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
  }
  std::string text(const std::string& name, const std::string& otherwise = "") const {
    const auto it = values_.find("--" + name);
    return it == values_.end() ? otherwise : it->second;
  }
  double number(const std::string& name, double otherwise) const {
    const auto value = text(name);
    return value.empty() ? otherwise : std::stod(value);
  }

 private:
  std::map<std::string, std::string> values_;
};

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

double status_kib(std::string_view field) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word)
    if (word == field) {
      double kib = 0;
      status >> kib;
      return kib;
    }
  throw std::runtime_error("no such field in /proc/self/status");
}

/// What the process holds now; the peak is counted from here on.
double memory_baseline() {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak becomes what is resident now
  return status_kib("VmRSS:");
}

/// The images in batches, in turn.
std::vector<fovea::TensorView> batches(const fovea::Tensor& images, std::int64_t batch) {
  fovea::Shape shape = images.shape;
  const auto size = images.data.size() / static_cast<std::size_t>(shape[0]);
  const std::int64_t count = shape[0] / batch;
  shape[0] = batch;
  std::vector<fovea::TensorView> out;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::span<const float> all(images.data);
    out.emplace_back(shape, all.subspan(static_cast<std::size_t>(i * batch) * size,
                                        static_cast<std::size_t>(batch) * size));
  }
  return out;
}

/// Runs one series over the inputs in turn, and keeps the time of each run.
class Clock {
 public:
  using Call = std::function<void(const fovea::TensorView&)>;

  Clock(Call call, const std::vector<fovea::TensorView>& inputs, const Options& options)
      : call_(std::move(call)),
        inputs_(inputs),
        warm_up_ms_(options.number("warm-up", 1) * 1e3),
        measured_ms_(options.number("seconds", 2) * 1e3),
        least_(static_cast<std::size_t>(options.number("least", 5))),
        most_(static_cast<std::size_t>(options.number("most", 64))) {}

  void warm_up() {
    if (warm_up_ms_ == 0) return;  // the first run of the process will do
    double spent = 0;
    for (std::size_t runs = 0; runs < 2 || (spent < warm_up_ms_ && runs < most_); ++runs)
      spent += run();
  }

  bool done() const {
    if (times_.size() < least_) return false;
    return times_.size() >= most_ || measured_ >= measured_ms_;
  }

  /// Once over the inputs, or until done. Several series take blocks in turn; the first run of a
  /// block, which finds the other's data in the caches, is not counted.
  void measure_block(bool alone) {
    if (!alone) run();
    for (std::size_t i = 0; i < inputs_.size() && !done(); ++i) {
      times_.push_back(run());
      measured_ += times_.back();
    }
  }

  const Times& times() const { return times_; }

 private:
  double run() {
    const auto& input = inputs_[next_++ % inputs_.size()];
    return milliseconds([&] { call_(input); });
  }

  Call call_;
  const std::vector<fovea::TensorView>& inputs_;
  double warm_up_ms_, measured_ms_;
  std::size_t least_, most_;
  std::size_t next_ = 0;
  Times times_;
  double measured_ = 0;
};

std::string content(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const std::string& file, std::string_view bytes) {
  std::ofstream stream(file, std::ios::binary);
  stream << bytes << std::flush;
  if (!stream) throw std::runtime_error("cannot write " + file);
}

/// The last inputs, as many as --background says.
fovea::Tensor background(const Options& options) {
  auto images = fovea::cli::read_npy(options.text("models") + "/inputs.npy");
  const auto size = images.data.size() / static_cast<std::size_t>(images.shape[0]);
  const auto count = static_cast<std::size_t>(options.number("background", 0));
  images.data.erase(images.data.begin(),
                    images.data.end() - static_cast<std::ptrdiff_t>(count * size));
  images.shape[0] = static_cast<std::int64_t>(count);
  return images;
}

fovea::Method method_of(const Options& options) {
  fovea::Method out{options.text("method", "gradcam")};
  std::istringstream list(options.text("options"));
  for (std::string one; std::getline(list, one, ',');) {
    const auto at = one.find('=');
    out.options[one.substr(0, at)] = std::stod(one.substr(at + 1));
  }
  if (options.number("background", 0) > 0) out.given["background"] = background(options);
  return out;
}

fovea::ExplainerOptions explainer_options(const Options& options, std::int64_t batch) {
  fovea::ExplainerOptions out;
  out.compile.batch = batch;
  out.prepare.methods = {method_of(options)};
  if (const auto layer = options.text("layer"); !layer.empty()) out.prepare.layers = {layer};
  out.pool.threads = static_cast<int>(options.number("threads", 0));
  const auto precision = options.text("precision", "f32");
  out.compile.precision = precision == "bf16"   ? fovea::Precision::bf16
                          : precision == "auto" ? fovea::Precision::automatic
                                                : fovea::Precision::f32;
  // A file that is not there yet is an empty cache: the explainer tunes.
  if (const auto file = options.text("plan-cache"); !file.empty())
    out.compile.plan_cache = content(file);
  return out;
}

void explain_batch(const fovea::Explainer& explainer, const fovea::Method& method,
                   const fovea::TensorView& x) {
  const fovea::Target top = fovea::Target::top1();
  explainer.forward(x).explain(method, std::span(&top, 1));
}

void predict(const fovea::Explainer& explainer, const fovea::TensorView& x, std::int64_t batch) {
  auto run = explainer.forward(x);
  for (std::int64_t image = 0; image < batch; ++image) run.predictions(image);
}

void class_maps(const fovea::Explainer& explainer, const fovea::TensorView& x, std::int64_t batch) {
  auto run = explainer.forward(x);
  for (std::int64_t image = 0; image < batch; ++image) run.class_maps(fovea::GradCam{}, image);
}

/// The maps of the classes that are best in f32, and what is needed to compare them: not scaled, at
/// the input's extents, or with their negative values at the layer's own.
Json write_maps(const fovea::Explainer& explainer, const Options& options,
                const std::vector<fovea::TensorView>& inputs, const fovea::Tensor& best,
                const std::string& file) {
  const auto method = method_of(options);
  fovea::ExplainOptions how;
  how.normalize = fovea::Normalize::none;
  how.keep_sign = options.number("keep-sign", 0) != 0;
  const auto most = static_cast<std::size_t>(options.number("most", kMaps));
  fovea::Tensor maps;
  int top1_agrees = 0;
  std::string layer;
  for (std::size_t i = 0; i < std::min({kMaps, most, inputs.size()}); ++i) {
    const auto wanted = static_cast<std::int64_t>(best.data[i]);
    const auto why = explainer.explain(inputs[i], method, fovea::Target::class_index(wanted), how);
    const auto& map = how.keep_sign ? why.feature_map : why.map;
    maps.data.insert(maps.data.end(), map.data.begin(), map.data.end());
    maps.shape = {static_cast<std::int64_t>(i) + 1, map.shape[0], map.shape[1]};
    top1_agrees += why.predictions.front().class_index == wanted ? 1 : 0;
    layer = why.layer;
  }
  const auto bytes = fovea::cli::npy_bytes(maps);
  write(file, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return {{"layer", layer}, {"top1_agrees", top1_agrees}, {"maps", maps.shape[0]}};
}

Json measured(const Options& options) {
  const std::string folder = options.text("models") + "/";
  const auto batch = static_cast<std::int64_t>(options.number("batch", 1));
  const fovea::Tensor images = fovea::cli::read_npy(folder + "inputs.npy");
  const auto inputs = batches(images, batch);
  const fovea::Tensor best =
      fovea::cli::read_npy(folder + options.text("network") + "-classes.npy");

  const double before = memory_baseline();
  std::optional<fovea::Model> model;
  std::optional<fovea::Explainer> explainer;
  const double load_ms =
      milliseconds([&] { model = fovea::Model::load(folder + options.text("network") + ".onnx"); });
  const double create_ms =
      milliseconds([&] { explainer.emplace(*model, explainer_options(options, batch)); });
  const auto method = method_of(options);
  const double first_ms = milliseconds([&] { explain_batch(*explainer, method, inputs[0]); });
  const double added = status_kib("VmHWM:") - before;

  if (const auto file = options.text("write-plan-cache"); !file.empty())
    write(file, explainer->plan_cache());
  const auto task = options.text("task", "explain");
  // Predicting alone needs no layer kept, so it is measured with an explainer that keeps none.
  std::optional<fovea::Explainer> predictor;
  if (task != "method") {
    auto predict_options = explainer_options(options, batch);
    predict_options.prepare.methods.clear();
    predictor.emplace(*model, predict_options);
  }
  std::vector<std::pair<std::string, Clock>> clocks;
  const auto add = [&](const std::string& series, Clock::Call call) {
    clocks.emplace_back(series, Clock(std::move(call), inputs, options));
  };
  if (task == "class-maps")
    add("class maps", [&](const auto& x) { class_maps(*explainer, x, batch); });
  else
    add("explain", [&](const auto& x) { explain_batch(*explainer, method, x); });
  if (predictor) add("predict", [&](const auto& x) { predict(*predictor, x, batch); });
  for (auto& [name, clock] : clocks) clock.warm_up();
  const auto done = [](const auto& clock) { return clock.second.done(); };
  while (!std::all_of(clocks.begin(), clocks.end(), done))
    for (auto& [name, clock] : clocks) clock.measure_block(clocks.size() == 1);

  const auto info = fovea::build_info();
  Json out = {{"title", "fovea"},
              {"version", info.version},
              {"onednn", info.onednn},
              {"onednn_isa", info.onednn_isa},
              {"compiler", info.compiler},
              {"threads", explainer->threads()},
              {"batch", batch},
              {"load_ms", load_ms},
              {"create_ms", create_ms},
              {"first_ms", first_ms},
              {"added_mib", added / 1024},
              {"precision", explainer->precision() == fovea::Precision::bf16 ? "bf16" : "f32"}};
  for (const auto& [name, clock] : clocks) out["series_ms"][name] = clock.times();
  if (const auto maps = options.text("maps"); !maps.empty())
    out.update(write_maps(*explainer, options, inputs, best, maps));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::cout << measured(Options(argc, argv)).dump() << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "fovea_worker: " << error.what() << '\n';
  }
  return 1;
}
