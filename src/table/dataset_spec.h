// What a dataset looks like, read from TOML (docs/formats/dataset_spec.md): columns and their types and
// roles, target, dates, derived day counts, dropped columns. Types come from here, never from the day's
// content.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "table/constraint.h"
#include "table/contract.h"
#include "table/dates.h"
#include "table/due_days.h"
#include "table/read_spec.h"
#include "table/reason_words.h"
#include "table/target_value.h"

namespace maeil::table {

enum class SpecType { kText, kNumber, kDate };

struct SpecColumn {
  std::string name;
  SpecType type = SpecType::kText;
  bool nullable = false;                    // has a <name>_isnull feature
  bool optional = false;                    // may be absent from a file: then every value is missing
  bool drop = false;                        // no feature (its _isnull flag is one all the same)
  bool keep_date = false;                   // stays in processed_data as an ISO date, is no feature
  std::optional<DateFormat> format;         // date: the only form that is read; none: those of read_date
  bool thousands = false;                   // number: "1,234" is read too, the comma between thousands
  std::optional<std::string> missing_date;  // ISO date that stands for a missing or unreadable one
  int first_characters = 0;                 // text: keep so many characters (0: all) ...
  bool lower_case = false;                  // ... in lower case
  // names a row or a person (a role's id and group, SDV's id and pii): `maeil fit` makes its values anew
  bool identifier = false;
  bool role = false;           // an id, the group or the time: no feature, nor is its _isnull flag
  bool missing_words = false;  // text: what pandas takes for missing is missing, as in a number
  // number: as it rises the risk never falls (1, "up") or never rises (-1, "down"), all else equal; 0:
  // either. Of boosted trees and scorecards.
  int monotone = 0;
  // text: rows of one value are a segment, in which no version that takes another's place may be much worse
  // (MAX_SEGMENT_LOSS)
  bool segment = false;
  // number: how `maeil fit` models it (copula/choose_marginal.h); "": empirical
  std::string marginal;
};

struct DayCount {
  std::string name, from, to;  // to - from in days; each a date column or an ISO date
};

// Who a row is, and when; "" and none where the spec does not say.
struct Roles {
  std::vector<std::string> id;  // the columns that together name a row
  std::string group, time;      // a borrower, say, of whom there are many rows; a date column
};

struct DatasetSpec {
  std::string name;      // as its documents have it (`recorded_as`, where it was renamed)
  std::string new_name;  // what it is called now; "": the same
  std::string file;      // where it was read, for messages
  std::string target;    // the column, which is read as text whatever it was declared; "": none
  // Its two values (label 0 and 1) as target_text has them; negative "": the file's only other value.
  std::string negative, positive;
  TargetForms target_forms;
  // So many days after a row's day its label is due; none: it comes with the row.
  std::optional<int64_t> delay_days;
  Roles roles;                      // of columns; ids and the group are read as text, but dates as dates
  std::vector<SpecColumn> columns;  // in the order of the file, which is the order of the features
  std::vector<DayCount> day_counts;
  std::vector<Constraint> constraints;  // that rows drawn by a fitted model keep
  Contract contract;                    // what the rows of its files must keep
  ReadSpec read;                        // how its files are written
  DueDays due;                          // on which days one is due
  Reasons reasons;                      // what people call columns and day counts
  std::string text;                     // as TOML, without [settings]; "": the built-in one

  const SpecColumn* find(std::string_view column) const;
};

// kBadInput, naming file, line and key. A spec without [target] is one to fit by, not to prepare by:
// require_target.
Result<DatasetSpec> parse_dataset_spec(std::string_view toml, const std::string& file_name);
Result<DatasetSpec> read_dataset_spec(const std::filesystem::path& path);

// kBadInput, naming the file, where the spec has no target.
Status require_target(const DatasetSpec& spec);

// datasets/corporate_loan.toml, compiled in; its name is kBuiltinDataset.
Result<DatasetSpec> builtin_dataset_spec();

// datasets/corporate_loan.features.json, compiled in: which feature each embedding of the Python project's
// checkpoints belongs to (prep/feature_map.h).
std::string_view builtin_feature_map();

}  // namespace maeil::table
