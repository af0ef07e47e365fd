// Parquet: row groups are decoded one after another, some ten thousand rows at a time, so that memory depends
// neither on their size nor on their number (but for the footer). The file is mapped: nothing is read ahead.
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>

#include "arrow_plugin/checked_batches.h"
#include "arrow_plugin/opened_file.h"

namespace maeil::arrow_plugin {
namespace {

// 4 million values of a batch are some ten MB; 8,192 rows at least keep what is paid for each batch small.
constexpr int64_t kBatchValues = int64_t{1} << 22;
constexpr int64_t kLeastRows = 8192, kMostRows = 65536;
constexpr int kLookedAt = 16;  // row groups, whose pages say how a column is written

bool is_dictionary_page(parquet::PageType::type type) { return type == parquet::PageType::DICTIONARY_PAGE; }

bool is_of_dictionary(parquet::Encoding::type encoding) {
  return encoding == parquet::Encoding::RLE_DICTIONARY || encoding == parquet::Encoding::PLAIN_DICTIONARY;
}

// Whether all pages of the column are indices into a dictionary: then it is cheaper to take these over than
// to write a text for each row. Where it is not so, texts would have to be looked up.
bool is_all_dictionary(const parquet::FileMetaData& metadata, int column) {
  const int groups = std::min(metadata.num_row_groups(), kLookedAt);
  for (int g = 0; g < groups; ++g) {
    const auto chunk = metadata.RowGroup(g)->ColumnChunk(column);
    const auto& stats = chunk->encoding_stats();
    const bool all = std::ranges::all_of(stats, [](const parquet::PageEncodingStats& page) {
      return is_dictionary_page(page.page_type) || is_of_dictionary(page.encoding);
    });
    if (stats.empty() || !all) return false;
  }
  return groups > 0;
}

class ParquetFile : public OpenedFile {
 public:
  explicit ParquetFile(const OpenOptions& options) : OpenedFile(options) {}

  arrow::Status open(const OpenOptions& options) {
    const auto bytes = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(
        static_cast<const uint8_t*>(options.bytes), static_cast<int64_t>(options.size)));
    parquet::ReaderProperties properties(&pool_);
    properties.set_page_checksum_verification(true);
    auto file = parquet::ParquetFileReader::Open(bytes, properties);
    const auto& metadata = *file->metadata();
    parquet::ArrowReaderProperties reading(options.threads > 1);
    reading.set_pre_buffer(false);
    reading.set_batch_size(
        std::clamp(kBatchValues / std::max(metadata.num_columns(), 1), kLeastRows, kMostRows));
    for (int c = 0; c < metadata.num_columns(); ++c) {
      const auto* column = metadata.schema()->Column(c);
      const bool text = column->physical_type() == parquet::Type::BYTE_ARRAY && column->logical_type() &&
                        column->logical_type()->is_string();
      if (text && is_all_dictionary(metadata, c)) reading.set_read_dictionary(c, true);
    }
    for (int g = 0; g < metadata.num_row_groups(); ++g) groups_.push_back(g);
    ARROW_ASSIGN_OR_RAISE(reader_, parquet::arrow::FileReader::Make(&pool_, std::move(file), reading));
    return reader_->GetSchema(&schema_);
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> read(const std::vector<int>& columns) override {
    std::vector<int> leaves;
    for (const int c : columns) {
      const auto& field = reader_->manifest().schema_fields[static_cast<size_t>(c)];
      if (!field.is_leaf()) return arrow::Status::Invalid("column '", field.field->name(), "' is nested");
      leaves.push_back(field.column_index);
    }
    ARROW_ASSIGN_OR_RAISE(auto batches, reader_->GetRecordBatchReader(groups_, leaves));
    return checked(std::move(batches), shared_from_this());
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<int> groups_;
};

}  // namespace

arrow::Result<std::shared_ptr<OpenedFile>> open_parquet(const OpenOptions& options) {
  auto out = std::make_shared<ParquetFile>(options);
  ARROW_RETURN_NOT_OK(out->open(options));
  return std::shared_ptr<OpenedFile>(std::move(out));
}

}  // namespace maeil::arrow_plugin
