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

Result<Scoring> Scoring::begin(dag::TaskContext& context, const Day& day, const ScoredVersions& who) {
  MAEIL_ASSIGN(store::Document raw, raw_document(context));
  Scoring out(context, day, who, std::move(raw));
  const auto heads = static_cast<int>(day.settings.nhead);
  MAEIL_ASSIGN(out.model_, registry::load_version(context.store, who.version, day.spec, heads));
  if (!who.champion) return out;
  MAEIL_ASSIGN(out.champion_, registry::load_version(context.store, *who.champion, day.spec, heads));
  out.segments_ = segments_of(day.spec, *out.model_.preparation);
  return out;
}

template <class Score>
Result<Scores> Scoring::with_champion(Score score) const {
  MAEIL_ASSIGN(Scores out, score(model_, segments_.features));
  if (!champion_) return out;
  MAEIL_ASSIGN(const Scores other, score(*champion_, std::vector<size_t>()));
  if (other.labels != out.labels) {
    return fail(ErrorCode::kConflict,
                fmt::format("the rows of {} were replaced while they were scored: run {} again",
                            format_date(context_.logical_date), context_.task_id));
  }
  for (const double p : other.probabilities) out.champion.push_back(p >= other.threshold);
  return out;
}

Result<ScoreTotal> Scoring::make(RowRange rows, const Sink& sink) {
  MAEIL_ASSIGN(const Validated by, validated(context_.store, context_.logical_date, day_.spec, raw_));
  MAEIL_ASSIGN(auto scores, with_champion([&](const model::ModelFile& model,
                                              const std::vector<size_t>& segments) -> Result<Scores> {
                 const prep::Preparation& preparation = *model.preparation;
                 MAEIL_TRY(ensure_prepared(context_, day_, preparation));
                 MAEIL_ASSIGN(auto out, score_split(context_.store, context_.logical_date, preparation,
                                                    who_.split, model, segments, rows.first, rows.count));
                 MAEIL_TRY(check_rows_of(context_, preparation, raw_, by));
                 return out;
               }));
  const ScoreTotal total{scores.labels.size(), scores.unlabelled};
  MAEIL_TRY(sink(scores));
  return total;
}

Result<ScoreTotal> ScoringOfDays::make(RowRange days, const Sink& sink) {
  const prep::Split split = who_.split == prep::to_string(prep::Split::kTest)   ? prep::Split::kTest
                            : who_.split == prep::to_string(prep::Split::kFine) ? prep::Split::kFine
                                                                                : prep::Split::kTrain;
  ScoreTotal total;
  for (uint64_t i = days.first; i < dates_.size() && i - days.first < days.count; ++i) {
    MAEIL_ASSIGN(auto scores,
                 with_champion([&](const model::ModelFile& model, const std::vector<size_t>& segments) {
                   return score_labelled_day(context_.store, day_, dates_[i], context_.logical_date,
                                             *model.preparation, split, model, segments);
                 }));
    total.rows += scores.labels.size();
    total.unlabelled += scores.unlabelled;
    MAEIL_TRY(sink(scores));
    context_.progress("days judged", i + 1, dates_.size());
  }
  return total;
}

RowCuts ScoringOfDays::cuts() const { return {dates_.size(), 1}; }

store::Document Scoring::versions() const {
  store::Document out = {{"model_sha256", who_.version.sha256}, {"split", who_.split}};
  if (who_.champion) out["champion_sha256"] = who_.champion->sha256;
  return out;
}

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
  store::Document out = versions();
  out.update({{"known_on", format_date(context_.logical_date)}, {"days", std::move(days)}});
  return out;
}

// By raw rows, whose number is known: prepared ones, less those set aside, would have to be read to be
// counted.
RowCuts Scoring::cuts() const { return {raw_.value("rows", uint64_t{0}), 1}; }

Result<store::Document> Scoring::inputs() const {
  MAEIL_ASSIGN(const Validated by, validated(context_.store, context_.logical_date, day_.spec, raw_));
  store::Document out = versions();
  out.update({{"rows", partition_of(context_.logical_date, *model_.preparation)},
              {"raw_data_id", store::id_text(raw_.at("_id"))},
              {"raw_sha256", raw_.value("sha256", "")},
              {"validation_id", by.id}});
  return out;
}

Status Scoring::write(const Scores& scores, PartWriter& part) const {
  store::Document frame = {{"probabilities", packed(scores.probabilities)},
                           {"labels", packed(scores.labels)}};
  if (champion_) frame.update({{"champion", packed(scores.champion)}, {"units", packed(scores.units)}});
  for (const auto& codes : scores.segments) frame["segments"].push_back(packed(codes));
  return part.write_frame(frame);
}

PartSummary Scoring::summary(const ScoreTotal& total, RowRange) const {
  return {{{"rows", total.rows}, {"unlabelled", total.unlabelled}},
          fmt::format("{} rows of the {} split scored", total.rows, who_.split)};
}

Status Scoring::read(const store::Document& part, const Sink& sink, ScoreTotal& total) const {
  MAEIL_TRY(read_part_frames(context_, part, [&](const store::Document& frame) -> Status {
    Scores scores;
    MAEIL_ASSIGN(scores.probabilities, unpacked<double>(frame.value("probabilities", store::Document())));
    MAEIL_ASSIGN(scores.labels, unpacked<uint8_t>(frame.value("labels", store::Document())));
    if (champion_) {
      MAEIL_ASSIGN(scores.champion, unpacked<uint8_t>(frame.value("champion", store::Document())));
      MAEIL_ASSIGN(scores.units, unpacked<uint64_t>(frame.value("units", store::Document())));
    }
    for (const auto& codes : frame.value("segments", store::Document::array())) {
      MAEIL_ASSIGN(scores.segments.emplace_back(), unpacked<int32_t>(codes));
    }
    total.rows += scores.labels.size();
    return sink(scores);
  }));
  total.unlabelled += part.value("unlabelled", uint64_t{0});
  return {};
}

Result<Scores> collect(const Scoring& scoring, const Scoring::Rows& all) {
  Scores out;
  MAEIL_ASSIGN(const ScoreTotal total, all([&](Scores& piece) -> Status {
                 append(out, piece);
                 return {};
               }));
  out.unlabelled = total.unlabelled;
  out.threshold = scoring.threshold();
  if (scoring.segments().features.empty()) return out;
  out.segments.resize(scoring.segments().features.size());
  return out;
}

}  // namespace maeil::loop
