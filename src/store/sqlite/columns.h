// One column of one piece of prepared rows as bytes, and back.
//
//   numbers  'd' then 8 bytes each (a NaN is the null)
//   integers 'i' then: smallest value (8 bytes), width w of the difference to it (1 byte: 0, 1, 2, 4 or 8), w
//     bytes each
//   text     's' then: count of distinct values (varint), each as length (varint) and bytes, then the codes
//     as integers
// All little endian, as every machine that maeil runs on is. The number of rows is kept beside the bytes.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "store/store.h"

namespace maeil::store::sqlite {

constexpr size_t kPieceRows = 4096;  // 142 columns of numbers: 4.6 MB at a time; `limit(5)` decodes one piece

using ColumnValues = decltype(RowColumn::values);

// values[first, first + count) as bytes.
std::string encode_column(const ColumnValues& values, size_t first, size_t count);

// kBadInput when the bytes are not exactly `rows` values.
Result<ColumnValues> decode_column(std::string_view bytes, size_t rows);

}  // namespace maeil::store::sqlite
