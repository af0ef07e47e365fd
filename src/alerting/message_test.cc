#include "alerting/message.h"

#include <gtest/gtest.h>

namespace maeil::alerting {
namespace {

using store::Document;

Message message_of(Ring ring, const std::string& text = "F1 0.3 < 0.75") {
  return {ring,
          {.dataset = "loans",
           .model = "classifier",
           .rule = "MODEL_PERFORMANCE_FAILURE",
           .severity = "CRITICAL",
           .message = text,
           .first_seen = parse_date("2026-11-01").value(),
           .last_seen = parse_date("2026-11-03").value(),
           .count = 3}};
}

TEST(Message, SaysWhatSinceWhenAndWhatHelps) {
  EXPECT_EQ(subject(message_of(Ring::kOpened)), "[maeil] CRITICAL MODEL_PERFORMANCE_FAILURE (loans)");
  EXPECT_EQ(subject(message_of(Ring::kResolved)), "[maeil] resolved: MODEL_PERFORMANCE_FAILURE (loans)");
  const std::string text = plain_text(message_of(Ring::kRepeated));
  EXPECT_NE(text.find("on 3 dates, 2026-11-01 to 2026-11-03: it goes on"), std::string::npos) << text;
  EXPECT_NE(text.find("maeil logs 2026-11-03"), std::string::npos);
}

TEST(Message, IsSlacksAndPagerDutysJson) {
  const auto slack = Document::parse(slack_body(message_of(Ring::kOpened, "a < b & <!channel>")));
  EXPECT_TRUE(slack["text"].is_string());
  ASSERT_EQ(slack["blocks"].size(), 2u);
  EXPECT_NE(slack["blocks"][1]["text"]["text"].get<std::string>().find("a &lt; b &amp; &lt;!channel&gt;"),
            std::string::npos);
  const auto state = message_of(Ring::kOpened).state;
  for (const auto& [ring, action] : {std::pair(Ring::kOpened, "trigger"),
                                     {Ring::kRepeated, "trigger"},
                                     {Ring::kAcknowledged, "acknowledge"},
                                     {Ring::kResolved, "resolve"}}) {
    const auto body = Document::parse(pagerduty_body(message_of(ring), "key"));
    EXPECT_EQ(body["event_action"], action);
    EXPECT_EQ(body["dedup_key"], state_id(state));
    EXPECT_EQ(body["routing_key"], "key");
    EXPECT_EQ(body.contains("payload"), std::string(action) == "trigger");
  }
  const auto trigger = Document::parse(pagerduty_body(message_of(Ring::kOpened), "key"));
  EXPECT_EQ(trigger["payload"]["severity"], "critical");
  const auto webhook = Document::parse(webhook_body(message_of(Ring::kOpened)));
  EXPECT_EQ(webhook["event"], "opened");
  EXPECT_EQ(webhook["count"], 3);
}

// Whatever a document's text is: long, broken UTF-8, markup.
TEST(Message, HoldsTheChannelsLimits) {
  std::string nasty = "<script>\xff\"";
  for (int i = 0; i < 5000; ++i) nasty += "가";
  const Message message = message_of(Ring::kOpened, nasty);
  const auto pagerduty = Document::parse(pagerduty_body(message, "key"));
  EXPECT_LE(pagerduty["payload"]["summary"].get<std::string>().size(), 1024u + 3);
  const auto slack = Document::parse(slack_body(message));
  for (const auto& block : slack["blocks"]) EXPECT_LE(block["text"]["text"].get<std::string>().size(), 3000u);
  EXPECT_EQ(html(message).find("<script>"), std::string::npos);
  EXPECT_LE(subject(message).size(), 200u);
}

TEST(Message, ComesBackFromItsDocument) {
  const auto document = to_document(message_of(Ring::kRepeated));
  const auto read = message_from(document);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_document(*read), document);
  auto damaged = document;
  damaged["event"] = "exploded";
  EXPECT_FALSE(message_from(damaged));
}

}  // namespace
}  // namespace maeil::alerting
