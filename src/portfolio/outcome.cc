// From what the columns show to the flag: the separable book's default score and threshold, the draw of the
// flag in both books, and the loan's state before and after the month.
//
// A loan that fails is 30 days past due at the month's end at the latest, so its days before and after differ
// by the month. The state after the month says what the flag says: it leaks, as it does in a real book, and
// the preparation drops it.
#include "portfolio/record.h"

namespace maeil::portfolio {
namespace {

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

std::array<double, kDriverCount> shown_drivers(const Record& record, double balance,
                                               const ScenarioSetting& scenario) {
  const Borrower& borrower = record.borrower;
  const Statements& s = record.statements;
  std::array<double, kDriverCount> shown{};
  shown[kRating] = record.rating.final;
  shown[kPrice] = record.loan.rate - (borrower.secured ? 0.0 : kUnsecuredPremium) - scenario.rate_shift;
  shown[kUtilisation] = balance / kSegments[borrower.segment].line;
  shown[kLeverage] = s.debt / s.assets;
  shown[kCoverage] = s.operating_profit / s.interest;
  shown[kCollateral] = borrower.secured ? record.ledger.collateral_ratio : kNone;
  shown[kAge] = record.loan.days_from_start;
  for (size_t id = 0; id < kDriverCount; ++id)
    shown[id] = (shown[id] - kDrivers[id].centre) / kDrivers[id].unit;
  return shown;
}

double default_score(const Record& record, const ScenarioSetting& scenario) {
  const auto shown = shown_drivers(record, record.ledger.drawn, scenario);
  double score = 0.0;
  for (size_t id = 0; id < kDriverCount; ++id)  // a missing driver adds nothing
    score += std::isnan(shown[id]) ? 0.0 : kDrivers[id].weight * shown[id];
  const Sector& sector = kSectors[record.borrower.sector];
  score += sector.effect + (sector.cyclical ? scenario.sector_shock : 0.0);
  score += kWonWeight * (record.loan.won - scenario.won_shift - kWonPivot);
  return score;
}

Outcome draw_outcome(Draw& draw, const Record& record, Book book, const ScenarioSetting& scenario) {
  Outcome outcome;
  if (book == Book::kRealistic) {
    outcome.probability = default_probability(record, scenario);
    outcome.defaulted = draw.chance(outcome.probability);
  } else {
    outcome.defaulted = default_score(record, scenario) + kLuck * draw.normal() > scenario.threshold;
  }
  const double days_before = draw.whole(1, 29), days_after = draw.whole(1, 29);
  const bool was_late = draw.chance(0.06), is_late = draw.chance(0.05), bankrupt = draw.chance(0.06);
  const double weaker_half = draw.uniform();

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
