// The functions of columnar/plugin_interface.h: Arrow's side of them.
#include <arrow/c/bridge.h>
#include <arrow/config.h>
#include <arrow/util/thread_pool.h>

#include <cstring>

#include "arrow_plugin/opened_file.h"
#include "arrow_plugin/status.h"
#include "arrow_plugin/writing.h"

namespace maeil::columnar {

struct ArrowPluginFile {
  std::shared_ptr<arrow_plugin::OpenedFile> file;
};

struct ArrowPluginWriter {
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::io::OutputStream> sink;
  std::unique_ptr<arrow_plugin::Writer> writer;
  bool sink_failed = false;
};

}  // namespace maeil::columnar

namespace maeil::arrow_plugin {
namespace {

using columnar::ArrowFileKind;
using columnar::ArrowPluginError;
using columnar::ArrowPluginFile;
using columnar::ArrowPluginWriter;

// Bytes to a function of the caller's.
class CallingSink : public arrow::io::OutputStream {
 public:
  CallingSink(int (*write)(void*, const void*, size_t), void* context, bool& failed)
      : write_(write), context_(context), failed_(failed) {}
  arrow::Status Write(const void* data, int64_t size) override {
    if (failed_ || write_(context_, data, static_cast<size_t>(size)) != 0) {
      failed_ = true;
      return arrow::Status::IOError("the bytes could not be written");
    }
    at_ += size;
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return at_; }
  bool closed() const override { return closed_; }

 private:
  int (*write_)(void*, const void*, size_t);
  void* context_;
  bool& failed_;
  int64_t at_ = 0;
  bool closed_ = false;
};

int open(ArrowFileKind kind, const void* bytes, size_t size, int64_t memory_limit, int threads,
         ArrowPluginFile** out, ArrowPluginError* error) {
  return status_of(guarded([&]() -> arrow::Status {
                     ARROW_RETURN_NOT_OK(arrow::SetCpuThreadPoolCapacity(std::max(threads, 1)));
                     const OpenOptions options{bytes, size, memory_limit, threads};
                     auto opened = std::make_unique<ArrowPluginFile>();
                     ARROW_ASSIGN_OR_RAISE(opened->file, kind == columnar::kParquetFile
                                                             ? open_parquet(options)
                                                             : open_ipc(kind, options));
                     *out = opened.release();
                     return arrow::Status::OK();
                   }),
                   error);
}

int schema(ArrowPluginFile* file, ArrowSchema* out, ArrowPluginError* error) {
  return status_of(guarded([&] { return arrow::ExportSchema(*file->file->schema(), out); }), error);
}

int read(ArrowPluginFile* file, const int32_t* columns, int32_t count, ArrowArrayStream* out,
         ArrowPluginError* error) {
  return status_of(guarded([&]() -> arrow::Status {
                     ARROW_ASSIGN_OR_RAISE(auto batches, file->file->read({columns, columns + count}));
                     return arrow::ExportRecordBatchReader(std::move(batches), out);
                   }),
                   error);
}

void close(ArrowPluginFile* file) { delete file; }

int create(ArrowFileKind kind, ArrowSchema* schema, int (*write)(void*, const void*, size_t), void* context,
           ArrowPluginWriter** out, ArrowPluginError* error) {
  return status_of(guarded([&]() -> arrow::Status {
                     auto made = std::make_unique<ArrowPluginWriter>();
                     ARROW_ASSIGN_OR_RAISE(made->schema, arrow::ImportSchema(schema));
                     made->sink = std::make_shared<CallingSink>(write, context, made->sink_failed);
                     ARROW_ASSIGN_OR_RAISE(made->writer, make_writer(kind, made->schema, made->sink));
                     *out = made.release();
                     return arrow::Status::OK();
                   }),
                   error);
}

int status_of(const ArrowPluginWriter& writer, const arrow::Status& status, ArrowPluginError* error) {
  const int out = arrow_plugin::status_of(status, error);
  return out != columnar::kPluginDone && writer.sink_failed ? columnar::kPluginSink : out;
}

int append(ArrowPluginWriter* writer, ArrowArray* batch, ArrowPluginError* error) {
  const auto status = guarded([&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto rows, arrow::ImportRecordBatch(batch, writer->schema));
    return writer->writer->append(*rows);
  });
  return status_of(*writer, status, error);
}

int finish(ArrowPluginWriter* writer, ArrowPluginError* error) {
  return status_of(*writer, guarded([&] { return writer->writer->finish(); }), error);
}

// A writer of Arrow's that is destroyed tries to close its file: into nothing.
void discard(ArrowPluginWriter* writer) {
  writer->sink_failed = true;
  (void)guarded([&] {
    writer->writer.reset();
    return arrow::Status::OK();
  });
  delete writer;
}

constexpr columnar::ArrowPlugin kPlugin = {columnar::kArrowPluginVersion,
                                           ARROW_VERSION_STRING,
                                           open,
                                           schema,
                                           read,
                                           close,
                                           create,
                                           append,
                                           finish,
                                           discard};

}  // namespace
}  // namespace maeil::arrow_plugin

extern "C" __attribute__((visibility("default"))) const maeil::columnar::ArrowPlugin* maeil_arrow_plugin(
    uint32_t version) {
  return version == maeil::columnar::kArrowPluginVersion ? &maeil::arrow_plugin::kPlugin : nullptr;
}
