// What the text of a CSV field is: missing, a number, a truth value. As pandas reads it; the one reader of
// all commands. Dates: dates.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace maeil::table {

// pandas' default na_values: what is missing in columns of numbers and dates. In a column of texts only the
// empty field is.
bool is_missing(std::string_view text);

// A finite decimal number that takes the whole text, with a "+" before it or without, blanks around it left
// aside.
std::optional<double> read_number(std::string_view text);

// A number with commas between groups of three digits: "1,234", "-1,234,000.5". Nothing for one without a
// comma.
std::optional<double> read_grouped_number(std::string_view text);
// Whether such a number cannot be one with a decimal comma: "1,234" can, "1,234,000" and "1,234.5" cannot.
bool is_surely_grouped(std::string_view text);
// A number that is written with a comma for the decimal point, or with points between groups: "4,41",
// "1.234,5", "1.234.567".
bool has_decimal_comma(std::string_view text);

// Nothing but digits, what people put between, before and behind them ("1 234", "5 %", "(1,000)", "$5"): for
// notes, not for reading.
bool looks_like_number(std::string_view text);

// Whether the text of a number says more than a double of it: leading zeros, as codes have them, or a whole
// number beyond 2^53, with commas between its thousands or without.
bool loses_digits(std::string_view text);

// "True", "TRUE", "true" and the same of false, which pandas reads as booleans.
std::optional<bool> read_boolean(std::string_view text);

}  // namespace maeil::table
