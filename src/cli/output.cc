#include "cli/output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include "base/output_path.h"
#include "base/progress.h"

namespace maeil::cli {
namespace {

LogLevel log_level = LogLevel::kInfo;

// Terminal cells of UTF-8 text: one a code point, two for Hangul and its like (U+1100-115F, U+2E80-A4CF,
// U+AC00-D7A3).
size_t cells(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    const unsigned char lead = text[i];
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = length == 1 ? lead : lead & (0x7F >> length);
    for (size_t k = 1; k < length && i + k < text.size(); ++k) point = point << 6 | (text[i + k] & 0x3F);
    const bool wide = (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
                      (point >= 0xAC00 && point <= 0xD7A3);
    width += wide ? 2 : 1;
    i += length;
  }
  return width;
}

}  // namespace

void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> width;
  for (const auto& name : header) width.push_back(cells(name));
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], cells(row[i]));
  }
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text;
    for (size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(width[i] - cells(row[i]) + 2, ' ');
    }
    print_line(text);
  };
  line(header);
  std::vector<std::string> rule;
  for (size_t w : width) rule.push_back(std::string(w, '-'));
  line(rule);
  for (const auto& row : rows) line(row);
}

void print_json(const store::Document& value) {
  print_line(value.dump(2, ' ', false, store::Document::error_handler_t::replace));
}

void print_line(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

std::optional<LogLevel> parse_log_level(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::pair<std::string_view, LogLevel> kLevels[] = {{"debug", LogLevel::kDebug},
                                                               {"info", LogLevel::kInfo},
                                                               {"warning", LogLevel::kWarning},
                                                               {"error", LogLevel::kError}};
  for (const auto& [known, level] : kLevels) {
    if (lower == known) return level;
  }
  return std::nullopt;
}

void set_log_level(LogLevel level) {
  log_level = level;
  Progress::show(level <= LogLevel::kInfo);
}

void note(std::string_view text, LogLevel level) {
  if (level >= log_level) std::fputs(fmt::format("{}\n", text).c_str(), stderr);
}

void note_task_line(std::string_view line) {
  const auto begin = std::min(line.find_first_not_of(' '), line.size());
  note(line, line.substr(begin).starts_with("warning") ? LogLevel::kWarning : LogLevel::kInfo);
}

bool confirmed(const char* question) {
  if (::isatty(STDIN_FILENO) == 0) return false;
  fmt::print(stderr, "{}", question);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

std::string plain(const store::Document& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (const std::string id = store::id_text(value); !id.empty()) return id;
  if (const auto instant = store::instant_of(value)) return format_instant(*instant);
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (value.is_object()) {
    std::string text;
    for (const auto& [name, item] : value.items())
      text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", name, plain(item));
    return "{" + text + "}";
  }
  if (value.is_array()) {
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : ", ") + plain(item);
    return "[" + text + "]";
  }
  return value.dump();
}

bool same_place(const std::string& a, const std::string& b) {
  if (a == b) return true;
  std::error_code no_such_folder;
  // Absolute first: of a relative name of which nothing is there the canonical one stays relative.
  const auto one = std::filesystem::weakly_canonical(std::filesystem::absolute(a), no_such_folder);
  const auto other = std::filesystem::weakly_canonical(std::filesystem::absolute(b), no_such_folder);
  return !one.empty() && one == other;
}

Status check_output(const std::string& out, std::initializer_list<std::string> inputs) {
  if (out.empty()) return {};
  MAEIL_TRY(check_output_path(out));
  for (const auto& in : inputs) {
    std::error_code absent;
    if (!in.empty() && std::filesystem::equivalent(out, in, absent)) {
      return usage_error(
          fmt::format("{} would be written over what it is made from: name another file", out));
    }
  }
  constexpr std::string_view kSqlite = "SQLite format 3";  // how its files begin
  char begin[kSqlite.size()] = {};
  std::ifstream(out, std::ios::binary).read(begin, sizeof begin);
  if (std::string_view(begin, sizeof begin) == kSqlite)
    return usage_error(fmt::format("{} is a database, and would be replaced: name another file", out));
  return {};
}

}  // namespace maeil::cli
