// A dataset spec drafted from a file of rows: what `maeil init` does. The types are those of table/infer.h;
// the target and the roles are told or proposed; columns that should be no features are marked, each with its
// reason. Everything in it is for people to look at and to change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "loop/target_choice.h"
#include "loop/watcher.h"
#include "table/dataset_spec.h"
#include "table/distinct_sample.h"

namespace maeil::loop {

inline constexpr uint64_t kFewDraftRows = 50;  // fewer are warned of: no share or rate of them says much

// Drafted for a dataset with a time: a month to judge on, a quarter to learn from.
inline constexpr int kDraftJudgeDays = 30, kDraftRetrainDays = 90;

struct DraftRequest {
  std::string in, target, positive;  // target "": targets are proposed, and nothing is drafted
  std::string name;                  // of the dataset; "": after the file's
  std::vector<std::string> id;
  std::string group, time;
  std::optional<int64_t> delay_days;  // after which labels are due; needs a time
};

struct DraftColumn {
  uint64_t missing = 0;
  double values = 0;    // different ones
  std::string dropped;  // why it should be no feature; "": it stays
};

struct SpecDraft {
  table::DatasetSpec spec;                    // types as they are written, before parse_dataset_spec
  std::vector<DraftColumn> columns;           // (C)
  std::vector<table::DistinctSample> values;  // (C) that are not missing
  std::string text;                           // TOML, which parse_dataset_spec reads
  TargetChoice target;                        // column "": none was told, and `proposed` says which could be
  std::vector<TargetChoice> proposed;
  uint64_t rows = 0, quarantined = 0, unlabelled = 0;
  size_t features = 0;
  std::vector<std::string> warnings;
};

// Reads the file (or asks the query, query_rows.h, once and reads what it gave) twice, in memory that does
// not depend on its rows: the types first, then by the spec drafted so far, so that what is written is what
// reads the file. kUsage: a column that is not there or has two roles. kBadInput as read_csv and check_read;
// no rows; a target that choose_target refuses; a time that is no date.
Result<SpecDraft> draft_spec(const DraftRequest& request, const Settings& settings, const Watcher& watcher);

}  // namespace maeil::loop
