// How a number column is written in CSV, as pandas writes the column's dtype: float64 as "5.0", int64 as "5".
#pragma once

namespace maeil {

enum class NumberFormat { kFloat, kInteger };

}  // namespace maeil
