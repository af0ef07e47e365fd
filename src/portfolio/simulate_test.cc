// The simulated book against the golden sample's header, the feature map, and its own rules: same seed same
// rows, columns that agree with each other, scenarios that do what they say.
#include "portfolio/simulate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/test_data.h"
#include "base/threads.h"
#include "portfolio/schema.h"
#include "portfolio/test_rows.h"

namespace maeil::portfolio {
namespace {

// What holds of the rows of either book.
class EachBook : public testing::TestWithParam<Book> {};
INSTANTIATE_TEST_SUITE_P(Both, EachBook, testing::Values(Book::kSeparable, Book::kRealistic),
                         [](const auto& book) { return std::string(kBooks[book.index].name); });

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

TEST(PortfolioSchemaGolden, HeaderAndNumberTextAreTheGoldenSamples) {
  const auto path = golden_dir() / "sdv_sample_2000.csv";
  MAEIL_NEEDS(path);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const auto header = split(line.substr(3));  // behind the byte order mark
  const auto names = column_names();
  ASSERT_EQ(names.size(), 99u);
  ASSERT_EQ(number_formats().size(), 99u);
  ASSERT_EQ(std::vector<std::string>(names.begin(), names.end()), header);

  // Every field of the sample that is written as a number is one here, as an integer exactly where the sample
  // has no point.
  const std::set<std::string> text_by_characters = {"spclty_itm_mk_cd"};  // "8" and "8.0" are two categories
  std::vector<bool> has_point(99, false), has_letter(99, false), seen(99, false);
  while (std::getline(file, line)) {
    const auto fields = split(line);
    for (size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].empty()) continue;
      seen[i] = true;
      has_letter[i] = has_letter[i] || fields[i].find_first_not_of("-.0123456789\r") != std::string::npos;
      has_point[i] = has_point[i] || fields[i].find('.') != std::string::npos;
    }
  }
  for (size_t i = 0; i < 99; ++i) {
    if (!seen[i]) continue;
    const bool is_number = schema()[i].number != nullptr;
    EXPECT_EQ(is_number, !has_letter[i] && !text_by_characters.contains(header[i])) << header[i];
    if (is_number) {
      EXPECT_EQ(number_formats()[i] == NumberFormat::kInteger, !has_point[i]) << header[i];
    }
  }
}

TEST(PortfolioSchemaGolden, NullableColumnsAndVocabulariesAreTheFeatureMaps) {
  const auto path = seed_dir() / "feature_map.json";
  MAEIL_NEEDS(path);
  const auto map = nlohmann::json::parse(std::ifstream(path));
  std::set<std::string> nullable, ours;
  for (const auto& feature : map["categorical"]) {
    const auto name = feature["name"].get<std::string>();
    if (name.ends_with("_isnull") && name != "spcl_corp_new_mk_isnull")
      nullable.insert(name.substr(0, name.size() - 7));
    const auto column = calm().text.find(name);
    if (column == calm().text.end() || feature["vocabulary"].is_null()) continue;
    const auto vocabulary = feature["vocabulary"].get<std::set<std::string>>();
    for (const auto& value : column->second) {
      EXPECT_TRUE(vocabulary.contains(value.empty() ? "NA" : value)) << name << " " << value;
    }
  }
  for (const auto& spec : schema()) {
    if (spec.nullable) ours.insert(std::string(spec.name));
  }
  EXPECT_EQ(ours, nullable);
}

TEST_P(EachBook, EveryNullableColumnIsMissingSomewhereAndNoOther) {
  const Rows& book = calm(GetParam());
  for (const auto& spec : schema()) {
    size_t missing = 0;
    for (size_t row = 0; row < book.rows; ++row) missing += book.missing(std::string(spec.name), row);
    EXPECT_EQ(missing > 0, spec.nullable) << spec.name;
    EXPECT_LT(missing, book.rows) << spec.name;
  }
}

TEST_P(EachBook, SameSeedSameRowsOnAnyThreadsAndInAnyRange) {
  const RowsPlan plan = {.book = GetParam(), .with_truth = GetParam() == Book::kRealistic};
  const Rows whole = rows_of(plan, 0, 5000);
  set_thread_count(3);
  EXPECT_EQ(difference(rows_of(plan, 0, 5000), whole, 0), "");
  set_thread_count(1);
  EXPECT_EQ(difference(rows_of(plan, 0, 5000), whole, 0), "");
  set_thread_count(0);
  for (const auto& [first, rows] : {std::pair{0, 1}, {1023, 2}, {1024, 1024}, {700, 2500}, {4999, 1}}) {
    const Rows part = rows_of(plan, static_cast<uint64_t>(first), static_cast<uint64_t>(rows));
    EXPECT_EQ(part.rows, static_cast<size_t>(rows));
    EXPECT_EQ(difference(part, whole, static_cast<size_t>(first)), "");
  }
  EXPECT_NE(difference(rows_of(plan, 0, 100), whole, 1), "") << "the comparison must see a shift";
  EXPECT_NE(difference(rows_of(plan, 0, 100, 43), whole, 0), "") << "another seed, other rows";
  const Days tomorrow = kDate + std::chrono::days{1};
  EXPECT_NE(difference(rows_of(plan, 0, 100, 42, tomorrow), whole, 0), "") << "another date";
  Rows bad = rows_of(plan, 0, 100);
  bad.number["usdkrw"][7] += 1.0;
  EXPECT_EQ(difference(bad, whole, 0), "usdkrw row 7");
}

TEST(Portfolio, DefaultRatesOfTheScenarios) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const Days date = kDate + std::chrono::days{static_cast<int>(100 * seed)};
    const double calm_rate = rows_of({}, 0, 20000, seed, date).defaults();
    const double recession = rows_of({Scenario::kRecession}, 0, 20000, seed, date).defaults();
    const double shock = rows_of({Scenario::kSectorShock}, 0, 20000, seed, date).defaults();
    // 6.5 and 17.5 % of the whole book; one standard deviation in 20,000 rows is 0.17 and 0.27 points.
    EXPECT_GT(calm_rate, 0.060);
    EXPECT_LT(calm_rate, 0.070);
    EXPECT_GT(recession, 0.165);
    EXPECT_LT(recession, 0.185);
    EXPECT_GT(shock, calm_rate + 0.007);
    EXPECT_LT(shock, recession);
    EXPECT_EQ(rows_of({Scenario::kBrokenFeed}, 0, 20000, seed, date).defaults(), calm_rate)
        << "the borrowers are the same";
  }
}

TEST(Portfolio, SectorShockHitsOnlyItsSectors) {
  const Rows shock = rows_of({Scenario::kSectorShock}, 0, 20000);
  std::map<bool, size_t> before, after;
  for (size_t row = 0; row < shock.rows; ++row) {
    const auto& sector = shock.text.at("BIZ_GB_NEW")[row];
    const bool hit = sector == "F/L" || sector == "L임대";
    before[hit] += calm().text.at("DLNQ_1M_FLG")[row] == "Y";
    after[hit] += shock.text.at("DLNQ_1M_FLG")[row] == "Y";
  }
  EXPECT_EQ(before[false], after[false]);
  EXPECT_GT(after[true], 3 * before[true] / 2);
}

TEST(Portfolio, RecessionFailsEveryCalmDefaulterAndMore) {
  const Rows recession = rows_of({Scenario::kRecession}, 0, 20000);
  for (size_t row = 0; row < recession.rows; ++row) {
    if (calm().text.at("DLNQ_1M_FLG")[row] == "Y") {
      EXPECT_EQ(recession.text.at("DLNQ_1M_FLG")[row], "Y") << row;
    }
    EXPECT_EQ(recession.text.at("seg")[row], calm().text.at("seg")[row]);
  }
}

TEST(Portfolio, BrokenFeedSwapsTheCreditFileAndNothingElse) {
  const Rows broken = rows_of({Scenario::kBrokenFeed}, 0, 5000);
  size_t other_rates = 0;
  for (size_t row = 0; row < broken.rows; ++row) {
    for (const auto* column : {"seg", "BIZ_GB_NEW", "init_loan_dt", "DLNQ_1M_FLG", "PRODUCT_GB"}) {
      EXPECT_EQ(broken.text.at(column)[row], calm().text.at(column)[row]);
    }
    other_rates += broken.number.at("CLLTRL_RATIO")[row] != calm().number.at("CLLTRL_RATIO")[row];
  }
  EXPECT_GT(other_rates, broken.rows * 9 / 10);
}

TEST_P(EachBook, DatesAndDayCountsAgree) {
  const Rows& book = calm(GetParam());
  for (size_t row = 0; row < book.rows; ++row) {
    const Days observed = *book.date("STD_DATE_NEW", row);
    ASSERT_EQ(book.missing("init_loan_dt", row), book.missing("DAYS_FROM_INIT", row));
    ASSERT_EQ(book.missing("loan_deadln_dt", row), book.missing("DAYS_UNTIL_MATURITY", row));
    if (const Date granted = book.date("init_loan_dt", row)) {
      ASSERT_EQ((observed - *granted).count(), book.number.at("DAYS_FROM_INIT")[row]);
      ASSERT_EQ(book.text.at("NEW_EXIT_GB")[row] == "NEW", book.number.at("DAYS_FROM_INIT")[row] < 31.0);
      if (const Date known = book.date("init_regist_dt", row)) {
        ASSERT_LE(*known, *granted);
      }
    }
    if (const Date due = book.date("loan_deadln_dt", row)) {
      ASSERT_EQ((*due - observed).count(), book.number.at("DAYS_UNTIL_MATURITY")[row]);
    }
    if (const Date known = book.date("init_regist_dt", row)) {
      ASSERT_LE(*known, *book.date("lst_renew_dt", row));
      ASSERT_LE(*book.date("lst_renew_dt", row), observed);
      if (const Date founded = book.date("corp_estblsh_day", row); founded && *founded != kUnknownDate) {
        ASSERT_LT(*founded, *known);
      }
    }
    if (const Date reviewed = book.date("brr_dt", row)) {
      ASSERT_LE(*reviewed, observed);
    }
  }
}

TEST_P(EachBook, AmountsAgree) {
  const Rows& book = calm(GetParam());
  const auto at = [&](const char* column, size_t row) { return book.number.at(column)[row]; };
  for (size_t row = 0; row < book.rows; ++row) {
    ASSERT_NEAR(at("AF_KIFRS_ADJ_NRML", row) + at("AF_KIFRS_ADJ_SM", row) + at("AF_KIFRS_ADJ_FXD_UNDER", row),
                at("AF_KIFRS_ADJ_SUM", row), 1e-9);
    ASSERT_NEAR(at("AF_NRML_RATIO", row) + at("AF_SM_RATIO", row) + at("AF_FXD_UNDER_RATIO", row), 1.0,
                1.1e-4);
    ASSERT_EQ(book.text.at("PRODUCT_GB")[row] == "담보", at("CLLTRL_RATIO", row) > 0.0);
    ASSERT_NEAR(std::min(1.1095, at("CLLTRL_LIQUID_BS_AMT", row) / at("AF_KIFRS_ADJ_SUM", row)),
                at("CLLTRL_RATIO", row), 1e-4);
    if (!book.missing("BF_KIFRS_ADJ_SUM", row)) {
      ASSERT_NEAR(at("AF_NRML_RATIO", row) - at("BF_NRML_RATIO", row), at("NRML_CHG", row), 1e-9);
    }
    if (book.missing("debt", row)) continue;
    ASSERT_GE(at("total_assets_this_year", row), at("current_assets", row));
    ASSERT_GE(at("current_assets", row), at("cash_and_cash_equivalents", row));
    ASSERT_GE(at("debt", row), at("current_liabilities", row));
    ASSERT_GT(at("interest_expense", row), 0.0);
    ASSERT_GE(at("operating_profit_this_year", row), at("net_income_this_year", row));
    ASSERT_EQ(std::floor(at("base_yymm", row) / 100.0), 2023.0);
  }
}

TEST_P(EachBook, StateAfterTheMonthSaysWhatTheFlagSays) {
  const Rows& book = calm(GetParam());
  for (size_t row = 0; row < book.rows; ++row) {
    const bool failed = book.text.at("DLNQ_1M_FLG")[row] == "Y";
    const double days = book.number.at("AF_DLNQNCY_DAY_CNT")[row];
    ASSERT_EQ(failed, days >= 30.0);
    ASSERT_EQ(failed, book.number.at("AF_ASSET_QUALITY")[row] > 1.0);
    const bool had_state = !book.missing("BF_ASSET_QUALITY", row);
    ASSERT_EQ(book.text.at("QUAL_CHG")[row], failed && had_state ? "DOWN" : "NO_CHG");
    if (had_state && failed) {
      const auto observed = std::chrono::year_month_day{*book.date("STD_DATE_NEW", row)};
      // a month end
      ASSERT_EQ(days - book.number.at("BF_DLNQNCY_DAY_CNT")[row], static_cast<unsigned>(observed.day()));
    }
  }
}

TEST_P(EachBook, MissingColumnsGoTogether) {
  const std::vector<std::vector<std::string>> groups = {
      {"base_yymm", "total_assets_this_year", "total_assets_last_year", "sales_this_year", "sales_last_year",
       "current_assets", "current_liabilities", "cash_and_cash_equivalents", "interest_expense",
       "net_income_this_year", "operating_profit_this_year", "operating_income_last_year",
       "operating_cash_flow", "debt"},
      {"int_rate_cd", "INT_RATE"},
      {"brr_objct_grade", "brr_fnl_grade", "brr_dt"},
      {"indi_corp_mk_cd", "tax_mk_cd", "ntnl_cd1", "init_regist_dt", "lst_renew_dt", "party_mgt_brnch_no"},
      {"corp_mk_cd", "corp_open_mk", "emply_cnt", "wb_sme_party_mk_cd", "corp_estblsh_day"},
      {"duty_cd", "emply_cd", "rsdnce_ownrshp_cd"},
      {"BF_KIFRS_ADJ_SUM", "BF_NRML_RATIO", "BF_DLNQNCY_DAY_CNT", "BF_ASSET_QUALITY"}};
  const Rows& book = calm(GetParam());
  for (const auto& group : groups) {
    for (const auto& column : group) {
      for (size_t row = 0; row < book.rows; ++row)
        ASSERT_EQ(book.missing(column, row), book.missing(group[0], row)) << column;
    }
  }
  for (size_t row = 0; row < book.rows; ++row) {
    const auto& segment = book.text.at("seg")[row];
    const bool person = segment == "indi" || segment == "HOUSEHOLD" || segment == "card";
    if (person) {
      ASSERT_TRUE(book.missing("debt", row) && book.missing("emply_cnt", row)) << "persons file nothing";
    } else {
      ASSERT_TRUE(book.missing("duty_cd", row));
    }
    if (segment == "corp" && GetParam() == Book::kSeparable) {
      ASSERT_FALSE(book.missing("debt", row));
    }
    if (book.text.at("NEW_EXIT_GB")[row] == "NEW") {
      ASSERT_TRUE(book.missing("BF_KIFRS_ADJ_SUM", row));
    }
  }
}

TEST(Portfolio, ScoreRisesWithEveryRiskAndIgnoresMissingDrivers) {
  const ScenarioSetting& setting = kScenarios[0];
  Record record;
  record.borrower.secured = true;
  record.rating.final = 3.0;
  record.loan.rate = 4.3;
  record.loan.days_from_start = 1000.0;
  record.loan.won = kWonPivot;
  record.ledger.drawn = 450.0;
  record.ledger.collateral_ratio = 0.9;
  record.statements.assets = 1000.0;
  record.statements.debt = 360.0;
  record.statements.interest = 20.0;
  record.statements.operating_profit = 92.0;
  const double base = default_score(record, setting);
  const auto rises = [&](const char* what, auto change) {
    Record worse = record;
    change(worse);
    EXPECT_GT(default_score(worse, setting), base) << what;
  };
  rises("rating", [](Record& r) { r.rating.final = 5.0; });
  rises("price", [](Record& r) { r.loan.rate = 7.0; });
  rises("utilisation", [](Record& r) { r.ledger.drawn = 900.0; });
  rises("leverage", [](Record& r) { r.statements.debt = 700.0; });
  rises("coverage", [](Record& r) { r.statements.operating_profit = 10.0; });
  rises("collateral", [](Record& r) { r.ledger.collateral_ratio = 0.3; });
  rises("age", [](Record& r) { r.loan.days_from_start = 2500.0; });
  rises("won", [](Record& r) { r.loan.won = 1470.0; });
  Record bare = record;
  bare.rating = {};
  bare.statements = {};
  EXPECT_TRUE(std::isfinite(default_score(bare, setting)));
  double weight = 0.0;
  for (const Driver& driver : kDrivers) weight += driver.weight;
  EXPECT_NEAR(weight, 1.0, 1e-12);
}

TEST(Portfolio, ScenariosHaveNames) {
  for (const auto& setting : kScenarios) {
    ASSERT_TRUE(parse_scenario(setting.name));
    EXPECT_EQ(to_string(*parse_scenario(setting.name)), setting.name);
  }
  const auto wrong = parse_scenario("boom");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "scenario \"boom\" is none of calm, recession, sector_shock, broken_feed");
}

TEST(Portfolio, BooksHaveNames) {
  for (const auto& one : kBooks) {
    ASSERT_TRUE(parse_book(one.name));
    EXPECT_EQ(*parse_book(one.name), one.book);
  }
  const auto wrong = parse_book("imaginary");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kUsage);
  EXPECT_EQ(wrong.error().message, "book \"imaginary\" is none of separable, realistic");
  EXPECT_EQ(book_names(), (std::vector<std::string>{"separable", "realistic"}));
}

TEST(Portfolio, SinkErrorsAndImpossibleRangesComeBack) {
  size_t calls = 0;
  const Status status = simulate({}, kDate, 0, 100000, 1, [&](const Table&) -> Status {
    ++calls;
    return fail(ErrorCode::kIo, "disk full");
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "disk full");
  EXPECT_EQ(calls, 1u);
  const Sink accept = [](const Table&) -> Status { return {}; };
  const Sink refuse = [](const Table&) -> Status { return fail(ErrorCode::kInternal, "no rows, no call"); };
  EXPECT_FALSE(simulate({}, kDate, UINT64_MAX, 2, 1, accept));
  EXPECT_FALSE(simulate({}, kDate, 0, UINT64_MAX, 1, accept));
  EXPECT_TRUE(simulate({}, kDate, 5, 0, 1, refuse));
}

}  // namespace
}  // namespace maeil::portfolio
