// A pipeline of chunks: one thread after another takes the next rows, then turns them into columns by itself
// while the others do the same with theirs.
#include "table/chunk_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "base/threads.h"
#include "format/csv.h"
#include "table/dates.h"
#include "table/field_values.h"
#include "table/target_value.h"

namespace maeil::table {

// NaN for a missing field, false for one that is no finite number.
bool parse_number(std::string_view field, bool thousands, double& value) {
  if (!field.empty()) {
    auto number = read_number(field);
    if (!number && thousands) number = read_grouped_number(field);
    if (number) {
      value = *number;
      return true;
    }
    if (!is_missing(field)) return false;
  }
  value = std::numeric_limits<double>::quiet_NaN();
  return true;
}

namespace {

bool is_target(const DatasetSpec& spec, const SpecColumn& column) {
  return !spec.target.empty() && column.name == spec.target;
}

Result<Layout> layout_of(const std::vector<std::string>& names, const std::string& file_name,
                         const DatasetSpec& spec, const ReadOptions& options, ReadReport& report) {
  Layout layout;
  layout.fields = names.size();
  for (const auto& name : names) {
    if (!spec.find(name)) report.ignored_columns.push_back(name);
  }
  for (const auto& column : spec.columns) {
    const auto found = std::find(names.begin(), names.end(), column.name);
    const bool may_lack = column.optional || (is_target(spec, column) && !options.target_required);
    if (found == names.end() && !may_lack) {
      return bad_input(fmt::format("{}: the header lacks the column '{}' of dataset {}", file_name,
                                   column.name, spec.name));
    }
    layout.field_of_column.push_back(found == names.end() ? -1 : static_cast<int>(found - names.begin()));
  }
  return layout;
}

// Why a text is no number of the column, as the end of a sentence.
std::string why_no_number(std::string_view text) {
  if (read_grouped_number(text))
    return "no number: if its commas separate thousands, the dataset spec says so with thousands = \",\"";
  if (has_decimal_comma(text))
    return "no number: if its decimals stand behind the comma, say decimal = \",\" in [read] of the dataset "
           "spec";
  return "no number";
}

std::string why_no_label(const DatasetSpec& spec, std::string_view text) {
  return fmt::format("column '{}': '{}' is neither '{}', which is positive, nor '{}'", spec.target,
                     format::clip_utf8(text, 40), spec.positive, spec.negative);
}

constexpr size_t kWordBytes = 24,
                 kMostWords = 100;  // for missing: of one, and different ones that are counted

// A value of the target, in its first row of a chunk; "": none.
struct OtherTarget {
  std::string text;
  size_t row = 0;
};

// A chunk on its way, and its memory, used again for the next.
struct Slot {
  size_t records = 0;
  uint64_t first_row = 0;            // of the file's records
  std::vector<std::string> wrong;    // why a record is quarantined; "" when it is not
  std::vector<RepeatedWord> words;   // that set a record aside
  std::vector<uint32_t> unlabelled;  // rows whose target is neither value, where they are to be kept
  std::vector<WrongColumn> wrong_columns;
  std::vector<uint32_t> set_aside;  // records that can be read
  std::vector<uint32_t> bad;
  std::vector<DatesRead> dates;
  // Where the spec does not name the negative value: the chunk's first other one, and another after it.
  OtherTarget other, third;
  CsvChunk chunk;
};

// The target's column, of texts, by its values: each different text is looked at once. Rows of neither value
// come to `bad`, or to `unlabelled`.
void convert_target(const DatasetSpec& spec, const ReadOptions& options, Slot& s, Column& column) {
  s.other = s.third = {};
  constexpr uint32_t kNotSeen = kMissing - 1;
  std::vector<uint32_t> code_of(column.dictionary.size(), kNotSeen);  // kMissing: neither value
  boost::unordered_flat_map<std::string, uint32_t> known;             // of the new dictionary
  std::vector<std::string> dictionary;
  const auto look = [&](const std::string& text, size_t row) -> uint32_t {
    std::string value = target_text(text, spec.target_forms);
    if (value != spec.positive && value != spec.negative && !options.any_target) {
      if (!spec.negative.empty()) return kMissing;
      if (s.other.text.empty()) s.other = {value, row};
      if (s.other.text != value && s.third.text.empty()) s.third = {value, row};
    }
    const auto [entry, fresh] = known.try_emplace(value, static_cast<uint32_t>(dictionary.size()));
    if (fresh) dictionary.push_back(std::move(value));
    return entry->second;
  };
  for (size_t i = 0; i < s.records; ++i) {
    uint32_t& code = column.codes[i];
    if (code == kMissing || !s.wrong[i].empty()) {
      code = kMissing;
      continue;
    }
    uint32_t& known_code = code_of[code];
    if (known_code == kNotSeen) known_code = look(column.dictionary[code], i);
    code = known_code;
    if (code == kMissing)
      (options.other_label_is_none ? s.unlabelled : s.bad).push_back(static_cast<uint32_t>(i));
  }
  column.dictionary = std::move(dictionary);
}

void convert_column(ChunkSource& source, size_t slot, const DatasetSpec& spec, size_t c, bool present,
                    const ReadOptions& options, Slot& s, Column& out) {
  const SpecColumn& column = spec.columns[c];
  const size_t n = s.records;
  const bool target = is_target(spec, column);
  const Wanted wanted{c, &column, column.missing_words || (column.type == SpecType::kDate && !target)};
  out.name = column.name;
  s.bad.clear();
  if (column.type == SpecType::kNumber) {
    out.type = ColumnType::kNumber;
    out.numbers.assign(n, std::numeric_limits<double>::quiet_NaN());
    if (present) source.read_numbers(slot, wanted, s.wrong, out.numbers, s.bad);
    return;
  }
  out.type = ColumnType::kText;
  out.codes.assign(n, kMissing);
  out.dictionary.clear();
  if (!present) return;
  source.read_texts(slot, wanted, s.wrong, out.codes, out.dictionary);
  if (target) convert_target(spec, options, s, out);
}

void keep_wrong_example(std::string value, WrongColumn& column) {
  auto& examples = column.examples;
  if (examples.size() < kWrongExamples && std::ranges::find(examples, value) == examples.end())
    examples.push_back(std::move(value));
}

WrongColumn& wrong_column(const std::string& name, std::vector<WrongColumn>& out) {
  const auto found = std::ranges::find(out, name, &WrongColumn::column);
  return found != out.end() ? *found : out.emplace_back(WrongColumn{name, 0, {}});
}

void note_wrong(const std::string& name, std::string value, std::vector<WrongColumn>& out) {
  WrongColumn& column = wrong_column(name, out);
  ++column.rows;
  keep_wrong_example(std::move(value), column);
}

// Rows in which a field is wrong are quarantined; the first such column names the reason. The target comes
// last: a row that is set aside has none.
void convert_records(ChunkSource& source, size_t slot, const DatasetSpec& spec, const Layout& layout,
                     const ReadOptions& options, Slot& s) {
  Table& table = s.chunk.table;
  table.rows = s.records;
  table.columns.resize(spec.columns.size());
  std::vector<std::pair<size_t, uint32_t>> wrong;
  s.unlabelled.clear();
  s.other = s.third = {};
  for (const bool target : {false, true}) {
    for (size_t c = 0; c < spec.columns.size(); ++c) {
      if (is_target(spec, spec.columns[c]) != target) continue;
      convert_column(source, slot, spec, c, layout.field_of_column[c] >= 0, options, s, table.columns[c]);
      for (const uint32_t row : s.bad) wrong.emplace_back(c, row);
    }
  }
  std::ranges::sort(wrong);
  s.words.clear();
  s.wrong_columns.clear();
  for (const auto& [c, row] : wrong) {
    if (!s.wrong[row].empty()) continue;
    const std::string field = source.field(slot, c, row);
    const bool target = is_target(spec, spec.columns[c]);
    if (!target && field.size() <= kWordBytes && field.find_first_of("0123456789") == std::string_view::npos)
      s.words.push_back({spec.columns[c].name, field, 1});
    note_wrong(spec.columns[c].name, format::clip_utf8(field, 40), s.wrong_columns);
    s.wrong[row] = target ? why_no_label(spec, field)
                          : fmt::format("column '{}': '{}' is {}", spec.columns[c].name,
                                        format::clip_utf8(field, 40), why_no_number(field));
  }
}

// What is said of the rows whose label is neither value. Not of those that are set aside for another reason.
void account_labels(ChunkSource& source, size_t slot, const DatasetSpec& spec, const Slot& s,
                    ReadReport& report) {
  if (s.unlabelled.empty()) return;
  const auto target = static_cast<size_t>(spec.find(spec.target) - spec.columns.data());
  for (const uint32_t row : s.unlabelled) {
    if (!s.wrong[row].empty() || ++report.other_labels > kMaxShownLabels) continue;
    report.other_label_examples.push_back(
        {source.line(slot, row), why_no_label(spec, source.field(slot, target, row))});
  }
}

// Rows to leave out that can be read: the reasons of those that cannot stay.
void leave_out(const ReadOptions& options, Slot& s) {
  s.set_aside.clear();
  if (!options.set_aside) return;
  const SetAside& out = *options.set_aside;
  const uint64_t first = options.first_row + s.first_row;
  auto at = std::lower_bound(out.rows.begin(), out.rows.end(), first);
  for (; at != out.rows.end() && *at - first < s.records; ++at) {
    const auto row = static_cast<uint32_t>(*at - first);
    if (!s.wrong[row].empty()) continue;
    s.wrong[row] = out.reasons[out.reason_of[static_cast<size_t>(at - out.rows.begin())]];
    s.set_aside.push_back(row);
  }
}

// Drops the dictionary's entries that no row has any more: a value that only quarantined rows had is not in
// the data.
void compact_dictionary(Column& column) {
  std::vector<uint32_t> place(column.dictionary.size(), kMissing);
  std::vector<std::string> used;
  for (uint32_t& code : column.codes) {
    if (code == kMissing) continue;
    if (place[code] == kMissing) {
      place[code] = static_cast<uint32_t>(used.size());
      used.push_back(std::move(column.dictionary[code]));
    }
    code = place[code];
  }
  column.dictionary = std::move(used);
}

void keep_rows(Table& chunk, const std::vector<uint32_t>& kept) {
  if (kept.size() == chunk.rows) return;
  for (auto& column : chunk.columns) {
    if (column.type == ColumnType::kText) {
      for (size_t i = 0; i < kept.size(); ++i) column.codes[i] = column.codes[kept[i]];
      column.codes.resize(kept.size());
      compact_dictionary(column);
    } else {
      for (size_t i = 0; i < kept.size(); ++i) column.numbers[i] = column.numbers[kept[i]];
      column.numbers.resize(kept.size());
    }
  }
  chunk.rows = kept.size();
}

// How the chunk's dates read, by date column; `kept`: the records that its rows are.
std::vector<DatesRead> read_dates(ChunkSource& source, size_t slot, const DatasetSpec& spec,
                                  const Layout& layout, const Slot& s, const std::vector<uint32_t>& kept) {
  std::vector<DatesRead> out;
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    if (spec.columns[c].type != SpecType::kDate || layout.field_of_column[c] < 0) continue;
    const Column& column = s.chunk.table.columns[c];
    DatesRead& dates = out.emplace_back(DatesRead{.column = column.name});
    std::vector<uint8_t> bad(column.dictionary.size());
    for (size_t k = 0; k < bad.size(); ++k) {
      bad[k] = !read_date(column.dictionary[k], spec.columns[c].format);
      dates.any_read |= !bad[k];
    }
    if (std::find(bad.begin(), bad.end(), 1) == bad.end()) continue;
    for (size_t row = 0; row < column.codes.size(); ++row) {
      if (column.codes[row] == kMissing || !bad[column.codes[row]] || dates.unreadable++ > 0) continue;
      const std::string& text = column.dictionary[column.codes[row]];
      dates.line = source.line(slot, kept[row]);
      dates.why =
          fmt::format("'{}'{}", format::clip_utf8(text, 40), why_no_date(text, spec.columns[c].format));
    }
  }
  return out;
}

}  // namespace

Result<ReadReport> read_chunks(ChunkSource& source, const std::string& file_name, const DatasetSpec& spec,
                               const ReadOptions& options, size_t slot_count,
                               const std::function<Status(size_t, CsvChunk&)>& work,
                               const std::function<Status(size_t)>& finish) {
  ReadReport report;
  MAEIL_ASSIGN(const Layout layout, layout_of(source.names(), file_name, spec, options, report));
  std::vector<Slot> slots(slot_count);
  uint64_t rows = 0;
  std::map<std::pair<std::string, std::string>, uint64_t> words;
  source.begin(layout, slot_count);
  const auto next = [&](size_t slot) -> Result<bool> {
    Slot& s = slots[slot];
    MAEIL_ASSIGN(s.records, source.take(slot));
    s.first_row = rows;
    rows += s.records;
    return s.records > 0;
  };
  const auto convert = [&](size_t slot) -> Status {
    Slot& s = slots[slot];
    s.wrong.assign(s.records, "");
    MAEIL_TRY(source.split(slot, s.wrong));
    convert_records(source, slot, spec, layout, options, s);
    leave_out(options, s);
    std::vector<uint32_t> kept;
    s.chunk.row_index.clear();
    for (size_t i = 0; i < s.records; ++i) {
      if (!s.wrong[i].empty()) continue;
      kept.push_back(static_cast<uint32_t>(i));
      s.chunk.row_index.push_back(s.first_row + i);
    }
    keep_rows(s.chunk.table, kept);
    s.dates = read_dates(source, slot, spec, layout, s, kept);
    return kept.empty() ? Status{} : work(slot, s.chunk);
  };
  const auto account = [&](size_t slot) -> Status {
    Slot& s = slots[slot];
    for (const auto* other : {&s.other, &s.third}) {
      MAEIL_TRY(add_negative(report, spec, other->text,
                             fmt::format("{}:{}", file_name, source.line(slot, other->row))));
    }
    for (size_t i = 0, out = 0; i < s.records; ++i) {
      if (s.wrong[i].empty()) continue;
      const bool readable = out < s.set_aside.size() && s.set_aside[out] == i;
      out += readable;
      if (!readable && report.first_unreadable.line == 0)
        report.first_unreadable = {source.line(slot, i), s.wrong[i]};
      if (++report.quarantined <= kMaxExamples) report.examples.push_back({source.line(slot, i), s.wrong[i]});
    }
    report.set_aside += s.set_aside.size();
    for (auto& wrong : s.wrong_columns) {
      WrongColumn& column = wrong_column(wrong.column, report.wrong_columns);
      column.rows += wrong.rows;
      for (auto& example : wrong.examples) keep_wrong_example(std::move(example), column);
    }
    account_labels(source, slot, spec, s, report);
    for (auto& word : s.words) {
      std::pair key{std::move(word.column), std::move(word.word)};
      if (words.size() < kMostWords || words.contains(key)) ++words[std::move(key)];
    }
    report.rows += s.records;
    add_dates(report.dates, std::move(s.dates));
    if (s.chunk.table.rows > 0) MAEIL_TRY(finish(slot));
    source.finished(slot);
    return {};
  };
  MAEIL_TRY(run_pipeline(slots.size(), next, convert, account));
  report.remarks = source.remarks();
  for (const auto& [word, count] : words) {
    if (count > report.repeated.rows) report.repeated = {word.first, word.second, count};
  }
  return report;
}

}  // namespace maeil::table
