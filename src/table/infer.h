// What the columns of a CSV file are, from its content: for files that no dataset spec describes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "table/dataset_spec.h"
#include "table/distinct_sample.h"
#include "table/number_format.h"
#include "table/row_file.h"

namespace maeil::table {

struct InferredColumns {
  DatasetSpec spec;  // columns in the file's order; its target is "" (no row is quarantined for it)
  std::vector<NumberFormat> formats;   // (C) kInteger: every number is written without a point or an exponent
  std::vector<DistinctSample> values;  // (C) that are not missing
  std::vector<uint64_t> missing;       // (C) rows without a value
  std::vector<std::string> unclear;    // (C) why a column is text only because it could be read in two ways
  uint64_t rows = 0;                   // records that could be split
  std::vector<std::string> notes;      // for people: what was guessed
};

// What becomes of a column that can be read in two ways.
enum class Unclear { kRefused, kText };

// Reads the whole file once, on all threads. A column is a number when every field that is there is one and
// loses nothing by it (codes with leading zeros and whole numbers beyond 2^53 do); a date when every one is a
// date of read_date, numbers too when all are days written as 20240531; else text; a column without values is
// text. Numbers with commas between thousands are numbers where a value of the column says that the commas
// are that. "NA", "NaN" and the other words that pandas takes for missing decide nothing. A column without a
// name that only counts the rows, pandas' index, is left out. `notes` says each of these guesses, and what of
// a text column looks like numbers. A date column whose values have one format gets it. `known`,
// where given, decides the types of the columns that it names and leaves out those it does not; its optional
// columns that the file lacks are left out. `text_column` (may be "") is text in any case. kBadInput as
// read_csv, and where `unclear` is kRefused for a column of numbers with commas or of dates with the year
// last, which can be read in two ways, and for numbers or dates in half of the rows or more among which words
// are; kNotFound: no such `text_column`. The spec's `read` is RowFile::found.
Result<InferredColumns> infer_columns(RowFile& file, const DatasetSpec* known, const std::string& text_column,
                                      Unclear unclear = Unclear::kRefused);
// Of a file that `known` says how to open.
Result<InferredColumns> infer_columns(const std::filesystem::path& path, const DatasetSpec* known,
                                      const std::string& text_column, Unclear unclear = Unclear::kRefused);

// Whether the file names every column of the spec that is not optional. kBadInput: it has no header.
Result<bool> has_columns_of(const RowFile& file, const DatasetSpec& spec);

}  // namespace maeil::table
