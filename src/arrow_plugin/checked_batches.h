// Batches that can be read without looking at each offset and index again, whatever the file's bytes were.
#pragma once

#include <arrow/record_batch.h>

#include <memory>

namespace maeil::arrow_plugin {

// The batches of `from`, each checked; `owner` lives as long. `full`: all values that say where others lie
// (offsets, indices of dictionaries, lengths), as of Arrow IPC, which is mapped as it lies; else the buffers'
// sizes alone, as of Parquet, whose arrays Arrow made itself. Whether texts are UTF-8 is not asked: that sets
// a row aside, and does not end the file.
std::shared_ptr<arrow::RecordBatchReader> checked(std::shared_ptr<arrow::RecordBatchReader> from,
                                                  std::shared_ptr<void> owner, bool full);

}  // namespace maeil::arrow_plugin
