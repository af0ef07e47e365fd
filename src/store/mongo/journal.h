// A batch's writes as bytes, for servers without transactions: written whole before the first of them is applied, so that whoever
// comes after a crash can finish. Applying twice is harmless.
#pragma once

#include <string>
#include <vector>

#include "store/mongo/control.h"

namespace maeil::store::mongo {

struct Journal {
  std::vector<Write> writes;
  std::vector<Write> undo;   // brings back what was there, whatever part of `writes` was applied
  bool has_undo = false;     // false: an older maeil wrote it
};

// What takes these writes back; from what the server holds now. Rows that they remove are not brought back: they come last, and what is
// left of them when the server refuses is garbage. REQUIRES: as make_plan.
Result<std::vector<Write>> make_undo(Connection& connection, std::span<const Write> writes);

Status write_journal(Connection& connection, const std::string& intent, const Journal& journal);
Result<Journal> read_journal(Connection& connection, const std::string& intent);
Status remove_journal(Connection& connection, const std::string& intent);

enum class Fate {
  kApplied,
  kUndone,   // the server refused a part for good: nothing of the batch is there, `error` says why
  kLost,     // another process took over, and finishes or has finished it
  kStuck,    // refused, and so was taking it back: half applied until the server lets somebody finish
};
struct Outcome {
  Fate fate = Fate::kApplied;
  Error error{};
};

// Applies a batch that counts, or takes it back, and gives the slot back. An error: the server went away; the next one finishes.
Result<Outcome> finish_batch(Connection& connection, Slot& slot, const Journal& journal);

}  // namespace maeil::store::mongo
