// Scoring and training as a whole: gradients by finite differences, independence of threads and grouping,
// what is refused, and that training learns.
#include "nn/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/threads.h"
#include "kernels/encoder_ref.h"
#include "nn/gradient.h"
#include "nn/head.h"
#include "nn/score.h"
#include "nn/test_model.h"

namespace maeil::nn {
namespace {

using namespace testing;
using ::testing::HasSubstr;

ModelShape training_shape() {
  ModelShape shape;
  shape.cardinalities = {3, 2, 7};
  shape.numeric = 4, shape.width = 16, shape.heads = 2, shape.layers = 2, shape.feed_forward = 12,
  shape.head_hidden = 10;
  return shape;
}

struct ThreadCount {
  explicit ThreadCount(int threads) { set_thread_count(threads); }
  ~ThreadCount() { set_thread_count(0); }
};

// The batch's loss in double, by the reference, from the same dropout masks.
double reference_loss(const Parameters& p, const std::vector<double>& values,
                      const std::vector<float>& unknown, const LabelledRows& batch,
                      const StepOptions& options) {
  const ModelShape& s = p.shape;
  double loss = 0, weights = 0;
  for (int32_t label : batch.labels) weights += options.class_weights[label];
  for (size_t row = 0; row < batch.rows.count; ++row) {
    std::vector<double> tokens, pooled(s.width), hidden(s.head_hidden), logits(s.classes),
        gradient(s.classes);
    for (int f = 0; f < s.categorical(); ++f) {
      const int32_t code = batch.rows.codes[row * s.categorical() + f];
      for (int d = 0; d < s.width; ++d)
        tokens.push_back(code < 0 ? unknown[f * s.width + d] : values[p.embedding(f) + code * s.width + d]);
    }
    for (int i = 0; i < s.numeric; ++i) {
      const double x = batch.rows.numbers[row * s.numeric + i];
      for (int d = 0; d < s.width; ++d)
        tokens.push_back(values[p.numeric_weight(i) + d] * x + values[p.numeric_bias(i) + d]);
    }
    const kernels::RowDropout dropout{kernels::dropout_rate(options.dropout), options.seed, 0,
                                      static_cast<uint32_t>(row)};
    kernels::EncoderTape<double> tape;
    kernels::encoder_forward_ref(s.encoder(), values.data() + p.layers(), tokens.data(), dropout,
                                 pooled.data(), tape);
    head_forward(s, values.data() + p.head(), pooled.data(), dropout, hidden.data(), logits.data());
    loss += cross_entropy(s.classes, logits.data(), batch.labels[row],
                          options.class_weights[batch.labels[row]] / weights, gradient.data());
  }
  return loss;
}

TEST(Training, GradientsAgreeWithFiniteDifferences) {
  for (float rate : {0.0f, 0.3f}) {
    const StepOptions options{.dropout = rate, .seed = 3, .class_weights = {0.6f, 4.0f}};
    Trainer trainer = Trainer::make(initial_parameters(training_shape(), 1).value(), options).value();
    const Parameters& p = trainer.parameters();
    const TestRows rows = random_rows(p.shape, 5, 4, true);
    const std::vector<float> unknown = mean_embeddings(p);
    std::vector<double> values(p.values.begin(), p.values.end()), numeric(values.size());
    EXPECT_NEAR(trainer.compute_gradients(rows.view()).value(),
                reference_loss(p, values, unknown, rows.view(), options), 1e-5);
    for (size_t i = 0; i < values.size(); ++i) {
      const double h = 1e-5, kept = values[i];
      values[i] = kept + h;
      const double above = reference_loss(p, values, unknown, rows.view(), options);
      values[i] = kept - h;
      numeric[i] = (above - reference_loss(p, values, unknown, rows.view(), options)) / (2 * h);
      values[i] = kept;
    }
    for (const TensorEntry& entry : p.tensors) {
      const std::span<const double> expected(numeric.data() + entry.offset, entry.size);
      const auto actual = trainer.gradients().subspan(entry.offset, entry.size);
      // Float rounding of the gradient; the floor is for tensors whose gradient is nothing but rounding (key
      // biases).
      EXPECT_LE(largest_difference(actual, expected), 1e-4 * l2(expected) + 1e-6)
          << entry.name << " dropout " << rate;
    }
  }
}

TEST(Training, IsTheSameBitsOnAnyNumberOfThreads) {
  const auto train = [](int threads) {
    const ThreadCount count(threads);
    Parameters p = initial_parameters(training_shape(), 1).value();
    const TestRows rows = random_rows(p.shape, 101, 4, true);
    return train_classifier(std::move(p), rows.view(), {.epochs = 2, .batch = 40, .learning_rate = 1e-3f})
        .value()
        .values;
  };
  const std::vector<float> one = train(1);
  EXPECT_EQ(train(2), one);
  EXPECT_EQ(train(5), one);
}

TEST(Scoring, IsTheSameBitsHoweverRowsAreGrouped) {
  const Parameters p = initial_parameters(training_shape(), 1).value();
  const TestRows rows = random_rows(p.shape, 33, 5, true);
  const Scorer scorer = Scorer::make(p).value();
  const auto score = [&](int threads, size_t group) {
    const ThreadCount count(threads);
    std::vector<float> logits(rows.count * 2);
    for (size_t first = 0; first < rows.count; first += group) {
      const size_t n = std::min(group, rows.count - first);
      EXPECT_TRUE(scorer.score(rows.view().rows.slice(p.shape, first, n),
                               std::span(logits).subspan(first * 2, n * 2)));
    }
    return logits;
  };
  const std::vector<float> expected = score(1, 33);
  EXPECT_EQ(score(1, 1), expected);
  EXPECT_EQ(score(3, 33), expected);
  EXPECT_EQ(score(2, 10), expected);
  std::vector<double> probability(33);
  probabilities(expected, probability);
  for (size_t i = 0; i < 33; ++i) EXPECT_EQ(probability[i] >= 0.5, expected[2 * i + 1] >= expected[2 * i]);
}

// Finite weights may be so large that float32 overflows on the way: no score is made of that.
TEST(Scoring, RefusesARowWhoseResultIsNotFinite) {
  ModelShape shape;
  shape.cardinalities = {2};
  shape.numeric = 1, shape.width = 8, shape.heads = 1, shape.layers = 1, shape.feed_forward = 4,
  shape.head_hidden = 4;
  const Parameters good = initial_parameters(shape, 3).value();
  const std::vector<int32_t> codes = {0, 0, 1, 1, 0};
  const std::vector<float> numbers = {0, 1, 0, 1, 2};
  std::vector<float> logits(10);
  ASSERT_TRUE(Scorer::make(good).value().score({codes, numbers, 5}, logits));
  // Category 1 alone: rows 2 and 3.
  Parameters huge = good;
  std::fill_n(huge.values.begin() + static_cast<ptrdiff_t>(huge.embedding(0) + 8), 8, 3e38f);
  auto scored = Scorer::make(huge).value().score({codes, numbers, 5}, logits);
  ASSERT_FALSE(scored);
  EXPECT_EQ(scored.error().code, ErrorCode::kBadInput);
  EXPECT_TRUE(scored.error().message.starts_with("row 2: the model's result is not finite"))
      << scored.error().message;
  // The head: pooled values stay finite, the logits do not.
  huge = good;
  std::fill_n(huge.values.begin() + static_cast<ptrdiff_t>(huge.head()), 4 * 8 + 4 + 2 * 4, 3e38f);
  std::vector<float> pooled(5 * 8);
  scored = Scorer::make(huge).value().score({codes, numbers, 5}, logits, pooled);
  EXPECT_FALSE(scored);
}

TEST(UnknownCodes, ReadTheCallersEmbeddingAndGetNoGradient) {
  const Parameters p = initial_parameters(training_shape(), 1).value();
  TestRows rows = random_rows(p.shape, 1, 5);
  rows.codes[1] = 1;
  std::vector<float> known(2), unknown(2), mean(2);
  std::vector<float> table = mean_embeddings(p);
  ASSERT_TRUE(Scorer::make(p)->score(rows.view().rows, known));
  // "unknown" of feature 1 := its code 1
  std::copy_n(p.values.begin() + p.embedding(1) + 16, 16, table.begin() + 16);
  rows.codes[1] = -1;
  ASSERT_TRUE(Scorer::make(p, table)->score(rows.view().rows, unknown));
  ASSERT_TRUE(Scorer::make(p)->score(rows.view().rows, mean));
  EXPECT_EQ(unknown, known);
  EXPECT_NE(mean, known);

  Trainer trainer = Trainer::make(p, {.dropout = 0}).value();
  ASSERT_TRUE(trainer.compute_gradients(rows.view()));
  for (float g : trainer.gradients().subspan(p.embedding(1), 32)) EXPECT_EQ(g, 0);
}

TEST(Training, LearnsWhatCanBeLearned) {
  ModelShape shape = training_shape();
  TestRows rows = random_rows(shape, 400, 9);
  for (size_t i = 0; i < rows.count; ++i)
    rows.labels[i] = rows.codes[i * 3] == 1 || rows.numbers[i * 4 + 2] > 1;
  std::vector<double> losses;
  size_t calls = 0;
  const auto trained = train_classifier(initial_parameters(shape, 1).value(), rows.view(),
                                        {.epochs = 12, .batch = 16, .learning_rate = 3e-3f, .dropout = 0.1f},
                                        {.progress = [&](int, size_t, size_t) -> Status {
                                           ++calls;
                                           return {};
                                         },
                                         .epoch = [&](int, const EpochResult& epoch) -> Status {
                                           losses.push_back(epoch.mean_loss);
                                           return {};
                                         }});
  ASSERT_TRUE(trained) << trained.error().message;
  EXPECT_EQ(calls, 12u * 25);
  ASSERT_EQ(losses.size(), 12u);
  EXPECT_LT(losses.back(), 0.5 * losses.front());
  std::vector<float> logits(800);
  ASSERT_TRUE(Scorer::make(*trained)->score(rows.view().rows, logits));
  int right = 0;
  for (size_t i = 0; i < rows.count; ++i)
    right += (logits[2 * i + 1] >= logits[2 * i]) == (rows.labels[i] == 1);
  EXPECT_GE(right, 370);
}

// Without dropout, and with steps too small to matter, what went by is what a pass would say, row by row.
TEST(Training, AnEpochKnowsTheLogitsOfItsRows) {
  const Parameters p = initial_parameters(training_shape(), 1).value();
  const TestRows rows = random_rows(p.shape, 37, 9);
  std::vector<float> expected(rows.count * 2), seen;
  ASSERT_TRUE(Scorer::make(p)->score(rows.view().rows, expected));
  ASSERT_TRUE(train_classifier(p, rows.view(),
                               {.epochs = 1, .batch = 16, .learning_rate = 1e-12f, .dropout = 0},
                               {.progress = {}, .epoch = [&](int, const EpochResult& epoch) -> Status {
                                  seen.assign(epoch.logits.begin(), epoch.logits.end());
                                  return {};
                                }}));
  EXPECT_LT(largest_difference(seen, expected), 1e-4);
  std::swap(seen[0], seen[2]);
  EXPECT_GT(largest_difference(seen, expected), 1e-4);  // the comparison can fail
}

TEST(Training, StopsWhenTheCallbackSaysSo) {
  const TestRows rows = random_rows(training_shape(), 40, 9);
  const auto stopped = train_classifier(
      initial_parameters(training_shape(), 1).value(), rows.view(), {},
      {.progress = [](int, size_t, size_t) -> Status { return fail(ErrorCode::kCancelled, "enough"); }});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST(Training, RefusesWhatDoesNotFit) {
  const ModelShape shape = training_shape();
  const Parameters p = initial_parameters(shape, 1).value();
  const auto message = [&](const TestRows& rows, StepOptions options = {}) -> std::string {
    auto trainer = Trainer::make(p, options);
    if (!trainer) return trainer.error().message;
    const auto loss = trainer->step(rows.view());
    EXPECT_EQ(trainer->parameters().values == p.values, !loss) << "a refused step changes nothing";
    return loss ? "accepted" : loss.error().message;
  };
  const TestRows good = random_rows(shape, 4, 2);
  EXPECT_EQ(message(good), "accepted");
  TestRows rows = good;
  rows.codes[4] = 2;
  EXPECT_EQ(message(rows), "row 1: code 2 of categorical feature 1 is outside its table of 2");
  rows = good, rows.codes[0] = -2;
  EXPECT_THAT(message(rows), HasSubstr("code -2"));
  rows = good, rows.numbers[5] = NAN;
  EXPECT_EQ(message(rows), "row 1: numeric feature 1 is not finite");
  rows = good, rows.labels[3] = 2;
  EXPECT_EQ(message(rows), "row 3: label 2 is none of the 2 classes");
  rows = good, rows.labels.pop_back();
  EXPECT_EQ(message(rows), "3 labels for 4 rows");
  rows = good, rows.numbers.pop_back();
  EXPECT_THAT(message(rows), HasSubstr("but the model reads 3 and 4 a row"));
  EXPECT_THAT(message(good, {.learning_rate = -1}), HasSubstr("learning rate"));
  EXPECT_THAT(message(good, {.dropout = 1}), HasSubstr("dropout"));
  EXPECT_THAT(message(good, {.class_weights = {1}}), HasSubstr("class weights"));
  EXPECT_THAT(message(good, {.class_weights = {0, 0}}), HasSubstr("weight 0"));
  EXPECT_THAT(message(good, {.unknown_embeddings = {1}}), HasSubstr("unknown"));

  for (size_t at : {p.head(), p.values.size() - 1, p.embedding(2)}) {
    Parameters broken = p;
    broken.values[at] = 3e38f;  // overflows the loss, or the gradients only
    TestRows used = good;
    used.codes[2] = 0;
    Trainer trainer = Trainer::make(broken, {.dropout = 0}).value();
    const auto loss = trainer.step(used.view());
    EXPECT_THAT(loss ? "not finite" : loss.error().message, HasSubstr("not finite"));
    for (float x : trainer.parameters().values) ASSERT_TRUE(std::isfinite(x));
  }
}

TEST(Training, WeightsAndOrder) {
  const std::vector<int32_t> labels = {0, 0, 0, 1};
  EXPECT_EQ(balanced_weights(labels, 2), (std::vector<float>{4 / 6.0f, 2}));
  EXPECT_EQ(balanced_weights(labels, 3)[2], 0);
  std::vector<uint32_t> order = shuffled_order(100, 1, 0);
  EXPECT_EQ(order, shuffled_order(100, 1, 0));
  EXPECT_NE(order, shuffled_order(100, 1, 1));
  std::sort(order.begin(), order.end());
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

}  // namespace
}  // namespace maeil::nn
