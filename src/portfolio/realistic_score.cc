// The realistic book's probability of default, term by term (realistic_parameters.h).
#include "portfolio/realistic_parameters.h"
#include "portfolio/record.h"

namespace maeil::portfolio {

double default_probability(const Record& record, const ScenarioSetting& scenario) {
  const Borrower& borrower = record.borrower;
  const Ledger& ledger = record.ledger;
  // The last balance that a column shows before the month, or else the one after it.
  auto shown = shown_drivers(record, std::isnan(ledger.before) ? ledger.after : ledger.before, scenario);
  const bool filed = !std::isnan(shown[kLeverage]), rated = !std::isnan(shown[kRating]);
  for (double& value : shown) {  // what is missing adds nothing by itself
    if (std::isnan(value)) value = 0.0;
  }
  const std::chrono::year_month_day observed{record.loan.observed};
  const double months = static_cast<unsigned>(observed.month()) - kMiddleMonth;

  auto weights = kMainLogOdds;
  if (kSegments[borrower.segment].text == kReversal.segment) weights[kReversal.driver] = kReversal.log_odds;
  for (const WeightDrift& drift : kWeightDrifts) weights[drift.driver] += drift.per_month * months;

  double score = kDriftPerMonth * months;
  for (size_t id = 0; id < kDriverCount; ++id) score += weights[id] * shown[id];
  for (const Interaction& pair : kInteractions) {
    score += pair.log_odds * std::max(0.0, shown[pair.first]) * std::max(0.0, pair.sign * shown[pair.second]);
  }
  if (!borrower.person) score += (filed ? 0.0 : kNotFiledLogOdds) + (rated ? 0.0 : kUnratedLogOdds);
  const Sector& sector = kSectors[borrower.sector];
  score += kSectorLogOdds * sector.effect + (sector.cyclical ? scenario.sector_shock : 0.0);
  return std::round(1e8 * logistic(score - scenario.threshold)) / 1e8;  // the nearest double to the print
}

}  // namespace maeil::portfolio
