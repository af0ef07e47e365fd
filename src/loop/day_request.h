// What a date was asked to be: how many rows, which scenario, and what people wanted done again.
//
// day_requests  one document per request, the highest `number` of a date counts: logical_date, number, rows,
//               scenario, file (where its rows are a file's), deploy_older, from ("dag.task" of a redo, null
//               of a first run), run_id, timestamp. Added, never changed: a run that was killed goes on with
//               what was asked, and a second run with other options is refused instead of ignoring them.
#pragma once

#include <optional>
#include <string>

#include "loop/day.h"
#include "loop/source.h"

namespace maeil::loop {

struct DayRequest {
  int number = 0;
  int64_t rows = 0;
  std::string scenario = "calm";
  bool deploy_older = false;
  std::string file = {};  // that the rows are taken from (--in); "": DAY_DATA, else they are drawn
};

// What people said this time; what they left out is as it was, or the default.
struct AskedDay {
  std::optional<int64_t> rows;
  std::optional<std::string> scenario;
  std::optional<std::string> file;
};

// The request that counts for the date; of a date without one (that Airflow began), what generate_data
// recorded. nullopt when the date was never begun. kBadInput: the request's document is damaged.
Result<std::optional<DayRequest>> begun_as(store::Store& store, Days date);

// What the day's rows cannot be (a portfolio's scenario where DISTRIBUTION_MODEL is set, the portfolio's rows
// for another dataset, a file and drawn rows at once) is kUsage, before anything is done, a first model's
// training included. What is wrong with a file is the task's to find and to record.
Status check_request(const Settings& settings, const table::DatasetSpec& spec, const DayRequest& request);

// kUsage: a dataset that has columns which the source's rows lack, where that is the built-in portfolio.
Status check_drawn(const Source& source, const table::DatasetSpec& spec);

// The request to go on with: the recorded one, else a new one, which is recorded. kUsage when `asked` is
// something else than what was recorded, or cannot be had; but another file of a date that is `finished`,
// whose rows came out of one, is not refused: nothing is done, and what differs is said (run_day).
// REQUIRES: the caller holds the runner's lock.
Result<DayRequest> request_day(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                               Days date, const AskedDay& asked, const std::string& run_id, bool finished);

// The document of a request.
store::Batch::Put request_document(const store::Store& store, Days date, const DayRequest& request,
                                   const store::Document& from, const std::string& run_id);

}  // namespace maeil::loop
