// One column of a synthesizer: its rdt transformer, its data formatter and its dtype become what the column
// is drawn and written as.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "copula/model.h"
#include "copula/sdv_value.h"

namespace maeil::copula {

struct SdvColumn {
  std::string name;
  SdvValue transformer;
  // none: the copula does not draw the column (a key, an id, a person's data)
  std::optional<SdvValue> univariate;
  std::optional<SdvValue> formatter;  // DataProcessor.formatters, applied after the transformer
  std::string dtype;                  // pandas' name (format/pandas.h) of the column that was fitted
};

// Appends to `notes` where what is drawn differs from what SDV would draw. kBadInput for transformers that
// are not read, by name. `text_left`: see take_text.
Result<ColumnModel> read_sdv_column(const SdvColumn& column, std::vector<std::string>& notes,
                                    uint64_t& text_left);

}  // namespace maeil::copula
