#include "table/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>

#include "base/file.h"
#include "format/csv.h"
#include "table/csv_table.h"
#include "table/field_values.h"

namespace maeil::table {
namespace {

// What all texts seen so far could be.
struct Kind {
  DistinctSample values;
  bool any = false, number = true, integer = true, date = true;
  std::string loses_digits;  // the first number whose text says more than its value

  void see(std::string_view text, uint64_t rows) {
    if (is_missing(text)) return;  // of a column of texts it is one of them
    any = true;
    values.add(text, rows);
    if (number) {
      number = read_number(text).has_value();
      integer = integer && number && text.find_first_of(".eE") == std::string_view::npos;
      if (number && loses_digits.empty() && table::loses_digits(text)) loses_digits = text;
    }
    if (date) date = read_date(text).has_value();
  }
  void merge(const Kind& other) {
    values.merge(other.values);
    any |= other.any;
    number &= other.number;
    integer &= other.integer;
    date &= other.date;
    if (loses_digits.empty()) loses_digits = other.loses_digits;
  }
};

Result<std::vector<std::string>> read_names(const std::filesystem::path& path) {
  MAEIL_ASSIGN(const auto file, MappedFile::open(path));
  format::CsvReader reader(file.bytes(), path.string());
  format::CsvRecord record;
  MAEIL_ASSIGN(const bool any, reader.next(record));
  if (!any) return bad_input(fmt::format("{} is empty: a header line is expected", path.string()));
  std::vector<std::string_view> names;
  std::deque<std::string> unescaped;
  static_cast<void>(format::split_record(record.bytes, names, unescaped, kMaxCsvColumns));  // read_csv says what is wrong with it
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace

Result<bool> has_columns_of(const std::filesystem::path& path, const DatasetSpec& spec) {
  MAEIL_ASSIGN(const auto names, read_names(path));
  return std::all_of(spec.columns.begin(), spec.columns.end(), [&](const SpecColumn& column) {
    return column.optional || std::find(names.begin(), names.end(), column.name) != names.end();
  });
}

Result<InferredColumns> infer_columns(const std::filesystem::path& path, const DatasetSpec* known, const std::string& text_column) {
  MAEIL_ASSIGN(const auto names, read_names(path));
  InferredColumns out;
  out.spec.name = path.filename().string();
  for (const auto& name : names) {
    if (known && !known->find(name)) continue;
    SpecColumn column;
    column.name = name;
    out.spec.columns.push_back(std::move(column));
  }
  if (!text_column.empty() && !out.spec.find(text_column)) return not_found(fmt::format("{} has no column '{}'", path.string(), text_column));
  if (known) {
    for (const auto& column : known->columns) {
      if (!column.optional && !out.spec.find(column.name)) {
        return bad_input(fmt::format("{}: the column '{}' of dataset {} is missing", path.string(), column.name, known->name));
      }
    }
  }
  const size_t C = out.spec.columns.size();
  std::vector<Kind> kinds(C);
  std::vector<std::atomic<uint64_t>> largest(C);  // hashes beyond it are known not to be sampled
  for (auto& hash : largest) hash = UINT64_MAX;
  using Kinds = std::vector<Kind>;
  MAEIL_ASSIGN(MappedFile file, MappedFile::open(path));
  MAEIL_ASSIGN(const auto report, read_csv_file_as<Kinds>(
                                      std::move(file), path.string(), out.spec, {.target_required = false},
                                      [&](const CsvChunk& chunk, Kinds& some) -> Status {
                                        some.assign(C, Kind());
                                        std::vector<uint64_t> rows;
                                        for (size_t c = 0; c < C; ++c) {
                                          const Column& column = chunk.table.columns[c];
                                          rows.assign(column.dictionary.size(), 0);
                                          for (const uint32_t code : column.codes) {
                                            if (code != kMissing) ++rows[code];
                                          }
                                          some[c].values = DistinctSample(largest[c].load(std::memory_order_relaxed));
                                          for (size_t k = 0; k < rows.size(); ++k) some[c].see(column.dictionary[k], rows[k]);
                                        }
                                        return {};
                                      },
                                      [&](Kinds& some) -> Status {
                                        for (size_t c = 0; c < C; ++c) {
                                          kinds[c].merge(some[c]);
                                          largest[c].store(kinds[c].values.largest_hash(), std::memory_order_relaxed);
                                        }
                                        return {};
                                      }));
  out.rows = report.rows - report.quarantined;
  for (size_t c = 0; c < C; ++c) {
    SpecColumn& column = out.spec.columns[c];
    const Kind& kind = kinds[c];
    if (known) column = *known->find(column.name);
    else if (column.name == text_column || !kind.any) column.type = SpecType::kText;
    else column.type = kind.number && kind.loses_digits.empty() ? SpecType::kNumber : kind.date ? SpecType::kDate : SpecType::kText;
    if (column.name == text_column) column.type = SpecType::kText;
    if (column.type == SpecType::kText && !known && kind.any && kind.number && !kind.loses_digits.empty()) {
      out.notes.push_back(fmt::format("column '{}' is text: '{}' would lose digits as a number", column.name, format::clip_utf8(kind.loses_digits, 40)));
    }
    if (!known) column.nullable = true;
    out.values.push_back(std::move(kinds[c].values));
    out.formats.push_back(kind.any && kind.number && kind.integer ? NumberFormat::kInteger : NumberFormat::kFloat);
  }
  return out;
}

}  // namespace maeil::table
