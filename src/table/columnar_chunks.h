// The columns of Parquet and Arrow files as a source of chunks: they become a table's without CSV text, and
// the same as by way of it. Only the spec's columns are decoded.
//
// Inside of table/ only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "table/chunk_source.h"
#include "table/row_file.h"

namespace maeil::table {

class ColumnarChunks : public ChunkSource {
 public:
  // REQUIRES: file.columnar(); the file outlives it.
  ColumnarChunks(const RowFile& file, const DatasetSpec& spec);

  const std::vector<std::string>& names() const override { return file_->names; }
  void begin(const Layout& layout, size_t slots) override;
  Result<size_t> take(size_t slot) override;
  Status split(size_t slot, std::vector<std::string>& wrong) override;
  void read_numbers(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                    std::vector<double>& numbers, std::vector<uint32_t>& bad) override;
  void read_texts(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                  std::vector<uint32_t>& codes, std::vector<std::string>& dictionary) override;
  std::string field(size_t slot, size_t column, size_t row) override;
  uint64_t line(size_t slot, size_t row) const override { return slots_[slot].first_row + row + 1; }
  void finished(size_t slot) override;
  std::vector<std::string> remarks() const override { return file_->rows.left_out(); }

 private:
  // A piece of a batch.
  struct Piece {
    columnar::Batch batch;
    size_t first = 0, count = 0;                                  // of the batch's rows
    uint64_t first_row = 0;                                       // of the file's
    std::vector<std::unique_ptr<columnar::BoundColumn>> columns;  // of the spec; null: absent, or a key
  };
  bool is_missing_word(std::string_view text) const;

  std::shared_ptr<const ColumnarFile> file_;
  const format::FieldRules& rules_;
  std::vector<columnar::DateText> date_texts_;  // of the spec's columns
  std::vector<int> read_;                       // of the spec's columns: which of the reader's; -1: absent
  std::unique_ptr<columnar::BatchReader> reader_;
  columnar::Batch ahead_;  // of which `taken_` rows are given out
  size_t taken_ = 0;
  uint64_t rows_ = 0;
  std::vector<Piece> slots_;
};

}  // namespace maeil::table
