// A day's raw data: its document of raw_data and the CSV that it names, whole or some rows of it.
#pragma once

#include <string>

#include "base/file.h"
#include "base/settings.h"
#include "dag/dag.h"
#include "loop/part_store.h"

namespace maeil::loop {

// The date's document of raw_data; after generate_data was done again, the newest. kNotFound when there is
// none.
Result<store::Document> raw_document(store::Store& store, Days date);
Result<store::Document> raw_document(const dag::TaskContext& context);

// The date's raw CSV: this machine's copy under `path` when it is those bytes, else fetched from the store,
// and written there. Days that run side by side in one workspace share the path, so what is read are the
// bytes that were compared, not what the path names later. kUsage when the file there is not maeil's
// (own_file.h).
Result<MappedFile> raw_file(dag::TaskContext& context, const store::Document& raw, const std::string& path);

// The header and the rows of `range` of the raw CSV, read from the store into a file that never gets its
// name: its bytes are passed in order and left as soon as the last row is there. kNotFound for raw data
// without `row_offsets` (of an older maeil).
Result<MappedFile> raw_rows(store::Store& store, const store::Document& raw, RowRange range,
                            const std::string& path);

// The file that has the rows of `range` (kAllRows: the whole day), in the way that suits the task: this
// machine's copy of the day, or the shard's own rows.
struct RowsToRead {
  MappedFile file;
  std::string name;  // how messages call it
  // of the file's first row in the day: what is to be added to the numbers of its rows and lines
  uint64_t first_row = 0;
  uint64_t expected = 0;  // how many rows there are
};
Result<RowsToRead> rows_to_read(dag::TaskContext& context, const Settings& settings,
                                const store::Document& raw, RowRange range);

// Raw rows are cut into shards at the multiples of this many: a thousand pieces at most, none of less than
// kSourceRows rows.
uint64_t raw_step(uint64_t rows);

}  // namespace maeil::loop
