// Rows that a first model learns from and is judged on, wherever they are: drawn (reference_rows.h) or a
// team's own history (history_rows.h).
//
// On what is held out nothing is fitted: no vocabulary, no imputed value, no scale, no weight. A row without
// a label is in no part.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "loop/prepared/read_rows.h"
#include "loop/source.h"
#include "model/model_file.h"

namespace maeil::loop {

enum class Part : uint8_t {
  kLearn,
  kHeldOut,    // for each epoch's metrics
  kTest,       // for the verdict
  kOutOfTime,  // the same, of the newest rows
  kLeftOut
};

// A chunk and the part of each of its rows.
using PartSink = std::function<Status(const Table& chunk, const std::vector<Part>& parts)>;

struct LearningRows {
  std::string description;     // for people: "portfolio", "history.csv"
  uint64_t rows = 0;           // of all parts
  store::Document note;        // what the model file keeps of them
  std::vector<Part> verdicts;  // parts with labelled rows that the finished model is judged on
  // All rows in order, as often as it is called, the same each time.
  std::function<Status(const PartSink& sink, const RowProgress& progress)> read;
};

// A preparation fitted on the rows to learn from. kBadInput when there are none.
Result<prep::Preparation> fit_preparation(const table::DatasetSpec& spec, const LearningRows& rows,
                                          const RowProgress& progress = {});

struct LearningSamples {
  Samples learn, held_out;
  uint64_t unlabelled = 0;  // of these parts: left out
};
// kBadInput when no row is left to learn from.
Result<LearningSamples> read_samples(const table::DatasetSpec& spec, const LearningRows& rows,
                                     const prep::Preparation& preparation);

// The labelled rows of each of `rows.verdicts`, in its order, scored in one reading. REQUIRES: `model` has
// scores and a preparation.
Result<std::vector<Scores>> score_parts(const table::DatasetSpec& spec, const LearningRows& rows,
                                        const model::ModelFile& model, const RowProgress& progress = {});

// dataset_name in performance_metrics: "test", "out_of_time_test".
const char* verdict_name(Part part);

}  // namespace maeil::loop
