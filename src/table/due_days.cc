#include "table/due_days.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/calendar.h"
#include "table/due_days_keys.h"
#include "table/toml_keys.h"

namespace maeil::table {
namespace {

constexpr std::array<const char*, 7> kNames = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};

unsigned weekday_of(Days date) { return std::chrono::weekday{date}.c_encoding(); }

// From Sunday; a day's name, or the first three letters of it, in any case.
std::optional<size_t> weekday_from(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  for (size_t day = 0; day < kNames.size(); ++day) {
    std::string name = kNames[day];
    name[0] += 32;
    if (text == name || text == name.substr(0, 3)) return day;
  }
  return std::nullopt;
}

std::optional<Days> date_from(const toml::node& node) {
  if (const auto date = node.value_exact<toml::date>()) return day_of(date->year, date->month, date->day);
  const auto text = node.value_exact<std::string>();
  const auto date = text ? parse_date(*text) : Result<Days>(tl::unexpected(Error{}));
  return date ? std::optional(*date) : std::nullopt;
}

}  // namespace

bool DueDays::on(Days date) const {
  return weekdays[weekday_of(date)] && !std::ranges::binary_search(holidays, date);
}

std::string weekday_name(Days date) { return kNames[weekday_of(date)]; }

Result<DueDays> parse_due_days(const toml::table& document, const std::string& file) {
  DueDays out;
  const toml::node* node = document.get("calendar");
  if (!node) return out;
  if (!node->is_table()) {
    return bad_input(
        fmt::format("{}:{}: calendar must be a [calendar] table", file, node->source().begin.line));
  }
  const toml::table& table = *node->as_table();
  Keys keys(table, "[calendar]", file);
  keys.know("weekdays"), keys.know("holidays");
  MAEIL_TRY(keys.finish());
  const auto refuse = [&](const toml::node& at, const std::string& what) {
    return bad_input(fmt::format("{}:{}: {}", file, at.source().begin.line, what));
  };
  if (const toml::node* days = table.get("weekdays")) {
    constexpr auto kWanted =
        "weekdays of [calendar] must be a list of the days on which a file is due: \"mon\", \"tue\" ...";
    const auto* list = days->as_array();
    if (!list || list->empty()) return refuse(*days, kWanted);
    out.weekdays.fill(false);
    for (const auto& item : *list) {
      const auto day = weekday_from(item.value_exact<std::string>().value_or(""));
      if (!day) return refuse(item, kWanted);
      out.weekdays[*day] = true;
    }
  }
  if (const toml::node* days = table.get("holidays")) {
    constexpr auto kWanted =
        "holidays of [calendar] must be a list of the dates on which no file is due: 2026-12-25 ...";
    const auto* list = days->as_array();
    if (!list) return refuse(*days, kWanted);
    for (const auto& item : *list) {
      const auto date = date_from(item);
      if (!date) return refuse(item, kWanted);
      out.holidays.push_back(*date);
    }
    std::ranges::sort(out.holidays);
  }
  return out;
}

}  // namespace maeil::table
