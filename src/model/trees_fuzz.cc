// Any bytes as XGBoost's JSON, or as a whole .maeil file: refused, or trees that score every row.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "model/boosted_trees.h"
#include "model/maeil_file.h"
#include "model/test_book.h"

namespace maeil::model {
namespace {

void score(const Predictor& predictor) {
  Samples rows;
  rows.codes = {0, 0, 2, 39, -1, -1, 1, 17};
  rows.numbers = {0, 0, 0, -1e30f, 1e30f, 1, NAN, NAN, NAN, 0.5f, std::numeric_limits<float>::max(), -0.0f};
  rows.labels = {0, 0, 0, 0};
  const auto p = predictor.probabilities(rows.view().rows);
  if (!p || p->size() != 4) std::abort();
  for (const double x : *p)
    if (!(x >= 0 && x <= 1) && !std::isnan(x)) std::abort();  // leaves may add up to no number
}

}  // namespace
}  // namespace maeil::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::model;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  static const auto preparation = book_preparation();
  if (const auto trees = BoostedTrees::from_json(bytes, preparation)) score(**trees);
  if (const auto file = parse_maeil_file(bytes, "f", book_spec());
      file && file->preparation->categorical.size() == 2 && file->preparation->numeric.size() == 3)
    score(*file->predictor);
  return 0;
}
