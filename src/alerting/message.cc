#include "alerting/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/field_rules.h"

namespace maeil::alerting {
namespace {

using store::Document;

// At most so many bytes, cut between characters of UTF-8.
std::string at_most(std::string text, size_t bytes) {
  if (text.size() <= bytes) return text;
  size_t end = bytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string replaced(std::string_view text, std::initializer_list<std::pair<char, const char*>> by) {
  std::string out;
  for (const char c : text) {
    const auto found = std::find_if(by.begin(), by.end(), [&](const auto& one) { return one.first == c; });
    if (found == by.end())
      out += c;
    else
      out += found->second;
  }
  return out;
}

// What HTML and Slack's mrkdwn take for markup.
std::string escaped(std::string_view text) {
  return replaced(text, {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}});
}

std::string slack_text(std::string_view text) {
  return replaced(text, {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}});
}

std::string since(const AlertState& state) {
  return state.count == 1 ? fmt::format("on {}", format_date(state.last_seen))
                          : fmt::format("on {} dates, {} to {}", state.count, format_date(state.first_seen),
                                        format_date(state.last_seen));
}

std::string what_helps(const AlertState& state) {
  return fmt::format("maeil alert show {}\nmaeil logs {}\nmaeil alert ack {} --comment \"...\"",
                     state_id(state).substr(0, 8), format_date(state.last_seen),
                     state_id(state).substr(0, 8));
}

std::string dump(const Document& document) {
  // What is no UTF-8 becomes the replacement character: a message is better than none.
  return document.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
}

}  // namespace

Document to_document(const Message& message) {
  Document out = to_document(message.state);
  out["event"] = to_string(message.ring);
  return out;
}

Result<Message> message_from(const Document& document) {
  Message out;
  MAEIL_ASSIGN(out.state, from_document(document));
  const std::string event = store::text_field(document, "event");
  for (const Ring ring : {Ring::kOpened, Ring::kRepeated, Ring::kAcknowledged, Ring::kResolved}) {
    if (event == to_string(ring)) out.ring = ring;
  }
  if (out.ring == Ring::kNone) return bad_input("alert_deliveries: a message has no event");
  return out;
}

std::string subject(const Message& message) {
  const AlertState& state = message.state;
  return at_most(
      fmt::format("[maeil] {} {} ({})", message.ring == Ring::kResolved ? "resolved:" : state.severity,
                  state.rule, state.dataset),
      200);
}

std::string plain_text(const Message& message) {
  const AlertState& state = message.state;
  if (message.ring == Ring::kResolved)
    return fmt::format("{} of {} is resolved. It was seen {}.\n\n{}\n", state.rule, state.dataset,
                       since(state), state.message);
  return fmt::format("{}\n\n{}{}, {}{}.\n\n{}\n", state.message, state.rule,
                     state.segment.empty() ? "" : " in " + state.segment, since(state),
                     message.ring == Ring::kRepeated ? ": it goes on" : "", what_helps(state));
}

std::string html(const Message& message) {
  const AlertState& state = message.state;
  const bool resolved = message.ring == Ring::kResolved;
  std::string out = fmt::format("<p><b>{}</b></p>\n<p>{}</p>\n<p>{}, {}</p>\n", escaped(subject(message)),
                                escaped(state.message), escaped(state.rule), escaped(since(state)));
  if (!resolved) out += fmt::format("<pre>{}</pre>\n", escaped(what_helps(state)));
  return "<!DOCTYPE html>\n<html><body>\n" + out + "</body></html>\n";
}

std::string webhook_body(const Message& message) {
  const AlertState& state = message.state;
  return dump({{"event", to_string(message.ring)},
               {"key", state_id(state)},
               {"dataset", state.dataset},
               {"model_name", state.model},
               {"rule", state.rule},
               {"segment", state.segment},
               {"severity", state.severity},
               {"state", to_string(state.standing)},
               {"message", state.message},
               {"first_seen", format_date(state.first_seen)},
               {"last_seen", format_date(state.last_seen)},
               {"count", state.count}});
}

std::string slack_body(const Message& message) {
  const std::string title = slack_text(subject(message));
  // A section's text has at most 3000 characters.
  const auto section = [](const std::string& text) {
    return Document{{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", at_most(text, 2900)}}}};
  };
  return dump(
      {{"text", title},
       {"blocks", Document::array({section("*" + title + "*"), section(slack_text(plain_text(message)))})}});
}

std::string pagerduty_body(const Message& message, const std::string& routing_key) {
  const AlertState& state = message.state;
  Document out = {{"routing_key", routing_key},
                  {"event_action", message.ring == Ring::kResolved       ? "resolve"
                                   : message.ring == Ring::kAcknowledged ? "acknowledge"
                                                                         : "trigger"},
                  {"dedup_key", state_id(state)}};
  if (message.ring == Ring::kOpened || message.ring == Ring::kRepeated) {
    out["payload"] = {{"summary", at_most(subject(message) + ": " + state.message, 1024)},
                      {"source", "maeil " + at_most(state.dataset, 200)},
                      {"severity", state.severity == "CRITICAL" ? "critical"
                                   : state.severity == "ERROR"  ? "error"
                                   : state.severity == "INFO"   ? "info"
                                                                : "warning"},
                      {"component", at_most(state.model, 200)},
                      {"class", at_most(state.rule, 200)},
                      {"custom_details",
                       {{"first_seen", format_date(state.first_seen)},
                        {"last_seen", format_date(state.last_seen)},
                        {"count", state.count},
                        {"segment", at_most(state.segment, 200)},
                        {"help", what_helps(state)}}}};
  }
  return dump(out);
}

}  // namespace maeil::alerting
