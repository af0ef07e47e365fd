// Reading is a pipeline of chunks: one thread after another finds the next records, then turns them into
// columns by itself while the others do the same with theirs. Fields are kept by column, so that each column
// is read in order.
#include "table/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "base/hash.h"
#include "base/threads.h"
#include "format/csv.h"
#include "format/csv_row.h"
#include "format/number_text.h"
#include "table/dates.h"
#include "table/field_values.h"

namespace maeil::table {
namespace {

using format::CsvRecord;

struct ViewHash {
  size_t operator()(std::string_view text) const { return hash64(text); }
};

// Which field of the file each column of the spec is; -1: absent.
struct Layout {
  std::vector<int> field_of_column;
  size_t fields = 0;
};

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

// Where a field lies: in the chunk's bytes, or in the text of unescaped fields.
struct Field {
  uint32_t begin = 0, size = 0;
};
constexpr uint32_t kUnescaped = uint32_t{1} << 31;                    // in `begin`
static_assert(kChunkBytes + 4 * format::kMaxCsvRecord < kUnescaped);  // written anew a record may double

// A value of the target, in its first row of a chunk; "": none.
struct OtherTarget {
  std::string text;
  size_t row = 0;
};

// A chunk on its way, and its memory, used again for the next.
struct Slot {
  std::vector<CsvRecord> records;
  std::string written;        // the records' bytes where they do not lie in the file
  uint64_t first_row = 0;     // of the file's records
  size_t bytes_end = 0;       // where in the file the chunk ends
  std::vector<Field> fields;  // (columns of the spec, rows)
  std::string unescaped;
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

  std::string_view text(Field field) const {
    if (field.begin & kUnescaped)
      return std::string_view(unescaped).substr(field.begin - kUnescaped, field.size);
    return {records.front().bytes.data() + field.begin, field.size};
  }
};

void split_records(const Layout& layout, const format::FieldRules* rules, Slot& s) {
  const size_t n = s.records.size();
  s.fields.assign(layout.field_of_column.size() * n, {});
  s.unescaped.clear();
  s.wrong.assign(n, "");
  const char* base = s.records.front().bytes.data();
  format::CsvRow fields(layout.fields, rules);
  for (size_t row = 0; row < n; ++row) {
    s.wrong[row] = fields.split(s.records[row].bytes);
    if (!s.wrong[row].empty()) continue;
    for (size_t c = 0; c < layout.field_of_column.size(); ++c) {
      if (layout.field_of_column[c] < 0) continue;
      const auto f = static_cast<size_t>(layout.field_of_column[c]);
      const std::string_view field = fields[f];
      const bool inside = fields.in_record(f);
      s.fields[c * n + row] = {inside ? static_cast<uint32_t>(field.data() - base)
                                      : static_cast<uint32_t>(s.unescaped.size()) | kUnescaped,
                               static_cast<uint32_t>(field.size())};
      if (!inside) s.unescaped += field;
    }
  }
}

// Codes of texts in order of first appearance. Texts of up to 16 bytes, nearly all, are first looked for in a
// small table that their bytes index directly.
class Encoder {
 public:
  explicit Encoder(std::vector<std::string>& dictionary) : dictionary_(dictionary), recent_(kRecent) {}

  uint32_t code(std::string_view text) {
    if (text.size() > 16) return find(text);
    uint64_t low = 0, high = 0;  // together with the size they tell the text
    if (text.size() >= 8) {
      std::memcpy(&low, text.data(), 8);
      std::memcpy(&high, text.data() + text.size() - 8, 8);
    } else if (text.size() >= 4) {
      uint32_t first, last;
      std::memcpy(&first, text.data(), 4);
      std::memcpy(&last, text.data() + text.size() - 4, 4);
      low = uint64_t{last} << 32 | first;
    } else {
      for (size_t i = 0; i < text.size(); ++i) low = low << 8 | static_cast<unsigned char>(text[i]);
    }
    Recent& entry = recent_[((low ^ high * 31) + text.size()) * 0x9E3779B97F4A7C15u >> 56];
    if (entry.low != low || entry.high != high || entry.size != text.size()) {
      entry = {low, high, static_cast<uint32_t>(text.size()), find(text)};
    }
    return entry.code;
  }

 private:
  static constexpr size_t kRecent = 256;
  struct Recent {
    uint64_t low = 0, high = 0;
    uint32_t size = UINT32_MAX, code = 0;
  };
  uint32_t find(std::string_view text) {
    const auto [entry, fresh] = codes_.emplace(text, static_cast<uint32_t>(dictionary_.size()));
    if (fresh) dictionary_.emplace_back(text);
    return entry->second;
  }
  std::vector<std::string>& dictionary_;
  std::vector<Recent> recent_;
  boost::unordered_flat_map<std::string_view, uint32_t, ViewHash> codes_;
};

// The target's column, each different text looked at once. Rows of neither value come to `bad`, or to
// `unlabelled`.
void convert_target(const DatasetSpec& spec, size_t c, const ReadOptions& options, Slot& s, Column& out) {
  const size_t n = s.records.size();
  const Field* fields = &s.fields[c * n];
  s.other = s.third = {};
  boost::unordered_flat_map<std::string_view, uint32_t, ViewHash> codes;  // kMissing: neither value
  boost::unordered_flat_map<std::string, uint32_t> known;                 // of the dictionary
  const auto code_of = [&](std::string_view text, size_t row) -> uint32_t {
    std::string value = target_text(text, spec.target_forms);
    if (value != spec.positive && value != spec.negative && !options.any_target) {
      if (!spec.negative.empty()) return kMissing;
      if (s.other.text.empty()) s.other = {value, row};
      if (s.other.text != value && s.third.text.empty()) s.third = {value, row};
    }
    const auto [entry, fresh] = known.try_emplace(value, static_cast<uint32_t>(out.dictionary.size()));
    if (fresh) out.dictionary.push_back(std::move(value));
    return entry->second;
  };
  for (size_t i = 0; i < n; ++i) {
    if (fields[i].size == 0 || !s.wrong[i].empty()) continue;
    const std::string_view text = s.text(fields[i]);
    if (spec.columns[c].missing_words && is_missing(text)) continue;
    const auto [entry, fresh] = codes.try_emplace(text, kMissing);
    if (fresh) entry->second = code_of(text, i);
    out.codes[i] = entry->second;
    if (entry->second != kMissing) continue;
    (options.other_label_is_none ? s.unlabelled : s.bad).push_back(static_cast<uint32_t>(i));
  }
}

void convert_column(const DatasetSpec& spec, size_t c, bool present, const ReadOptions& options, Slot& s,
                    Column& out) {
  const SpecColumn& column = spec.columns[c];
  const size_t n = s.records.size();
  const Field* fields = &s.fields[c * n];
  out.name = column.name;
  s.bad.clear();
  if (column.type == SpecType::kNumber) {
    out.type = ColumnType::kNumber;
    out.numbers.assign(n, std::numeric_limits<double>::quiet_NaN());
    for (size_t i = 0; i < n && present; ++i) {
      if (s.wrong[i].empty() && !parse_number(s.text(fields[i]), column.thousands, out.numbers[i]))
        s.bad.push_back(static_cast<uint32_t>(i));
    }
    return;
  }
  out.type = ColumnType::kText;
  out.codes.assign(n, kMissing);
  out.dictionary.clear();
  if (present && is_target(spec, column)) return convert_target(spec, c, options, s, out);
  const bool na_texts = column.type == SpecType::kDate || column.missing_words;
  Encoder encoder(out.dictionary);
  for (size_t i = 0; i < n && present; ++i) {
    if (fields[i].size == 0 || !s.wrong[i].empty()) continue;
    const std::string_view text = s.text(fields[i]);
    if (na_texts && is_missing(text)) continue;
    out.codes[i] = encoder.code(text);
  }
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

// Rows in which a field is wrong are quarantined; the first such column names the reason.
void convert_records(const DatasetSpec& spec, const Layout& layout, const ReadOptions& options, Slot& s) {
  Table& table = s.chunk.table;
  table.rows = s.records.size();
  table.columns.resize(spec.columns.size());
  std::vector<std::pair<uint32_t, size_t>> wrong;
  s.unlabelled.clear();
  for (size_t c = 0; c < spec.columns.size(); ++c) {
    convert_column(spec, c, layout.field_of_column[c] >= 0, options, s, table.columns[c]);
    for (const uint32_t row : s.bad) wrong.emplace_back(row, c);
  }
  s.words.clear();
  s.wrong_columns.clear();
  for (const auto& [row, c] : wrong) {
    if (!s.wrong[row].empty()) continue;
    const std::string_view field = s.text(s.fields[c * s.records.size() + row]);
    const bool target = is_target(spec, spec.columns[c]);
    if (!target && field.size() <= kWordBytes && field.find_first_of("0123456789") == std::string_view::npos)
      s.words.push_back({spec.columns[c].name, std::string(field), 1});
    note_wrong(spec.columns[c].name, format::clip_utf8(field, 40), s.wrong_columns);
    s.wrong[row] = target ? why_no_label(spec, field)
                          : fmt::format("column '{}': '{}' is {}", spec.columns[c].name,
                                        format::clip_utf8(field, 40), why_no_number(field));
  }
}

// What is said of the rows whose label is neither value. Not of those that are set aside for another reason.
void account_labels(const DatasetSpec& spec, const Slot& s, ReadReport& report) {
  if (s.unlabelled.empty()) return;
  const auto target = static_cast<size_t>(spec.find(spec.target) - spec.columns.data());
  for (const uint32_t row : s.unlabelled) {
    if (!s.wrong[row].empty() || ++report.other_labels > kMaxShownLabels) continue;
    const std::string_view field = s.text(s.fields[target * s.records.size() + row]);
    report.other_label_examples.push_back({s.records[row].line, why_no_label(spec, field)});
  }
}

// Rows to leave out that can be read: the reasons of those that cannot stay.
void leave_out(const ReadOptions& options, Slot& s) {
  s.set_aside.clear();
  if (!options.set_aside) return;
  const SetAside& out = *options.set_aside;
  const uint64_t first = options.first_row + s.first_row;
  auto at = std::lower_bound(out.rows.begin(), out.rows.end(), first);
  for (; at != out.rows.end() && *at - first < s.records.size(); ++at) {
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
std::vector<DatesRead> read_dates(const DatasetSpec& spec, const Layout& layout, const Slot& s,
                                  const std::vector<uint32_t>& kept) {
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
      dates.line = s.records[kept[row]].line;
      dates.why =
          fmt::format("'{}'{}", format::clip_utf8(text, 40), why_no_date(text, spec.columns[c].format));
    }
  }
  return out;
}

// Takes the next records into the slot, at most a chunk; `ahead` is one that was read before, if `more`. A
// record that lies too far off (empty lines) begins a chunk.
Result<bool> take_records(RowReader& reader, CsvRecord& ahead, bool& more, Slot& s) {
  s.records.clear();
  s.written.clear();
  const char* begin = ahead.bytes.data();
  std::vector<size_t> ends;
  while (more && s.records.size() < kChunkRows &&
         (reader.stays() ? static_cast<size_t>(ahead.bytes.data() - begin) : s.written.size()) <
             kChunkBytes) {
    s.records.push_back(ahead);
    if (!reader.stays()) {
      s.written += ahead.bytes;
      ends.push_back(s.written.size());
    }
    s.bytes_end = reader.position();
    MAEIL_ASSIGN(more, reader.next(ahead));
  }
  for (size_t i = 0, from = 0; i < ends.size(); from = ends[i++])
    s.records[i].bytes = std::string_view(s.written).substr(from, ends[i] - from);
  return !s.records.empty();
}

// The pipeline of the head comment. `done_with(n)`: the first n bytes are not needed any more.
Result<ReadReport> read_chunks(RowReader reader, const std::string& file_name,
                               const format::FieldRules* rules, const DatasetSpec& spec,
                               const ReadOptions& options, size_t slot_count,
                               const std::function<Status(size_t, CsvChunk&)>& work,
                               const std::function<Status(size_t)>& finish,
                               const std::function<void(size_t)>& done_with) {
  ReadReport report;
  MAEIL_ASSIGN(const Layout layout, layout_of(reader.names(), file_name, spec, options, report));
  std::vector<Slot> slots(slot_count);
  uint64_t rows = 0;
  std::map<std::pair<std::string, std::string>, uint64_t> words;
  CsvRecord ahead;
  MAEIL_ASSIGN(bool more, reader.next(ahead));
  const auto next = [&](size_t slot) -> Result<bool> {
    Slot& s = slots[slot];
    MAEIL_ASSIGN(const bool any, take_records(reader, ahead, more, s));
    s.first_row = rows;
    rows += s.records.size();
    return any;
  };
  const auto convert = [&](size_t slot) -> Status {
    Slot& s = slots[slot];
    split_records(layout, rules, s);
    convert_records(spec, layout, options, s);
    leave_out(options, s);
    std::vector<uint32_t> kept;
    s.chunk.row_index.clear();
    for (size_t i = 0; i < s.records.size(); ++i) {
      if (!s.wrong[i].empty()) continue;
      kept.push_back(static_cast<uint32_t>(i));
      s.chunk.row_index.push_back(s.first_row + i);
    }
    keep_rows(s.chunk.table, kept);
    s.dates = read_dates(spec, layout, s, kept);
    return kept.empty() ? Status{} : work(slot, s.chunk);
  };
  const auto account = [&](size_t slot) -> Status {
    Slot& s = slots[slot];
    for (const auto* other : {&s.other, &s.third}) {
      MAEIL_TRY(add_negative(report, spec, other->text,
                             fmt::format("{}:{}", file_name, s.records[other->row].line)));
    }
    for (size_t i = 0, out = 0; i < s.records.size(); ++i) {
      if (s.wrong[i].empty()) continue;
      const bool readable = out < s.set_aside.size() && s.set_aside[out] == i;
      out += readable;
      if (!readable && report.first_unreadable.line == 0)
        report.first_unreadable = {s.records[i].line, s.wrong[i]};
      if (++report.quarantined <= kMaxExamples) report.examples.push_back({s.records[i].line, s.wrong[i]});
    }
    report.set_aside += s.set_aside.size();
    for (auto& wrong : s.wrong_columns) {
      WrongColumn& column = wrong_column(wrong.column, report.wrong_columns);
      column.rows += wrong.rows;
      for (auto& example : wrong.examples) keep_wrong_example(std::move(example), column);
    }
    account_labels(spec, s, report);
    for (auto& word : s.words) {
      std::pair key{std::move(word.column), std::move(word.word)};
      if (words.size() < kMostWords || words.contains(key)) ++words[std::move(key)];
    }
    report.rows += s.records.size();
    add_dates(report.dates, std::move(s.dates));
    if (s.chunk.table.rows > 0) MAEIL_TRY(finish(slot));
    if (done_with) done_with(s.bytes_end);
    return {};
  };
  MAEIL_TRY(run_pipeline(slots.size(), next, convert, account));
  report.remarks = reader.remarks();
  for (const auto& [word, count] : words) {
    if (count > report.repeated.rows) report.repeated = {word.first, word.second, count};
  }
  return report;
}

// Chunks are moved out of the slots, for a sink that wants them to keep.
Result<ReadReport> read_for_sink(
    const ChunkSink& sink,
    const std::function<Result<ReadReport>(size_t slots, const std::function<Status(size_t, CsvChunk&)>&,
                                           const std::function<Status(size_t)>&)>& read) {
  std::vector<CsvChunk> chunks(pipeline_slots());
  return read(
      chunks.size(),
      [&](size_t slot, CsvChunk& chunk) -> Status {
        chunks[slot] = std::move(chunk);
        chunk = {};
        chunk.table.rows = chunks[slot].table.rows;
        return {};
      },
      [&](size_t slot) { return sink(std::move(chunks[slot].table), chunks[slot].row_index); });
}

Result<ReadReport> read_rows_of(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                size_t slots, const std::function<Status(size_t, CsvChunk&)>& work,
                                const std::function<Status(size_t)>& finish) {
  file.rewind();
  MAEIL_ASSIGN(RowReader reader, RowReader::begin(file));
  MAEIL_ASSIGN(ReadReport report,
               read_chunks(std::move(reader), file.name(), &file.rules(), spec, options, slots, work, finish,
                           [&](size_t bytes) { file.release(bytes); }));
  report.how = file.how();
  return report;
}

}  // namespace

Result<ReadReport> read_csv(std::string_view bytes, const std::string& file_name, const DatasetSpec& spec,
                            const ReadOptions& options, const ChunkSink& sink) {
  MAEIL_ASSIGN(RowReader reader, RowReader::plain(bytes, file_name));
  return read_for_sink(sink, [&](size_t slots, const auto& work, const auto& finish) {
    return read_chunks(std::move(reader), file_name, nullptr, spec, options, slots, work, finish, {});
  });
}

Result<ReadReport> read_csv_file(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                 const ChunkSink& sink) {
  return read_for_sink(sink, [&](size_t slots, const auto& work, const auto& finish) {
    return read_rows_of(file, spec, options, slots, work, finish);
  });
}

Result<ReadReport> read_csv_file(const std::filesystem::path& path, const DatasetSpec& spec,
                                 const ReadOptions& options, const ChunkSink& sink) {
  MAEIL_ASSIGN(RowFile file, RowFile::open(path, &spec));
  return read_csv_file(file, spec, options, sink);
}

Result<ReadReport> read_csv_file_in_slots(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                          size_t slots,
                                          const std::function<Status(size_t, const CsvChunk&)>& work,
                                          const std::function<Status(size_t)>& finish) {
  return read_rows_of(file, spec, options, slots, work, finish);
}

CsvFormat::CsvFormat(std::vector<std::string> names, std::vector<NumberFormat> formats)
    : formats_(std::move(formats)), header_(format::kUtf8Bom) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) header_ += ',';
    format::append_csv_text(header_, names[i]);
  }
  header_ += '\n';
}

void CsvFormat::append_rows(const Table& chunk, format::TextBuffer& out) const {
  std::vector<format::CsvTexts> texts;
  size_t longest_line = 1;
  for (const Column& column : chunk.columns) {
    texts.emplace_back(column.dictionary);
    longest_line += 1 + std::max(texts.back().longest(), format::kMaxNumberText);
  }
  for (size_t row = 0; row < chunk.rows; ++row) {
    char* at = out.reserve(longest_line);
    for (size_t c = 0; c < chunk.columns.size(); ++c) {
      const Column& column = chunk.columns[c];
      if (column.type == ColumnType::kText) {
        if (column.codes[row] != kMissing) at = texts[c].copy(column.codes[row], at);
      } else if (const double number = column.numbers[row]; number == number) {
        // A whole number beyond 64 bits (a sum of many) is written as a float rather than as another number.
        const bool whole = formats_[c] == NumberFormat::kInteger && std::abs(number) < 0x1p63;
        at = whole ? format::write_integer(at, std::llround(number)) : format::write_float(at, number);
      }
      *at++ = ',';
    }
    at[-1] = '\n';
    out.advance(at);
  }
}

}  // namespace maeil::table
