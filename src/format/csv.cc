// Looking for line ends is the only serial work of reading, so a line without quotes costs two memchr-like
// passes.
#include "format/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace maeil::format {

CsvReader::CsvReader(std::string_view bytes, std::string file_name)
    : bytes_(bytes), file_name_(std::move(file_name)) {
  if (bytes_.starts_with(kUtf8Bom)) bytes_.remove_prefix(kUtf8Bom.size());
}

namespace {

// The length of the record at the start of `window`, and the line feeds inside it. A quote opens a field only
// at the field's start, as in RFC 4180: the one in 5" is text, and does not swallow the lines that follow.
struct Extent {
  size_t length = 0;
  uint64_t line_feeds = 0;
  bool closed = true;  // no quote is still open where the window ends
};

Extent measure_record(std::string_view window) {
  const char* newline = static_cast<const char*>(std::memchr(window.data(), '\n', window.size()));
  const std::string_view line = window.substr(0, newline ? newline - window.data() : window.size());
  if (line.find('"') == std::string_view::npos) return {line.size(), 0, true};
  Extent out;
  size_t at = 0;
  for (;;) {  // once a field
    if (at < window.size() && window[at] == '"') {
      for (++at;
           at < window.size() && (window[at] != '"' || (at + 1 < window.size() && window[at + 1] == '"'));
           ++at) {
        out.line_feeds += window[at] == '\n';
        at += window[at] == '"';
      }
      if (at >= window.size()) return {window.size(), out.line_feeds, false};
      ++at;
    }
    at = std::min(window.find_first_of(",\n", at), window.size());
    if (at == window.size() || window[at] == '\n') return {at, out.line_feeds, true};
    ++at;
  }
}

}  // namespace

Result<bool> CsvReader::next(CsvRecord& record) {
  while (at_ < bytes_.size()) {
    const uint64_t line = line_;
    const std::string_view window = bytes_.substr(at_, kMaxCsvRecord + 1);
    const Extent extent = measure_record(window);
    if (extent.length > kMaxCsvRecord) {
      return bad_input(fmt::format("{}:{}: the record that starts here is longer than {} bytes{}", file_name_,
                                   line, kMaxCsvRecord,
                                   extent.closed ? "" : ": a quote that opens in it is not closed by then"));
    }
    if (!extent.closed)
      return bad_input(
          fmt::format("{}:{}: the quote that opens in this record is never closed", file_name_, line));
    at_ += extent.length + 1;
    line_ += extent.line_feeds + 1;
    std::string_view bytes = window.substr(0, extent.length);
    if (bytes.ends_with('\r')) bytes.remove_suffix(1);
    if (bytes.empty()) continue;
    record = {bytes, line};
    return true;
  }
  return false;
}

std::string_view split_record(std::string_view record, std::vector<std::string_view>& fields,
                              std::deque<std::string>& unescaped, size_t max_fields) {
  fields.clear();
  if (std::memchr(record.data(), '\0', record.size())) return "a NUL byte";
  if (!is_utf8(record)) return "bytes that are not UTF-8";
  size_t at = 0;
  for (;;) {
    if (fields.size() == max_fields) return "more fields than the header";
    if (at < record.size() && record[at] == '"') {
      size_t close = at + 1;
      bool doubled = false;
      for (;; close += 2, doubled = true) {
        close = record.find('"', close);
        if (close == std::string_view::npos) return "a quote that is never closed";
        if (close + 1 >= record.size() || record[close + 1] != '"') break;
      }
      std::string_view field = record.substr(at + 1, close - at - 1);
      if (doubled) {
        std::string& text = unescaped.emplace_back();
        for (size_t i = 0; i < field.size(); ++i) {
          text += field[i];
          if (field[i] == '"') ++i;
        }
        field = text;
      }
      fields.push_back(field);
      at = close + 1;
      if (at == record.size()) return {};
      if (record[at] != ',') return "text after a closing quote";
      ++at;
    } else {
      const size_t comma = record.find(',', at);
      const size_t end = comma == std::string_view::npos ? record.size() : comma;
      fields.push_back(record.substr(at, end - at));
      if (comma == std::string_view::npos) return {};
      at = comma + 1;
    }
  }
}

bool split_plain(std::string_view record, std::vector<uint32_t>& ends, size_t max_fields) {
  typedef char Bytes __attribute__((vector_size(16)));
  constexpr size_t kStep = sizeof(Bytes);
  ends.resize(max_fields);
  size_t found = 0;
  Bytes any = {};  // becomes nonzero where a byte is a quote, NUL
  Bytes high = {};
  for (size_t at = 0; at < record.size(); at += kStep) {
    Bytes bytes;
    const size_t left = record.size() - at;
    if (left >= kStep) {
      std::memcpy(&bytes, record.data() + at, kStep);
    } else {
      std::memset(&bytes, ' ', kStep);
      std::memcpy(&bytes, record.data() + at, left);
    }
    any |= (bytes == '"') | (bytes == 0);
    high |= bytes;
    const Bytes commas = bytes == ',';
    uint64_t half[2];
    std::memcpy(half, &commas, kStep);
    for (int h = 0; h < 2; ++h) {
      for (uint64_t bits = half[h] & 0x8080808080808080; bits != 0; bits &= bits - 1) {
        if (found == max_fields) return false;
        ends[found++] = static_cast<uint32_t>(at + 8 * static_cast<size_t>(h) +
                                              static_cast<size_t>(std::countr_zero(bits)) / 8);
      }
    }
  }
  if (found == max_fields) return false;
  ends[found++] = static_cast<uint32_t>(record.size());
  ends.resize(found);
  uint64_t words[2];
  std::memcpy(words, &any, kStep);
  if ((words[0] | words[1]) != 0) return false;
  std::memcpy(words, &high, kStep);
  return ((words[0] | words[1]) & 0x8080808080808080) == 0 || is_utf8(record);
}

bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  while (p < end) {
    uint64_t eight;
    if (end - p >= 8 && (std::memcpy(&eight, p, 8), (eight & 0x8080808080808080) == 0)) {
      p += 8;
      continue;
    }
    if (*p < 0x80) {
      ++p;
      continue;
    }
    const int more = *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
    if (*p < 0xC2 || *p > 0xF4 || end - p <= more) return false;
    uint32_t point = *p & (0x3F >> more);
    for (int i = 1; i <= more; ++i) {
      if ((p[i] & 0xC0) != 0x80) return false;
      point = point << 6 | (p[i] & 0x3F);
    }
    if ((more == 2 && (point < 0x800 || (point >= 0xD800 && point < 0xE000))) ||
        (more == 3 && (point < 0x10000 || point > 0x10FFFF))) {
      return false;
    }
    p += more + 1;
  }
  return true;
}

std::string clip_utf8(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  while (max_bytes > 0 && (text[max_bytes] & 0xC0) == 0x80) --max_bytes;
  return std::string(text.substr(0, max_bytes)) + "...";
}

void append_csv_text(std::string& out, std::string_view field) {
  const bool plain = std::none_of(field.begin(), field.end(),
                                  [](char c) { return c == '"' || c == ',' || c == '\r' || c == '\n'; });
  if (plain) {
    out += field;
    return;
  }
  out += '"';
  for (char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace maeil::format
