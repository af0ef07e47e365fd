// Two CSV files side by side, and a third held out from both, as the quality report sees them: continuous
// columns as numbers, discrete ones as codes.
//
// A column's kind comes from SDV's metadata, else from its values in all files: numbers are numerical, dates
// datetime, everything else categorical. Columns of other sdtypes (id, pii) have no score, as in SDMetrics;
// keys and ids with a format are kept for the diagnostic. Missing is what pandas reads as missing. Codes are
// shared by the files. Memory: 8 bytes a cell.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/sdv_metadata.h"

namespace maeil::quality {

inline constexpr double kNoScore = std::numeric_limits<double>::quiet_NaN();  // where none is defined

inline constexpr uint32_t kMissingCode = UINT32_MAX;

enum class Kind { kContinuous, kDiscrete };

struct Side {
  std::vector<double> numbers;  // kContinuous: NaN where missing; dates as seconds since 1970
  std::vector<uint32_t> codes;  // kDiscrete: kMissingCode where missing
};

struct ColumnPair {
  std::string name;
  std::string sdtype;
  table::MetadataColumn meta;
  Kind kind = Kind::kDiscrete;
  Side real, synthetic, holdout;
  std::vector<std::string> categories;  // kDiscrete: the value of each code
};

// A datetime column with synthetic values that are not of its datetime_format: it has no score but this one.
struct UnreadableDates {
  std::string name;
  double readable;  // share of the synthetic rows that are missing or of the format
};

// Rows that are another's exact copy in every column of Data::columns but the `identifiers`, counted over all
// rows of the files by 64-bit hashes of their values (of 10^7 rows against as many, two differ and share a
// hash with probability 5e-6). 8 bytes of memory a row.
struct ExactCopies {
  size_t synthetic = 0;  // synthetic rows that a real row is
  size_t real = 0;       // real rows that another real row is
  // Without metadata: the columns that table::find_identifier finds in the real file, whose new values would
  // hide every copy. None where all columns are.
  std::vector<std::string> identifiers;
};

struct Data {
  size_t real_rows = 0, synthetic_rows = 0, holdout_rows = 0;  // that are looked at
  size_t all_real_rows = 0, all_synthetic_rows = 0;            // in the files
  // in the metadata's order, else in the real file's
  std::vector<ColumnPair> columns;
  std::vector<ColumnPair> keys;  // kDiscrete: keys and ids
  std::vector<UnreadableDates> unreadable;
  // "2 rows of F.csv ...": records that are no rows
  std::vector<std::string> left_out;
  std::vector<std::string> reading;  // how a file is written that is no plain CSV, and what was forgiven
  // columns that only one of real and synthetic has
  std::vector<std::string> absent;
  // (name, pandas' dtype) of every column
  std::vector<std::pair<std::string, std::string>> real_dtypes, synthetic_dtypes;
  ExactCopies copies;
  table::SdvMetadata metadata;  // as given; empty without
};

struct Sources {
  std::string real, synthetic;                    // paths
  std::string holdout;                            // "": none
  std::string metadata;                           // the text of SDV's JSON, or ""
  const table::DatasetSpec* real_spec = nullptr;  // says how `real` is written (table/row_file.h)
  size_t max_rows = 0;                            // of each file, evenly spread (csv_rows.h); 0: all
};

// kBadInput with the file and line or the column: too many records that are no rows (csv_rows.h), a column of
// the metadata that no file has, a value that is not of the column's sdtype, a file without rows, a held-out
// file without one of the columns.
Result<Data> read_data(const Sources& sources);

}  // namespace maeil::quality
