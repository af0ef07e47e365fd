// What tokens add to a score: they add up to it, the same whoever asks, and a token that counts for nothing
// adds nothing.
#include "nn/integrated_gradients.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "nn/test_model.h"

namespace maeil::nn {
namespace {

Scorer small_scorer(uint64_t seed = 3) {
  const ModelShape shape{.cardinalities = {5, 3, 40},
                         .numeric = 4,
                         .width = 16,
                         .heads = 2,
                         .layers = 2,
                         .feed_forward = 32,
                         .head_hidden = 16};
  return Scorer::make(initial_parameters(shape, seed).value()).value();
}

TEST(IntegratedGradients, AddUpToTheLogOdds) {
  const Scorer scorer = small_scorer();
  const auto rows = testing::random_rows(scorer.parameters().shape, 200, 1, true);
  std::vector<float> logits(400);
  ASSERT_TRUE(scorer.score(rows.view().rows, logits));
  const auto told = integrated_gradients(scorer, rows.view().rows);
  ASSERT_TRUE(told) << told.error().message;
  double largest = 0;
  for (size_t i = 0; i < 200; ++i) {
    double sum = told->base;
    for (size_t f = 0; f < 7; ++f) sum += told->parts[i * 7 + f];
    const double log_odds = static_cast<double>(logits[2 * i + 1]) - static_cast<double>(logits[2 * i]);
    EXPECT_NEAR(sum, log_odds, kLargestGap * std::max(1.0, std::abs(log_odds - told->base)) + 1e-6) << i;
    largest = std::max(largest, std::abs(sum - log_odds));
  }
  EXPECT_NEAR(told->largest_gap, largest, 1e-9);
  // Not by chance: the rows are far from the base, and what is added up is not the base alone.
  EXPECT_GT(*std::ranges::max_element(told->parts), 10 * kLargestGap);
}

TEST(IntegratedGradients, WhatTheBaseRowHasAddsNothing) {
  const Scorer scorer = small_scorer();
  auto rows = testing::random_rows(scorer.parameters().shape, 1, 2);
  rows.codes = {-1, 1, 7};
  rows.numbers = {0, 1, 0, -1};
  const auto told = integrated_gradients(scorer, rows.view().rows).value();
  for (const size_t nothing : {0, 3, 5}) EXPECT_EQ(told.parts[nothing], 0.0) << nothing;
  for (const size_t something : {1, 2, 4, 6}) EXPECT_NE(told.parts[something], 0.0) << something;
}

// A model whose head is one line and that has no layers in effect: the parts are known.
TEST(IntegratedGradients, OfALineAreItsTerms) {
  Parameters parameters = zero_parameters({.cardinalities = {2},
                                           .numeric = 2,
                                           .width = 4,
                                           .heads = 1,
                                           .layers = 1,
                                           .feed_forward = 4,
                                           .head_hidden = 1});
  // Layers of zeros pass tokens on as they are. The first number's token is x in its first place.
  parameters.values[parameters.numeric_weight(0)] = 1;
  parameters.values[parameters.numeric_weight(1)] = -2;
  float* fc = parameters.values.data() + parameters.head();
  fc[0] = 3;             // of the mean's first place
  fc[4] = 100;           // so that ReLU lets everything through
  fc[5] = 0, fc[6] = 1;  // logits 0 and the hidden
  const Scorer scorer = Scorer::make(std::move(parameters)).value();
  const std::vector<int32_t> codes = {1};
  const std::vector<float> numbers = {5, 7};
  const auto told = integrated_gradients(scorer, {codes, numbers, 1}).value();
  EXPECT_NEAR(told.base, 100, 1e-4);
  EXPECT_NEAR(told.parts[0], 0, 1e-5);
  EXPECT_NEAR(told.parts[1], 3 * 5 / 3.0, 1e-4);
  EXPECT_NEAR(told.parts[2], 3 * -14 / 3.0, 1e-4);
}

TEST(IntegratedGradients, TheSameBitsWhoeverAsks) {
  const Scorer scorer = small_scorer();
  const auto rows = testing::random_rows(scorer.parameters().shape, 50, 4, true);
  const int threads = thread_count();
  set_thread_count(1);
  const auto alone = integrated_gradients(scorer, rows.view().rows).value();
  set_thread_count(3);
  const auto together = integrated_gradients(scorer, rows.view().rows).value();
  EXPECT_EQ(alone.parts, together.parts);
  const auto last =
      integrated_gradients(scorer, rows.view().rows.slice(scorer.parameters().shape, 49, 1)).value();
  set_thread_count(threads);
  EXPECT_TRUE(std::ranges::equal(last.parts, std::span(alone.parts).last(7)));
}

TEST(IntegratedGradients, RefusesWhatCannotBeScored) {
  const Scorer scorer = small_scorer();
  auto rows = testing::random_rows(scorer.parameters().shape, 2, 5);
  rows.codes[4] = 99;
  EXPECT_EQ(integrated_gradients(scorer, rows.view().rows).error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace maeil::nn
