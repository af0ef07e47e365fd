// The outbox: in order, at least once, whatever fails, hangs or dies.
#include "alerting/deliveries.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::alerting {
namespace {

Message numbered(int alert, int ring) {
  return {Ring::kRepeated,
          {.dataset = "loans",
           .rule = "R" + std::to_string(alert),
           .severity = "CRITICAL",
           .message = std::to_string(ring),
           .count = 1}};
}

struct Outgoing : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = store::open_sqlite(folder / "maeil.db").value();

  void put(int alert, int ring, const std::string& channel, Instant when = now()) {
    store::Batch batch;
    batch.puts.push_back({kDeliveries, new_delivery(numbered(alert, ring), ring, channel, when)});
    ASSERT_TRUE(store->commit(batch));
  }
};

TEST_F(Outgoing, ALaterRingWaitsForTheEarlierOneAndNoOther) {
  for (int ring = 1; ring <= 3; ++ring) put(1, ring, "slack"), put(1, ring, "email"), put(2, ring, "slack");
  std::vector<std::string> sent;
  const auto send = [&](std::string_view channel, const Message& message, std::chrono::milliseconds) {
    sent.push_back(std::string(channel) + " " + message.state.rule + " " + message.state.message);
    const bool fails = sent.back() == "slack R1 2";
    return Answer{fails ? Answer::Kind::kLater : Answer::Kind::kDelivered, "HTTP 500"};
  };
  const auto lines = deliver(*store, {.channels = {"slack", "email"}, .send = send}).value();
  std::ranges::sort(sent);
  EXPECT_EQ(sent, (std::vector<std::string>{"email R1 1", "email R1 2", "email R1 3", "slack R1 1",
                                            "slack R1 2", "slack R2 1", "slack R2 2", "slack R2 3"}));
  EXPECT_EQ(std::ranges::count(lines, "warning: slack: HTTP 500, again in 1 min"), 1);
  sent.clear();
  EXPECT_TRUE(
      deliver(*store, {.channels = {"slack", "email"}, .send = send})->empty());  // the minute is not over
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(look_into(*store)->pending, 2);
}

TEST_F(Outgoing, WhatIsRefusedOrTooOldIsGivenUpAndTheNextGoesOn) {
  put(2, 1, "email");
  store::Batch tried;  // for the first time two days ago
  tried.sets.push_back(
      {kDeliveries,
       store::id_text(store->find_one(kDeliveries, {})->at("_id")),
       {{"attempts", store::Document::array({{{"at", store::date_value(now() - std::chrono::hours(49))},
                                              {"outcome", "later"},
                                              {"text", "HTTP 500"}}})}}});
  ASSERT_TRUE(store->commit(tried));
  put(1, 1, "slack"), put(1, 2, "slack");
  const auto send = [&](std::string_view channel, const Message& message, std::chrono::milliseconds) {
    if (channel == "email") return Answer{Answer::Kind::kLater, "email is not reached"};
    return Answer{message.state.message == "1" ? Answer::Kind::kRefused : Answer::Kind::kDelivered,
                  "HTTP 410"};
  };
  const auto done = deliver(*store, {.channels = {"slack", "email"}, .send = send});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->size(), 3u);
  const auto outbox = look_into(*store).value();
  EXPECT_EQ(outbox.pending, 0);
  ASSERT_EQ(outbox.failed.size(), 2u);
  EXPECT_NE(outbox.failed[1].find("did not reach slack: HTTP 410"), std::string::npos) << outbox.failed[1];
  store::FindOptions delivered;
  delivered.filter = {{"status", "delivered"}};
  const auto documents = store->find(kDeliveries, delivered).value();
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0]["attempts"][0]["outcome"], "delivered");
}

TEST_F(Outgoing, WhatIsForAChannelThatIsNotSetWaits) {
  put(1, 1, "slack"), put(1, 1, "email");
  int sent = 0;
  const auto send = [&](std::string_view, const Message&, std::chrono::milliseconds) {
    ++sent;
    return Answer{Answer::Kind::kDelivered, ""};
  };
  const auto lines = deliver(*store, {.channels = {"email"}, .send = send}).value();
  EXPECT_EQ(lines, (std::vector<std::string>{"warning: 1 message for slack waits: that channel is not set",
                                             "email: delivered"}));
  EXPECT_EQ(sent, 1);
  EXPECT_EQ(look_into(*store)->pending, 1);
}

TEST_F(Outgoing, ADamagedOneIsGivenUpAndHoldsUpNothing) {
  put(1, 1, "slack");
  store::Batch batch;
  batch.puts.push_back({kDeliveries,
                        {{"_id", store::id_value(store::new_object_id(now()))},
                         {"status", "pending"},
                         {"channel", "slack"},
                         {"alert_key", "0"}}});
  ASSERT_TRUE(store->commit(batch));
  const auto send = [&](std::string_view, const Message&, std::chrono::milliseconds) {
    return Answer{Answer::Kind::kDelivered, ""};
  };
  const auto lines = deliver(*store, {.channels = {"slack"}, .send = send}).value();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("given up"), std::string::npos);
  EXPECT_EQ(look_into(*store)->failed.size(), 1u);
}

TEST_F(Outgoing, AChannelThatHangsTakesItsShareAndNoMore) {
  for (int alert = 0; alert < 5; ++alert) put(alert, 1, "command"), put(alert, 1, "slack");
  int delivered = 0;
  const auto send = [&](std::string_view channel, const Message&, std::chrono::milliseconds limit) {
    if (channel == "slack") return ++delivered, Answer{Answer::Kind::kDelivered, ""};
    ::usleep(static_cast<useconds_t>(limit.count()) * 1000);
    return Answer{Answer::Kind::kLater, "hangs"};
  };
  const std::vector<std::string> both = {"command", "slack"};
  ASSERT_TRUE(deliver(*store, {.channels = both, .budget = std::chrono::milliseconds(400), .send = send}));
  EXPECT_EQ(delivered, 5);
}

TEST_F(Outgoing, BacksOffAsLongAsItIsAsked) {
  using std::chrono::minutes;
  using std::chrono::seconds;
  EXPECT_EQ(back_off(1, seconds(0)), minutes(1));
  EXPECT_EQ(back_off(4, seconds(0)), minutes(8));
  EXPECT_EQ(back_off(7, seconds(0)), minutes(60));
  EXPECT_EQ(back_off(1000, seconds(0)), minutes(60));
  EXPECT_EQ(back_off(1, seconds(7200)), seconds(7200));
  EXPECT_EQ(back_off(1, seconds(1'000'000)), seconds(86400));
}

TEST_F(Outgoing, AHangingChannelCostsTheBudgetAndNoMore) {
  for (int alert = 0; alert < 50; ++alert) put(alert, 1, "slack");
  int asked = 0;
  const auto send = [&](std::string_view, const Message&, std::chrono::milliseconds limit) {
    ++asked;
    EXPECT_LE(limit, std::chrono::milliseconds(300));
    ::usleep(static_cast<useconds_t>(limit.count()) * 1000);
    return Answer{Answer::Kind::kLater, "hangs"};
  };
  ASSERT_TRUE(
      deliver(*store, {.channels = {"slack"}, .budget = std::chrono::milliseconds(300), .send = send}));
  EXPECT_LE(asked, 3);
}

std::chrono::seconds at_once(int64_t, std::chrono::seconds) { return std::chrono::seconds(0); }

// A process that sends until nothing is left. Each arrival is a line of the log; half of the time it fails.
[[noreturn]] void send_all(const std::string& database, const std::string& log, unsigned seed) {
  const auto store = store::open_sqlite(database);
  if (!store) ::_exit(2);
  std::mt19937 random(seed);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const auto send = [&](std::string_view, const Message& message, std::chrono::milliseconds) {
    const std::string line = message.state.rule + " " + message.state.message + "\n";
    const bool arrives = random() % 2 == 0 && ::write(out, line.data(), line.size()) > 0;
    return Answer{arrives ? Answer::Kind::kDelivered : Answer::Kind::kLater, "HTTP 503"};
  };
  for (;;) {
    if (!deliver(**store, {.channels = {"webhook"}, .most_failures = INT_MAX, .send = send, .wait = at_once}))
      ::_exit(3);
    if (look_into(**store).value().pending == 0) ::_exit(0);
  }
}

TEST_F(Outgoing, AThousandArriveInOrderThoughSendersAreKilled) {
  constexpr int kAlerts = 20, kRings = 50;
  for (int ring = 1; ring <= kRings; ++ring) {
    for (int alert = 0; alert < kAlerts; ++alert) put(alert, ring, "webhook");
  }
  store.reset();  // not to be used after fork
  const std::string log = (folder / "arrived").string(), database = (folder / "maeil.db").string();
  std::mt19937 random(1);
  const auto arrived = [&] {
    std::ifstream in(log);
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  int kills = 0;
  for (bool over = false; !over;) {
    const auto seed = static_cast<unsigned>(random());
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) send_all(database, log, seed);
    // After so many arrivals, whatever it is at.
    const auto until = arrived() + static_cast<long>(random() % 120);
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(child, &status, WNOHANG)) == 0 && arrived() < until) ::usleep(3000);
    if (ended == 0) {
      ::kill(child, SIGKILL);
      ::waitpid(child, &status, 0);
      ++kills;
    }
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    over = WIFEXITED(status);
  }
  EXPECT_GE(kills, 5);
  std::map<std::string, std::vector<int>> by_alert;
  std::ifstream in(log);
  int lines = 0;
  for (std::string rule, ring; in >> rule >> ring; ++lines) by_alert[rule].push_back(std::stoi(ring));
  ASSERT_EQ(by_alert.size(), static_cast<size_t>(kAlerts));
  for (const auto& [rule, rings] : by_alert) {
    EXPECT_TRUE(std::ranges::is_sorted(rings)) << rule;
    EXPECT_EQ(std::set<int>(rings.begin(), rings.end()).size(), static_cast<size_t>(kRings)) << rule;
  }
  const int twice = lines - kAlerts * kRings;
  EXPECT_LE(twice, kills);
  EXPECT_LT(twice, 0.02 * kAlerts * kRings);
}

}  // namespace
}  // namespace maeil::alerting
