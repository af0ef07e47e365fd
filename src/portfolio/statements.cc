// The last closed year's financial statements of those who file: debt follows leverage, operating profit
// follows interest coverage, and the rest follows from these and the firm's size. Thousand won, rounded to
// whole thousands as filed.
#include "portfolio/record.h"

namespace maeil::portfolio {
namespace {

// The usual firm that files: 1.8 billion won of assets.
constexpr double kAssets = 1.8e6;
constexpr double kThousand = 1000.0;
constexpr double kTaxRate = 0.2;

}  // namespace

Statements draw_statements(Draw& draw, const Borrower& borrower, const Loan& loan, const Registry& registry) {
  const double turnover = draw.normal_within(0.85, 0.12, 0.4, 1.4);
  const double growth = draw.normal_within(0.05, 0.06, -0.15, 0.25);
  const double sales_growth = growth + draw.normal_within(0.0, 0.04, -0.1, 0.1);
  const double cost_gap = draw.normal_within(0.0, 0.25, -0.6, 0.6);
  const double current_share = draw.normal_within(0.42, 0.07, 0.2, 0.65);
  const double short_debt_share = draw.normal_within(0.5, 0.08, 0.25, 0.75);
  const double cash_share = draw.normal_within(0.2, 0.05, 0.05, 0.4);
  const double profit_change = draw.normal_within(0.0, 0.15, -0.4, 0.4);
  const double depreciation = draw.normal_within(0.03, 0.005, 0.01, 0.05);
  Statements s;
  if (!borrower.files_statements) return s;

  s.closing = 202300.0 + (std::isnan(registry.closing_month) ? 12.0 : registry.closing_month);
  s.assets = round_to(kAssets * borrower.size, kThousand);
  s.debt = round_to(borrower.driver[kLeverage] * s.assets, kThousand);
  // What all lenders together charge, near this loan's own price where it is known.
  const double cost = (std::isnan(loan.rate) ? kDrivers[kPrice].centre : loan.rate) + cost_gap;
  s.interest = round_to(std::max(0.01, cost / 100.0) * s.debt, 100.0);
  s.operating_profit = round_to(borrower.driver[kCoverage] * s.interest, 100.0);
  s.assets_last = round_to(s.assets / (1.0 + growth), kThousand);
  s.sales = round_to(turnover * s.assets, kThousand);
  s.sales_last = round_to(s.sales / (1.0 + sales_growth), kThousand);
  s.current_assets = round_to(current_share * s.assets, kThousand);
  s.current_liabilities = round_to(short_debt_share * s.debt, kThousand);
  s.cash = round_to(cash_share * s.current_assets, kThousand);
  const double before_tax = s.operating_profit - s.interest;
  s.net_income = round_to(before_tax > 0.0 ? (1.0 - kTaxRate) * before_tax : before_tax, 100.0);
  s.operating_profit_last = round_to(s.operating_profit + profit_change * s.interest, 100.0);
  s.cash_flow = round_to(s.net_income + depreciation * s.assets, 100.0);
  return s;
}

}  // namespace maeil::portfolio
