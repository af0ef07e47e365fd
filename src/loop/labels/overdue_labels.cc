#include "loop/labels/overdue_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "loop/labels/labelled_days.h"
#include "loop/labels/stored_labels.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr const char* kOverdue = "LABELS_OVERDUE";

struct ScoredDay {
  Days date;
  uint64_t rows = 0;
};

// Up to `last`, those whose scores retention has left.
Result<std::vector<ScoredDay>> scored_days(store::Store& store, Days last) {
  store::FindOptions present;
  present.filter = {{"logical_date", {{"$lte", format_date(last)}}},
                    {"superseded_by", {{"$exists", false}}},
                    {"pruned", {{"$exists", false}}}};
  present.sort = {{"logical_date", 1}};
  present.projection = {"logical_date", "rows"};
  MAEIL_ASSIGN(const auto found, store.find("predictions", present));
  std::vector<ScoredDay> out;
  for (const auto& document : found) {
    MAEIL_TRY(store::check_fields("predictions", document, {{"rows", store::FieldKind::kCount}}));
    const auto date = parse_date(store::text_field(document, "logical_date"));
    if (date) out.push_back({*date, document.value("rows", uint64_t{0})});
  }
  return out;
}

// Rows of the day that have a label: those that came with them, and those that imports added which the date
// knew. An import that became known in part after the date counts whole.
Result<uint64_t> labelled_rows_of(store::Store& store, const Day& day, Days of, Days date) {
  MAEIL_ASSIGN(const auto own, counted_labels(store, of));
  uint64_t out = own ? own->labelled : 0;
  MAEIL_ASSIGN(const auto imports, imports_of(store, day.spec, of));
  for (const auto& import : imports) {
    if (store::text_field(import, "observed_from") > format_date(date))
      continue;  // ISO dates compare as text
    for (const auto& one : import.value("days", Document::array())) {
      if (store::text_field(one, "logical_date") == format_date(of)) out += one.value("added", uint64_t{0});
    }
  }
  return out;
}

}  // namespace

Result<std::vector<Days>> overdue_days(store::Store& store, const Day& day, Days date) {
  std::vector<Days> out;
  if (!day.spec.delay_days) return out;
  // On the day on which they are due they may still come.
  const Days last = date - std::chrono::days(*day.spec.delay_days) - std::chrono::days(1);
  MAEIL_ASSIGN(const auto scored, scored_days(store, last));
  for (const auto& one : scored) {
    MAEIL_ASSIGN(const uint64_t labelled, labelled_rows_of(store, day, one.date, date));
    if (2 * labelled < one.rows) out.push_back(one.date);
  }
  return out;
}

Status note_overdue(const Day& day, const dag::TaskContext& context, const std::vector<Days>& overdue,
                    dag::TaskOutcome& out) {
  if (overdue.empty()) return {};
  const std::string what = fmt::format("the labels of {} are overdue", describe_dates(overdue));
  out.message += "; " + what;
  store::FindOptions earlier;
  earlier.filter = {{"alert_type", kOverdue},
                    {"logical_date", {{"$lt", format_date(context.logical_date)}}},
                    {"superseded_by", {{"$exists", false}}}};
  earlier.projection = {"days"};
  MAEIL_ASSIGN(const auto alerts, context.store.find("alerts", earlier));
  std::set<Days> named;
  for (const auto& alert : alerts) {
    MAEIL_ASSIGN(const auto days, dates_of(alert, "days"));
    named.insert(days.begin(), days.end());
  }
  std::vector<Days> fresh = overdue;
  std::erase_if(fresh, [&](Days date) { return named.contains(date); });
  if (fresh.empty()) return {};
  context.log("warning: " + what);
  out.batch.puts.push_back(
      {"alerts",
       stamped(context, "alerts",
               {{"alert_type", kOverdue},
                {"severity", "WARNING"},
                {"days", date_texts(fresh)},
                {"overdue_days", overdue.size()},
                {"labels_of", format_date(fresh.front())},
                {"labels_due", format_date(fresh.front() + std::chrono::days(*day.spec.delay_days))},
                {"message", fmt::format("Version {} was judged on older labels: {}. Ask whoever sends them; "
                                        "docs/labels.md says what counts.",
                                        out.result.value("model_version", ""), what)}})});
  return {};
}

}  // namespace maeil::loop
