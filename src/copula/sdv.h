// Reading SDV's pickled GaussianCopulaSynthesizer (1.32.0; rdt 2.0, copulas 0.14) without executing anything.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "copula/model.h"

namespace maeil::copula {

// kBadInput, naming the file and what was found instead: another class, a transformer or marginal that is not known by
// name, a part that is missing.
Result<CopulaModel> read_sdv_model(std::string_view bytes, const std::string& file_name);

}  // namespace maeil::copula
