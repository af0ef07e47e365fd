// [contract]: what is refused, its hash, and what is found of rows that break it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "table/contract_check.h"
#include "table/csv_table.h"

namespace maeil::table {
namespace {

const std::string kColumns = R"(name = "book"
columns = [
  { name = "loan", type = "text" },
  { name = "rate", type = "number" },
  { name = "grade", type = "text" },
  { name = "opened", type = "date" },
  { name = "bad", type = "number" },
]
[target]
column = "bad"
positive = 1
negative = 0
[roles]
id = "loan"
)";

DatasetSpec spec_with_contract(const std::string& contract) {
  auto spec = parse_dataset_spec(kColumns + contract, "book.toml");
  EXPECT_TRUE(spec) << (spec ? "" : spec.error().message);
  return spec ? *spec : DatasetSpec();
}

struct Checked {
  std::vector<Finding> findings;
  SetAside set_aside;
  const Finding* find(std::string_view rule, std::string_view column = "") const {
    for (const auto& one : findings) {
      if (one.rule == rule && one.column == column) return &one;
    }
    return nullptr;
  }
};

Checked check(const DatasetSpec& spec, const std::string& rows, FileRules file_rules = FileRules::kAll) {
  ContractCheck checking(spec, std::vector<bool>(spec.columns.size()));
  ContractCheck::Piece piece;
  const auto report = read_csv("loan,rate,grade,opened,bad\n" + rows, "f.csv", spec, {},
                               [&](Table&& chunk, const std::vector<uint64_t>& index) -> Status {
                                 checking.look(chunk, piece);
                                 checking.add(piece, index);
                                 return {};
                               });
  EXPECT_TRUE(report);
  return {checking.findings(*report, "f.csv", file_rules), checking.set_aside()};
}

// `n` good rows, numbered from `first`.
std::string good(int n, int first = 0) {
  std::string out;
  for (int i = first; i < first + n; ++i)
    out += fmt::format("L{},5,A,2026-01-31,{}\n", i, i % 10 == 0 ? 1 : 0);
  return out;
}

TEST(Contract, RefusesWhatIsWrongWithFileAndLine) {
  for (const auto& [contract, said] : std::vector<std::pair<std::string, std::string>>{
           {"[contract]\n", "checks nothing"},
           {"[contract]\nschema_only = true\nmin_rows = 3\n", "schema_only"},
           {"[contract]\nmin_rows = 0\n", "1 or more"},
           {"[contract]\nmin_rows = 1.5\n", "whole number"},
           {"[contract]\nmin_rows = 9\nmax_rows = 3\n", "above max_rows"},
           {"[contract]\ntarget_rate = [0.5]\n", "two shares"},
           {"[contract]\ntarget_rate = [0.5, 0.2]\n", "two shares"},
           {"[contract]\ntarget_rate = [0.1, nan]\n", "two shares"},
           {"[contract]\nmostly = 0\nmin_rows = 1\n", "above 0 to 1"},
           {"[contract]\nunqiue_id = true\n", "no key 'unqiue_id'"},
           {"[contract.columns]\nnone = { min = 1 }\n", "is no column"},
           {"[contract.columns]\nbad = { min = 1 }\n", "is the target"},
           {"[contract.columns]\nrate = 3\n", "must be a table"},
           {"[contract.columns]\nrate = {}\n", "checks nothing"},
           {"[contract.columns]\nrate = { min = inf }\n", "finite number"},
           {"[contract.columns]\nrate = { min = \"1\" }\n", "finite number"},
           {"[contract.columns]\nrate = { min = 3, max = 2 }\n", "above its max"},
           {"[contract.columns]\nrate = { allowed = [] }\n", "at least one"},
           {"[contract.columns]\nrate = { allowed = [\"A\"] }\n", "finite numbers"},
           {"[contract.columns]\nrate = { max_missing = 5 }\n", "0 to 1"},
           {"[contract.columns]\nrate = { max_missing = 0.1, mostly = 0.5 }\n", "needs min, max or allowed"},
           {"[contract.columns]\ngrade = { min = 1 }\n", "read as text"},
           {"[contract.columns]\ngrade = { allowed = [1] }\n", "write \"1\""},
           {"[contract.columns]\nopened = { min = \"31/01/2026\" }\n", "YYYY-MM-DD"},
           {"[contract.columns]\nopened = { allowed = [\"2026-01-31\"] }\n", "min and max"},
       }) {
    const auto spec = parse_dataset_spec(kColumns + contract, "book.toml");
    ASSERT_FALSE(spec) << contract;
    EXPECT_EQ(spec.error().code, ErrorCode::kBadInput);
    EXPECT_NE(spec.error().message.find(said), std::string::npos) << spec.error().message;
    EXPECT_EQ(spec.error().message.rfind("book.toml:1", 0), 0u) << spec.error().message;  // from line 14 on
  }
}

TEST(Contract, HashIsOfWhatCounts) {
  const auto one = spec_with_contract(
      "[contract]\nmin_rows = 1\n[contract.columns]\nrate = { min = 0, max = 25 }\n"
      "grade = { allowed = [\"A\", \"B\"] }\n");
  const auto same = spec_with_contract(
      "# said otherwise\n[contract.columns]\ngrade = { allowed = [\"B\", \"A\"] }\n"
      "rate = { max = 25.0, min = 0.0 }\n[contract]\nmin_rows = 1\n");
  const auto other = spec_with_contract(
      "[contract]\nmin_rows = 1\n[contract.columns]\nrate = { min = 0, max = 26 }\n"
      "grade = { allowed = [\"A\", \"B\"] }\n");
  EXPECT_EQ(contract_hash(one), contract_hash(same));
  EXPECT_NE(contract_hash(one), contract_hash(other));
  EXPECT_NE(contract_hash(one), contract_hash(spec_with_contract("")));
}

TEST(Contract, SetsBrokenRowsAsideAndEndsWhereTheyAreTooMany) {
  const auto spec = spec_with_contract(
      "[contract.columns]\nrate = { min = 0, max = 25 }\ngrade = { allowed = [\"A\", \"B\"] }\n"
      "opened = { max = 2026-06-30 }\n");
  const auto few = check(spec, good(60) + "X,26,A,2026-01-31,0\nY,5,C,2026-01-31,0\nZ,-1,C,2026-07-01,0\n");
  EXPECT_EQ(few.set_aside.rows, (std::vector<uint64_t>{60, 61, 62}));
  EXPECT_FALSE(has_error(few.findings));
  ASSERT_TRUE(few.find("max", "rate"));
  EXPECT_EQ(few.find("max", "rate")->examples, std::vector<std::string>{"26"});
  EXPECT_EQ(few.find("min", "rate")->count, 1u);
  EXPECT_EQ(few.find("allowed", "grade")->count, 2u);
  EXPECT_NEAR(few.find("allowed", "grade")->share, 2.0 / 63, 1e-12);
  EXPECT_EQ(few.find("max", "opened")->examples, std::vector<std::string>{"2026-07-01"});
  EXPECT_EQ(few.set_aside.reasons[few.set_aside.reason_of[0]], "column 'rate': above max = 25");
  // No rule by itself is broken by more than 5 %, all together are.
  const auto many = check(spec, good(57) +
                                    "X,26,A,2026-01-31,0\nY,5,C,2026-01-31,0\nZ,-1,A,2026-01-31,0\n"
                                    "Q,5,A,2026-07-01,0\n");
  EXPECT_TRUE(has_error(many.findings));
  EXPECT_EQ(many.find("mostly")->count, 4u);
  EXPECT_EQ(many.find("max", "rate")->severity, Severity::kWarning);
  // By one rule alone.
  const auto one = check(spec, good(9) + "X,26,A,2026-01-31,0\n");
  EXPECT_EQ(one.find("max", "rate")->severity, Severity::kError);
  // A rule that says so puts up with more, and counts for itself alone.
  const auto loose = spec_with_contract("[contract.columns]\nrate = { max = 25, mostly = 0.8 }\n");
  EXPECT_FALSE(has_error(check(loose, good(9) + "X,26,A,2026-01-31,0\n").findings));
  EXPECT_TRUE(has_error(check(loose, good(3) + "X,26,A,2026-01-31,0\n").findings));
}

TEST(Contract, OfTheFile) {
  const auto spec = spec_with_contract(
      "[contract]\nmin_rows = 5\nmax_rows = 20\ntarget_rate = [0.05, 0.3]\n"
      "[contract.columns]\nrate = { max_missing = 0.1 }\n");
  EXPECT_TRUE(check(spec, good(20)).findings.empty());
  const auto few = check(spec, good(4));
  EXPECT_EQ(few.find("min_rows")->severity, Severity::kError);
  EXPECT_TRUE(check(spec, good(21)).find("max_rows"));
  EXPECT_FALSE(check(spec, good(21), FileRules::kNotRows).find("max_rows"));
  const auto rate = check(spec, good(9, 1));
  ASSERT_TRUE(rate.find("target_rate", "bad"));
  EXPECT_EQ(rate.find("target_rate", "bad")->share, 0);
  // No labels, no rate.
  EXPECT_TRUE(check(spec,
                    "a,1,A,2026-01-31,\nb,1,A,2026-01-31,\nc,1,A,2026-01-31,\nd,1,A,2026-01-31,\n"
                    "e,1,A,2026-01-31,\n")
                  .findings.empty());
  const auto missing = check(spec, good(8) + "X,,A,2026-01-31,0\nY,NA,A,2026-01-31,0\n");
  EXPECT_EQ(missing.find("max_missing", "rate")->count, 2u);
  EXPECT_TRUE(missing.set_aside.empty());
  EXPECT_EQ(check(spec, good(8) + "X,,A,2026-01-31,0\nY,NA,A,2026-01-31,0\n", FileRules::kSaid)
                .find("max_missing", "rate")
                ->severity,
            Severity::kWarning);
}

TEST(Contract, IdsAreUniqueAndNeverShown) {
  const auto spec = spec_with_contract(
      "[contract]\nunique_id = true\n[contract.columns]\nloan = { allowed = [\"L0\"], "
      "mostly = 0.001 }\n");
  const auto found = check(spec, good(1) + "SECRET,5,A,2026-01-31,0\n" + good(1) + good(1));
  EXPECT_EQ(found.set_aside.rows, (std::vector<uint64_t>{1, 2, 3}));  // the first of one id stays
  EXPECT_EQ(found.find("unique_id")->count, 2u);
  for (const auto& one : found.findings) {
    EXPECT_TRUE(one.examples.empty()) << one.rule;
    EXPECT_EQ(one.message.find("SECRET"), std::string::npos);
  }
  const auto absent =
      check(spec_with_contract("[contract]\nunique_id = true\n"), good(99) + ",5,A,2026-01-31,0\n");
  EXPECT_EQ(absent.set_aside.rows, std::vector<uint64_t>{99});
  EXPECT_FALSE(has_error(absent.findings));
}

TEST(Contract, WhatCannotBeReadIsSaidByColumn) {
  const auto found = check(spec_with_contract(""), good(9) + "X,abc,A,2026-01-31,0\nY,5,A,someday,0\n");
  ASSERT_TRUE(found.find("type", "rate"));
  EXPECT_EQ(found.find("type", "rate")->severity, Severity::kError);  // 1 of 11
  EXPECT_EQ(found.find("type", "rate")->examples, std::vector<std::string>{"abc"});
  EXPECT_EQ(found.find("date", "opened")->severity, Severity::kWarning);
  EXPECT_EQ(found.find("date", "opened")->count, 1u);
}

TEST(Contract, RowsThatAreSetAsideAreReadAsQuarantined) {
  const auto spec = spec_with_contract("");
  SetAside out;
  out.rows = {100, 102, 103};
  out.reason_of = {0, 0, 1};
  out.reasons = {"first reason", "second reason"};
  std::vector<uint64_t> kept;
  const auto report = read_csv(
      "loan,rate,grade,opened,bad\n" + good(2) + "X,abc,A,2026-01-31,0\n" + good(1, 9), "f.csv", spec,
      {.set_aside = &out, .first_row = 100}, [&](Table&&, const std::vector<uint64_t>& index) -> Status {
        kept = index;
        return {};
      });
  ASSERT_TRUE(report);
  EXPECT_EQ(kept, std::vector<uint64_t>{1});
  EXPECT_EQ(report->quarantined, 3u);
  EXPECT_EQ(report->set_aside, 2u);
  EXPECT_EQ(report->examples[0].reason, "first reason");
  EXPECT_EQ(report->examples[2].reason, "second reason");
  EXPECT_EQ(report->first_unreadable.line, 4u);
  // Only what cannot be read counts against the 5 %.
  const auto refused = check_quarantine(*report, "f.csv");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("1 of 4 rows"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace maeil::table
