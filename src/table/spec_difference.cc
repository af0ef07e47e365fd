#include "table/spec_difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace maeil::table {
namespace {

const char* type_words(SpecType type) {
  return type == SpecType::kText ? "a text" : type == SpecType::kNumber ? "a number" : "a date";
}

std::string format_text(const SpecColumn& column) { return column.format ? column.format->text() : ""; }

std::vector<std::string> column_differences(const SpecColumn& before, const SpecColumn& now) {
  std::vector<std::string> out;
  const auto say = [&](const std::string& what) {
    out.push_back(fmt::format("column '{}' {}", now.name, what));
  };
  if (before.type != now.type)
    say(fmt::format("is {}, was {}", type_words(now.type), type_words(before.type)));
  if (before.drop != now.drop) say(now.drop ? "is dropped" : "is no longer dropped");
  if (before.role != now.role) say(now.role ? "has a role" : "has no role any more");
  if (before.nullable != now.nullable) say(now.nullable ? "has a null flag" : "has no null flag any more");
  if (format_text(before) != format_text(now)) say("is read by another date format");
  if (before.monotone != now.monotone) say("is monotone in another way");
  if (before.thousands != now.thousands || before.first_characters != now.first_characters ||
      before.lower_case != now.lower_case || before.missing_date != now.missing_date)
    say("is read in another way");
  return out;
}

bool same_counts(const std::vector<DayCount>& a, const std::vector<DayCount>& b) {
  return std::ranges::equal(a, b, [](const DayCount& x, const DayCount& y) {
    return x.name == y.name && x.from == y.from && x.to == y.to;
  });
}

}  // namespace

std::vector<std::string> spec_differences(const DatasetSpec& before, const DatasetSpec& now) {
  std::vector<std::string> out;
  for (const auto& column : now.columns) {
    const SpecColumn* old = before.find(column.name);
    if (!old) {
      out.push_back(fmt::format("column '{}' is new", column.name));
      continue;
    }
    for (auto& difference : column_differences(*old, column)) out.push_back(std::move(difference));
  }
  for (const auto& column : before.columns) {
    if (!now.find(column.name)) out.push_back(fmt::format("column '{}' is gone", column.name));
  }
  if (!same_counts(before.day_counts, now.day_counts)) out.emplace_back("the day counts are others");
  if (before.target != now.target) {
    out.push_back(fmt::format("the target is '{}', was '{}'", now.target, before.target));
  } else if (before.positive != now.positive ||
             (!before.negative.empty() && before.negative != now.negative)) {
    out.push_back(fmt::format("the target's positive value is '{}' (negative '{}'), was '{}' ('{}')",
                              now.positive, now.negative, before.positive, before.negative));
  }
  return out;
}

DatasetSpec spec_to_prepare_by(const DatasetSpec& trained, const DatasetSpec& now) {
  DatasetSpec out = trained;
  out.file = now.file;
  out.read = now.read;
  out.due = now.due;
  if (trained.target == now.target && trained.positive == now.positive && trained.negative.empty()) {
    out.negative = now.negative;  // that the other value has a name by now changes no label
    out.target_forms = now.target_forms;
  }
  std::vector<std::string> wanted = now.roles.id;
  for (const auto& name : {now.roles.group, now.roles.time}) {
    if (!name.empty()) wanted.push_back(name);
  }
  for (const auto& name : wanted) {
    const SpecColumn* then = trained.find(name);
    const SpecColumn* column = now.find(name);
    if (then && (then->type != column->type || name == trained.target)) return out;
  }
  out.roles = now.roles;
  for (const auto& name : wanted) {
    if (trained.find(name)) continue;
    out.columns.push_back(*now.find(name));
    out.columns.back().drop = true;
  }
  return out;
}

}  // namespace maeil::table
