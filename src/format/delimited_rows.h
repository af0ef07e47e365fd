// The rows of delimited text in any dialect: what stands before them, their names, and what stands behind the
// last one are told apart. Whether a row is as wide as it should be is the caller's matter.
//
// What stands behind the last row and is_note() (csv_dialect.h), up to kMostNotes records, is no row; nor are
// the dialect's `footnote` last records.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv_dialect.h"
#include "format/csv_records.h"

namespace maeil::format {

inline constexpr size_t kMostNotes = 20;

// The names that a file's header gives its columns. Several records are joined with a blank, the same again
// left aside; a gap in the upper ones takes the name to its left; empty ones beyond the rows' fields are cut;
// one name too few, as R writes it, stands over the columns behind the first where `first_is_index`; no
// header: col_0, col_1 ... At least `fields`.
std::vector<std::string> column_names(const std::vector<std::vector<std::string>>& header, size_t fields,
                                      bool first_is_index = false);

// Not thread safe.
class DelimitedRows {
 public:
  // Reads up to the first row. REQUIRES: `text` outlives the rows.
  DelimitedRows(std::string_view text, const CsvDialect& dialect);

  const std::vector<std::string>& names() const { return names_; }
  // False at the end. The views of `row` are valid until the next call. A record that is too long has no
  // fields.
  bool next(DelimitedRecord& row);
  // Lines of the records behind the last row; complete once next() was false.
  const std::vector<uint64_t>& notes() const { return notes_; }
  // Where in the text the reading stands: the rows before it have been given out, or are held.
  size_t position() const { return reader_.position(); }

 private:
  struct Held {  // until it is known whether rows follow
    std::vector<std::string> fields;
    uint64_t line;
    bool stray;
  };
  bool may_be_note(const DelimitedRecord& record) const;
  void release(DelimitedRecord& row);

  const CsvDialect dialect_;
  DelimitedReader reader_;
  std::vector<std::string> names_;
  DelimitedRecord ahead_;  // read and not given out yet, where `is_ahead_`
  bool is_ahead_ = false;
  std::deque<Held> held_;
  Held given_;  // what the views of the last row look at
  std::vector<uint64_t> notes_;
};

}  // namespace maeil::format
