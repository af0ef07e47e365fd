// The labels of a file, by day. Beyond so many they lie in a file without a name and come back a day at a
// time, so that a file of any size takes the memory of its largest day. Those without a day stay in memory:
// their days are found by all of them at once.
//
// The file's bytes: runs, each of labels of one day (struct FileLabel) and behind them their ids. Where a run
// lies is known in memory alone; nobody reads such a file but the process that wrote it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/time.h"
#include "loop/labels/row_ids.h"

namespace maeil::loop {

struct FileLabel {
  RowKey key;
  std::optional<Days> date;      // of its row
  std::optional<Days> observed;  // none: nobody says
  uint64_t record = 0;           // of the file, from 0
  uint64_t text = 0;             // where its id begins among the day's
  uint32_t size = 0;
  int8_t label = 0;
};

// Of one day, or of none.
struct LabelsOfDay {
  std::vector<FileLabel> labels;
  std::string ids;
  std::string_view id(const FileLabel& label) const {
    return std::string_view(ids).substr(label.text, label.size);
  }
};

// Not thread safe.
class LabelSpool {
 public:
  // `most`: labels with a day that stay in memory. The file is made beside `scratch`, when it is needed.
  LabelSpool(std::string scratch, uint64_t most) : scratch_(std::move(scratch)), most_(most) {}

  Status add(FileLabel label, std::string_view id);
  // The days that have labels, oldest first.
  std::vector<Days> dates() const;
  // All labels of a day in the order in which they were added, or those without one; they are forgotten here.
  // REQUIRES: none is added once those of a day were taken.
  Result<LabelsOfDay> take(std::optional<Days> date);

 private:
  struct Run {
    uint64_t at = 0, labels = 0, ids = 0;  // bytes of the file before it; labels; bytes of their ids
  };
  Status write_out();

  std::string scratch_;
  uint64_t most_, dated_ = 0, size_ = 0;  // labels with a day in memory; bytes of the file
  std::map<std::optional<Days>, LabelsOfDay> open_;
  std::map<Days, std::vector<Run>> runs_;
  std::optional<AtomicFile> file_;
  std::optional<MappedFile> mapped_;
};

}  // namespace maeil::loop
