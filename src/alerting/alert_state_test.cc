#include "alerting/alert_state.h"

#include <gtest/gtest.h>

namespace maeil::alerting {
namespace {

const Patience kPatience{.repeat_days = 7};

Days day(int number) { return parse_date("2026-11-01").value() + std::chrono::days(number - 1); }
Occurrence on(int number) { return {day(number), "CRITICAL", "day " + std::to_string(number), "a"}; }

AlertState opened_on(int number) {
  AlertState out{.dataset = "loans", .model = "m", .rule = "MODEL_PERFORMANCE_FAILURE"};
  EXPECT_EQ(occur(out, on(number), kPatience), Ring::kOpened);
  return out;
}

TEST(AlertState, TheSameTroubleTomorrowCountsUpAndRingsOnceMoreAfterSevenDays) {
  auto state = opened_on(1);
  for (int d = 2; d <= 7; ++d) EXPECT_EQ(occur(state, on(d), kPatience), Ring::kNone) << d;
  EXPECT_EQ(occur(state, on(8), kPatience), Ring::kRepeated);
  EXPECT_EQ(occur(state, on(9), kPatience), Ring::kNone);
  EXPECT_EQ(state.count, 9);
  EXPECT_EQ(state.first_seen, day(1));
  EXPECT_EQ(state.last_seen, day(9));
  EXPECT_EQ(state.message, "day 9");
}

TEST(AlertState, ADateDoneAgainIsNoOtherDate) {
  auto state = opened_on(3);
  Occurrence again = on(3);
  again.message = "said anew";
  EXPECT_EQ(occur(state, again, kPatience), Ring::kNone);
  EXPECT_EQ(state.count, 1);
  EXPECT_EQ(state.message, "said anew");
  // An older date, of a backfill: it counts, and what is said stays that of the newest.
  EXPECT_EQ(occur(state, on(1), kPatience), Ring::kNone);
  EXPECT_EQ(state.count, 2);
  EXPECT_EQ(state.first_seen, day(1));
  EXPECT_EQ(state.last_seen, day(3));
  EXPECT_EQ(state.message, "said anew");
}

TEST(AlertState, IsOverAndOpensAgain) {
  auto state = opened_on(1);
  EXPECT_EQ(end(state, day(3)), Ring::kResolved);
  EXPECT_EQ(state.standing, Standing::kResolved);
  EXPECT_EQ(state.resolved_on, day(3));
  EXPECT_EQ(end(state, day(4)), Ring::kNone);
  // The date that had shown that it was over turns bad when it is done again.
  EXPECT_EQ(occur(state, on(3), kPatience), Ring::kOpened);
  EXPECT_EQ(state.count, 1);
  EXPECT_EQ(state.first_seen, day(3));
  EXPECT_FALSE(state.resolved_on);
}

TEST(AlertState, WhoAcknowledgedHearsNoMoreOfIt) {
  auto state = opened_on(1);
  ASSERT_TRUE(acknowledge(state, {"kim", "the feed is asked"}));
  EXPECT_EQ(occur(state, on(9), kPatience), Ring::kNone);
  EXPECT_EQ(state.count, 2);
  EXPECT_EQ(state.by, "kim");
  EXPECT_EQ(end(state, day(11)), Ring::kResolved);
  EXPECT_EQ(occur(state, on(12), kPatience), Ring::kOpened);
  EXPECT_EQ(state.comment, "");
}

TEST(AlertState, ASilenceEndsByItself) {
  auto state = opened_on(1);
  ASSERT_TRUE(silence(state, day(4), {"kim", ""}));
  for (int d = 2; d <= 4; ++d) EXPECT_EQ(occur(state, on(d), kPatience), Ring::kNone) << d;
  EXPECT_EQ(occur(state, on(5), kPatience), Ring::kRepeated);
  EXPECT_EQ(state.standing, Standing::kOpen);
  EXPECT_EQ(silence(state, day(4), {}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(state.standing, Standing::kOpen);
}

TEST(AlertState, WhatIsResolvedNeedsNobody) {
  auto state = opened_on(1);
  ASSERT_TRUE(resolve(state, {"kim", "known"}));
  EXPECT_EQ(state.resolved_on, day(1));
  EXPECT_EQ(state.by, "kim");
  for (const auto& refused : {acknowledge(state, {}), silence(state, day(9), {}), resolve(state, {})}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
    EXPECT_NE(refused.error().message.find("was resolved on 2026-11-01"), std::string::npos);
  }
  EXPECT_EQ(occur(state, on(1), kPatience), Ring::kNone);    // of the date that was known
  EXPECT_EQ(occur(state, on(2), kPatience), Ring::kOpened);  // whenever that was said
  EXPECT_EQ(state.by, "");
}

TEST(AlertState, ComesBackFromItsDocument) {
  auto state = opened_on(1);
  state.segment = "region=Jeju";
  ASSERT_TRUE(silence(state, day(4), {"김", "점검"}));
  auto document = to_document(state);
  EXPECT_EQ(to_document(from_document(document).value()), document);
  ASSERT_TRUE(resolve(state, {}));
  document = to_document(state);
  EXPECT_EQ(to_document(from_document(document).value()), document);
  for (const char* field : {"state", "count", "rings", "first_seen", "last_seen", "rung_on", "resolved_on"}) {
    auto damaged = document;
    damaged[field] = field == std::string("count") ? store::Document(0) : store::Document("soon");
    const auto read = from_document(damaged);
    ASSERT_FALSE(read) << field;
    EXPECT_NE(read.error().message.find(field), std::string::npos);
  }
  // Keys that would read alike are others.
  AlertState a{.dataset = "x", .rule = "y/z"}, b{.dataset = "x/y", .rule = "z"};
  EXPECT_NE(state_id(a), state_id(b));
}

}  // namespace
}  // namespace maeil::alerting
