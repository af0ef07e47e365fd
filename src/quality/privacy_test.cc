// Distances against SDMetrics 0.32.0's own answers (testdata/make_diagnostic_goldens.py), and what they say
// of copies.
#include "quality/privacy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "base/philox.h"
#include "base/threads.h"
#include "quality/test_files.h"

namespace maeil::quality {
namespace {

std::vector<size_t> all(size_t rows) {
  std::vector<size_t> out(rows);
  std::iota(out.begin(), out.end(), size_t{0});
  return out;
}

TEST(PrivacyGolden, DistancesEqualSdmetrics) {
  const auto golden =
      nlohmann::json::parse(read_file(kTestData + "diagnostic_golden.json").value())["distance"];
  const auto data = read_data({.real = kTestData + "diagnostic_real.csv",
                               .synthetic = kTestData + "diagnostic_synthetic.csv",
                               .holdout = kTestData + "diagnostic_holdout.csv",
                               .metadata = read_file(kTestData + "distance.json").value()});
  ASSERT_TRUE(data) << data.error().message;
  for (const auto& [name, side, rows] : {std::tuple{"to_real", &ColumnPair::real, data->real_rows},
                                         {"to_holdout", &ColumnPair::holdout, data->holdout_rows}}) {
    const auto found =
        closest_distances(*data, &ColumnPair::synthetic, all(data->synthetic_rows), side, all(rows));
    ASSERT_EQ(found.size(), golden[name].size());
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], golden[name][i].get<double>(), 1e-9) << name << " " << i;
  }
  const auto privacy = measure_privacy(*data);
  EXPECT_NEAR(privacy.closer_to_real,
              golden["overfitting"]["synthetic_data_percentages"]["closer_to_training"].get<double>(), 1e-9);
  EXPECT_NEAR(privacy.protection, golden["overfitting"]["score"].get<double>(), 1e-9);
}

std::string points(size_t n, uint64_t seed) {
  RandomSequence random(seed, RandomStream::kInit, 0);
  std::string out = "a,b,c\n";
  for (size_t i = 0; i < n; ++i)
    out += fmt::format("{},{},{}\n", random.next_uniform(), random.next_uniform(),
                       random.next_below(4) == 0 ? "" : "x");
  return out;
}

TEST(Privacy, CopiesAreFoundAndFreshRowsAreNot) {
  const auto real = test_file("real.csv", points(600, 1)), holdout = test_file("holdout.csv", points(600, 2)),
             fresh = test_file("fresh.csv", points(600, 3));
  const auto copied = measure_privacy(*read_data({.real = real, .synthetic = real, .holdout = holdout}));
  EXPECT_EQ(copied.copies, 1);
  EXPECT_EQ(copied.median_to_real, 0);
  EXPECT_EQ(copied.closer_to_real, 1);
  EXPECT_EQ(copied.protection, 0);
  EXPECT_EQ(copied.real_copies, 0);
  const auto drawn = measure_privacy(*read_data({.real = real, .synthetic = fresh, .holdout = holdout}));
  EXPECT_EQ(drawn.copies, 0);
  EXPECT_NEAR(drawn.closer_to_real, 0.5, 0.1);  // 5 standard deviations of 600 fair coins
  EXPECT_NEAR(drawn.median_to_real / drawn.median_real, 1, 0.15);
  const auto smaller = measure_privacy(
      *read_data({.real = real, .synthetic = fresh, .holdout = test_file("smaller.csv", points(200, 4))}));
  EXPECT_EQ(smaller.fair_rows, 200U);
  EXPECT_NEAR(smaller.closer_to_real, 0.5, 0.1);  // 0.75, were all 600 real rows to take part
}

// One row in 13,000 is a copy, and no choice of 5,000 rows need have it.
TEST(Privacy, CopiesAreCountedOverAllRows) {
  const std::string real = points(13000, 1);
  std::string synthetic = points(9000, 2);
  const size_t line = real.find('\n', real.size() / 2) + 1;
  const std::string copy = real.substr(line, real.find('\n', line) + 1 - line);
  synthetic += copy;
  for (const size_t max_rows : {size_t{0}, size_t{100}}) {
    const auto data = read_data({.real = test_file("real.csv", real),
                                 .synthetic = test_file("copy.csv", synthetic),
                                 .max_rows = max_rows});
    ASSERT_TRUE(data) << data.error().message;
    EXPECT_EQ(data->copies.synthetic, 1u);
    EXPECT_EQ(data->copies.real, 0u);
    EXPECT_NEAR(measure_privacy(*data).copies, 1.0 / 9001, 1e-12);
  }
}

// A row's number that is made anew is in no copy.
TEST(Privacy, CopiesAreFoundBesideNewIdentifiers) {
  std::string real = "loan_id,amount,grade\n", synthetic = real;
  RandomSequence random(5, RandomStream::kInit, 0);
  for (int i = 0; i < 300; ++i) {
    const std::string rest =
        fmt::format("{},{}\n", random.next_below(1000000), random.next_below(2) ? "A" : "B");
    real += fmt::format("L{:05},{}", i, rest);
    synthetic += fmt::format("L{:05},{}", i + 50000, rest);
  }
  const auto data =
      read_data({.real = test_file("real.csv", real), .synthetic = test_file("synthetic.csv", synthetic)});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->copies.synthetic, 300u);
  EXPECT_EQ(data->copies.identifiers, std::vector<std::string>{"loan_id"});
  const auto alone = read_data({.real = test_file("a.csv", "loan_id\nL1\nL2\n"),
                                .synthetic = test_file("b.csv", "loan_id\nL8\nL9\n")});
  EXPECT_EQ(alone->copies.synthetic, 0u);
}

TEST(Privacy, CopiesAreFoundWhateverSeparatesThousands) {
  const auto data = read_data({.real = test_file("real.csv", "a\n\"1,234,000\"\n\"5,000\"\n7\n"),
                               .synthetic = test_file("synthetic.csv", "a\n1234000\n5000\n8\n")});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->copies.synthetic, 2u);
}

// Twelve rows a loan: a choice of one in twelve has all months, not one of them.
TEST(Privacy, AChoiceOfRowsHasAllOfARhythm) {
  std::string rows = "month,x\n";
  for (int i = 0; i < 12000; ++i) rows += fmt::format("{},{}\n", i % 12 + 1, i % 7);
  const auto path = test_file("rhythm.csv", rows);
  const auto data = read_data({.real = path, .synthetic = path, .max_rows = 1000});
  ASSERT_TRUE(data) << data.error().message;
  std::vector<size_t> seen(13);
  for (const double month : data->columns[0].real.numbers) ++seen[static_cast<size_t>(month)];
  ASSERT_EQ(data->columns[0].real.numbers.size(), 1000u);
  for (size_t month = 1; month <= 12; ++month) EXPECT_GT(seen[month], 40u) << month;  // 83 expected
}

TEST(Privacy, ManyRowsAreSubsampledAndThreadsDoNotMatter) {
  const auto real = test_file("real.csv", points(kPrivacyRows + 500, 1)),
             other = test_file("other.csv", points(700, 2));
  const auto data = read_data({.real = real, .synthetic = other});
  set_thread_count(1);
  const auto one = measure_privacy(*data);
  set_thread_count(5);
  const auto five = measure_privacy(*data);
  set_thread_count(0);
  EXPECT_EQ(one.real_rows, kPrivacyRows);
  EXPECT_EQ(one.synthetic_rows, 700U);
  EXPECT_EQ(one.median_to_real, five.median_to_real);
  EXPECT_EQ(one.median_real, five.median_real);
  EXPECT_TRUE(std::isnan(one.closer_to_real));
}

}  // namespace
}  // namespace maeil::quality
