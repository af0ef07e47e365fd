#include "store/mongo/commit.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <thread>

#include "store/mongo/journal.h"

namespace maeil::store::mongo {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Status ensure_collections(Connection& connection, const Batch& batch) {
  for (const auto& put : batch.puts) MAEIL_TRY(connection.ensure_collection(put.collection, true));
  for (const auto& publish : batch.publishes) MAEIL_TRY(connection.ensure_collection(publish.collection, false));
  return {};
}

// A transaction that was open when its process was killed keeps its documents until the server ends it: after
// transactionLifetimeLimitSeconds (60) in MongoDB, and it looks for such ones every half of that.
constexpr milliseconds kOtherTransactions{120'000};

// True when an earlier try whose outcome was unknown has published these rows after all.
Result<bool> is_published(Connection& connection, const NewRows& rows) {
  MAEIL_ASSIGN(const auto found, find_partition(connection, rows.waiting->collection, rows.waiting->partition));
  return found && found->generation == rows.generation;
}

Status insert_new_rows(Connection& connection, const std::vector<NewRows>& all, const std::function<bool(const NewRows&)>& wanted) {
  for (const auto& rows : all) {
    if (!wanted(rows)) continue;
    MAEIL_ASSIGN(const bool published, is_published(connection, rows));
    if (!published) MAEIL_TRY(insert_rows(connection, rows.generation, *rows.waiting, rows.constants));
  }
  return {};
}

// Rows that will not be published now: away with them, so that people do not see them. What cannot be removed here is garbage, so
// nothing waits for a server that is away. Over the caller's connection: there may be no other.
void remove_new_rows(Connection& connection, const std::vector<NewRows>& all, const std::function<bool(const NewRows&)>& wanted) {
  connection.set_retry(false);
  for (const auto& rows : all) {
    if (!wanted(rows)) continue;
    const auto published = is_published(connection, rows);
    if (!published || *published) continue;
    (void)connection.remove(rows.waiting->collection, row_range(rows.generation));
  }
  connection.set_retry(true);
}

// In the transaction, so that a lease that is lost meanwhile makes it fail.
Status fence(Connection& connection) {
  const auto leases = connection.server().leases();
  if (leases.empty()) return {};
  Document filter = {{"_id", "control"}};
  add_fence(filter, leases);
  MAEIL_ASSIGN(const Document passed, connection.find_and_modify(kControl, filter, {{"$inc", {{"commits", 1}}}}));
  if (!passed.is_null()) return {};
  MAEIL_ASSIGN(const Document control, read_control(connection));
  MAEIL_TRY(check_leases(connection.server(), control));
  return fail(ErrorCode::kConflict, connection.server().label() + ": a lock changed hands during this write: nothing was written, run it again");
}

Status one_transaction(Connection& connection, const Shelf& shelf, const Request& request, const std::vector<NewRows>& rows,
                       const std::vector<std::string>& collections, const std::function<bool(const NewRows&)>& rows_inside) {
  MAEIL_TRY(connection.begin());
  MAEIL_TRY(insert_new_rows(connection, rows, rows_inside));
  MAEIL_ASSIGN(const auto writes, make_plan(connection, shelf, request, collections));
  MAEIL_TRY(connection.write(writes));
  MAEIL_TRY(fence(connection));
  return connection.end();
}

// False: the server has no transactions after all.
Result<bool> commit_in_transaction(Server& server, const Shelf& shelf, const Request& request, const std::vector<NewRows>& rows) {
  const auto begun = steady_clock::now();
  // More rows than fit in memory are too many for a transaction: they go ahead, under a generation that nobody reads yet. After a write
  // conflict all do: the others who write the same would get in between again, were the next try as long.
  bool conflict = false;
  int duplicates = 0;
  const auto goes_ahead = [&](const NewRows& one) { return conflict || !one.waiting->spool.in_memory(); };
  milliseconds pause{2};
  for (;;) {
    Connection connection(server);
    std::vector<std::string> collections;
    if (!request.batch.erase_task.empty()) {
      MAEIL_ASSIGN(collections, connection.task_collections());
    }
    MAEIL_TRY(insert_new_rows(connection, rows, goes_ahead));
    const Status done = one_transaction(connection, shelf, request, rows, collections, std::not_fn(goes_ahead));
    if (done) return true;
    connection.abort();
    const Fault& fault = connection.fault();
    if (fault.no_transactions) return false;
    const milliseconds patience = fault.code == kWriteConflict ? std::max(kOtherTransactions, server.options().retry) : server.options().retry;
    const bool servers_fault = fault.error.code == done.error().code && fault.error.message == done.error().message;
    // Two transactions that both found no document and both make it: the next try finds what the other made. A unique index of
    // somebody's own says the same, and goes on saying it.
    const bool again = fault.transaction_over || fault.may_retry || (fault.duplicate && ++duplicates < 4);
    if (!servers_fault || !again || steady_clock::now() + pause > begun + patience) {
      remove_new_rows(connection, rows, goes_ahead);
      return tl::unexpected<Error>(done.error());
    }
    conflict |= fault.code == kWriteConflict;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds{500});
  }
}

// How far one try of a batch came. From kCounts on its rows are no longer this process's to remove.
enum class Stage { kRetry, kNothingCounts, kCounts };

tl::unexpected<Error> release_and_fail(Connection& connection, Slot& slot, const Error& error) {
  (void)slot.release(connection);  // if this fails too, the slot runs out by itself
  return tl::unexpected<Error>(error);
}

// After another process took the batch over: what became of it.
Status as_others_left_it(Connection& connection, const std::string& id) {
  MAEIL_TRY(settle(connection));
  MAEIL_ASSIGN(const Document control, read_control(connection));
  const Document& refused = member(control, "refused");
  if (id_text(member(refused, "id")) != id) return {};
  return fail(ErrorCode::kIo, text_member(refused, "words"));
}

Status one_journaled(Connection& connection, const Shelf& shelf, const Request& request, const std::vector<std::string>& collections, Stage& stage) {
  stage = Stage::kNothingCounts;
  MAEIL_ASSIGN(const auto slot, Slot::reserve(connection, request.batch.erase_task));
  Journal journal;
  auto writes = make_plan(connection, shelf, request, collections);
  if (!writes) return release_and_fail(connection, *slot, writes.error());
  journal.writes = std::move(*writes);
  auto undo = make_undo(connection, journal.writes);
  if (!undo) return release_and_fail(connection, *slot, undo.error());
  journal.undo = std::move(*undo);
  journal.has_undo = true;
  if (const Status written = write_journal(connection, slot->id(), journal); !written) return release_and_fail(connection, *slot, written.error());
  const auto sealed = slot->seal(connection);
  if (!sealed && sealed.error().code == ErrorCode::kConflict) return release_and_fail(connection, *slot, sealed.error());
  stage = Stage::kCounts;  // or may count: the seal's answer is missing
  if (!sealed) return tl::make_unexpected(sealed.error());
  if (!*sealed) {
    stage = Stage::kRetry;
    return remove_journal(connection, slot->id());
  }
  MAEIL_ASSIGN(const Outcome outcome, finish_batch(connection, *slot, journal));
  if (outcome.fate == Fate::kLost) return as_others_left_it(connection, slot->id());
  if (outcome.fate == Fate::kUndone) stage = Stage::kNothingCounts;
  return outcome.fate == Fate::kApplied ? Status{} : tl::unexpected<Error>(outcome.error);
}

Status commit_with_journal(Server& server, const Shelf& shelf, const Request& request, const std::vector<NewRows>& rows) {
  std::lock_guard queue(server.commits);
  const auto all = [](const NewRows&) { return true; };
  Connection connection(server);
  std::vector<std::string> collections;
  if (!request.batch.erase_task.empty()) {
    MAEIL_ASSIGN(collections, connection.task_collections());
  }
  MAEIL_TRY(insert_new_rows(connection, rows, all));
  for (int attempt = 0; attempt < 5; ++attempt) {
    Stage stage{};
    const Status done = one_journaled(connection, shelf, request, collections, stage);
    if (done && stage == Stage::kRetry) continue;
    if (!done && stage == Stage::kNothingCounts) remove_new_rows(connection, rows, all);
    return done;
  }
  remove_new_rows(connection, rows, all);
  return fail(ErrorCode::kConflict, server.label() + ": other processes took over every try to write: run it again");
}

}  // namespace

Status commit_request(Server& server, Shelf& shelf, const Request& request) {
  MAEIL_TRY(check_request(request));
  MAEIL_ASSIGN(const auto rows, rows_to_insert(server, shelf, request.batch));
  {
    Connection connection(server);
    MAEIL_TRY(ensure_collections(connection, request.batch));
  }
  bool done = false;
  if (server.transactions()) {
    MAEIL_ASSIGN(done, commit_in_transaction(server, shelf, request, rows));
    if (!done) server.forget_transactions();
  }
  if (!done) MAEIL_TRY(commit_with_journal(server, shelf, request, rows));
  for (const auto& one : rows) shelf.remove(one.generation);
  return {};
}

}  // namespace maeil::store::mongo
