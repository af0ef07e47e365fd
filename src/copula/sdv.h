// SDV's GaussianCopulaSynthesizer (1.x) from its pickle: columns, rdt transformers, marginals and correlation.
#pragma once

#include <string>

#include "base/error.h"
#include "copula/model.h"

namespace maeil::copula {

// `bytes` is a whole .pkl; `file_name` is for errors. Supported: UniformEncoder, FloatFormatter with random or no missing
// values, the marginals of marginal.h, and GaussianKDE as a polygon. kBadInput, by class name, for everything else: other transformers,
// constraints, keys, columns that no copula draws.
Result<CopulaModel> parse_sdv_model(std::string bytes, const std::string& file_name);

}  // namespace maeil::copula
