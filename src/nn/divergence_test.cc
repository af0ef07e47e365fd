// What is called a divergence: as numbers, and on trainings that diverge, that learn nothing, and that begin
// far off.
#include "nn/divergence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/pretrain.h"
#include "nn/test_model.h"
#include "nn/train.h"

namespace maeil::nn {
namespace {

using namespace testing;
using ::testing::HasSubstr;

TEST(Divergence, TheConstantAnswersLoss) {
  EXPECT_DOUBLE_EQ(constant_loss(std::vector<double>{3, 3}), std::log(2.0));
  EXPECT_DOUBLE_EQ(constant_loss(std::vector<double>{5, 5, 5}), std::log(3.0));
  EXPECT_DOUBLE_EQ(constant_loss(std::vector<double>{1, 3}), -0.25 * std::log(0.25) - 0.75 * std::log(0.75));
  EXPECT_EQ(constant_loss(std::vector<double>{7, 0}), 0) << "one class: a constant is always right";
}

TEST(Divergence, AsNumbers) {
  const double c = std::log(2.0);
  const auto diverged = [&](std::vector<double> means, double start, double end) {
    std::vector<EpochLoss> epochs;
    for (double mean : means) epochs.push_back({mean, c});
    return has_diverged(epochs, {start, c}, {end, c});
  };
  EXPECT_FALSE(diverged({0.7, 0.7, 0.69}, 0.7, 0.69)) << "nothing learned";
  EXPECT_FALSE(diverged({0.9, 1.1, 0.9}, 0.7, 1)) << "noise in small batches";
  EXPECT_FALSE(diverged({3.5, 2.6}, 4, 2)) << "began far off";
  EXPECT_FALSE(diverged({5.1}, 4, 4.2)) << "began far off, no better";
  EXPECT_FALSE(diverged({864}, 257, 250)) << "dropout and rows of extreme values lift an epoch's mean";
  EXPECT_FALSE(diverged({4, 2, 0.4}, 0.7, 0.4)) << "went up and came back as a model";
  EXPECT_FALSE(diverged({1e6, 2, 0.4}, 0.7, 0.4));
  EXPECT_TRUE(diverged({5.5e6}, 0.7, 4e6));
  EXPECT_TRUE(diverged({0.6, 0.5, 1.5}, 0.7, 1.5));
  EXPECT_TRUE(diverged({1e6, 0.73, 0.69}, 0.7, 0.69)) << "went up and came back as a constant";
  EXPECT_TRUE(diverged({0.5}, 0.7, NAN));
  EXPECT_TRUE(diverged({INFINITY, 0.69}, 0.7, 0.69));

  EXPECT_FALSE(has_collapsed(3.5, 4.1, 3.8));
  EXPECT_FALSE(has_collapsed(3.9, 4.1, 3.8)) << "no better than untrained";
  EXPECT_TRUE(has_collapsed(4.1, 4.1, 3.8));
  EXPECT_TRUE(has_collapsed(NAN, 4.1, 3.8));
  EXPECT_FALSE(has_collapsed(4.1, 4.1, 4.09)) << "rows that are all alike";
}

ModelShape some_shape() {
  ModelShape shape;
  shape.cardinalities = {3, 2, 7};
  shape.numeric = 5, shape.width = 16, shape.heads = 2, shape.layers = 2, shape.feed_forward = 16,
  shape.head_hidden = 16;
  return shape;
}

TEST(Divergence, ALearningRateOfOneEndsTheTraining) {
  const Parameters start = initial_parameters(some_shape(), 1).value();
  TestRows rows = random_rows(some_shape(), 200, 5);
  for (bool noise : {false, true}) {
    for (size_t i = 0; i < rows.count && !noise; ++i) rows.labels[i] = rows.numbers[i * 5] > 0;
    for (const size_t batch : {size_t{1}, size_t{4}, size_t{32}}) {
      const auto done =
          train_classifier(start, rows.view(), {.epochs = 3, .batch = batch, .learning_rate = 1});
      ASSERT_FALSE(done) << "batch " << batch;
      EXPECT_EQ(done.error().code, ErrorCode::kFailed);
      EXPECT_EQ(exit_code(done.error().code), 1);
      EXPECT_THAT(done.error().message, HasSubstr("lower LEARNING_RATE"));
      EXPECT_THAT(done.error().message, HasSubstr("FINETUNE_LEARNING_RATE"));
    }
  }
}

TEST(Divergence, NoiseThatCannotBeLearnedIsNone) {
  const Parameters start = initial_parameters(some_shape(), 1).value();
  const TestRows even = random_rows(some_shape(), 96, 5);
  TestRows rare = even, same = even;
  for (size_t i = 0; i < rare.count; ++i) rare.labels[i] = i % 20 == 0, same.labels[i] = 1;
  for (const TestRows& rows : {even, rare, same}) {
    for (const size_t batch : {size_t{1}, size_t{16}}) {
      for (const float rate : {1e-9f, 3e-3f, 1e-2f}) {
        for (const int epochs : {1, 3}) {
          const auto done =
              train_classifier(start, rows.view(), {.epochs = epochs, .batch = batch, .learning_rate = rate});
          EXPECT_TRUE(done) << "batch " << batch << ", learning rate " << rate << ": "
                            << done.error().message;
        }
      }
    }
  }
}

// A model that was trained on the opposite labels and is sure of them: a short fine-tuning cannot turn it
// round.
TEST(Divergence, AModelThatMeetsOtherDataIsNone) {
  Parameters model = initial_parameters(some_shape(), 1).value();
  TestRows rows = random_rows(some_shape(), 200, 5);
  for (size_t i = 0; i < rows.count; ++i) rows.labels[i] = rows.numbers[i * 5] > 0;
  model = train_classifier(model, rows.view(), {.epochs = 20, .batch = 8, .learning_rate = 3e-3f}).value();
  for (int32_t& label : rows.labels) label = 1 - label;
  double loss = 0;
  const auto tuned = train_classifier(model, rows.view(), {.epochs = 1, .batch = 16, .learning_rate = 1e-5f},
                                      {.progress = {}, .epoch = [&](int, const EpochResult& epoch) -> Status {
                                         loss = epoch.mean_loss;
                                         return {};
                                       }});
  EXPECT_GT(loss, kDivergenceMargin * std::log(2.0)) << "or the test shows nothing";
  EXPECT_TRUE(tuned) << tuned.error().message;
}

TEST(Divergence, APreTrainingThatCollapsesEnds) {
  const Parameters start = initial_parameters(some_shape(), 1).value();
  const TestRows rows = random_rows(some_shape(), 96, 5);
  for (const size_t batch : {size_t{4}, size_t{32}}) {
    for (const float rate : {1e-9f, 3e-4f, 3e-3f}) {
      for (const int epochs : {1, 4}) {
        const auto done = pretrain_encoder(start, rows.view().rows,
                                           {.epochs = epochs, .batch = batch, .learning_rate = rate});
        EXPECT_TRUE(done) << "batch " << batch << ", learning rate " << rate << ": " << done.error().message;
      }
    }
  }
  const auto done = pretrain_encoder(start, rows.view().rows, {.epochs = 4, .batch = 4, .learning_rate = 30});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kFailed);
  EXPECT_THAT(done.error().message, HasSubstr("the pre-training diverged"));
}

}  // namespace
}  // namespace maeil::nn
