#include "store/mongo/control.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <thread>

#include "store/mongo/journal.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;

// A writer's right lasts so long without a sign of life; applying a batch takes milliseconds. A writer stops trusting its own
// right well before others stop believing in it.
constexpr milliseconds kSlotTime{10'000}, kSlotTrust{6'000};
constexpr milliseconds kPatience{60'000};  // with other writers

Document control_filter() { return {{"_id", "control"}}; }

Document intent_of(const Document& control) { return control.is_object() ? control.value("intent", Document()) : Document(); }

std::string text(const Document& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_past(const Document& date, Instant now) {
  const auto instant = instant_of(date);
  return !instant || *instant < now;
}

}  // namespace

milliseconds boot_time() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return milliseconds{now.tv_sec * 1000 + now.tv_nsec / 1'000'000};
}

Result<Instant> server_now(Connection& connection) {
  MAEIL_ASSIGN(const Document hello, connection.command("ask for the time", {{"hello", 1}}));
  return instant_of(hello.value("localTime", Document()));
}

Status prepare_control(Connection& connection) {
  // Two at once: the loser's E11000 says that the document is there.
  const auto made = connection.find_and_modify(
      kControl, control_filter(), {{"$setOnInsert", {{"schema", kSchema}, {"locks", Document::object()}, {"intent", nullptr}}}}, true);
  if (!made && !connection.fault().duplicate) return tl::unexpected<Error>(made.error());
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const Document schema = control.value("schema", Document());
  if (!schema.is_number_integer() || schema.get<int64_t>() != kSchema) {
    return bad_input(fmt::format("{}: written by a newer maeil (schema {}, this one knows {}): use that version or a newer one",
                                 connection.server().label(), schema.dump(), kSchema));
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
  const Document owner = lock.is_object() ? lock.value("owner", Document()) : Document();
  const Document pid = owner.is_object() ? owner.value("pid", Document()) : Document();
  const auto since = instant_of(lock.is_object() ? lock.value("since", Document()) : Document());
  return fmt::format("{} (process {} on {}, since {})", text(lock, "holder"), pid.dump(), text(owner, "host"), since ? format_instant(*since) : "?");
}

Status check_leases(const Server& server, const Document& control) {
  const Document locks = control.value("locks", Document::object());
  for (const auto& lease : server.leases()) {
    const Document lock = locks.is_object() ? locks.value(lease.name, Document()) : Document();
    if (lock.is_object() && lock.value("token", Document()) == lease.token) continue;
    return fail(ErrorCode::kConflict,
                fmt::format("{}: this process lost the {} lock to {}, since it was not heard of for {} s: nothing was written, run it again", server.label(),
                            lease.name, describe_holder(lock), server.options().lease.count() / 1000.0));
  }
  return {};
}

// Makes a dead writer's intent ours. False: somebody else was quicker.
Result<bool> take_over(Connection& connection, const Document& intent) {
  Slot slot;
  slot.id_ = id_text(intent.value("id", Document()));
  slot.nonce_ = new_object_id(now());
  const milliseconds asked = boot_time();
  MAEIL_ASSIGN(const Instant time, server_now(connection));
  Document filter = control_filter();
  filter["intent.id"] = intent.value("id", Document());
  filter["intent.nonce"] = intent.value("nonce", Document());
  MAEIL_ASSIGN(Document taken, connection.find_and_modify(kControl, filter,
                                                          {{"$set", {{"intent.nonce", slot.nonce_}, {"intent.owner", Identity::own().document()},
                                                                     {"intent.until", date_value(time + kSlotTime)}}}}));
  if (taken.is_null()) return false;
  slot.safe_until_ = asked + kSlotTrust;
  if (text(intent, "state") == "committed") {
    MAEIL_ASSIGN(const auto writes, read_journal(connection, slot.id_));
    MAEIL_ASSIGN(const bool applied, apply_writes(connection, slot, writes));
    if (!applied) return false;
  }
  MAEIL_TRY(slot.release(connection));
  return true;
}

namespace {

// One look at an intent that is in the way: takes it over when its writer is dead, else waits a moment.
Status help_or_wait(Connection& connection, const Document& intent, milliseconds& pause) {
  bool dead = Identity::is_dead(intent.value("owner", Document()));
  if (!dead) {
    MAEIL_ASSIGN(const Instant time, server_now(connection));
    dead = is_past(intent.value("until", Document()), time);
  }
  if (dead) {
    MAEIL_TRY(take_over(connection, intent));
    return {};
  }
  std::this_thread::sleep_for(pause);
  pause = std::min(pause * 2, milliseconds{50});
  return {};
}

tl::unexpected<Error> too_slow(const Server& server, const Document& intent) {
  const Document owner = intent.value("owner", Document::object());
  return fail(ErrorCode::kConflict, fmt::format("{}: process {} on {} has been writing for too long: try again when it is done", server.label(),
                                                owner.value("pid", Document()).dump(), text(owner, "host")));
}

}  // namespace

Status settle(Connection& connection) {
  const milliseconds until = boot_time() + kPatience;
  milliseconds pause{2};
  for (;;) {
    MAEIL_ASSIGN(const Document control, read_control(connection));
    const Document intent = intent_of(control);
    if (intent.is_null()) return {};
    if (boot_time() > until) return too_slow(connection.server(), intent);
    MAEIL_TRY(help_or_wait(connection, intent, pause));
  }
}

Result<Slot> Slot::reserve(Connection& connection) {
  Slot slot;
  slot.id_ = new_object_id(now());
  slot.nonce_ = new_object_id(now());
  const milliseconds until = boot_time() + kPatience;
  milliseconds pause{2};
  for (;;) {
    const milliseconds asked = boot_time();
    MAEIL_ASSIGN(const Instant time, server_now(connection));
    Document filter = control_filter();
    filter["intent"] = nullptr;
    add_fence(filter, connection.server().leases());
    const Document intent = {{"id", id_value(slot.id_)}, {"state", "preparing"}, {"nonce", slot.nonce_}, {"owner", Identity::own().document()},
                             {"until", date_value(time + kSlotTime)}};
    MAEIL_ASSIGN(const Document taken, connection.find_and_modify(kControl, filter, {{"$set", {{"intent", intent}}}}));
    slot.safe_until_ = asked + kSlotTrust;
    if (!taken.is_null()) return slot;
    MAEIL_ASSIGN(const Document control, read_control(connection));
    const Document other = intent_of(control);
    if (text(other, "nonce") == slot.nonce_) return slot;  // a try whose answer was lost
    MAEIL_TRY(check_leases(connection.server(), control));
    if (other.is_null()) continue;
    if (boot_time() > until) return too_slow(connection.server(), other);
    MAEIL_TRY(help_or_wait(connection, other, pause));
  }
}

Result<bool> Slot::seal(Connection& connection) {
  Document filter = control_filter();
  filter["intent.nonce"] = nonce_;
  add_fence(filter, connection.server().leases());
  MAEIL_ASSIGN(const Document sealed, connection.find_and_modify(kControl, filter, {{"$set", {{"intent.state", "committed"}}}}));
  if (!sealed.is_null()) return true;
  MAEIL_ASSIGN(const Document control, read_control(connection));
  if (text(intent_of(control), "nonce") == nonce_ && text(intent_of(control), "state") == "committed") return true;
  MAEIL_TRY(check_leases(connection.server(), control));
  return false;
}

Result<bool> Slot::still_ours(Connection& connection) {
  if (boot_time() < safe_until_) return true;
  const milliseconds asked = boot_time();
  MAEIL_ASSIGN(const Instant time, server_now(connection));
  Document filter = control_filter();
  filter["intent.nonce"] = nonce_;
  MAEIL_ASSIGN(const Document kept, connection.find_and_modify(kControl, filter, {{"$set", {{"intent.until", date_value(time + kSlotTime)}}}}));
  safe_until_ = asked + kSlotTrust;
  return !kept.is_null();
}

Status Slot::release(Connection& connection) {
  Document filter = control_filter();
  filter["intent.nonce"] = nonce_;
  MAEIL_TRY(connection.find_and_modify(kControl, filter, {{"$set", {{"intent", nullptr}}}}));
  return remove_journal(connection, id_);
}

}  // namespace maeil::store::mongo
