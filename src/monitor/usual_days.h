// Whether a day is like the days before it: its rows, its target's rate, its columns' missing values, means,
// quartiles and frequent values against those of the dataset's own earlier days. What is unusual is a
// warning, since only the contract says what is wrong.
//
// The limits are robust: around the median of the earlier days, so many of their median absolute deviations
// (times 1.4826, as a normal's standard deviation) that of days of one normal distribution about one in 2,000
// lies outside, which few days know badly: 4 + 45 / (days - 5) deviations, 26 of them at 7 days and 5.8 at 30
// (simulated). A limit is never narrower than what chance alone does to rows drawn anew each day: five
// standard errors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/document.h"
#include "table/column_summary.h"
#include "table/contract_check.h"

namespace maeil::monitor {

inline constexpr size_t kUsualDays = 30, kFewestUsualDays = 7;

struct DaySummary {
  uint64_t rows = 0, labelled = 0;
  std::optional<double> target_rate;  // none without labels
  std::vector<table::ColumnSummary> columns;
};

// Of a text's value; nothing where the day told only the most frequent values, and not this one.
std::optional<double> share_of(const table::ColumnSummary& column, const std::string& value);

// As `statistics` of data_validations, and back; what is not as it was written counts as not told.
store::Document summary_document(const DaySummary& day);
DaySummary summary_from(const store::Document& document);

// A warning for the rows, the target and each column that is unusual, a column's by what is most unusual of
// it. Nothing before there are kFewestUsualDays earlier days.
std::vector<table::Finding> unusual(const DaySummary& day, const std::vector<DaySummary>& earlier);

}  // namespace maeil::monitor
