// What reading the raw rows of a shard reported, kept in the fields of the shard's part (part_store.h) and
// added up when the parts are put together.
#pragma once

#include "store/store.h"
#include "table/read_report.h"

namespace maeil::loop {

// {count, rows: [{line, reason}]} of the rows whose label is neither value
store::Document other_labels_document(const table::ReadReport& report);

// {rows, quarantined, examples, dates, negative, other_labels}
store::Document report_facts(const table::ReadReport& report);

// Adds those of a part to the report on the parts before it. REQUIRES: the part was checked (read_parts).
// kBadInput: the parts have more values of the target than the spec allows.
Status add_report(const store::Document& part, const table::DatasetSpec& spec, table::ReadReport& total);

}  // namespace maeil::loop
