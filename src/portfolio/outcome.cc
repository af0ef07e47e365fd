// From what the columns show to the flag: the default score, the threshold, and the loan's state before and
// after the month.
//
// A loan that fails is 30 days past due at the month's end at the latest, so its days before and after differ
// by the month. The state after the month says what the flag says: it leaks, as it does in a real book, and
// the preparation drops it.
#include "portfolio/record.h"

namespace maeil::portfolio {
namespace {

double in_units(DriverId id, double value) { return (value - kDrivers[id].centre) / kDrivers[id].unit; }

// A missing driver adds nothing.
double contribution(DriverId id, double value) {
  return std::isnan(value) ? 0.0 : kDrivers[id].weight * in_units(id, value);
}

std::string_view risk_grade(const Rating& rating, double weaker_half, bool person) {
  if (person) return kPersonRiskGrade;
  if (std::isnan(rating.final)) return {};
  return kRiskGrades[static_cast<size_t>(rating.final) - 1][weaker_half > 0.5];
}

// Splits the balance over the quality classes; of a class-3 loan the part that collateral covers stays
// special mention.
void split_balance(State& state, double balance, double collateral_ratio) {
  state.sum = balance;
  state.normal = state.quality == 1.0 ? balance : 0.0;
  state.under = state.quality == 3.0 ? round4(balance * std::max(0.2, 1.0 - collateral_ratio)) : 0.0;
  state.special = round4(balance - state.normal - state.under);
}

}  // namespace

double default_score(const Record& record, const ScenarioSetting& scenario) {
  const Borrower& borrower = record.borrower;
  const Statements& s = record.statements;
  const double premium = borrower.secured ? 0.0 : kUnsecuredPremium;
  double score = contribution(kRating, record.rating.final);
  score += contribution(kPrice, record.loan.rate - premium - scenario.rate_shift);
  score += contribution(kUtilisation, record.ledger.drawn / kSegments[borrower.segment].line);
  score += contribution(kLeverage, s.debt / s.assets);
  score += contribution(kCoverage, s.operating_profit / s.interest);
  score += contribution(kCollateral, borrower.secured ? record.ledger.collateral_ratio : kNone);
  score += contribution(kAge, record.loan.days_from_start);
  const Sector& sector = kSectors[borrower.sector];
  score += sector.effect + (sector.cyclical ? scenario.sector_shock : 0.0);
  score += kWonWeight * (record.loan.won - scenario.won_shift - kWonPivot);
  return score;
}

Outcome draw_outcome(Draw& draw, const Record& record, const ScenarioSetting& scenario) {
  Outcome outcome;
  const double luck = kLuck * draw.normal();
  const double days_before = draw.whole(1, 29), days_after = draw.whole(1, 29);
  const bool was_late = draw.chance(0.06), is_late = draw.chance(0.05), bankrupt = draw.chance(0.06);
  const double weaker_half = draw.uniform();
  outcome.defaulted = default_score(record, scenario) + luck > scenario.threshold;

  const std::chrono::year_month_day observed{record.loan.observed};
  const double month = static_cast<double>(
      static_cast<unsigned>((observed.year() / observed.month() / std::chrono::last).day()));
  // A default of a fresh loan counts from the loans it replaced.
  const double past_due_before = outcome.defaulted ? days_before : was_late ? days_before : 0.0;

  State& after = outcome.after;
  after.days_past_due = outcome.defaulted ? past_due_before + month : is_late ? days_after : 0.0;
  after.bankrupt = outcome.defaulted && bankrupt ? 1.0 : 0.0;
  after.quality = !outcome.defaulted ? 1.0 : bankrupt ? 3.0 : 2.0;
  after.bond_adjusted = record.registry.bond_readjusted == 1.0 ? 1.0 : 2.0;
  after.no_profit = after.quality == 3.0 ? 4.0 : 0.0;
  after.no_profit_candidate = 1.0;
  after.grade = risk_grade(record.rating, weaker_half, record.borrower.person);
  split_balance(after, record.ledger.after, record.ledger.collateral_ratio);

  if (std::isnan(record.ledger.before)) return outcome;  // no state before: a fresh loan or a late feed
  State& before = outcome.before;
  before = after;
  before.days_past_due = past_due_before;
  before.bankrupt = 0.0;
  before.quality = 1.0;
  before.no_profit = 0.0;
  split_balance(before, record.ledger.before, record.ledger.collateral_ratio);
  return outcome;
}

}  // namespace maeil::portfolio
