#include "copula/sdv.h"

namespace maeil::copula {

Result<CopulaModel> parse_sdv_model(std::string, const std::string& file_name) {
  return bad_input(file_name + ": pickle files are not read yet");
}

}  // namespace maeil::copula
