#include "loop/labels/label_status.h"

#include <fmt/format.h>

#include "loop/labels/matured.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/raw_data.h"
#include "store/field_rules.h"

namespace maeil::loop {

using store::Document;

Result<Document> label_status(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                              Days date, Days today) {
  MAEIL_ASSIGN(const Document raw, raw_document(store, date));
  if (raw.contains("pruned")) {
    return not_found(
        fmt::format("the rows of {} are past their retention (RETENTION_DAYS_RAW)", format_date(date)));
  }
  MAEIL_ASSIGN(const LabelHistory history, history_of(store, settings, spec, date, raw));
  const auto counts = history.count(kAlways);
  Document out = {{"logical_date", format_date(date)},
                  {"rows", counts.rows},
                  {"set_aside", counts.set_aside},
                  {"labelled", counts.labelled},
                  {"due", nullptr},
                  {"overdue", false},
                  {"imports", Document::array()},
                  {"matured", Document::array()}};
  if (spec.delay_days) {
    const Days due = date + std::chrono::days(*spec.delay_days);
    out["due"] = format_date(due);
    out["overdue"] = 2 * counts.labelled < counts.rows && today > due;
  }
  MAEIL_ASSIGN(const auto imports, imports_of(store, spec, date));
  for (const auto& import : imports) {
    for (const auto& day : import.value("days", Document::array())) {
      if (day.value("logical_date", "") != format_date(date)) continue;
      out["imports"].push_back({{"import_id", import.at("_id")},
                                {"timestamp", import.value("timestamp", Document())},
                                {"filename", import.value("filename", Document())},
                                {"observed_from", import.at("observed_from")},
                                {"observed_to", import.at("observed_to")},
                                {"added", day.value("added", uint64_t{0})},
                                {"changed", day.value("changed", uint64_t{0})}});
    }
  }
  store::FindOptions judged;
  judged.filter = {{"dataset_name", kMatured}, {"logical_date", format_date(date)}};
  judged.sort = {{"timestamp", 1}};
  MAEIL_ASSIGN(const auto documents, store.find("performance_metrics", judged));
  for (const auto& document : documents) {
    MAEIL_TRY(
        store::check_fields("performance_metrics", document,
                            {{"model_version", store::FieldKind::kText},
                             {"metrics", store::FieldKind::kObject, store::FieldRule::Missing::kRefused}}));
    out["matured"].push_back(document);
  }
  return out;
}

}  // namespace maeil::loop
