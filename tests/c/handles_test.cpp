// Threads, limits, lifetimes and what is said of handles.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include "c/support.hpp"

namespace fovea::c_test {
namespace {

TEST(CHandles, AnExplainerServesManyThreads) {
  const Network network(golden_model("resnet"));
  CRun first;
  ASSERT_EQ(network.forward(first.out()), FOVEA_OK);
  const auto expected = taken([&](fovea_array* to) { return fovea_run_output(first, "", to, {}); });
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int turn = 0; turn < 3; ++turn) {
          CRun run;
          CExplanations why;
          wrong += network.forward(run.out()) != FOVEA_OK;
          wrong += fovea_run_explain(run, nullptr, nullptr, 0, nullptr, nullptr, why.out(),
                                     nullptr) != FOVEA_OK;
          wrong += taken([&](fovea_array* to) { return fovea_run_output(run, "", to, {}); }).data !=
                   expected.data;
          wrong += array_of(why, 0, FOVEA_MAP).data.empty();
        }
      });
  }
  EXPECT_EQ(wrong, 0);
}

TEST(CHandles, ExplanationsServeManyThreads) {
  const Network network(golden_model("vgg"));
  CRun run;
  CExplanations why;
  ASSERT_EQ(network.forward(run.out()), FOVEA_OK);
  ASSERT_EQ(fovea_run_explain(run, nullptr, nullptr, 0, nullptr, nullptr, why.out(), nullptr),
            FOVEA_OK);
  const auto expected = array_of(why, 0, FOVEA_MAP).data;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int turn = 0; turn < 50; ++turn) wrong += array_of(why, 0, FOVEA_MAP).data != expected;
      });
  }
  EXPECT_EQ(wrong, 0);
}

/// Calls the run that it is told of.
struct Nosy {
  fovea_run* run = nullptr;
  int refused = 0;
  static void look(void* user, const char* /*message*/) {
    auto& self = *static_cast<Nosy*>(user);
    if (self.run == nullptr) return;
    fovea_array array{};
    self.refused += fovea_run_output(self.run, nullptr, &array, nullptr) == FOVEA_INVALID_ARGUMENT;
  }
};

// What finds it out is the same for another thread and for a call from within a call.
TEST(CHandles, ARunInACallRefusesAnother) {
  Network network(golden_model("vgg"));
  Nosy nosy;
  auto options = made(fovea_explainer_options_init);
  options.log = Nosy::look;
  options.log_user = &nosy;
  CExplainer explainer;
  ASSERT_EQ(fovea_explainer_create(network.model, &options, nullptr, explainer.out(), nullptr),
            FOVEA_OK);
  network.input.data.front() = std::numeric_limits<float>::quiet_NaN();  // which is warned of
  const fovea_named_tensor feed{nullptr, borrowed(network.input)};
  CRun run;
  ASSERT_EQ(fovea_forward(explainer, &feed, 1, nullptr, run.out(), nullptr), FOVEA_OK);
  ASSERT_GT(fovea_run_warning_count(run), 0U);
  EXPECT_NE(std::strstr(fovea_run_warning(run, 0), "not finite"), nullptr);
  EXPECT_EQ(fovea_run_warning(run, 99), nullptr);
  nosy.run = run;
  CExplanations why;
  ASSERT_EQ(fovea_run_explain(run, nullptr, nullptr, 0, nullptr, nullptr, why.out(), nullptr),
            FOVEA_OK);
  EXPECT_GT(nosy.refused, 0);
  fovea_array array{};
  EXPECT_EQ(fovea_run_output(run, nullptr, &array, nullptr), FOVEA_OK) << "the call is over";
}

TEST(CHandles, AFlagOfAnotherThreadEndsACall) {
  const Network network(golden_model("resnet"), 1, {{"rise", nullptr}});
  CRun run;
  ASSERT_EQ(network.forward(run.out()), FOVEA_OK);
  auto method = made(fovea_method_init);
  method.name = "rise";
  method.options = "masks=100000";
  std::atomic<int> flag = 0;
  auto call = made(fovea_call_options_init);
  call.stop = reinterpret_cast<const int*>(&flag);
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    flag = 1;
  });
  CExplanations why;
  CError error;
  EXPECT_EQ(fovea_run_explain(run, &method, nullptr, 0, nullptr, &call, why.out(), &error),
            FOVEA_CANCELLED);
  EXPECT_EQ(error.code, FOVEA_CANCELLED);
  EXPECT_EQ(why, nullptr);
  call.stop = nullptr;
  call.timeout_ms = 50;
  EXPECT_EQ(fovea_run_explain(run, &method, nullptr, 0, nullptr, &call, why.out(), &error),
            FOVEA_DEADLINE_EXCEEDED);
  method.options = "masks=10";
  EXPECT_EQ(fovea_run_explain(run, &method, nullptr, 0, nullptr, nullptr, why.out(), &error),
            FOVEA_OK)
      << error.message;
}

TEST(CHandles, LimitsHoldWhileAnExplainerIsMade) {
  const Network network(golden_model("resnet"));
  auto options = made(fovea_explainer_options_init);
  options.input_shapes = &network.shape;
  options.input_shape_count = 1;
  std::atomic<int> flag = 1;
  auto call = made(fovea_call_options_init);
  call.stop = reinterpret_cast<const int*>(&flag);
  CExplainer explainer;
  EXPECT_EQ(fovea_explainer_create(network.model, &options, &call, explainer.out(), nullptr),
            FOVEA_CANCELLED);
  call.timeout_ms = 1e-6;
  flag = 0;
  EXPECT_EQ(fovea_explainer_create(network.model, &options, &call, explainer.out(), nullptr),
            FOVEA_DEADLINE_EXCEEDED);
  EXPECT_EQ(explainer, nullptr);
  call.timeout_ms = 0;
  EXPECT_EQ(fovea_explainer_create(network.model, &options, &call, explainer.out(), nullptr),
            FOVEA_OK);
}

TEST(CHandles, TimesThatAreNoneAreRefused) {
  const Network network(golden_model("vgg"));
  for (const double time : {-1.0, std::numeric_limits<double>::quiet_NaN()}) {
    auto call = made(fovea_call_options_init);
    call.timeout_ms = time;
    CRun run;
    EXPECT_EQ(network.forward(run.out(), nullptr, &call), FOVEA_INVALID_ARGUMENT) << time;
  }
  auto call = made(fovea_call_options_init);
  call.timeout_ms = std::numeric_limits<double>::infinity();
  CRun run;
  EXPECT_EQ(network.forward(run.out(), nullptr, &call), FOVEA_OK);
}

#if !defined(__SANITIZE_ADDRESS__)
// Reads memory that was given back, which a sanitizer says first.
TEST(CHandles, ADestroyedHandleIsFoundOut) {
  Network network(golden_model("vgg"));
  CRun run;
  ASSERT_EQ(network.forward(run.out()), FOVEA_OK);
  fovea_explanations* why = nullptr;
  ASSERT_EQ(fovea_run_explain(run, nullptr, nullptr, 0, nullptr, nullptr, &why, nullptr), FOVEA_OK);
  fovea_explanations_destroy(why);
  fovea_explanations_destroy(why);
  EXPECT_EQ(fovea_explanations_count(why), 0U);
  fovea_array array{};
  CError error;
  EXPECT_EQ(fovea_explanation_array(why, 0, FOVEA_MAP, &array, &error), FOVEA_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(error.message, "destroyed"), nullptr) << error.message;
  // One handle in the place of another.
  fovea_run* gone = run.take();
  fovea_run_destroy(gone);
  fovea_run_destroy(gone);
  EXPECT_EQ(fovea_run_output(gone, nullptr, &array, &error), FOVEA_INVALID_ARGUMENT);
}
#endif

TEST(CHandles, OneHandleIsNotTakenForAnother) {
  const Network network(golden_model("vgg"));
  CError error;
  auto info = made(fovea_value_info_init);
  const auto* no_model =
      reinterpret_cast<const fovea_model*>(static_cast<const fovea_explainer*>(network.explainer));
  EXPECT_EQ(fovea_model_input(no_model, 0, &info, &error), FOVEA_INVALID_ARGUMENT);
  EXPECT_EQ(fovea_model_input_count(no_model), 0U);
}

TEST(CHandles, AModelFromBytesIsTheModelFromTheFile) {
  const auto file = golden_model("densenet");
  std::ifstream in(file, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const Network network(file);
  CModel model;
  CError error;
  EXPECT_EQ(fovea_model_from_bytes(bytes.data(), bytes.size(), nullptr, model.out(), &error),
            FOVEA_INVALID_ARGUMENT)
      << "its weights lie in a file";
  const auto folder = std::filesystem::path(file).parent_path().string();
  ASSERT_EQ(fovea_model_from_bytes(bytes.data(), bytes.size(), folder.c_str(), model.out(), &error),
            FOVEA_OK)
      << error.message;
  bytes.assign(bytes.size(), '\0');  // it is not needed any more
  auto options = made(fovea_explainer_options_init);
  options.threads = 1;
  options.tuning = FOVEA_TUNING_OFF;
  options.input_shapes = &network.shape;
  options.input_shape_count = 1;
  CExplainer explainer;
  ASSERT_EQ(fovea_explainer_create(model, &options, nullptr, explainer.out(), nullptr), FOVEA_OK);
  const fovea_named_tensor feed{nullptr, borrowed(network.input)};
  CRun from_bytes, from_file;
  ASSERT_EQ(fovea_forward(explainer, &feed, 1, nullptr, from_bytes.out(), nullptr), FOVEA_OK);
  ASSERT_EQ(network.forward(from_file.out()), FOVEA_OK);
  const auto scores = [](fovea_run* run) {
    return taken([&](fovea_array* to) { return fovea_run_output(run, nullptr, to, nullptr); });
  };
  EXPECT_EQ(scores(from_bytes).data, scores(from_file).data);
}

TEST(CHandles, InTheChildOfAForkWhatIsNewWorks) {
  const Network network(golden_model("vgg"), 2);
  CRun before;
  ASSERT_EQ(network.forward(before.out()), FOVEA_OK);
  const auto child = fork();
  if (child == 0) {
    alarm(120);
    CRun run;
    const bool serves = network.forward(run.out()) == FOVEA_OK && fovea_run_warning_count(run) > 0;
    CExplanations why;
    const bool refuses = fovea_run_explain(before, nullptr, nullptr, 0, nullptr, nullptr, why.out(),
                                           nullptr) == FOVEA_INVALID_ARGUMENT;
    _exit(serves && refuses ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace fovea::c_test
