// What is left of an explainer in the child of a fork. Children answer by their exit status, and an
// alarm ends one that hangs.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "support.hpp"

namespace fovea {
namespace {

using namespace api_test;

constexpr unsigned kPatience = 120;  // seconds, on a loaded machine
enum Status { kGood = 0, kWrong = 1, kThrew = 2 };

/// The status that `work` returned in a child; -1: it did not come back.
int in_child(const std::function<Status()>& work) {
  const auto child = fork();
  if (child == 0) {
    alarm(kPatience);
    Status status = kThrew;
    try {
      status = work();
    } catch (...) {
    }
    _exit(status);
  }
  int how = 0;
  if (child < 0 || waitpid(child, &how, 0) != child || !WIFEXITED(how)) return -1;
  return WEXITSTATUS(how);
}

ExplainerOptions on_two_threads() {
  ExplainerOptions out;
  out.compile.tuning = Tuning::off;
  out.pool.threads = 2;
  return out;
}

bool warns(const std::vector<std::string>& warnings) {
  for (const auto& one : warnings)
    if (one.find("forked") != std::string::npos) return true;
  return false;
}

bool near(const Tensor& a, const Tensor& b) {
  if (a.shape != b.shape) return false;
  for (std::size_t i = 0; i < a.data.size(); ++i)
    if (std::abs(a.data[i] - b.data[i]) > 1e-4) return false;
  return true;
}

TEST(Fork, AChildRunsOnOneThreadAndSaysSo) {
  const auto model = Model::load(golden_model("mobilenet_v2"));
  const Explainer explainer(model, on_two_threads());
  const auto input = random_input(explainer, 3);
  const auto here = explainer.explain(input);
  EXPECT_EQ(here.timings_ms.threads, 2);
  EXPECT_FALSE(warns(here.warnings));
  const auto answers_well = [&](const Explainer& asked) {
    const auto why = asked.explain(input);
    return warns(why.warnings) && why.timings_ms.threads == 1 && asked.threads() == 1 &&
           near(why.map, here.map);
  };
  EXPECT_EQ(in_child([&] { return answers_well(explainer) ? kGood : kWrong; }), kGood);
  EXPECT_EQ(in_child([&] {
              const Explainer own(Model::load(golden_model("mobilenet_v2")), on_two_threads());
              return answers_well(own) ? kGood : kWrong;
            }),
            kGood);
  // A child's child, and a call that asks for more.
  EXPECT_EQ(in_child([&] {
              const auto run = explainer.forward(input, {.threads = 2});
              if (!warns(run.warnings())) return kWrong;
              return in_child([&] { return answers_well(explainer) ? kGood : kWrong; }) == kGood
                         ? kGood
                         : kWrong;
            }),
            kGood);
  EXPECT_FALSE(warns(explainer.explain(input).warnings));
}

TEST(Fork, ARunOfBeforeIsRefusedByName) {
  auto options = on_two_threads();
  options.prepare.methods = {GradCam{}, Rise{.masks = 8}};
  const Explainer explainer(Model::load(golden_model("mobilenet_v2")), options);
  auto run = explainer.forward(random_input(explainer, 3));
  const auto refused = [&](const Method& method) {
    try {
      run.explain(method);
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid_argument &&
             std::string(error.what()).find("before its process was forked") != std::string::npos;
    }
    return false;
  };
  EXPECT_EQ(in_child([&] {
              const bool all =
                  !run.predictions().empty() && refused(GradCam{}) && refused(Rise{.masks = 8});
              return all ? kGood : kWrong;
            }),
            kGood);
  EXPECT_NO_THROW(run.explain());
}

TEST(Fork, AChildOfACallRefusesByName) {
  const auto model = Model::load(golden_model("mobilenet_v2"));
  auto options = on_two_threads();
  options.prepare.methods = {GradCam{}, Rise{.masks = 8}};
  const Explainer explainer(model, options);
  const auto input = random_input(explainer, 3);
  int status = -1;
  const auto refuses = [&](const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code() == ErrorCode::invalid_argument &&
             std::string(error.what()).find("forked while a call") != std::string::npos;
    }
    return false;
  };
  auto run = explainer.forward(input);
  const auto forks = [&](double) {
    if (status >= 0) return;
    status = in_child([&] {
      const bool all = refuses([&] { explainer.explain(input); }) &&
                       refuses([&] { run.explain(); }) && refuses([&] { run.predictions(); }) &&
                       refuses([&] { Explainer(model, options); });
      return all ? kGood : kWrong;
    });
  };
  run.explain(Rise{.masks = 8}, Target::top1(), {}, {.progress = forks});
  EXPECT_EQ(status, kGood);
  EXPECT_NO_THROW(explainer.explain(input));
  // The call itself, where it goes on in the child.
  bool child = false;
  const auto goes_on = [&](double) {
    if (child || status < 0) return;
    const auto id = fork();
    if (id == 0) {
      alarm(kPatience);
      child = true;
      return;
    }
    int how = 0;
    waitpid(id, &how, 0);
    status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
    if (status == kGood) status = -2;  // once
  };
  status = kWrong;
  const bool refused =
      refuses([&] { run.explain(Rise{.masks = 8}, Target::top1(), {}, {.progress = goes_on}); });
  if (child) _exit(refused ? kGood : kWrong);
  EXPECT_FALSE(refused);
  EXPECT_EQ(status, -2);
}

}  // namespace
}  // namespace fovea
