// The one document of maeil_control: who holds which lock, and which batch is being applied. Every decision about both is one
// findAndModify on it, so it is atomic on every server.
//
//   {_id: "control", schema: 1,
//    locks: {runner: {token, nonce, holder, owner {host, machine, pid, started}, since, expires}},
//    intent: null | {id, task, state: "preparing" | "committed", refused: words, nonce, owner, until},
//    refused: {id, words} of the last batch that was taken back}
// All dates are the server's clock (its hello tells it), so machines whose clocks differ agree. `token` grows with every
// holder and never goes back: the fence. `expires` is the first end of a lease; renewals are in maeil_leases (lease.cc).
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "store/mongo/connection.h"
#include "store/mongo/repeating.h"

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

// The right to apply a batch on a server without transactions: one process at a time, as long as it lives: renewed on a thread of its
// own. When its signs of life end, others take over after MongoOptions::slot; ours sends nothing more when two fifths of that are
// over, so a write that was sent has the rest to arrive (docs/decisions/0002-mongodb-commit.md). Not thread safe.
class Slot {
 public:
  // Waits for other writers; finishes what a dead one left. `task`: for people. kConflict: a lease is lost, the others take too long, or
  // a batch is stuck.
  static Result<std::unique_ptr<Slot>> reserve(Connection& connection, const std::string& task);
  // An intent that was left. Null: somebody else was quicker.
  static Result<std::unique_ptr<Slot>> take_over(Connection& connection, const Document& intent);

  // From here on the batch in the journal counts as written. False: the slot was taken from us, nothing counts.
  Result<bool> seal(Connection& connection);
  // Called before each step of applying. False: another process has taken over, and finishes or has finished it.
  Result<bool> still_ours(Connection& connection);
  // The server refused a part: from here on the batch is being taken back. False as above.
  Result<bool> refuse(Connection& connection, const std::string& words);
  // False as above. Waits first, when a write of ours may still be on its way.
  Result<bool> release(Connection& connection);
  // The batch stays as it is; whoever comes next may try at once.
  void let_go(Connection& connection);

  const std::string& id() const { return id_; }
  const std::string& refused() const { return refused_; }  // why the batch is being taken back, or ""

 private:
  Slot(Connection& connection, std::string id);
  Result<bool> renew(Connection& connection);
  Document filter() const;
  Document signs_of_life(Instant server_time) const;
  void trust(std::chrono::milliseconds asked);
  void keep();

  Server& server_;
  const uint64_t unanswered_before_;
  const std::string id_, nonce_;
  std::string refused_;
  std::atomic<int64_t> safe_until_{0};  // by boot_time()
  std::unique_ptr<Repeating> keeper_;
};

// Returns once no batch is half applied: finishes a dead writer's, waits for a living one's. "": done. Else why the one that is there can
// be neither finished nor taken back: who only reads may go on.
Result<std::string> try_to_settle(Connection& connection);

// As above; stuck is kConflict. Before anything is written.
Status settle(Connection& connection);

}  // namespace maeil::store::mongo
