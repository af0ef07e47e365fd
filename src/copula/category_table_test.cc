// The lookup of a category against a binary search.
#include "copula/category_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/philox.h"

namespace maeil::copula {
namespace {

TEST(CategoryTable, FindsTheIntervalThatASearchFinds) {
  CategoryOutput output;
  RandomSequence random(3, RandomStream::kCopula, 0);
  double total = 0;
  for (int k = 0; k < 3000; ++k) output.upper.push_back(total += std::pow(random.next_uniform(), 6) + 1e-7);
  for (auto& u : output.upper) u /= total;
  output.labels.resize(output.upper.size());
  const Marginal marginal = Beta{1.002, 0.998, 1e-6, 0.999998};
  const CategoryTable table(marginal, output);
  std::vector<float> ends;
  for (size_t k = 0; k + 1 < output.upper.size(); ++k)
    ends.push_back(static_cast<float>(normal_score(marginal, output.upper[k])));
  const auto expected = [&](float z) {
    return static_cast<uint32_t>(std::ranges::lower_bound(ends, z) - ends.begin());
  };
  for (float z = -7; z < 7; z += 0.00037f) ASSERT_EQ(table(z), expected(z)) << z;
  for (const float end : ends) {
    ASSERT_EQ(table(end), expected(end)) << end;
    ASSERT_EQ(table(std::nextafter(end, 10.0f)), expected(std::nextafter(end, 10.0f))) << end;
  }
}

TEST(CategoryTable, OneCategoryTakesAll) {
  const CategoryTable table(Beta{1, 1, 0, 1}, CategoryOutput{{"x"}, {1}, {}});
  for (const float z : {-9.0f, 0.0f, 9.0f}) EXPECT_EQ(table(z), 0u);
}

}  // namespace
}  // namespace maeil::copula
