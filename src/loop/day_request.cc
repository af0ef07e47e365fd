#include "loop/day_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "dag/task_record.h"
#include "loop/pipelines.h"
#include "loop/source.h"
#include "loop/wait_for_source.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr const char* kRequests = "day_requests";

// The request that counts for the date; nullopt when nobody asked for anything (a date that Airflow began).
Result<std::optional<DayRequest>> find_request(store::Store& store, Days date) {
  using Kind = store::FieldKind;
  constexpr auto kRefused = store::FieldRule::Missing::kRefused;
  store::FindOptions newest;
  newest.filter = {{"logical_date", format_date(date)}};
  newest.sort = {{"number", -1}};
  newest.limit = 1;
  MAEIL_ASSIGN(const Document found, store.find_one(kRequests, newest));
  if (found.is_null()) return std::optional<DayRequest>();
  MAEIL_TRY(store::check_fields(kRequests, found,
                                {{"rows", Kind::kCount, kRefused},
                                 {"number", Kind::kCount, kRefused},
                                 {"scenario", Kind::kText, kRefused},
                                 {"file", Kind::kText},
                                 {"deploy_older", Kind::kFlag}}));
  const auto rows = found.at("rows").get<int64_t>(), number = found.at("number").get<int64_t>();
  if (rows < 1) return store::wrong_field(kRequests, found, "rows", "is less than 1");
  if (number < 1 || number > std::numeric_limits<int>::max())
    return store::wrong_field(kRequests, found, "number", "is out of range");
  return std::optional(DayRequest{static_cast<int>(number), rows, found.at("scenario"),
                                  found.value("deploy_older", false), found.value("file", "")});
}

}  // namespace

Result<std::optional<DayRequest>> begun_as(store::Store& store, Days date) {
  MAEIL_ASSIGN(auto asked, find_request(store, date));
  if (asked) return asked;
  MAEIL_ASSIGN(const auto generated,
               dag::read_record(store, {date, store.name_here(kDataDag), "generate_data"}));
  if (!generated) return std::optional<DayRequest>();
  const Document rows =
      generated->result.is_object() ? generated->result.value("rows", Document()) : Document();
  if (!rows.is_number_integer() || rows.get<int64_t>() < 1) return std::optional<DayRequest>();
  DayRequest request;
  request.rows = rows.get<int64_t>();
  if (const auto scenario = store::text_field(generated->result, "scenario"); !scenario.empty())
    request.scenario = scenario;
  return std::optional(request);
}

store::Batch::Put request_document(const store::Store& store, Days date, const DayRequest& request,
                                   const Document& from, const std::string& run_id) {
  const std::string key = store::make_task_key(date, store.name_here("day"), "request");
  store::Batch::Put out = {kRequests,
                           {{"_id", store::id_value(store::task_object_id(key, kRequests, request.number))},
                            {"logical_date", format_date(date)},
                            {"number", request.number},
                            {"rows", request.rows},
                            {"scenario", request.scenario},
                            {"deploy_older", request.deploy_older},
                            {"from", from},
                            {"run_id", run_id},
                            {"timestamp", store::date_value(now())}}};
  if (!request.file.empty()) out.document["file"] = request.file;
  return out;
}

Status check_drawn(const Source& source, const table::DatasetSpec& spec) {
  if (!source.portfolio) return {};
  for (const auto& column : spec.columns) {
    if (column.optional || std::ranges::find(source.names, column.name) != source.names.end()) continue;
    return usage_error(fmt::format(
        "dataset {} ({}) has the column '{}', which the built-in portfolio's rows have not: `--in F.csv` or "
        "DAY_DATA takes in rows of your own, DISTRIBUTION_MODEL draws them from a fitted model",
        spec.name, spec.file, column.name));
  }
  return {};
}

Status check_request(const Settings& settings, const table::DatasetSpec& spec, const DayRequest& request) {
  if (!request.file.empty() || !settings.day_data.empty()) {
    if (request.scenario == "calm") return {};
    return usage_error(
        fmt::format("--scenario {}: the rows are taken from a file ({}), and scenarios shape drawn ones",
                    request.scenario, request.file.empty() ? "DAY_DATA" : request.file));
  }
  SourcePlan plan = day_source(settings);
  plan.scenario = request.scenario;
  const auto source = open_source(plan);
  if (source) return check_drawn(*source, spec);
  return source.error().code == ErrorCode::kUsage ? tl::make_unexpected(source.error()) : Status{};
}

namespace {

Result<DayRequest> record_request(store::Store& store, const Settings& settings,
                                  const table::DatasetSpec& spec, Days date, const DayRequest& request,
                                  const std::string& run_id) {
  MAEIL_TRY(check_request(settings, spec, request));
  store::Batch batch;
  batch.puts.push_back(request_document(store, date, request, nullptr, run_id));
  MAEIL_TRY(store.commit(batch));
  return request;
}

}  // namespace

Result<DayRequest> request_day(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                               Days date, const AskedDay& asked, const std::string& run_id, bool finished) {
  MAEIL_ASSIGN(const auto recorded, begun_as(store, date));
  if (recorded) {
    if (asked.rows && *asked.rows != recorded->rows) {
      return usage_error(
          fmt::format("{} was begun with {} rows, not {}: `maeil redo {} --rows {}` does it again",
                      format_date(date), recorded->rows, *asked.rows, format_date(date), *asked.rows));
    }
    if (asked.scenario && *asked.scenario != recorded->scenario) {
      return usage_error(fmt::format(
          "{} was begun with --scenario {}, not {}: `maeil redo {} --scenario {}` does it again",
          format_date(date), recorded->scenario, *asked.scenario, format_date(date), *asked.scenario));
    }
    MAEIL_ASSIGN(const auto made, dag::task_state(store, date, store.name_here(kDataDag), "generate_data"));
    const bool is_made = made == dag::TaskState::kSuccess;
    if (asked.file && *asked.file != recorded->file) {
      // Nothing was taken in yet, from a file that is wrong, say: then another may be.
      if (!is_made) {
        MAEIL_ASSIGN(const auto waited,
                     dag::task_state(store, date, store.name_here(kDataDag), kWaitForSource));
        if (waited == dag::TaskState::kSkipped) {
          return usage_error(fmt::format("{}: `maeil redo {} --in {}` takes the file in all the same",
                                         not_due_text(spec, date), format_date(date), *asked.file));
        }
        DayRequest other = *recorded;
        ++other.number;
        other.file = *asked.file;
        return record_request(store, settings, spec, date, other, run_id);
      }
      if (finished && (!recorded->file.empty() || !settings.day_data.empty())) return *recorded;
      const auto rows = recorded->file.empty() ? std::string("rows that were not given with --in")
                                               : "the rows of " + recorded->file;
      return usage_error(
          fmt::format("{} was begun with {}, not those of {}: `maeil redo {} --in {}` does it again",
                      format_date(date), rows, *asked.file, format_date(date), *asked.file));
    }
    if (!is_made) MAEIL_TRY(check_request(settings, spec, *recorded));
    return *recorded;
  }
  return record_request(store, settings, spec, date,
                        {1, asked.rows.value_or(settings.data_quantity), asked.scenario.value_or("calm"),
                         false, asked.file.value_or("")},
                        run_id);
}

}  // namespace maeil::loop
