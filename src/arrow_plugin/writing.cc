#include "arrow_plugin/writing.h"

#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

namespace maeil::arrow_plugin {
namespace {

// A row group is held in memory, encoded, until it is complete.
constexpr int64_t kRowGroupRows = int64_t{1} << 18;

class ParquetWriter : public Writer {
 public:
  arrow::Status open(const std::shared_ptr<arrow::Schema>& schema,
                     std::shared_ptr<arrow::io::OutputStream> sink) {
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(arrow::Compression::ZSTD)
                                ->max_row_group_length(kRowGroupRows)
                                ->enable_page_checksum()
                                ->build();
    return parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), std::move(sink),
                                            properties, parquet::default_arrow_writer_properties())
        .Value(&writer_);
  }
  arrow::Status append(const arrow::RecordBatch& batch) override { return writer_->WriteRecordBatch(batch); }
  arrow::Status finish() override { return writer_->Close(); }

 private:
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

class IpcWriter : public Writer {
 public:
  arrow::Status open(const std::shared_ptr<arrow::Schema>& schema,
                     std::shared_ptr<arrow::io::OutputStream> sink) {
    return arrow::ipc::MakeFileWriter(std::move(sink), schema, arrow::ipc::IpcWriteOptions::Defaults())
        .Value(&writer_);
  }
  arrow::Status append(const arrow::RecordBatch& batch) override { return writer_->WriteRecordBatch(batch); }
  arrow::Status finish() override { return writer_->Close(); }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

template <class T>
arrow::Result<std::unique_ptr<Writer>> opened(const std::shared_ptr<arrow::Schema>& schema,
                                              std::shared_ptr<arrow::io::OutputStream> sink) {
  auto out = std::make_unique<T>();
  ARROW_RETURN_NOT_OK(out->open(schema, std::move(sink)));
  return std::unique_ptr<Writer>(std::move(out));
}

}  // namespace

arrow::Result<std::unique_ptr<Writer>> make_writer(columnar::ArrowFileKind kind,
                                                   std::shared_ptr<arrow::Schema> schema,
                                                   std::shared_ptr<arrow::io::OutputStream> sink) {
  if (kind == columnar::kParquetFile) return opened<ParquetWriter>(schema, std::move(sink));
  return opened<IpcWriter>(schema, std::move(sink));
}

}  // namespace maeil::arrow_plugin
