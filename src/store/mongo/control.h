// The one document of maeil_control: who holds which lock, and which batch is being applied. Every decision about both is one
// findAndModify on it, so it is atomic on every server.
//
//   {_id: "control", schema: 1,
//    locks: {runner: {token, nonce, holder, owner {host, machine, pid, started}, since, expires}},
//    intent: null | {id, state: "preparing" | "committed", nonce, owner, until}}
// All dates are the server's clock (its hello tells it), so machines whose clocks differ agree. `token` grows with every
// holder and never goes back: the fence.
#pragma once

#include <chrono>
#include <string>

#include "store/mongo/connection.h"

namespace maeil::store::mongo {

constexpr int kSchema = 1;

// Time that passes while the machine sleeps or the process is stopped.
std::chrono::milliseconds boot_time();

Result<Instant> server_now(Connection& connection);

// Makes the document when there is none. kBadInput when a newer maeil wrote it.
Status prepare_control(Connection& connection);
Result<Document> read_control(Connection& connection);

// What the filter of a write to the control document has to say so that it only works while this Store's leases are its own.
void add_fence(Document& filter, const std::vector<HeldLease>& leases);

// kConflict when one of the leases is not ours any more; the message says whose it is.
Status check_leases(const Server& server, const Document& control);

// "maeil run (process 4711 on db1, since 2026-11-23T00:15:00.000Z)"
std::string describe_holder(const Document& lock);

// The right to apply a batch on a server without transactions: one process at a time. Not thread safe.
class Slot {
 public:
  // Waits for other writers; finishes what a dead one left. kConflict: a lease is lost, or the others take too long.
  static Result<Slot> reserve(Connection& connection);
  // From here on the batch in the journal counts as written. False: the slot was taken from us, nothing counts.
  Result<bool> seal(Connection& connection);
  // Called between the steps of applying. False: another process has taken over, and finishes or has finished it.
  Result<bool> still_ours(Connection& connection);
  Status release(Connection& connection);
  const std::string& id() const { return id_; }

 private:
  std::string id_, nonce_;
  std::chrono::milliseconds safe_until_{};  // by boot_time()
  friend Status settle(Connection& connection);
  friend Result<bool> take_over(Connection& connection, const Document& intent);
};

// Returns once no batch is half applied: finishes a dead writer's, waits for a living one's. Before anything is read whose
// halves belong together.
Status settle(Connection& connection);

}  // namespace maeil::store::mongo
