// The built-in corporate-loan book: a seeded simulator of the 99 columns that the Python project's
// synthesizer draws, whose default flag truly depends on the other columns. docs/portfolio.md tells the
// story; parameters.h holds its numbers.
//
// Rows are numbered from 0 without end and made in blocks of 1024, each from a Philox sequence keyed by
// (seed, stream kPortfolio, date and block). So a row is a pure function of (book, scenario, date, seed, row
// number), on any number of threads, in any range. The scenarios share all draws: row 17 of a recession is
// row 17 of the calm book in other weather. Two books: the separable one, which any model learns, and the
// realistic one, whose flag is drawn with a probability that can be shown beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
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

// "separable", "realistic"; anything else is a usage error that lists them.
Result<Book> parse_book(std::string_view text);
std::vector<std::string> book_names();

// Which rows: of which book, in which weather, and whether the column true_pd comes after the 99. REQUIRES of
// with_truth: the realistic book, since the other one has no probabilities.
struct RowsPlan {
  Scenario scenario = Scenario::kCalm;
  Book book = Book::kSeparable;
  bool with_truth = false;
};

// The 99 names in the file's order (and "true_pd"), and how each number column is written (text columns:
// kFloat, without meaning).
std::vector<std::string_view> column_names(bool with_truth = false);
std::vector<NumberFormat> number_formats(bool with_truth = false);

// Receives the rows in order, in tables of at most 1024; an error of the sink ends the simulation and is
// returned.
using Sink = std::function<Status(const Table& chunk)>;

// kUsage for rows from 2^42 on.
Status check_rows(uint64_t first_row, uint64_t rows);

inline constexpr uint64_t kBlockRows = 1024;
// The rows first_row .. first_row + rows - 1 of one block, on the calling thread. REQUIRES: check_rows; they
// lie in one block.
Table simulate_rows(const RowsPlan& plan, Days date, uint64_t first_row, uint64_t rows, uint64_t seed);

// Rows first_row .. first_row + rows - 1 of the book that `seed` and the logical date name. The date only
// chooses other borrowers; the year of observation is always 2024. Runs on the process's threads; holds a few
// blocks in memory. Errors: check_rows; the sink's.
Status simulate(const RowsPlan& plan, Days date, uint64_t first_row, uint64_t rows, uint64_t seed,
                const Sink& sink);

}  // namespace maeil::portfolio
