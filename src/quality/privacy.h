// Distance to the closest record (DCR): are synthetic rows copies of real ones?
//
// The distance of two rows is SDMetrics 0.32.0's (single_table/privacy/dcr_utils.py): the mean over columns
// of min(|a - b| / range of the reference rows, 1) for numbers and dates, of "differ" for categories; missing
// differs from what is there; a constant column: "differ". With a held-out file the question is SDMetrics'
// DCROverfittingProtection: a synthetic row should not be closer to the rows that the synthesizer was fitted
// on than to rows that it never saw. Of the two equally many rows take part, since chance alone finds a
// closer row among more. Without a file there is only the comparison with the distance that real rows have to
// each other.
//
// Blocks of rows against blocks of rows: O(rows^2 x columns) time, so of more than kPrivacyRows rows an even
// choice is taken from each file; 8 bytes of memory a cell of that choice.
#pragma once

#include <cstddef>
#include <vector>

#include "quality/columns.h"

namespace maeil::quality {

inline constexpr size_t kPrivacyRows = 5000;

struct Privacy {
  size_t synthetic_rows = 0, real_rows = 0, holdout_rows = 0;  // that were compared
  double median_to_real = 0;     // of the synthetic rows' distances to the closest real row
  double median_to_holdout = 0;  // ... to the closest held-out row; NaN without
  double median_real = 0;        // of the real rows' distances to the closest other real row
  double copies = 0;             // share of all synthetic rows of the file that are a real row (ExactCopies)
  double real_copies = 0;        // share of all real rows of the file that are another real row
  // as many of the real and of the held-out rows: those that the next two compare
  size_t fair_rows = 0;
  // share of the synthetic rows that are closer to a real row than to any held-out row; NaN without
  double closer_to_real = 0;
  double protection = 0;  // min(1, 2 (1 - closer_to_real)); NaN without
};

// (rows of `from`) the distance to the closest row of `to`; to another row where both are the same side and
// choice.
std::vector<double> closest_distances(const Data& data, Side ColumnPair::* from,
                                      const std::vector<size_t>& from_rows, Side ColumnPair::* to,
                                      const std::vector<size_t>& to_rows);

Privacy measure_privacy(const Data& data);

}  // namespace maeil::quality
