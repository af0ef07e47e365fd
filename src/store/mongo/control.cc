#include "store/mongo/control.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <thread>

#include "store/mongo/journal.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{60'000};  // with other writers

Document control_filter() { return {{"_id", "control"}}; }

const Document& intent_of(const Document& control) { return member(control, "intent"); }

std::string shown(const Document& value) { return value.dump(-1, ' ', false, Document::error_handler_t::replace); }

}  // namespace

milliseconds boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return milliseconds{now.tv_sec * 1000 + now.tv_nsec / 1'000'000};
}

Result<Instant> server_now(Connection& connection) {
  MAEIL_ASSIGN(const Document hello, connection.command("ask for the time", {{"hello", 1}}));
  return instant_of(member(hello, "localTime"));
}

Status prepare_control(Connection& connection) {
  // Two at once: the loser's E11000 says that the document is there.
  const auto made = connection.find_and_modify(
      kControl, control_filter(), {{"$setOnInsert", {{"schema", kSchema}, {"locks", Document::object()}, {"intent", nullptr}}}}, true);
  if (!made && !connection.fault().duplicate) return tl::unexpected<Error>(made.error());
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const Document& schema = member(control, "schema");
  if (!schema.is_number_integer() || schema.get<int64_t>() != kSchema) {
    return bad_input(fmt::format("{}: written by a newer maeil (schema {}, this one knows {}): use that version or a newer one",
                                 connection.server().label(), shown(schema), kSchema));
  }
  return {};
}

Result<Document> read_control(Connection& connection) {
  MAEIL_ASSIGN(const auto found, connection.find(kControl, control_filter(), {{"limit", 1}}));
  if (found.empty()) return bad_input(fmt::format("{}: the document of {} is gone: restore a backup", connection.server().label(), kControl));
  return found[0];
}

void add_fence(Document& filter, const std::vector<HeldLease>& leases) {
  for (const auto& lease : leases) filter[fmt::format("locks.{}.token", lease.name)] = lease.token;
}

std::string describe_holder(const Document& lock) {
  const Document& owner = member(lock, "owner");
  const auto since = instant_member(lock, "since");
  return fmt::format("{} (process {} on {}, since {})", text_member(lock, "holder"), shown(member(owner, "pid")), text_member(owner, "host"),
                     since ? format_instant(*since) : "?");
}

Status check_leases(const Server& server, const Document& control) {
  for (const auto& lease : server.leases()) {
    const Document& lock = member(member(control, "locks"), lease.name);
    if (member(lock, "token") == lease.token) continue;
    return fail(ErrorCode::kConflict,
                fmt::format("{}: this process lost the {} lock to {}, since it was not heard of for {} s: nothing was written, run it again", server.label(),
                            lease.name, describe_holder(lock), server.options().lease.count() / 1000.0));
  }
  return {};
}

Slot::Slot(Connection& connection, std::string id)
    : server_(connection.server()), unanswered_before_(connection.unanswered()), id_(std::move(id)), nonce_(new_object_id(now())) {}

Document Slot::filter() const {
  Document out = control_filter();
  out["intent.nonce"] = nonce_;
  return out;
}

Document Slot::signs_of_life(Instant server_time) const {
  return {{"intent.nonce", nonce_}, {"intent.owner", Identity::own().document()}, {"intent.until", date_value(server_time + server_.options().slot)}};
}

void Slot::trust(milliseconds asked) { safe_until_ = (asked + server_.options().slot * 2 / 5).count(); }

void Slot::keep() {
  keeper_ = std::make_unique<Repeating>(server_.options().slot / 5, [this] {
    Connection connection(server_, /*retry=*/false);
    (void)renew(connection);
  });
}

Result<bool> Slot::renew(Connection& connection) {
  const milliseconds asked = boot_time();
  MAEIL_ASSIGN(const Instant time, server_now(connection));
  MAEIL_ASSIGN(const Document kept, connection.find_and_modify(kControl, filter(), {{"$set", signs_of_life(time)}}));
  if (kept.is_null()) return false;
  trust(asked);
  return true;
}

Result<std::unique_ptr<Slot>> Slot::take_over(Connection& connection, const Document& intent) {
  std::unique_ptr<Slot> slot(new Slot(connection, id_text(member(intent, "id"))));
  const milliseconds asked = boot_time();
  MAEIL_ASSIGN(const Instant time, server_now(connection));
  Document filter = control_filter();
  filter["intent.id"] = member(intent, "id");
  filter["intent.nonce"] = member(intent, "nonce");
  MAEIL_ASSIGN(const Document taken, connection.find_and_modify(kControl, filter, {{"$set", slot->signs_of_life(time)}}));
  if (taken.is_null()) return nullptr;
  slot->refused_ = text_member(intent_of(taken), "refused");
  slot->trust(asked);
  slot->keep();
  return slot;
}

namespace {

// What a writer left that is gone: rolled back when it did not count yet, else finished. The sentence of a batch that is stuck, or "".
Result<std::string> clear_up(Connection& connection, const Document& intent) {
  if (!intent.is_object() || id_text(member(intent, "id")).empty()) {
    return bad_input(fmt::format("{}: the field \"intent\" of {} is damaged ({}): set it to null", connection.server().label(), kControl, shown(intent)));
  }
  MAEIL_ASSIGN(const auto slot, Slot::take_over(connection, intent));
  if (!slot) return "";
  if (text_member(intent, "state") != "committed") {
    MAEIL_TRY(slot->release(connection));
    return "";
  }
  MAEIL_ASSIGN(const Journal journal, read_journal(connection, slot->id()));
  MAEIL_ASSIGN(const Outcome outcome, finish_batch(connection, *slot, journal));
  if (outcome.fate != Fate::kStuck) return "";
  const std::string task = text_member(intent, "task");
  return fmt::format("{}: a batch{} is half written, and the server refuses to finish it and to take it back: {}. Nothing else can be written until it does: "
                     "mend what it names (a validator, an index, a right, a full disk) and run any command",
                     connection.server().label(), task.empty() ? "" : " of " + task, outcome.error.message);
}

// One look at an intent that is in the way: clears it up when its writer is gone, else waits a moment. A writer of this machine that has
// died is known to be gone, but what it sent last may still be on its way: where that would do harm, its time must be over as well.
Result<std::string> help_or_wait(Connection& connection, const Document& intent, milliseconds& pause) {
  bool gone = text_member(intent, "state") != "committed" && Identity::is_dead(member(intent, "owner"));
  if (!gone) {
    MAEIL_ASSIGN(const Instant time, server_now(connection));
    const auto until = instant_member(intent, "until");
    gone = !until || *until < time;
  }
  if (gone) return clear_up(connection, intent);
  std::this_thread::sleep_for(pause);
  pause = std::min(pause * 2, milliseconds{50});
  return "";
}

tl::unexpected<Error> too_slow(const Server& server, const Document& intent) {
  const Document& owner = member(intent, "owner");
  return fail(ErrorCode::kConflict, fmt::format("{}: process {} on {} has been writing for too long: try again when it is done", server.label(),
                                                shown(member(owner, "pid")), text_member(owner, "host")));
}

}  // namespace

Result<std::string> try_to_settle(Connection& connection) {
  const milliseconds until = boot_time() + kPatience;
  milliseconds pause{2};
  for (;;) {
    MAEIL_ASSIGN(const Document control, read_control(connection));
    const Document& intent = intent_of(control);
    if (intent.is_null()) return "";
    if (boot_time() > until) return too_slow(connection.server(), intent);
    MAEIL_ASSIGN(std::string stuck, help_or_wait(connection, intent, pause));
    if (!stuck.empty()) return stuck;
  }
}

Status settle(Connection& connection) {
  MAEIL_ASSIGN(std::string stuck, try_to_settle(connection));
  if (!stuck.empty()) return fail(ErrorCode::kConflict, std::move(stuck));
  return {};
}

Result<std::unique_ptr<Slot>> Slot::reserve(Connection& connection, const std::string& task) {
  std::unique_ptr<Slot> slot(new Slot(connection, new_object_id(now())));
  const milliseconds until = boot_time() + kPatience;
  milliseconds pause{2};
  for (;;) {
    const milliseconds asked = boot_time();
    MAEIL_ASSIGN(const Instant time, server_now(connection));
    Document filter = control_filter();
    filter["intent"] = nullptr;
    add_fence(filter, connection.server().leases());
    const Document intent = {{"id", id_value(slot->id_)}, {"task", task}, {"state", "preparing"}, {"nonce", slot->nonce_}, {"owner", Identity::own().document()},
                             {"until", date_value(time + connection.server().options().slot)}};
    MAEIL_ASSIGN(Document control, connection.find_and_modify(kControl, filter, {{"$set", {{"intent", intent}}}}));
    if (control.is_null()) {
      MAEIL_ASSIGN(control, read_control(connection));
    }
    const Document& other = intent_of(control);
    if (text_member(other, "nonce") == slot->nonce_) {  // now, or in a try whose answer was lost
      slot->trust(asked);
      slot->keep();
      return slot;
    }
    MAEIL_TRY(check_leases(connection.server(), control));
    if (other.is_null()) continue;
    if (boot_time() > until) return too_slow(connection.server(), other);
    MAEIL_ASSIGN(std::string stuck, help_or_wait(connection, other, pause));
    if (!stuck.empty()) return fail(ErrorCode::kConflict, std::move(stuck));
  }
}

Result<bool> Slot::seal(Connection& connection) {
  Document sealing = filter();
  add_fence(sealing, connection.server().leases());
  MAEIL_ASSIGN(const Document sealed, connection.find_and_modify(kControl, sealing, {{"$set", {{"intent.state", "committed"}}}}));
  if (!sealed.is_null()) return true;
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const Document& intent = intent_of(control);
  if (id_text(member(intent, "id")) == id_ && text_member(intent, "state") == "committed") {  // a try whose answer was lost did it
    if (text_member(intent, "nonce") != nonce_) safe_until_ = 0;
    return true;
  }
  MAEIL_TRY(check_leases(connection.server(), control));
  return false;
}

Result<bool> Slot::still_ours(Connection& connection) {
  if (boot_time().count() < safe_until_) return true;
  return renew(connection);
}

Result<bool> Slot::refuse(Connection& connection, const std::string& words) {
  refused_ = words;
  MAEIL_ASSIGN(const Document noted, connection.find_and_modify(kControl, filter(), {{"$set", {{"intent.refused", words}}}}));
  return !noted.is_null();
}

Result<bool> Slot::release(Connection& connection) {
  // A write whose answer did not come may be on its way yet, even when a second try of it was answered.
  if (connection.unanswered() != unanswered_before_) std::this_thread::sleep_for(server_.options().slot * 3 / 5);
  Document change = {{"intent", nullptr}};
  if (!refused_.empty()) change["refused"] = {{"id", id_value(id_)}, {"words", refused_}};
  MAEIL_ASSIGN(const Document released, connection.find_and_modify(kControl, filter(), {{"$set", change}}));
  keeper_.reset();
  if (released.is_null()) return false;
  MAEIL_TRY(remove_journal(connection, id_));
  return true;
}

void Slot::let_go(Connection& connection) {
  keeper_.reset();
  (void)connection.find_and_modify(kControl, filter(), {{"$set", {{"intent.until", date_value(Instant{})}}}});
}

}  // namespace maeil::store::mongo
