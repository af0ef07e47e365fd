// How deep a JSON text is nested, seen before it is parsed. nlohmann's parser and destructor need no stack for it, but copies of what was
// parsed do, and an ordered_json object copies its members whenever it grows: 400 KB of brackets end in a crash.
#pragma once

#include <string_view>

namespace maeil {

inline constexpr int kMaxJsonDepth = 64;  // our own files need 7

// Whether arrays and objects lie deeper than `most` in one another; of a text that is no JSON it means nothing.
inline bool json_nested_deeper(std::string_view json, int most = kMaxJsonDepth) {
  int depth = 0;
  bool text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (text) {
      if (c == '\\') ++i;
      else if (c == '"') text = false;
    } else if (c == '"') {
      text = true;
    } else if (c == '[' || c == '{') {
      if (++depth > most) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace maeil
