// Records of delimited text in any dialect, read tolerantly: what a spreadsheet or a program without a CSV
// library wrote. The reader of plain CSV is csv.h; this one is slower and forgives more.
//
// A quote opens a field only at the field's start and closes it only before a separator or a line end; one
// that stands anywhere else is text. Where that gives a record another number of fields than a row has, or
// lets a field with a stray quote run over a line end, the quotes of the record's first line are read in
// every way, and the reading with the right number of fields and the fewest stray quotes is taken.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv_dialect.h"

namespace maeil::format {

struct DelimitedRecord {
  std::vector<std::string_view> fields;
  uint64_t line = 0;      // of its first byte, from 1
  bool stray = false;     // a quote in it is text, where a quote should stand for itself only when doubled
  bool too_long = false;  // over kMaxCsvRecord bytes (csv.h): no fields
};

// Records of `bytes`, in order, lines without a byte left out. Views into `bytes` or into the reader, valid
// until the next call. Linear in the bytes, whatever they are. Not thread safe.
class DelimitedReader {
 public:
  // REQUIRES: `bytes` outlives the reader. `dialect.fields` 0: of any width.
  DelimitedReader(std::string_view bytes, const CsvDialect& dialect);
  // False at the end. A quote that is not closed within kMaxCsvRecord bytes closes nothing: it is text.
  bool next(DelimitedRecord& record);
  size_t position() const { return at_; }  // behind the last record

 private:
  struct Range {
    size_t begin, end;  // of the field's text, between the quotes where `quoted`
    bool quoted;
  };
  enum class Found { kRecord, kDoubtful, kTooLong };
  Found split(size_t first_line, bool doubt);
  size_t find_close(size_t at);
  bool closes(size_t quote, size_t limit) const;
  bool escapes_next(size_t at, size_t end) const;
  bool has_stray(const Range& range) const;
  std::string_view text_of(const Range& range, bool& stray);
  bool mend(size_t begin, size_t end);
  size_t line_end(size_t at) const;

  std::string_view bytes_;
  const CsvDialect dialect_;
  size_t at_ = 0, end_ = 0;  // of the record: its start, and behind it
  uint64_t line_ = 1;
  size_t open_from_ = 1, open_to_ = 0;  // the first quote that closes behind each of these is the last
  size_t never_closed_from_ = 1, never_closed_to_ = 0;  // no quote closes between these
  size_t rejected_close_ = 0;  // a field that closed here was read otherwise: so is the next that would
  std::vector<Range> ranges_;
  std::deque<std::string> owned_;
  struct Step {  // of mending: the cheapest way to a field's start
    uint32_t cost;
    size_t from, close;
  };
  std::vector<Step> steps_;
};

}  // namespace maeil::format
