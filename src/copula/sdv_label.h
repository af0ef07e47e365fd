// A category as pandas' to_csv writes it once the column has its dtype back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "copula/sdv_value.h"

namespace maeil::copula {

// None, NaN, pandas' NA and NaT.
bool is_missing_key(format::PickleValue key);

// One text for each key of a dict, "" for the missing ones. `dtype` is pandas' name of the column's. A column
// of dtype object shows each value as Python does, but its whole numbers as floats where it has floats and
// nothing is missing, since pandas then makes one float64 index of them. kBadInput for a value that is no
// text, number, date or Decimal, and for more bytes than take_text allows.
Result<std::vector<std::string>> label_texts(const SdvValue& dict, const std::string& dtype,
                                             uint64_t& text_left);

}  // namespace maeil::copula
