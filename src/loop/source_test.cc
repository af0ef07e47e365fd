// Conditions, rates and scenarios on real sources: what is asked holds in every row, the rest stays, and
// drift shows where it was made.
#include "loop/source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "copula/fit.h"
#include "loop/row_filter.h"
#include "loop/scenario.h"
#include "portfolio/simulate.h"

namespace maeil::loop {
namespace {

constexpr uint64_t kEightBlocks = 8 * kSourceRows;

// Rows first..first + rows - 1, block by block.
Table draw(const Source& source, uint64_t first = 0, uint64_t rows = kEightBlocks) {
  Table out, piece;
  for (uint64_t at = first; at < first + rows;) {
    const uint64_t count = std::min(kSourceRows - at % kSourceRows, first + rows - at);
    const auto drawn = source.draw(Days{}, at, count, 5, piece);
    EXPECT_TRUE(drawn) << drawn.error().message;
    if (out.columns.empty()) {
      for (const auto& column : piece.columns) out.columns.push_back({column.name, column.type, {}, {}, {}});
    }
    for (size_t c = 0; c < piece.columns.size(); ++c) {
      Column& to = out.columns[c];
      for (size_t i = 0; i < piece.rows; ++i) {
        if (to.type == ColumnType::kNumber) {
          to.numbers.push_back(piece.columns[c].numbers[i]);
        } else if (piece.columns[c].is_missing(i)) {
          to.codes.push_back(kMissing);
        } else {
          const std::string text(piece.columns[c].text(i));
          auto found = std::find(to.dictionary.begin(), to.dictionary.end(), text);
          if (found == to.dictionary.end()) found = to.dictionary.insert(found, text);
          to.codes.push_back(static_cast<uint32_t>(found - to.dictionary.begin()));
        }
      }
    }
    out.rows += piece.rows;
    at += count;
  }
  return out;
}

double share_of(const Table& rows, const std::string& column, const std::string& value) {
  const Column& c = *rows.find(column);
  size_t n = 0;
  for (size_t i = 0; i < rows.rows; ++i)
    n += value.empty() ? c.is_missing(i) : !c.is_missing(i) && c.text(i) == value;
  return static_cast<double>(n) / static_cast<double>(rows.rows);
}

// Population stability index over the reference's deciles (numbers) or values (text), missing apart; 1e-4
// stands for an empty cell.
double psi(const Table& reference, const Table& today, const std::string& name) {
  const Column &a = *reference.find(name), &b = *today.find(name);
  std::vector<double> edges;
  if (a.type == ColumnType::kNumber) {
    std::vector<double> present;
    for (const double x : a.numbers) {
      if (x == x) present.push_back(x);
    }
    std::sort(present.begin(), present.end());
    for (size_t k = 1; k < 10 && !present.empty(); ++k) edges.push_back(present[present.size() * k / 10]);
  }
  const auto shares = [&](const Column& column, size_t rows) {
    std::map<std::string, double> out;
    for (size_t i = 0; i < rows; ++i) {
      const std::string cell =
          column.is_missing(i) ? "missing"
          : column.type == ColumnType::kText
              ? "=" + std::string(column.text(i))
              : std::to_string(std::upper_bound(edges.begin(), edges.end(), column.numbers[i]) -
                               edges.begin());
      out[cell] += 1.0 / static_cast<double>(rows);
    }
    return out;
  };
  auto p = shares(a, reference.rows), q = shares(b, today.rows);
  for (const auto& [cell, share] : q) p[cell] += 0;
  double sum = 0;
  for (const auto& [cell, share] : p) {
    const double from = std::max(share, 1e-4), to = std::max(q[cell], 1e-4);
    sum += (to - from) * std::log(to / from);
  }
  return sum;
}

Source portfolio() { return open_source({}).value(); }

TEST(Where, EveryRowMeetsTheConditionsWhateverTheRange) {
  const auto source = open_source({.where = {"DLNQ_1M_FLG=Y", "INT_RATE>=4"}});
  ASSERT_TRUE(source) << source.error().message;
  const Table rows = draw(*source, 0, 2 * kSourceRows);
  EXPECT_EQ(share_of(rows, "DLNQ_1M_FLG", "Y"), 1);
  for (const double x : rows.find("INT_RATE")->numbers) ASSERT_GE(x, 4);
  const Table piece = draw(*source, 700, 900);
  for (size_t i = 0; i < piece.rows; ++i)
    ASSERT_EQ(piece.find("INT_RATE")->numbers[i], rows.find("INT_RATE")->numbers[700 + i]) << i;
}

TEST(Where, RefusesWhatCannotBeMetBeforeDrawing) {
  const auto message = [](std::vector<std::string> where) {
    const auto source = open_source({.where = std::move(where)});
    return source ? "accepted" : source.error().message;
  };
  EXPECT_NE(message({"DLNQ_1M_FLG=maybe"}).find("none of 65536 rows"), std::string::npos)
      << message({"DLNQ_1M_FLG=maybe"});
  EXPECT_NE(message({"nosuch=1"}).find("no column 'nosuch'"), std::string::npos);
  EXPECT_NE(message({"DLNQ_1M_FLG>3"}).find("no order"), std::string::npos);
  EXPECT_NE(message({"INT_RATE=high"}).find("holds numbers"), std::string::npos);
  EXPECT_NE(message({"INT_RATE"}).find("no condition"), std::string::npos);
}

TEST(Scenario, ARateChangesTheShareAndKeepsWhatHangsOnIt) {
  const auto source = with_rate(portfolio(), "DLNQ_1M_FLG", "Y", 0.25);
  ASSERT_TRUE(source) << source.error().message;
  const Table calm = draw(portfolio()), rows = draw(*source);
  EXPECT_NEAR(share_of(rows, "DLNQ_1M_FLG", "Y"), 0.25, 5 * std::sqrt(0.25 * 0.75 / kEightBlocks) + 0.01);
  EXPECT_GT(psi(calm, rows, "INT_RATE"), 0.02);  // dearer loans default more often, and came along
}

TEST(Scenario, DriftShowsWhereItWasMadeAndNowhereElse) {
  const auto config = parse_scenario_config(R"(
name = "storm"
[[shift]]
column = "INT_RATE"
add = 1.5
[[category]]
column = "biz_gb"
value = "space_mining"
share = 0.1
[[nulls]]
column = "CLLTRL_RATIO"
share = 0.5
)",
                                            "storm.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto source = with_scenario(portfolio(), *config);
  ASSERT_TRUE(source) << source.error().message;
  const Table calm = draw(portfolio()), rows = draw(*source);
  EXPECT_NEAR(share_of(rows, "biz_gb", "space_mining"), 0.1, 5 * std::sqrt(0.09 / kEightBlocks));
  for (size_t i = 0; i < rows.rows; ++i) {
    const double before = calm.find("INT_RATE")->numbers[i], after = rows.find("INT_RATE")->numbers[i];
    ASSERT_TRUE(before != before ? after != after : std::abs(after - before - 1.5) < 1e-9) << i;
  }
  const std::vector<std::string> moved = {"INT_RATE", "biz_gb", "CLLTRL_RATIO"};
  for (const auto& name : source->names) {
    const double drift = psi(calm, rows, name);
    if (std::find(moved.begin(), moved.end(), name) != moved.end())
      EXPECT_GT(drift, 0.25) << name;
    else
      EXPECT_EQ(drift, 0) << name;
  }
}

TEST(Scenario, MistakesNameFileLineAndKey) {
  const auto message = [](const std::string& toml) {
    const auto read = parse_scenario_config(toml, "s.toml");
    return read ? "accepted" : read.error().message;
  };
  EXPECT_NE(message("name = \"s\"\n[[shift]]\nadd = 1\n").find("s.toml:2"), std::string::npos);
  EXPECT_NE(message("name = \"s\"\n[[nulls]]\ncolumn = \"a\"\nshare = 2\n").find("0..1"), std::string::npos);
  EXPECT_NE(message("name = \"s\"\n[[nulls]]\ncolumn = \"a\"\n").find("s.toml:2"), std::string::npos);
  EXPECT_NE(message("name = \"s\"\nstorm = 1\n").find("no key 'storm'"), std::string::npos);
  EXPECT_NE(message("name = \"s\"\n[[shift]]\ncolumn = \"a\"\nmultiply = nan\n")
                .find("s.toml:2: 'multiply' of [[shift]] must be a finite number"),
            std::string::npos);
  EXPECT_NE(
      message("name = \"s\"\n[[shift]]\ncolumn = \"a\"\nadd = -inf\n").find("s.toml:2: 'add' of [[shift]]"),
      std::string::npos);
  EXPECT_NE(message("name = \"s\"\nbase = \"rain\"\n").find("s.toml:2: 'base'"), std::string::npos);
  const std::string rate = "[[rate]]\ncolumn = \"a\"\nvalue = \"b\"\nshare = 0.5\n";
  EXPECT_NE(message("name = \"s\"\n" + rate + rate)
                .find("s.toml:6: 'column' of [[rate]]: 'a' has a rate already, at s.toml:2"),
            std::string::npos);
}

TEST(Scenario, WhatTheSourceHasNotIsAnErrorOfTheFile) {
  const auto message = [](const std::string& entry) {
    const auto applied =
        with_scenario(portfolio(), parse_scenario_config("name = \"s\"\n" + entry, "s.toml").value());
    if (applied) return std::string("accepted");
    EXPECT_EQ(applied.error().code, ErrorCode::kBadInput) << entry;
    return applied.error().message;
  };
  EXPECT_EQ(message("[[shift]]\ncolumn = \"biz_gb\"\nadd = 1\n"),
            "s.toml:2: 'column' of [[shift]]: 'biz_gb' is no column of numbers");
  EXPECT_EQ(message("\n[[nulls]]\ncolumn = \"nope\"\nshare = 1\n"),
            "s.toml:3: 'column' of [[nulls]]: there is no column 'nope'");
  for (const char* wrong : {"column = \"nope\"\nvalue = \"Y\"\nshare = 0.5\n",
                            "column = \"DLNQ_1M_FLG\"\nvalue = \"maybe\"\nshare = 0.5\n",
                            "column = \"DLNQ_1M_FLG\"\nvalue = \"Y\"\nshare = 1\n",
                            "column = \"INT_RATE\"\nvalue = \"4\"\nshare = 0.5\n"}) {
    EXPECT_EQ(message(std::string("[[rate]]\n") + wrong).find("s.toml:2: [[rate]]: "), 0u) << wrong;
  }
}

// A model of two classes: amt is 100 higher for Y, so that amt >= 125 holds in nearly half of Y and hardly
// ever in N; cmiss depends on the class.
class Model : public testing::Test {
 protected:
  static copula::CopulaModel part(const std::string& label, double loc, double share_of_b) {
    using namespace copula;
    CopulaModel out;
    const auto category = [](std::vector<std::string> labels, std::vector<double> upper) {
      return CategoryOutput{std::move(labels), std::move(upper), {}};
    };
    NumberOutput count;
    count.format = NumberFormat::kInteger;
    out.columns = {{"y", Uniform{0, 1}, category({label}, {1})},
                   {"amt", Gaussian{loc, 50}, NumberOutput{}},
                   {"n", Uniform{0, 1000}, count},
                   {"total", Gaussian{0, 1}, NumberOutput{}},
                   {"cmiss", Uniform{0, 1}, category({"A", "B"}, {1 - share_of_b, 1})},
                   {"day", Uniform{0, 1}, category({"29FEB2024", "01MAY2024", "31DEC2024"}, {0.3, 0.6, 1})}};
    out.correlation.assign(36, 0);
    for (size_t c = 0; c < 6; ++c) out.correlation[c * 7] = 1;
    return out;
  }
  void SetUp() override {
    copula::Mixture mixture;
    mixture.target = "y";
    mixture.constraints = {{table::Constraint::Kind::kSum, {"total", "amt", "n"}, ""}};
    mixture.classes = {{"N", 0.9, part("N", 0, 0.1)}, {"Y", 0.1, part("Y", 100, 0.5)}};
    ASSERT_TRUE(copula::write_mixture(mixture, path_));
  }
  void TearDown() override {
    std::filesystem::remove(path_);
    std::filesystem::remove(scenario_);
  }
  Result<Source> open(ClassShare share, std::vector<std::string> where, const std::string& scenario = "") {
    if (scenario.empty())
      return open_source({.distribution_model = path_, .share = share, .where = std::move(where)});
    EXPECT_TRUE(write_file_atomically(scenario_, "name = \"s\"\n" + scenario));
    return open_source(
        {.distribution_model = path_, .scenario = scenario_, .share = share, .where = std::move(where)});
  }
  Error refusal(ClassShare share, std::vector<std::string> where, const std::string& scenario = "") {
    const auto source = open(std::move(share), std::move(where), scenario);
    return source ? Error{ErrorCode::kInternal, "accepted"} : source.error();
  }
  static ClassShare share(const char* label, double value) {
    return std::pair<std::string, double>(label, value);
  }

  // Each test is a process of its own when they run side by side.
  const std::string name_ = testing::TempDir() + fmt::format("maeil_two_classes_{}", ::getpid()),
                    path_ = name_ + ".json", scenario_ = name_ + ".toml";
};

TEST_F(Model, RowNumbersEndAndAFullDiskEndsTheDrawing) {
  const Source source = open({}, {}).value();
  const auto beyond =
      write_csv_lines(source, Days{}, 2, UINT64_MAX, 1, [](std::string_view) { return Status{}; }, {});
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code, ErrorCode::kUsage);
  int pieces = 0;
  const auto stopped = write_rows_csv(source, Days{}, 100000, 1, [&](std::string_view) {
    return ++pieces == 3 ? Status(io_error("full")) : Status();
  });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "full");
  EXPECT_EQ(pieces, 3);
}

TEST_F(Model, AClassThatIsAskedForTwiceIsStillThatClass) {
  const std::string rate = "[[rate]]\ncolumn = \"y\"\nvalue = \"Y\"\nshare = 1\n";
  EXPECT_EQ(share_of(draw(open(share("Y", 1), {"y=Y"}).value()), "y", "Y"), 1);
  EXPECT_EQ(share_of(draw(open({}, {"y=Y", "y=Y"}).value()), "y", "Y"), 1);
  EXPECT_EQ(share_of(draw(open({}, {"y!=N"}).value()), "y", "Y"), 1);
  EXPECT_EQ(share_of(draw(open(share("N", 0), {"y=Y"}).value()), "y", "Y"), 1);
  EXPECT_EQ(share_of(draw(open({}, {"y=Y"}, rate).value()), "y", "Y"), 1);
  const Table both = draw(open(share("Y", 1), {"cmiss=B"}).value());
  EXPECT_EQ(share_of(both, "y", "Y"), 1);
  EXPECT_EQ(share_of(both, "cmiss", "B"), 1);
}

TEST_F(Model, WhatContradictsItselfIsRefusedByName) {
  EXPECT_NE(refusal({}, {"y=Y", "y=N"}).message.find("y=Y and y=N: no class of y"), std::string::npos);
  EXPECT_NE(refusal({}, {"cmiss=A", "cmiss=B"}).message.find("cmiss=A and cmiss=B contradict"),
            std::string::npos);
  EXPECT_NE(refusal({}, {"n=5", "n!=5.0"}).message.find("n=5 and n!=5.0 contradict"), std::string::npos);
  EXPECT_NE(refusal(share("Y", 0.2), {"y=Y"}).message.find("'Y' is the only class of y"), std::string::npos);
  EXPECT_NE(refusal(share("Y", 0.2), {"y=N"}).message.find("y=N leaves out"), std::string::npos);
  EXPECT_NE(refusal(share("Z", 0.2), {}).message.find("'Z' is no class of y"), std::string::npos);
  const std::string rate = "[[rate]]\ncolumn = \"y\"\nvalue = \"Y\"\nshare = 0.3\n";
  EXPECT_NE(refusal(share("Y", 0.2), {}, rate).message.find("has a rate of y"), std::string::npos);
  const Error unknown = refusal({}, {}, "[[rate]]\ncolumn = \"y\"\nvalue = \"Z\"\nshare = 0.3\n");
  EXPECT_EQ(unknown.code, ErrorCode::kBadInput);
  EXPECT_NE(unknown.message.find(".toml:2: [[rate]]: 'Z' is no class of y"), std::string::npos)
      << unknown.message;
}

// Also where a condition is met by one class far more often, in any range, and beside a rate, which holds as
// well.
TEST_F(Model, AClassKeepsItsShareAmongTheRowsThatAreKept) {
  const double slack = 5 * std::sqrt(0.2 * 0.8 / kEightBlocks);
  const auto source = open(share("Y", 0.2), {"amt>=125"});
  ASSERT_TRUE(source) << source.error().message;
  const Table rows = draw(*source);
  EXPECT_NEAR(share_of(rows, "y", "Y"), 0.2, slack);
  for (const double x : rows.find("amt")->numbers) ASSERT_GE(x, 125);
  const Table piece = draw(*source, 700, 900);
  for (size_t i = 0; i < piece.rows; ++i) {
    ASSERT_EQ(piece.find("n")->numbers[i], rows.find("n")->numbers[700 + i]) << i;
    ASSERT_EQ(piece.find("y")->text(i), rows.find("y")->text(700 + i)) << i;
  }
  const auto rated = open(share("Y", 0.2), {}, "[[rate]]\ncolumn = \"cmiss\"\nvalue = \"B\"\nshare = 0.6\n");
  ASSERT_TRUE(rated) << rated.error().message;
  EXPECT_NEAR(share_of(draw(*rated), "y", "Y"), 0.2, slack);
  EXPECT_NEAR(share_of(draw(*rated), "cmiss", "B"), 0.6, 5 * std::sqrt(0.24 / kEightBlocks) + 0.01);
  // What one class hardly ever has cannot be asked of it; without a share it need not have it.
  EXPECT_NE(refusal(share("Y", 0.2), {"amt>=250"}).message.find("rows with y=N"), std::string::npos);
  EXPECT_TRUE(open({}, {"amt>=225"}));
}

TEST_F(Model, AnAbsentModelHasNoClassToChoose) {
  for (const bool fallback : {false, true}) {
    const auto source = open_source(
        {.distribution_model = path_ + ".absent", .fallback = fallback, .share = share("Y", 0.2)});
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, ErrorCode::kNotFound);
  }
}

TEST_F(Model, DatesHaveAnOrderInEitherForm) {
  for (const char* condition : {"day>=2024-05-01", "day>29FEB2024", "day>=01MAY2024"}) {
    const auto source = open({}, {condition});
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(share_of(draw(*source), "day", "29FEB2024"), 0) << condition;
    EXPECT_GT(share_of(draw(*source), "day", "01MAY2024"), 0.3) << condition;
  }
  EXPECT_EQ(share_of(draw(open({}, {"day=2024-12-31"}).value()), "day", "31DEC2024"), 1);
  EXPECT_NE(refusal({}, {"day>5"}).message.find("holds dates"), std::string::npos);
  EXPECT_NE(refusal({}, {"cmiss>2024-01-01"}).message.find("no order"), std::string::npos);
  EXPECT_NE(refusal({}, {"amt>2024-01-01"}).message.find("holds numbers"), std::string::npos);
}

TEST_F(Model, ASumAndWhatNoNumberHoldsAreRefused) {
  for (const char* entry :
       {"[[nulls]]\ncolumn = \"total\"\nshare = 1\n", "[[shift]]\ncolumn = \"total\"\nadd = 1000\n"}) {
    const Error error = refusal({}, {}, entry);
    EXPECT_EQ(error.code, ErrorCode::kBadInput);
    EXPECT_NE(error.message.find("'total' is the sum of amt, n in every row"), std::string::npos)
        << error.message;
  }
  Table rows;
  for (const char* entry :
       {"[[shift]]\ncolumn = \"n\"\nmultiply = 1e30\n", "[[shift]]\ncolumn = \"amt\"\nmultiply = 1e308\n"}) {
    const auto source = open({}, {}, entry);
    const auto drawn =
        source ? source->draw(Days{}, 0, kSourceRows, 1, rows) : Status(tl::make_unexpected(source.error()));
    ASSERT_FALSE(drawn) << entry;
    EXPECT_EQ(drawn.error().code, ErrorCode::kBadInput);
    EXPECT_NE(drawn.error().message.find(".toml:2: [[shift]]: "), std::string::npos) << drawn.error().message;
    EXPECT_NE(drawn.error().message.find("too large"), std::string::npos) << drawn.error().message;
  }
}

// A fitted model whose constraints must survive a scenario, and whose classes are chosen, not searched.
TEST(Scenario, AFittedModelsConstraintsHoldAndItsClassesAreExact) {
  Table rows;
  rows.rows = 30000;
  rows.columns = {{"y", ColumnType::kText, {}, {"N", "Y"}, {}},
                  {"low", ColumnType::kNumber, {}, {}, {}},
                  {"high", ColumnType::kNumber, {}, {}, {}}};
  for (size_t i = 0; i < rows.rows; ++i) {
    // 2 of each 3,000: far too rare for rejection
    rows.columns[0].codes.push_back(i % 3000 == 7 || i % 3000 == 9);
    rows.columns[1].numbers.push_back(static_cast<double>(i * 7 % 101));
    rows.columns[2].numbers.push_back(static_cast<double>(i * 7 % 101 + i % 5));
  }
  copula::CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit({.target = "y",
                                  .formats = {},
                                  .dates = {},
                                  .constraints = {{table::Constraint::Kind::kOrder, {"low", "high"}, ""}},
                                  .marginals = {},
                                  .seed = 1});
  ASSERT_TRUE(fitted) << fitted.error().message;
  const auto path = std::filesystem::temp_directory_path() / "maeil_source_test.json";
  ASSERT_TRUE(copula::write_mixture(fitted->mixture, path));
  const auto rare = open_source({.distribution_model = path.string(), .where = {"y=Y"}});
  ASSERT_TRUE(rare) << rare.error().message;
  EXPECT_EQ(share_of(draw(*rare), "y", "Y"), 1);
  EXPECT_FALSE(open_source({.distribution_model = path.string(), .where = {"y=Y", "y=N"}}));
  EXPECT_FALSE(open_source({.distribution_model = path.string(), .where = {"y=Z"}}));
  const auto shifted = with_scenario(open_source({.distribution_model = path.string()}).value(),
                                     {.name = "s", .shifts = {{"low", 1, 50}}});
  ASSERT_TRUE(shifted) << shifted.error().message;
  const Table drawn = draw(*shifted);
  for (size_t i = 0; i < drawn.rows; ++i)
    ASSERT_LE(drawn.columns[1].numbers[i], drawn.columns[2].numbers[i]) << i;
  std::filesystem::remove(path);
}

TEST(OpenSource, ANamedModelThatIsAbsentIsRefusedUnlessTheFallbackIsAskedFor) {
  const auto absent = open_source({.distribution_model = "no_such_model.pkl"});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_NE(absent.error().message.find("no_such_model.pkl"), std::string::npos);
  const auto fallback = open_source({.distribution_model = "no_such_model.pkl", .fallback = true});
  ASSERT_TRUE(fallback) << fallback.error().message;
  EXPECT_TRUE(fallback->fallback && fallback->portfolio);
  EXPECT_EQ(fallback->description, "portfolio (fallback)");
  EXPECT_NE(fallback->warning.find("no_such_model.pkl"), std::string::npos);
  EXPECT_FALSE(open_source({.distribution_model = ""})->fallback);
  // A file that is there and is no model is bad input whatever the settings say.
  const auto path = std::filesystem::temp_directory_path() / "maeil_no_model.json";
  ASSERT_TRUE(write_file_atomically(path, "nothing"));
  for (const bool allowed : {false, true})
    EXPECT_EQ(open_source({.distribution_model = path.string(), .fallback = allowed}).error().code,
              ErrorCode::kBadInput);
  std::filesystem::remove(path);
}

TEST(OpenSource, AScenarioOfThePortfolioIsRefusedForAnyOtherRows) {
  for (const bool fallback : {false, true}) {
    const auto refused = open_source(
        {.distribution_model = "no_such_model.pkl", .fallback = fallback, .scenario = "recession"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  }
  const auto path = std::filesystem::temp_directory_path() / "maeil_recession.toml";
  ASSERT_TRUE(write_file_atomically(path, "name = \"worse\"\nbase = \"recession\"\n"));
  const auto refused = open_source({.distribution_model = "no_such_model.pkl", .scenario = path.string()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_NE(refused.error().message.find("maeil_recession.toml"), std::string::npos);
  EXPECT_TRUE(open_source({.distribution_model = "", .scenario = path.string()}));
  std::filesystem::remove(path);
}

TEST(OpenSource, ABookIsThePortfoliosAndTheTruthTheRealisticOnes) {
  const auto realistic = open_source({.book = "realistic", .with_truth = true});
  ASSERT_TRUE(realistic) << realistic.error().message;
  EXPECT_EQ(realistic->description, "portfolio (realistic)");
  EXPECT_EQ(realistic->names.back(), "true_pd");
  EXPECT_EQ(realistic->names.size(), realistic->formats.size());
  const auto fallback =
      open_source({.distribution_model = "no_such_model.pkl", .fallback = true, .book = "realistic"});
  ASSERT_TRUE(fallback) << fallback.error().message;
  EXPECT_EQ(fallback->description, "portfolio (realistic) (fallback)");
  EXPECT_EQ(portfolio().names.size(), 99u);

  const auto path = std::filesystem::temp_directory_path() / fmt::format("maeil_truth_{}.toml", ::getpid());
  ASSERT_TRUE(write_file_atomically(path, "name = \"s\"\n[[shift]]\ncolumn = \"INT_RATE\"\nadd = 1\n"));
  const auto refusal = [](const SourcePlan& plan) {
    const auto source = open_source(plan);
    if (source) return std::string("accepted");
    EXPECT_EQ(source.error().code, ErrorCode::kUsage);
    return source.error().message;
  };
  EXPECT_EQ(refusal({.book = "imaginary"}), "book \"imaginary\" is none of separable, realistic");
  EXPECT_NE(refusal({.with_truth = true}).find("--book realistic"), std::string::npos);
  EXPECT_NE(refusal({.scenario = path.string(), .book = "realistic", .with_truth = true})
                .find("a scenario file changes rows"),
            std::string::npos);
  EXPECT_EQ(refusal({.scenario = path.string(), .book = "realistic"}), "accepted");
  EXPECT_NE(refusal({.distribution_model = path.string(), .book = "realistic", .with_truth = true})
                .find("a distribution model knows no"),
            std::string::npos);
  std::filesystem::remove(path);
}

// Settings (base/) cannot ask the portfolio which books there are.
TEST(OpenSource, SettingsKnowEveryBook) {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("maeil_books_{}", ::getpid());
  std::filesystem::create_directories(folder);
  for (const auto& name : portfolio::book_names()) {
    const auto settings = load_settings(folder, [&](const char* asked) {
      return std::string_view(asked) == "BOOK" ? name.c_str() : nullptr;
    });
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(day_source(*settings).book, name);
  }
  EXPECT_EQ(day_source({}).book, SourcePlan{}.book);
  std::filesystem::remove_all(folder);
}

// Shifted values leave the ends they were fitted with, what is constant does not.
TEST(Scenario, AShiftMovesATotalButNotAConstantOne) {
  Table rows;
  rows.rows = 1000;
  for (const char* name : {"hundred", "p", "q", "total", "a", "b"})
    rows.columns.push_back({name, ColumnType::kNumber, {}, {}, {}});
  for (size_t i = 0; i < rows.rows; ++i) {
    const double p = static_cast<double>(i * 7 % 101), a = static_cast<double>(i * 11 % 31),
                 b = static_cast<double>(i * 13 % 29);
    const double values[] = {100, p, 100 - p, a + b, a, b};
    for (size_t c = 0; c < rows.columns.size(); ++c) rows.columns[c].numbers.push_back(values[c]);
  }
  using Kind = table::Constraint::Kind;
  const std::vector<table::Constraint> constraints = {{Kind::kSum, {"hundred", "p", "q"}, ""},
                                                      {Kind::kSum, {"total", "a", "b"}, ""}};
  copula::CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit(
      {.target = "", .formats = {}, .dates = {}, .constraints = constraints, .marginals = {}, .seed = 1});
  ASSERT_TRUE(fitted) << fitted.error().message;
  const auto path = std::filesystem::temp_directory_path() / "maeil_shift_test.json";
  ASSERT_TRUE(copula::write_mixture(fitted->mixture, path));
  const auto shifted = with_scenario(open_source({.distribution_model = path.string()}).value(),
                                     {.name = "s", .shifts = {{"a", 1, 500.5}, {"p", 1.1, 20}}});
  ASSERT_TRUE(shifted) << shifted.error().message;
  const Table drawn = draw(*shifted);
  for (const auto& constraint : constraints)
    EXPECT_EQ(table::count_broken(constraint, drawn).value(), 0u) << describe(constraint);
  for (size_t i = 0; i < drawn.rows; ++i) {
    ASSERT_EQ(drawn.columns[0].numbers[i], 100) << i;
    ASSERT_GE(drawn.columns[3].numbers[i], 500) << i;
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace maeil::loop
