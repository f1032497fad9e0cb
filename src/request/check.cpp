#include "request/check.hpp"

#include <cmath>
#include <utility>

#include "fovea/target_text.hpp"
#include "request/members.hpp"

namespace fovea::request {
namespace {

constexpr int kMaxThreads = 1024;
constexpr std::int64_t kMaxTokens = 1000000, kMaxRanks = 1000000, kMaxExamples = 1000;
constexpr std::int64_t kLeastSheet = 200, kMostSheet = 16384;
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 31;

void check_target(const RequestTarget& target, const std::string& what) {
  using Kind = RequestTarget::Kind;
  if (target.kind == Kind::ranked && (target.value < 0 || target.value >= kMaxRanks))
    damaged(what, "'rank' must be from 0 to " + std::to_string(kMaxRanks - 1));
  if (target.kind == Kind::text) static_cast<void>(parse_target(target.text));
  if (!target.region) return;
  if (const auto* box = std::get_if<Box>(&*target.region))
    if (box->x < 0 || box->y < 0 || box->width < 1 || box->height < 1 || box->x > kMaxPixels ||
        box->y > kMaxPixels || box->width > kMaxPixels || box->height > kMaxPixels)
      damaged(what, "'region' must be x, y, width and height in pixels");
}

}  // namespace

void check(const Request& request, const std::string& what) {
  using Command = Request::Command;
  if (request.threads < 0 || request.threads > kMaxThreads)
    damaged(what, "'threads' must be from 0 to " + std::to_string(kMaxThreads));
  if (request.prefix_tokens && (*request.prefix_tokens < 0 || *request.prefix_tokens > kMaxTokens))
    damaged(what, "'prefix_tokens' must be from 0 to " + std::to_string(kMaxTokens));
  for (const auto& [member, values] :
       {std::pair("fixed_inputs", &request.fixed_inputs), {"states", &request.states}})
    for (const auto& [name, numbers] : *values)
      for (const double value : numbers)
        if (!std::isfinite(value))
          damaged(what, std::string("'") + member + "' must be finite numbers");
  if (request.command == Command::predict || request.command == Command::index) return;
  if (request.methods.empty())
    throw Error(ErrorCode::invalid_argument, "the " + what + " names no methods");
  if (request.command == Command::explain && request.methods.size() > 1)
    damaged(what, "several methods make a sheet");
  for (const auto& method : request.methods)
    for (const auto& [name, value] : method.options)
      if (!std::isfinite(value)) damaged(what, "option '" + name + "' must be a finite number");
  if (request.targets.empty())
    throw Error(ErrorCode::invalid_argument, "the " + what + " names no classes");
  for (const auto& target : request.targets) check_target(target, what);
  if (!(request.alpha >= 0 && request.alpha <= 1)) damaged(what, "'alpha' must be from 0 to 1");
  if (!(request.percentile >= 0 && request.percentile <= 100))
    damaged(what, "'percentile' must be from 0 to 100");
  if (request.sheet_width < kLeastSheet || request.sheet_width > kMostSheet)
    damaged(what, "'sheet_width' must be from " + std::to_string(kLeastSheet) + " to " +
                      std::to_string(kMostSheet));
  if (request.box_share && !(*request.box_share >= 0 && *request.box_share < 1))
    damaged(what, "'box' must be from 0 to below 1");
  if (request.examples && (request.examples->count < 1 || request.examples->count > kMaxExamples))
    damaged(what, "'count' must be from 1 to " + std::to_string(kMaxExamples));
}

}  // namespace fovea::request
