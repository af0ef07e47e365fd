// Where rows come from: SDV's or our distribution model, or the built-in portfolio.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "table/csv_table.h"
#include "table/dataset_spec.h"
#include "table/number_format.h"
#include "table/table.h"

namespace maeil::loop {

using TableSink = std::function<Status(const Table& chunk)>;
using RowProgress = std::function<void(uint64_t rows)>;

// Thread compatible. Rows are a pure function of (source, date, seed, row number), whatever the threads.
struct Source {
  std::string description;  // "distribution_model.pkl", "portfolio", "portfolio (fallback)"
  std::string warning;      // "" or one sentence for people
  std::vector<std::string> names;
  std::vector<NumberFormat> formats;
  std::function<Status(Days date, uint64_t first_row, uint64_t rows, uint64_t seed, const TableSink& sink)> sample;
};

// The model that `distribution_model` names: a .pkl or a .json. "": the portfolio; named but absent: the portfolio with a
// warning. kBadInput when it cannot be read; kUsage for an unknown scenario.
Result<Source> open_source(const std::string& distribution_model, std::string_view scenario);

// As the CSV file that SDV's user writes, piece by piece.
Status write_rows_csv(const Source& source, Days date, uint64_t rows, uint64_t seed, const table::CsvWriter::Sink& sink,
                      const RowProgress& progress = {});

// As the dataset's typed tables: through CSV text, since that is how every other row is read.
Status read_typed_rows(const Source& source, const table::DatasetSpec& spec, Days date, uint64_t rows, uint64_t seed, const TableSink& sink,
                       const RowProgress& progress = {});

}  // namespace maeil::loop
