// A file of labels read: for each row its id, its label, and the day and the knowledge of it that the file
// says. Nothing of the store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "loop/labels/label_import.h"
#include "loop/labels/row_ids.h"

namespace maeil::loop {

struct FileLabel {
  RowKey key;
  std::optional<Days> date;      // of its row
  std::optional<Days> observed;  // none: nobody says
  size_t text = 0;               // where its id begins in LabelFile::ids
  uint32_t size = 0;
  int8_t label = 0;
  uint64_t record = 0;  // of the file, from 0
};

struct LabelFile {
  std::vector<FileLabel> labels;  // in the file's order
  std::string ids;
  std::shared_ptr<const AtomicFile> copy;  // of the bytes as they came
  std::string sha256;                      // of them
  uint64_t left_out = 0;                   // rows without an id or a label
  table::ReadReport read;
  std::string_view id(const FileLabel& label) const {
    return std::string_view(ids).substr(label.text, label.size);
  }
};

// As import_labels. What is read is a copy (arriving_file.h), made beside `scratch`: the file lies where
// others write. kUnavailable: it changed while it was copied.
Result<LabelFile> read_label_file(const table::DatasetSpec& spec, const LabelRequest& request,
                                  const std::string& scratch, const Watcher& watcher);

}  // namespace maeil::loop
