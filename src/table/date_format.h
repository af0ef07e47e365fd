// Dates by a format as Python's strptime has it: a dataset spec's `format`, SDV's datetime_format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::table {

// The directives of Python's strptime that datetime_format uses: %Y %y %m %d %b %B %H %M %S %f, "%-d" as
// "%d". Other characters stand for themselves. Month names in English, any case. Immutable.
class DateFormat {
 public:
  // kBadInput: another directive, or a "%" at the end.
  static Result<DateFormat> parse(std::string_view format);
  // Seconds since 1970; nothing where the text is not of the format or no date.
  std::optional<double> read(std::string_view text) const;
  // Seconds since 1970 in this format, so that read() gives them back as far as the format has places for
  // them. Letters as `example`, a text of the column, has them: all capitals, all small, or "May".
  std::string write(double seconds, std::string_view example) const;
  const std::string& text() const { return text_; }  // as it was given
  bool has_year() const;                             // else it is a time of day
  bool is_plain() const;                             // read_date reads its texts too, and the same from them

 private:
  struct Part {
    char directive;  // 0: a literal character
    char literal;
  };
  std::string text_;
  std::vector<Part> parts_;
};

}  // namespace maeil::table
