#include "loop/target_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "format/csv.h"
#include "table/field_values.h"

namespace maeil::loop {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool sounds_positive(std::string_view value) {
  static constexpr std::string_view kWords[] = {"1", "true", "y", "yes", "t", "bad", "default", "positive"};
  return std::ranges::find(kWords, lower(value)) != std::end(kWords);
}

// Names under which people keep what they want to predict.
bool sounds_like_target(std::string_view name) {
  static constexpr std::string_view kParts[] = {
      "target", "label",   "default", "bad",   "churn", "fraud",   "delinq",  "overdue",  "outcome",
      "dlnq",   "arrears", "npl",     "event", "class", "respons", "convers", "write_off"};
  const std::string small = lower(name);
  return small == "y" ||
         std::ranges::any_of(kParts, [&](auto part) { return small.find(part) != std::string::npos; });
}

constexpr size_t kShown = 5;

std::string list_of(const std::vector<ValueRows>& values) {
  std::string out;
  for (size_t k = 0; k < std::min(values.size(), kShown); ++k) {
    out += fmt::format("{}'{}' ({} row{})", k > 0 ? ", " : "", format::clip_utf8(values[k].value, 40),
                       values[k].rows, values[k].rows == 1 ? "" : "s");
  }
  return out + (values.size() > kShown ? ", ..." : "");
}

// The two values of a target, the positive one first. REQUIRES: two.
void put_positive_first(std::vector<ValueRows>& values) {
  if (values[0].rows == values[1].rows && !sounds_positive(values[0].value) &&
      sounds_positive(values[1].value))
    std::swap(values[0], values[1]);
}

}  // namespace

std::vector<ValueRows> target_values(const table::DistinctSample& values, table::TargetForms& forms) {
  forms = {.numbers = true, .words = true};
  const auto counts = values.counts();
  for (const auto& [text, rows] : counts) {
    if (table::is_missing(text)) continue;
    const auto own = table::target_forms(text);
    forms.numbers &= own.numbers;
    forms.words &= own.words;
  }
  std::map<std::string, uint64_t> rows_of;
  for (const auto& [text, rows] : counts) {
    if (!table::is_missing(text)) rows_of[table::target_text(text, forms)] += rows;
  }
  std::vector<ValueRows> out;
  for (const auto& [value, rows] : rows_of) out.push_back({value, rows});
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.rows < b.rows; });
  return out;
}

Result<TargetChoice> choose_target(const std::string& column, const table::DistinctSample& values,
                                   const std::string& positive, const std::string& file) {
  table::TargetForms forms;
  auto found = target_values(values, forms);
  const auto refused = [&](const std::string& why) {
    return bad_input(fmt::format("{}: the target '{}' {}", file, column, why));
  };
  if (found.empty()) return refused("has no value in any row: there is nothing to learn");
  if (found.size() == 1)
    return refused(
        fmt::format("has one value in all rows, {}: there is nothing to tell apart", list_of(found)));
  if (found.size() > 2) {
    return refused(
        fmt::format("has {:.0f} values where two are needed, {}: name another column, or make one "
                    "with two values",
                    std::max(values.distinct(), static_cast<double>(found.size())), list_of(found)));
  }
  TargetChoice out{.column = column, .numbers = forms.numbers, .was_chosen = positive.empty()};
  put_positive_first(found);
  if (!positive.empty()) {
    const std::string wanted = table::target_text(positive, forms);
    const auto same = std::ranges::find(found, wanted, &ValueRows::value);
    if (same == found.end())
      return refused(fmt::format("is '{}' in no row: its values are {}", format::clip_utf8(positive, 40),
                                 list_of(found)));
    std::swap(*same, found[0]);
  }
  out.positive = found[0];
  out.negative = found[1];
  return out;
}

std::vector<TargetChoice> propose_targets(const table::InferredColumns& columns) {
  std::vector<TargetChoice> out;
  for (size_t c = 0; c < columns.spec.columns.size(); ++c) {
    if (auto choice = choose_target(columns.spec.columns[c].name, columns.values[c], "", ""))
      out.push_back(std::move(*choice));
  }
  const auto key = [](const TargetChoice& one) {
    return std::pair(
        !sounds_like_target(one.column),
        static_cast<double>(one.positive.rows) / static_cast<double>(one.positive.rows + one.negative.rows));
  };
  std::ranges::stable_sort(out, [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return out;
}

}  // namespace maeil::loop
