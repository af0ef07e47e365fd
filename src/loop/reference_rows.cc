#include "loop/reference_rows.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "prep/columns.h"
#include "prep/fit.h"
#include "prep/split.h"
#include "prep/transform.h"

namespace maeil::loop {
namespace {

uint64_t reference_seed(const ReferencePlan& plan) { return hash64("reference", plan.seed); }

bool is_held_out(const ReferencePlan& plan, uint64_t row) {
  return prep::split_of(reference_seed(plan), plan.date, row) == prep::Split::kTest;
}

Status for_each_chunk(const ReferencePlan& plan, const TableSink& sink, const RowProgress& progress) {
  return read_typed_rows(plan.source, plan.spec, plan.date, plan.rows, reference_seed(plan), sink, progress);
}

// The rows `picked` of a chunk; dictionaries hold what these have and nothing else.
Table pick_rows(const Table& chunk, const std::vector<size_t>& picked) {
  Table out;
  out.rows = picked.size();
  for (const Column& from : chunk.columns) {
    Column& to = out.columns.emplace_back(Column{from.name, from.type, {}, {}, {}});
    std::vector<uint32_t> code_of(from.dictionary.size(), kMissing);
    for (const size_t row : picked) {
      if (from.type == ColumnType::kNumber) {
        to.numbers.push_back(from.numbers[row]);
        continue;
      }
      const uint32_t code = from.codes[row];
      if (code != kMissing && code_of[code] == kMissing) {
        code_of[code] = static_cast<uint32_t>(to.dictionary.size());
        to.dictionary.push_back(from.dictionary[code]);
      }
      to.codes.push_back(code == kMissing ? kMissing : code_of[code]);
    }
  }
  return out;
}

tl::unexpected<Error> nothing_to_learn(const ReferencePlan& plan) {
  return bad_input(
      fmt::format("none of the {} reference rows of {} has a label to learn from ('{}' is missing, or the "
                  "rows are too few)",
                  plan.rows, plan.source.description, plan.spec.target));
}

}  // namespace

Result<prep::Preparation> fit_reference(const ReferencePlan& plan, const RowProgress& progress) {
  prep::Fitter fitter(plan.spec);
  const size_t target = prep::column_index(plan.spec, plan.spec.target);
  uint64_t row = 0, learnt = 0;
  MAEIL_TRY(for_each_chunk(
      plan,
      [&](const Table& chunk) -> Status {
        std::vector<size_t> learn;
        for (size_t i = 0; i < chunk.rows; ++i) {
          if (!is_held_out(plan, row++) && !chunk.columns[target].is_missing(i)) learn.push_back(i);
        }
        learnt += learn.size();
        fitter.add(pick_rows(chunk, learn));
        return {};
      },
      progress));
  if (learnt == 0) return nothing_to_learn(plan);
  return fitter.fit();
}

Result<ReferenceRows> read_reference(const ReferencePlan& plan, const prep::Preparation& preparation) {
  const auto C = static_cast<std::ptrdiff_t>(preparation.categorical.size()),
             N = static_cast<std::ptrdiff_t>(preparation.numeric.size());
  ReferenceRows out;
  uint64_t row = 0;
  // The rows are made again rather than kept, since they cost less than their memory.
  MAEIL_TRY(for_each_chunk(plan,
                           [&](const Table& chunk) -> Status {
                             const prep::Prepared prepared = prep::transform(plan.spec, preparation, chunk);
                             for (std::ptrdiff_t i = 0; i < std::ssize(prepared.labels); ++i) {
                               const bool held_out = is_held_out(plan, row++);
                               if (prepared.labels[i] < 0) {
                                 ++out.unlabelled;
                                 continue;
                               }
                               Samples& to = held_out ? out.held_out : out.learn;
                               to.codes.insert(to.codes.end(), prepared.codes.begin() + i * C,
                                               prepared.codes.begin() + (i + 1) * C);
                               to.numbers.insert(to.numbers.end(), prepared.numbers.begin() + i * N,
                                                 prepared.numbers.begin() + (i + 1) * N);
                               to.labels.push_back(prepared.labels[i]);
                             }
                             return {};
                           },
                           {}));
  if (out.learn.rows() == 0) return nothing_to_learn(plan);
  return out;
}

}  // namespace maeil::loop
