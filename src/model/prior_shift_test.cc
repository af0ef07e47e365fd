// The shift of a training by batches: against counting, against its limits, and end to end with a logistic
// regression that learns by batches.
#include "model/prior_shift.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/philox.h"
#include "model/calibration.h"
#include "model/test_truth.h"

namespace maeil::model {
namespace {

std::vector<uint32_t> shuffled_rows(size_t n, uint64_t seed, int epoch) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  RandomSequence random(seed, RandomStream::kShuffle, static_cast<uint64_t>(epoch));
  for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.next_below(static_cast<uint32_t>(i))]);
  return order;
}

TEST(PriorShift, IsWhatBatchesCountForOnAverage) {
  constexpr size_t kRows = 480, kPositives = 40, kBatch = 16;
  const double weight = (kRows - kPositives) / double{kPositives};
  double of_class[2] = {};
  for (int epoch = 0; epoch < 2000; ++epoch) {
    const auto order = shuffled_rows(kRows, 1, epoch);
    for (size_t first = 0; first < kRows; first += kBatch) {
      double positives = 0;
      for (size_t i = first; i < first + kBatch; ++i) positives += order[i] < kPositives;
      const double all = weight * positives + kBatch - positives;
      of_class[1] += weight * positives / all, of_class[0] += (kBatch - positives) / all;
    }
  }
  const double counted = of_class[1] / kPositives / (of_class[0] / (kRows - kPositives));
  const double said = prior_weight_of_batches(weight, kRows - kPositives, kPositives, kBatch).value();
  EXPECT_NEAR(said, counted, 0.01 * counted);
  EXPECT_GT(weight, 1.2 * counted);  // the class weight itself is not what there was
}

TEST(PriorShift, HasTheRightLimits) {
  const auto weight = [](double w, uint64_t n0, uint64_t n1, size_t batch) {
    return prior_weight_of_batches(w, n0, n1, batch).value();
  };
  EXPECT_NEAR(weight(14, 9340, 660, 1), 1, 1e-12);        // a batch of one row counts for 1, whatever it is
  EXPECT_NEAR(weight(14, 9340, 660, 10000), 14, 1e-9);    // one batch of all rows: the class weight
  EXPECT_NEAR(weight(14, 9340, 660, 1 << 20), 14, 1e-9);  // as if it were larger
  EXPECT_NEAR(weight(1, 9340, 660, 16), 1, 1e-12);        // no class weight, no shift
  EXPECT_NEAR(weight(14, 1, 1, 2), 14, 1e-12);            // always one of each
  EXPECT_NEAR(weight(3, 60, 40, 16) * weight(1 / 3.0, 40, 60, 16), 1, 1e-12);  // the labels' names exchanged
  EXPECT_NEAR(weight(9340 / 660.0, 9340, 660, 16), 8.8409602974777, 1e-9);     // SciPy's hypergeometric mean
  EXPECT_NEAR(weight(9340 / 660.0, 9340, 660, 256), 13.772833229484892, 1e-9);
}

TEST(PriorShift, RefusesWhatIsNoTraining) {
  EXPECT_EQ(prior_weight_of_batches(2, 0, 5, 16).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(prior_weight_of_batches(2, 5, 0, 16).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(prior_weight_of_batches(2, 5, 5, 0).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(prior_weight_of_batches(0, 5, 5, 16).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(prior_weight_of_batches(INFINITY, 5, 5, 16).error().code, ErrorCode::kBadInput);
}

TEST(PriorShift, UndoesThatOfALearnerByBatches) {
  // p = sigmoid(slope z + intercept) of the truth's own logit z, by stochastic gradient descent on the
  // weighted mean of each batch; the average of the later steps.
  constexpr size_t kRows = 20000, kBatch = 16;
  const TestBook book = test_book(9, kRows);
  std::vector<double> z;
  for (const double p : book.truth) z.push_back(test_logit(p));
  const double weight = static_cast<double>(kRows - book.positives) / static_cast<double>(book.positives);
  double slope = 1, intercept = 1, mean_slope = 0, mean_intercept = 0, averaged = 0;
  for (int epoch = 0; epoch < 12; ++epoch) {
    const auto order = shuffled_rows(kRows, 2, epoch);
    for (size_t first = 0; first < kRows; first += kBatch) {
      double all = 0, by_slope = 0, by_intercept = 0;
      for (size_t i = first; i < first + kBatch; ++i) {
        const uint32_t row = order[i];
        const double w = book.labels[row] ? weight : 1;
        const double error = w * (test_sigmoid(slope * z[row] + intercept) - book.labels[row]);
        all += w, by_slope += error * z[row], by_intercept += error;
      }
      slope -= 0.01 * by_slope / all, intercept -= 0.05 * by_intercept / all;
      if (epoch >= 4) mean_slope += slope, mean_intercept += intercept, ++averaged;
    }
  }
  mean_slope /= averaged, mean_intercept /= averaged;
  const auto error_after = [&](double undone_weight) {
    auto p = with_logits(book.truth, [&](double logit) { return mean_slope * logit + mean_intercept; });
    calibrate({undone_weight, NoCalibrator{}}, p);
    return mean_distance(p, book.truth);
  };
  const double in_effect =
      prior_weight_of_batches(weight, kRows - book.positives, book.positives, kBatch).value();
  EXPECT_LT(error_after(in_effect), 0.01);
  EXPECT_GT(error_after(weight), 1.5 * error_after(in_effect));  // the class weight undoes too much
  EXPECT_GT(error_after(1), 0.1);
}

}  // namespace
}  // namespace maeil::model
