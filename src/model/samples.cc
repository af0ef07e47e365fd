#include "model/samples.h"

namespace maeil::model {

void append(Samples& to, const prep::Prepared& from, size_t row) {
  const size_t C = from.codes.size() / from.rows, N = from.numbers.size() / from.rows;
  const auto codes = from.codes.begin() + static_cast<std::ptrdiff_t>(row * C);
  const auto numbers = from.numbers.begin() + static_cast<std::ptrdiff_t>(row * N);
  to.codes.insert(to.codes.end(), codes, codes + static_cast<std::ptrdiff_t>(C));
  to.numbers.insert(to.numbers.end(), numbers, numbers + static_cast<std::ptrdiff_t>(N));
  to.labels.push_back(from.labels[row]);
}

}  // namespace maeil::model
