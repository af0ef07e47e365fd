// Arrow IPC, with a footer or as a stream: its batches as they lie in the mapped file, or decompressed.
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>

#include <string_view>

#include "arrow_plugin/checked_batches.h"
#include "arrow_plugin/opened_file.h"

namespace maeil::arrow_plugin {
namespace {

// The batches of a file with a footer, in order.
class BatchesInOrder : public arrow::RecordBatchReader {
 public:
  explicit BatchesInOrder(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file) : file_(std::move(file)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (next_ == file_->num_record_batches()) {
      out->reset();
      return arrow::Status::OK();
    }
    return file_->ReadRecordBatch(next_++).Value(out);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

// The batches of a stream, which must be all that the file has: of two streams in one file the second would
// be passed over.
class BatchesToTheEnd : public arrow::RecordBatchReader {
 public:
  BatchesToTheEnd(std::shared_ptr<arrow::io::BufferReader> bytes, int64_t size,
                  std::shared_ptr<arrow::RecordBatchReader> stream)
      : bytes_(std::move(bytes)), size_(size), stream_(std::move(stream)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return stream_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    ARROW_RETURN_NOT_OK(stream_->ReadNext(out));
    if (*out) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t at, bytes_->Tell());
    if (at == size_) return arrow::Status::OK();
    return arrow::Status::Invalid("the Arrow stream has ", size_ - at, " bytes behind its end");
  }

 private:
  std::shared_ptr<arrow::io::BufferReader> bytes_;
  int64_t size_;
  std::shared_ptr<arrow::RecordBatchReader> stream_;
};

// The mark of its end is there in every stream that was written to its end: without it rows may be missing.
bool has_end(const arrow::Buffer& bytes) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(bytes.size()));
  return all.ends_with(std::string_view("\xff\xff\xff\xff\0\0\0\0", 8));
}

class IpcFile : public OpenedFile {
 public:
  IpcFile(columnar::ArrowFileKind kind, const OpenOptions& options)
      : OpenedFile(options), kind_(kind), threads_(options.threads > 1) {
    bytes_ = std::make_shared<arrow::Buffer>(static_cast<const uint8_t*>(options.bytes),
                                             static_cast<int64_t>(options.size));
  }

  arrow::Status open() {
    ARROW_ASSIGN_OR_RAISE(const auto reader, batches({}));
    schema_ = reader->schema();
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> read(const std::vector<int>& columns) override {
    ARROW_ASSIGN_OR_RAISE(auto reader, batches(columns));
    return checked(std::move(reader), shared_from_this());
  }

 private:
  // `columns` none: all.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> batches(const std::vector<int>& columns) {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = &pool_;
    options.use_threads = threads_;
    options.included_fields = columns;
    // Buffers that do not lie as their values need it (a damaged file) are copied.
    options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
    const auto bytes = std::make_shared<arrow::io::BufferReader>(bytes_);
    if (kind_ == columnar::kArrowIpcStream) {
      if (!has_end(*bytes_))
        return arrow::Status::Invalid("the Arrow stream lacks the mark of its end: is it whole?");
      ARROW_ASSIGN_OR_RAISE(auto stream, arrow::ipc::RecordBatchStreamReader::Open(bytes, options));
      return std::make_shared<BatchesToTheEnd>(bytes, bytes_->size(), std::move(stream));
    }
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::ipc::RecordBatchFileReader::Open(bytes, options));
    return std::make_shared<BatchesInOrder>(std::move(file));
  }

  columnar::ArrowFileKind kind_;
  bool threads_;
  std::shared_ptr<arrow::Buffer> bytes_;
};

}  // namespace

arrow::Result<std::shared_ptr<OpenedFile>> open_ipc(columnar::ArrowFileKind kind,
                                                    const OpenOptions& options) {
  auto out = std::make_shared<IpcFile>(kind, options);
  ARROW_RETURN_NOT_OK(out->open());
  return std::shared_ptr<OpenedFile>(std::move(out));
}

}  // namespace maeil::arrow_plugin
