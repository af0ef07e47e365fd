// What every store demands of a chunk of rows before it takes it.
#pragma once

#include <string>

#include "store/store.h"

namespace maeil::store {

size_t row_count(const decltype(RowColumn::values)& values);

// kInternal: columns of different lengths, or not those of `columns` (the first chunk's; `first`: there was
// none). kBadInput: a name that no field may have, two columns of one name, too many columns. `label` begins
// the message.
Status check_row_shape(const std::string& label, const RowChunk& columns, bool first, const RowChunk& chunk);

}  // namespace maeil::store
