// Why a row has its score: the columns that moved its log odds most, in people's words.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "columnar/file_writer.h"
#include "model/model_file.h"
#include "prep/transform.h"

namespace maeil::loop {

// How a version's features become columns of a dataset: a column's features (its value, whether it is
// missing) count together, a day count's for itself. Thread safe; borrows nothing.
class ReasonWriter {
 public:
  // `count`: of each row, 0: none. Words are those of `spec` now, whatever the version was trained with;
  // `language`: "en" or "ko".
  ReasonWriter(const prep::Preparation& preparation, const table::DatasetSpec& spec, int64_t count,
               std::string_view language);

  // ",reason_1,reason_1_log_odds,reason_2, ...", to put behind the other columns of a CSV file; "": none.
  std::string header() const;
  std::vector<columnar::OutColumn> columns() const;

  // ",temperature,0.8312,..." of each row, its strongest reason first, by the size of what it adds to the
  // model's log odds (model::Contributions); of a row that has fewer reasons the fields are empty. Without
  // reasons, empty texts. Errors of Predictor::contributions.
  Result<std::vector<std::string>> of(const model::ModelFile& model, const prep::Prepared& rows) const;

 private:
  int64_t count_;
  std::vector<size_t> column_of_;   // (features)
  std::vector<std::string> words_;  // (columns), as fields of CSV
};

}  // namespace maeil::loop
