// Columns as the learner takes them: bins in an order, fitted on the rows that it is trained on.
#pragma once

#include <cstdint>
#include <vector>

#include "quality/boosting.h"
#include "quality/columns.h"

namespace maeil::quality {

// Which rows of which file.
struct RowChoice {
  Side ColumnPair::* side;
  std::vector<uint32_t> rows;
};

// Numbers are cut at up to 62 quantiles of the training rows. Categories are put in the order of the mean
// label of their training rows, shrunk with 10 rows' weight to the mean of all so that rare ones stay in the
// middle, and cut into bins of about equal rows; one that the training rows lack counts as an average one.
// Missing values have bin 0.
class Features {
 public:
  // All columns but data.columns[skip]. labels: (chosen rows) of 0 and 1.
  Features(const Data& data, const RowChoice& training, const std::vector<uint8_t>& labels, size_t skip);
  BinnedRows bin(const RowChoice& choice) const;

 private:
  struct Column {
    size_t index;                // of data.columns
    std::vector<double> cuts;    // bin 1 + number of cuts below the value
    std::vector<double> values;  // (categories) their place in the order; empty: numbers
  };
  const Data& data_;
  std::vector<Column> columns_;
};

}  // namespace maeil::quality
