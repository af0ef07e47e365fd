// Each DAG's newest run, and when one last ended with success.
#include <map>
#include <set>

#include "dag/dag_run.h"
#include "store/field_rules.h"
#include "telemetry/read_metrics.h"
#include "telemetry/reading.h"

namespace maeil::telemetry {
namespace {

using store::Document;
using store::text_field;

store::FindOptions newest_runs(Document filter, int64_t limit) {
  store::FindOptions find;
  find.filter = std::move(filter);
  find.sort = {{"start_date", -1}};
  find.limit = limit;
  find.projection = {"dag_id", "state", "start_date", "end_date", "duration", "logical_date"};
  return find;
}

void add_success(const Reading& reading, const std::string& dag, const Document& run) {
  auto& out = reading.out;
  out.add(Metric::kDagLastSuccess, {reading.dataset, dag}, seconds_at(out, dag::kDagRuns, run, "end_date"));
  out.add(Metric::kDagLastDate, {reading.dataset, dag}, date_at(out, dag::kDagRuns, run, "logical_date"));
}

}  // namespace

Status read_dag_runs(const Reading& reading) {
  auto& out = reading.out;
  std::map<std::string, std::string> without;  // success, so far: the DAG's plain name, its id
  std::set<std::string> seen, ended;
  MAEIL_ASSIGN(const auto runs, reading.view.find(dag::kDagRuns, newest_runs(Document::object(), kRuns)));
  for (const auto& run : runs) {
    const std::string id = text_field(run, "dag_id"), dag = plain_dag(reading, id);
    if (id.empty()) continue;
    const std::string state = text_field(run, "state");
    if (seen.insert(dag).second) {
      out.add(Metric::kDagRunState, {reading.dataset, dag, state}, 1);
      without[dag] = id;
    }
    if (state != "running" && ended.insert(dag).second)
      out.add(Metric::kDagRunDuration, {reading.dataset, dag},
              number_at(out, dag::kDagRuns, run, "duration"));
    if (state == "success" && without.erase(dag) > 0) add_success(reading, dag, run);
  }
  // One that has failed for so long: that it once succeeded is not forgotten, or nobody would be told.
  for (const auto& [dag, id] : without) {
    MAEIL_ASSIGN(const auto run, reading.view.find_one(
                                     dag::kDagRuns, newest_runs({{"state", "success"}, {"dag_id", id}}, 1)));
    if (!run.is_null()) add_success(reading, dag, run);
  }
  return {};
}

}  // namespace maeil::telemetry
