// What reading a CSV file by a dataset spec says of its rows and its dates, and when that is no longer to be
// put up with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "table/dataset_spec.h"

namespace maeil::table {

inline constexpr size_t kMaxExamples = 100;  // of quarantined records
inline constexpr size_t kMaxShownLabels = 5;

struct Quarantined {
  uint64_t line = 0;  // in the file, from 1
  std::string reason;
};

// How the dates of a column could be read. A text that is no date is missing where rows are prepared, a label
// where a copula is fitted.
struct DatesRead {
  std::string column;
  bool any_read = false;
  uint64_t unreadable = 0;  // rows that are not quarantined
  uint64_t line = 0;        // of the first of them
  std::string why;          // "'05/06/2024' is 2024-06-05 or 2024-05-06: ..."
};

// A word without digits in a column of numbers.
struct RepeatedWord {
  std::string column, word;
  uint64_t rows = 0;
};

// A column in which values set rows aside: each row counts for the first such column.
struct WrongColumn {
  std::string column;
  uint64_t rows = 0;
  std::vector<std::string> examples;  // the first different values, kWrongExamples at most
};
inline constexpr size_t kWrongExamples = 3;

// Rows that could be read, and those that could not.
struct ReadReport {
  uint64_t rows = 0;         // records, the quarantined included
  uint64_t quarantined = 0;  // those set aside included
  uint64_t set_aside = 0;    // that can be read, and were to be left out (ReadOptions::set_aside)
  std::vector<WrongColumn> wrong_columns;
  std::vector<Quarantined> examples;  // the first kMaxExamples
  Quarantined first_unreadable;       // line 0: none
  RepeatedWord repeated;              // the one that set most rows aside; rows 0: none
  uint64_t other_labels = 0;  // rows whose target is neither value, which count as rows without a label
  std::vector<Quarantined> other_label_examples;  // the first kMaxShownLabels of them
  std::vector<std::string> ignored_columns;       // in the file, not in the spec
  std::vector<DatesRead> dates;                   // of the spec's date columns that the file has
  std::string negative;  // the target's other value, where the spec does not name it and a row has it
  std::string how;       // how the file is written (RowFile::how); "": plain CSV
  std::vector<std::string> remarks;  // what the reader forgave (RowReader::remarks)
  bool numbers_rows = false;         // each `line` is a row's number, from 1: a file without lines

  const char* place() const { return numbers_rows ? "row" : "line"; }  // what `line` is, for people
};

// A value of the target that is not the spec's positive one, where the spec names no negative one; "": none.
// kBadInput, at `place`: a third value.
Status add_negative(ReadReport& report, const DatasetSpec& spec, const std::string& value,
                    const std::string& place);

// kBadInput when more than `share` of the rows cannot be read, those set aside not counted; names the first
// of them, and the word that most of them are set aside for.
Status check_quarantine(const ReadReport& report, const std::string& file_name, double share = 0.05);

// The same for a whole file, and kBadInput when a column has dates and none of them can be read.
Status check_read(const ReadReport& report, const std::string& file_name);

// The report of a piece of a file, which lies so many lines further on in it.
void shift_lines(ReadReport& report, uint64_t lines);

// What is read of the same columns later in the file, or in its next part; an empty `total` counts as nothing
// read.
void add_dates(std::vector<DatesRead>& total, std::vector<DatesRead>&& more);

// A sentence where rows count as rows without a label since theirs is neither value; "" where none does.
std::string describe_other_labels(const ReadReport& report, const std::string& file_name);

// A sentence for each column with dates that cannot be read, for people.
std::vector<std::string> describe_unreadable(const ReadReport& report, const std::string& file_name);

}  // namespace maeil::table
