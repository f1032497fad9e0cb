#include "api/tuning.hpp"

#include <chrono>
#include <optional>

#include "api/explainer_impl.hpp"

namespace fovea {
namespace api {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kQuickBound = std::chrono::seconds(2);

std::optional<Milliseconds> bound_of(const CompileOptions& options) {
  if (options.tuning_time) return options.tuning_time;
  return options.tuning == Tuning::thorough ? std::nullopt : std::optional(kQuickBound);
}

}  // namespace

engine::TuningTime tuning_time(const CompileOptions& options) {
  // Beyond this a clock's ticks do not count them.
  constexpr Milliseconds kForever = std::chrono::hours(24 * 365);
  const auto bound = bound_of(options);
  if (!bound || *bound > kForever) return engine::TuningTime();
  return engine::TuningTime(*bound);
}

std::vector<std::string> tuning_warnings(const CompileOptions& options,
                                         const engine::TuningTime& time) {
  if (time.given_up() == 0) return {};
  const auto bound = bound_of(options).value_or(Milliseconds(0));
  return {"tuning ended after its " + std::to_string(bound.count()) + " ms with " +
          std::to_string(time.given_up()) + (time.given_up() == 1 ? " choice" : " choices") +
          " left at what is taken without timing, which the plan cache does not keep: say "
          "--tuning-time to give it longer"};
}

}  // namespace api

const std::vector<std::string>& Explainer::warnings() const {
  return impl_->warnings;
}
std::string Explainer::plan_cache() const {
  return Access::impl(impl_->model).choices->text();
}

}  // namespace fovea
