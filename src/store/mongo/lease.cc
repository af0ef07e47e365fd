#include "store/mongo/lease.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "store/field_rules.h"
#include "store/lock_name.h"
#include "store/mongo/repeating.h"
#include "store/mongo/server_site.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;

// When a lease ends, in a document of its own: the renewals must not touch what the fence of a long
// transaction writes, or that transaction fails for each of them. The token in the filter makes a call of a
// former holder miss; where it would insert instead, E11000 says that the later holder's document is there.
Status write_expiry(Connection& connection, const HeldLease& lease, Instant expires) {
  MAEIL_TRY(connection.find_and_modify(kLeases, {{"_id", lease.name}, {"token", {{"$lte", lease.token}}}},
                                       {{"$set", {{"token", lease.token}, {"expires", date_value(expires)}}}},
                                       true));
  return {};
}

Result<Document> read_expiry(Connection& connection, const std::string& name) {
  MAEIL_ASSIGN(auto found, connection.find(kLeases, {{"_id", name}}, {{"limit", 1}}));
  return found.empty() ? Document() : std::move(found[0]);
}

class Lease : public Lock {
 public:
  // Renewed three times in a lease, so that one lost message costs nothing. A lease that is lost is not
  // fought for: the fence in every commit says so to whoever still writes.
  Lease(std::shared_ptr<Server> server, HeldLease held)
      : server_(std::move(server)),
        held_(std::move(held)),
        renewer_(std::make_unique<Repeating>(server_->options().lease / 3, [this] { renew(); })) {
    server_->add_lease(held_);
  }
  ~Lease() override {
    renewer_.reset();
    server_->remove_lease(held_);
    // A server that is away now lets the lease run out: nothing to wait for here.
    Connection connection(*server_, /*retry=*/false);
    (void)write_expiry(connection, held_, Instant{});
  }

 private:
  void renew() {
    Connection connection(*server_, /*retry=*/false);
    if (const auto time = server_now(connection))
      (void)write_expiry(connection, held_, *time + server_->options().lease);
  }

  std::shared_ptr<Server> server_;
  const HeldLease held_;
  std::unique_ptr<Repeating> renewer_;
};

// When a lease that is in the control document ends; nullopt: it has ended.
std::optional<Instant> end_of(const Document& lock, const Document& renewed, Instant server_time) {
  const auto expires =
      instant_member(member(renewed, "token") == member(lock, "token") ? renewed : lock, "expires");
  return !expires || *expires < server_time || Identity::is_dead(member(lock, "owner")) ? std::nullopt
                                                                                        : expires;
}

struct Attempt {
  std::unique_ptr<Lock> lock;  // or who has it, until when:
  Document other;
  std::optional<Instant> expires;
  Instant server_time;
};

// Whoever changes the token from the one that was found free has the lock. A holder that renews after that
// look, past its end, loses it all the same, and its commits fail at the fence. `last_token`: of a holder
// whose entry people removed. The token never goes back.
Status try_to_replace(Connection& connection, const std::string& name, const Document& found,
                      const Document& last_token, const Document& mine) {
  const auto field = [&](const char* part) { return fmt::format("locks.{}.{}", name, part); };
  Document set = Document::object();
  for (const auto& [part, value] : mine.items()) set[field(part.c_str())] = value;
  const Document token = found.is_null() ? Document{{"$exists", false}} : member(found, "token");
  const int64_t step = found.is_null() && last_token.is_number_integer() ? last_token.get<int64_t>() + 1 : 1;
  MAEIL_TRY(connection.find_and_modify(kControl, {{"_id", "control"}, {field("token"), token}},
                                       {{"$set", set}, {"$inc", {{field("token"), step}}}}));
  return {};
}

Result<Attempt> try_to_take(const std::shared_ptr<Server>& server, const std::string& name,
                            std::string_view holder) {
  Connection connection(*server);
  // what the last holder committed is there before the next one reads
  MAEIL_TRY(settle_to_write(connection));
  const std::string nonce = new_object_id(now());
  for (;;) {
    Attempt attempt;
    MAEIL_ASSIGN(attempt.server_time, server_now(connection));
    MAEIL_ASSIGN(const Document control, read_control(connection));
    attempt.other = member(member(control, "locks"), name);
    const Document token = member(attempt.other, "token");
    if (!attempt.other.is_null() && !token.is_number_integer()) {
      return bad_input(fmt::format("{}: the {} lock is damaged: remove its entry from {}", server->label(),
                                   name, kControl));
    }
    if (text_field(attempt.other, "nonce") == nonce) {  // now, or in a try whose answer was lost
      HeldLease held{name, token.get<int64_t>()};
      if (const Status written =
              write_expiry(connection, held, attempt.server_time + server->options().lease);
          !written) {
        if (!connection.fault().duplicate) return tl::make_unexpected(written.error());
        return fail(ErrorCode::kConflict, fmt::format("{}: the {} lock changed hands while it was taken: try "
                                                      "again (if that goes on, remove \"{}\" from {})",
                                                      server->label(), name, name, kLeases));
      }
      MAEIL_TRY(close_the_past_of_others(connection));
      attempt.lock = std::make_unique<Lease>(server, std::move(held));
      return attempt;
    }
    MAEIL_ASSIGN(const Document renewed, read_expiry(connection, name));
    attempt.expires = end_of(attempt.other, renewed, attempt.server_time);
    if (attempt.expires) return attempt;
    // `expires` is for a holder that dies before its first renewal, and for older maeils.
    MAEIL_TRY(try_to_replace(connection, name, attempt.other, member(renewed, "token"),
                             {{"nonce", nonce},
                              {"holder", std::string(holder.substr(0, 200))},
                              {"owner", Identity::own().document()},
                              {"since", date_value(attempt.server_time)},
                              {"expires", date_value(attempt.server_time + server->options().lease)}}));
  }
}

tl::unexpected<Error> held(const Server& server, const std::string& name, const Document& other) {
  return fail(ErrorCode::kConflict,
              fmt::format("the {} lock of {} is held by {}", name, server.label(), describe_holder(other)));
}

}  // namespace

Result<std::unique_ptr<Lock>> take_lease(std::shared_ptr<Server> server, std::string_view name,
                                         std::string_view holder) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  MAEIL_ASSIGN(Attempt attempt, try_to_take(server, std::string(name), holder));
  if (!attempt.lock) return held(*server, std::string(name), attempt.other);
  return std::move(attempt.lock);
}

Result<std::unique_ptr<Lock>> wait_for_lease(std::shared_ptr<Server> server, std::string_view name,
                                             std::string_view holder,
                                             const std::function<bool(std::string_view)>& waiting) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  std::optional<Instant> first;
  for (;;) {
    MAEIL_ASSIGN(Attempt attempt, try_to_take(server, std::string(name), holder));
    if (attempt.lock) return std::move(attempt.lock);
    const Document& other = attempt.other;
    // On this machine a holder is known to live. Elsewhere it shows it by renewing.
    const bool lives_here = text_field(member(other, "owner"), "machine") == Identity::own().machine;
    if (lives_here || (first && attempt.expires != first)) return held(*server, std::string(name), other);
    const auto left = std::chrono::ceil<std::chrono::seconds>(*attempt.expires - attempt.server_time).count();
    if (!first &&
        !waiting(fmt::format(
            "the {} lock of {} is held by {}; it ends in {} s unless that process is alive: waiting", name,
            server->label(), describe_holder(other), left))) {
      return fail(ErrorCode::kCancelled, "stopped by a signal while waiting for a lock");
    }
    first = attempt.expires;
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(milliseconds{100});
      if (!waiting("")) return fail(ErrorCode::kCancelled, "stopped by a signal while waiting for a lock");
    }
  }
}

Result<std::optional<LockHolder>> holder_of_lease(Server& server, const std::string& name) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  Connection connection(server);
  MAEIL_ASSIGN(const Instant time, server_now(connection));
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const Document held = member(member(control, "locks"), name);
  MAEIL_ASSIGN(const Document renewed, read_expiry(connection, name));
  if (!end_of(held, renewed, time)) return std::nullopt;
  const Document &owner = member(held, "owner"), &pid = member(owner, "pid");
  return LockHolder{text_field(held, "holder"), text_field(owner, "host"),
                    pid.is_number_integer() ? std::to_string(pid.get<int64_t>()) : ""};
}

}  // namespace maeil::store::mongo
