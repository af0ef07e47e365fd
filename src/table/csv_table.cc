// A chunk is read in two parallel passes: rows split their records into fields, then columns turn fields into codes
// or numbers. Each pass writes only what belongs to its piece, so the result does not depend on the threads.
#include "table/csv_table.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <limits>

#include "base/file.h"
#include "base/hash.h"
#include "base/threads.h"
#include "format/csv.h"

namespace maeil::table {
namespace {

using format::CsvReader;
using format::CsvRecord;

struct ViewHash {
  size_t operator()(std::string_view text) const { return hash64(text); }
};

// Which field of the file each column of the spec is; -1: absent.
struct Layout {
  std::vector<int> field_of_column;
  size_t fields = 0;
};

Result<Layout> read_header(CsvReader& reader, const std::string& file_name, const DatasetSpec& spec, const ReadOptions& options,
                           ReadReport& report) {
  CsvRecord record;
  MAEIL_ASSIGN(const bool any, reader.next(record));
  if (!any) return bad_input(fmt::format("{} is empty: a header line is expected", file_name));
  if (record.bytes.starts_with("\xff\xfe") || record.bytes.starts_with("\xfe\xff")) {
    return bad_input(fmt::format("{} is UTF-16; save it as UTF-8", file_name));
  }
  std::vector<std::string_view> names;
  std::deque<std::string> unescaped;
  const auto why = format::split_record(record.bytes, names, unescaped, kMaxCsvColumns + 1);
  if (names.size() > kMaxCsvColumns) {
    return bad_input(fmt::format("{}:{}: the header names more than {} columns", file_name, record.line, kMaxCsvColumns));
  }
  if (!why.empty()) return bad_input(fmt::format("{}:{}: the header has {}", file_name, record.line, why));
  Layout layout;
  layout.fields = names.size();
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(names.begin(), names.begin() + i, names[i]) != names.begin() + i) {
      return bad_input(fmt::format("{}:{}: the column '{}' is there twice", file_name, record.line,
                                   format::clip_utf8(names[i], 80)));
    }
    if (!spec.find(names[i])) report.ignored_columns.emplace_back(names[i]);
  }
  for (const auto& column : spec.columns) {
    const auto found = std::find(names.begin(), names.end(), column.name);
    const bool may_lack = column.optional || (column.name == spec.target && !options.target_required);
    if (found == names.end() && !may_lack) {
      return bad_input(fmt::format("{}:{}: the column '{}' of dataset {} is missing", file_name, record.line, column.name, spec.name));
    }
    layout.field_of_column.push_back(found == names.end() ? -1 : static_cast<int>(found - names.begin()));
  }
  return layout;
}

// NaN for a missing field, false for one that is no finite number.
bool parse_number(std::string_view field, double& value) {
  if (field.empty()) {
    value = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  const char* first = field.data();
  const char* last = first + field.size();
  if (*first == '+' && field.size() > 1 && field[1] != '-') ++first;
  const auto [end, error] = fast_float::from_chars(first, last, value);
  return error == std::errc() && end == last && std::isfinite(value);
}

// The memory of one chunk, used again for the next.
struct Scratch {
  std::vector<CsvRecord> records;
  std::vector<std::vector<std::string_view>> fields;
  std::vector<std::deque<std::string>> unescaped;
  std::vector<std::string> wrong;        // why a record is quarantined; "" when it is not
  std::vector<std::vector<uint32_t>> bad_rows;  // by column: rows whose field is wrong
};

void split_rows(const Layout& layout, Scratch& s) {
  const size_t n = s.records.size();
  s.fields.resize(n);
  s.unescaped.resize(n);
  s.wrong.assign(n, "");
  parallel_for(n, 256, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      s.unescaped[i].clear();
      const auto why = format::split_record(s.records[i].bytes, s.fields[i], s.unescaped[i], layout.fields);
      if (!why.empty()) s.wrong[i] = fmt::format("the row has {}", why);
      else if (s.fields[i].size() != layout.fields) s.wrong[i] = fmt::format("{} fields instead of {}", s.fields[i].size(), layout.fields);
    }
  });
}

void convert_column(const DatasetSpec& spec, size_t c, int field, const Scratch& s, Column& out, std::vector<uint32_t>& bad) {
  const SpecColumn& column = spec.columns[c];
  const size_t n = s.records.size();
  out.name = column.name;
  bad.clear();
  if (column.type == SpecType::kNumber) {
    out.type = ColumnType::kNumber;
    out.numbers.assign(n, std::numeric_limits<double>::quiet_NaN());
    for (size_t i = 0; i < n && field >= 0; ++i) {
      if (s.wrong[i].empty() && !parse_number(s.fields[i][field], out.numbers[i])) bad.push_back(i);
    }
    return;
  }
  out.type = ColumnType::kText;
  out.codes.assign(n, kMissing);
  const bool is_target = column.name == spec.target;
  boost::unordered_flat_map<std::string_view, uint32_t, ViewHash> dictionary;
  std::vector<std::string_view> values;
  for (size_t i = 0; i < n && field >= 0; ++i) {
    if (!s.wrong[i].empty() || s.fields[i][field].empty()) continue;
    const std::string_view text = s.fields[i][field];
    if (is_target && text != spec.negative && text != spec.positive) {
      bad.push_back(i);
      continue;
    }
    const auto [entry, fresh] = dictionary.emplace(text, static_cast<uint32_t>(values.size()));
    if (fresh) values.push_back(text);
    out.codes[i] = entry->second;
  }
  out.dictionary.assign(values.begin(), values.end());
}

// Rows in which a field is wrong are quarantined, then the chunk keeps only the sound ones.
void convert_chunk(const DatasetSpec& spec, const Layout& layout, Scratch& s, Table& chunk) {
  chunk.rows = s.records.size();
  chunk.columns.assign(spec.columns.size(), {});
  s.bad_rows.resize(spec.columns.size());
  parallel_for(spec.columns.size(), 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) convert_column(spec, c, layout.field_of_column[c], s, chunk.columns[c], s.bad_rows[c]);
  });
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    for (uint32_t row : s.bad_rows[c]) {
      if (!s.wrong[row].empty()) continue;
      const std::string field = format::clip_utf8(s.fields[row][layout.field_of_column[c]], 40);
      const bool is_target = spec.columns[c].name == spec.target;
      s.wrong[row] = fmt::format("column '{}': '{}' is {}", spec.columns[c].name, field,
                                 is_target ? fmt::format("neither '{}' nor '{}'", spec.negative, spec.positive) : "no number");
    }
  }
}

// Drops the dictionary's entries that no row has any more: a value that only quarantined rows had is not in the data.
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

}  // namespace

Result<ReadReport> read_csv(std::string_view bytes, const std::string& file_name, const DatasetSpec& spec, const ReadOptions& options,
                            const ChunkSink& sink) {
  ReadReport report;
  CsvReader reader(bytes, file_name);
  MAEIL_ASSIGN(const Layout layout, read_header(reader, file_name, spec, options, report));
  Scratch scratch;
  for (bool more = true; more;) {
    scratch.records.clear();
    CsvRecord record;
    for (size_t size = 0; scratch.records.size() < kChunkRows && size < kChunkBytes; size += record.bytes.size()) {
      MAEIL_ASSIGN(more, reader.next(record));
      if (!more) break;
      scratch.records.push_back(record);
    }
    if (scratch.records.empty()) break;
    split_rows(layout, scratch);
    Table chunk;
    convert_chunk(spec, layout, scratch, chunk);
    std::vector<uint32_t> kept;
    std::vector<uint64_t> row_index;
    for (size_t i = 0; i < scratch.records.size(); ++i) {
      if (scratch.wrong[i].empty()) {
        kept.push_back(static_cast<uint32_t>(i));
        row_index.push_back(report.rows + i);
      } else if (++report.quarantined <= 100) {
        report.examples.push_back({scratch.records[i].line, scratch.wrong[i]});
      }
    }
    report.rows += scratch.records.size();
    keep_rows(chunk, kept);
    if (chunk.rows > 0) MAEIL_TRY(sink(std::move(chunk), row_index));
  }
  return report;
}

Result<ReadReport> read_csv_file(const std::filesystem::path& path, const DatasetSpec& spec, const ReadOptions& options,
                                 const ChunkSink& sink) {
  MAEIL_ASSIGN(const MappedFile file, MappedFile::open(path));
  return read_csv(file.bytes(), path.string(), spec, options, sink);
}

Status check_quarantine(const ReadReport& report, const std::string& file_name, double share) {
  if (report.rows == 0) return bad_input(fmt::format("{} has a header and no rows", file_name));
  if (static_cast<double>(report.quarantined) <= share * static_cast<double>(report.rows)) return {};
  const auto& first = report.examples.front();
  return bad_input(fmt::format("{}: {} of {} rows ({:.1f} %) cannot be read, more than the {:.0f} % that may be set aside; the first is line {}: {}",
                               file_name, report.quarantined, report.rows, 100.0 * report.quarantined / report.rows, 100 * share,
                               first.line, first.reason));
}

CsvWriter::CsvWriter(std::vector<std::string> names, std::vector<NumberFormat> formats, Sink sink)
    : formats_(std::move(formats)), sink_(std::move(sink)), header_(format::kUtf8Bom) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) header_ += ',';
    format::append_csv_text(header_, names[i]);
  }
  header_ += '\n';
}

Status CsvWriter::write(const Table& chunk) {
  if (!header_.empty()) {
    MAEIL_TRY(sink_(header_));
    header_.clear();
  }
  // Dictionaries are quoted once, not once a row.
  std::vector<std::vector<std::string>> texts(chunk.columns.size());
  for (size_t c = 0; c < chunk.columns.size(); ++c) {
    for (const auto& value : chunk.columns[c].dictionary) format::append_csv_text(texts[c].emplace_back(), value);
  }
  constexpr size_t kRows = 1024;
  std::vector<std::string> pieces((chunk.rows + kRows - 1) / kRows);
  parallel_for(chunk.rows, kRows, [&](size_t first, size_t last) {
    std::string& out = pieces[first / kRows];
    out.reserve((last - first) * chunk.columns.size() * 6);
    char digits[24];
    for (size_t row = first; row < last; ++row) {
      for (size_t c = 0; c < chunk.columns.size(); ++c) {
        if (c > 0) out += ',';
        const Column& column = chunk.columns[c];
        if (column.is_missing(row)) continue;
        if (column.type == ColumnType::kText) {
          out += texts[c][column.codes[row]];
        } else if (formats_[c] == NumberFormat::kInteger) {
          out.append(digits, fmt::format_to(digits, "{}", static_cast<int64_t>(std::llround(column.numbers[row]))));
        } else {
          format::append_float(out, column.numbers[row]);
        }
      }
      out += '\n';
    }
  });
  for (const auto& piece : pieces) MAEIL_TRY(sink_(piece));
  return {};
}

}  // namespace maeil::table
