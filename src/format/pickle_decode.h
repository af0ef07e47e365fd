// The text forms inside pickles: escaped strings of protocol 0, Latin-1, integers wider than 64 bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maeil::format {

// Python's raw-unicode-escape (bytes are Latin-1, \uXXXX and \UXXXXXXXX are code points) as UTF-8. Empty:
// malformed.
std::optional<std::string> decode_raw_unicode(std::string_view line);

// A quoted Python string literal ('...' or "..." with \ escapes) as bytes. Empty: malformed.
std::optional<std::string> decode_quoted(std::string_view line);

// UTF-8 whose code points are all below 256, as Latin-1 bytes. Empty: it has others.
std::optional<std::string> to_latin1(std::string_view utf8);

// Little-endian two's complement, as pickle's LONG1 has it. REQUIRES: bytes.size() <= 8.
int64_t small_integer(std::string_view bytes);
// The same of any length, as decimal digits. Quadratic: callers bound the length.
std::string big_integer(std::string_view bytes);

// The text as error messages may show it: printable ASCII, at most 100 characters.
std::string printable(std::string_view text);

}  // namespace maeil::format
