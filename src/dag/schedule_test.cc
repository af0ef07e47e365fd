// The daily daemon on a clock of its own: what it makes up for, in which order, and what it tries again when.
#include "dag/schedule.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace maeil::dag {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

Days day(const char* text) { return parse_date(text).value(); }

// A machine whose time passes only while the daemon sleeps or a date runs; it is switched off at `end`.
struct Machine {
  Instant clock, end;
  std::optional<Days> first;
  std::set<Days> finished;
  std::map<Days, std::vector<int>> codes;  // of a date's runs, in order; then 0
  minutes a_run_takes{1};
  std::vector<std::string> runs, said;  // "11-22 00:10"
  int unreadable = 0;                   // so many looks into the store fail

  void keep(Schedule schedule) {
    ScheduleHooks hooks;
    hooks.now = [&] { return clock; };
    hooks.cancelled = [&] { return clock >= end; };
    hooks.sleep_until = [&](Instant until) {
      EXPECT_GT(until, clock);  // never in circles
      clock = std::min(until, end);
      return clock < end;
    };
    hooks.first_date = [&]() -> Result<std::optional<Days>> {
      if (unreadable-- > 0) return fail(ErrorCode::kUnavailable, "no server answers");
      return first;
    };
    hooks.is_finished = [&](Days date) -> Result<bool> { return finished.contains(date); };
    hooks.run = [&](Days date) {
      runs.push_back(format_date(date).substr(5) + " " + format_instant(clock).substr(11, 5));
      clock += a_run_takes;
      auto& left = codes[date];
      const int code = left.empty() ? 0 : left.front();
      if (!left.empty()) left.erase(left.begin());
      if (code == 0 || code == 4) finished.insert(date);
      if (!first || date < *first) first = date;
      return code;
    };
    hooks.say = [&](const std::string& sentence) { said.push_back(sentence); };
    EXPECT_TRUE(keep_schedule(schedule, hooks));
  }
};

using Runs = std::vector<std::string>;

TEST(DueDates, BeginWithTheStoresFirstAndEndWithTheLastThatIsDue) {
  const Schedule at_six{"06:00", "UTC", 2};
  const Instant five = day("2026-11-23") + hours(5);
  const auto text = [](const Result<std::vector<Days>>& dates) {
    std::string out;
    for (const Days date : dates.value()) out += format_date(date).substr(8) + " ";
    return out;
  };
  EXPECT_EQ(text(due_dates(five, at_six, day("2026-01-01"))), "21 22 ");
  EXPECT_EQ(text(due_dates(five + hours(1), at_six, day("2026-01-01"))), "21 22 23 ");
  EXPECT_EQ(text(due_dates(five, at_six, day("2026-11-22"))), "22 ");
  EXPECT_EQ(text(due_dates(five, at_six, day("2026-11-24"))), "");
  EXPECT_EQ(text(due_dates(five, at_six, std::nullopt)), "");
  EXPECT_EQ(text(due_dates(five, {"06:00", "UTC", 0}, day("2026-01-01"))), "");
  // 2026-11-23T05:00Z is 14:00 of the 23rd in Seoul.
  EXPECT_EQ(text(due_dates(five, {"06:00", "Asia/Seoul", 1}, day("2026-01-01"))), "22 23 ");
}

TEST(CatchUp, AMissedAndAHalfFinishedDayAreMadeUpForOldestFirst) {
  Machine machine{.clock = day("2026-11-23") + hours(8),
                  .end = day("2026-11-24") + hours(1),
                  .first = day("2026-11-01"),
                  .finished = {}};
  machine.finished = {day("2026-11-22")};
  machine.keep({"00:00", "UTC", 2});
  EXPECT_EQ(machine.runs, (Runs{"11-21 08:00", "11-23 08:01", "11-24 00:00"}));
}

TEST(CatchUp, ZeroMakesUpForNothingAndAnEmptyStoreHasNoDays) {
  Machine none{.clock = day("2026-11-23") + hours(8),
               .end = day("2026-11-25") + hours(1),
               .first = day("2026-11-01"),
               .finished = {}};
  none.keep({"00:00", "UTC", 0});
  EXPECT_EQ(none.runs, (Runs{"11-24 00:00", "11-25 00:00"}));
  Machine empty{.clock = day("2026-11-23") + hours(8),
                .end = day("2026-11-24") + hours(1),
                .first = {},
                .finished = {}};
  empty.keep({"00:00", "UTC", 7});
  EXPECT_EQ(empty.runs, (Runs{"11-24 00:00"}));
}

TEST(CatchUp, APassingFailureIsTriedAgainAfterAGrowingPause) {
  Machine machine{.clock = day("2026-11-23") + hours(8),
                  .end = day("2026-11-23") + hours(12),
                  .first = day("2026-11-23"),
                  .finished = {}};
  machine.codes[day("2026-11-23")] = {1, 1, 1, 0};
  machine.keep({"00:00", "UTC", 1});
  EXPECT_EQ(machine.runs, (Runs{"11-23 08:00", "11-23 08:02", "11-23 08:05", "11-23 08:10"}));
  EXPECT_EQ(pause_after(1), minutes(1));
  EXPECT_EQ(pause_after(7), minutes(60));
  EXPECT_EQ(pause_after(1'000'000), minutes(60));
}

TEST(CatchUp, WithoutCatchUpTheDaysOwnFailureIsTriedAgainToo) {
  Machine machine{.clock = day("2026-11-22") + hours(23),
                  .end = day("2026-11-23") + hours(2),
                  .first = {},
                  .finished = {}};
  machine.codes[day("2026-11-23")] = {1, 0};
  machine.keep({"00:00", "UTC", 0});
  EXPECT_EQ(machine.runs, (Runs{"11-23 00:00", "11-23 00:02"}));
}

TEST(CatchUp, WhatFailedForGoodWaitsForTheNextDay) {
  Machine machine{.clock = day("2026-11-23") + hours(8),
                  .end = day("2026-11-24") + hours(12),
                  .first = day("2026-11-23"),
                  .finished = {}};
  machine.codes[day("2026-11-23")] = {3, 3};
  machine.codes[day("2026-11-24")] = {4};  // the gate failed: finished
  machine.keep({"00:00", "UTC", 1});
  EXPECT_EQ(machine.runs, (Runs{"11-23 08:00", "11-23 00:00", "11-24 00:01"}));
}

TEST(CatchUp, OneDaysFailureDoesNotHoldUpTheOthers) {
  Machine machine{.clock = day("2026-11-23") + hours(8),
                  .end = day("2026-11-23") + hours(9),
                  .first = day("2026-11-01"),
                  .finished = {}};
  machine.codes[day("2026-11-22")] = {1, 0};
  machine.keep({"00:00", "UTC", 1});
  EXPECT_EQ(machine.runs, (Runs{"11-22 08:00", "11-23 08:01", "11-22 08:03"}));
}

TEST(CatchUp, ADayThatFellDueWhileAnotherRanIsNotLeftOut) {
  for (const int64_t catchup : {0, 1}) {
    Machine machine{.clock = day("2026-11-22") + hours(23),
                    .end = day("2026-11-24") + hours(20),
                    .first = {},
                    .finished = {}};
    machine.a_run_takes = minutes(25 * 60);
    machine.keep({"00:00", "UTC", catchup});
    EXPECT_EQ(machine.runs, (Runs{"11-23 00:00", "11-24 01:00"})) << catchup;
  }
}

TEST(CatchUp, AStoreThatCannotBeReadAtTheStartIsAskedAgain) {
  Machine machine{.clock = day("2026-11-23") + hours(8),
                  .end = day("2026-11-23") + hours(9),
                  .first = day("2026-11-23"),
                  .finished = {}};
  machine.unreadable = 2;
  machine.keep({"00:00", "UTC", 1});
  EXPECT_EQ(machine.runs, (Runs{"11-23 08:03"}));
}

}  // namespace
}  // namespace maeil::dag
