// Every constant of the realistic book: what its borrowers show, what goes missing, and what their
// probability of default is made of. docs/portfolio.md tells the story.
//
// p = logistic(score - threshold), the score a sum of the terms below in log-odds, each of them a function of
// what the columns show. The flag is drawn with p, so no model can rank better than p itself does: the best
// reachable ROC AUC is the AUC of p. With few defaults and a score near normal of deviation s it is about
// Phi(s / sqrt 2), 0.80 at s = 1.2; the weights were chosen for that, and a test holds it.
#pragma once

#include "portfolio/parameters.h"

namespace maeil::portfolio {

// Strain is N(0,1) and a driver shows load * strain + noise * N(0,1) of its units (kDrivers). Loads of about
// a half make drivers correlate by a quarter, as ratios of one firm do; noise fills up to variance 1. Age
// says nothing of strain and spreads as in the separable book.
struct Showing {
  double load, noise;
};
constexpr std::array<Showing, kDriverCount> kShowing = {{
    {0.55, 0.835},  // rating
    {0.50, 0.866},  // price
    {0.45, 0.893},  // utilisation
    {0.45, 0.893},  // leverage
    {0.45, 0.893},  // coverage
    {0.35, 0.937},  // collateral
    {0.00, 1.800},  // age
}};

// Missing not at random: log-odds of filing statements, by segment (kSegments; persons file none), less
// kFilingSlope for each unit of weakness, the mean of leverage and coverage, which nobody sees then. Likewise
// of a firm's rating, by the rating itself: those that would be downgraded let it lapse.
constexpr std::array<double, 3> kFilingLogOdds = {3.6, 2.8, 1.6};
constexpr double kFilingSlope = 1.3;
constexpr double kRatedLogOdds = 3.3, kRatedSlope = 0.9;

// Log-odds of default for each unit of a driver by itself. A young loan is the riskier one.
constexpr std::array<double, kDriverCount> kMainLogOdds = {{
    0.20,   // rating
    0.10,   // price
    0.48,   // utilisation
    0.02,   // leverage
    0.02,   // coverage
    0.02,   // collateral
    -0.05,  // age
}};

// In this segment the driver has the other sign: a large firm's line is a standby for the season, and one
// that is no longer drawn on has lost its orders.
struct Reversal {
  std::string_view segment;
  DriverId driver;
  double log_odds;  // in place of the main one
};
constexpr Reversal kReversal = {"corp", kUtilisation, -0.66};

// Interactions: log_odds * max(0, first) * max(0, sign * second). Debt hurts where profit does not carry it,
// a full line where the loan is young, a high price where no collateral stands behind it.
struct Interaction {
  DriverId first, second;
  double sign, log_odds;
};
constexpr std::array<Interaction, 3> kInteractions = {{
    {kLeverage, kCoverage, 1.0, 0.80},
    {kUtilisation, kAge, -1.0, 0.33},
    {kPrice, kCollateral, 1.0, 0.50},
}};

// What it says of a firm that its statements, or its rating, are not there.
constexpr double kNotFiledLogOdds = 0.7, kUnratedLogOdds = 0.6;
// kSectors' effect in log-odds: 0.12 of strain makes 0.18.
constexpr double kSectorLogOdds = 1.5;

// The drift from January to December: all get worse, by 0.66 in all; and as credit tightens, the price tells
// less and coverage more. Months are counted from the middle of the year.
constexpr double kDriftPerMonth = 0.06;
struct WeightDrift {
  DriverId driver;
  double per_month;
};
constexpr std::array<WeightDrift, 2> kWeightDrifts = {{{kPrice, -0.02}, {kCoverage, 0.03}}};
constexpr double kMiddleMonth = 6.5;

// Scenarios as the separable book has them; the threshold is in log-odds here.
constexpr std::array<ScenarioSetting, 4> kRealisticScenarios = {{
    // 2.5 % default.
    {Scenario::kCalm, "calm", 4.62, 0.0, 0.0, 0.0, false},
    // Everybody's odds treble: 6.5 % default. Ranks stay nearly as they are, probabilities are a third of
    // what
    // they should be.
    {Scenario::kRecession, "recession", 3.52, 0.0, 30.0, -0.20, false},
    // Odds of construction and real estate grow 2.7 times.
    {Scenario::kSectorShock, "sector_shock", 4.62, 1.0, 0.0, 0.0, false},
    // p is that of the borrower, whom the columns do not show.
    {Scenario::kBrokenFeed, "broken_feed", 4.62, 0.0, 0.0, 0.0, true},
}};

}  // namespace maeil::portfolio
