// What the readers of one dataset share. Only for telemetry/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "store/field_rules.h"
#include "store/store.h"
#include "telemetry/families.h"

namespace maeil::telemetry {

// What is known of the labels, gathered by several readers.
struct LabelDates {
  std::optional<Days> scored;    // the newest date with scores
  std::optional<Days> labelled;  // the newest date whose labels are known
  void note_labelled(Days date) {
    if (!labelled || *labelled < date) labelled = date;
  }
};

struct Reading {
  store::Store& view;  // the dataset's part of the store
  const std::string& dataset;
  Families& out;
  LabelDates& labels;
};

using store::field_at;

// The number at a dotted path; nullopt where it is not there or null. Anything else is counted as unreadable:
// `collection` and the document's `_id` say where it is.
std::optional<double> number_at(Families& out, std::string_view collection, const store::Document& document,
                                std::string_view path);

// Seconds since 1970: of a field that is a date, and of one that is a logical date's text.
std::optional<double> seconds_at(Families& out, std::string_view collection, const store::Document& document,
                                 std::string_view path);
std::optional<double> date_at(Families& out, std::string_view collection, const store::Document& document,
                              std::string_view path);
double seconds_of(Days date);

// "loans__data_pipeline_dag" -> "data_pipeline_dag": the label `dataset` says the rest.
std::string plain_dag(const Reading& reading, std::string_view dag_id);

// The readers: each adds to `out` what its file's head says.
Status read_dag_runs(const Reading& reading);
Status read_dates(const Reading& reading);
Status read_verdicts(const Reading& reading);
Status read_alerts(const Reading& reading);
Status read_deliveries(const Reading& reading);
Status read_models(const Reading& reading);

}  // namespace maeil::telemetry
