#include "loop/scoring.h"

#include <fmt/format.h>

#include "loop/labels/labelled_rows.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/prepare.h"
#include "loop/prepared/raw_data.h"
#include "loop/validate_data.h"
#include "registry/version_file.h"

namespace maeil::loop {
namespace {

// kConflict unless the prepared rows are still those of `raw` without what `by` sets aside: another process
// may prepare the date's rows anew while these are scored.
Status check_rows_of(dag::TaskContext& context, const prep::Preparation& preparation,
                     const store::Document& raw, const Validated& by) {
  MAEIL_ASSIGN(const auto rows,
               context.store.row_constants(kRows, partition_of(context.logical_date, preparation)));
  if (are_rows_of(rows, raw, by)) return {};
  return fail(ErrorCode::kConflict,
              fmt::format("the rows of {} were prepared from other raw data, or others were set aside, while "
                          "they were scored: run {} again",
                          format_date(context.logical_date), context.task_id));
}

}  // namespace

Result<Scoring> Scoring::begin(dag::TaskContext& context, const Day& day,
                               const registry::ModelVersion& version, std::string_view split) {
  MAEIL_ASSIGN(store::Document raw, raw_document(context));
  MAEIL_ASSIGN(auto model, registry::load_version(context.store, version, day.spec,
                                                  static_cast<int>(day.settings.nhead)));
  return Scoring(context, day, version, split, std::move(raw), std::move(model));
}

Result<ScoreTotal> Scoring::make(RowRange rows, const Sink& sink) {
  const prep::Preparation& preparation = *model_.preparation;
  MAEIL_ASSIGN(const Validated by, validated(context_.store, context_.logical_date, day_.spec, raw_));
  MAEIL_TRY(ensure_prepared(context_, day_, preparation));
  MAEIL_ASSIGN(auto scores, score_split(context_.store, context_.logical_date, preparation, split_, model_,
                                        rows.first, rows.count));
  MAEIL_TRY(check_rows_of(context_, preparation, raw_, by));
  const ScoreTotal total{scores.labels.size(), scores.unlabelled};
  MAEIL_TRY(sink(scores));
  return total;
}

Result<ScoreTotal> ScoringOfDays::make(RowRange days, const Sink& sink) {
  const prep::Preparation& preparation = *model_.preparation;
  const prep::Split split = split_ == prep::to_string(prep::Split::kTest)   ? prep::Split::kTest
                            : split_ == prep::to_string(prep::Split::kFine) ? prep::Split::kFine
                                                                            : prep::Split::kTrain;
  ScoreTotal total;
  for (uint64_t i = days.first; i < dates_.size() && i - days.first < days.count; ++i) {
    MAEIL_ASSIGN(auto scores, score_labelled_day(context_.store, day_, dates_[i], context_.logical_date,
                                                 preparation, split, model_));
    total.rows += scores.labels.size();
    total.unlabelled += scores.unlabelled;
    MAEIL_TRY(sink(scores));
    context_.progress("days judged", i + 1, dates_.size());
  }
  return total;
}

RowCuts ScoringOfDays::cuts() const { return {dates_.size(), 1}; }

// With what is known of the labels: parts that knew more than others are never put together.
Result<store::Document> ScoringOfDays::inputs() const {
  auto days = store::Document::array();
  for (const Days date : dates_) {
    MAEIL_ASSIGN(const auto raw, raw_document(context_.store, date));
    MAEIL_ASSIGN(const Validated said, validated(context_.store, date, day_.spec, raw));
    MAEIL_ASSIGN(const auto imports, imports_of(context_.store, day_.spec, date));
    store::Document one = {{"logical_date", format_date(date)},
                           {"raw_sha256", raw.value("sha256", "")},
                           {"set_aside", said.file_id},
                           {"imports", store::Document::array()}};
    for (const auto& import : imports) one["imports"].push_back(store::id_text(import.at("_id")));
    days.push_back(std::move(one));
  }
  return store::Document{{"model_sha256", version_.sha256},
                         {"split", split_},
                         {"known_on", format_date(context_.logical_date)},
                         {"days", std::move(days)}};
}

// By raw rows, whose number is known: prepared ones, less those set aside, would have to be read to be
// counted.
RowCuts Scoring::cuts() const { return {raw_.value("rows", uint64_t{0}), 1}; }

Result<store::Document> Scoring::inputs() const {
  MAEIL_ASSIGN(const Validated by, validated(context_.store, context_.logical_date, day_.spec, raw_));
  return store::Document{{"model_sha256", version_.sha256},
                         {"rows", partition_of(context_.logical_date, *model_.preparation)},
                         {"raw_data_id", store::id_text(raw_.at("_id"))},
                         {"raw_sha256", raw_.value("sha256", "")},
                         {"validation_id", by.id},
                         {"split", split_}};
}

Status Scoring::write(const Scores& scores, PartWriter& part) const {
  return part.write_frame(
      {{"probabilities", packed(scores.probabilities)}, {"labels", packed(scores.labels)}});
}

PartSummary Scoring::summary(const ScoreTotal& total, RowRange) const {
  return {{{"rows", total.rows}, {"unlabelled", total.unlabelled}},
          fmt::format("{} rows of the {} split scored", total.rows, split_)};
}

Status Scoring::read(const store::Document& part, const Sink& sink, ScoreTotal& total) const {
  MAEIL_TRY(read_part_frames(context_, part, [&](const store::Document& frame) -> Status {
    Scores scores;
    MAEIL_ASSIGN(scores.probabilities, unpacked<double>(frame.value("probabilities", store::Document())));
    MAEIL_ASSIGN(scores.labels, unpacked<uint8_t>(frame.value("labels", store::Document())));
    total.rows += scores.labels.size();
    return sink(scores);
  }));
  total.unlabelled += part.value("unlabelled", uint64_t{0});
  return {};
}

Result<Scores> collect(const Scoring& scoring, const Scoring::Rows& all) {
  Scores out;
  MAEIL_ASSIGN(const ScoreTotal total, all([&](Scores& piece) -> Status {
                 if (out.labels.empty()) {
                   out = std::move(piece);
                   return {};
                 }
                 out.probabilities.insert(out.probabilities.end(), piece.probabilities.begin(),
                                          piece.probabilities.end());
                 out.labels.insert(out.labels.end(), piece.labels.begin(), piece.labels.end());
                 return {};
               }));
  out.unlabelled = total.unlabelled;
  out.threshold = scoring.threshold();
  return out;
}

}  // namespace maeil::loop
