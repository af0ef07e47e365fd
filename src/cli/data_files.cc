// `maeil data inspect | convert | export`: how a file of rows is written, the same rows as plain CSV, and the
// file that a day was taken in from. Formats and guesses are format/'s; here is what people are shown of
// them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/progress.h"
#include "cli/columnar_files.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "format/csv.h"
#include "format/csv_convert.h"
#include "format/csv_dialect.h"
#include "format/dialect_words.h"
#include "format/text_file.h"
#include "table/row_output.h"

namespace maeil::cli {
namespace {

using format::CsvDialect;
using store::Document;

Result<std::optional<char>> one_byte(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto byte = format::parse_dialect_character(text)) return byte;
  return usage_error(
      fmt::format("{} '{}' is no single character: one of them, or tab, comma, semicolon, pipe, "
                  "blank, none",
                  option, text));
}

Result<format::DialectAsked> asked_of(const DataFileOptions& options) {
  format::DialectAsked asked;
  MAEIL_ASSIGN(asked.delimiter, one_byte("--delimiter", options.delimiter));
  MAEIL_ASSIGN(asked.quote, one_byte("--quote", options.quote));
  MAEIL_ASSIGN(asked.escape, one_byte("--escape", options.escape));
  if (asked.delimiter == '\0')
    return usage_error("--delimiter none: a table of one column needs no other separator");
  if (options.header >= 0) asked.header = static_cast<size_t>(options.header);
  if (options.preamble >= 0) asked.preamble = static_cast<size_t>(options.preamble);
  if (options.footnote >= 0) asked.footnote = static_cast<size_t>(options.footnote);
  return asked;
}

struct Opened {
  format::TextFile text;
  format::DialectGuess guess;
};

Result<Opened> open_file(const DataFileOptions& options) {
  MAEIL_ASSIGN(const auto asked, asked_of(options));
  MAEIL_ASSIGN(auto text, format::TextFile::open(options.in, options.encoding));
  MAEIL_ASSIGN(auto guess, format::guess_dialect(format::sample_of(text.bytes()), options.in, asked));
  return Opened{std::move(text), std::move(guess)};
}

std::vector<std::string> doubts(const Opened& file) {
  return format::dialect_doubts(file.text, file.guess, {"--encoding", "--delimiter", "--quote", "--header"},
                                format::Layout::kLines);
}

Document dialect_document(const Opened& file) {
  const CsvDialect& d = file.guess.dialect;
  const auto letter = [](char c) { return c == '\0' ? Document() : Document(std::string(1, c)); };
  return {{"encoding", file.text.encoding().name},
          {"compression", format::name_of(file.text.compression())},
          {"delimiter", letter(d.delimiter)},
          {"quote", letter(d.quote)},
          {"escape", letter(d.escape)},
          {"blanks_around_fields", d.trim},
          {"line_end", format::name_of(file.guess.line_end)},
          {"preamble", d.preamble},
          {"header", d.header},
          {"footnote", d.footnote},
          {"fields", d.fields}};
}

Document conversion_document(const format::Conversion& done) {
  Document examples = Document::array();
  for (const auto& one : done.examples) examples.push_back({{"line", one.line}, {"what", one.what}});
  return {{"rows", done.rows},       {"left_out", done.left_out},  {"filled_up", done.padded},
          {"too_long", done.longer}, {"stray_quotes", done.stray}, {"notes", done.notes},
          {"examples", examples}};
}

void print_conversion(const format::Conversion& done) {
  if (done.left_out > 0) print_line(fmt::format("  left out     {} records", done.left_out));
  if (done.padded > 0) print_line(fmt::format("  filled up    {} records with too few fields", done.padded));
  if (done.longer > 0) print_line(fmt::format("  too long     {} records with too many fields", done.longer));
  if (done.stray > 0) print_line(fmt::format("  stray quotes {} records", done.stray));
  if (done.notes > 0) print_line(fmt::format("  notes        {} records behind the last row", done.notes));
  for (const auto& one : done.examples) print_line(fmt::format("    line {}: {}", one.line, one.what));
}

std::string escape_words(const CsvDialect& d) {
  if (d.quote == '\0') return "none";
  if (d.escape == d.quote) return fmt::format("{} , doubled inside", d.quote);
  return d.escape == '\0' ? fmt::format("{} , never escaped", d.quote)
                          : fmt::format("{} , behind {} inside", d.quote, d.escape);
}

}  // namespace

Result<int> data_inspect(Context& context, const DataFileOptions& options) {
  MAEIL_ASSIGN(const auto columns, open_columnar(options));
  if (columns) return inspect_columnar(context, *columns);
  MAEIL_ASSIGN(const Opened file, open_file(options));
  const auto unclear = doubts(file);
  MAEIL_ASSIGN(const auto seen, format::to_plain_csv(file.text.bytes(), file.guess.dialect, false,
                                                     [](std::string_view) -> Status { return {}; }));
  if (context.json) {
    Document out = {{"path", options.in},
                    {"dialect", dialect_document(file)},
                    {"columns", seen.names},
                    {"records", conversion_document(seen)},
                    {"unclear", unclear}};
    print_json(out);
    return 0;
  }
  const CsvDialect& d = file.guess.dialect;
  const std::string packed = file.text.compression() == format::Compression::kNone
                                 ? ""
                                 : fmt::format(", {}", format::name_of(file.text.compression()));
  std::string names;
  for (const auto& name : seen.names) names += (names.empty() ? "" : ", ") + name;
  print_line(options.in);
  print_line(fmt::format("  encoding     {} ({}){}", file.text.encoding().name, file.text.encoding().reason,
                         packed));
  print_line(fmt::format("  separator    {}{}", format::describe_delimiter(d.delimiter),
                         d.trim ? ", blanks around fields" : ""));
  print_line(fmt::format("  quotes       {}", escape_words(d)));
  print_line(fmt::format("  lines end    {}", format::name_of(file.guess.line_end)));
  print_line(fmt::format("  names        {}{}{}",
                         d.header == 0   ? "none"
                         : d.header == 1 ? "1 record"
                                         : fmt::format("{} records", d.header),
                         d.preamble > 0 ? fmt::format(", behind {} lines", d.preamble) : "",
                         d.footnote > 0 ? fmt::format("; the last {} records are no rows", d.footnote) : ""));
  print_line(fmt::format("  columns      {}: {}", seen.names.size(), format::clip_utf8(names, 400)));
  print_line(fmt::format("  rows         {}", seen.rows));
  print_conversion(seen);
  for (const auto& doubt : unclear) print_line(fmt::format("unclear: {}", doubt));
  return 0;
}

Result<int> data_convert(Context& context, const DataFileOptions& options) {
  MAEIL_TRY(check_output(options.out, {options.in}));
  MAEIL_ASSIGN(const auto columns, open_columnar(options));
  if (columns) return convert_columnar(context, *columns, options);
  MAEIL_ASSIGN(const Opened file, open_file(options));
  const auto unclear = doubts(file);
  if (!unclear.empty() && !options.best_guess)
    return bad_input(
        fmt::format("{}: {}\n(--best-guess takes the likelier, which is the first)", options.in, unclear[0]));
  for (const auto& doubt : unclear) note(fmt::format("{}: {}", options.in, doubt), LogLevel::kWarning);
  MAEIL_ASSIGN(auto out, table::RowOutput::create(options.out));
  Progress progress(!context.json);
  uint64_t written = 0;
  MAEIL_ASSIGN(const auto done, format::to_plain_csv(file.text.bytes(), file.guess.dialect,
                                                     options.best_guess, [&](std::string_view piece) {
                                                       progress.update("bytes written",
                                                                       written += piece.size(), 0);
                                                       return out.write(piece);
                                                     }));
  progress.finish();
  MAEIL_TRY(out.commit());
  if (context.json) {
    print_json({{"path", options.out},
                {"dialect", dialect_document(file)},
                {"columns", done.names},
                {"records", conversion_document(done)},
                {"unclear", unclear}});
    return 0;
  }
  print_line(fmt::format("{}: {}, {} -> {} rows of {} columns in {}", options.in, file.text.encoding().name,
                         format::describe_dialect(file.guess.dialect), done.rows, done.names.size(),
                         options.out));
  print_conversion(done);
  return 0;
}

namespace {

// A day that came as parts: each under its name in the folder `out`, byte for byte.
Result<int> export_parts(Context& context, store::Store& store, const Document& raw,
                         const DataExportOptions& options) {
  const auto& parts = raw.at("source_parts");
  const auto wrong = [&] {
    return bad_input(fmt::format("the bytes of {} in {} do not match their sha256: restore a backup",
                                 options.date, store.description()));
  };
  std::vector<AtomicFile> files;
  for (const auto& part : parts) {
    const std::filesystem::path name = part.value("name", "");
    if (name.empty() || name.is_absolute() || std::ranges::find(name, "..") != name.end()) return wrong();
    MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(std::filesystem::path(options.out) / name));
    files.push_back(std::move(file));
  }
  size_t at = 0;
  uint64_t left = parts.empty() ? 0 : parts[0].value("bytes", uint64_t{0});
  std::optional<Sha256> hash(std::in_place);
  bool same = true;
  const auto next = [&] {  // parts without a byte come and go at once
    while (at < files.size() && left == 0) {
      same &= hash->hex() == parts[at].value("sha256", "");
      hash.emplace();
      if (++at < files.size()) left = parts[at].value("bytes", uint64_t{0});
    }
  };
  next();
  MAEIL_TRY(store.read_blob(store::id_text(raw.value("source_file_id", Document())),
                            [&](std::string_view bytes) -> Status {
                              while (!bytes.empty()) {
                                if (at == files.size()) return wrong();
                                const std::string_view piece = bytes.substr(0, left);
                                hash->update(piece);
                                MAEIL_TRY(files[at].write(piece));
                                bytes.remove_prefix(piece.size());
                                left -= piece.size();
                                next();
                              }
                              return {};
                            }));
  if (at != files.size() || !same) return wrong();
  for (auto& file : files) MAEIL_TRY(file.commit());
  const std::string source = raw.value("source", ""), sha256 = raw.value("source_sha256", "");
  if (context.json)
    print_json({{"path", options.out},
                {"source", source},
                {"sha256", sha256},
                {"parts", parts.size()},
                {"logical_date", options.date}});
  else
    print_line(fmt::format("{}, the rows of {} -> {} parts in {} (sha256 of their list {})", source,
                           options.date, parts.size(), options.out, sha256));
  return 0;
}

}  // namespace

Result<int> data_export(Context& context, const DataExportOptions& options) {
  const auto date = parse_date(options.date);
  if (!date) return usage_error(fmt::format("DATE: {}", date.error().message));
  MAEIL_TRY(check_output(options.out, {}));
  MAEIL_ASSIGN(store::Store & store, context.store_to_read());
  store::FindOptions present;
  present.filter = {{"logical_date", options.date}, {"superseded_by", {{"$exists", false}}}};
  MAEIL_ASSIGN(const Document raw, store.find_one("raw_data", present));
  if (raw.is_null()) return not_found(fmt::format("no rows were taken in or drawn for {}", options.date));
  if (raw.contains("pruned"))
    return not_found(
        fmt::format("the rows of {} are past their retention (RETENTION_DAYS_RAW)", options.date));
  if (raw.contains("source_parts")) return export_parts(context, store, raw, options);
  const bool has_own = raw.contains("source_file_id");  // else the stored rows are the file's bytes
  MAEIL_ASSIGN(AtomicFile out, AtomicFile::create(options.out));
  Sha256 hash;
  MAEIL_TRY(store.read_blob(store::id_text(raw.value(has_own ? "source_file_id" : "file_id", Document())),
                            [&](std::string_view bytes) -> Status {
                              hash.update(bytes);
                              return out.write(bytes);
                            }));
  const std::string sha256 = hash.hex();
  if (sha256 != raw.value(has_own ? "source_sha256" : "sha256", ""))
    return bad_input(fmt::format("the bytes of {} in {} do not match their sha256: restore a backup",
                                 options.date, store.description()));
  MAEIL_TRY(out.commit());
  const std::string source = raw.value("source", "");
  if (context.json)
    print_json(
        {{"path", options.out}, {"source", source}, {"sha256", sha256}, {"logical_date", options.date}});
  else
    print_line(
        fmt::format("{}, the rows of {} -> {} (sha256 {})", source, options.date, options.out, sha256));
  return 0;
}

}  // namespace maeil::cli
