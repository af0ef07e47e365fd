#include "table/target_value.h"

#include <fmt/format.h>

#include "table/field_values.h"

namespace maeil::table {
namespace {

// "true" or "false" in lower case; "" for other texts.
std::string_view word_of(std::string_view text) {
  const auto is = [&](std::string_view word) {
    if (text.size() != word.size()) return false;
    for (size_t i = 0; i < word.size(); ++i) {
      const char c = text[i];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) return false;
    }
    return true;
  };
  return is("true") ? "true" : is("false") ? "false" : "";
}

}  // namespace

TargetForms target_forms(std::string_view value) {
  return {.numbers = read_number(value) && !loses_digits(value), .words = !word_of(value).empty()};
}

std::string target_text(std::string_view text, TargetForms forms) {
  if (forms.words) {
    if (const auto word = word_of(text); !word.empty()) return std::string(word);
  }
  if (forms.numbers) {
    if (const auto number = read_number(text); number && !loses_digits(text))
      return fmt::format("{}", *number == 0 ? 0.0 : *number);  // -0 is 0
  }
  return std::string(text);
}

}  // namespace maeil::table
