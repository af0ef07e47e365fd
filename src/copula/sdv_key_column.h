// Columns that SDV makes up instead of drawing them: keys, ids, and what identifies a person.
#pragma once

#include <string>
#include <vector>

#include "copula/sdv_column.h"

namespace maeil::copula {

// A pattern that the column's texts follow, another one in every row: RegexGenerator's expression,
// IDGenerator's and IndexGenerator's prefix and number, and AnonymizedFaker's bothify, lexify, numerify and
// random_int. Any other of its functions (names, addresses) becomes that function's name and the row's
// number, which a note says. kBadInput for other transformers, by name.
Result<KeyForm> read_sdv_generator(const SdvColumn& column, std::vector<std::string>& notes);

}  // namespace maeil::copula
