// A file of rows held against its dataset's contract: what `validate_data`, `maeil validate`, `train --in`
// and `predict` do before anything else. Nothing is written here.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "loop/watcher.h"
#include "store/document.h"
#include "table/column_summary.h"
#include "table/contract_check.h"
#include "table/row_file.h"

namespace maeil::loop {

struct Validation {
  std::vector<table::Finding> findings;
  table::SetAside set_aside;  // rows that can be read and break a rule of rows
  uint64_t rows = 0;          // records
  uint64_t quarantined = 0;   // that cannot be read, and those that are set aside
  uint64_t labelled = 0, positives = 0;
  std::vector<table::ColumnSummary> columns;  // where asked for

  bool failed() const { return table::has_error(findings); }
  const char* status() const;  // passed, passed_with_warnings or failed
};

struct ValidationOptions {
  table::FileRules file_rules = table::FileRules::kAll;
  bool target_required = true;  // false: the file may lack the target's column
  bool summarize = false;       // fill `columns`
  std::function<void(uint64_t rows)> progress;
};

// Reads the file once. What is wrong with its content, an absent column included, is found and no error;
// kIo: it cannot be read.
Result<Validation> validate_rows(table::RowFile& file, const table::DatasetSpec& spec,
                                 const ValidationOptions& options);

// The rows that a file's readers leave out by the contract; none where it has no rules, and then nothing is
// read. Warnings are said. kBadInput: the contract is broken.
Result<table::SetAside> hold_to_contract(table::RowFile& file, const table::DatasetSpec& spec,
                                         table::FileRules file_rules, const Watcher& watcher);

// {rule, column, severity, count, share, examples, message} of each.
store::Document findings_document(const std::vector<table::Finding>& findings);

// What a failed validation ends with: the first error in words, and how many more there are. REQUIRES:
// failed().
std::string describe_failure(const Validation& validation, const std::string& what);

}  // namespace maeil::loop
