// The report's pictures as SVG text. Colours are CSS classes, which the page defines for light and dark.
#pragma once

#include <string>
#include <string_view>

#include "quality/columns.h"
#include "quality/scores.h"

namespace maeil::quality {

inline constexpr size_t kShownBins = 30, kShownCategories = 8;  // most bars of numbers, and of texts

// The score's class of the heat map: "s0" (0.99 and more) to "s6" (below 0.6), "sn" without a score;
// kScoreSteps are the bounds between.
inline constexpr double kScoreSteps[] = {0.99, 0.97, 0.95, 0.9, 0.8, 0.6};
std::string_view score_class(double score);

// Share of the real rows (filled) and of the synthetic ones (line) in 30 bins between the real 1 % and 99 %
// quantiles, the first and last bin with all beyond; of a discrete column in its eight most frequent
// categories, the rest together, and missing ones.
std::string distribution_svg(const ColumnPair& column);

// A square for each pair of columns, in the columns' order; its title names them and their score. At most
// kHeatMapColumns columns, the first: `shown` says how many.
inline constexpr size_t kHeatMapColumns = 150;
std::string heat_map_svg(const Scores& scores, size_t& shown);

}  // namespace maeil::quality
