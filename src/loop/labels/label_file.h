// A file of labels read: for each row its id, its label, and the day and the knowledge of it that the file
// says. Nothing of the store.
#pragma once

#include <memory>
#include <string>

#include "loop/arriving_file.h"
#include "loop/labels/label_import.h"
#include "loop/labels/label_spool.h"

namespace maeil::loop {

struct LabelFile {
  std::shared_ptr<LabelSpool> labels;
  std::shared_ptr<const TakenFiles> copy;             // of the bytes as they came
  std::string sha256;                                 // of them (TakenFiles)
  store::Document facts = store::Document::object();  // of a query: as TakenQuery's
  uint64_t rows = 0;                                  // with an id and a label
  uint64_t left_out = 0;                              // without one of them
  std::string first_id;                               // of the first label
  table::ReadReport read;
};

// As import_labels. What is read is a copy (arriving_file.h), made beside `scratch`: the file lies where
// others write. kUnavailable: it changed while it was copied. A query's rows are asked for now.
Result<LabelFile> read_label_file(const Settings& settings, const table::DatasetSpec& spec,
                                  const LabelRequest& request, const std::string& scratch,
                                  const Watcher& watcher);

}  // namespace maeil::loop
