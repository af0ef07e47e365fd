// What is chosen on books whose true probabilities are known, and that too few rows choose nothing.
#include "model/calibration_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/calibration_fit.h"
#include "model/test_truth.h"

namespace maeil::model {
namespace {

using testing::HasSubstr;

// How far the calibrated probabilities of new rows are from the truth, on average, when the model says
// `model(truth)` and the calibration is chosen on `rows` others.
struct Tried {
  CalibrationMethod method;
  double error;
};

template <class Model>
Tried tried_on_new_rows(uint64_t seed, size_t rows, double prior_weight, Model&& model) {
  const TestBook validation = test_book(seed, rows), fresh = test_book(seed + 1000, 4000);
  const auto choice =
      choose_calibration(with_logits(validation.truth, model), validation.labels, prior_weight, seed).value();
  auto q = with_logits(fresh.truth, model);
  calibrate(choice.calibration, q);
  return {method_of(choice.calibration.calibrator), mean_distance(q, fresh.truth)};
}

TEST(CalibrationChoice, FindsTheTruthBehindBalancedWeights) {
  // Balanced weights count a positive N / P times; the model is also too sure of itself, or of another form.
  const double weight = 14.2;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    const auto exact = [&](double z) { return z + std::log(weight); };
    const auto too_sure = [&](double z) { return 1.5 * z + 2 + std::log(weight); };
    const auto bent = [&](double z) { return z - std::tanh(z + 2) / 2 + std::log(weight); };
    EXPECT_LT(tried_on_new_rows(seed, 2000, weight, exact).error, 0.01) << seed;
    EXPECT_LT(tried_on_new_rows(seed, 2000, weight, too_sure).error, 0.01) << seed;
    EXPECT_LT(tried_on_new_rows(seed, 6000, weight, bent).error, 0.01) << seed;
    // Seen to fail: without a calibration all three are far off.
    const TestBook book = test_book(seed, 2000);
    EXPECT_GT(mean_distance(with_logits(book.truth, exact), book.truth), 0.1);
    EXPECT_GT(mean_distance(with_logits(book.truth, too_sure), book.truth), 0.1);
  }
}

TEST(CalibrationChoice, LeavesCalibratedProbabilitiesAlone) {
  int none = 0;
  for (uint64_t seed = 0; seed < 20; ++seed)
    none += tried_on_new_rows(seed, 1500, 1, [](double z) { return z; }).method == CalibrationMethod::kNone;
  EXPECT_GE(none, 18);
}

TEST(CalibrationChoice, TakesTheSimplestOfThoseThatDoAsWell) {
  // A straight line of the logit is Platt's own form: beta and isotonic can do it too, and are not taken.
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const auto tried = tried_on_new_rows(seed, 4000, 1, [](double z) { return 2 * z + 3; });
    EXPECT_EQ(tried.method, CalibrationMethod::kPlatt) << seed;
  }
  // A step of the logit is nothing that Platt or beta have.
  const auto step = [](double z) { return 0.2 * z + (z > -1 ? 4 : -4); };
  EXPECT_EQ(tried_on_new_rows(1, 20000, 1, step).method, CalibrationMethod::kIsotonic);
  // Beta's own form: ln p weighs three times what ln (1 - p) does. Found by halving, as it has no inverse.
  const auto beta = [](double z) {
    double low = -50, high = 50;
    while (high - low > 1e-9) {
      const double middle = (low + high) / 2, p = test_sigmoid(middle);
      (1.5 * std::log(p) - 0.5 * std::log(1 - p) < z ? low : high) = middle;
    }
    return low;
  };
  EXPECT_EQ(tried_on_new_rows(1, 20000, 1, beta).method, CalibrationMethod::kBeta);
}

TEST(CalibrationChoice, SaysWhatEachCandidateScored) {
  const TestBook book = test_book(2, 3000);
  const auto p = with_logits(book.truth, [](double z) { return 2 * z + 3; });
  const auto choice = choose_calibration(p, book.labels, 1, 7).value();
  ASSERT_EQ(choice.candidates.size(), 4u);
  double best = 1e9;
  for (const auto& c : choice.candidates) {
    ASSERT_TRUE(c.log_loss && c.above_best && c.standard_error) << to_string(c.method);
    EXPECT_EQ(c.not_tried, "");
    best = std::min(best, *c.log_loss);
  }
  for (const auto& c : choice.candidates) EXPECT_NEAR(*c.above_best, *c.log_loss - best, 1e-12);
  // No fit on all rows is behind it: "none" is scored as it is.
  double loss = 0;
  for (size_t i = 0; i < p.size(); ++i) loss -= std::log(book.labels[i] ? p[i] : 1 - p[i]) / 3000;
  EXPECT_NEAR(*choice.candidates[0].log_loss, loss, 1e-9);
  EXPECT_GT(*choice.candidates[0].above_best, 2 * *choice.candidates[0].standard_error);
  const Json json = to_json(choice);
  EXPECT_EQ(json["method"], "platt");
  EXPECT_EQ(json["positives"], book.positives);
  EXPECT_EQ(json["candidates"][3]["method"], "isotonic");
  EXPECT_EQ(json["candidates"][0]["log_loss"].get<double>(), *choice.candidates[0].log_loss);
}

TEST(CalibrationChoice, HoldsRowsOut) {
  // Labels by chance alone: on its own rows isotonic would be better than the base rate, held out it is not.
  TestBook book = test_book(3, 3000);
  RandomSequence random(3, RandomStream::kBootstrap, 1);
  for (auto& label : book.labels) label = random.next_uniform() < 0.3;
  const auto p = with_logits(book.truth, [](double z) { return std::log(0.3 / 0.7) + 1e-3 * z; });
  const auto choice = choose_calibration(p, book.labels, 1, 1).value();
  EXPECT_GT(*choice.candidates[3].log_loss, *choice.candidates[0].log_loss);
  EXPECT_EQ(method_of(choice.calibration.calibrator), CalibrationMethod::kNone);
}

TEST(CalibrationChoice, IsAFunctionOfRowsAndSeed) {
  const TestBook book = test_book(4, 1200);
  const auto text = [&](uint64_t seed) {
    return to_json(choose_calibration(book.truth, book.labels, 1, seed).value()).dump();
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(CalibrationChoice, TriesNoneOnTooFewRows) {
  const auto tried = [](size_t rows, size_t positives) {
    std::vector<double> p(rows);
    std::vector<uint8_t> y(rows);
    for (size_t i = 0; i < rows; ++i) {
      y[i] = i < positives;
      p[i] = static_cast<double>(i % 7 + 1) / 10;
    }
    std::string out;
    const auto choice = choose_calibration(p, y, 3, 1).value();
    EXPECT_EQ(choice.calibration.prior_weight, 3);
    for (const auto& c : choice.candidates) {
      EXPECT_EQ(c.log_loss.has_value(), c.not_tried.empty() && rows > 0);
      if (c.not_tried.empty()) out += std::string(to_string(c.method)) + " ";
    }
    return out;
  };
  EXPECT_EQ(tried(0, 0), "none ");
  EXPECT_EQ(tried(50, 0), "none ");
  EXPECT_EQ(tried(50, 9), "none ");
  EXPECT_EQ(tried(50, 10), "none platt ");
  EXPECT_EQ(tried(50, 41), "none ");  // 9 negatives
  EXPECT_EQ(tried(50, 20), "none platt beta ");
  EXPECT_EQ(tried(999, 300), "none platt beta ");
  EXPECT_EQ(tried(1000, 99), "none platt beta ");
  EXPECT_EQ(tried(1000, 100), "none platt beta isotonic ");
  const auto choice = choose_calibration(std::vector<double>{0.1, 0.2}, std::vector<uint8_t>{0, 1}, 1, 1);
  EXPECT_EQ(choice->candidates[1].not_tried, "1 rows with the label 1, and 10 are needed");
  EXPECT_THAT(to_json(*choice)["candidates"][3].dump(), HasSubstr("1000 are needed"));
}

TEST(CalibrationChoice, RefusesWhatIsNoProbabilityOrWeight) {
  const std::vector<double> p = {0.1, 0.2};
  const std::vector<uint8_t> y = {0, 1};
  EXPECT_EQ(choose_calibration(p, y, 0, 1).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(choose_calibration(p, y, std::nan(""), 1).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(choose_calibration(std::vector<double>{0.1, 1.2}, y, 1, 1).error().code, ErrorCode::kBadInput);
  EXPECT_EQ(choose_calibration(p, std::vector<uint8_t>{0}, 1, 1).error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace maeil::model
