#include "copula/missing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.h"
#include "base/threads.h"
#include "copula/fit.h"
#include "copula/sampler.h"

namespace maeil::copula {
namespace {

// A book of persons and firms: a person (70 %) lacks revenue and staff, a firm lacks job; a firm's grade is
// missing where its revenue is below the first third; note is missing in a fifth of all rows, whatever else.
Table book(size_t rows, uint64_t seed = 1) {
  Table out;
  out.rows = rows;
  out.columns = {
      {"revenue", ColumnType::kNumber, {}, {}, {}}, {"job", ColumnType::kText, {}, {"clerk", "cook"}, {}},
      {"staff", ColumnType::kNumber, {}, {}, {}},   {"note", ColumnType::kNumber, {}, {}, {}},
      {"age", ColumnType::kNumber, {}, {}, {}},     {"grade", ColumnType::kNumber, {}, {}, {}}};
  RandomSequence random(seed, RandomStream::kBootstrap, 0);
  for (size_t i = 0; i < rows; ++i) {
    const bool person = random.next_uniform() < 0.7;
    const double size = random.next_uniform();
    out.columns[0].numbers.push_back(person ? NAN : std::round(1000 * size));
    out.columns[1].codes.push_back(person ? random.next_uniform() < 0.5 : kMissing);
    out.columns[2].numbers.push_back(person ? NAN : std::round(10 * size));
    out.columns[3].numbers.push_back(random.next_uniform() < 0.2 ? NAN : 1);
    out.columns[4].numbers.push_back(std::round(100 * random.next_uniform()));
    out.columns[5].numbers.push_back(person || size < 1.0 / 3 ? NAN : std::round(10 * (1 - size)));
  }
  return out;
}

using Columns = std::vector<size_t>;

TEST(MissingPatterns, FlagsThatFollowFromOneAnotherAreOne) {
  const Table rows = book(3000);
  const auto found = find_missing_patterns(rows, SIZE_MAX);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].sets, (MissingSets{{0, 2}, {1}, {5}}));
  EXPECT_EQ(found[1].sets, (MissingSets{{3}}));
  EXPECT_EQ(found[0].patterns.dictionary.size(), 3u);  // a person, a firm with a grade, one without
  for (size_t i = 0; i < rows.rows; ++i) {
    const auto label = found[0].patterns.text(i);
    for (size_t s = 0; s < 3; ++s)
      ASSERT_EQ(label[s] == '1', rows.columns[found[0].sets[s].front()].is_missing(i)) << i << " " << s;
  }
  // The target has no pattern of its own, and a handful of rows proves nothing.
  EXPECT_EQ(find_missing_patterns(rows, 3).size(), 1u);
  EXPECT_EQ(find_missing_patterns(book(40), SIZE_MAX).size(), 4u);
}

TEST(MissingPatterns, IndependentFlagsStayApart) {
  Table rows;
  rows.rows = 500;
  RandomSequence random(3, RandomStream::kBootstrap, 0);
  for (size_t c = 0; c < 60; ++c) {
    rows.columns.push_back({"c" + std::to_string(c), ColumnType::kNumber, {}, {}, {}});
    const double share = 0.05 + 0.9 * static_cast<double>(c) / 60;
    for (size_t i = 0; i < rows.rows; ++i)
      rows.columns.back().numbers.push_back(random.next_uniform() < share ? NAN : 1);
  }
  EXPECT_EQ(find_missing_patterns(rows, SIZE_MAX).size(), 60u);
}

TEST(MissingPatterns, AreNoMoreThanTheLimit) {
  // Twenty columns that end one after the other: 21 patterns. A hundred: more than one latent holds.
  for (const size_t columns : {20, 100}) {
    Table rows;
    rows.rows = 10000;
    for (size_t c = 0; c < columns; ++c) {
      rows.columns.push_back({"month" + std::to_string(c), ColumnType::kNumber, {}, {}, {}});
      for (size_t i = 0; i < rows.rows; ++i)
        rows.columns.back().numbers.push_back(i % (columns + 1) <= c ? NAN : 1);
    }
    const auto found = find_missing_patterns(rows, SIZE_MAX);
    size_t sets = 0;
    for (const auto& latent : found) {
      EXPECT_LE(latent.patterns.dictionary.size(), kMaxPatterns);
      sets += latent.sets.size();
    }
    EXPECT_EQ(sets, columns);
    EXPECT_EQ(found.size() == 1, columns == 20);
  }
}

TEST(MissingPatterns, HoldInRowsThatAreDrawn) {
  std::string texts[2];
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    CopulaFitter fitter;
    fitter.add(book(5000));
    texts[threads == 3] = to_json(fitter.fit({}).value().mixture);
  }
  set_thread_count(0);
  EXPECT_EQ(texts[0], texts[1]);
  Table out;
  MixtureSampler::make(parse_mixture_json(texts[0], "book.json").value()).value().draw(0, 20000, 7, out);
  size_t persons = 0, grades = 0, low = 0, notes = 0;
  for (size_t i = 0; i < out.rows; ++i) {
    const bool person = out.columns[0].is_missing(i);
    ASSERT_EQ(out.columns[2].is_missing(i), person) << i;
    ASSERT_EQ(out.columns[1].is_missing(i), !person) << i;
    ASSERT_TRUE(!person || out.columns[5].is_missing(i)) << i;
    persons += person;
    notes += !out.columns[3].is_missing(i);
    if (person || out.columns[5].is_missing(i)) continue;
    ++grades;
    low += out.columns[0].numbers[i] < 333;
  }
  EXPECT_NEAR(static_cast<double>(persons), 14000, 5 * std::sqrt(20000 * 0.21) + 0.01 * 20000);
  EXPECT_NEAR(static_cast<double>(grades), 4000, 5 * std::sqrt(20000 * 0.16) + 0.01 * 20000);
  EXPECT_NEAR(static_cast<double>(notes), 16000, 5 * std::sqrt(20000 * 0.16) + 0.01 * 20000);
  // a third, were the reason lost; none in the book
  EXPECT_LT(static_cast<double>(low), 0.15 * static_cast<double>(grades));
}

}  // namespace
}  // namespace maeil::copula
