// How a batch becomes whole on a server that changes one document at a time, without clocks
// (docs/decisions/0003-batches-without-transactions.md).
//
// The head says which batch was the last to count. A writer plans its batch against the documents as the
// head's batch left them, writes the plan down as a journal that nobody else touches, and moves the head from
// where it saw it to its own batch. One of two wins: the head moves by the insert of a document whose _id is
// the next number, and every server lets one of two such inserts through (not each carries out a
// find-and-modify at once: FerretDB 1.24 on SQLite let 184 of 400 counts through and kept 146). From there on
// the batch counts: its changes are carried out by the writer or by whoever comes next, as often as they like
// (change.h), and the head says when all of them are done. Only then may it move on. If the server refuses a
// change for good, the head says that, and the changes are taken back in the same way.
//
// Nothing here waits for a writer that may be dead, and a message that arrives late finds its guard changed
// and misses.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/mongo/change.h"

namespace maeil::store::mongo {

struct Head {
  // kCounts, kRefused: its changes are being carried out, or taken back
  enum class State { kDone, kCounts, kRefused };
  std::string batch;  // the last one that counted; 24 hex digits
  State state = State::kDone;
  int64_t number = 0;  // how often it moved
  std::string words;   // why the server refused it; "" when it did not
  struct Past {
    std::string batch, words;
  };
  std::vector<Past> past;  // those before, oldest first, the last kRemembered of them
  // Batches that the server refused, oldest first, the last kRemembered of them. A document that names one of
  // them is none: what was taken back may be written once more by a late message.
  std::vector<std::string> refused;
  static constexpr size_t kRemembered = 100;
};

// What the protocol asks of a server: one document at a time. Each call may have happened when it returns an
// error, and may happen later still, or a second time.
class Site {
 public:
  virtual ~Site() = default;
  virtual Result<Head> head() = 0;
  // From where it was seen to the next number. False: somebody else moved it before, or (rarely) an earlier
  // try of this call did.
  virtual Result<bool> move_head(const Head& to) = 0;
  virtual Status write_journal(const std::string& batch, std::span<const Change> changes) = 0;
  // kBadInput when it is not whole
  virtual Result<std::vector<Change>> read_journal(const std::string& batch) = 0;
  virtual Status remove_journal(const std::string& batch) = 0;
  // All of them, each once more where that is safe. Empty: done, or done before. Else the server's words,
  // which refused one for good.
  virtual Result<std::string> carry_out(std::span<const Change> changes) = 0;
  virtual Result<std::string> take_back(std::span<const Change> changes, const std::string& batch) = 0;
  // kConflict when a lock of this process is no more its own. Whoever takes a lock over closes the past
  // before it relies on it, so a writer that looks here after the head has lost either nothing or the head.
  virtual Status check_locks() = 0;
  virtual std::string new_batch() = 0;  // an id that nobody else has
  // A moment for another writer to finish by itself, for the `times`-th time. False: that was long enough,
  // its work is to be done for it. Nothing rests on how long.
  virtual bool wait(int times) = 0;
};

// Returns once no batch is half carried out, with the head as it is then: finishes what others left.
// kConflict: a batch can neither be finished nor taken back, since the server refuses both; the message says
// what stands in the way.
Result<Head> settle(Site& site);

// Plans, counts, carries out. `plan` gets the batch's id and the head, and may be called several times, each
// time when no batch is half carried out. Where it finds a document that names one of the head's refused
// batches it finds none (Change::refused). Errors: the plan's; kConflict when a lock was lost, or others were
// quicker all the time: nothing was written. kIo with the server's words when it refused a change: nothing of
// the batch is there. kUnavailable, when the server went away at a bad moment: the batch counts as a whole or
// not at all, and who needs to know reads.
Status write_batch(
    Site& site,
    const std::function<Result<std::vector<Change>>(const std::string& batch, const Head& seen)>& plan);

// From here on no batch whose journal was written before can begin to count: its journal may go. kConflict as
// settle.
Status close_the_past(Site& site);

}  // namespace maeil::store::mongo
