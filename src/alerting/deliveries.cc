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

// The delivery after an attempt, as fields to set.
Result<Document> after_attempt(const Document& delivery, const Answer& answer, const Sending& sending,
                               Instant when) {
  Document attempts = delivery.value("attempts", Document::array());
  attempts.push_back(
      {{"at", store::date_value(when)}, {"outcome", outcome_name(answer.kind)}, {"text", answer.text}});
  MAEIL_ASSIGN(const Instant created, time_field(delivery, "created"));
  const bool too_old = when - created >= std::chrono::hours(sending.give_up_hours);
  Document out = {{"status", "pending"}};
  if (answer.kind == Answer::Kind::kDelivered) out["status"] = "delivered";
  if (answer.kind == Answer::Kind::kRefused || (answer.kind == Answer::Kind::kLater && too_old))
    out["status"] = "failed";
  const auto wait = sending.wait(static_cast<int64_t>(attempts.size()), answer.retry_after);
  out["next_attempt_at"] = store::date_value(when + wait);
  out["attempts"] = std::move(attempts);
  return out;
}

std::string line_of(const std::string& channel, const std::string& status, const Answer& answer,
                    std::chrono::seconds wait) {
  if (status == "delivered") return channel + ": delivered";
  if (status == "failed") return fmt::format("warning: {}: {}, given up", channel, answer.text);
  return fmt::format("warning: {}: {}, again in {} min", channel, answer.text,
                     std::chrono::ceil<std::chrono::minutes>(wait).count());
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

Result<std::vector<std::string>> deliver(store::Store& store, const Sending& sending) {
  std::vector<std::string> out;
  auto lock = store.lock("alert_deliveries", "sending alerts");
  if (!lock && lock.error().code == ErrorCode::kConflict) return out;
  if (!lock) return tl::make_unexpected(lock.error());
  store::FindOptions pending;
  pending.filter = {{"status", "pending"}};
  pending.sort = {{"alert_key", 1}, {"channel", 1}, {"ring", 1}};
  MAEIL_ASSIGN(const auto deliveries, store.find(kDeliveries, pending));
  const auto deadline = std::chrono::steady_clock::now() + sending.budget;
  std::set<std::pair<std::string, std::string>> waiting;  // an earlier ring of these has yet to arrive
  std::map<std::string, int> failures;                    // by channel
  for (const auto& delivery : deliveries) {
    MAEIL_TRY(
        store::check_fields(kDeliveries, delivery,
                            {{"alert_key", store::FieldKind::kText, store::FieldRule::Missing::kRefused},
                             {"channel", store::FieldKind::kText, store::FieldRule::Missing::kRefused},
                             {"message", store::FieldKind::kObject, store::FieldRule::Missing::kRefused},
                             {"attempts", store::FieldKind::kList}}));
    const std::string channel = store::text_field(delivery, "channel");
    const std::pair line(store::text_field(delivery, "alert_key"), channel);
    MAEIL_ASSIGN(const Instant now_here, store.time());
    MAEIL_ASSIGN(const Instant due, time_field(delivery, "next_attempt_at"));
    if (waiting.contains(line)) continue;
    if (due > now_here || failures[channel] >= sending.most_failures) {
      waiting.insert(line);
      continue;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left <= milliseconds(0)) break;
    MAEIL_ASSIGN(const Message message, message_from(delivery.at("message")));
    const Answer answer = sending.send(channel, message, std::min(left, milliseconds(10000)));
    MAEIL_ASSIGN(const Instant when, store.time());
    MAEIL_ASSIGN(const Document fields, after_attempt(delivery, answer, sending, when));
    store::Batch batch;
    batch.sets.push_back({kDeliveries, store::id_text(delivery.at("_id")), fields});
    MAEIL_TRY(store.commit(batch));
    const std::string status = fields.at("status").get<std::string>();
    out.push_back(
        line_of(channel, status, answer,
                sending.wait(static_cast<int64_t>(fields.at("attempts").size()), answer.retry_after)));
    if (status == "pending") {
      waiting.insert(line);
      ++failures[channel];
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
  for (const auto& delivery : deliveries) {
    if (store::text_field(delivery, "status") == "pending") {
      ++out.pending;
      continue;
    }
    const auto attempts = delivery.value("attempts", Document::array());
    const Document message = delivery.value("message", Document::object());
    out.failed.push_back(fmt::format(
        "{} of {} did not reach {}: {}", store::text_field(message, "rule"),
        store::text_field(message, "last_seen"), store::text_field(delivery, "channel"),
        attempts.empty() || !attempts.back().is_object() ? "" : store::text_field(attempts.back(), "text")));
  }
  return out;
}

}  // namespace maeil::alerting
