// Which columns are identifiers, and that what is made in their place tells nothing of the data's own values.
#include "table/identifier.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace maeil::table {
namespace {

DistinctSample sample_of(const std::vector<std::string>& values, uint64_t rows_each = 1) {
  DistinctSample out;
  for (const auto& value : values) out.add(value, rows_each);
  return out;
}

std::vector<std::string> counted(size_t n, const std::string& format, size_t step = 1) {
  std::vector<std::string> out;
  for (size_t i = 1; i <= n; ++i) out.push_back(fmt::format(fmt::runtime(format), i * step));
  return out;
}

// The new values of as many rows as the data have that are among the data's own.
size_t repeated(const Identifier& found, const std::vector<std::string>& real, bool number) {
  const std::set<std::string> own(real.begin(), real.end());
  const IdentifierWriter writer(found.pattern, 0);
  std::string text;
  size_t out = 0;
  for (uint64_t row = 0; row < found.rows; ++row) {
    writer.write(7, row, text);
    out += own.contains(number ? fmt::format("{}", writer.number(7, row)) : text);
  }
  return out;
}

TEST(FindIdentifier, TextsOfManyRowsAValueAreFoundByTheirNameOrTheirPattern) {
  const auto customers = counted(10000, "L-{:06}");
  for (const char* name : {"customer_id", "borrower"}) {
    const auto found = find_identifier(name, false, false, sample_of(customers, 12));
    ASSERT_TRUE(found) << name;
    EXPECT_EQ(repeated(*found, customers, false), 0u);
  }
  EXPECT_TRUE(find_identifier("customer_id", false, false, sample_of(counted(200, "L-{:06}"), 12)));
  EXPECT_FALSE(find_identifier("grade", false, false, sample_of(counted(200, "L-{:06}"), 12)));
  EXPECT_FALSE(find_identifier("plan_no", false, false, sample_of({"A1", "A2", "B7"}, 100)));
  std::vector<std::string> towns;
  for (size_t i = 0; i < 2000; ++i)
    towns.push_back(std::string(1 + i % 7, 'x') + fmt::format(" on {} sea", i));
  EXPECT_FALSE(find_identifier("town", false, false, sample_of(towns, 12)));
}

TEST(FindIdentifier, NewIdsAreNoneOfTheDatas) {
  for (const char* format : {"{}", "{:06}", "C{}", "L-{:05}", "2024-{:06}-01", "{:08}-00"}) {
    const auto real = counted(6000, format);
    const bool number = std::string_view(format) == "{}";
    const auto found = find_identifier("id", number, false, sample_of(real));
    ASSERT_TRUE(found) << format;
    EXPECT_EQ(repeated(*found, real, number), 0u) << format << " " << describe(found->pattern);
    EXPECT_TRUE(check_pattern(found->pattern, number)) << format;
  }
  EXPECT_EQ(describe(find_identifier("id", false, false, sample_of(counted(6000, "L-{:05}")))->pattern),
            "L-{5 digits}");
}

// One far number, which a sample of 4,096 of 6,000 values may not have.
TEST(FindIdentifier, TheLargestNumberIsThatOfAllValues) {
  for (size_t far = 70000; far < 70020; ++far) {
    auto real = counted(6000, "C{:05}");
    real.push_back(fmt::format("C{:05}", far));
    const auto found = find_identifier("id", false, false, sample_of(real));
    ASSERT_TRUE(found);
    EXPECT_GT(found->pattern.start, far);
  }
}

TEST(FindIdentifier, PartsOfASampleGiveTheSameLargestValue) {
  auto one = sample_of(counted(3000, "C{:05}", 2)), other = sample_of(counted(50, "C{:05}", 7));
  other.merge(one);
  one.merge(sample_of(counted(50, "C{:05}", 7)));
  EXPECT_EQ(one.largest(), "C06000");
  EXPECT_EQ(other.largest(), "C06000");
}

TEST(FindIdentifier, FewValuesGetACounter) {
  const auto few = counted(8, "PARIS-{:03}", 17);
  EXPECT_EQ(describe(find_identifier("branch", false, true, sample_of(few))->pattern), "branch-{8 digits}");
  const auto numbers = find_identifier("branch", true, true, sample_of(counted(8, "{}", 4711)));
  EXPECT_EQ(describe(numbers->pattern), "{8 digits}");
  EXPECT_EQ(numbers->pattern.start, 10000000u);
}

TEST(FindIdentifier, NumbersThatTheMetadataCallPersonalAreNeverModelled) {
  for (const auto& values : {std::vector<std::string>{"1.5", "2.25"}, {"-7", "8"}, {"1e15", "2e15"}}) {
    const auto found = find_identifier("salary", true, true, sample_of(values, 40));
    ASSERT_TRUE(found) << values[0];
    EXPECT_TRUE(check_pattern(found->pattern, true));
    EXPECT_FALSE(find_identifier("salary", true, false, sample_of(values, 40)));
  }
}

TEST(FindIdentifier, AQuantityWithTheNameOfANumberIsNone) {
  EXPECT_FALSE(
      find_identifier("dependents_no", true, false, sample_of({"0", "1", "2", "3", "4", "5", "6"}, 9)));
  EXPECT_TRUE(find_identifier("loan_no", true, false, sample_of(counted(40, "{}", 1009), 3)));
}

}  // namespace
}  // namespace maeil::table
