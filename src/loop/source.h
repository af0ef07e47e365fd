// Where rows come from: SDV's or our distribution model, or the built-in portfolio.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "base/time.h"
#include "table/constraint.h"
#include "table/csv_table.h"
#include "table/dataset_spec.h"
#include "table/number_format.h"
#include "table/table.h"

namespace maeil::loop {

using TableSink = std::function<Status(const Table& chunk)>;
using ByteSink = std::function<Status(std::string_view)>;
using RowProgress = std::function<void(uint64_t rows)>;

// Thread safe. Rows are a pure function of (source, date, seed, row number), whatever the threads.
struct Source {
  std::string description;  // "distribution_model.pkl", "portfolio", "portfolio (realistic)" ...
  std::string warning;      // "" or one sentence for people
  bool portfolio = false;   // the built-in simulator's rows
  bool fallback =
      false;  // taken since the named model is absent (SOURCE_FALLBACK): no model is approved by such rows
  std::string scenario;  // what shaped the rows; "": the usual rows of a distribution model
  // (key, path) of what the rows were drawn from: source_sha256, scenario_sha256
  std::vector<std::pair<std::string, std::string>> files;
  std::optional<double> quality_score;  // of a fitted model, where its fit was scored (copula/mixture.h)
  std::vector<std::string> names;
  std::vector<NumberFormat> formats;
  std::vector<table::Constraint> constraints;  // that hold in every row
  // a text column whose values' shares were asked for, so that leaving rows out must keep them; "": none
  std::string shares_of;
  // by column: what values that constraints move keep; empty: nothing
  std::vector<table::ValueRange> ranges;
  // Rows first_row .. first_row + rows - 1, on the calling thread; `out` is used again. REQUIRES: they do not
  // cross a multiple of kSourceRows; check(first_row, rows) holds. Fails only where a condition is met by too
  // few rows (row_filter.h).
  std::function<Status(Days date, uint64_t first_row, uint64_t rows, uint64_t seed, Table& out)> draw;
  std::function<Status(uint64_t first_row, uint64_t rows)> check;
};

inline constexpr uint64_t kSourceRows = 1024;

// A class of the model's target and the share of rows that it shall have.
using ClassShare = std::optional<std::pair<std::string, double>>;

struct SourcePlan {
  std::string distribution_model;  // a .pkl or a .json; "": the portfolio
  bool fallback =
      false;  // a named model that is absent (not one that cannot be read): the portfolio, with a warning
  std::string scenario = "calm";   // of the portfolio, or a .toml file (scenario.h) for any source
  std::string book = "separable";  // of the portfolio (portfolio/simulate.h)
  bool with_truth = false;         // its column true_pd as well
  ClassShare share = {};           // of a model with a target
  // conditions (row_filter.h) that every row meets; one on the target chooses the classes
  std::vector<std::string> where = {};
};

// What the settings say of a day's rows and of a first model's: DISTRIBUTION_MODEL, BOOK, SOURCE_FALLBACK
// (which is not for training: training.cc).
SourcePlan day_source(const Settings& settings);

// kNotFound for a named model that is absent, without `fallback` or with a share; kBadInput when a file
// cannot be read, or a scenario file asks for what this source has not; kUsage for a scenario that is unknown
// or not this source's, an unknown book, the truth where nobody knows it (of another source or book, of rows
// that a scenario file changes), a share without a target, shares and conditions that contradict each other
// or cannot be met.
Result<Source> open_source(const SourcePlan& plan);

// As the CSV file that SDV's user writes, piece by piece.
Status write_rows_csv(const Source& source, Days date, uint64_t rows, uint64_t seed, const ByteSink& sink,
                      const RowProgress& progress = {});

// The header, and the lines of rows first .. first + rows - 1: what write_rows_csv's bytes are made of.
// `pieces` is told the number of the first row of each piece of lines before the sink gets it; pieces are cut
// at the multiples of kSourceRows.
std::string csv_header(const Source& source);
Status write_csv_lines(const Source& source, Days date, uint64_t first, uint64_t rows, uint64_t seed,
                       const ByteSink& sink, const RowProgress& pieces, const RowProgress& progress = {});

// As the dataset's typed tables: through CSV text, since that is how every other row is read.
Status read_typed_rows(const Source& source, const table::DatasetSpec& spec, Days date, uint64_t rows,
                       uint64_t seed, const TableSink& sink, const RowProgress& progress = {});

}  // namespace maeil::loop
