// Every constant that decides how hard the separable book is to learn and what a scenario does to it. The
// realistic book has the drivers' columns in common with it; the rest is in realistic_parameters.h.
//
// The story in one paragraph (docs/portfolio.md tells it in full): each borrower carries a hidden strain, 0
// for the healthy, 1 for the stretched, 2 for the distressed. Strain shows in seven risk drivers (rating,
// price, utilisation, leverage, interest coverage, collateral, age of the loan), each with noise of its own.
// The default score is the weighted sum of the drivers *as the columns report them*, in units of strain, plus
// a sector and a macro term and a little luck; whoever scores above the threshold is a month past due. So the
// flag is a function of the columns, and hidden strain only decides how the columns hang together.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace maeil::portfolio {

enum class Book { kSeparable, kRealistic };

struct BookName {
  Book book;
  std::string_view name;
};
constexpr std::array<BookName, 2> kBooks = {
    {{Book::kSeparable, "separable"}, {Book::kRealistic, "realistic"}}};

// Shares of the book and where they sit on the scale of strain. Three groups, not one bell: a book has few
// borrowers on the edge of default and that is what lets a classifier at p >= 0.5 with balanced weights,
// which sees a default as 14 times as heavy as a healthy loan, reach F1 of 0.85 and more instead of flagging
// half of the neighbourhood.
struct StrainGroup {
  double weight, centre, spread;
};
constexpr std::array<StrainGroup, 3> kStrain = {{
    {0.852, 0.00, 0.12},  // healthy
    {0.084, 0.95, 0.12},  // stretched: they pay in calm years and fall in a recession
    {0.064, 2.10, 0.18},  // distressed
}};

// A driver's column value is centre + unit * d, kept within [lowest, highest], with d = strain / (weights
// available)
// + noise * N(0,1). Units are chosen so that one unit of strain moves the robust-scaled column by about 1
// (collateral, which unsecured loans spread: 0.3). Noise decides how much one driver alone tells: 0.5 leaves
// the sum of all sharp and any two or three of them blurred. Age is nearly all noise, since it is the one
// driver that a broken feed leaves intact: with 0.6 boosting retrained on a broken feed still reached F1 0.72
// by age alone, with 1.8 it reaches 0.16.
struct Driver {
  std::string_view name;
  double weight, noise, centre, unit, lowest, highest;
};
enum DriverId : size_t {
  kRating,
  kPrice,
  kUtilisation,
  kLeverage,
  kCoverage,
  kCollateral,
  kAge,
  kDriverCount
};
constexpr std::array<Driver, kDriverCount> kDrivers = {{
    {"rating", 0.21, 0.50, 3.0, 1.0, 1.0, 7.0},             // brr_fnl_grade, 1 best
    {"price", 0.18, 0.50, 4.3, 0.85, 1.5, 14.0},            // INT_RATE in percent over kUnsecuredPremium
    {"utilisation", 0.19, 0.50, 0.42, 0.13, 0.05, 1.05},    // balance / the segment's standard line
    {"leverage", 0.12, 0.50, 0.36, 0.12, 0.06, 1.10},       // debt / total assets
    {"coverage", 0.12, 0.50, 4.6, -1.35, -3.0, 9.0},        // operating profit / interest expense
    {"collateral", 0.12, 0.50, 0.88, -0.20, 0.03, 1.1095},  // CLLTRL_RATIO of secured loans
    // days since the loan was granted (rolled over and over)
    {"age", 0.06, 1.80, 1100.0, 280.0, 2.0, 4200.0},
}};

// percent points that an unsecured loan costs more; priced, so no risk signal
constexpr double kUnsecuredPremium = 0.9;
// won per dollar at which the macro term is zero (mean of 2024's month ends)
constexpr double kWonPivot = 1369.0;
constexpr double kWonWeight = 0.0015;  // strain per won above it: 1470 against 1320 makes 0.22
// standard deviation of what no column explains; AUC stays at 0.9997
constexpr double kLuck = 0.05;

// Shares of borrowers without a piece of their file, and why.
constexpr double kUnratedFirm = 0.03;    // rating lapsed
constexpr double kUnratedPerson = 0.50;  // scored by the branch instead
constexpr double kPriceUnknown = 0.03;   // rate set by a master agreement that the feed does not carry
constexpr double kOriginUnknown = 0.03;  // migrated account without its first contract
constexpr double kDemandLoan = 0.05;     // repayable on demand: no maturity
// customer register has no such key: every register column is empty
constexpr double kNoPartyRecord = 0.03;
constexpr double kLateFeed = 0.02;  // last month's state arrived too late
constexpr double kSecured = 0.80;

enum class Scenario { kCalm, kRecession, kSectorShock, kBrokenFeed };

struct ScenarioSetting {
  Scenario scenario;
  std::string_view name;
  double threshold;     // score above which a loan is a month past due
  double sector_shock;  // added to the score in the sectors marked `cyclical`
  double won_shift;     // won per dollar
  double rate_shift;    // percent points on every loan; it follows the policy rate and carries no risk
  bool broken;          // the credit file belongs to somebody else
};
constexpr std::array<ScenarioSetting, 4> kScenarios = {{
    // Between stretched and distressed: 6.3 to 6.8 % default in 20,000 rows.
    {Scenario::kCalm, "calm", 1.5, 0.0, 0.0, 0.0, false},
    // Between healthy and stretched: 17 to 18 % default. The columns hardly move, so a model that learnt the
    // calm threshold
    // keeps its precision and loses half of its recall; retraining has to move one boundary. The rate is high
    // enough that even a
    // model that flags 10 % (calm F1 0.80) stays below 2 * 0.10 / (0.10 + 0.175) = 0.73.
    {Scenario::kRecession, "recession", 0.52, 0.0, 30.0, -0.20, false},
    // The stretched of construction and real estate fall: their default rate doubles, the book's grows by a
    // point.
    {Scenario::kSectorShock, "sector_shock", 1.5, 0.75, 0.0, 0.0, false},
    {Scenario::kBrokenFeed, "broken_feed", 1.5, 0.0, 0.0, 0.0, true},
}};

}  // namespace maeil::portfolio
