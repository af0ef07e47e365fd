// Files of columns out of batches.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/type.h>

#include <memory>

#include "columnar/plugin_interface.h"

namespace maeil::arrow_plugin {

class Writer {
 public:
  virtual ~Writer() = default;
  virtual arrow::Status append(const arrow::RecordBatch& batch) = 0;
  virtual arrow::Status finish() = 0;
};

// Parquet with zstd; Arrow IPC with a footer, not compressed, so that it can be mapped.
arrow::Result<std::unique_ptr<Writer>> make_writer(columnar::ArrowFileKind kind,
                                                   std::shared_ptr<arrow::Schema> schema,
                                                   std::shared_ptr<arrow::io::OutputStream> sink);

}  // namespace maeil::arrow_plugin
