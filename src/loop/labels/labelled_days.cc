#include "loop/labels/labelled_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "dag/task_record.h"
#include "loop/labels/stored_labels.h"
#include "loop/pipelines.h"
#include "loop/prepared/raw_data.h"
#include "loop/validate_data.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

// A date that the store has.
Result<Days> date_of(const std::string& text, std::string_view field) {
  auto date = parse_date(text);
  if (!date) return bad_input(fmt::format("{} is damaged: '{}' is no date", field, text.substr(0, 40)));
  return *date;
}

struct DayLabels {
  bool labelled = false;
  bool own = true;  // by what came with the rows alone
};

// The labels of the rows of `of` that were known on `date`.
Result<DayLabels> labels_of(store::Store& store, const Day& day, Days of, Days date) {
  DayLabels out;
  LabelHistory::Counts counts;
  // Rows that broke their contract, or were never held against it, are nobody's measure.
  MAEIL_ASSIGN(const Document raw, raw_document(store, of));
  if (const auto said = validated(store, of, day.spec, raw); !said) {
    if (said.error().code != ErrorCode::kBadInput && said.error().code != ErrorCode::kNotFound)
      return tl::make_unexpected(said.error());
    return out;
  }
  MAEIL_ASSIGN(const auto imports, imports_of(store, day.spec, of));
  out.own = std::ranges::none_of(imports, [&](const Document& import) {
    return import.value("observed_from", "") <= format_date(date);  // ISO dates compare as text
  });
  MAEIL_ASSIGN(const auto own, counted_labels(store, of));
  if (out.own && own) {
    counts = *own;
  } else {
    MAEIL_ASSIGN(const LabelHistory history, history_of(store, day.settings, day.spec, of, raw));
    counts = history.count(date);
  }
  out.labelled = counts.labelled > 0 && 2 * counts.labelled >= counts.rows;
  return out;
}

// Whether labels may come after their rows. Else a day without labels has lost them, and no older day's stand
// in for them.
Result<bool> labels_come_late(store::Store& store, const Day& day) {
  if (day.spec.delay_days || is_set(day.settings, "JUDGE_DAYS")) return true;
  MAEIL_ASSIGN(const Document any, store.find_one(kLabels, {}));
  return !any.is_null();
}

// The newest `wanted` labelled days up to `date`; no earlier one where the date alone is enough.
Result<LabelledDays> newest_labelled(store::Store& store, const Day& day, Days date, int64_t wanted,
                                     bool alone_is_enough) {
  LabelledDays out;
  MAEIL_ASSIGN(const DayLabels today, labels_of(store, day, date, date));
  out.any = today.labelled;
  if (today.labelled && (alone_is_enough || wanted == 1)) {
    if (!today.own) out.dates = {date};
    return out;
  }
  if (!today.labelled) {
    MAEIL_ASSIGN(const bool late, labels_come_late(store, day));
    if (!late) return out;
  }
  MAEIL_ASSIGN(const auto stored, stored_days(store, date));
  for (const Days of : stored) {
    if (std::ssize(out.dates) == wanted) break;
    if (of == date) {
      if (today.labelled) out.dates.push_back(of);
      continue;
    }
    MAEIL_ASSIGN(const DayLabels labels, labels_of(store, day, of, date));
    if (labels.labelled) out.dates.push_back(of);
  }
  out.any = !out.dates.empty();
  std::ranges::reverse(out.dates);
  if (out.dates == std::vector{date} && today.own) out.dates.clear();
  return out;
}

}  // namespace

Result<std::optional<LabelHistory::Counts>> counted_labels(store::Store& store, Days date) {
  MAEIL_ASSIGN(const auto record,
               dag::read_record(store, {date, store.name_here(kDataDag), "preprocess_data"}));
  if (!record || !record->result.is_object()) return std::optional<LabelHistory::Counts>();
  const auto count = [&](const char* name) -> std::optional<uint64_t> {
    const auto found = record->result.find(name);
    if (found == record->result.end() || !found->is_number_integer() || found->get<int64_t>() < 0)
      return std::nullopt;
    return found->get<uint64_t>();
  };
  const auto rows = count("rows");
  if (!rows || record->state != dag::TaskState::kSuccess) return std::optional<LabelHistory::Counts>();
  return std::optional(LabelHistory::Counts{*rows, *rows - std::min(*rows, count("unlabelled").value_or(0))});
}

Result<std::vector<Days>> stored_days(store::Store& store, Days date) {
  store::FindOptions present;
  present.filter = {{"logical_date", {{"$lte", format_date(date)}}},
                    {"superseded_by", {{"$exists", false}}},
                    {"pruned", {{"$exists", false}}}};
  present.projection = {"logical_date"};
  MAEIL_ASSIGN(const auto found, store.find("raw_data", present));
  std::vector<Days> out;
  for (const auto& document : found) {
    MAEIL_ASSIGN(const Days of,
                 date_of(store::text_field(document, "logical_date"), "raw_data.logical_date"));
    out.push_back(of);
  }
  std::ranges::sort(out, std::greater());
  return out;
}

Result<LabelledDays> days_to_judge(store::Store& store, const Day& day, Days date) {
  return newest_labelled(store, day, date, day.settings.judge_days, true);
}

Result<LabelledDays> days_to_learn(store::Store& store, const Day& day, Days date) {
  return newest_labelled(store, day, date, day.settings.retrain_days, false);
}

Document date_texts(const std::vector<Days>& dates) {
  auto out = Document::array();
  for (const Days date : dates) out.push_back(format_date(date));
  return out;
}

Result<std::vector<Days>> dates_of(const Document& result, const char* field) {
  std::vector<Days> out;
  for (const auto& text : result.value(field, Document::array())) {
    MAEIL_ASSIGN(const Days date, date_of(text.is_string() ? text.get<std::string>() : "", field));
    out.push_back(date);
  }
  return out;
}

std::string describe_dates(const std::vector<Days>& dates) {
  if (dates.empty()) return "no day";
  if (dates.size() == 1) return format_date(dates.front());
  return fmt::format("{} days, {} to {}", dates.size(), format_date(dates.front()),
                     format_date(dates.back()));
}

Result<std::optional<LabelsDue>> labels_due(store::Store& store, const Day& day, Days date) {
  if (!day.spec.delay_days) return std::optional<LabelsDue>();
  MAEIL_ASSIGN(const auto stored, stored_days(store, date));
  LabelsDue out;
  out.of = stored.empty() ? date : stored.back();
  out.on = out.of + std::chrono::days(*day.spec.delay_days);
  out.overdue = date > out.on;
  return std::optional(out);
}

}  // namespace maeil::loop
