// What people write and read about dialects: the characters by name, and the doubts about a guess with all
// readings side by side.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv_dialect.h"
#include "format/text_file.h"

namespace maeil::format {

inline constexpr size_t kSampleBytes = 1 << 20;  // of a text, for the guess of its dialect

// The start of the text, cut behind a line end where there is one.
std::string_view sample_of(std::string_view text);

// A single character, or "tab", "\t", "comma", "semicolon", "pipe", "blank", "none" ('\0').
std::optional<char> parse_dialect_character(std::string_view text);

// How people name what they can say themselves.
struct DialectKeys {
  std::string_view encoding, delimiter, quote, header;
};

enum class Layout { kLines, kOneLine };

// Each guess that nothing in the file decides, with its readings and the key that decides it, the likelier
// first; empty: all is clear.
std::vector<std::string> dialect_doubts(const TextFile& text, const DialectGuess& guess,
                                        const DialectKeys& keys, Layout layout);

const char* name_of(LineEnd end);
const char* name_of(Compression compression);

}  // namespace maeil::format
