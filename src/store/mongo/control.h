// The one document of maeil_control: who holds which lock, and how new what is here is. Every decision about
// a lock is one findAndModify on it.
//
//   {_id: "control", schema: 2,
//    locks: {runner: {token, nonce, holder, owner {host, machine, pid, started}, since, expires}},
//    migrating: true,      while its rows are still of schema 1 (migrate.h)
//    intent: "schema 2"}   what stops a maeil of schema 1, which looks there for a batch being written
//
// All dates are the server's clock (its hello tells it), so machines whose clocks differ agree. `token` grows
// with every holder and never goes back: the fence. `expires` is the first end of a lease; renewals are in
// maeil_leases (lease.cc).
#pragma once

#include <string>

#include "store/mongo/connection.h"

namespace maeil::store::mongo {

constexpr int kSchema = 2;
constexpr const char* kOlderStay = "schema 2";  // in the field "intent"

Result<Instant> server_now(Connection& connection);

// Makes the document when there is none.
Status prepare_control(Connection& connection);
Result<Document> read_control(Connection& connection);

// What the filter of a write to the control document has to say so that it only works while this Store's
// leases are its own.
void add_fence(Document& filter, const std::vector<HeldLease>& leases);

// kConflict when one of the leases is not ours any more; the message says whose it is.
Status check_leases(const Server& server, const Document& control);

// "maeil run (process 4711 on db1, since 2026-11-23T00:15:00.000Z)"
std::string describe_holder(const Document& lock);

}  // namespace maeil::store::mongo
