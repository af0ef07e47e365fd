// Another file of a date that was taken in already: which rows are new, gone or altered, by their ids.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/settings.h"
#include "store/store.h"
#include "table/dataset_spec.h"
#include "table/row_file.h"

namespace maeil::loop {

// Rows without all ids, and of a dataset without the role, are compared as wholes: a row that differs is one
// removed and one added.
struct ExtractChange {
  uint64_t same = 0, added = 0, removed = 0, altered = 0;
  bool any() const { return added + removed + altered > 0; }
};

// The rows of `raw`, a document of raw_data, against those of the file, both as the dataset reads them; rows
// that cannot be read are left out. Keeps 16 bytes a row. kBadInput, kNotFound: one of them cannot be read
// (any more).
Result<ExtractChange> compare_extract(store::Store& store, const Settings& settings,
                                      const table::DatasetSpec& spec, const store::Document& raw,
                                      table::RowFile& file);

// "3 rows added, 1 removed, 10 altered, 386 the same (by machine)"
std::string describe(const ExtractChange& change, const table::DatasetSpec& spec);

}  // namespace maeil::loop
