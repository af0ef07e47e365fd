// How a number column is written in CSV files: a float64 as pandas does ("5.0"), or a whole number ("5").
#pragma once

namespace maeil {

enum class NumberFormat { kFloat, kInteger };

}  // namespace maeil
