// Scoring a split of a day's prepared rows with one version: the work of the tasks that evaluate, whole or in
// shards (run_in_shards.h).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "loop/comparison.h"
#include "loop/day.h"
#include "loop/prepared/read_rows.h"
#include "loop/run_in_shards.h"
#include "model/model_file.h"

namespace maeil::loop {

struct ScoreTotal {
  uint64_t rows = 0, unlabelled = 0;  // with a label, and without
};

// Who is scored, on what, and against whom.
struct ScoredVersions {
  const registry::ModelVersion& version;
  std::string_view split;
  const registry::ModelVersion* champion = nullptr;  // null: nobody is compared with it
};

// One piece for each part, and one when it is not cut: scores are small. What it holds must outlive it.
class Scoring : public RowWork<Scores, ScoreTotal> {
 public:
  // kNotFound: no raw data for the date, or no such version.
  static Result<Scoring> begin(dag::TaskContext& context, const Day& day, const ScoredVersions& who);
  const store::Document& raw() const { return raw_; }  // of raw_data: whose rows are scored
  double threshold() const { return model::threshold_of(model_); }
  const prep::Preparation& preparation() const { return *model_.preparation; }
  const Segments& segments() const { return segments_; }  // whose codes the scores have

  // Prepares the day for the version if need be. kConflict: another process has prepared the date's new rows
  // meanwhile.
  Result<ScoreTotal> make(RowRange rows, const Sink& sink) override;

  RowCuts cuts() const override;
  Result<store::Document> inputs() const override;
  Status write(const Scores& scores, PartWriter& part) const override;
  PartSummary summary(const ScoreTotal& total, RowRange rows) const override;
  Status read(const store::Document& part, const Sink& sink, ScoreTotal& total) const override;

 protected:
  Scoring(dag::TaskContext& context, const Day& day, const ScoredVersions& who, store::Document raw)
      : context_(context), day_(day), who_(who), raw_(std::move(raw)) {}

  // `score` of the version, with the decisions of the champion's `score` beside it where there is one.
  template <class Score>
  Result<Scores> with_champion(Score score) const;
  store::Document versions() const;  // of inputs()

  dag::TaskContext& context_;
  const Day& day_;
  const ScoredVersions who_;
  store::Document raw_;
  model::ModelFile model_;
  std::optional<model::ModelFile> champion_;
  Segments segments_;
};

// The same split of other days, with the labels that the date knows of their rows (labels/labelled_rows.h).
// Shards take whole days.
class ScoringOfDays : public Scoring {
 public:
  ScoringOfDays(Scoring scoring, std::vector<Days> dates)
      : Scoring(std::move(scoring)), dates_(std::move(dates)) {}
  Result<ScoreTotal> make(RowRange days, const Sink& sink) override;
  RowCuts cuts() const override;
  Result<store::Document> inputs() const override;

 private:
  std::vector<Days> dates_;
};

// All pieces of a scoring in one.
Result<Scores> collect(const Scoring& scoring, const Scoring::Rows& all);

}  // namespace maeil::loop
