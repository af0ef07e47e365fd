// Conditions, rates and scenarios on real sources: what is asked holds in every row, the rest stays, and drift shows where it was made.
#include "loop/source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "copula/fit.h"
#include "loop/row_filter.h"
#include "loop/scenario.h"

namespace maeil::loop {
namespace {

constexpr uint64_t kRows = 8 * kSourceRows;

// Rows first..first + rows - 1, block by block.
Table draw(const Source& source, uint64_t first = 0, uint64_t rows = kRows) {
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
  for (size_t i = 0; i < rows.rows; ++i) n += value.empty() ? c.is_missing(i) : !c.is_missing(i) && c.text(i) == value;
  return static_cast<double>(n) / static_cast<double>(rows.rows);
}

// Population stability index over the reference's deciles (numbers) or values (text), missing apart; 1e-4 stands for an empty cell.
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
      const std::string cell = column.is_missing(i) ? "missing"
                               : column.type == ColumnType::kText
                                   ? "=" + std::string(column.text(i))
                                   : std::to_string(std::upper_bound(edges.begin(), edges.end(), column.numbers[i]) - edges.begin());
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
  for (size_t i = 0; i < piece.rows; ++i) ASSERT_EQ(piece.find("INT_RATE")->numbers[i], rows.find("INT_RATE")->numbers[700 + i]) << i;
}

TEST(Where, RefusesWhatCannotBeMetBeforeDrawing) {
  const auto message = [](std::vector<std::string> where) {
    const auto source = open_source({.where = std::move(where)});
    return source ? "accepted" : source.error().message;
  };
  EXPECT_NE(message({"DLNQ_1M_FLG=maybe"}).find("none of 65536 rows"), std::string::npos) << message({"DLNQ_1M_FLG=maybe"});
  EXPECT_NE(message({"nosuch=1"}).find("no column 'nosuch'"), std::string::npos);
  EXPECT_NE(message({"DLNQ_1M_FLG>3"}).find("no order"), std::string::npos);
  EXPECT_NE(message({"INT_RATE=high"}).find("holds numbers"), std::string::npos);
  EXPECT_NE(message({"INT_RATE"}).find("no condition"), std::string::npos);
}

TEST(Scenario, ARateChangesTheShareAndKeepsWhatHangsOnIt) {
  const auto source = with_rate(portfolio(), "DLNQ_1M_FLG", "Y", 0.25);
  ASSERT_TRUE(source) << source.error().message;
  const Table calm = draw(portfolio()), rows = draw(*source);
  EXPECT_NEAR(share_of(rows, "DLNQ_1M_FLG", "Y"), 0.25, 5 * std::sqrt(0.25 * 0.75 / kRows) + 0.01);
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
)", "storm.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto source = with_scenario(portfolio(), *config);
  ASSERT_TRUE(source) << source.error().message;
  const Table calm = draw(portfolio()), rows = draw(*source);
  EXPECT_NEAR(share_of(rows, "biz_gb", "space_mining"), 0.1, 5 * std::sqrt(0.09 / kRows));
  for (size_t i = 0; i < rows.rows; ++i) {
    const double before = calm.find("INT_RATE")->numbers[i], after = rows.find("INT_RATE")->numbers[i];
    ASSERT_TRUE(before != before ? after != after : std::abs(after - before - 1.5) < 1e-9) << i;
  }
  const std::vector<std::string> moved = {"INT_RATE", "biz_gb", "CLLTRL_RATIO"};
  for (const auto& name : source->names) {
    const double drift = psi(calm, rows, name);
    if (std::find(moved.begin(), moved.end(), name) != moved.end()) EXPECT_GT(drift, 0.25) << name;
    else EXPECT_EQ(drift, 0) << name;
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
  const auto wrong = with_scenario(portfolio(), {.name = "s", .shifts = {{"biz_gb", 1, 1}}});
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("no column of numbers"), std::string::npos);
}

// A fitted model whose constraints must survive a scenario, and whose classes are chosen, not searched.
TEST(Scenario, AFittedModelsConstraintsHoldAndItsClassesAreExact) {
  Table rows;
  rows.rows = 3000;
  rows.columns = {{"y", ColumnType::kText, {}, {"N", "Y"}, {}}, {"low", ColumnType::kNumber, {}, {}, {}}, {"high", ColumnType::kNumber, {}, {}, {}}};
  for (size_t i = 0; i < rows.rows; ++i) {
    rows.columns[0].codes.push_back(i % 3000 == 7 || i % 3000 == 9);  // 2 of 3,000: far too rare for rejection
    rows.columns[1].numbers.push_back(static_cast<double>(i * 7 % 101));
    rows.columns[2].numbers.push_back(static_cast<double>(i * 7 % 101 + i % 5));
  }
  copula::CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit({.target = "y", .formats = {}, .dates = {}, .constraints = {{table::Constraint::Kind::kOrder, {"low", "high"}, ""}}, .marginals = {}, .seed = 1});
  ASSERT_TRUE(fitted) << fitted.error().message;
  const auto path = std::filesystem::temp_directory_path() / "maeil_source_test.json";
  ASSERT_TRUE(copula::write_mixture(fitted->mixture, path));
  const auto rare = open_source({.distribution_model = path.string(), .where = {"y=Y"}});
  ASSERT_TRUE(rare) << rare.error().message;
  EXPECT_EQ(share_of(draw(*rare), "y", "Y"), 1);
  EXPECT_FALSE(open_source({.distribution_model = path.string(), .where = {"y=Y", "y=N"}}));
  EXPECT_FALSE(open_source({.distribution_model = path.string(), .where = {"y=Z"}}));
  const auto shifted = with_scenario(open_source({.distribution_model = path.string()}).value(), {.name = "s", .shifts = {{"low", 1, 50}}});
  ASSERT_TRUE(shifted) << shifted.error().message;
  const Table drawn = draw(*shifted);
  for (size_t i = 0; i < drawn.rows; ++i) ASSERT_LE(drawn.columns[1].numbers[i], drawn.columns[2].numbers[i]) << i;
  std::filesystem::remove(path);
}

// Shifted values leave the ends they were fitted with, what is constant does not.
TEST(Scenario, AShiftMovesATotalButNotAConstantOne) {
  Table rows;
  rows.rows = 1000;
  for (const char* name : {"hundred", "p", "q", "total", "a", "b"}) rows.columns.push_back({name, ColumnType::kNumber, {}, {}, {}});
  for (size_t i = 0; i < rows.rows; ++i) {
    const double p = static_cast<double>(i * 7 % 101), a = static_cast<double>(i * 11 % 31), b = static_cast<double>(i * 13 % 29);
    const double values[] = {100, p, 100 - p, a + b, a, b};
    for (size_t c = 0; c < rows.columns.size(); ++c) rows.columns[c].numbers.push_back(values[c]);
  }
  using Kind = table::Constraint::Kind;
  const std::vector<table::Constraint> constraints = {{Kind::kSum, {"hundred", "p", "q"}, ""}, {Kind::kSum, {"total", "a", "b"}, ""}};
  copula::CopulaFitter fitter;
  fitter.add(rows);
  const auto fitted = fitter.fit({.target = "", .formats = {}, .dates = {}, .constraints = constraints, .marginals = {}, .seed = 1});
  ASSERT_TRUE(fitted) << fitted.error().message;
  const auto path = std::filesystem::temp_directory_path() / "maeil_shift_test.json";
  ASSERT_TRUE(copula::write_mixture(fitted->mixture, path));
  const auto shifted = with_scenario(open_source({.distribution_model = path.string()}).value(), {.name = "s", .shifts = {{"a", 1, 500.5}, {"p", 1.1, 20}}});
  ASSERT_TRUE(shifted) << shifted.error().message;
  const Table drawn = draw(*shifted);
  for (const auto& constraint : constraints) EXPECT_EQ(table::count_broken(constraint, drawn).value(), 0u) << describe(constraint);
  for (size_t i = 0; i < drawn.rows; ++i) {
    ASSERT_EQ(drawn.columns[0].numbers[i], 100) << i;
    ASSERT_GE(drawn.columns[3].numbers[i], 500) << i;
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace maeil::loop
