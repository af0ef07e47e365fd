// A day's rows out of a team's own file or database: `maeil run --in F`, or DAY_DATA with {date} in it.
#pragma once

#include <optional>
#include <string>

#include "loop/day.h"
#include "loop/raw_lines.h"

namespace maeil::loop {

// The file that the date's rows are taken from: what the run was given, else DAY_DATA, every {date} of it
// replaced by YYYY-MM-DD, which may have wildcards (arriving_file.h); "": the rows are drawn.
std::string day_file(const Day& day, Days date);

// Every {date} of a path replaced by YYYY-MM-DD.
std::string with_date(std::string path, Days date);

// The date of a run that is given a file: `asked`, else what the rows say (the only value of the dataset's
// time column), else what the name says (one date, 2026-11-28 or 20261128). Reads the file; a query
// (query_rows.h) only where no date is asked for. kUsage when two of these disagree, or none says anything;
// kBadInput as read_csv, and when the rows are of several days.
Result<Days> choose_date(const Settings& settings, const std::string& path, const table::DatasetSpec& spec,
                         const std::optional<Days>& asked);

// The rows of the file, or of the files that are its parts (files_of): plain CSV as it came, every other as
// plain CSV (row_file.h), through files at `scratch` that nobody else sees. kUsage: its rows or its name are
// of another date; kNotFound: there is no such file; kUnavailable: it was written to meanwhile; kBadInput: it
// cannot be read as rows, has none, or they are of several days. Whether they are rows of the dataset is
// validate_data's to say.
Result<RawLines> file_lines(const std::string& pattern, const table::DatasetSpec& spec, Days date,
                            const std::string& scratch);

// The same of a query: what it gives for the date. Errors of take_query beside those.
Result<RawLines> query_lines(const Settings& settings, const std::string& name,
                             const table::DatasetSpec& spec, Days date, const std::string& scratch);

}  // namespace maeil::loop
