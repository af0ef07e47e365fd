#include "telemetry/read_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/dataset_name.h"
#include "base/version.h"
#include "dag/dag_run.h"
#include "store/dataset_store.h"
#include "store/field_rules.h"
#include "telemetry/reading.h"

namespace maeil::telemetry {
namespace {

using store::Document;

std::string place(std::string_view collection, const Document& document, std::string_view path) {
  return fmt::format("{}, document {}: {} is {}", collection,
                     document.contains("_id") ? store::id_text(document.at("_id")) : "?", path,
                     store::shown(field_at(document, path)));
}

std::optional<double> to_seconds(Instant instant) {
  return std::chrono::duration<double>(instant.time_since_epoch()).count();
}

// Those known, then those of the newest runs.
Result<std::vector<std::string>> datasets_to_read(store::Store& whole, const Scope& scope) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (check_dataset_name(name) && std::ranges::find(out, name) == out.end()) out.push_back(name);
  };
  for (const auto& name : scope.datasets) add(name);
  store::FindOptions newest;
  newest.sort = {{"start_date", -1}};
  newest.limit = kRuns;
  newest.projection = {"dataset"};
  MAEIL_TRY(whole.find_each(dag::kDagRuns, newest, [&](Document&& run) {
    const std::string name = store::text_field(run, "dataset");
    add(name.empty() ? std::string(kBuiltinDataset) : name);
    return true;
  }));
  if (out.size() > kDatasets) out.resize(kDatasets);
  return out;
}

void add_labels(const Reading& reading) {
  const auto& [scored, labelled] = reading.labels;
  if (!labelled) return;
  reading.out.add(Metric::kLabelsDate, {reading.dataset}, seconds_of(*labelled));
  if (scored)
    reading.out.add(Metric::kLabelsDelay, {reading.dataset},
                    std::max(0.0, seconds_of(*scored) - seconds_of(*labelled)));
}

}  // namespace

// The field as a number, by `convert`, which answers nullopt for what is none; nullopt: it is not there, or
// is not as maeil writes it, which is counted.
template <class Convert>
std::optional<double> value_at(Families& out, std::string_view collection, const Document& document,
                               std::string_view path, Convert convert) {
  const Document& value = field_at(document, path);
  if (value.is_null()) return std::nullopt;
  const std::optional<double> found = convert(value);
  if (!found) out.unreadable(place(collection, document, path));
  return found;
}

std::optional<double> number_at(Families& out, std::string_view collection, const Document& document,
                                std::string_view path) {
  return value_at(out, collection, document, path, [](const Document& value) {
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
  });
}

std::optional<double> seconds_at(Families& out, std::string_view collection, const Document& document,
                                 std::string_view path) {
  return value_at(out, collection, document, path, [](const Document& value) {
    const auto instant = store::instant_of(value);
    return instant ? std::optional<double>(to_seconds(*instant)) : std::nullopt;
  });
}

std::optional<double> date_at(Families& out, std::string_view collection, const Document& document,
                              std::string_view path) {
  return value_at(out, collection, document, path, [](const Document& value) {
    const auto date = parse_date(value.is_string() ? value.get<std::string>() : "");
    return date ? std::optional<double>(seconds_of(*date)) : std::nullopt;
  });
}

double seconds_of(Days date) {
  return std::chrono::duration<double>(std::chrono::sys_seconds(date).time_since_epoch()).count();
}

std::string plain_dag(const Reading& reading, std::string_view dag_id) {
  const std::string prefix = reading.view.name_here("");
  return std::string(dag_id.starts_with(prefix) ? dag_id.substr(prefix.size()) : dag_id);
}

Result<Families> read_metrics(store::Store& whole, const Scope& scope) {
  Families out;
  out.add(Metric::kBuild, {kVersion}, 1);
  if (scope.store_bytes) out.add(Metric::kStoreSize, {}, static_cast<double>(*scope.store_bytes));
  MAEIL_ASSIGN(const auto datasets, datasets_to_read(whole, scope));
  for (const auto& dataset : datasets) {
    const auto view = store::dataset_view(whole, dataset);
    LabelDates labels;
    const Reading reading{*view, dataset, out, labels};
    for (const auto& read :
         {read_dag_runs, read_dates, read_verdicts, read_alerts, read_deliveries, read_models})
      MAEIL_TRY(read(reading));
    add_labels(reading);
  }
  out.close(kMostSeries);
  return out;
}

}  // namespace maeil::telemetry
