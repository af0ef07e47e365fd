#include "loop/prepared/part_report.h"

namespace maeil::loop {

store::Document other_labels_document(const table::ReadReport& report) {
  store::Document rows = store::Document::array();
  for (const auto& row : report.other_label_examples)
    rows.push_back({{"line", row.line}, {"reason", row.reason}});
  return {{"count", report.other_labels}, {"rows", std::move(rows)}};
}

store::Document report_facts(const table::ReadReport& report) {
  store::Document examples = store::Document::array();
  for (const auto& row : report.examples) examples.push_back({{"line", row.line}, {"reason", row.reason}});
  store::Document dates = store::Document::array();
  for (const auto& read : report.dates) {
    dates.push_back({{"column", read.column},
                     {"any_read", read.any_read},
                     {"unreadable", read.unreadable},
                     {"line", read.line},
                     {"why", read.why}});
  }
  store::Document facts = {{"rows", report.rows},
                           {"quarantined", report.quarantined},
                           {"examples", std::move(examples)},
                           {"dates", std::move(dates)}};
  if (report.set_aside > 0) facts["set_aside"] = report.set_aside;
  if (const auto& first = report.first_unreadable; first.line > 0)
    facts["first_unreadable"] = {{"line", first.line}, {"reason", first.reason}};
  if (!report.negative.empty()) facts["negative"] = report.negative;
  if (report.other_labels > 0) facts["other_labels"] = other_labels_document(report);
  return facts;
}

Status add_report(const store::Document& part, const table::DatasetSpec& spec, table::ReadReport& total) {
  total.rows += part.value("rows", uint64_t{0});
  total.quarantined += part.value("quarantined", uint64_t{0});
  total.set_aside += part.value("set_aside", uint64_t{0});
  if (const auto first = part.find("first_unreadable");
      first != part.end() && total.first_unreadable.line == 0)
    total.first_unreadable = {first->value("line", uint64_t{0}), first->value("reason", "")};
  for (const auto& row : part.value("examples", store::Document::array())) {
    if (total.examples.size() < table::kMaxExamples)
      total.examples.push_back({row.value("line", uint64_t{0}), row.value("reason", "")});
  }
  const auto labels = part.value("other_labels", store::Document::object());
  total.other_labels += labels.value("count", uint64_t{0});
  for (const auto& row : labels.value("rows", store::Document::array())) {
    if (total.other_label_examples.size() < table::kMaxShownLabels)
      total.other_label_examples.push_back({row.value("line", uint64_t{0}), row.value("reason", "")});
  }
  std::vector<table::DatesRead> dates;
  for (const auto& read : part.value("dates", store::Document::array())) {
    dates.push_back({read.value("column", ""), read.value("any_read", false),
                     read.value("unreadable", uint64_t{0}), read.value("line", uint64_t{0}),
                     read.value("why", "")});
  }
  table::add_dates(total.dates, std::move(dates));
  return table::add_negative(total, spec, part.value("negative", ""), "the raw data");
}

}  // namespace maeil::loop
