// Batches that can be read without looking at each offset and index again, whatever the file's bytes were.
#pragma once

#include <arrow/record_batch.h>

#include <memory>

namespace maeil::arrow_plugin {

// The batches of `from`, each checked; `owner` lives as long. All values that say where others lie (offsets,
// indices of dictionaries, lengths): Arrow IPC is mapped as it lies, and Parquet's indices into a dictionary
// are taken over as they stand in the file. Whether texts are UTF-8 is not asked: that sets a row aside, and
// does not end the file.
std::shared_ptr<arrow::RecordBatchReader> checked(std::shared_ptr<arrow::RecordBatchReader> from,
                                                  std::shared_ptr<void> owner);

}  // namespace maeil::arrow_plugin
