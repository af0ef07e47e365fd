// What an import of labels brought, as documents have it and as people are told.
#include <fmt/format.h>

#include "loop/labels/label_import.h"

namespace maeil::loop {

using store::Document;

Document import_facts(const LabelImport& import) {
  Document out = {{"rows", import.rows},
                  {"left_out", import.left_out},
                  {"matched", import.matched},
                  {"set_aside", import.set_aside},
                  {"unknown", import.unknown},
                  {"added", import.added},
                  {"changed", import.changed},
                  {"earlier", import.earlier},
                  {"quarantined", import.read.quarantined}};
  if (import.written == 0) return out;
  out["observed_from"] = format_date(import.observed_from);
  out["observed_to"] = format_date(import.observed_to);
  auto dates = Document::array(), days = Document::array();
  for (const auto& day : import.dates) {
    if (day.written == 0) continue;
    dates.push_back(format_date(day.date));
    days.push_back({{"logical_date", format_date(day.date)},
                    {"raw_data_id", day.raw_data_id},
                    {"matched", day.matched},
                    {"set_aside", day.set_aside},
                    {"added", day.added},
                    {"changed", day.changed},
                    {"earlier", day.earlier}});
  }
  out["logical_dates"] = std::move(dates);
  out["days"] = std::move(days);
  return out;
}

std::string describe(const LabelImport& import) {
  std::string out = fmt::format("{} labels: {} matched ({} new, {} changed", import.rows, import.matched,
                                import.added, import.changed);
  if (import.earlier > 0) out += fmt::format(", {} known earlier", import.earlier);
  out += ")";
  if (import.set_aside > 0) out += fmt::format(", {} of rows that the contract set aside", import.set_aside);
  out += fmt::format(", {} unknown", import.unknown);
  if (import.left_out > 0) out += fmt::format(", {} rows without an id or a label left out", import.left_out);
  return out;
}

}  // namespace maeil::loop
