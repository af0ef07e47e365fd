// The sentences about rows and dates that could not be read, and the limits beyond which a file is refused:
// 5 % of its rows, all dates of a column.
#include "table/read_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "format/csv.h"

namespace maeil::table {

Status check_quarantine(const ReadReport& report, const std::string& file_name, double share) {
  if (report.rows == 0) return bad_input(fmt::format("{} has a header and no rows", file_name));
  const uint64_t unreadable = report.quarantined - report.set_aside;
  if (static_cast<double>(unreadable) <= share * static_cast<double>(report.rows)) return {};
  const auto& first = report.first_unreadable.line > 0 ? report.first_unreadable : report.examples.front();
  const auto& word = report.repeated;
  const std::string advice =
      word.rows * 2 <= unreadable
          ? ""
          : fmt::format(
                "; {} of them have '{}' in column '{}': if it means missing, say missing = [\"{}\"] in "
                "[read] of the dataset spec",
                word.rows, word.word, word.column, word.word);
  return bad_input(
      fmt::format("{}: {} of {} rows ({:.1f} %) cannot be read, more than the {:.0f} % that may be set "
                  "aside; the first is {} {}: {}{}",
                  file_name, unreadable, report.rows,
                  100.0 * static_cast<double>(unreadable) / static_cast<double>(report.rows), 100 * share,
                  report.place(), first.line, first.reason, advice));
}

Status add_negative(ReadReport& report, const DatasetSpec& spec, const std::string& value,
                    const std::string& place) {
  if (value.empty() || value == report.negative) return {};
  if (report.negative.empty()) {
    report.negative = value;
    return {};
  }
  return bad_input(
      fmt::format("{}: column '{}': '{}' is a third value of the target, beside '{}', which is positive, and "
                  "'{}': name the "
                  "negative one in [target] of {}, and rows with other values count as rows without a label "
                  "(of a history: are set "
                  "aside)",
                  place, spec.target, format::clip_utf8(value, 40), spec.positive,
                  format::clip_utf8(report.negative, 40), spec.file));
}

void shift_lines(ReadReport& report, uint64_t lines) {
  for (auto* examples : {&report.examples, &report.other_label_examples}) {
    for (auto& row : *examples) row.line += lines;
  }
  for (auto& dates : report.dates) dates.line += lines;
  if (report.first_unreadable.line > 0) report.first_unreadable.line += lines;
}

void add_dates(std::vector<DatesRead>& total, std::vector<DatesRead>&& more) {
  if (total.empty()) {
    total = std::move(more);
    return;
  }
  for (size_t d = 0; d < std::min(total.size(), more.size()); ++d) {
    total[d].any_read |= more[d].any_read;
    if (total[d].unreadable == 0) total[d].line = more[d].line, total[d].why = std::move(more[d].why);
    total[d].unreadable += more[d].unreadable;
  }
}

Status check_read(const ReadReport& report, const std::string& file_name) {
  MAEIL_TRY(check_quarantine(report, file_name));
  for (const auto& dates : report.dates) {
    if (dates.any_read || dates.unreadable == 0) continue;
    return bad_input(fmt::format("{}: column '{}': none of its {} dates can be read; the first is {} {}: {}",
                                 file_name, dates.column, dates.unreadable, report.place(), dates.line,
                                 dates.why));
  }
  return {};
}

std::string describe_other_labels(const ReadReport& report, const std::string& file_name) {
  if (report.other_labels == 0) return "";
  std::string out = fmt::format("{}: {} row{} count as rows without a label", file_name, report.other_labels,
                                report.other_labels == 1 ? "" : "s");
  const char* before = ": ";
  for (const auto& row : report.other_label_examples) {
    out += fmt::format("{}{} {}, {}", before, report.place(), row.line, row.reason);
    before = "; ";
  }
  return out + (report.other_labels > report.other_label_examples.size() ? " ..." : "");
}

std::vector<std::string> describe_unreadable(const ReadReport& report, const std::string& file_name) {
  std::vector<std::string> out;
  for (const auto& dates : report.dates) {
    if (dates.unreadable == 0) continue;
    out.push_back(fmt::format("{}: column '{}': {} text{} cannot be read as a date; the first is {} {}: {}",
                              file_name, dates.column, dates.unreadable, dates.unreadable == 1 ? "" : "s",
                              report.place(), dates.line, dates.why));
  }
  return out;
}

}  // namespace maeil::table
