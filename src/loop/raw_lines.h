// The lines of a day's raw CSV before they are stored, wherever they come from: drawn from a source, or a
// team's own file (day_file.h). What generate_data stores, and how shards of it are cut, is the same for
// both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "loop/run_in_shards.h"
#include "loop/source.h"

namespace maeil::loop {

// Where in a run of CSV lines each raw_step-th row begins, and how long it is: so that a shard can read its
// own rows, about a thousand places at most.
struct LineOffsets {
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;
};

struct RawLines {
  std::string header;  // the bytes before the first line
  uint64_t rows = 0, columns = 0;
  std::string description;  // for people: "portfolio, calm", "loans_2026-11-28.csv"
  store::Document facts;    // fields of the document of raw_data
  store::Document result;   // of the task's result
  std::string warning;      // to be logged; "": none
  // the bytes of the file as it came, or of its parts one after another (`source_parts` of the facts), where
  // the lines are not its bytes: no plain CSV; else null
  std::function<Status(const std::function<Status(std::string_view)>& sink)> original;
  // The lines of a range, piece by piece.
  std::function<Result<LineOffsets>(RowRange rows, const std::function<Status(std::string_view)>& sink)>
      lines;
  // What the parts of shards must have been made from.
  std::function<Result<store::Document>()> inputs;
};

// Rows 0 .. rows - 1 of a source. What it is given must outlive it.
RawLines drawn_lines(const Source& source, Days date, uint64_t rows, int64_t seed,
                     const std::function<void(uint64_t done, uint64_t total)>& progress);

}  // namespace maeil::loop
