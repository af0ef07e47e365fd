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
  EXPECT_NE(text.find("maeil alert ack "), std::string::npos);
  EXPECT_EQ(plain_text(message_of(Ring::kNotice)).find("maeil alert"), std::string::npos);
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

TEST(Message, SaysWhyAndWhatHelpsButOfAResolvedOne) {
  Message message = message_of(Ring::kOpened);
  message.state.diagnosis = {parse_date("2026-10-31").value(),
                             "The feed of <income> is broken",
                             {"income: 43 % missing"},
                             {"maeil redo 2026-11-03 --in FILE    # again"}};
  const std::string text = plain_text(message);
  for (const char* said : {"Likely cause: The feed of <income> is broken.",
                           "Since 2026-10-31, the last good day:\n- income: 43 % missing",
                           "What helps:\nmaeil redo 2026-11-03 --in FILE    # again\nmaeil alert show"})
    EXPECT_NE(text.find(said), std::string::npos) << text;
  EXPECT_NE(html(message).find("The feed of &lt;income&gt; is broken"), std::string::npos);
  const auto pagerduty = Document::parse(pagerduty_body(message, "key"));
  EXPECT_EQ(pagerduty["payload"]["custom_details"]["likely_cause"], "The feed of <income> is broken");
  EXPECT_EQ(Document::parse(webhook_body(message))["diagnosis"]["changes"],
            Document::array({"income: 43 % missing"}));
  EXPECT_EQ(to_document(message_from(to_document(message)).value()), to_document(message));
  message.ring = Ring::kResolved;
  EXPECT_EQ(plain_text(message).find("Likely cause"), std::string::npos);
  EXPECT_EQ(html(message).find("Likely cause"), std::string::npos);
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
