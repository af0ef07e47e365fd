// The built-in corporate-loan book: a seeded simulator of the 99 columns that the Python project's
// synthesizer draws, whose default flag truly depends on the other columns. docs/portfolio.md tells the
// story; parameters.h holds its numbers.
//
// Rows are numbered from 0 without end and made in blocks of 1024, each from a Philox sequence keyed by
// (seed, stream kPortfolio, date and block). So a row is a pure function of (scenario, date, seed, row
// number), on any number of threads, in any range. The scenarios share all draws: row 17 of a recession is
// row 17 of the calm book in other weather.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "portfolio/parameters.h"
#include "table/number_format.h"
#include "table/table.h"

namespace maeil::portfolio {

// "calm", "recession", "sector_shock", "broken_feed"; anything else is a usage error that lists them.
Result<Scenario> parse_scenario(std::string_view text);
std::string_view to_string(Scenario scenario);

// The 99 names in the file's order, and how each number column is written (text columns: kFloat, without
// meaning).
std::vector<std::string_view> column_names();
std::vector<NumberFormat> number_formats();

// Receives the rows in order, in tables of at most 1024; an error of the sink ends the simulation and is
// returned.
using Sink = std::function<Status(const Table& chunk)>;

// kUsage for rows from 2^42 on.
Status check_rows(uint64_t first_row, uint64_t rows);

inline constexpr uint64_t kBlockRows = 1024;
// The rows first_row .. first_row + rows - 1 of one block, on the calling thread. REQUIRES: check_rows; they
// lie in one block.
Table simulate_rows(Scenario scenario, Days date, uint64_t first_row, uint64_t rows, uint64_t seed);

// Rows first_row .. first_row + rows - 1 of the book that `seed` and the logical date name. The date only
// chooses other borrowers; the year of observation is always 2024. Runs on the process's threads; holds a few
// blocks in memory. Errors: check_rows; the sink's.
Status simulate(Scenario scenario, Days date, uint64_t first_row, uint64_t rows, uint64_t seed,
                const Sink& sink);

}  // namespace maeil::portfolio
