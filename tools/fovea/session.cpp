#include "session.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "demo.hpp"
#include "long_call.hpp"
#include "machine.hpp"
#include "outputs.hpp"
#include "text.hpp"

namespace fovea::cli {

std::string read_plan_cache(const std::string& file) {
  if (file.empty() || !std::filesystem::exists(file)) return {};
  return read_text(file, ErrorCode::invalid_argument);
}

void keep_plan_cache(const std::string& file, const Explainer& explainer,
                     const std::string& known) {
  if (file.empty()) return;
  const auto text = explainer.plan_cache();
  if (text == known) return;
  OutputFiles files;
  files.add(file, text);
  files.write();
  files.keep();
}

std::string model_file_or_demo(const std::string& given) {
  return given.empty() ? demo_file(kDemoModel) : given;
}

namespace {

/// Of a call that is over before it would pay to spin, or of one that runs the network often.
Waiting waiting_for(const Request& request, std::size_t photos) {
  const bool is_long =
      photos > 1 || request.command == Request::Command::index ||
      std::any_of(request.methods.begin(), request.methods.end(),
                  [](const RequestMethod& method) { return method_info(method.name).expensive; });
  return is_long ? Waiting::adaptive : Waiting::sleep;
}

/// From here to the end of the process.
void sleep_to_the_end() {
  static const SleepingWaits waits;
}

/// `make(options of a call)`, unless Ctrl-C comes first.
template <class Make>
auto stoppable(Make&& make) {
  LongCall call("making the explainer");
  auto out = make(call.options());
  call.check();
  return out;
}

}  // namespace

Explainer make_explainer(const Model& model, const ExplainerOptions& options) {
  return stoppable([&](const CallOptions& call) { return Explainer(model, options, call); });
}

Explainer make_explainer(Session& session, const std::vector<std::string>& layers,
                         const std::vector<Method>& methods, const std::string& plan_cache) {
  auto out =
      stoppable([&](const CallOptions& call) { return session.explainer(layers, methods, call); });
  keep_plan_cache(plan_cache, out, session.options.compile.plan_cache);
  return out;
}

Prepared prepare(Session& session, const std::vector<Method>& also, const std::string& plan_cache) {
  auto out =
      stoppable([&](const CallOptions& call) { return fovea::prepare(session, also, call); });
  keep_plan_cache(plan_cache, out.explainer, session.options.compile.plan_cache);
  return out;
}

Session open_session(Asked asked, bool whole_photo) {
  if (!asked.plan_cache.empty()) check_output(asked.plan_cache, {}, asked.files());
  const SleepingWaits while_photos_are_read;
  if (waiting_for(asked.request, asked.photos.size()) == Waiting::sleep) sleep_to_the_end();
  double load = 0;
  auto model = timed(load, [&] { return fovea::load_model(asked.request); });
  auto session = open_session(std::move(asked), std::move(model), whole_photo);
  session.times.load = load;
  return session;
}

Session open_session(Asked asked, Model model, bool whole_photo) {
  const auto waiting = waiting_for(asked.request, asked.photos.size());
  name_inputs(asked, model);
  auto session = fovea::open_session(std::move(asked.request), std::move(model), whole_photo);
  session.options.compile.plan_cache = read_plan_cache(asked.plan_cache);
  session.options.compile.tuning_time = asked.tuning_time;
  auto& pool = session.options.pool;
  if (asked.memory_limit > 0) pool.memory_limit = asked.memory_limit;
  pool.waiting = waiting;
  pool.fewer_threads = false;  // a request made again is to give the same
  keep_within_quota(pool, cpu_quota());
  return session;
}

}  // namespace fovea::cli
