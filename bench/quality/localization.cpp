#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "pictures.hpp"
#include "report.hpp"
#include "support/localization.hpp"

/// Where the thing is, as every method of the registry says: the pointing game, and the share of
/// boxes that overlap the truth by half (intersection over union), on the demo's scenes and on
/// photos of which the boxes are known.
namespace fovea::quality {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = FOVEA_SOURCE_DIR;

struct Options {
  fs::path real = kSource / "../shared/real";
  std::vector<std::string> methods, networks;
  float share = 0.2F;
  bool full = false;
  std::size_t expensive_pictures = 25;
  double seconds = 60;
  std::string json, document;
};

/// Methods that run the network hundreds of times per map get fewer runs, unless all are asked for.
Method thrifty(const std::string& name) {
  if (name == "scorecam") return {name, {{"channels", 64}}};
  if (name == "rise") return {name, {{"masks", 1000}}};
  if (name == "is-cam") return {name, {{"channels", 32}}};
  if (name == "ss-cam") return {name, {{"channels", 16}, {"samples", 8}}};
  if (name == "smoothgrad" || name == "smoothgrad-squared" || name == "vargrad")
    return {name, {{"samples", 10}}};
  return {name};
}

struct Tally {
  int questions = 0, points = 0, boxed = 0, empty = 0;
  double overlap = 0;

  void count(const Tensor& map, const Thing& thing, float share) {
    const auto verdict = testing_support::judge(map, thing.boxes, share);
    ++questions;
    points += verdict.points;
    boxed += verdict.boxed();
    overlap += verdict.overlap;
    empty += !find_box(map, share);
  }

  Json json() const {
    return {{"questions", questions},
            {"points", points},
            {"boxed", boxed},
            {"overlap", questions > 0 ? overlap / questions : 0},
            {"empty", empty}};
  }
};

/// Inputs that a method compares with, for those that must be given some: a few of the network's
/// other pictures.
Tensor background(const Network& network) {
  constexpr std::size_t kSamples = 4;
  const auto& pictures = network.pictures;
  Tensor out = pictures.back().input;
  for (std::size_t i = 1; i < std::min(kSamples, pictures.size()); ++i) {
    const auto& next = pictures[pictures.size() - 1 - i].input;
    out.data.insert(out.data.end(), next.data.begin(), next.data.end());
    ++out.shape[0];
  }
  return out;
}

Method prepared_method(const MethodInfo& info, const Network& network, bool full) {
  Method out = full ? Method{info.name} : thrifty(info.name);
  for (const auto& tensor : info.given)
    if (tensor.name.starts_with("background") || tensor.name == "baselines" ||
        tensor.name == "references")
      out.given[tensor.name] = background(network);
  return out;
}

Json measured(const Network& network, const MethodInfo& info, const Options& options) {
  try {
    const auto start = std::chrono::steady_clock::now();
    const auto spent = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const Method method = prepared_method(info, network, options.full);
    const Explainer explainer(network.model, untuned({method}));
    Tally tally;
    std::size_t asked = 0;
    for (const auto& picture : network.pictures) {
      const bool few = info.expensive || !thrifty(info.name).options.empty();
      if (!options.full && ((few && network.drawn && asked == options.expensive_pictures) ||
                            (asked > 0 && spent() > options.seconds)))
        break;
      ++asked;
      auto run = explainer.forward(picture.input);
      for (const auto& thing : picture.things) {
        const auto target = Target::class_index(thing.class_index);
        const auto why =
            run.explain(method, info.of_probability ? target.of_probability() : target);
        tally.count(map_on_photo(why.map, picture.view, picture.width, picture.height), thing,
                    options.share);
      }
    }
    Json out = tally.json();
    for (const auto& [name, value] : method.options) out["options"][name] = value;
    std::fprintf(stderr, "%-22s %-28s %3d points %3d boxed of %d, %.1f s\n", method.name.c_str(),
                 network.name.c_str(), tally.points, tally.boxed, tally.questions, spent());
    return out;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    return {{"refused", error.what()}};
  }
}

/// What needs no network: the middle of what it sees, and a box around all of it.
Json of_the_view(const Network& network, float share) {
  Tally tally;
  for (const auto& picture : network.pictures)
    for (const auto& thing : picture.things) {
      Tensor map{{picture.height, picture.width},
                 std::vector<float>(static_cast<std::size_t>(picture.width) *
                                    static_cast<std::size_t>(picture.height))};
      const auto& view = picture.view;
      for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x)
          if (view.x0 <= x && x < view.x1 && view.y0 <= y && y < view.y1)
            map.data[static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                     static_cast<std::size_t>(x)] = 0.5F;
      const int x = static_cast<int>((view.x0 + view.x1) / 2),
                y = static_cast<int>((view.y0 + view.y1) / 2);
      map.data[static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
               static_cast<std::size_t>(x)] = 1;
      tally.count(map, thing, std::min(share, 0.4F));
    }
  return tally.json();
}

bool wanted(const std::vector<std::string>& chosen, const std::string& name) {
  return chosen.empty() || std::find(chosen.begin(), chosen.end(), name) != chosen.end();
}

Json earlier(const std::string& file) {
  if (file.empty() || !fs::exists(file)) return Json::object();
  std::ifstream in(file);
  return Json::parse(in);
}

/// The registry's order, whichever was measured first.
Json in_order(const Json& rows) {
  Json out = Json::object();
  for (const auto& info : methods())
    if (rows.contains(info.name)) out[info.name] = rows[info.name];
  for (const auto& [name, row] : rows.items()) out[name] = row;
  return out;
}

void save(const std::string& file, const Json& results) {
  if (file.empty()) return;
  std::ofstream out(file);
  out << results.dump(1) << '\n';
  if (!out.flush()) throw std::runtime_error(file + " cannot be written");
}

void measure(const Options& options) {
  auto networks = demo_networks(kSource);
  for (auto& one : real_networks(options.real)) networks.push_back(std::move(one));
  Json results = earlier(options.json);
  if (results.contains("share") && results["share"] != options.share)
    throw std::runtime_error(options.json + " was measured with another share");
  results["share"] = options.share;
  for (const auto& network : networks) {
    if (!wanted(options.networks, network.name)) continue;
    std::size_t questions = 0;
    for (const auto& picture : network.pictures) questions += picture.things.size();
    results["networks"][network.name] = {
        {"drawn", network.drawn}, {"pictures", network.pictures.size()}, {"questions", questions}};
    for (const auto& info : methods()) {
      if (!wanted(options.methods, info.name)) continue;
      results["methods"][info.name][network.name] = measured(network, info, options);
      save(options.json, results);
    }
    results["methods"]["(the middle; everything)"][network.name] =
        of_the_view(network, options.share);
  }
  results["methods"] = in_order(results["methods"]);
  save(options.json, results);
  const auto text = table(results);
  std::fputs(text.c_str(), stdout);
  if (!options.document.empty()) write_into(options.document, text);
}

}  // namespace
}  // namespace fovea::quality

int main(int argc, char** argv) {
  fovea::quality::Options options;
  CLI::App app("Where the thing is, as every method says: the pointing game and boxes");
  app.add_option("--real", options.real,
                 "Folder of pretrained networks and photos; left out where it is missing");
  app.add_option("--methods", options.methods, "These alone")->delimiter(',');
  app.add_option("--networks", options.networks, "These alone")->delimiter(',');
  app.add_option("--share", options.share, "Of the maximum: what is above belongs to the box")
      ->check(CLI::Range(0.F, 0.99F));
  app.add_flag("--full", options.full,
               "Every scene for every method, every channel and sample of Score-CAM and its like");
  app.add_option("--dear-pictures", options.expensive_pictures,
                 "Scenes that methods which run the network many times are asked about");
  app.add_option("--seconds", options.seconds,
                 "Per method and network: pictures that are left then are left out");
  app.add_option("--json", options.json,
                 "Write the figures here, beside those that are there already");
  app.add_option("--document", options.document, "Write the table between this document's marks");
  CLI11_PARSE(app, argc, argv);
  try {
    fovea::quality::measure(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "localization: %s\n", error.what());
    return 1;
  }
}
