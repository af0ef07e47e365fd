#include "copula/sdv.h"
namespace maeil::copula { Result<CopulaModel> read_sdv_model(std::string_view, const std::string& f) { return bad_input(f + ": not yet"); } }
