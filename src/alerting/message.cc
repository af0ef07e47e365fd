#include "alerting/message.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

// A command a line: those for this trouble, and those for any that has a state.
std::string what_helps(const Message& message) {
  const AlertState& state = message.state;
  auto commands = state.diagnosis.commands;
  if (message.ring != Ring::kNotice) {
    const std::string id = state_id(state).substr(0, 8);
    commands.push_back("maeil alert show " + id);
    commands.push_back(fmt::format("maeil alert ack {} --comment \"...\"    # somebody is at it", id));
  }
  if (const auto& needed = state.diagnosis.environment; !needed.empty()) {
    for (auto& command : commands) command = needed + " " + command;
  }
  return fmt::format("{}", fmt::join(commands, "\n"));
}

std::string heading_of_changes(const Diagnosis& diagnosis) {
  return diagnosis.good_day ? fmt::format("Since {}, the last good day", format_date(*diagnosis.good_day))
                            : "What was seen";
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
  for (const Ring ring :
       {Ring::kOpened, Ring::kRepeated, Ring::kAcknowledged, Ring::kResolved, Ring::kNotice}) {
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
  std::string out = state.message + "\n\n";
  const Diagnosis& diagnosis = state.diagnosis;
  if (!diagnosis.cause.empty()) out += fmt::format("Likely cause: {}.\n\n", diagnosis.cause);
  if (!diagnosis.changes.empty())
    out += fmt::format("{}:\n- {}\n\n", heading_of_changes(diagnosis), fmt::join(diagnosis.changes, "\n- "));
  if (const std::string commands = what_helps(message); !commands.empty())
    out += fmt::format("What helps:\n{}\n\n", commands);
  return out + fmt::format("{}{}, {}{}.\n", state.rule, state.segment.empty() ? "" : " in " + state.segment,
                           since(state), message.ring == Ring::kRepeated ? ": it goes on" : "");
}

std::string html(const Message& message) {
  const AlertState& state = message.state;
  std::string out =
      fmt::format("<p><b>{}</b></p>\n<p>{}</p>\n", escaped(subject(message)), escaped(state.message));
  if (message.ring != Ring::kResolved) {
    const Diagnosis& diagnosis = state.diagnosis;
    if (!diagnosis.cause.empty())
      out += fmt::format("<p><b>Likely cause:</b> {}.</p>\n", escaped(diagnosis.cause));
    if (!diagnosis.changes.empty()) {
      out += fmt::format("<p>{}:</p>\n<ul>\n", escaped(heading_of_changes(diagnosis)));
      for (const auto& change : diagnosis.changes) out += fmt::format("<li>{}</li>\n", escaped(change));
      out += "</ul>\n";
    }
    if (const std::string commands = what_helps(message); !commands.empty())
      out += fmt::format("<p>What helps:</p>\n<pre>{}</pre>\n", escaped(commands));
  }
  out += fmt::format("<p>{}{}, {}</p>\n", escaped(state.rule),
                     state.segment.empty() ? "" : " in " + escaped(state.segment), escaped(since(state)));
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
               {"diagnosis", to_document(state.diagnosis)},
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
    out["payload"] = {
        {"summary", at_most(subject(message) + ": " + state.message, 1024)},
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
          {"likely_cause", at_most(state.diagnosis.cause, 1024)},
          {"changes", at_most(fmt::format("{}", fmt::join(state.diagnosis.changes, "\n")), 4096)},
          {"help", what_helps(message)}}}};
  }
  return dump(out);
}

}  // namespace maeil::alerting
