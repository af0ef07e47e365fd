// Any bytes as scorecard.json, or as a whole .maeil file: refused, or a scorecard that scores every row,
// explains it, and is written as it was read.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "model/maeil_file.h"
#include "model/scorecard.h"
#include "model/scorecard_table.h"
#include "model/test_book.h"

namespace maeil::model {
namespace {

void score_and_explain(const Scorecard& card, const prep::Preparation& preparation) {
  Samples rows;
  rows.codes = {0, 0, 2, 39, -1, -1, 1, 17};
  rows.numbers = {0, 0, 0, -1e30f, 1e30f, 1, NAN, NAN, NAN, 0.5f, std::numeric_limits<float>::max(), -0.0f};
  rows.labels = {0, 0, 0, 0};
  const auto p = card.probabilities(rows.view().rows);
  const auto said = card.contributions(rows.view().rows);
  if (!p || p->size() != 4 || !said || said->values.size() != 20) std::abort();
  for (const double x : *p)
    if (!(x >= 0 && x <= 1)) std::abort();
  for (const double x : said->values)
    if (!std::isfinite(x)) std::abort();
  for (const auto& feature : table_of(card, preparation).features)
    for (const auto& bin : feature.bins) describe(bin, feature.categorical, 3);
  const std::string written = card.to_json(preparation);
  const auto again = Scorecard::from_json(written, preparation);
  if (!again || (*again)->to_json(preparation) != written) std::abort();
}

}  // namespace
}  // namespace maeil::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil::model;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  static const auto preparation = book_preparation();
  if (const auto card = Scorecard::from_json(bytes, preparation)) score_and_explain(**card, preparation);
  if (const auto file = parse_maeil_file(bytes, "f", book_spec());
      file && file->preparation->categorical.size() == 2 && file->preparation->numeric.size() == 3) {
    const auto* card = dynamic_cast<const Scorecard*>(file->predictor.get());
    const auto& features = file->preparation->categorical;
    if (card && features[0].cardinality >= 3 && features[1].cardinality >= 40)
      score_and_explain(*card, *file->preparation);
  }
  return 0;
}
