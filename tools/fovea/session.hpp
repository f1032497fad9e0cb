#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "asked.hpp"
#include "fovea/fovea.hpp"
#include "fovea/image.hpp"
#include "fovea/session.hpp"

/// The library's session as the command line opens one.
namespace fovea::cli {

using Stages = SessionTimings;

/// Runs `work`, adds its wall time to `milliseconds` and returns what it returned.
template <class Work>
decltype(auto) timed(double& milliseconds, Work&& work) {
  struct Watch {
    explicit Watch(double& to) : to_(to) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() {
      to_ += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
                 .count();
    }
    double& to_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  } watch(milliseconds);
  return std::forward<Work>(work)();
}

/// Runs `work`; an Error that names no file names `file` afterwards.
template <class Work>
decltype(auto) in_file(const std::string& file, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    throw error.with({.file = file, .node = {}, .op = {}});
  }
}

/// Loads the model, the labels and the photo or the tensors. `whole_photo`: every pixel of the
/// photo is wanted, not only what the network sees of it. Throws Error: invalid_argument,
/// bad_model, bad_input, unsupported.
Session open_session(Asked asked, bool whole_photo);
/// The same with a model that was loaded.
Session open_session(Asked asked, Model model, bool whole_photo);

/// The library's, unless Ctrl-C comes first: Error cancelled. What tuning finds is kept in the plan
/// cache.
Explainer make_explainer(const Model& model, const ExplainerOptions& options);
Explainer make_explainer(Session& session, const std::vector<std::string>& layers,
                         const std::vector<Method>& methods, const std::string& plan_cache);
Prepared prepare(Session& session, const std::vector<Method>& also, const std::string& plan_cache);

/// What the file holds; nothing where there is none or the name is empty.
std::string read_plan_cache(const std::string& file);
/// Writes what tuning found where it is not what is `known` already. Nothing for an empty name.
void keep_plan_cache(const std::string& file, const Explainer& explainer, const std::string& known);

/// The default model's file where `given` is empty.
std::string model_file_or_demo(const std::string& given);

}  // namespace fovea::cli
