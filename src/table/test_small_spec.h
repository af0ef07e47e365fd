// A small spec for the tests of this folder.
#pragma once

#include <string>

namespace maeil::table {

inline constexpr const char* kSmall = R"(
name = "small"
columns = [
  { name = "id", type = "text", drop = true },
  { name = "code", type = "text", nullable = true },
  { name = "amount", type = "number" },
  { name = "extra", type = "number", optional = true },
  { name = "bad", type = "text" },
]
[target]
column = "bad"
negative = "N"
positive = "Y"
)";

// The same with another type of its target and other lines behind its name in [target].
inline std::string small_spec_with_target(const std::string& type, const std::string& values) {
  std::string text = kSmall;
  text.replace(text.find("\"bad\", type = \"text\""), 21, "\"bad\", type = \"" + type + "\"");
  return text.substr(0, text.find("negative")) + values;
}

}  // namespace maeil::table
