// One simulated loan, piece by piece, in the order in which the story makes the pieces.
//
// A piece is a plain struct and a function that draws it from what came before. A missing number is NaN, a
// missing text empty, a missing date nullopt. Amounts of the ledger are million won with four decimals, of
// the statements thousand won in whole thousands.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "portfolio/draw.h"
#include "portfolio/labels.h"
#include "portfolio/parameters.h"

namespace maeil::portfolio {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
using Date = std::optional<Days>;

// Who borrows, what the bank knows of them, and how strained they are. borrower.cc
struct Borrower {
  size_t segment = 0, sector = 0;
  std::string_view industry_class;  // KSIC; empty: missing
  double size = 1.0;                // relative to the usual firm, log-normal and narrow
  double strain = 0.0;              // hidden; no column shows it
  bool person = false, files_statements = false, rated = false, in_register = true;
  // of the loan, decided here since strain needs them
  bool secured = false, price_known = true, origin_known = true;
  // the value a column shows, NaN where the bank has no such column
  std::array<double, kDriverCount> driver{};
};

// What the customer register says. registry.cc
struct Registry {
  double corporate_scope = kNone, corporate_mark = kNone, foreign_invested = kNone, special_case = kNone;
  double closing_month = kNone, person_or_corporation = kNone, tax = kNone, earner = kNone,
         borrower_mark = kNone;
  double issuer = kNone, nation = kNone, second_nation = kNone, telephone_area = kNone, bis = kNone,
         listed = kNone;
  double corporate_type = kNone, foreign_managed = kNone, registered = kNone, bond_readjusted = kNone;
  double investment_converted = kNone, audit_comment = kNone, employees = kNone, branch = kNone, duty = kNone;
  double employment = kNone, residence = kNone, main_nation = kNone, income = kNone;
  std::string_view special_item, sme_party;
  Date established, registered_on, renewed_on;
  bool established_unknown = false;  // shown as 31DEC9999
};

// Rating review. registry.cc
struct Rating {
  double objective = kNone, final = kNone;
  Date reviewed;
};

// The last closed year's statements, all or nothing. statements.cc
struct Statements {
  double closing = kNone;  // YYYYMM
  double assets = kNone, assets_last = kNone, sales = kNone, sales_last = kNone, current_assets = kNone;
  double current_liabilities = kNone, cash = kNone, interest = kNone, net_income = kNone,
         operating_profit = kNone;
  double operating_profit_last = kNone, cash_flow = kNone, debt = kNone;
};

// The contract and the ledger's balance at both ends of the month. loan.cc
struct Loan {
  Days observed{};
  double won = 0.0, title = 0.0, rate_code = kNone, rate = kNone, days_from_start = kNone,
         days_to_maturity = kNone;
  bool fresh = false;  // granted in the month: no state before it
  Date granted, due;
};
struct Ledger {
  double before = kNone, after = 0.0;  // balance; `before` is NaN for fresh loans and late feeds
  // balance that utilisation is measured on: before, or the first drawing
  double drawn = 0.0;
  double collateral = 0.0, collateral_ratio = 0.0;
};

// State before and after the month, split by asset quality (1 normal, 2 special mention, 3 fixed and under).
// state.cc
struct State {
  double quality = kNone, days_past_due = kNone, normal = kNone, special = kNone, under = kNone, sum = kNone;
  double bankrupt = kNone, bond_adjusted = kNone, no_profit = kNone, no_profit_candidate = kNone;
  std::string_view grade;
  double ratio(double part) const { return sum > 0.0 ? round4(part / sum) : part * 0.0; }
};
struct Outcome {
  bool defaulted = false;
  double probability = kNone;  // of default, which `defaulted` was drawn with; NaN: a separable book
  State before, after;
};

struct Record {
  Borrower borrower;
  Registry registry;
  Rating rating;
  Statements statements;
  Loan loan;
  Ledger ledger;
  Outcome outcome;
};

// Whether the bank has on file what the driver is read from.
bool has_driver(const Borrower& borrower, DriverId id);
// Segment, industry and size alone, as both books have them.
Borrower draw_identity(Draw& draw);
// Of the separable book; of the realistic one. realistic_borrower.cc
Borrower draw_borrower(Draw& draw);
Borrower draw_realistic_borrower(Draw& draw);
Loan draw_loan(Draw& draw, const Borrower& borrower, const ScenarioSetting& scenario);
Ledger draw_ledger(Draw& draw, const Borrower& borrower, const Loan& loan);
Registry draw_registry(Draw& draw, const Borrower& borrower, const Loan& loan);
Rating draw_rating(Draw& draw, const Borrower& borrower, const Loan& loan);
Statements draw_statements(Draw& draw, const Borrower& borrower, const Loan& loan, const Registry& registry);
// REQUIRES: every piece but the outcome is in `record`.
Outcome draw_outcome(Draw& draw, const Record& record, Book book, const ScenarioSetting& scenario);

// The seven drivers as the columns show them, each in its units from its centre; NaN: missing. `balance` is
// what utilisation is measured on.
std::array<double, kDriverCount> shown_drivers(const Record& record, double balance,
                                               const ScenarioSetting& scenario);

// The separable book's default score, in units of strain, without luck: a function of what the columns show
// (and of the sector shock).
double default_score(const Record& record, const ScenarioSetting& scenario);

// The realistic book's probability of default within the month, to eight decimals: a function of what the
// columns show and of nothing else (and of the scenario). realistic_score.cc
double default_probability(const Record& record, const ScenarioSetting& scenario);

}  // namespace maeil::portfolio
