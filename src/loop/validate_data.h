// validate_data of data_pipeline_dag: the day's raw rows against the contract and the days before them, and
// for the tasks behind it which rows are left out.
//
// Its document of data_validations has the findings, the statistics that later days are compared with, and
// in a blob the rows that are set aside, `row,reason` a line. A contract that is broken ends the task, and
// the day, with exit code 3; the document and an alert DATA_CONTRACT_BROKEN are there all the same. What was
// said of other rows, or by another contract, stays and is superseded.
#pragma once

#include <string>

#include "loop/day.h"
#include "table/set_aside.h"

namespace maeil::loop {

inline constexpr const char* kValidations = "data_validations";

// Not cut into shards: what is unique, and a share of all rows, is known of all rows alone.
Result<dag::TaskOutcome> validate_data(const Day& day, dag::TaskContext& context);

struct ValidatedRows {
  table::SetAside set_aside;
  std::string validation_id;  // of the document that says so; "": nothing is set aside
};

// What was said of the rows of `raw`, the document of raw_data of `date`, without the rows themselves.
struct Validated {
  std::string id, file_id;  // of the document, and of the blob with the rows; "": nothing is set aside
};
// kNotFound: they were not validated, and the contract has rules; without rules nothing would be set aside.
// kBadInput: they broke the contract.
Result<Validated> validated(store::Store& store, Days date, const table::DatasetSpec& spec,
                            const store::Document& raw);
// With the rows that are left out.
Result<ValidatedRows> validated_rows(store::Store& store, Days date, const table::DatasetSpec& spec,
                                     const store::Document& raw);

}  // namespace maeil::loop
