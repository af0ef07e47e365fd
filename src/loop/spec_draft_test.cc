// What is seen in a file of rows: its target, columns that should be no features, and a spec that reads it.
#include "loop/spec_draft.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "loop/leaking_column.h"

namespace maeil::loop {
namespace {

using testing::HasSubstr;

const Watcher kNobody{[](std::string_view, bool) {}, [](uint64_t, uint64_t) {}};

Result<SpecDraft> draft(const std::string& csv, DraftRequest request) {
  const auto path = std::filesystem::path(testing::TempDir()) / fmt::format("draft-{}.csv", ::getpid());
  EXPECT_TRUE(write_file_atomically(path, csv));
  request.in = path.string();
  auto out = draft_spec(request, Settings(), kNobody);
  std::filesystem::remove(path);
  return out;
}

std::string refusal(const std::string& csv, DraftRequest request) {
  const auto out = draft(csv, std::move(request));
  if (out) return "accepted";
  return fmt::format("{}: {}", exit_code(out.error().code), out.error().message);
}

// A number in [0, 1) for a row.
double noise(uint64_t row) { return static_cast<double>(row * 2654435761u % 10007) / 10007; }

// Loans: `paid_back` is known only afterwards, `closed` lies after `as_of`, `status` is the label in words,
// `grade` and `amount` are weak, `note` is free text, `branch` constant.
std::string book(size_t rows) {
  std::string out = "loan,borrower,as_of,opened,closed,branch,grade,amount,paid_back,status,note,bad\n";
  for (size_t i = 0; i < rows; ++i) {
    const bool bad = i % 7 == 0;
    out += fmt::format(
        "L{:05},{},2026-{:02}-01,2025-{:02}-15,2027-{:02}-01,Seoul,{},{},{},{},words {} of {},{}\n", i, i / 3,
        i % 9 + 1, i % 12 + 1, i % 12 + 1, "ABC"[(i * 7 + (noise(i) < 0.3)) % 3],
        std::round(900000 * noise(i)) / 100, bad ? "" : fmt::format("{}", 50 + i % 40),
        bad ? (i % 2 ? "gone" : "late") : "paid", i * 17, i, bad ? 1 : 0);
  }
  return out;
}

TEST(SpecDraft, NamesWhatShouldBeNoFeatureAndWhy) {
  const auto out = draft(book(700), {.target = "bad", .id = {"loan"}, .group = "borrower", .time = "as_of"});
  ASSERT_TRUE(out) << out.error().message;
  std::map<std::string, std::string> dropped;
  for (size_t c = 0; c < out->columns.size(); ++c) {
    if (!out->columns[c].dropped.empty()) dropped[out->spec.columns[c].name] = out->columns[c].dropped;
  }
  ASSERT_EQ(dropped.size(), 5u) << out->text;
  EXPECT_THAT(dropped["branch"], HasSubstr("constant: 'Seoul' in every row"));
  EXPECT_THAT(dropped["closed"], HasSubstr("lies after as_of in 700 of 700 rows"));
  EXPECT_THAT(dropped["paid_back"], HasSubstr("leaks: it alone tells '1' from '0' (AUC 1.000)"));
  EXPECT_THAT(dropped["status"], HasSubstr("leaks"));
  EXPECT_THAT(dropped["note"], HasSubstr("700 different values in 700 rows"));
  EXPECT_EQ(out->target.positive.rows, 100u);
  EXPECT_TRUE(out->target.was_chosen);
  EXPECT_EQ(out->features, 3u) << out->text;  // grade, amount, days since it was opened
  EXPECT_TRUE(out->warnings.empty());
  const auto spec = table::parse_dataset_spec(out->text, "drafted.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->roles.id, std::vector<std::string>{"loan"});
  EXPECT_EQ(spec->day_counts.at(0).name, "opened_days");
}

TEST(SpecDraft, AMissingValueThatTellsTheLabelLeaksToo) {
  std::string csv = "x,since,y\n";
  for (size_t i = 0; i < 300; ++i)
    csv += fmt::format("{},{},{}\n", noise(i), i % 5 == 0 ? "2024-01-31" : "", i % 5 == 0 ? "yes" : "no");
  const auto out = draft(csv, {.target = "y"});
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_THAT(out->columns[1].dropped, HasSubstr("leaks"));
  EXPECT_FALSE(out->spec.columns[1].nullable);  // its flag would be a feature
  EXPECT_EQ(out->columns[0].dropped, "");
}

TEST(SpecDraft, TargetsThatAreNoneHaveASentence) {
  const std::string head = "x,y\n1,a\n2,b\n3,a\n4,c\n5,d\n";
  EXPECT_THAT(refusal(head, {.target = "y"}), HasSubstr("3: "));
  EXPECT_THAT(refusal(head, {.target = "y"}), HasSubstr("has 4 values where two are needed, 'b' (1 row)"));
  EXPECT_THAT(refusal("x,y\n1,a\n2,a\n", {.target = "y"}),
              HasSubstr("has one value in all rows, 'a' (2 rows)"));
  EXPECT_THAT(refusal("x,y\n1,\n2,\n", {.target = "y"}), HasSubstr("no value in any row"));
  EXPECT_THAT(refusal("x,y\n1,0\n2,1\n", {.target = "y", .positive = "2"}),
              HasSubstr("is '2' in no row: its values are '1' (1 row), '0' (1 row)"));
  EXPECT_THAT(refusal("x,y\n", {.target = "y"}), HasSubstr("has a header and no rows"));
  EXPECT_THAT(refusal("x,y,x\n1,2,3\n", {.target = "y"}), HasSubstr("'x' is there twice"));
  EXPECT_THAT(refusal("x,y\n1,0\n2,1\n", {.target = "z"}), HasSubstr("2: --target: "));
  EXPECT_THAT(refusal("x,y\n1,0\n2,1\n", {.target = "y", .id = {"x", "x"}}), HasSubstr("'x' is named twice"));
  EXPECT_THAT(refusal("x,y\n1,0\n2,1\n", {.target = "y", .time = "x"}), HasSubstr("holds no dates"));
  EXPECT_THAT(refusal("x,y\n1,0\n2,1\n", {.target = "y", .id = {"y"}}), HasSubstr("has a role already"));
  std::string wide = "y";
  for (int i = 0; i < 5000; ++i) wide += fmt::format(",c{}", i);
  EXPECT_THAT(refusal(wide + "\n1\n", {.target = "y"}), HasSubstr("more than 4096 columns"));
}

TEST(SpecDraft, ValuesOfATargetAreToldApartAsTheSpecDoes) {
  const auto numbers = draft("x,y\n1,1\n2,0.0\n3,1.0\n4,0\n5,\n6,0\n", {.target = "y"});
  ASSERT_TRUE(numbers) << numbers.error().message;
  EXPECT_EQ(numbers->target.positive.value, "1");
  EXPECT_EQ(numbers->target.negative.rows, 3u);
  EXPECT_EQ(numbers->unlabelled, 1u);
  EXPECT_THAT(numbers->text, HasSubstr("positive = 1\nnegative = 0\n"));
  EXPECT_THAT(numbers->warnings, testing::Contains(HasSubstr("6 rows are few")));
  const auto words = draft("x,y\n1,True\n2,False\n3,TRUE\n4,false\n", {.target = "y"});
  ASSERT_TRUE(words) << words.error().message;
  EXPECT_THAT(words->text, HasSubstr("positive = true\nnegative = false\n"));  // a tie: it sounds like it
  const auto told = draft("x,y\n1,good\n2,bad\n3,good\n", {.target = "y", .positive = "good"});
  ASSERT_TRUE(told) << told.error().message;
  EXPECT_FALSE(told->target.was_chosen);
  EXPECT_THAT(told->text, HasSubstr("positive = \"good\"\nnegative = \"bad\"\n"));
}

TEST(SpecDraft, ProposesWhatCouldBeTheTarget) {
  std::string csv = "x,sex,has_default,kind\n";
  for (size_t i = 0; i < 60; ++i)
    csv += fmt::format("{},{},{},{}\n", i, i % 2 ? "f" : "m", i % 4 == 0, i % 3);
  const auto out = draft(csv, {});
  ASSERT_TRUE(out) << out.error().message;
  ASSERT_EQ(out->proposed.size(), 2u);
  EXPECT_EQ(out->proposed[0].column, "has_default");
  EXPECT_EQ(out->proposed[0].positive.value, "true");
  EXPECT_EQ(out->proposed[1].column, "sex");
  EXPECT_EQ(out->text, "");
}

TEST(SpecDraft, AnUnclearColumnIsTextAndSaid) {
  std::string csv = "x,y\n";
  for (size_t i = 0; i < 60; ++i)
    csv += fmt::format("{},{}\n", i % 6 == 5 ? std::string("none yet") : std::to_string(i % 7), i % 2);
  const auto out = draft(csv, {.target = "y"});
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->spec.columns[0].type, table::SpecType::kText);
  EXPECT_THAT(
      out->warnings,
      testing::Contains(HasSubstr("column 'x' is drafted as text: 10 of its 60 values are no numbers")));
}

TEST(SpecDraft, DraftsAContractThatTheHistoryAndDaysLikeItKeep) {
  const auto out = draft(book(700), {.target = "bad", .id = {"loan"}, .group = "borrower", .time = "as_of"});
  ASSERT_TRUE(out) << out.error().message;
  const table::Contract& contract = out->spec.contract;
  EXPECT_TRUE(contract.unique_id);
  EXPECT_EQ(contract.min_rows, 38u);   // half of 77, the smallest of nine days
  EXPECT_EQ(contract.max_rows, 156u);  // twice 78
  EXPECT_EQ(contract.min_target_rate, 0);
  std::map<std::string, table::ColumnContract> columns;
  for (const auto& one : contract.columns) columns[one.column] = one;
  EXPECT_FALSE(columns.contains("paid_back") || columns.contains("loan") || columns.contains("bad"));
  EXPECT_EQ(columns["amount"].min, 0);
  EXPECT_EQ(columns["amount"].max, 18000);
  EXPECT_EQ(columns["grade"].allowed_texts, (std::vector<std::string>{"A", "B", "C"}));
  EXPECT_EQ(columns["grade"].max_missing, 0.07);  // five of a day's 78 rows
  EXPECT_EQ(columns["opened"].max_missing, 0.07);
  // What is written is what is read.
  const auto read = table::parse_dataset_spec(out->text, "drafted.toml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->contract.columns.size(), contract.columns.size());
  EXPECT_EQ(read->contract.max_target_rate, contract.max_target_rate);
}

TEST(SpecDraft, ExpectsOtherValuesWhereSomeAreRare) {
  std::string csv = "kind,x,bad\n";
  for (int i = 0; i < 100; ++i)
    csv += fmt::format("{},{},{}\n", i == 0 ? "Z" : i % 2 ? "A" : "B", -(i % 37), i % 3 == 0 ? 1 : 0);
  const auto out = draft(csv, {.target = "bad"});
  ASSERT_TRUE(out) << out.error().message;
  for (const auto& one : out->spec.contract.columns) {
    EXPECT_TRUE(one.allowed_texts.empty()) << one.column;
    if (one.column == "x") {
      EXPECT_EQ(*one.max, 0);  // never positive
    }
  }
  EXPECT_FALSE(out->spec.contract.min_rows);  // of days nothing is known
  EXPECT_FALSE(out->spec.contract.unique_id);
}

TEST(Separation, OfOrderMissingAndCategories) {
  std::vector<uint8_t> labels;
  ColumnSample order, noisy, codes{.ordered = false}, unique{.ordered = false}, middle;
  for (size_t i = 0; i < 400; ++i) {
    const bool positive = i % 4 == 0;
    labels.push_back(positive);
    order.values.push_back(positive ? 100 + noise(i) : noise(i));
    noisy.values.push_back(noise(i));
    codes.values.push_back(positive ? static_cast<double>(i % 8) : 100 + static_cast<double>(i % 5));
    unique.values.push_back(static_cast<double>(i));
    middle.values.push_back(positive ? 2 : 1 + 2 * static_cast<double>(i % 2));  // 1 2 3: no order tells it
  }
  EXPECT_EQ(separation(order, labels), 1.0);
  EXPECT_LT(*separation(noisy, labels), 0.6);
  EXPECT_EQ(separation(codes, labels), 1.0);
  EXPECT_EQ(separation(unique, labels), 0.5);  // each row alone
  EXPECT_EQ(separation(middle, labels), 1.0);
  labels.assign(400, 0);
  labels[0] = 1;
  EXPECT_FALSE(separation(order, labels));
}

}  // namespace
}  // namespace maeil::loop
