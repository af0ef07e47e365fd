// processed_data.csv: the features under their names as the model reads them (codes, scaled numbers), the label as 0/1, the
// kept dates and `split`. Appears under its name only when it is complete.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "prep/preparation.h"
#include "prep/transform.h"
#include "table/csv_table.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

class ProcessedCsv {
 public:
  static Result<ProcessedCsv> create(const std::filesystem::path& path, const table::DatasetSpec& spec, const prep::Preparation& preparation);
  Status write(const prep::Prepared& prepared, const std::vector<std::string>& splits);
  Status commit();

 private:
  ProcessedCsv(AtomicFile file, const table::DatasetSpec& spec, const prep::Preparation& preparation);
  std::unique_ptr<AtomicFile> file_;
  std::vector<std::string> names_;
  size_t categorical_, numeric_;
  std::unique_ptr<table::CsvWriter> writer_;
};

}  // namespace maeil::loop
