#include "store/mongo/lease.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "store/lock_name.h"
#include "store/mongo/control.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;

class Lease : public Lock {
 public:
  Lease(std::shared_ptr<Server> server, HeldLease held, std::string nonce)
      : server_(std::move(server)), held_(std::move(held)), nonce_(std::move(nonce)) {
    server_->add_lease(held_);
    renewer_ = std::thread([this] { renew_until_stopped(); });
  }
  ~Lease() override {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    renewer_.join();
    server_->remove_lease(held_);
    // A server that is away now lets the lease run out: nothing to wait for here.
    Connection connection(*server_, /*retry=*/false);
    (void)connection.find_and_modify(kControl, filter(), {{"$set", {{field("expires"), date_value(Instant{})}}}});
  }

 private:
  std::string field(const char* name) const { return fmt::format("locks.{}.{}", held_.name, name); }
  Document filter() const { return {{"_id", "control"}, {field("nonce"), nonce_}}; }

  // Three times in a lease, so that one lost message costs nothing. A lease that is lost is not fought for: the fence in every
  // commit says so to whoever still writes.
  void renew_until_stopped() {
    const milliseconds pause = server_->options().lease / 3;
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return stopped_; })) {
      lock.unlock();
      {
        Connection connection(*server_, /*retry=*/false);
        if (const auto time = server_now(connection)) {
          (void)connection.find_and_modify(kControl, filter(), {{"$set", {{field("expires"), date_value(*time + server_->options().lease)}}}});
        }
      }
      lock.lock();
    }
  }

  std::shared_ptr<Server> server_;
  const HeldLease held_;
  const std::string nonce_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread renewer_;
};

struct Attempt {
  std::unique_ptr<Lock> lock;   // or who has it:
  Document other;
  Instant server_time;
};

std::string text(const Document& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<Attempt> try_to_take(const std::shared_ptr<Server>& server, const std::string& name, std::string_view holder) {
  Connection connection(*server);
  MAEIL_TRY(settle(connection));  // what the last holder committed is applied before the next one reads
  const std::string nonce = new_object_id(now());
  const auto field = [&](const char* part) { return fmt::format("locks.{}.{}", name, part); };
  std::string dead;  // the nonce of a holder that is known to have died
  for (;;) {
    Attempt attempt;
    MAEIL_ASSIGN(attempt.server_time, server_now(connection));
    Document free = Document::array({Document{{field("nonce"), {{"$exists", false}}}}, Document{{field("expires"), {{"$lt", date_value(attempt.server_time)}}}}});
    if (!dead.empty()) free.push_back(Document{{field("nonce"), dead}});
    const Document taken_fields = {{field("nonce"), nonce},
                                   {field("holder"), std::string(holder.substr(0, 200))},
                                   {field("owner"), Identity::own().document()},
                                   {field("since"), date_value(attempt.server_time)},
                                   {field("expires"), date_value(attempt.server_time + server->options().lease)}};
    MAEIL_TRY(connection.find_and_modify(kControl, {{"_id", "control"}, {"$or", free}}, {{"$set", taken_fields}, {"$inc", {{field("token"), 1}}}}));
    MAEIL_ASSIGN(const Document control, read_control(connection));
    const Document locks = control.value("locks", Document::object());
    attempt.other = locks.is_object() ? locks.value(name, Document()) : Document();
    const std::string owner_nonce = text(attempt.other, "nonce");
    if (owner_nonce == nonce) {  // now, or in a try whose answer was lost
      const Document token = attempt.other.value("token", Document());
      if (!token.is_number_integer()) return bad_input(fmt::format("{}: the {} lock is damaged: remove its entry from {}", server->label(), name, kControl));
      attempt.lock = std::make_unique<Lease>(server, HeldLease{name, token.get<int64_t>()}, nonce);
      return attempt;
    }
    const auto expires = instant_of(attempt.other.is_object() ? attempt.other.value("expires", Document()) : Document());
    const bool free_again = !expires || *expires < attempt.server_time;  // released between the two calls
    const bool died = owner_nonce != dead && Identity::is_dead(attempt.other.value("owner", Document()));
    if (died) dead = owner_nonce;
    if (!died && !free_again) return attempt;
  }
}

tl::unexpected<Error> held(const Server& server, const std::string& name, const Document& other) {
  return fail(ErrorCode::kConflict, fmt::format("the {} lock of {} is held by {}", name, server.label(), describe_holder(other)));
}

}  // namespace

Result<std::unique_ptr<Lock>> take_lease(std::shared_ptr<Server> server, std::string_view name, std::string_view holder) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  MAEIL_ASSIGN(Attempt attempt, try_to_take(server, std::string(name), holder));
  if (!attempt.lock) return held(*server, std::string(name), attempt.other);
  return std::move(attempt.lock);
}

Result<std::unique_ptr<Lock>> wait_for_lease(std::shared_ptr<Server> server, std::string_view name, std::string_view holder,
                                             const std::function<bool(std::string_view)>& waiting) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  Document first;
  for (;;) {
    MAEIL_ASSIGN(Attempt attempt, try_to_take(server, std::string(name), holder));
    if (attempt.lock) return std::move(attempt.lock);
    const Document& other = attempt.other;
    // On this machine a holder is known to live. Elsewhere it shows it by renewing.
    const Document owner = other.value("owner", Document());
    const bool lives_here = owner.is_object() && text(owner, "machine") == Identity::own().machine;
    const bool changed = !first.is_null() && other.value("expires", Document()) != first.value("expires", Document());
    if (lives_here || changed) return held(*server, std::string(name), other);
    const auto expires = instant_of(other.value("expires", Document()));
    const auto left = expires ? std::chrono::ceil<std::chrono::seconds>(*expires - attempt.server_time).count() : 0;
    if (first.is_null() &&
        !waiting(fmt::format("the {} lock of {} is held by {}; it ends in {} s unless that process is alive: waiting", name, server->label(), describe_holder(other), left))) {
      return fail(ErrorCode::kCancelled, "stopped by a signal while waiting for a lock");
    }
    first = other;
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(milliseconds{100});
      if (!waiting("")) return fail(ErrorCode::kCancelled, "stopped by a signal while waiting for a lock");
    }
  }
}

}  // namespace maeil::store::mongo
