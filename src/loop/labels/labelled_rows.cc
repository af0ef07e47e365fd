#include "loop/labels/labelled_rows.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/raw_data.h"
#include "nn/score.h"
#include "prep/columns.h"
#include "prep/row_split.h"

namespace maeil::loop {
namespace {

void append(Samples& to, const Samples& from) {
  to.codes.insert(to.codes.end(), from.codes.begin(), from.codes.end());
  to.numbers.insert(to.numbers.end(), from.numbers.begin(), from.numbers.end());
  to.labels.insert(to.labels.end(), from.labels.begin(), from.labels.end());
}

}  // namespace

Result<LabelledRows> LabelledRows::open(store::Store& store, const Day& day, Days of, Days known_on) {
  MAEIL_ASSIGN(const auto raw, raw_document(store, of));
  MAEIL_ASSIGN(auto bytes, raw_rows(store, raw, {0, raw.value("rows", uint64_t{0})},
                                    scratch_file(day.settings, of, "rows")));
  LabelledRows out(day, of, known_on,
                   table::RowFile::own(std::move(bytes), fmt::format("the raw data of {}", format_date(of))));
  MAEIL_ASSIGN(out.validated_, validated_rows(store, of, day.spec, raw));
  MAEIL_ASSIGN(const auto imports, imports_of(store, day.spec, of));
  MAEIL_TRY(add_labels(store, of, imports, out.late_));
  out.late_.sort();
  return out;
}

LabelledChunk LabelledRows::labelled(const prep::Preparation& preparation,
                                     const table::CsvChunk& chunk) const {
  const table::DatasetSpec& spec = prep::spec_of(preparation, day_.spec);
  const auto seed = static_cast<uint64_t>(day_.settings.seed);
  LabelledChunk out;
  out.rows = chunk.row_index;
  out.prepared = prep::transform(spec, preparation, chunk.table);
  out.keys = prep::key_hashes(spec, chunk.table);
  out.splits = prep::splits_of(out.keys, seed, of_, chunk.row_index);
  out.is_validation = prep::validation_of(out.keys, seed, of_, chunk.row_index);
  for_each_late_label(spec, chunk.table, out.rows,
                      [&](size_t i, int label) { out.prepared.labels[i] = static_cast<int8_t>(label); });
  return out;
}

void LabelledRows::for_each_late_label(const table::DatasetSpec& spec, const Table& chunk,
                                       const std::vector<uint64_t>& rows,
                                       const std::function<void(size_t i, int label)>& set) const {
  if (late_.empty()) return;
  const RowIds ids(spec, spec.roles.id, chunk);
  std::string id;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!ids.text(i, rows[i], id)) continue;
    const int label = late_.label(row_key(id), known_on_);
    if (label != kNoLabel) set(i, label);
  }
}

Status LabelledRows::read_tables(const TableSink& sink) {
  const table::DatasetSpec& spec = day_.spec;
  const auto seed = static_cast<uint64_t>(day_.settings.seed);
  const size_t target_at = prep::column_index(spec, spec.target);
  MAEIL_ASSIGN(
      const auto report,
      table::read_csv_file(
          file_, spec,
          {.target_required = false, .other_label_is_none = true, .set_aside = &validated_.set_aside},
          [&](Table&& chunk, const std::vector<uint64_t>& rows) -> Status {
            Column& target = chunk.columns[target_at];
            // Any text but the positive one is the negative (prep/transform.h).
            const auto code = static_cast<uint32_t>(target.dictionary.size());
            target.dictionary.push_back(spec.negative.empty() ? "not " + spec.positive : spec.negative);
            target.dictionary.push_back(spec.positive);
            for_each_late_label(spec, chunk, rows, [&](size_t i, int label) {
              target.codes[i] = code + static_cast<uint32_t>(label);
            });
            return sink(chunk, prep::splits_of(prep::key_hashes(spec, chunk), seed, of_, rows), rows);
          }));
  return table::check_read(report, file_.name());
}

Result<Scores> score_labelled_day(store::Store& store, const Day& day, Days of, Days known_on,
                                  const prep::Preparation& preparation, prep::Split split,
                                  const model::ModelFile& model, std::span<const size_t> segments) {
  MAEIL_ASSIGN(auto rows, LabelledRows::open(store, day, of, known_on));
  Scores out{.threshold = model::threshold_of(model),
             .segments = std::vector<std::vector<int32_t>>(segments.size())};
  MAEIL_TRY(rows.read<Scores>(
      preparation,
      [&](const LabelledChunk& chunk, Scores& scores) -> Status {
        Samples samples;
        std::vector<uint64_t> units;
        uint64_t unlabelled = 0;
        for (size_t i = 0; i < chunk.rows.size(); ++i) {
          if (chunk.splits[i] != split) continue;
          if (chunk.prepared.labels[i] == kNoLabel) {
            ++unlabelled;
            continue;
          }
          append(samples, chunk.prepared, i);
          units.push_back(chunk.keys[i].value_or(hash64(format_date(of), chunk.rows[i])));
        }
        MAEIL_ASSIGN(scores, score_samples(model, samples, segments));
        scores.unlabelled = unlabelled;
        scores.units = std::move(units);
        return {};
      },
      [&](Scores& scores) -> Status {
        append(out, scores);
        return {};
      }));
  return out;
}

Result<LabelledSizes> labelled_sizes(store::Store& store, const Day& day, const std::vector<Days>& dates,
                                     Days known_on, const prep::Preparation& preparation) {
  LabelledSizes out;
  for (const Days of : dates) {
    MAEIL_ASSIGN(auto rows, LabelledRows::open(store, day, of, known_on));
    MAEIL_TRY(rows.read<LabelledSizes>(
        preparation,
        [&](const LabelledChunk& chunk, LabelledSizes& some) -> Status {
          some = {};
          for (size_t i = 0; i < chunk.rows.size(); ++i) {
            const prep::Split split = chunk.splits[i];
            ++(split == prep::Split::kTrain  ? some.sizes.train
               : split == prep::Split::kFine ? some.sizes.fine
                                             : some.sizes.test);
            if (split != prep::Split::kFine) continue;
            some.sizes.validation += chunk.is_validation[i];
            some.fine_labelled += chunk.prepared.labels[i] != kNoLabel;
          }
          return {};
        },
        [&](LabelledSizes& some) -> Status {
          out.sizes.train += some.sizes.train;
          out.sizes.fine += some.sizes.fine;
          out.sizes.test += some.sizes.test;
          out.sizes.validation += some.sizes.validation;
          out.fine_labelled += some.fine_labelled;
          return {};
        }));
  }
  return out;
}

Result<FineRows> read_labelled_fine(store::Store& store, const Day& day, const std::vector<Days>& dates,
                                    Days known_on, const prep::Preparation& preparation, double kept) {
  const auto seed = static_cast<uint64_t>(day.settings.seed);
  FineRows out;
  for (const Days of : dates) {
    MAEIL_ASSIGN(auto rows, LabelledRows::open(store, day, of, known_on));
    MAEIL_TRY(rows.read<FineRows>(
        preparation,
        [&](const LabelledChunk& chunk, FineRows& some) -> Status {
          some = {};
          for (size_t i = 0; i < chunk.rows.size(); ++i) {
            if (chunk.splits[i] != prep::Split::kFine) continue;
            if (kept < 1 &&
                prep::row_word(RandomStream::kLearntRows, seed, of, chunk.rows[i]) >= kept * 4294967296.0)
              continue;
            if (chunk.prepared.labels[i] == kNoLabel)
              ++some.unlabelled;
            else
              append(chunk.is_validation[i] ? some.validation : some.learn, chunk.prepared, i);
          }
          return {};
        },
        [&](FineRows& some) -> Status {
          append(out.learn, some.learn);
          append(out.validation, some.validation);
          out.unlabelled += some.unlabelled;
          return {};
        }));
  }
  return out;
}

}  // namespace maeil::loop
