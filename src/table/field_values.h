// What the text of a CSV field is: missing, a number, a date. As pandas reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::table {

// pandas' default na_values.
bool is_missing(std::string_view text);

// A finite decimal number that takes the whole text, with a "+" before it or without.
std::optional<double> read_number(std::string_view text);

// Whether the text of a number says more than a double of it: leading zeros, as codes have them, or a whole number beyond 2^53.
bool loses_digits(std::string_view text);

// "True", "TRUE", "true" and the same of false, which pandas reads as booleans.
std::optional<bool> read_boolean(std::string_view text);

// The directives of Python's strptime that datetime_format uses: %Y %y %m %d %b %B %H %M %S %f, "%-d" as "%d". Other characters stand for
// themselves. Month names in English, any case. Dates of the proleptic Gregorian calendar.
class DateFormat {
 public:
  // kBadInput: another directive, or a "%" at the end.
  static Result<DateFormat> parse(std::string_view format);
  // Seconds since 1970; nothing where the text is not of the format or no date.
  std::optional<double> read(std::string_view text) const;

 private:
  struct Part {
    char directive;  // 0: a literal character
    char literal;
  };
  std::vector<Part> parts_;
};

// Dates that are recognised without a format: 2024-05-31, with "T" or " " and HH:MM:SS after it, and 31MAY2024.
std::optional<double> read_date(std::string_view text);

}  // namespace maeil::table
