// What the commands on CSV files print alike.
#pragma once

#include "base/progress.h"
#include "loop/watcher.h"
#include "store/document.h"
#include "table/read_report.h"

namespace maeil::cli {

// Sentences to standard error, the bar out of their way; `progress` must outlive it.
loop::Watcher watcher_of(Progress& progress);

// By column, the rows whose date cannot be read.
store::Document unreadable_document(const table::ReadReport& report);

// Adds `reading`, how the file is written and what was forgiven in it, where it is no plain CSV.
store::Document with_reading(store::Document document, const table::ReadReport& report);

}  // namespace maeil::cli
