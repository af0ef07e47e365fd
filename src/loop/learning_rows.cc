#include "loop/learning_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "nn/score.h"
#include "prep/columns.h"
#include "prep/fit.h"
#include "prep/transform.h"

namespace maeil::loop {
namespace {

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

// The labelled rows of a chunk that `is_wanted` wants.
template <class Wanted>
std::vector<size_t> labelled_rows(const Table& chunk, const std::vector<Part>& parts, size_t target,
                                  Wanted is_wanted) {
  std::vector<size_t> out;
  for (size_t i = 0; i < chunk.rows; ++i) {
    if (is_wanted(parts[i]) && !chunk.columns[target].is_missing(i)) out.push_back(i);
  }
  return out;
}

tl::unexpected<Error> nothing_to_learn(const table::DatasetSpec& spec, const LearningRows& rows) {
  return bad_input(
      fmt::format("none of the {} rows of {} has a label to learn from ('{}' is missing, or the rows are too "
                  "few)",
                  rows.rows, rows.description, spec.target));
}

}  // namespace

Result<prep::Preparation> fit_preparation(const table::DatasetSpec& spec, const LearningRows& rows,
                                          const RowProgress& progress) {
  prep::Fitter fitter(spec);
  const size_t target = prep::column_index(spec, spec.target);
  uint64_t learnt = 0;
  MAEIL_TRY(rows.read(
      [&](const Table& chunk, const std::vector<Part>& parts) -> Status {
        const auto learn =
            labelled_rows(chunk, parts, target, [](Part part) { return part == Part::kLearn; });
        learnt += learn.size();
        fitter.add(pick_rows(chunk, learn));
        return {};
      },
      progress));
  if (learnt == 0) return nothing_to_learn(spec, rows);
  return fitter.fit();
}

Result<LearningSamples> read_samples(const table::DatasetSpec& spec, const LearningRows& rows,
                                     const prep::Preparation& preparation) {
  LearningSamples out;
  // The rows are read again rather than kept, since they cost less than their memory.
  MAEIL_TRY(rows.read(
      [&](const Table& chunk, const std::vector<Part>& parts) -> Status {
        const prep::Prepared prepared = prep::transform(spec, preparation, chunk);
        for (size_t i = 0; i < prepared.rows; ++i) {
          if (parts[i] != Part::kLearn && parts[i] != Part::kHeldOut) continue;
          if (prepared.labels[i] < 0)
            ++out.unlabelled;
          else
            append(parts[i] == Part::kLearn ? out.learn : out.held_out, prepared, i);
        }
        return {};
      },
      {}));
  if (out.learn.rows() == 0) return nothing_to_learn(spec, rows);
  return out;
}

Result<std::vector<Scores>> score_parts(const table::DatasetSpec& spec, const LearningRows& rows,
                                        const model::ModelFile& model, const RowProgress& progress) {
  const size_t target = prep::column_index(spec, spec.target);
  std::vector<Scores> out(rows.verdicts.size(), Scores{.threshold = model::threshold_of(model)});
  if (out.empty()) return out;
  const auto index_of = [&](Part part) {
    return static_cast<size_t>(std::ranges::find(rows.verdicts, part) - rows.verdicts.begin());
  };
  MAEIL_TRY(rows.read(
      [&](const Table& chunk, const std::vector<Part>& parts) -> Status {
        const auto wanted =
            labelled_rows(chunk, parts, target, [&](Part part) { return index_of(part) < out.size(); });
        if (wanted.empty()) return {};
        const prep::Prepared prepared = prep::transform(spec, *model.preparation, chunk);
        Samples samples;
        for (const size_t i : wanted) append(samples, prepared, i);
        MAEIL_ASSIGN(const auto p, model::probabilities(model, samples.view().rows));
        for (size_t i = 0; i < wanted.size(); ++i) {
          Scores& to = out[index_of(parts[wanted[i]])];
          to.probabilities.push_back(p[i]);
          to.labels.push_back(static_cast<uint8_t>(samples.labels[i]));
        }
        return {};
      },
      progress));
  return out;
}

const char* verdict_name(Part part) { return part == Part::kOutOfTime ? "out_of_time_test" : "test"; }

}  // namespace maeil::loop
