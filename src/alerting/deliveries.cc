#include "alerting/deliveries.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/hash.h"
#include "store/field_rules.h"

namespace maeil::alerting {
namespace {

using std::chrono::milliseconds;
using store::Document;

const char* outcome_name(Answer::Kind kind) {
  return kind == Answer::Kind::kDelivered ? "delivered"
         : kind == Answer::Kind::kRefused ? "refused"
                                          : "later";
}

Result<Instant> time_field(const Document& delivery, const char* field) {
  const auto found = delivery.find(field);
  const auto when = store::instant_of(found == delivery.end() ? Document() : *found);
  if (!when) return store::wrong_field(kDeliveries, delivery, field, "no time");
  return *when;
}

// What an attempt makes of a delivery.
struct Attempted {
  std::string status;
  std::chrono::seconds wait{0};  // until the next one, where it is pending
  Document fields;               // to set
};

Attempted after_attempt(const Document& delivery, const Answer& answer, const Sending& sending,
                        Instant when) {
  Document attempts = delivery.value("attempts", Document::array());
  attempts.push_back(
      {{"at", store::date_value(when)},
       {"outcome", outcome_name(answer.kind)},
       {"text", answer.left_out.empty() ? answer.text
                                        : fmt::format("{}, but not for {}", answer.text, answer.left_out)}});
  const Document& first = attempts.front();
  const auto begun = store::instant_of(first.is_object() ? first.value("at", Document()) : Document());
  const bool too_old = begun && when - *begun >= std::chrono::hours(sending.give_up_hours);
  Attempted out{.status = "pending",
                .wait = sending.wait(static_cast<int64_t>(attempts.size()), answer.retry_after),
                .fields = {}};
  if (answer.kind == Answer::Kind::kDelivered)
    out.status = "delivered";
  else if (answer.kind == Answer::Kind::kRefused || too_old)
    out.status = "failed";
  out.fields = {{"status", out.status},
                {"next_attempt_at", store::date_value(when + out.wait)},
                {"attempts", std::move(attempts)}};
  return out;
}

std::string line_of(const std::string& channel, const Attempted& attempted, const Answer& answer) {
  if (attempted.status == "delivered" && !answer.left_out.empty())
    return fmt::format("warning: {}: delivered, but not to {}", channel, answer.left_out);
  if (attempted.status == "delivered") return channel + ": delivered";
  if (attempted.status == "failed") return fmt::format("warning: {}: {}, given up", channel, answer.text);
  return fmt::format("warning: {}: {}, again in {} min", channel, answer.text,
                     std::chrono::ceil<std::chrono::minutes>(attempted.wait).count());
}

}  // namespace

Document new_delivery(const Message& message, int64_t ring, const std::string& channel, Instant when) {
  const std::string key = state_id(message.state);
  return {{"_id", store::id_value(sha256_hex(fmt::format("{}/{}/{}", key, ring, channel)).substr(0, 24))},
          {"alert_key", key},
          {"ring", ring},
          {"channel", channel},
          {"message", to_document(message)},
          {"status", "pending"},
          {"created", store::date_value(when)},
          {"next_attempt_at", store::date_value(when)},
          {"attempts", Document::array()}};
}

std::chrono::seconds back_off(int64_t attempts, std::chrono::seconds retry_after) {
  const int64_t doubled = attempts >= 7 ? 60 : int64_t{1} << (attempts - 1);
  const std::chrono::seconds own = std::chrono::minutes(std::min<int64_t>(doubled, 60));
  return std::max(own, std::min<std::chrono::seconds>(retry_after, std::chrono::hours(24)));
}

namespace {

// A pending delivery, read.
struct Pending {
  std::string id, key, channel;
  int64_t ring = 0;
  size_t attempts = 0;
  Instant due{};
  Message message;
  const Document* document = nullptr;
};

Result<Pending> pending_from(const Document& delivery) {
  MAEIL_TRY(store::check_fields(kDeliveries, delivery,
                                {{"alert_key", store::FieldKind::kText, store::FieldRule::Missing::kRefused},
                                 {"channel", store::FieldKind::kText, store::FieldRule::Missing::kRefused},
                                 {"ring", store::FieldKind::kCount, store::FieldRule::Missing::kRefused},
                                 {"message", store::FieldKind::kObject, store::FieldRule::Missing::kRefused},
                                 {"attempts", store::FieldKind::kList}}));
  Pending out{.id = store::id_text(delivery.at("_id")),
              .key = store::text_field(delivery, "alert_key"),
              .channel = store::text_field(delivery, "channel"),
              .ring = delivery.at("ring").get<int64_t>(),
              .attempts = delivery.value("attempts", Document::array()).size(),
              .document = &delivery};
  MAEIL_ASSIGN(out.due, time_field(delivery, "next_attempt_at"));
  MAEIL_ASSIGN(out.message, message_from(delivery.at("message")));
  out.message.id = out.id;
  return out;
}

Status set_fields(store::Store& store, const std::string& id, const Document& fields) {
  store::Batch batch;
  batch.sets.push_back({kDeliveries, id, fields});
  return store.commit(batch);
}

// Those pending of one alert and channel, the earlier rings first: a later one waits for the earlier.
using Line = std::vector<Pending>;

// The lines, those first whose next message was tried least. What is damaged is failed, which is said.
Result<std::vector<Line>> read_lines(store::Store& store, const std::vector<Document>& documents,
                                     std::vector<std::string>& said) {
  std::map<std::pair<std::string, std::string>, Line> by_alert;
  for (const auto& document : documents) {
    auto one = pending_from(document);
    if (one) {
      by_alert[{one->channel, one->key}].push_back(std::move(*one));
      continue;
    }
    said.push_back(fmt::format("warning: {}, given up", one.error().message));
    MAEIL_TRY(set_fields(store, store::id_text(document.at("_id")), {{"status", "failed"}}));
  }
  std::vector<Line> out;
  for (auto& [of, line] : by_alert) {
    std::ranges::sort(line, {}, &Pending::ring);
    out.push_back(std::move(line));
  }
  std::ranges::stable_sort(out, {}, [](const Line& line) { return line.front().attempts; });
  return out;
}

// What a channel has left of the time and of patience with it.
struct Share {
  milliseconds left;
  int failures = 0;
};

}  // namespace

Result<std::vector<std::string>> deliver(store::Store& store, const Sending& sending) {
  std::vector<std::string> out;
  auto lock = store.lock("alert_deliveries", "sending alerts");
  if (!lock && lock.error().code == ErrorCode::kConflict) return out;
  if (!lock) return tl::make_unexpected(lock.error());
  store::FindOptions options;
  options.filter = {{"status", "pending"}};
  MAEIL_ASSIGN(const auto documents, store.find(kDeliveries, options));
  MAEIL_ASSIGN(const auto lines, read_lines(store, documents, out));
  MAEIL_ASSIGN(const Instant begun, store.time());
  std::map<std::string, size_t> unset;
  std::map<std::string, Share> shares;  // of the channels for which something is due
  for (const auto& line : lines) {
    const std::string& channel = line.front().channel;
    if (std::ranges::find(sending.channels, channel) == sending.channels.end())
      unset[channel] += line.size();
    else if (line.front().due <= begun)
      shares[channel];
  }
  for (const auto& [channel, count] : unset)
    out.push_back(fmt::format("warning: {} message{} for {} wait{}: that channel is not set", count,
                              count == 1 ? "" : "s", channel, count == 1 ? "s" : ""));
  if (shares.empty()) return out;
  const milliseconds share = sending.budget / static_cast<int64_t>(shares.size());
  for (auto& [channel, own] : shares) own.left = share;
  for (const auto& line : lines) {
    const auto own = shares.find(line.front().channel);
    for (const auto& one : line) {
      if (own == shares.end() || one.due > begun || own->second.failures >= sending.most_failures ||
          own->second.left < share / 10)
        break;
      const auto from = std::chrono::steady_clock::now();
      const Answer answer =
          sending.send(one.channel, one.message, std::min(own->second.left, milliseconds(10000)));
      own->second.left -= std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - from);
      MAEIL_ASSIGN(const Instant when, store.time());
      const Attempted attempted = after_attempt(*one.document, answer, sending, when);
      MAEIL_TRY(set_fields(store, one.id, attempted.fields));
      out.push_back(line_of(one.channel, attempted, answer));
      if (attempted.status != "pending") continue;
      ++own->second.failures;
      break;
    }
  }
  return out;
}

Result<Outbox> look_into(store::Store& store) {
  Outbox out;
  store::FindOptions open;
  open.filter = {{"status", {{"$in", {"pending", "failed"}}}}};
  open.sort = {{"created", 1}};
  MAEIL_ASSIGN(const auto deliveries, store.find(kDeliveries, open));
  std::set<std::string> resolved;
  MAEIL_ASSIGN(const auto states, store.find("alert_states", {}));
  for (const auto& state : states) {
    if (store::text_field(state, "state") == "resolved") resolved.insert(store::id_text(state.at("_id")));
  }
  MAEIL_ASSIGN(const Instant now, store.time());
  // What nobody has to mend is forgotten some day.
  const auto is_old_news = [&](const Document& delivery, const Document& message) {
    const auto created = store::instant_of(delivery.value("created", Document()));
    return store::text_field(message, "event") == to_string(Ring::kNotice) &&
           (!created || now - *created > std::chrono::days(7));
  };
  for (const auto& delivery : deliveries) {
    const std::string name = store::text_field(delivery, "channel");
    if (store::text_field(delivery, "status") == "pending") {
      auto& channel = out.channels[name];
      ++out.pending, ++channel.pending;
      const auto created = store::instant_of(delivery.value("created", Document()));
      if (created) channel.oldest_pending = std::min(*created, channel.oldest_pending.value_or(*created));
      continue;
    }
    const auto attempts = delivery.value("attempts", Document::array());
    const Document message = delivery.value("message", Document::object());
    if (resolved.contains(store::text_field(delivery, "alert_key")) || is_old_news(delivery, message))
      continue;
    ++out.channels[name].failed;
    out.failed.push_back(fmt::format(
        "{} of {} did not reach {}: {}", store::text_field(message, "rule"),
        store::text_field(message, "last_seen"), name,
        attempts.empty() || !attempts.back().is_object() ? "" : store::text_field(attempts.back(), "text")));
  }
  return out;
}

}  // namespace maeil::alerting
