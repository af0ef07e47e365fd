// How results look: a text table for people, one JSON value for programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/document.h"

namespace maeil::cli {

// Columns as wide as their widest cell (in characters, not bytes), two spaces apart; the header underlined.
void print_table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

void print_json(const store::Document& value);  // indented by two, one newline at the end
void print_line(std::string_view text);         // to standard output
void note(std::string_view text);               // to standard error

// A value of a document as people write it: dates and ids without their wrapping, text without quotes, null as "-".
std::string plain(const store::Document& value);

}  // namespace maeil::cli
