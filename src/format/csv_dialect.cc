#include "format/csv_dialect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "base/blanks.h"
#include "format/csv.h"
#include "format/csv_records.h"

namespace maeil::format {
namespace {

constexpr std::string_view kDelimiters = ",;\t|:^~# ";
constexpr std::string_view kQuotes = "\"'";
constexpr size_t kRecords = 1000;   // of the sample, at most
constexpr size_t kFields = 64;      // of a record, whose types are looked at
constexpr double kOneField = 1e-3;  // stands for (L - 1) / L where a record is one field
constexpr double kLeastTypes = 1e-10;
constexpr size_t kMostPreamble = 50;  // lines
constexpr double kAsGood = 0.99;      // of the best score: a rival

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0; }

enum class Look { kEmpty, kNumber, kDate, kWords, kOther };

// A number with what people put around and into it: sign, currency, percent, groups, decimal point or comma.
bool looks_numeric(std::string_view text) {
  size_t digits = 0, i = 0;
  const auto skip = [&](std::initializer_list<std::string_view> some) {
    for (const auto one : some) {
      if (text.substr(i).starts_with(one)) return i += one.size(), true;
    }
    return false;
  };
  skip({"(", "-", "+", "\u2212"});
  skip({"$", "\u20ac", "\u00a3", "\u00a5", "\u20a9"});
  skip({" "});
  skip({"-", "+"});
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      ++digits;
    } else if ((c == '.' || c == ',' || c == '\'') && i + 1 < text.size() && is_digit(text[i + 1])) {
      continue;
    } else if ((c == 'e' || c == 'E') && digits > 0 && i + 1 < text.size() &&
               (is_digit(text[i + 1]) ||
                ((text[i + 1] == '-' || text[i + 1] == '+') && i + 2 < text.size()))) {
      ++i;
    } else {
      break;
    }
  }
  if (digits == 0) return false;
  if (i < text.size() && text[i] == '.' && i + 1 == text.size()) ++i;
  skip({" "});
  skip({"%", "\u20ac", "$", "\uc6d0"});
  skip({")"});
  return i == text.size();
}

// Groups of digits with the same kind of sign between them, and a time perhaps: 2024-05-31, 31/05/2024 10:00.
bool looks_like_date(std::string_view text) {
  size_t groups = 0, signs = 0, letters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_digit(c)) {
      groups += i == 0 || !is_digit(text[i - 1]);
    } else if (c == '-' || c == '/' || c == ':' || c == '.' || c == '+') {
      ++signs;
    } else if (is_letter(c)) {
      ++letters;
    } else if (c != ' ' && (c != ',' || i + 1 == text.size())) {
      return false;
    }
  }
  const bool words = letters <= 9;  // "May", "September", "T", "Z", and the signs of Korean dates
  return text.size() <= 40 && words && groups >= 2 && groups <= 8 && (signs >= 1 || letters >= 2) &&
         (is_digit(text[0]) || letters >= 3);
}

Look look_of(std::string_view field) {
  const std::string_view text = without_blanks(field);
  if (text.empty()) return Look::kEmpty;
  if (looks_numeric(text)) return Look::kNumber;
  if (looks_like_date(text)) return Look::kDate;
  if (text.find("://") != std::string_view::npos || text.find('@') != std::string_view::npos)
    return text.find_first_of(" ,;\t|\"") == std::string_view::npos ? Look::kWords : Look::kOther;
  // Words of letters and digits, with what stands between words.
  const bool words = std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == ' ' || c == '_' || c == '-' || c == '.' || c == '/' ||
           c == '(' || c == ')' || c == '%' || c == '&' || c == '+' || c == '!' || c == '?' || c == '\'';
  });
  return words && (is_letter(text[0]) || is_digit(text[0])) ? Look::kWords : Look::kOther;
}

struct Scored {
  CsvDialect dialect;
  double score = 0;
  size_t seen = 0, values = 0;                    // fields; those that are numbers or dates
  std::vector<std::vector<std::string>> records;  // the sample's, by this dialect
  std::vector<uint64_t> lines;
};

// The width that most records have; the wider of two.
size_t usual_width(const std::vector<std::vector<std::string>>& records) {
  std::map<size_t, size_t> widths;
  for (const auto& record : records) ++widths[record.size()];
  size_t best = 0;
  for (const auto& [width, count] : widths) {
    if (best == 0 || count >= widths[best]) best = width;
  }
  return best;
}

// Consistency: how alike the records are, times how many fields look like something.
Scored score_reading(std::string_view sample, const CsvDialect& dialect) {
  Scored out;
  out.dialect = dialect;
  DelimitedReader reader(sample, dialect);
  DelimitedRecord record;
  std::map<size_t, size_t> widths;
  size_t known = 0, stray = 0;
  while (out.records.size() < kRecords && reader.next(record)) {
    ++widths[record.fields.size()];
    stray += record.stray;
    for (size_t f = 0; f < std::min(record.fields.size(), kFields); ++f) {
      const Look look = look_of(record.fields[f]);
      known += look != Look::kOther;
      out.values += look == Look::kNumber || look == Look::kDate;
      ++out.seen;
    }
    auto& kept = out.records.emplace_back();
    for (const auto field : record.fields) kept.emplace_back(field.substr(0, 200));
    out.lines.push_back(record.line);
  }
  if (out.records.empty()) return out;
  double pattern = 0;
  for (const auto& [width, count] : widths) {
    const double share = width > 1 ? static_cast<double>(width - 1) / static_cast<double>(width) : kOneField;
    pattern += static_cast<double>(count) * share;
  }
  pattern /= static_cast<double>(widths.size());
  const double records = static_cast<double>(out.records.size());
  const double types = std::max(kLeastTypes, static_cast<double>(known) / static_cast<double>(out.seen));
  out.score = pattern * types * (1 - 0.5 * static_cast<double>(stray) / records);
  return out;
}

// Read twice: with the width that most records have, a stray quote spoils no more than its record.
Scored score_dialect(std::string_view sample, CsvDialect dialect) {
  Scored any = score_reading(sample, dialect);
  if (dialect.quote == '\0' || any.records.empty()) return any;
  dialect.fields = usual_width(any.records);
  return score_reading(sample, dialect);
}

size_t filled(const std::vector<std::string>& record) {
  return static_cast<size_t>(
      std::ranges::count_if(record, [](const auto& f) { return !without_blanks(f).empty(); }));
}

enum class Header { kYes, kNo, kUnclear };

bool is_value(const std::string& field) {
  const Look look = look_of(field);
  return look == Look::kNumber || look == Look::kDate;
}

// Titles and notes before the table: records of another width, or with one field filled, with words.
size_t count_preamble(const std::vector<std::vector<std::string>>& records, size_t width) {
  if (width < 2) return 0;
  const auto is_title = [&](const auto& record) {
    return record.size() != width || filled(record) == 0 ||
           (width > 2 && filled(record) == 1 && std::ranges::none_of(record, is_value));
  };
  size_t first = 0;
  while (first < records.size() && is_title(records[first])) ++first;
  if (first == records.size() || first > kMostPreamble) return 0;
  // Names of which one is missing or one too many are still names.
  const bool names = first > 0 && filled(records[first - 1]) > 1 &&
                     filled(records[first - 1]) + 1 >= width / 2 &&
                     std::ranges::none_of(records[first - 1], is_value);
  return names ? first - 1 : first;
}

// How many columns hold numbers or dates from record `first` on, with a name that is neither in record
// `names`.
size_t named_values(const std::vector<std::vector<std::string>>& records, size_t names, size_t first,
                    size_t end) {
  size_t columns = 0;
  for (size_t c = 0; c < records[names].size(); ++c) {
    if (look_of(records[names][c]) == Look::kEmpty || is_value(records[names][c])) continue;
    size_t values = 0, all = 0;
    for (size_t r = first; r < end; ++r) {
      if (c >= records[r].size() || look_of(records[r][c]) == Look::kEmpty) continue;
      ++all;
      values += is_value(records[r][c]);
    }
    columns += all > 0 && values * 10 >= all * 9;
  }
  return columns;
}

// Names stand over columns of numbers or dates and are neither (years may be names); where all are words they
// are different from each other and from everything below.
Header is_header(const std::vector<std::vector<std::string>>& records, size_t first, size_t end) {
  const auto& names = records[first];
  std::set<std::string> different;
  bool gap = false, words = false;
  for (const auto& name : names) {
    const std::string_view text = without_blanks(name);
    const bool year =
        text.size() == 4 && std::ranges::all_of(text, is_digit) && (text[0] == '1' || text[0] == '2');
    if (is_value(name) && !year) return Header::kNo;
    gap |= text.empty();
    words |= !text.empty() && !year;
    different.insert(name);
  }
  if (!words) return Header::kNo;
  if (first + 1 >= end || named_values(records, first, first + 1, end) > 0) return Header::kYes;
  if (gap || different.size() != names.size()) return Header::kNo;
  for (size_t c = 0; c < names.size(); ++c) {
    for (size_t r = first + 1; r < end; ++r) {
      if (c < records[r].size() && records[r][c] == names[c]) return Header::kNo;
    }
  }
  return Header::kUnclear;
}

// Records of names: the first, the same again, and one that fills the gaps of the one before it.
size_t count_header(const std::vector<std::vector<std::string>>& records, size_t first, size_t end) {
  size_t n = 1;
  while (first + n < end && records[first + n] == records[first]) ++n;
  for (; n < 4 && first + n + 1 < end; ++n) {
    const auto& above = records[first + n - 1];
    const auto& below = records[first + n];
    size_t fills = 0;
    for (size_t c = 0; c < std::min(above.size(), below.size()); ++c)
      fills += look_of(above[c]) == Look::kEmpty && look_of(below[c]) != Look::kEmpty;
    const bool names = std::ranges::none_of(below, is_value) && fills > 0;
    if (!names || named_values(records, first + n, first + n + 1, end) == 0) break;
  }
  return n;
}

LineEnd usual_line_end(std::string_view sample) {
  size_t lf = 0, crlf = 0, cr = 0;
  for (size_t i = 0; i < sample.size(); ++i) {
    if (sample[i] == '\n') ++lf;
    if (sample[i] == '\r') ++(i + 1 < sample.size() && sample[i + 1] == '\n' ? (++i, crlf) : cr);
  }
  if ((lf > 0) + (crlf > 0) + (cr > 0) > 1) return LineEnd::kMixed;
  return crlf > 0 ? LineEnd::kCrLf : cr > 0 ? LineEnd::kCr : LineEnd::kLf;
}

std::vector<CsvDialect> candidates(std::string_view sample, const DialectAsked& asked) {
  std::vector<CsvDialect> out;
  const std::string delimiters =
      asked.delimiter ? std::string(1, *asked.delimiter) : std::string(kDelimiters);
  const std::string quotes = asked.quote ? std::string(1, *asked.quote) : std::string(kQuotes);
  for (const char delimiter : delimiters) {
    if (!asked.delimiter && sample.find(delimiter) == std::string_view::npos) continue;
    const bool blanks =
        delimiter != ' ' && sample.find(std::string{delimiter, ' '}) != std::string_view::npos;
    if (asked.quote.value_or('\0') == '\0')
      out.push_back({.delimiter = delimiter, .quote = '\0', .escape = '\0', .trim = blanks});
    for (const char quote : quotes) {
      if (quote == '\0') continue;
      if (!asked.quote && sample.find(quote) == std::string_view::npos) continue;
      for (const bool trim : {false, true}) {
        if (trim && !blanks) continue;
        const bool slash = sample.find(std::string{'\\', quote}) != std::string_view::npos;
        for (const char escape : asked.escape ? std::string(1, *asked.escape)
                                 : slash      ? std::string{quote, '\\'}
                                              : std::string{quote})
          out.push_back({.delimiter = delimiter, .quote = quote, .escape = escape, .trim = trim});
      }
    }
  }
  const bool one_field = !asked.delimiter && sample.find(',') == std::string_view::npos;
  if (out.empty() || one_field)
    out.push_back({.quote = asked.quote.value_or('"'), .escape = asked.escape.value_or('"')});
  return out;
}

}  // namespace

bool is_note(const std::vector<std::string>& record, size_t width) {
  if (width < 2) return false;
  return record.size() == 1 ? !is_value(record[0]) : filled(record) == 0;
}

Result<DialectGuess> guess_dialect(std::string_view sample, const std::string& file_name,
                                   const DialectAsked& asked) {
  if (sample.find_first_not_of("\r\n \t") == std::string_view::npos)
    return bad_input(fmt::format("{}: the file holds nothing", file_name));
  if (sample.find('\0') != std::string_view::npos)
    return bad_input(fmt::format("{}: the file holds NUL bytes: is it a file of text?", file_name));
  // Excel's line that names the separator.
  if (!asked.delimiter && !asked.preamble && sample.starts_with("sep=") && sample.size() > 5 &&
      (sample[5] == '\r' || sample[5] == '\n')) {
    DialectAsked said = asked;
    said.delimiter = sample[4], said.preamble = 1;
    return guess_dialect(sample, file_name, said);
  }
  std::vector<Scored> scored;
  for (const auto& dialect : candidates(sample, asked)) scored.push_back(score_dialect(sample, dialect));
  // Of two that are as good the one that comes first: the candidates stand in the order of what is usual.
  const auto quoted = [](const Scored& s) { return s.dialect.quote != '\0'; };
  auto best = std::ranges::max_element(scored, [&](const Scored& a, const Scored& b) {
    return a.score < b.score || (a.score == b.score && !quoted(a) && quoted(b));
  });
  DialectGuess out;
  out.score = best->score;
  out.dialect = best->dialect;
  out.line_end = usual_line_end(sample);
  double next = kAsGood * best->score;
  for (const auto& other : scored) {
    if (other.score < next || other.records == best->records) continue;
    next = other.score;
    out.rival = other.dialect;
  }
  const auto& records = best->records;
  // Blanks separate words as well as fields: only numbers and dates between them say which.
  if (best->dialect.delimiter == ' ' && best->values * 2 < best->seen) {
    out.rival = CsvDialect{.delimiter = ',', .fields = 1};
  }
  out.dialect.fields = usual_width(records);
  // Where the sample has no quote the rest of the file may.
  if (out.dialect.quote == '\0' && !asked.quote && sample.find('"') == std::string_view::npos) {
    out.dialect.quote = '"';
    out.dialect.escape = asked.escape.value_or('"');
  }
  size_t first = count_preamble(records, out.dialect.fields);
  if (asked.preamble) {
    first = static_cast<size_t>(std::ranges::upper_bound(best->lines, *asked.preamble) - best->lines.begin());
    if (first == records.size())
      return bad_input(fmt::format("{}: nothing stands behind line {}", file_name, *asked.preamble));
  }
  out.dialect.preamble = asked.preamble.value_or(first > 0 ? best->lines[first] - 1 : 0);
  out.dialect.footnote = asked.footnote.value_or(0);
  size_t end = records.size();
  while (end > first + 1 && is_note(records[end - 1], out.dialect.fields)) --end;
  const Header header = is_header(records, first, end);
  out.dialect.header = header == Header::kNo ? 0 : count_header(records, first, end);
  if (asked.header) out.dialect.header = *asked.header;
  for (size_t h = 0; h < out.dialect.header && first + h < records.size(); ++h)
    out.names_differ |= records[first + h].size() != out.dialect.fields;
  out.header_unclear = !asked.header && header == Header::kUnclear;
  return out;
}

std::string describe_delimiter(char delimiter) {
  switch (delimiter) {
    case '\t':
      return "tab";
    case ' ':
      return "blank";
    default:
      return fmt::format("'{}'", delimiter);
  }
}

std::string describe_dialect(const CsvDialect& d) {
  const std::string quotes = d.quote == '\0'       ? "no quotes"
                             : d.escape == d.quote ? fmt::format("quote {} doubled", d.quote)
                             : d.escape == '\0'    ? fmt::format("quote {} without escape", d.quote)
                                                   : fmt::format("quote {} behind {}", d.quote, d.escape);
  return fmt::format("separator {}{}, {}, {} fields, header {}, preamble {}, footnote {}",
                     describe_delimiter(d.delimiter), d.trim ? " and blanks" : "", quotes, d.fields, d.header,
                     d.preamble, d.footnote);
}

}  // namespace maeil::format
