// One pass counts, row for row, what the values of each column could be (Kind); then each column is decided
// by its counts alone, so that the result does not depend on chunks or threads.
#include "table/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "format/csv.h"
#include "table/csv_table.h"
#include "table/field_values.h"

namespace maeil::table {
namespace {

// What the values of a column, row for row, could be. Words for missing (is_missing) are counted apart and
// are no values.
struct Kind {
  DistinctSample values;
  uint64_t rows = 0, words = 0;
  uint64_t numbers = 0;    // of read_number
  uint64_t grouped = 0;    // of read_grouped_number
  uint64_t commas = 0;     // of has_decimal_comma
  uint64_t looking = 0;    // of looks_like_number
  uint64_t dates = 0;      // of read_date
  uint64_t compact = 0;    // numbers that are days, 20240531
  uint64_t year_last = 0;  // of has_year_last, and no dates otherwise
  bool integers = true, grouped_surely = false, one_format = true, counts_rows = true;
  std::optional<double> first_count;       // of the first row, where it counts_rows: 0, or 1 as R counts
  std::optional<std::string> date_format;  // of the dates, as long as they have one_format
  // The first value of its sort; "" when there is none.
  std::string word, no_number, group, comma, loses_digits, no_date, no_day, last_year;

  void see(std::string_view text, uint64_t count) {
    if (is_missing(text)) {
      words += count;
      keep_first(word, text);
      return;
    }
    rows += count;
    values.add(text, count);
    if (read_number(text)) {
      numbers += count;
      integers = integers && text.find_first_of(".eE") == std::string_view::npos;
      if (table::loses_digits(text)) keep_first(loses_digits, text);
    } else {
      see_no_number(text, count);
    }
    if (read_date(text)) {
      dates += count;
      auto format = format_of_date(text);
      if (!format || (date_format && date_format != format))
        one_format = false;
      else
        date_format = std::move(format);
      if (is_compact_day(text))
        compact += count;
      else
        keep_first(no_day, text);
    } else {
      keep_first(no_date, text);
      keep_first(no_day, text);
      if (has_year_last(text)) {
        year_last += count;
        keep_first(last_year, text);
      }
    }
  }

  void merge(Kind&& other) {
    values.merge(other.values);
    for (const auto count : {&Kind::rows, &Kind::words, &Kind::numbers, &Kind::grouped, &Kind::commas,
                             &Kind::looking, &Kind::dates, &Kind::compact, &Kind::year_last}) {
      this->*count += other.*count;
    }
    integers &= other.integers;
    grouped_surely |= other.grouped_surely;
    one_format &=
        other.one_format && (!date_format || !other.date_format || date_format == other.date_format);
    if (!date_format) date_format = std::move(other.date_format);
    counts_rows &= other.counts_rows && (!first_count || first_count == other.first_count);
    if (!first_count) first_count = other.first_count;
    for (const auto text : {&Kind::word, &Kind::no_number, &Kind::group, &Kind::comma, &Kind::loses_digits,
                            &Kind::no_date, &Kind::no_day, &Kind::last_year}) {
      keep_first(this->*text, other.*text);
    }
  }

  bool is_number() const { return rows > 0 && numbers == rows; }
  bool is_grouped() const { return rows > 0 && grouped > 0 && numbers + grouped == rows; }
  bool is_comma() const { return rows > 0 && commas > 0 && numbers + commas == rows; }
  bool is_date() const { return rows > 0 && dates == rows; }

 private:
  static void keep_first(std::string& first, std::string_view text) {
    if (first.empty()) first = text;
  }

  void see_no_number(std::string_view text, uint64_t count) {
    keep_first(no_number, text);
    if (looks_like_number(text)) looking += count;
    if (read_grouped_number(text)) {
      grouped += count;
      integers = integers && text.find('.') == std::string_view::npos;
      grouped_surely |= is_surely_grouped(text);
      keep_first(group, text);
      if (table::loses_digits(text)) keep_first(loses_digits, text);
    }
    if (has_decimal_comma(text)) {
      commas += count;
      keep_first(comma, text);
    }
  }

  // A day of 1900 to 2100, or 99991231, with which banks write "no end".
  static bool is_compact_day(std::string_view text) {
    using namespace std::chrono_literals;
    const auto number = read_number(text);
    const auto day = number ? read_day(text) : std::nullopt;
    return day && ((*day >= Days{1900y / 1 / 1} && *day < Days{2101y / 1 / 1}) || *number == 99991231);
  }
};

// A chunk's values of a column, each distinct text looked at once.
void see_column(const CsvChunk& chunk, const Column& column, bool may_count_rows,
                std::vector<uint64_t>& counts, Kind& kind) {
  counts.assign(column.dictionary.size(), 0);
  for (const uint32_t code : column.codes) {
    if (code != kMissing) ++counts[code];
  }
  for (size_t k = 0; k < counts.size(); ++k) kind.see(column.dictionary[k], counts[k]);
  if (!may_count_rows) return;
  for (size_t row = 0; row < column.codes.size() && kind.counts_rows; ++row) {
    const auto number = column.is_missing(row) ? std::nullopt : read_number(column.text(row));
    const double start = number ? *number - static_cast<double>(chunk.row_index[row]) : -1;
    kind.counts_rows = (start == 0 || start == 1) && (!kind.first_count || kind.first_count == start);
    kind.first_count = start;
  }
}

Result<std::vector<std::string>> read_names(const RowFile& file) {
  MAEIL_ASSIGN(const RowReader reader, RowReader::begin(file));
  return reader.names();
}

// pandas and R write their index as a first column without a name, which pandas calls "Unnamed: 0" when it
// reads the file again.
bool may_be_index(std::string_view name) { return name.empty() || name.starts_with("Unnamed: "); }

std::string quoted(const std::string& text) { return fmt::format("'{}'", format::clip_utf8(text, 40)); }

// The first values that are none of what the others are, three at most: 'first', 'second', ...
std::string stray_words(const Kind& kind, const std::string& first, const auto& is_known, bool& one) {
  constexpr size_t kShown = 3;
  std::vector<std::string> words = {first};
  bool more = false;
  for (const auto text : kind.values.texts()) {
    if (text == first || is_known(text)) continue;
    more = words.size() == kShown;
    if (more) break;
    words.emplace_back(text);
  }
  one = words.size() == 1 && first.find_first_of("0123456789") == std::string::npos;
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + quoted(word);
  return out + (more ? ", ..." : "");
}

// Numbers or dates for the most part, which a few words make text: as labels they would be drawn again or
// pooled, and nothing of their size learned. Why they are refused; "" where they are not. Codes with leading
// zeros are text in any case.
std::string why_refused(const Kind& kind) {
  bool one_word = false;
  const auto refusal = [&](std::string_view what, uint64_t known, const std::string& words,
                           std::string_view type) {
    const std::string advice =
        one_word ? fmt::format(", or with missing = [\"{}\"] in its [read], if that means missing",
                               words.substr(1, words.size() - 2))
                 : "";
    return fmt::format(
        "{} of its {} values are no {} ({}): leave empty what is missing, or name the column in a dataset "
        "spec (--spec) with type = \"text\", or with type = \"{}\", where such values are {}{}",
        kind.rows - known, kind.rows, what, words, type,
        type == "date" ? "missing" : "set aside with their rows", advice);
  };
  const uint64_t numbers = kind.numbers + std::max(kind.grouped, kind.commas),
                 dates = kind.dates + kind.year_last;
  if (numbers > dates && numbers * 2 >= kind.rows && kind.loses_digits.empty()) {
    const auto is_number = [](std::string_view text) {
      return read_number(text) || read_grouped_number(text) || has_decimal_comma(text);
    };
    return refusal("numbers", numbers, stray_words(kind, kind.no_number, is_number, one_word), "number");
  }
  if (dates == 0 || dates * 2 < kind.rows) return "";
  if (kind.year_last > 0) return fmt::format("{}{}", quoted(kind.last_year), why_no_date(kind.last_year, {}));
  return refusal(
      "dates", dates,
      stray_words(
          kind, kind.no_date, [](std::string_view text) { return read_date(text).has_value(); }, one_word),
      "date");
}

// What a column of texts might have been meant to be, for people; "" when it is just texts.
std::string doubt_about_text(const Kind& kind) {
  if (kind.rows == 0) return "";
  if (!kind.loses_digits.empty() && (kind.numbers + kind.grouped) * 2 >= kind.rows)
    return fmt::format("is text: {} would lose digits as a number", quoted(kind.loses_digits));
  if (kind.looking + kind.numbers < kind.rows) return "";
  return fmt::format(
      "is text, whose values are learned as labels and not as numbers: numbers are digits with a decimal "
      "point, and {} "
      "has more",
      quoted(kind.no_number));
}

// Gives the column its type. kBadInput: numbers or dates that can be read in two ways, or that have words
// among them.
Status decide(const Kind& kind, SpecColumn& column, std::vector<std::string>& notes) {
  const auto say = [&](const std::string& what) {
    notes.push_back(fmt::format("column '{}' {}", column.name, what));
  };
  column.type = SpecType::kText;
  if (kind.is_number() && kind.loses_digits.empty()) {
    column.type = kind.compact == kind.rows ? SpecType::kDate : SpecType::kNumber;
    if (column.type == SpecType::kDate)
      say("holds days, written as 20240531");
    else if (kind.compact * 2 >= kind.rows) {
      say(
          fmt::format("is a number: most of its values are days, written as 20240531, but {} is none, so "
                      "that drawn values need not be days; leave empty what is no day",
                      quoted(kind.no_day)));
    }
  } else if (kind.is_grouped() && kind.grouped_surely && kind.loses_digits.empty()) {
    column.type = SpecType::kNumber;
    column.thousands = true;
    say(fmt::format("is a number: the commas in {} separate thousands", quoted(kind.group)));
  } else if (kind.is_grouped() && kind.loses_digits.empty()) {
    return bad_input(
        fmt::format("{} is a number with a comma between thousands or before decimals, and "
                    "no value tells which: write the numbers without the "
                    "comma, or say thousands = \",\" in a dataset spec (--spec)",
                    quoted(kind.group)));
  } else if (kind.is_comma() && kind.loses_digits.empty()) {
    return bad_input(
        fmt::format("{} has a comma for the decimal point (or points between thousands): say decimal = \",\" "
                    "in [read] of a dataset spec (--spec)",
                    quoted(kind.comma)));
  } else if (kind.is_date()) {
    column.type = SpecType::kDate;
  } else if (const std::string why = why_refused(kind); !why.empty()) {
    return bad_input(why);
  } else if (const std::string doubt = doubt_about_text(kind); !doubt.empty()) {
    say(doubt);
  }
  if (column.type == SpecType::kDate && kind.one_format && kind.date_format) {
    MAEIL_ASSIGN(column.format, DateFormat::parse(*kind.date_format));
  }
  return {};
}

}  // namespace

Result<bool> has_columns_of(const RowFile& file, const DatasetSpec& spec) {
  MAEIL_ASSIGN(const auto names, read_names(file));
  return std::all_of(spec.columns.begin(), spec.columns.end(), [&](const SpecColumn& column) {
    return column.optional || std::find(names.begin(), names.end(), column.name) != names.end();
  });
}

Result<InferredColumns> infer_columns(const std::filesystem::path& path, const DatasetSpec* known,
                                      const std::string& text_column, Unclear unclear) {
  MAEIL_ASSIGN(RowFile file, RowFile::open(path, known));
  return infer_columns(file, known, text_column, unclear);
}

Result<InferredColumns> infer_columns(RowFile& file, const DatasetSpec* known, const std::string& text_column,
                                      Unclear unclear) {
  MAEIL_ASSIGN(const auto names, read_names(file));
  InferredColumns out;
  out.spec.name = std::filesystem::path(file.name()).filename().string();
  out.spec.read = file.found();
  for (const auto& name : names) {
    if (known && !known->find(name)) continue;
    SpecColumn column;
    column.name = name;
    out.spec.columns.push_back(std::move(column));
  }
  if (!text_column.empty() && !out.spec.find(text_column))
    return not_found(fmt::format("{} has no column '{}'", file.name(), text_column));
  if (known) {
    for (const auto& column : known->columns) {
      if (!column.optional && !out.spec.find(column.name)) {
        return bad_input(fmt::format("{}: the column '{}' of dataset {} is missing", file.name(), column.name,
                                     known->name));
      }
    }
  }
  const size_t C = out.spec.columns.size();
  // Every column is read as texts here, whatever it will be.
  std::vector<Kind> kinds(C);
  std::vector<std::atomic<uint64_t>> largest(C);  // hashes beyond it are known not to be sampled
  for (auto& hash : largest) hash = UINT64_MAX;
  struct Kinds {
    std::vector<Kind> kinds;
    std::vector<uint64_t> counts;
  };
  MAEIL_ASSIGN(const auto report,
               read_csv_file_as<Kinds>(
                   file, out.spec, {.target_required = false},
                   [&](const CsvChunk& chunk, Kinds& some) -> Status {
                     some.kinds.assign(C, Kind());
                     for (size_t c = 0; c < C; ++c) {
                       some.kinds[c].values = DistinctSample(largest[c].load(std::memory_order_relaxed));
                       see_column(chunk, chunk.table.columns[c], !known && may_be_index(names[c]),
                                  some.counts, some.kinds[c]);
                     }
                     return {};
                   },
                   [&](Kinds& some) -> Status {
                     for (size_t c = 0; c < C; ++c) {
                       kinds[c].merge(std::move(some.kinds[c]));
                       largest[c].store(kinds[c].values.largest_hash(), std::memory_order_relaxed);
                     }
                     return {};
                   }));
  out.rows = report.rows - report.quarantined;
  std::vector<SpecColumn> columns;
  for (size_t c = 0; c < C; ++c) {
    SpecColumn& column = out.spec.columns[c];
    const Kind& kind = kinds[c];
    const bool named_text = !text_column.empty() && column.name == text_column;
    if (!known && may_be_index(column.name) && !named_text && kind.rows == out.rows && kind.counts_rows &&
        C > 1) {
      out.notes.push_back(
          fmt::format("column {} of the file, '{}', only counts the rows, as the index that pandas and R "
                      "write: it is left out",
                      c + 1, column.name));
      continue;
    }
    std::string doubt;
    if (known) {
      column = *known->find(column.name);
    } else if (!named_text) {
      const auto decided = decide(kind, column, out.notes);
      if (!decided && unclear == Unclear::kRefused)
        return with_context(fmt::format("{}: column '{}'", file.name(), column.name), decided.error());
      if (!decided) doubt = decided.error().message;
    }
    if (named_text) column.type = SpecType::kText;
    if (column.type == SpecType::kText && kind.words > 0) {
      out.notes.push_back(
          fmt::format("column '{}' is text, where only an empty field is missing: its {} ({} row{}) is a "
                      "value like others",
                      column.name, quoted(kind.word), kind.words, kind.words == 1 ? "" : "s"));
    }
    if (!known) column.nullable = true;
    const bool number = kind.is_number() || (column.thousands && kind.is_grouped());
    out.formats.push_back(number && kind.integers ? NumberFormat::kInteger : NumberFormat::kFloat);
    const bool words_are_values = column.type == SpecType::kText && !column.missing_words;
    out.missing.push_back(out.rows - kind.rows - (words_are_values ? kind.words : 0));
    out.unclear.push_back(std::move(doubt));
    out.values.push_back(std::move(kinds[c].values));
    columns.push_back(std::move(column));
  }
  out.spec.columns = std::move(columns);
  return out;
}

}  // namespace maeil::table
