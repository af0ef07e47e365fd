// Train-on-synthetic tells good synthetic rows from useless ones.
#include "quality/utility.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "quality/test_files.h"

namespace maeil::quality {
namespace {

// A book whose default depends on a ratio, a grade and whether `age` is known. `noise`: labels drawn apart
// from the features.
std::string book(size_t n, uint64_t seed, bool noise) {
  RandomSequence random(seed, RandomStream::kInit, 0);
  std::string out = "ratio,grade,age,default\n";
  for (size_t i = 0; i < n; ++i) {
    const double ratio = random.next_uniform();
    const auto grade = random.next_below(3);
    const bool known = random.next_uniform() < 0.7;
    double odds = -3 + 3 * ratio + 1.5 * grade + (known ? 0 : 1.5);
    if (noise) odds = -1;
    out += fmt::format("{:.4f},{},{},{}\n", ratio, "ABC"[grade],
                       known ? fmt::format("{}", random.next_below(80)) : "",
                       random.next_uniform() < 1 / (1 + std::exp(-odds)) ? "Y" : "N");
  }
  return out;
}

Data read(const std::string& synthetic, bool holdout) {
  auto data = read_data({.real = test_file("real.csv", book(4000, 1, false)),
                         .synthetic = test_file("synthetic.csv", synthetic),
                         .holdout = holdout ? test_file("holdout.csv", book(2000, 3, false)) : ""});
  EXPECT_TRUE(data) << data.error().message;
  return std::move(*data);
}

TEST(Utility, GoodRowsTeachAsMuchAsRealOnesAndNoiseDoesNot) {
  const auto good = train_on_synthetic(read(book(4000, 2, false), true), "default");
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_TRUE(good->holdout_file);
  EXPECT_EQ(good->test_rows, 2000U);
  EXPECT_EQ(good->real.rows, 4000U);
  EXPECT_GT(good->real.auc, 0.75);
  EXPECT_NEAR(good->synthetic.auc, good->real.auc, 0.02);
  EXPECT_NEAR(good->synthetic.f1, good->real.f1, 0.05);
  const auto noise = train_on_synthetic(read(book(4000, 2, true), true), "default");
  ASSERT_TRUE(noise);
  EXPECT_EQ(noise->real.auc, good->real.auc);
  EXPECT_LT(noise->synthetic.auc, 0.6);
}

TEST(Utility, WithoutAHoldoutFileRealRowsAreSetAside) {
  const auto found = train_on_synthetic(read(book(1000, 2, false), false), "default");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->holdout_file);
  EXPECT_EQ(found->real.rows + found->test_rows, 4000U);
  EXPECT_NEAR(static_cast<double>(found->test_rows), 1200, 120);  // 4 standard deviations of a 30 % choice
}

TEST(Utility, SeveralClassesAndNumbersAsClasses) {
  const auto grades = train_on_synthetic(read(book(2000, 2, false), true), "grade");
  ASSERT_TRUE(grades) << grades.error().message;
  EXPECT_EQ(grades->classes.size(), 3U);
  EXPECT_GT(grades->synthetic.auc, 0.55);
  const auto path = test_file("numbers.csv", [] {
    std::string out = "x,y\n";
    for (int i = 0; i < 400; ++i) out += fmt::format("{},{}\n", i % 50, i % 50 >= 40 ? 1 : 0);
    return out;
  }());
  const auto data = read_data({.real = path, .synthetic = path});
  const auto numbers = train_on_synthetic(*data, "y");
  ASSERT_TRUE(numbers) << numbers.error().message;
  EXPECT_EQ(numbers->classes[0], "1");  // the rarer one
  EXPECT_EQ(numbers->synthetic.f1, 1);
}

// Rows that all default (the more frequent class) teach that nobody does not: no error, but the worst marks.
TEST(Utility, SyntheticRowsOfOneClassTeachNothing) {
  auto text = book(500, 2, false);
  std::ranges::replace(text, 'N', 'Y');
  const auto found = train_on_synthetic(read(text, true), "default");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->synthetic.f1, 0);
  EXPECT_EQ(found->synthetic.auc, 0.5);
  EXPECT_GT(found->real.auc, 0.75);
}

TEST(Utility, RefusesATargetThatIsNone) {
  const auto refuse = [](const std::string& real, const std::string& target) {
    const auto data =
        read_data({.real = test_file("r.csv", real), .synthetic = test_file("s.csv", "x,y\n1,a\n2,b\n")});
    const auto found = train_on_synthetic(*data, target);
    return found ? std::string("accepted") : found.error().message;
  };
  EXPECT_THAT(refuse("x,y\n1,a\n", "z"), testing::HasSubstr("no column 'z'"));
  EXPECT_THAT(refuse("x,y\n1,a\n2,a\n3,a\n4,a\n", "y"), testing::HasSubstr("fewer than two values"));
  const auto alone =
      read_data({.real = test_file("r.csv", "y\na\nb\n"), .synthetic = test_file("s.csv", "y\na\n")});
  EXPECT_THAT(train_on_synthetic(*alone, "y").error().message,
              testing::HasSubstr("no column to predict 'y' from"));
  std::string many = "x,y\n";
  for (int i = 0; i < 100; ++i) many += fmt::format("{},b\n", i);
  EXPECT_THAT(refuse(many, "x"), testing::HasSubstr("no class"));
}

}  // namespace
}  // namespace maeil::quality
