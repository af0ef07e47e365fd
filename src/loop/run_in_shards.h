// Work on a day's rows that may be cut into shards, told without a word about them.
//
// Such work says what it makes of any of the rows and how that is kept for a while; whoever has it done says
// what becomes of all of them. Which of these is called is decided here, by the shard of the task, and
// nowhere else:
//
//   shard 2/7    make(its rows)  -> a part (part_store.h)
//   merge/7      the parts 1/7 .. 7/7, in order -> what becomes of all
//   not cut      make(all rows)                 -> what becomes of all; nothing is kept in between
//
// So the three of them make the same, byte for byte, if pieces and totals do not depend on where rows are
// cut.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "dag/dag.h"
#include "loop/part_store.h"

namespace maeil::loop {

// All rows of a day, of work that is not cut: it may use what this machine has of the whole day.
inline constexpr RowRange kAllRows{0, UINT64_MAX};

// Where rows may be cut: at the multiples of `step`.
struct RowCuts {
  uint64_t rows = 0, step = 1;
};

// What is said of a part beside its pieces.
struct PartSummary {
  store::Document facts;  // fields of its document
  std::string message;    // one line for people
};

// Piece: some rows in memory, handed on in the order of the rows. Total: what is said of them beside.
template <class Piece, class Total>
class RowWork {
 public:
  using Sink = std::function<Status(Piece&)>;
  using Rows = std::function<Result<Total>(const Sink&)>;  // gives all pieces of a day to the sink
  virtual ~RowWork() = default;

  virtual Result<Total> make(RowRange rows, const Sink& sink) = 0;

  // How a part is kept. `read` adds the part's total to that of the parts before it.
  virtual RowCuts cuts() const = 0;
  virtual Result<store::Document> inputs() const = 0;  // what parts must have been made from (part_store.h)
  virtual Status write(const Piece& piece, PartWriter& part) const = 0;
  virtual PartSummary summary(const Total& total, RowRange rows) const = 0;
  virtual Status read(const store::Document& part, const Sink& sink, Total& total) const = 0;
};

// The outcome of a task that does this work: of its shard, or what `finish` makes of all rows.
template <class Piece, class Total>
Result<dag::TaskOutcome> run_in_shards(
    dag::TaskContext& context, RowWork<Piece, Total>& work,
    const std::function<Result<dag::TaskOutcome>(const typename RowWork<Piece, Total>::Rows&)>& finish) {
  using Sink = typename RowWork<Piece, Total>::Sink;
  if (context.shard.is_part()) {
    const RowCuts cuts = work.cuts();
    const RowRange rows = range_of(context.shard, cuts.rows, cuts.step);
    MAEIL_ASSIGN(const auto inputs, work.inputs());
    MAEIL_ASSIGN(auto part, PartWriter::begin(context));
    MAEIL_ASSIGN(const Total total, work.make(rows, [&](Piece& piece) { return work.write(piece, part); }));
    PartSummary summary = work.summary(total, rows);
    return part.finish(context, inputs, std::move(summary.facts), std::move(summary.message));
  }
  if (!context.shard.merges()) return finish([&](const Sink& sink) { return work.make(kAllRows, sink); });
  return finish([&](const Sink& sink) -> Result<Total> {
    MAEIL_ASSIGN(const auto inputs, work.inputs());
    MAEIL_ASSIGN(const auto parts, read_parts(context, inputs));
    Total total{};
    for (const auto& part : parts) {
      MAEIL_TRY(work.read(part, sink, total));
      context.progress("merge", static_cast<uint64_t>(part.value("shard", 0)), parts.size());
    }
    return total;
  });
}

}  // namespace maeil::loop
