// How a file of delimited text is written, and what to make of a file that does not say so.
//
// A dialect says which bytes separate, quote and escape, and which records are no rows. The guess tries
// dialects on a sample and takes the one whose records agree best in their number of fields and whose fields
// look most like values: consistency = pattern score x type score (van den Burg, Nazábal and Sutton,
// "Wrangling messy CSV files by detecting row and type patterns", Data Mining and Knowledge Discovery 33,
// 2019). It reads UTF-8; encodings are text_file.h's matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::format {

enum class LineEnd { kLf, kCrLf, kCr, kMixed };

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';     // '\0': none
  char escape = '"';    // before a quote in a quoted field: itself (doubled), another, or '\0': nothing is
  bool trim = false;    // blanks around fields are no part of them
  size_t preamble = 0;  // lines before the header, or before the first row
  size_t header = 1;    // records of names; 0: none
  size_t footnote = 0;  // records behind the last row, beside notes (csv_convert.h)
  size_t fields = 0;    // of a row

  friend bool operator==(const CsvDialect&, const CsvDialect&) = default;
};

struct DialectGuess {
  CsvDialect dialect;
  LineEnd line_end = LineEnd::kLf;  // as most lines of the sample end
  double score = 0;
  // Another dialect that explains the sample as well and reads other fields in it. Its score is `score` or
  // hardly less.
  std::optional<CsvDialect> rival;
  bool names_differ = false;  // a record of names has more or fewer fields than a row
  // Nothing in the sample decides whether its first record is a header.
  bool header_unclear = false;
};

// What is known beforehand: the rest is guessed around it.
struct DialectAsked {
  std::optional<char> delimiter, quote, escape;
  std::optional<size_t> preamble, header, footnote;
};

// REQUIRES: `sample` is the start of a file, cut behind a line end. kBadInput: it
// holds nothing, or NUL bytes.
Result<DialectGuess> guess_dialect(std::string_view sample, const std::string& file_name,
                                   const DialectAsked& asked = {});

// A record behind the rows that is none: one field that is no number and no date, where rows have several, or
// nothing but empty fields.
bool is_note(const std::vector<std::string>& record, size_t width);

// "tab", "blank", "';'" ... for people.
std::string describe_delimiter(char delimiter);
// One line: "separator ';', quote \" doubled, 5 fields, header 1, preamble 0, footnote 0".
std::string describe_dialect(const CsvDialect& dialect);

}  // namespace maeil::format
