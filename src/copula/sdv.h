// SDV's GaussianCopulaSynthesizer (1.10 to 2.0) from its pickle: columns, rdt transformers, marginals and
// correlation. Rows are drawn from it by sampler.h.
#pragma once

#include <string>

#include "base/error.h"
#include "copula/model.h"

namespace maeil::copula {

// `bytes` is a whole .pkl as save() wrote it; `file_name` is for errors. What is read, and as what:
// docs/formats/copula.md, "From SDV". kBadInput, naming the column, the class and the way to it, for
// everything else: other synthesizers, one that was not fitted, constraints, other transformers and
// marginals, a needed value of a class that is not known.
Result<CopulaModel> parse_sdv_model(std::string bytes, const std::string& file_name);

}  // namespace maeil::copula
