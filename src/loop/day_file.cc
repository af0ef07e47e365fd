#include "loop/day_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "base/calendar.h"
#include "base/file.h"
#include "columnar/part_files.h"
#include "format/csv.h"
#include "loop/arriving_file.h"
#include "loop/prepared/raw_data.h"
#include "loop/query_rows.h"
#include "table/csv_table.h"
#include "table/dates.h"
#include "table/row_file.h"

namespace maeil::loop {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The date that begins at text[at], and its length.
std::optional<std::pair<Days, size_t>> date_at(std::string_view text, size_t at) {
  const auto number = [&](size_t from, size_t digits) {
    int out = 0;
    for (size_t i = from; i < from + digits; ++i) out = 10 * out + (text[i] - '0');
    return out;
  };
  for (const size_t gap : {1u, 0u}) {
    const size_t length = 8 + 2 * gap;
    if (at + length > text.size()) continue;
    bool fits = true;
    for (size_t i = 0; i < length && fits; ++i) {
      const bool separator = gap == 1 && (i == 4 || i == 7);
      fits = separator ? text[at + i] == '-' || text[at + i] == '_' || text[at + i] == '.'
                       : is_digit(text[at + i]);
    }
    if (!fits || (at + length < text.size() && is_digit(text[at + length]))) continue;
    const auto day = day_of(number(at, 4), number(at + 4 + gap, 2), number(at + 6 + 2 * gap, 2));
    if (day) return std::pair(*day, length);
  }
  return std::nullopt;
}

// The only date in a file's name.
std::optional<Days> date_in(std::string_view name) {
  std::optional<Days> out;
  for (size_t at = 0; at < name.size(); ++at) {
    if (at > 0 && is_digit(name[at - 1])) continue;
    const auto found = date_at(name, at);
    if (!found) continue;
    if (out && *out != found->first) return std::nullopt;
    out = found->first;
    at += found->second - 1;
  }
  return out;
}

// The only date in the names of the folders that say key=value.
std::optional<Days> date_in_keys(const std::string& path) {
  std::optional<Days> out;
  for (const auto& key : columnar::part_keys(path)) {
    const auto found = date_in(key.value.value_or(""));
    if (found && out && *out != *found) return std::nullopt;
    if (found) out = found;
  }
  return out;
}

// Plain CSV in memory, and where its rows begin.
struct Lines {
  std::unique_ptr<table::RowFile> file;  // that `text` lies in; none: `written`
  std::unique_ptr<MappedFile> written;
  std::string_view text;
  size_t header = 0;              // bytes before the first line
  std::vector<uint64_t> offsets;  // of the rows 0, every, 2 every ...
  uint64_t every = kSourceRows, rows = 0;
};

// The place of the next row in the text.
void add_row(Lines& lines, size_t at) {
  if (lines.rows == 0) lines.header = at;
  if (lines.rows++ % kSourceRows == 0) lines.offsets.push_back(at);
}

// Any other file written anew as plain CSV, numbers and words for missing too, into a file that never gets
// its name. A row that breaks the rules stays as it is: whoever prepares the rows sets it aside and says why.
Status write_plain(const table::RowFile& file, table::RowReader& reader, const std::string& scratch,
                   Lines& lines) {
  MAEIL_ASSIGN(AtomicFile out, AtomicFile::create(scratch, AtomicFile::Access::kPrivate));
  std::string piece;
  uint64_t at = 0;
  const auto add = [&](const auto& fields) {
    const size_t begin = piece.size();
    for (const auto& field : fields) {
      if (piece.size() > begin) piece += ',';
      format::append_csv_text(piece, field);
    }
    piece += '\n';
    at += piece.size() - begin;
  };
  add(reader.names());
  format::CsvRecord record;
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped, owned;
  for (;;) {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) break;
    add_row(lines, at);
    unescaped.clear(), owned.clear();
    const bool is_row = format::split_record(record.bytes, fields, unescaped).empty() &&
                        fields.size() == reader.names().size();
    if (is_row && format::apply_rules(file.rules(), fields, owned).empty()) {
      add(fields);
    } else {
      piece.append(record.bytes) += '\n';
      at += record.bytes.size() + 1;
    }
    if (piece.size() < (1 << 20)) continue;
    MAEIL_TRY(out.write(piece));
    piece.clear();
  }
  MAEIL_TRY(out.write(piece));
  MAEIL_ASSIGN(MappedFile written, out.map());
  lines.written = std::make_unique<MappedFile>(std::move(written));
  lines.text = lines.written->bytes();
  return {};
}

}  // namespace

std::string with_date(std::string path, Days date) {
  constexpr std::string_view kDate = "{date}";
  for (size_t at = 0; (at = path.find(kDate, at)) != std::string::npos;)
    path.replace(at, kDate.size(), format_date(date));
  return path;
}

std::string day_file(const Day& day, Days date) {
  return day.file.empty() ? with_date(day.settings.day_data, date) : day.file;
}

namespace {

// The only day that the rows are of; nullopt: nothing says.
Result<std::optional<Days>> date_in_rows(table::RowFile& file, const std::string& path,
                                         const table::DatasetSpec& spec) {
  std::optional<Days> first;
  if (spec.roles.time.empty()) return first;
  // The time alone: what else the file has, or lacks, is validate_data's to find.
  table::DatasetSpec dated;
  dated.name = spec.name;
  dated.columns = {*spec.find(spec.roles.time)};
  dated.columns[0].optional = true;
  const auto& format = dated.columns[0].format;
  std::optional<Days> last;
  MAEIL_TRY(table::read_csv_file(file, dated, {.target_required = false},
                                 [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                   for (const auto& text : chunk.columns[0].dictionary) {
                                     const auto day = table::read_day(text, format);
                                     if (!day) continue;
                                     if (!first) first = day;
                                     if (*day != *first) last = day;
                                   }
                                   return {};
                                 }));
  if (last) {
    return bad_input(fmt::format(
        "{}: the rows are of more than one day (column '{}': {}, {}): a day's rows are those of one date",
        path, spec.roles.time, format_date(*first), format_date(*last)));
  }
  return first;
}

Result<Days> choose_date(table::RowFile& file, const std::string& path, const table::DatasetSpec& spec,
                         const std::optional<Days>& asked) {
  MAEIL_ASSIGN(const auto in_rows, date_in_rows(file, path, spec));
  struct Told {
    const char* by;
    std::optional<Days> day;
  };
  const Told told[] = {{"the run is of", asked},
                       {"its rows say", in_rows},
                       {"its name says", date_in(short_name(path))},
                       {"its folder says", date_in_keys(path)}};
  const Told* first = nullptr;
  for (const Told& each : told) {
    if (!each.day) continue;
    if (!first) first = &each;
    if (*each.day != *first->day) {
      return usage_error(fmt::format("{}: {} {}, {} {}: take the right file, or name the right day", path,
                                     first->by, format_date(*first->day), each.by, format_date(*each.day)));
    }
  }
  if (!first) {
    return usage_error(fmt::format(
        "{}: which day is it? Neither its rows (a time in [roles]) nor its name say: --date YYYY-MM-DD",
        path));
  }
  return *first->day;
}

}  // namespace

Result<Days> choose_date(const Settings& settings, const std::string& path, const table::DatasetSpec& spec,
                         const std::optional<Days>& asked) {
  if (is_query(path)) {
    MAEIL_ASSIGN(const bool has_date, query_has_date(settings, path));
    if (asked) return *asked;
    if (has_date)
      return usage_error(fmt::format("{}: which day is it? The query has :date: --date YYYY-MM-DD", path));
  }
  MAEIL_ASSIGN(auto file, open_rows(settings, path, &spec));
  return choose_date(file, path, spec, asked);
}

namespace {

// Where each row of the plain text begins; 0 rows: none.
Status find_rows(Lines& in, table::RowReader& reader) {
  in.text = in.file->text();
  format::CsvRecord record;
  for (;;) {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) return {};
    add_row(in, static_cast<size_t>(record.bytes.data() - in.text.data()));
  }
}

// All but what is told of where they came from.
Result<RawLines> raw_lines(const std::shared_ptr<Lines>& in, const std::string& name, size_t columns,
                           const std::string& sha256) {
  if (in->rows == 0) return bad_input(fmt::format("{}: there are no rows", name));
  in->every = raw_step(in->rows);
  std::vector<uint64_t> kept;
  for (size_t i = 0; i < in->offsets.size(); i += in->every / kSourceRows) kept.push_back(in->offsets[i]);
  in->offsets = std::move(kept);
  RawLines out;
  out.header = in->text.substr(0, in->header);
  out.rows = in->rows;
  out.columns = columns;
  out.facts = {{"source", short_name(name)}, {"source_path", name}, {"source_sha256", sha256}};
  out.result = {{"source", short_name(name)}, {"source_sha256", sha256}};
  out.lines = [in](RowRange range,
                   const std::function<Status(std::string_view)>& sink) -> Result<LineOffsets> {
    const auto offset_of = [&](uint64_t row) -> size_t {
      return row >= in->rows ? in->text.size() : in->offsets[row / in->every];
    };
    const uint64_t last = range.count >= in->rows - range.first ? in->rows : range.first + range.count;
    const size_t begin = offset_of(range.first), end = offset_of(last);
    LineOffsets lines;
    for (uint64_t row = range.first; row < last; row += in->every)
      lines.offsets.push_back(offset_of(row) - begin);
    lines.bytes = end - begin;
    constexpr size_t kPiece = 1 << 20;
    for (size_t at = begin; at < end; at += kPiece)
      MAEIL_TRY(sink(in->text.substr(at, std::min(kPiece, end - at))));
    return lines;
  };
  out.inputs = [sha256]() -> Result<store::Document> { return store::Document{{"source_sha256", sha256}}; };
  return out;
}

}  // namespace

Result<RawLines> file_lines(const std::string& pattern, const table::DatasetSpec& spec, Days date,
                            const std::string& scratch) {
  MAEIL_ASSIGN(TakenFiles files, take_files(pattern, scratch + ".bytes"));
  const auto taken = std::make_shared<const TakenFiles>(std::move(files));
  const std::string& path = taken->path;
  const auto in = std::make_shared<Lines>();
  MAEIL_ASSIGN(auto rows, taken->open(&spec));
  in->file = std::make_unique<table::RowFile>(std::move(rows));
  MAEIL_TRY(choose_date(*in->file, path, spec, date));  // another day's file under this day's name
  MAEIL_ASSIGN(auto reader, table::RowReader::begin(*in->file));
  const size_t columns = reader.names().size();
  const std::string how = in->file->how();
  if (in->file->is_plain() && in->file->rules().empty()) {
    MAEIL_TRY(find_rows(*in, reader));
  } else {
    MAEIL_TRY(write_plain(*in->file, reader, scratch, *in));
    in->file.reset();
  }
  MAEIL_ASSIGN(RawLines out, raw_lines(in, path, columns, taken->sha256));
  if (in->written) out.original = [taken](const auto& sink) { return taken->each_byte(sink); };
  out.description = short_name(path) + (how.empty() ? "" : ": " + how);
  if (!how.empty()) out.facts["source_dialect"] = how;
  if (auto parts = taken->parts(); !parts.is_null()) out.facts["source_parts"] = std::move(parts);
  return out;
}

Result<RawLines> query_lines(const Settings& settings, const std::string& name,
                             const table::DatasetSpec& spec, Days date, const std::string& scratch) {
  MAEIL_ASSIGN(const TakenQuery taken, take_query(settings, name, date, scratch));
  MAEIL_ASSIGN(MappedFile bytes, taken.copy.map());
  const auto in = std::make_shared<Lines>();
  in->file = std::make_unique<table::RowFile>(table::RowFile::own(std::move(bytes), name));
  MAEIL_TRY(choose_date(*in->file, name, spec, date));
  MAEIL_ASSIGN(auto reader, table::RowReader::begin(*in->file));
  MAEIL_TRY(find_rows(*in, reader));
  MAEIL_ASSIGN(RawLines out, raw_lines(in, name, reader.names().size(), taken.sha256));
  out.description = fmt::format("{}: {}", name, taken.how);
  out.facts.update(taken.facts);
  out.facts["source_dialect"] = taken.how;
  if (!taken.has_date) {
    out.warning = fmt::format(
        "{}: there is no :date in the query, so that it gives what is there now, whatever the day", name);
  }
  return out;
}

}  // namespace maeil::loop
