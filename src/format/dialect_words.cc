#include "format/dialect_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "format/csv.h"
#include "format/csv_records.h"

namespace maeil::format {
namespace {

// The first records of a reading, with a bar between fields.
std::string first_records(std::string_view text, const CsvDialect& dialect, Layout layout) {
  const size_t records = layout == Layout::kLines ? 3 : 2, fields = layout == Layout::kLines ? 8 : 4;
  DelimitedReader reader(text.substr(0, kSampleBytes), dialect);
  DelimitedRecord record;
  std::string out;
  for (size_t shown = 0; shown < records && reader.next(record);) {
    if (record.line <= dialect.preamble) continue;
    out += layout == Layout::kLines ? "\n    " : shown == 0 ? " [" : "] [";
    for (size_t f = 0; f < std::min(record.fields.size(), fields); ++f)
      out += (f > 0 ? " | " : "") + clip_utf8(record.fields[f], 24);
    if (record.fields.size() > fields) out += " | ...";
    ++shown;
  }
  return out + (layout == Layout::kOneLine && !out.empty() ? "]" : "");
}

}  // namespace

std::string_view sample_of(std::string_view text) {
  std::string_view sample = text.substr(0, kSampleBytes);
  if (sample.size() < text.size()) {
    const size_t end = sample.find_last_of("\r\n");
    if (end != std::string_view::npos) sample = sample.substr(0, end + 1);
  }
  return sample;
}

std::optional<char> parse_dialect_character(std::string_view text) {
  constexpr std::pair<std::string_view, char> kWords[] = {{"tab", '\t'},      {"\\t", '\t'}, {"comma", ','},
                                                          {"semicolon", ';'}, {"pipe", '|'}, {"blank", ' '},
                                                          {"none", '\0'}};
  const auto word = std::ranges::find(kWords, text, [](const auto& one) { return one.first; });
  if (word != std::end(kWords)) return word->second;
  if (text.size() == 1 && text[0] != '\n' && text[0] != '\r') return text[0];
  return std::nullopt;
}

std::vector<std::string> dialect_doubts(const TextFile& text, const DialectGuess& guess,
                                        const DialectKeys& keys, Layout layout) {
  std::vector<std::string> out;
  const auto reading = [&](std::string_view name, const CsvDialect& dialect) {
    return fmt::format("{}{}{}", layout == Layout::kLines ? "\n  " : "; ", name,
                       first_records(text.bytes(), dialect, layout));
  };
  if (!text.encoding().clear) {
    out.push_back(
        fmt::format("its letters beyond ASCII may be {}, or those of another encoding: name it with {}",
                    text.encoding().name, keys.encoding));
  }
  if (const auto& rival = guess.rival) {
    out.push_back(fmt::format(
        "it can be read in two ways: name one with {} and {}{}{}", keys.delimiter, keys.quote,
        reading(describe_delimiter(guess.dialect.delimiter), guess.dialect),
        reading(rival->fields == 1 ? "one column" : describe_delimiter(rival->delimiter), *rival)));
  }
  if (guess.names_differ) {
    out.push_back(
        fmt::format("its names are more or fewer than the {} fields of its rows: mend them in the file{}",
                    guess.dialect.fields, first_records(text.bytes(), guess.dialect, layout)));
  }
  if (guess.header_unclear) {
    out.push_back(fmt::format("its first record may be names or a row: {} 1 or {} 0{}", keys.header,
                              keys.header, first_records(text.bytes(), guess.dialect, layout)));
  }
  return out;
}

const char* name_of(LineEnd end) {
  constexpr const char* kNames[] = {"LF", "CR LF", "CR", "mixed"};
  return kNames[static_cast<size_t>(end)];
}

const char* name_of(Compression compression) {
  constexpr const char* kNames[] = {"none", "gzip", "zstd"};
  return kNames[static_cast<size_t>(compression)];
}

}  // namespace maeil::format
