#include "loop/day_request.h"

#include <fmt/format.h>

#include <limits>

#include "dag/journal.h"
#include "loop/pipelines.h"
#include "loop/source.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr const char* kRequests = "day_requests";

// A number or a text out of a document that people could have changed; nullopt when it is none.
std::optional<int64_t> count_in(const Document& document, const char* field) {
  const auto found = document.find(field);
  if (found == document.end() || !found->is_number_integer() || found->get<int64_t>() < 1) return std::nullopt;
  return found->get<int64_t>();
}
std::optional<std::string> text_in(const Document& document, const char* field) {
  const auto found = document.find(field);
  return found != document.end() && found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

}  // namespace

Result<std::optional<DayRequest>> find_request(store::Store& store, Days date) {
  store::FindOptions newest;
  newest.filter = {{"logical_date", format_date(date)}};
  newest.sort = {{"number", -1}};
  newest.limit = 1;
  MAEIL_ASSIGN(const Document found, store.find_one(kRequests, newest));
  if (found.is_null()) return std::optional<DayRequest>();
  const auto rows = count_in(found, "rows"), number = count_in(found, "number");
  const auto scenario = text_in(found, "scenario");
  if (!rows || !number || *number > std::numeric_limits<int>::max() || !scenario) {
    return bad_input(fmt::format("day_requests: the document {} of {} is damaged (rows, number, scenario)",
                                 store::id_text(found.value("_id", Document())), format_date(date)));
  }
  const bool deploy_older = found.value("deploy_older", Document(false)) == Document(true);
  return std::optional(DayRequest{static_cast<int>(*number), *rows, *scenario, deploy_older});
}

Result<std::optional<DayRequest>> begun_as(store::Store& store, Days date) {
  MAEIL_ASSIGN(auto asked, find_request(store, date));
  if (asked) return asked;
  MAEIL_ASSIGN(const auto generated, dag::read_record(store, {date, kDataDag, "generate_data"}));
  if (!generated) return std::optional<DayRequest>();
  const auto rows = count_in(generated->result, "rows");
  if (!rows) return std::optional<DayRequest>();
  DayRequest request;
  request.rows = *rows;
  request.scenario = text_in(generated->result, "scenario").value_or("calm");
  return std::optional(request);
}

store::Batch::Put request_document(Days date, const DayRequest& request, const Document& from, const std::string& run_id) {
  const std::string key = store::make_task_key(date, "day", "request");
  return {kRequests,
          {{"_id", store::id_value(store::task_object_id(key, kRequests, request.number))},
           {"logical_date", format_date(date)},
           {"number", request.number},
           {"rows", request.rows},
           {"scenario", request.scenario},
           {"deploy_older", request.deploy_older},
           {"from", from},
           {"run_id", run_id},
           {"timestamp", store::date_value(now())}}};
}

Status check_request(const Settings& settings, const DayRequest& request) {
  SourcePlan plan = day_source(settings);
  plan.scenario = request.scenario;
  const auto source = open_source(plan);
  return !source && source.error().code == ErrorCode::kUsage ? tl::make_unexpected(source.error()) : Status{};
}

Result<DayRequest> request_day(store::Store& store, const Settings& settings, Days date, const AskedDay& asked, const std::string& run_id) {
  MAEIL_ASSIGN(const auto recorded, begun_as(store, date));
  if (recorded) {
    if (asked.rows && *asked.rows != recorded->rows) {
      return usage_error(fmt::format("{} was begun with {} rows, not {}: `maeil redo {} --rows {}` does it again", format_date(date),
                                     recorded->rows, *asked.rows, format_date(date), *asked.rows));
    }
    if (asked.scenario && *asked.scenario != recorded->scenario) {
      return usage_error(fmt::format("{} was begun with --scenario {}, not {}: `maeil redo {} --scenario {}` does it again",
                                     format_date(date), recorded->scenario, *asked.scenario, format_date(date), *asked.scenario));
    }
    MAEIL_ASSIGN(const auto drawn, dag::task_state(store, date, kDataDag, "generate_data"));
    if (drawn != dag::TaskState::kSuccess) MAEIL_TRY(check_request(settings, *recorded));
    return *recorded;
  }
  const DayRequest request{1, asked.rows.value_or(settings.data_quantity), asked.scenario.value_or("calm"), false};
  MAEIL_TRY(check_request(settings, request));
  store::Batch batch;
  batch.puts.push_back(request_document(date, request, nullptr, run_id));
  MAEIL_TRY(store.commit(batch));
  return request;
}

}  // namespace maeil::loop
