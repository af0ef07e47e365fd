// What the pictures of both pages (plots.h, column_page.h) are drawn with.
#pragma once

#include <cstddef>
#include <string>

namespace maeil::quality {

inline constexpr int kWidth = 300, kHeight = 120, kBaseline = 104;  // of a column's picture, in its own units
inline constexpr size_t kShownBins = 30, kShownCategories = 8;      // most bars of numbers, and of texts

// Both escape what they are given.
std::string open_svg(const std::string& label);  // of kWidth and kHeight; `label` is read out loud
std::string svg_text(double x, double y, const char* anchor, const std::string& content);

}  // namespace maeil::quality
