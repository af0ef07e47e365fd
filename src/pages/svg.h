// What the pages' pictures are drawn with. Colours are CSS classes, which the page defines for light and
// dark; each picture says what it shows to whoever hears the page, and each mark its numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maeil::pages {

inline constexpr int kWidth = 300, kHeight = 120, kBaseline = 104;  // of a picture, in its own units

// Both escape what they are given.
std::string open_svg(const std::string& label);  // of kWidth and kHeight; `label` is read out loud
std::string svg_text(double x, double y, const char* anchor, const std::string& content);

// Rows by probability: `counts` of equal steps from 0 to 1.
std::string histogram_svg(const std::string& label, const std::vector<double>& counts);

// What was observed of rows of like probability, with its interval, against what was said: on the diagonal
// both are equal.
struct Observed {
  double said = 0, seen = 0, low = 0, high = 0;
};
std::string reliability_svg(const std::string& label, const std::vector<Observed>& bins);

}  // namespace maeil::pages
