// Texts that people write as lists: "boosted_trees, tab_transformer".
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace maeil {

// Without blanks, tabs and carriage returns around it.
inline std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The parts between the separators, trimmed; an empty part is one, too, and an empty text has one. They are
// views of `text`.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(separator, at), text.size());
    out.push_back(trim(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

}  // namespace maeil
