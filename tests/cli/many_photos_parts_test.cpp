// The parts of fovea explain-all.
#include <algorithm>
#include <atomic>
#include <thread>

#include "folder/listed.hpp"
#include "folder/pace.hpp"
#include "folder/record.hpp"
#include "folder/results_file.hpp"
#include "folder/rows.hpp"
#include "folder/turns.hpp"
#include "fovea/error.hpp"
#include "many_photos.hpp"

namespace fovea::cli_test {
namespace {

using namespace fovea::cli;

TEST(ListedPhotos, AreCalledAfterTheirPlaces) {
  EXPECT_EQ(wanted_name("a.jpg"), "a.jpg");
  EXPECT_EQ(wanted_name("./b//c/../a.jpg"), "b/a.jpg");
  EXPECT_EQ(wanted_name("/b/a.jpg"), "b/a.jpg");
  EXPECT_EQ(wanted_name("../../b/a.jpg"), "up/up/b/a.jpg");
  EXPECT_EQ(wanted_name("/../a"), "a");
  EXPECT_EQ(wanted_name("b/\xff\xfe.jpg"), "b/__.jpg");
  EXPECT_EQ(wanted_name("\xc3\xa9.jpg"), "\xc3\xa9.jpg");
  // As long as names may be, with room for what stands behind it; no character in part.
  std::string lengthy;
  while (lengthy.size() < 250) lengthy += "\xc3\xa9";
  const auto cut = wanted_name("b/" + lengthy);
  EXPECT_LE(cut.size(), 202U);
  EXPECT_EQ(cut, "b/" + lengthy.substr(0, cut.size() - 2));
  EXPECT_EQ(cut.size() % 2, 0U);
}

TEST(ListedPhotos, HaveNamesOfTheirOwn) {
  EXPECT_EQ(own_names({"a", "b", "a", "a"}, {}), (Words{"a", "b", "a-2", "a-3"}));
  EXPECT_EQ(own_names({"a", "a", "a-2"}, {}), (Words{"a", "a-3", "a-2"}));
  EXPECT_EQ(own_names({"a", "b"}, {"a", "a-2"}), (Words{"a-3", "b"}));
}

TEST(Pace, TellsRateAndTimeLeft) {
  EXPECT_EQ(bar_text({.total = 512}), "[....................] 0/512");
  EXPECT_EQ(bar_text({.total = 512, .before = 100, .ok = 250, .failed = 6, .seconds = 3}),
            "[##########..........] 256/512, 52.0 photos/s, 0:05 left, 6 failed");
  EXPECT_EQ(bar_text({.total = 10, .ok = 10, .seconds = 4}),
            "[####################] 10/10, 2.50 photos/s, 0:00 left");
  EXPECT_EQ(bar_text({.total = 100000, .ok = 10, .seconds = 1}),
            "[....................] 10/100000, 10.0 photos/s, 2:46:39 left");
  EXPECT_EQ(rate_text(1234.5), "1234");
  EXPECT_EQ(nlohmann::json::parse(pace_line({.total = 8, .ok = 3, .failed = 1, .seconds = 2})),
            (nlohmann::json{{"done", 4},
                            {"total", 8},
                            {"ok", 3},
                            {"failed", 1},
                            {"photos_per_second", 2.0},
                            {"seconds_left", 2.0}}));
}

TEST(Record, NamesTheOption) {
  const Json was = {{"model", {{"file", "a"}, {"sha256", "1"}}},
                    {"targets", {{{"rank", 0}}, {{"rank", 1}}}},
                    {"fovea", "1"},
                    {"outputs", {{"map", true}}}};
  EXPECT_FALSE(difference(was, was));
  auto now = was;
  now["model"]["file"] = "b";
  now["fovea"] = "2";
  EXPECT_FALSE(difference(was, now));
  EXPECT_EQ(version_warning(was, was), "");
  EXPECT_NE(version_warning(was, now).find("fovea 1, and this is 2"), std::string::npos);
  now["model"]["sha256"] = "2";
  EXPECT_EQ(difference(was, now)->option, "--model");
  now = was;
  now["targets"] = {{{"class", 3}}};
  EXPECT_EQ(difference(was, now)->option, "--class");
  EXPECT_EQ(difference(now, was)->option, "--class");
  now["targets"] = {{{"rank", 0}}};
  EXPECT_EQ(difference(was, now)->option, "--top");
  EXPECT_EQ(difference(was, now)->was, "--top 2");
  now["targets"] = {{{"rank", 0}, {"negated", true}}, {{"rank", 1}}};
  EXPECT_EQ(difference(was, now)->option, "--against");
  now = was;
  now["layer_rules"] = {{"Conv", "zplus"}};
  EXPECT_EQ(difference(was, now)->option, "--rule");
  EXPECT_EQ(difference(was, now)->was, "not given");
  now = was;
  now["outputs"]["feature_map"] = true;
  EXPECT_EQ(difference(was, now)->option, "--feature-map");
}

TEST(Turns, GoDownToWhatMemoryAllowsFor) {
  constexpr int kRoom = 3;
  Turns turns(8);
  std::atomic<int> running = 0, done = 0, alone = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int photo = 0; photo < 50; ++photo) {
        int allowed = turns.begin();
        while (++running > kRoom) {
          --running;
          if (!turns.fewer(allowed)) ++alone;
        }
        std::this_thread::yield();
        --running;
        ++done;
        turns.end();
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 400);
  EXPECT_EQ(alone, 0);
  EXPECT_GE(turns.allowed(), kRoom) << "more fit than are tried";

  Turns one(1);
  int allowed = one.begin();
  EXPECT_FALSE(one.fewer(allowed));
  one.end();
}

TEST(Turns, AreTakenOffOneByOne) {
  Turns turns(4);
  int first = turns.begin(), second = turns.begin();
  EXPECT_EQ(first, 4);
  EXPECT_TRUE(turns.fewer(first));
  EXPECT_EQ(first, 3);
  EXPECT_TRUE(turns.fewer(second)) << "of the same four";
  EXPECT_EQ(turns.allowed(), 3);
  EXPECT_TRUE(turns.fewer(second));
  EXPECT_EQ(turns.allowed(), 2);
}

class RowsInOrder : public testing::Test {
 protected:
  static Row row(std::size_t place) {
    return {R"({"image":")" + std::to_string(place) + R"(","status":"ok"})" + "\n", {}};
  }
  Scratch scratch_;
  Pace pace_{"none"};
};

TEST_F(RowsInOrder, AreWrittenAsTheyWereGivenOut) {
  constexpr std::size_t kPhotos = 500;
  ResultsFile file(scratch_ / "results.jsonl", false);
  file.open();
  Rows rows(kPhotos, 7, file, pace_, {.total = kPhotos});
  std::vector<std::thread> threads;
  std::atomic<std::size_t> furthest = 0;
  for (int i = 0; i < 5; ++i)
    threads.emplace_back([&, i] {
      while (const auto place = rows.next()) {
        const auto written = static_cast<std::size_t>(rows.standing().done());
        furthest = std::max(furthest.load(), *place - std::min(*place, written));
        if ((*place + static_cast<std::size_t>(i)) % 5 == 0) std::this_thread::yield();
        rows.add(*place, row(*place));
      }
      rows.leave();
    });
  rows.watch(5, [] { return false; });
  for (auto& thread : threads) thread.join();
  EXPECT_LT(furthest, 7U);
  std::string expected;
  for (std::size_t i = 0; i < kPhotos; ++i) expected += row(i).line;
  EXPECT_EQ(read_file(scratch_ / "results.jsonl"), expected);
  EXPECT_EQ(rows.standing().ok, static_cast<std::int64_t>(kPhotos));
}

TEST_F(RowsInOrder, EndWhereTheyAreStopped) {
  ResultsFile file(scratch_ / "results.jsonl", false);
  file.open();
  Rows rows(10, 2, file, pace_, {.total = 10});
  EXPECT_EQ(rows.next(), 0U);
  EXPECT_EQ(rows.next(), 1U);
  std::thread waits([&] {
    EXPECT_EQ(rows.next(), std::nullopt);
    rows.leave();
  });
  rows.add(1, row(1));
  bool asked = false;
  rows.watch(1, [&] { return std::exchange(asked, true); });
  waits.join();
  EXPECT_EQ(read_file(scratch_ / "results.jsonl"), "") << "nothing comes before the first";
  EXPECT_EQ(rows.next(), std::nullopt);
}

TEST_F(RowsInOrder, NamesThatAreNoTextAreFoundAgain) {
  const std::string name = "photos/\xff.jpg";
  {
    ResultsFile file(scratch_ / "results.jsonl", false);
    file.open();
    file.append(Json{{"image", name}, {"status", "ok"}}.dump(-1, ' ', false,
                                                             Json::error_handler_t::replace) +
                "\n");
  }
  ResultsFile file(scratch_ / "results.jsonl", false);
  EXPECT_FALSE(file.take("photos/a.jpg"));
  EXPECT_TRUE(file.take(name));
  EXPECT_FALSE(file.take(name)) << "another one of the same look has no line yet";
}

}  // namespace
}  // namespace fovea::cli_test
