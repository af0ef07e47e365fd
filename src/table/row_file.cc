#include "table/row_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/blanks.h"
#include "format/csv_row.h"
#include "format/dialect_words.h"
#include "table/columnar_records.h"
#include "table/csv_header.h"
#include "table/field_values.h"
#include "table/number_guess.h"

namespace maeil::table {
namespace {

using format::CsvDialect;
using format::DelimitedRecord;
using format::DialectGuess;
using format::TextFile;

constexpr size_t kRegularRecords = 1000;  // of a sample, that are looked at to call it plain
constexpr size_t kNumberRows = 10000;     // of a sample, whose numbers say how they are written
constexpr std::string_view kConvert =
    " (`maeil data inspect` shows how it is read, `maeil data convert` writes it as plain CSV)";

bool says_dialect(const ReadSpec& read) {
  const format::DialectAsked& d = read.dialect;
  return d.delimiter || d.quote || d.escape || d.preamble || d.header || d.footnote;
}

// Whether these are the names of the spec's columns, those aside that a file may lack.
bool has_columns(const std::vector<std::string>& names, const DatasetSpec& spec) {
  return std::ranges::all_of(spec.columns, [&](const SpecColumn& column) {
    return column.optional || column.name == spec.target ||
           std::ranges::find(names, column.name) != names.end();
  });
}

// A number or a date: what names are not.
bool is_value(std::string_view field) { return read_number(field) || read_date(field); }

// 0, 1, 2 ...: names that pandas gives columns without one.
bool counts_columns(const std::vector<std::string>& names) {
  const size_t first = !names.empty() && names[0].empty();
  for (size_t i = first; i < names.size(); ++i) {
    if (names[i] != fmt::format("{}", i - first)) return false;
  }
  return names.size() > first;
}

// Whether the last line is no row of commas and so perhaps a note.
bool ends_with_note(std::string_view text) {
  std::string_view tail = text.substr(text.size() - std::min<size_t>(text.size(), 1 << 16));
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == '\r')) tail.remove_suffix(1);
  const std::string last(tail.substr(tail.find_last_of('\n') + 1));
  return last.find_first_not_of(", \t") == std::string::npos ||
         (last.find_first_of(std::string_view(",\"\0", 3)) == std::string::npos &&
          format::is_note({last}, 2));
}

// Whether another separator than the comma stands outside of quotes.
bool has_other_separator(std::string_view header) {
  bool quoted = false;
  return std::ranges::any_of(header, [&](char c) {
    if (c == '"') quoted = !quoted;
    return !quoted && (c == ';' || c == '\t' || c == '|');
  });
}

bool has_lone_cr(std::string_view text) {
  bool quoted = false;
  for (size_t i = text.find('\r') == std::string_view::npos ? text.size() : 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == '\r' && !quoted && i + 1 < text.size() && text[i + 1] != '\n') return true;
  }
  return false;
}

// Plain CSV beyond doubt, and so read as it lies: names, and rows of as many fields. Where the spec has the
// names nothing more is asked.
bool is_surely_plain(std::string_view text, const DatasetSpec* known) {
  const std::string_view sample = format::sample_of(text);
  if (sample.find(", ") != std::string_view::npos && sample.find('"') == std::string_view::npos) return false;
  if (has_lone_cr(sample)) return false;
  format::CsvReader reader(sample, "");
  format::CsvRecord record;
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  const auto splits = [&] { return format::split_record(record.bytes, fields, unescaped).empty(); };
  if (!reader.next(record).value_or(false) || !splits()) return false;
  const std::vector<std::string> names(fields.begin(), fields.end());
  if (names.size() > 1 && ends_with_note(text)) return false;
  if (known) return has_columns(names, *known);
  const bool one = names.size() == 1;
  if (has_other_separator(record.bytes) || (one && names[0].find_first_of(":^~# ") != std::string::npos))
    return false;
  if (std::ranges::all_of(names, is_value) && !counts_columns(names)) return false;
  size_t rows = 0, wrong = 0;
  for (; rows < kRegularRecords && reader.next(record).value_or(false); ++rows)
    wrong += !splits() || fields.size() != names.size();
  return one ? wrong == 0 : wrong * 20 <= rows;
}

// The guess reads the text as the quick reader does.
bool reads_as_plain(const CsvDialect& d, format::LineEnd end, std::string_view sample) {
  const bool quick_quote = d.quote == '"' ? d.escape == '"' : sample.find('"') == std::string_view::npos;
  return d.delimiter == ',' && quick_quote && !d.trim && d.preamble == 0 && d.header == 1 &&
         d.footnote == 0 && end != format::LineEnd::kCr && !has_lone_cr(sample);
}

std::string words(char c) { return c == '\0' ? "none" : format::describe_delimiter(c); }

}  // namespace

Result<RowFile> RowFile::open(const std::filesystem::path& path, const DatasetSpec* known) {
  std::error_code ignored;
  const bool pattern =
      path.string().find_first_of("*?[") != std::string::npos && !std::filesystem::exists(path, ignored);
  if (!pattern && !std::filesystem::is_directory(path, ignored)) {
    MAEIL_ASSIGN(MappedFile file, MappedFile::open(path));
    return open(std::move(file), path.string(), known);
  }
  MAEIL_ASSIGN(const auto files, columnar::part_files(path.string()));
  std::vector<columnar::Part> parts;
  for (const auto& name : files) {
    MAEIL_ASSIGN(MappedFile file, MappedFile::open(name));
    if (files.size() == 1) return open(std::move(file), name, known);
    parts.push_back({std::move(file), name, columnar::part_keys(name)});
  }
  return open(std::move(parts), path.string(), known);
}

Result<RowFile> RowFile::open(std::vector<columnar::Part> parts, const std::string& name,
                              const DatasetSpec* known) {
  for (const auto& part : parts) {
    if (!columnar::is_columnar(part.bytes.bytes()))
      return bad_input(fmt::format(
          "{}: {} is neither Parquet nor Arrow IPC: of other files one is read at a time", name, part.label));
  }
  columnar::PartRows::Wanted wanted;
  if (known) wanted = [known](const std::string& column) { return known->find(column) != nullptr; };
  MAEIL_ASSIGN(auto rows, columnar::PartRows::open(std::move(parts), name, std::move(wanted)));
  auto file = std::make_shared<ColumnarFile>(ColumnarFile{std::move(rows), {}, {}});
  for (const auto& column : file->rows.columns()) {
    const SpecColumn* of_spec = known ? known->find(column.name) : nullptr;
    file->names.push_back(column.name);
    file->date_texts.push_back(
        date_text_of(of_spec && of_spec->type == SpecType::kDate ? of_spec->format : std::nullopt));
  }
  if (file->names.empty()) return bad_input(fmt::format("{}: it has no column that can be read", name));
  RowFile out(name);
  if (known) out.said_ = known->read;
  for (const auto& word : out.said_.missing) out.rules_.missing.emplace(without_blanks(word));
  out.columnar_ = std::move(file);
  return out;
}

RowFile RowFile::own(MappedFile file, const std::string& name) {
  return {TextFile::own(std::move(file)), name};
}

Result<RowFile> RowFile::open(MappedFile file, const std::string& name, const DatasetSpec* known) {
  if (columnar::is_columnar(file.bytes())) {
    std::vector<columnar::Part> parts;
    parts.push_back({std::move(file), name, columnar::part_keys(name)});
    return open(std::move(parts), name, known);
  }
  const ReadSpec said = known ? known->read : ReadSpec();
  MAEIL_ASSIGN(TextFile text, TextFile::read(std::move(file), name, said.encoding, format::Damage::kKeep));
  MAEIL_ASSIGN(RowFile out, choose(std::move(text), name, known));
  out.said_ = said;
  MAEIL_TRY(out.find_rules(known));
  return out;
}

// The dialect: what was said, what the spec's names say, what the guess says.
Result<RowFile> RowFile::choose(TextFile text, const std::string& name, const DatasetSpec* known) {
  const std::string_view bytes = text.bytes();
  const ReadSpec said = known ? known->read : ReadSpec();
  const bool clear_letters = text.encoding().clear;
  RowFile out(std::move(text), name);
  if (clear_letters && !says_dialect(said) && is_surely_plain(bytes, known)) return out;
  const std::string_view sample = format::sample_of(bytes);
  auto found = format::guess_dialect(sample, name, said.dialect);
  if (!found) {
    if (says_dialect(said)) return tl::make_unexpected(found.error());
    return out;  // nothing, or NUL bytes: the plain reader says what it lacks
  }
  DialectGuess guess = std::move(*found);
  const auto names_known = [&](const CsvDialect& dialect) {
    return known && dialect.header > 0 && has_columns(format::DelimitedRows(sample, dialect).names(), *known);
  };
  // A name may be a number, which a record of names otherwise has not.
  if (CsvDialect named = guess.dialect; named.header == 0 && !said.dialect.header) {
    named.header = 1;
    if (names_known(named)) guess.dialect = named;
  }
  if (guess.rival && known) {
    CsvDialect rival = *guess.rival;
    rival.header = std::max<size_t>(rival.header, 1);
    const bool best = names_known(guess.dialect), other = names_known(rival);
    if (other && !best) {
      format::DialectAsked asked = said.dialect;
      asked.delimiter = rival.delimiter, asked.quote = rival.quote;
      MAEIL_ASSIGN(guess, format::guess_dialect(sample, name, asked));
    }
    if (best || other) guess.rival.reset();
  }
  if (names_known(guess.dialect)) guess.header_unclear = guess.names_differ = false;
  const bool plain = reads_as_plain(guess.dialect, guess.line_end, sample) &&
                     (guess.dialect.fields < 2 || !ends_with_note(bytes));
  if (plain) guess.header_unclear = guess.names_differ = false;  // whose first record has the names
  const auto doubts = format::dialect_doubts(
      *out.text_, guess, {"encoding", "delimiter", "quote", "header ="}, format::Layout::kOneLine);
  if (!doubts.empty())
    return bad_input(
        fmt::format("{}: {}: [read] of the dataset spec has the key{}", name, doubts[0], kConvert));
  if (plain) return out;
  if (known && guess.dialect.header == 0) {
    for (const auto& column : known->columns) {
      if (column.name != known->target || guess.dialect.fields == known->columns.size())
        out.names_.push_back(column.name);
    }
    if (!said.dialect.header || out.names_.size() != guess.dialect.fields) {
      return bad_input(fmt::format(
          "{}: its first record is no line of names: {}{}", name,
          said.dialect.header
              ? fmt::format(
                    "with header = 0 its fields are the columns of dataset {} in their order, and it has "
                    "{} fields instead of {}",
                    known->name, guess.dialect.fields, out.names_.size())
              : fmt::format("if its fields are the columns of dataset {} in their order, say header = 0 in "
                            "[read] of the dataset spec",
                            known->name),
          said.dialect.header ? "" : kConvert));
    }
  }
  out.dialect_ = guess.dialect;
  return out;
}

// What the sample's values say of the numbers, and what was said of them and of missing values.
Status RowFile::find_rules(const DatasetSpec* known) {
  for (const auto& word : said_.missing) rules_.missing.emplace(without_blanks(word));
  const bool commas = !dialect_ || dialect_->delimiter == ',';
  const bool said = said_.decimal == ',' || said_.thousands.value_or('\0') != '\0';
  if (commas && !said) return {};
  auto begun = RowReader::begin(*this);
  if (!begun) return {};  // the reading says it again
  RowReader reader = std::move(*begun);
  std::vector<NumberSample> columns;
  for (const auto& name : reader.names()) {
    const SpecColumn* column = known ? known->find(name) : nullptr;
    columns.push_back({.name = name, .known = column && column->type == SpecType::kNumber});
    if (!column || !column->thousands) continue;
    if (said) {
      return bad_input(
          fmt::format("{}: column '{}': thousands of the column and {} of [read] are two answers",
                      known->file, name, said_.decimal == ',' ? "decimal" : "thousands"));
    }
    columns.back().known = false;
  }
  const auto asked = [&](size_t c) {  // text, dates and what the spec does not know are left as they are
    const SpecColumn* column = known ? known->find(columns[c].name) : nullptr;
    return columns[c].known || (!known && !column);
  };
  format::CsvRow fields(columns.size());
  format::CsvRecord record;
  for (size_t row = 0; row < kNumberRows && reader.position() < format::kSampleBytes; ++row) {
    if (!reader.next(record).value_or(false)) break;
    if (!fields.split(record.bytes).empty()) continue;
    for (size_t c = 0; c < columns.size(); ++c) {
      const std::string_view text = without_blanks(fields[c]);
      if (asked(c) && !is_missing(text) && !rules_.missing.contains(text))
        columns[c].values.emplace_back(text);
    }
  }
  MAEIL_ASSIGN(auto styles, number_styles(columns, said_, commas, name_));
  if (std::ranges::all_of(styles, [](const auto& style) { return style.plain(); })) return {};
  rules_.styles = std::move(styles);
  rules_.names = reader.names();
  return {};
}

std::string RowFile::how() const {
  if (columnar_) return columnar_->rows.how();
  std::string out;
  const auto say = [&](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
  const auto& encoding = text_->encoding();
  if (encoding.name != "UTF-8") say(fmt::format("{} ({})", encoding.name, encoding.reason));
  if (text_->compression() != format::Compression::kNone) say(format::name_of(text_->compression()));
  if (dialect_) say(format::describe_dialect(*dialect_));
  for (size_t f = 0; f < rules_.styles.size(); ++f) {
    if (rules_.styles[f].plain()) continue;
    size_t same = 0;
    for (const auto& style : rules_.styles) same += style == rules_.styles[f];
    const size_t first =
        static_cast<size_t>(std::ranges::find(rules_.styles, rules_.styles[f]) - rules_.styles.begin());
    if (first != f) continue;
    say(fmt::format("numbers with decimal {} and {} between thousands in {} column{} ('{}')",
                    words(rules_.styles[f].decimal), words(rules_.styles[f].thousands), same,
                    same == 1 ? "" : "s", rules_.names[f]));
  }
  return out;
}

ReadSpec RowFile::found() const {
  ReadSpec out = said_;
  if (columnar_ || how().empty()) return out;
  out.encoding = text_->encoding().name;
  if (dialect_) {
    out.dialect = {.delimiter = dialect_->delimiter,
                   .quote = dialect_->quote,
                   .escape = dialect_->escape,
                   .preamble = dialect_->preamble,
                   .header = dialect_->header,
                   .footnote = dialect_->footnote};
  }
  return out;
}

RowReader::RowReader(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}
RowReader::RowReader(RowReader&&) noexcept = default;
RowReader& RowReader::operator=(RowReader&&) noexcept = default;
RowReader::~RowReader() = default;

Result<RowReader> RowReader::begin(const RowFile& file) {
  if (file.columnar_) {
    RowReader out("", file.name());
    out.names_ = file.columnar_->names;
    MAEIL_TRY(check_names({out.names_.begin(), out.names_.end()}, file.name()));
    out.columns_ = std::make_unique<ColumnarRecords>(file.columnar_);
    return out;
  }
  if (!file.dialect_) return plain(file.text_->bytes(), file.name());
  RowReader out(file.text_->bytes(), file.name());
  out.rows_ = std::make_unique<format::DelimitedRows>(out.text_, *file.dialect_);
  out.names_ = file.names_.empty() ? out.rows_->names() : file.names_;
  MAEIL_TRY(check_names({out.names_.begin(), out.names_.end()}, file.name()));
  return out;
}

Result<RowReader> RowReader::plain(std::string_view bytes, const std::string& name) {
  RowReader out(bytes, name);
  out.plain_ = std::make_unique<format::CsvReader>(bytes, name);
  MAEIL_ASSIGN(out.names_, read_csv_header(*out.plain_, name));
  return out;
}

Result<bool> RowReader::next(format::CsvRecord& record) {
  if (plain_) {
    MAEIL_ASSIGN(const bool more, plain_->next(record));
    if (more) end_ = record.bytes.data() + record.bytes.size();
    return more;
  }
  if (columns_) {
    MAEIL_ASSIGN(const bool more, columns_->next(written_));
    if (more && written_.size() > format::kMaxCsvRecord)
      return bad_input(fmt::format("{}: row {} is longer than {} bytes as text", name_, columns_->number(),
                                   format::kMaxCsvRecord));
    record = {written_, columns_->number()};
    return more;
  }
  if (!rows_->next(row_)) return false;
  if (row_.too_long)
    return bad_input(fmt::format("{}:{}: the record that starts here is longer than {} bytes", name_,
                                 row_.line, format::kMaxCsvRecord));
  if (row_.stray && stray_++ == 0) first_stray_ = row_.line;
  written_.clear();
  for (size_t f = 0; f < row_.fields.size(); ++f) {
    if (f > 0) written_ += ',';
    format::append_csv_text(written_, row_.fields[f]);
  }
  if (written_.empty()) written_ = "\"\"";
  record = {written_, row_.line};
  return true;
}

size_t RowReader::position() const {
  if (rows_) return rows_->position();
  return end_ ? static_cast<size_t>(end_ - text_.data()) : 0;
}

std::vector<std::string> RowReader::remarks() const {
  if (columns_) return columns_->left_out();
  std::vector<std::string> out;
  if (!rows_) return out;
  if (stray_ > 0) {
    out.push_back(
        fmt::format("{} row{} with a quote that closes nothing, or that nothing closes, which was taken for "
                    "text; the first is line {}",
                    stray_, stray_ == 1 ? "" : "s", first_stray_));
  }
  if (const auto& notes = rows_->notes(); !notes.empty()) {
    out.push_back(fmt::format("{} record{} behind the last row {} no row{}; the first is line {}",
                              notes.size(), notes.size() == 1 ? "" : "s", notes.size() == 1 ? "is" : "are",
                              notes.size() == 1 ? "" : "s", notes.front()));
  }
  return out;
}

}  // namespace maeil::table
