// The rows of a CSV file before a model: prepared, scored or evaluated, chunk by chunk on all threads. What
// `maeil preprocess`, `predict` and `evaluate` do; the days' rows, which are in the store, are not read here.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "base/time.h"
#include "loop/gate.h"
#include "loop/prepared/read_rows.h"
#include "loop/watcher.h"
#include "model/model_file.h"
#include "table/dataset_spec.h"
#include "table/read_report.h"

namespace maeil::loop {

// Where rows come from, and what reads them. `model` has a preparation and is called `model_name` in errors.
struct FileRows {
  const Settings& settings;  // where the path is a query (query_rows.h)
  const std::string& path;
  const table::DatasetSpec& spec;
  const model::ModelFile& model;
  const std::string& model_name;
};

// A sentence for each difference between the dataset spec that a model was trained with, and prepares by, and
// the present one.
std::vector<std::string> model_differences(const prep::Preparation& preparation,
                                           const table::DatasetSpec& present, const std::string& model);

// Says of a file what was set aside and what could not be read.
void note_read(const table::ReadReport& report, const std::string& file, const Watcher& watcher);

// All: kBadInput as read_csv and check_read, and where more rows break the contract than may be set aside
// (validation.h); what is set aside is said. Files are replaced when all is well.

// The rows as the model reads them, and each one's split under `seed` and `date` (processed_csv.h).
Result<table::ReadReport> write_prepared_rows(const FileRows& rows, uint64_t seed, Days date,
                                              const std::string& out, const Watcher& watcher);

// row, probability_of_default (of another dataset than the built-in one: probability), prediction, and so
// many `reasons` (reasons.h; in REASON_LANGUAGE). A third value of the target is a missing label.
Result<table::ReadReport> predict_rows(const FileRows& rows, const std::string& out, int64_t reasons,
                                       const Watcher& watcher);

// The labelled rows, scored; how many have no label is said.
struct ScoredRows {
  table::ReadReport read;
  Scores scores;
};
Result<ScoredRows> score_rows(const FileRows& rows, const Watcher& watcher);

struct EvaluatedRows {
  table::ReadReport read;
  uint64_t unlabelled = 0;  // rows that are left out
  store::Document metrics;  // of evaluate_scores
  Judgement judged;
};
Result<EvaluatedRows> evaluate_rows(const FileRows& rows, const Settings& settings, const Watcher& watcher);

}  // namespace maeil::loop
