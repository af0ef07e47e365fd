// The contract (product, price, dates) and the ledger (balance before and after the month, collateral).
#include "portfolio/record.h"

namespace maeil::portfolio {
namespace {

// the year every loan is observed in, whatever the logical date; see docs/portfolio.md
constexpr int kYear = 2024;
using std::chrono::days;

}  // namespace

Loan draw_loan(Draw& draw, const Borrower& borrower, const ScenarioSetting& scenario) {
  Loan loan;
  const MonthEnd& month = kMonthEnds[static_cast<size_t>(draw.whole(0, 11))];
  loan.observed =
      Days{std::chrono::year{kYear} / static_cast<int>(month.month) / static_cast<int>(month.day)};
  loan.won = month.won + scenario.won_shift;
  const double secured = draw.code(kSecuredTitles), unsecured = draw.code(kUnsecuredTitles),
               person = draw.code(kPersonTitles);
  loan.title = borrower.person ? person : borrower.secured ? secured : unsecured;
  const double rate_code = draw.code(kRateCodes);
  if (borrower.price_known) {
    const double premium = borrower.secured ? 0.0 : kUnsecuredPremium;
    loan.rate_code = rate_code;
    loan.rate = round2(borrower.driver[kPrice] + premium + scenario.rate_shift);
  }
  const double first_days = draw.whole(0, 30);
  if (borrower.origin_known) {
    const double age = std::round(borrower.driver[kAge]);
    loan.days_from_start = age < 31.0 ? first_days : age;  // granted within the month, on any day of it
    loan.granted = loan.observed - days{static_cast<int>(loan.days_from_start)};
    loan.fresh = loan.days_from_start < 31.0;
  }
  const bool on_demand = draw.chance(kDemandLoan);
  // Secured loans run longer; one in fifty is past its due date and being renewed.
  const double left =
      draw.chance(0.02) ? -draw.whole(1, 90) : 30.0 + (borrower.secured ? 2200.0 : 900.0) * draw.uniform();
  if (!on_demand) {
    loan.days_to_maturity = std::round(left);
    loan.due = loan.observed + days{static_cast<int>(loan.days_to_maturity)};
  }
  return loan;
}

Ledger draw_ledger(Draw& draw, const Borrower& borrower, const Loan& loan) {
  Ledger ledger;
  ledger.drawn = round4(borrower.driver[kUtilisation] * kSegments[borrower.segment].line);
  const double movement = 1.0 + draw.normal_within(0.0, 0.01, -0.03, 0.03);
  const bool late_feed = draw.chance(kLateFeed);
  ledger.after = loan.fresh ? ledger.drawn : round4(ledger.drawn * movement);
  if (!loan.fresh && !late_feed) ledger.before = ledger.drawn;
  if (borrower.secured) {
    ledger.collateral = std::round(borrower.driver[kCollateral] * ledger.after);
    ledger.collateral_ratio =
        std::min(kDrivers[kCollateral].highest, round4(ledger.collateral / ledger.after));
  }
  return ledger;
}

}  // namespace maeil::portfolio
