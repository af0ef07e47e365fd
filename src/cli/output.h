// How results look: a text table for people, one JSON value for programs.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/document.h"

namespace maeil::cli {

// Columns as wide as their widest cell (in characters, not bytes), two spaces apart; the header underlined.
void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

void print_json(const store::Document& value);  // indented by two, one newline at the end
void print_line(std::string_view text);         // to standard output

// What goes to standard error (LOG_LEVEL). kInfo: also what a day does, and progress; kWarning: what someone
// should look at; kError: the one sentence with which a command or a day ends. A command's own answer, on
// standard output, is not a log.
enum class LogLevel { kDebug, kInfo, kWarning, kError };
std::optional<LogLevel> parse_log_level(std::string_view name);  // "info", also in Python's capitals
void set_log_level(LogLevel level);                              // before threads are started
void note(std::string_view text, LogLevel level = LogLevel::kInfo);
void note_task_line(std::string_view line);  // a task's own log: lines that begin with "warning" are warnings

// kUsage when a command would write over a file that it reads (the same file, whatever it is called), over a
// database, or what check_output_path refuses: before the command does its work. Empty names are none.
Status check_output(const std::string& out, std::initializer_list<std::string> inputs);

// Whether both names stand for one file, be it there or not. REQUIRES: neither is empty.
bool same_place(const std::string& a, const std::string& b);

// Asks on the terminal; false where nobody can be asked.
bool confirmed(const char* question);

// A value of a document as people write it: dates and ids without their wrapping, text without quotes, null
// as "-".
std::string plain(const store::Document& value);

}  // namespace maeil::cli
