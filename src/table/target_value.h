// Which texts of a file are the same value of a target. A spec says `positive = 1`, and files have 1, 1.0 or
// "1"; it says `positive = true`, and files have True, TRUE or true. What a spec calls a number is compared
// by value, what it calls true or false as that word in any case, all else character by character.
#pragma once

#include <string>
#include <string_view>

namespace maeil::table {

// What may be written in more than one way.
struct TargetForms {
  bool numbers = false, words = false;
};

// Of a value that the spec names: a number that loses nothing as one ("007" is a text), true or false.
TargetForms target_forms(std::string_view value);

// The one text that stands for all of the same value: "1" for "1.0", "true" for "TRUE"; else `text`.
std::string target_text(std::string_view text, TargetForms forms);

}  // namespace maeil::table
