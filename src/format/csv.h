// CSV as pandas and SDV's users write it (RFC 4180, UTF-8 with or without BOM, LF or CRLF), read from hostile
// files.
//
// Splitting is separate from meaning: CsvReader finds records and their line numbers, split_record finds
// fields. A record longer than the limit ends the reading, so a file that is one line of a gigabyte costs no
// memory.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::format {

inline constexpr size_t kMaxCsvRecord = 1 << 20;  // bytes; the widest real record has 2,000

struct CsvRecord {
  std::string_view bytes;  // without the line end
  uint64_t line = 0;       // of its first byte, from 1
};

// Records of `bytes`, in order. Not thread safe; views into `bytes`.
class CsvReader {
 public:
  CsvReader(std::string_view bytes, std::string file_name);
  // False at the end. Empty lines are skipped. kBadInput, with file and line: a record over the limit, an
  // unclosed quote; nothing after it can be trusted to start where it seems to. Looks at kMaxCsvRecord + 1
  // bytes at most.
  Result<bool> next(CsvRecord& record);

 private:
  std::string_view bytes_;
  std::string file_name_;
  size_t at_ = 0;
  uint64_t line_ = 1;
};

// The fields of one record; `unescaped` owns those that had doubled quotes, and must outlive the views. Stops
// at `max_fields`, so that a record of commas alone costs no more memory than an honest one. Returns "" or
// what the record has that it may not have: a NUL byte, bytes that are not UTF-8, text after a closing quote
// ...
std::string_view split_record(std::string_view record, std::vector<std::string_view>& fields,
                              std::deque<std::string>& unescaped, size_t max_fields = kMaxCsvRecord + 1);

// The same for the common record, without a quote: fills `ends` with where each field ends (the last with the
// record's size), at most `max_fields` of them. False when the record must go through split_record: a quote,
// a NUL byte, what is not UTF-8, or too many fields.
bool split_plain(std::string_view record, std::vector<uint32_t>& ends, size_t max_fields);

bool is_utf8(std::string_view text);

// The first `max_bytes` of UTF-8 text and "...", cut between characters; for messages.
std::string clip_utf8(std::string_view text, size_t max_bytes);

// Appends a field, quoted where RFC 4180 and pandas' QUOTE_MINIMAL ask for it.
void append_csv_text(std::string& out, std::string_view field);

inline constexpr std::string_view kUtf8Bom = "\xef\xbb\xbf";

}  // namespace maeil::format
