#include "store/mongo/commit.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "store/mongo/batch_plan.h"
#include "store/mongo/server_site.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A transaction that was open when its process was killed keeps its documents until the server ends it: after
// transactionLifetimeLimitSeconds (60) in MongoDB, and it looks for such ones every half of that.
constexpr milliseconds kOtherTransactions{120'000};

// In the transaction, so that a lease that is lost meanwhile makes it fail.
Status fence(Connection& connection) {
  const auto leases = connection.server().leases();
  if (leases.empty()) return {};
  Document filter = {{"_id", "control"}};
  add_fence(filter, leases);
  MAEIL_ASSIGN(const Document passed,
               connection.find_and_modify(kControl, filter, {{"$inc", {{"commits", 1}}}}));
  if (!passed.is_null()) return {};
  MAEIL_ASSIGN(const Document control, read_control(connection));
  MAEIL_TRY(check_leases(connection.server(), control));
  return fail(ErrorCode::kConflict,
              connection.server().label() +
                  ": a lock changed hands during this write: nothing was written, run it again");
}

// `ending`: it came to the commit, whose outcome is not known where the server's answer does not say that it
// is over.
Status one_transaction(Connection& connection, const Request& request, BatchPlan& plan, bool& ending) {
  MAEIL_TRY(connection.begin());
  MAEIL_ASSIGN(plan, plan_batch(connection, request, new_object_id(now()), {}));
  std::vector<Write> writes;
  for (const Change& change : plan.changes) writes.push_back(forward(change));
  MAEIL_TRY(connection.write(writes));
  MAEIL_TRY(fence(connection));
  ending = true;
  return connection.end();
}

// False: the server has no transactions after all.
Result<bool> commit_in_transaction(Server& server, const Request& request, BatchPlan& plan) {
  const auto begun = steady_clock::now();
  int duplicates = 0;
  milliseconds pause{2};
  for (;;) {
    Connection connection(server);
    bool ending = false;
    const Status done = one_transaction(connection, request, plan, ending);
    if (done) return true;
    connection.abort();
    const Fault& fault = connection.fault();
    if (ending && !fault.transaction_over) {
      return fail(ErrorCode::kUnavailable, done.error().message + "; whether this batch counts is not known");
    }
    if (fault.no_transactions) return false;
    const bool conflict = fault.code == kWriteConflict;
    const milliseconds patience =
        conflict ? std::max(kOtherTransactions, server.options().retry) : server.options().retry;
    const bool servers_fault =
        fault.error.code == done.error().code && fault.error.message == done.error().message;
    // Two transactions that both found no document and both make it: the next try finds what the other made.
    // A unique index of somebody's own says the same, and goes on saying it.
    const bool again = fault.transaction_over || fault.may_retry || (fault.duplicate && ++duplicates < 4);
    if (!servers_fault || !again || steady_clock::now() + pause > begun + patience)
      return tl::unexpected<Error>(done.error());
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds{500});
  }
}

Status commit_step_by_step(Server& server, const Request& request, BatchPlan& plan) {
  std::lock_guard queue(server.commits);
  Connection connection(server);
  ServerSite site(connection);
  const Status done =
      write_batch(site, [&](const std::string& batch, const Head& seen) -> Result<std::vector<Change>> {
        MAEIL_ASSIGN(plan, plan_batch(connection, request, batch, seen.refused));
        return std::move(plan.changes);
      });
  if (done || done.error().message.starts_with(server.label())) return done;
  const bool about_the_batch =
      done.error().code == ErrorCode::kConflict || done.error().code == ErrorCode::kUnavailable;
  return about_the_batch ? with_context(server.label(), done.error()) : done;
}

Status commit_somehow(Server& server, const Request& request, BatchPlan& plan) {
  if (server.transactions()) {
    MAEIL_ASSIGN(const bool done, commit_in_transaction(server, request, plan));
    if (done) return {};
    server.forget_transactions();
  }
  return commit_step_by_step(server, request, plan);
}

void drop_new_rows(Connection& connection, const Batch& batch) {
  connection.set_retry(false);
  for (const auto& publish : batch.publishes) {
    const auto shown = find_partition(connection, publish.collection, publish.partition);
    if (!shown || (*shown && (*shown)->generation == publish.generation)) continue;
    (void)drop_generation(connection, {publish.collection, publish.generation});
  }
}

}  // namespace

Status commit_request(Server& server, const Request& request) {
  MAEIL_TRY(check_request(request));
  Connection connection(server);
  for (const auto& put : request.batch.puts) MAEIL_TRY(connection.ensure_collection(put.collection, true));
  BatchPlan plan;
  if (const Status done = commit_somehow(server, request, plan); !done) {
    // Rows that nothing publishes now. After an unknown outcome they may be published yet.
    if (done.error().code != ErrorCode::kUnavailable) drop_new_rows(connection, request.batch);
    return done;
  }
  // Outside of the batch: there may be too many for a transaction. Where it fails they are garbage, which is
  // collected later.
  for (const auto& generation : plan.unreferenced) {
    if (!drop_generation(connection, generation)) break;
  }
  return {};
}

}  // namespace maeil::store::mongo
