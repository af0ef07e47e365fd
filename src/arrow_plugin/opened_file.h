// A file of columns in memory, opened: its schema, and batches of chosen columns.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "columnar/plugin_interface.h"

namespace maeil::arrow_plugin {

struct OpenOptions {
  const void* bytes = nullptr;
  size_t size = 0;
  int64_t memory_limit = 0;
  int threads = 1;
};

// Lives until the last reader of it is gone.
class OpenedFile : public std::enable_shared_from_this<OpenedFile> {
 public:
  virtual ~OpenedFile() = default;
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  // REQUIRES: numbers of the schema's fields, ascending, none nested.
  virtual arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> read(const std::vector<int>& columns) = 0;

 protected:
  explicit OpenedFile(const OpenOptions& options)
      : pool_(arrow::default_memory_pool(), options.memory_limit) {}
  arrow::CappedMemoryPool pool_;
  std::shared_ptr<arrow::Schema> schema_;
};

arrow::Result<std::shared_ptr<OpenedFile>> open_parquet(const OpenOptions& options);
// `kind`: with a footer, or as a stream.
arrow::Result<std::shared_ptr<OpenedFile>> open_ipc(columnar::ArrowFileKind kind, const OpenOptions& options);

}  // namespace maeil::arrow_plugin
