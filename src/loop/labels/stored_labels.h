// Labels in the store.
//
// labels      one document per import that brought something: dataset_name, rows, matched, set_aside,
//             unknown, changed, added, earlier, filename, file_id (the file's bytes as they came), sha256,
//             observed_from, observed_to, number (imports are counted: of two on one day the later wins),
//             logical_dates (of the rows), days [{logical_date, matched, set_aside, added, changed, earlier}]
// label_rows  the labels that were new or other than known, by partition "<logical date>/<import id>": id,
//             label, previous (null: none was known), observed_at. As column chunks, shown as documents;
//             published with the import's document, never changed
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "loop/labels/label_history.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

inline constexpr const char* kLabels = "labels";
inline constexpr const char* kLabelRows = "label_rows";

std::string label_partition(Days date, std::string_view import_id);

// The imports that have labels of the date's rows, in their order.
Result<std::vector<store::Document>> imports_of(store::Store& store, const table::DatasetSpec& spec,
                                                Days date);

// Adds the labels of the date's rows that these imports brought. kBadInput: damage.
Status add_labels(store::Store& store, Days date, const std::vector<store::Document>& imports,
                  LabelHistory& history);

// Adds the rows of the date's raw data, those that its contract set aside as such, and their own labels.
// `raw` is its document. kNotFound: raw data without `row_offsets` (of an older maeil).
Status add_rows(store::Store& store, const Settings& settings, const table::DatasetSpec& spec, Days date,
                const store::Document& raw, LabelHistory& history);

// Both, sorted.
Result<LabelHistory> history_of(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                                Days date, const store::Document& raw);

// A name for a file of the date that is opened, filled and never gets it.
std::string scratch_file(const Settings& settings, Days date, std::string_view what);

}  // namespace maeil::loop
