// The realistic book: how well anybody can rank it, that its probabilities are true and a function of the
// columns, and that each thing it is made of is there.
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

#include "portfolio/realistic_parameters.h"
#include "portfolio/record.h"
#include "portfolio/schema.h"
#include "portfolio/test_rows.h"

namespace maeil::portfolio {
namespace {

Rows realistic(Scenario scenario, uint64_t rows, uint64_t seed = 42, Days date = kDate) {
  return rows_of({scenario, Book::kRealistic, true}, 0, rows, seed, date);
}

std::vector<double> flags(const Rows& book) {
  std::vector<double> out;
  for (size_t row = 0; row < book.rows; ++row) out.push_back(book.defaulted(row));
  return out;
}

// The share of pairs of a default and a healthy loan in which the default has the higher p, ties a half; a
// row is a default with weight `bad` and healthy with the rest.
double roc_auc(const std::vector<double>& p, const std::vector<double>& bad) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  double pairs = 0.0, good_below = 0.0, all_bad = 0.0;
  for (size_t i = 0; i < order.size();) {
    double tied_bad = 0.0, tied_good = 0.0;
    for (const double value = p[order[i]]; i < order.size() && p[order[i]] == value; ++i) {
      tied_bad += bad[order[i]];
      tied_good += 1.0 - bad[order[i]];
    }
    pairs += tied_bad * (good_below + 0.5 * tied_good);
    good_below += tied_good;
    all_bad += tied_bad;
  }
  return pairs / (all_bad * good_below);
}

// How far the defaults of a tenth of the rows, by p, are from their sum of p: the sum of squares in units of
// its variance, chi-squared with 10 degrees of freedom where p is true.
double calibration_chi2(const std::vector<double>& p, const std::vector<double>& bad) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] < p[b]; });
  std::array<double, 10> excess{}, variance{};
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t tenth = 10 * i / order.size();
    excess[tenth] += bad[order[i]] - p[order[i]];
    variance[tenth] += p[order[i]] * (1.0 - p[order[i]]);
  }
  double chi2 = 0.0;
  for (size_t tenth = 0; tenth < 10; ++tenth) chi2 += excess[tenth] * excess[tenth] / variance[tenth];
  return chi2;
}
constexpr double kChi2Limit = 35.6;  // the 0.9999 quantile with 10 degrees of freedom

TEST(RealisticBook, HelpersSeeWhatIsWrong) {
  EXPECT_EQ(roc_auc({0.1, 0.2, 0.3, 0.4}, {0, 0, 1, 1}), 1.0);
  EXPECT_EQ(roc_auc({0.1, 0.2, 0.3, 0.4}, {1, 1, 0, 0}), 0.0);
  EXPECT_EQ(roc_auc({0.1, 0.2, 0.3, 0.4}, {0, 1, 0, 1}), 0.75);
  EXPECT_EQ(roc_auc({0.2, 0.2, 0.2, 0.2}, {0, 1, 0, 1}), 0.5);
  const Rows& book = calm(Book::kRealistic);
  std::vector<double> wrong = book.number.at("true_pd");
  for (double& p : wrong) p *= 1.5;
  EXPECT_GT(calibration_chi2(wrong, flags(book)), kChi2Limit) << "half too high";
  wrong.assign(book.rows, book.defaults());
  EXPECT_NEAR(roc_auc(wrong, flags(book)), 0.5, 1e-9);
}

TEST(RealisticBook, TheBestReachableAucIsAboutFourFifthsAndProbabilitiesAreTrue) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const Rows book =
        realistic(Scenario::kCalm, 25000, seed, kDate + std::chrono::days{static_cast<int>(100 * seed)});
    const auto& p = book.number.at("true_pd");
    const auto bad = flags(book);
    EXPECT_GT(*std::min_element(p.begin(), p.end()), 0.0);
    EXPECT_LT(*std::max_element(p.begin(), p.end()), 1.0);
    for (const double one : p) ASSERT_EQ(one, std::round(one * 1e8) / 1e8) << "prints in eight decimals";
    EXPECT_GT(book.defaults(), 0.02);
    EXPECT_LT(book.defaults(), 0.03);
    // Over all draws that these borrowers could have had; then of the one draw, whose error is 0.01.
    EXPECT_NEAR(roc_auc(p, p), 0.80, 0.01) << seed;
    EXPECT_NEAR(roc_auc(p, bad), 0.80, 0.02) << seed;
    double expected = 0.0, variance = 0.0;
    for (const double one : p) expected += one, variance += one * (1.0 - one);
    EXPECT_LT(std::abs(std::accumulate(bad.begin(), bad.end(), 0.0) - expected), 4.0 * std::sqrt(variance));
    EXPECT_LT(calibration_chi2(p, bad), kChi2Limit) << seed;
  }
}

// What default_probability reads, from the printed columns alone.
Record record_of(const Rows& book, size_t row) {
  const auto number = [&](const char* name) { return book.number.at(name)[row]; };
  const auto index = [&](const auto& table, const std::string& text) {
    return static_cast<size_t>(
        std::find_if(table.begin(), table.end(), [&](const auto& one) { return one.text == text; }) -
        table.begin());
  };
  Record record;
  record.borrower.segment = index(kSegments, book.text.at("seg")[row]);
  record.borrower.person = kSegments[record.borrower.segment].person;
  record.borrower.sector = index(kSectors, book.text.at("BIZ_GB_NEW")[row]);
  record.borrower.secured = book.text.at("PRODUCT_GB")[row] == "담보";
  record.rating.final = number("brr_fnl_grade");
  record.loan.observed = *book.date("STD_DATE_NEW", row);
  record.loan.rate = number("INT_RATE");
  record.loan.days_from_start = number("DAYS_FROM_INIT");
  record.ledger.before = number("BF_KIFRS_ADJ_SUM");
  record.ledger.after = number("AF_KIFRS_ADJ_SUM");
  record.ledger.collateral_ratio = number("CLLTRL_RATIO");
  record.statements.assets = number("total_assets_this_year");
  record.statements.debt = number("debt");
  record.statements.operating_profit = number("operating_profit_this_year");
  record.statements.interest = number("interest_expense");
  return record;
}

TEST(RealisticBook, TheTruthIsAFunctionOfTheColumns) {
  for (const auto& setting : kRealisticScenarios) {
    const Rows book = realistic(setting.scenario, 3000);
    size_t same = 0;
    for (size_t row = 0; row < book.rows; ++row)
      same += default_probability(record_of(book, row), setting) == book.number.at("true_pd")[row];
    if (setting.broken)
      EXPECT_LT(same, book.rows / 100) << "the columns are somebody else's";
    else
      EXPECT_EQ(same, book.rows) << setting.name;
  }
}

TEST(RealisticBook, HasTheColumnsOfTheOtherOneAndTheTruthWhereAskedFor) {
  auto names = column_names(true);
  ASSERT_EQ(names.size(), 100u);
  EXPECT_EQ(number_formats(true).size(), 100u);
  EXPECT_EQ(names.back(), "true_pd");
  names.pop_back();
  EXPECT_EQ(names, column_names());
  const Rows plain = rows_of({.book = Book::kRealistic}, 0, 500);
  Rows truth = realistic(Scenario::kCalm, 500);
  EXPECT_EQ(difference(plain, truth, 0), "columns");
  truth.number.erase("true_pd");
  EXPECT_EQ(difference(plain, truth, 0), "") << "the truth changes no row";
  EXPECT_NE(difference(rows_of({}, 0, 500), plain, 0), "") << "another book";
}

TEST(RealisticBook, ScenariosDoWhatTheySay) {
  const Rows& usual = calm(Book::kRealistic);
  const Rows recession = realistic(Scenario::kRecession, 10000);
  const Rows shock = realistic(Scenario::kSectorShock, 10000),
             broken = realistic(Scenario::kBrokenFeed, 10000);
  EXPECT_GT(recession.defaults(), 0.06);
  EXPECT_LT(recession.defaults(), 0.08);
  EXPECT_LT(calibration_chi2(recession.number.at("true_pd"), flags(recession)), kChi2Limit);
  EXPECT_LT(calibration_chi2(shock.number.at("true_pd"), flags(shock)), kChi2Limit);
  EXPECT_NEAR(roc_auc(recession.number.at("true_pd"), recession.number.at("true_pd")), 0.79, 0.02);
  size_t hit = 0, hit_before = 0;
  for (size_t row = 0; row < recession.rows; ++row) {
    if (usual.defaulted(row)) {
      ASSERT_TRUE(recession.defaulted(row)) << row;
    }
    const auto& sector = shock.text.at("BIZ_GB_NEW")[row];
    const bool cyclical = sector == "F/L" || sector == "L임대";
    ASSERT_EQ(shock.number.at("true_pd")[row] > usual.number.at("true_pd")[row], cyclical) << row;
    hit += cyclical && shock.defaulted(row);
    hit_before += cyclical && usual.defaulted(row);
    ASSERT_TRUE(cyclical || shock.defaulted(row) == usual.defaulted(row)) << row;
    ASSERT_EQ(broken.defaulted(row), usual.defaulted(row)) << row;
    ASSERT_EQ(broken.number.at("true_pd")[row], usual.number.at("true_pd")[row]) << row;
  }
  EXPECT_GT(hit, 3 * hit_before / 2);
}

// The log-odds of p beyond those of the same record without the change.
double effect(const Record& base, const std::function<void(Record&)>& change) {
  const auto log_odds = [](const Record& record) {
    const double p = default_probability(record, kRealisticScenarios[0]);
    return std::log(p / (1.0 - p));
  };
  Record changed = base;
  change(changed);
  return log_odds(changed) - log_odds(base);
}

// Every driver at its centre, in the middle of the year: an SME with all of its file.
Record usual_record() {
  Record record;
  record.borrower.segment = 1;
  record.borrower.secured = true;
  record.rating.final = kDrivers[kRating].centre;
  record.loan.observed = Days{std::chrono::year{2024} / 6 / 30};
  record.loan.rate = kDrivers[kPrice].centre;
  record.loan.days_from_start = kDrivers[kAge].centre;
  record.ledger.before = record.ledger.after = kDrivers[kUtilisation].centre * kSegments[1].line;
  record.ledger.collateral_ratio = kDrivers[kCollateral].centre;
  record.statements.assets = 1000.0;
  record.statements.debt = 1000.0 * kDrivers[kLeverage].centre;
  record.statements.interest = 10.0;
  record.statements.operating_profit = 10.0 * kDrivers[kCoverage].centre;
  return record;
}

void indebted(Record& r) { r.statements.debt = 600.0; }
void thin(Record& r) { r.statements.operating_profit = 19.0; }
void drawn(Record& r) { r.ledger.before = r.ledger.after = 0.68 * kSegments[r.borrower.segment].line; }
void young(Record& r) { r.loan.days_from_start = 400.0; }
void dear(Record& r) { r.loan.rate = 6.0; }
void bare(Record& r) { r.ledger.collateral_ratio = 0.48; }

TEST(RealisticBook, DriversInteract) {
  const Record base = usual_record();
  using Change = void (*)(Record&);
  for (const auto& [first, second] :
       {std::pair<Change, Change>(indebted, thin), {drawn, young}, {dear, bare}}) {
    const double both = effect(base, [&](Record& r) { first(r), second(r); });
    EXPECT_GT(both, effect(base, first) + effect(base, second) + 0.5);
  }
}

TEST(RealisticBook, UtilisationHasTheOtherSignForLargeFirms) {
  Record base = usual_record();
  EXPECT_GT(effect(base, drawn), 0.5);
  base.borrower.segment = 0;
  base.ledger.before = base.ledger.after = kDrivers[kUtilisation].centre * kSegments[0].line;
  EXPECT_LT(effect(base, drawn), -0.5);
}

TEST(RealisticBook, TheYearGetsWorseAndWeightsDrift) {
  const Record base = usual_record();
  const auto in = [](unsigned month) {
    return [month](Record& r) {
      r.loan.observed = Days{std::chrono::year{2024} / static_cast<int>(month) / std::chrono::last};
    };
  };
  EXPECT_NEAR(effect(base, in(12)) - effect(base, in(1)), 11 * kDriftPerMonth, 1e-4);
  const auto told = [&](unsigned month, void (*what)(Record&)) {
    Record then = base;
    in(month)(then);
    return effect(then, what);
  };
  EXPECT_LT(told(12, dear), told(1, dear) - 0.3);
  EXPECT_GT(told(12, thin), told(1, thin) + 0.3);
  std::array<double, 2> rate{}, rows{};
  const Rows& book = calm(Book::kRealistic);
  for (size_t row = 0; row < book.rows; ++row) {
    const auto month = std::chrono::year_month_day{*book.date("STD_DATE_NEW", row)}.month();
    rate[month > std::chrono::June] += book.number.at("true_pd")[row];
    rows[month > std::chrono::June] += 1.0;
  }
  EXPECT_GT(rate[1] / rows[1], 1.2 * rate[0] / rows[0]);
}

TEST(RealisticBook, WhoIsWeakFilesNothing) {
  const Record base = usual_record();
  EXPECT_NEAR(effect(base, [](Record& r) { r.statements = {}; }), kNotFiledLogOdds, 1e-4);
  EXPECT_NEAR(effect(base, [](Record& r) { r.rating = {}; }), kUnratedLogOdds, 1e-4);
  // Firms by rating: 1 and 2, 3 and 4, 5 to 7, none; how many, and how many without statements.
  std::array<double, 4> firms{}, silent{};
  const Rows& book = calm(Book::kRealistic);
  for (size_t row = 0; row < book.rows; ++row) {
    if (kSegments[record_of(book, row).borrower.segment].person) continue;
    const double grade = book.number.at("brr_fnl_grade")[row];
    const size_t group = std::isnan(grade) ? 3 : grade <= 2.0 ? 0 : grade <= 4.0 ? 1 : 2;
    ++firms[group];
    silent[group] += book.missing("debt", row);
  }
  EXPECT_GT(silent[1] / firms[1], 1.3 * silent[0] / firms[0]);
  EXPECT_GT(silent[2] / firms[2], 1.3 * silent[1] / firms[1]);
  EXPECT_GT(silent[3] / firms[3], silent[1] / firms[1]) << "who lets the rating lapse is weak too";
}

}  // namespace
}  // namespace maeil::portfolio
