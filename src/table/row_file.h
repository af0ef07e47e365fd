// A file of rows, opened: the one place where every command finds out how it is written. What [read] of the
// dataset spec says is so; the rest is guessed, as `maeil data inspect` does, and said.
//
// Parquet and Arrow IPC are told by their first bytes, and may be several files: parts of one table
// (columnar/part_files.h). Their rows have numbers, from 1, through all parts, where those of text have
// lines.
//
// Plain CSV (UTF-8, commas, double quotes, one line of names) is read as it lies by the quick reader; every
// other dialect by the tolerant one (csv_records.h), record after record written as plain CSV. Lines are
// those of the file, unpacked.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "columnar/part_rows.h"
#include "format/csv.h"
#include "format/delimited_rows.h"
#include "format/field_rules.h"
#include "format/text_file.h"
#include "table/dataset_spec.h"

namespace maeil::table {

// Parquet or Arrow, opened. Immutable but for its parts' reading: by one thread at a time.
struct ColumnarFile {
  columnar::PartRows rows;
  std::vector<std::string> names;
  std::vector<columnar::DateText> date_texts;  // (names): by the known spec's formats
};

// How a date of a Parquet or Arrow file is written for a column with a format: so that the format reads it,
// where nothing of the date is lost by that.
columnar::DateText date_text_of(const std::optional<DateFormat>& format);

class RowFile {
 public:
  // `known`: the spec whose [read] counts, and whose columns tell names from rows where nothing else does;
  // nullptr: none. kNotFound, kIo; kUsage: no such encoding; kBadInput: damage, a file without names, and
  // what is not clear, with all readings and the key of [read] that decides it. A folder and a pattern are
  // the Parquet or Arrow files that part_files finds.
  static Result<RowFile> open(const std::filesystem::path& path, const DatasetSpec* known);
  // The same of an open file, called `name` in messages: its bytes are read whatever `name` stands for
  // meanwhile.
  static Result<RowFile> open(MappedFile file, const std::string& name, const DatasetSpec* known);
  // The same of Parquet or Arrow files that are parts of one table.
  static Result<RowFile> open(std::vector<columnar::Part> parts, const std::string& name,
                              const DatasetSpec* known);
  // Plain CSV that maeil wrote itself: nothing is guessed.
  static RowFile own(MappedFile file, const std::string& name);

  const std::string& name() const { return name_; }
  bool is_plain() const { return !dialect_ && !columnar_; }
  std::string_view text() const { return text_ ? text_->bytes() : ""; }              // UTF-8, unpacked
  const std::shared_ptr<const ColumnarFile>& columnar() const { return columnar_; }  // null: text
  // For people, where it is not plain: "CP949 (its letters are Hangul), gzip, separator ';', ..."; else "".
  std::string how() const;
  // What was said and, where it is not plain, the dialect that was found. How numbers are written is found
  // again.
  ReadSpec found() const;
  const format::FieldRules& rules() const { return rules_; }

  // As TextFile's.
  void release(size_t bytes) {
    if (text_) text_->release(bytes);
  }
  void rewind() {
    if (text_) text_->rewind();
  }

 private:
  friend class RowReader;
  explicit RowFile(std::string name) : name_(std::move(name)) {}
  RowFile(format::TextFile text, std::string name) : text_(std::move(text)), name_(std::move(name)) {}
  static Result<RowFile> choose(format::TextFile text, const std::string& name, const DatasetSpec* known);
  Status find_rules(const DatasetSpec* known);

  std::optional<format::TextFile> text_;
  std::shared_ptr<const ColumnarFile> columnar_;
  std::string name_;
  std::optional<format::CsvDialect> dialect_;  // none: plain
  std::vector<std::string> names_;             // where the header has none and a spec does
  format::FieldRules rules_;
  ReadSpec said_;
};

class ColumnarRecords;

// The records of a file of rows, as plain CSV, in order. Not thread safe. The text must outlive it.
class RowReader {
 public:
  RowReader(RowReader&&) noexcept;
  RowReader& operator=(RowReader&&) noexcept;
  ~RowReader();
  // kBadInput: as read_csv_header.
  static Result<RowReader> begin(const RowFile& file);
  // Of plain CSV that is no file.
  static Result<RowReader> plain(std::string_view bytes, const std::string& name);

  const std::vector<std::string>& names() const { return names_; }
  // As CsvReader's. Where the file is not plain, the record's bytes are valid until the next call.
  Result<bool> next(format::CsvRecord& record);
  bool stays() const { return plain_ != nullptr; }  // records lie in the file, for as long as it
  size_t position() const;                          // in the text, behind the last record
  // For people, once all records were read: what stands behind the rows, quotes that were taken for text,
  // columns that cannot be read.
  std::vector<std::string> remarks() const;

 private:
  RowReader(std::string_view text, std::string name);
  std::string_view text_;
  std::string name_;
  std::unique_ptr<format::CsvReader> plain_;
  std::unique_ptr<format::DelimitedRows> rows_;
  std::unique_ptr<ColumnarRecords> columns_;
  std::vector<std::string> names_;
  format::DelimitedRecord row_;
  std::string written_;
  const char* end_ = nullptr;  // of the last record, where it stays
  uint64_t stray_ = 0, first_stray_ = 0;
};

}  // namespace maeil::table
