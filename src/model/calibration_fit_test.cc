// Fits against scikit-learn 1.9.1 and betacal 1.1.0 (testdata/make_calibration_goldens.py), their own score
// equations, and rows that leave a fit nothing to hold on to.
#include "model/calibration_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "metrics/classification.h"
#include "model/test_truth.h"

namespace maeil::model {
namespace {

bool near_to(double got, double want, double tolerance) { return std::abs(got - want) <= tolerance; }

struct GoldenBook {
  std::string name;
  std::vector<double> p, at;
  std::vector<uint8_t> y;
  Json golden;

  Calibration fit(CalibrationMethod method) const { return {1, fit_calibrator(p, y, method).value()}; }
  void expect(const Calibration& calibration, const Json& want, double tolerance) const {
    ASSERT_EQ(want.size(), at.size());
    for (size_t i = 0; i < at.size(); ++i)
      EXPECT_TRUE(near_to(calibrated(calibration, at[i]), want[i].get<double>(), tolerance))
          << name << " " << at[i] << ": " << calibrated(calibration, at[i]) << " " << want[i];
  }
};

std::vector<GoldenBook> golden_books() {
  const auto path = std::string(MAEIL_SOURCE_DIR) + "/src/model/testdata/calibration.json";
  std::vector<GoldenBook> out;
  const Json books = Json::parse(read_file(path).value());
  for (const auto& [name, golden] : books.items())
    out.push_back({name, golden["p"], golden["at"], golden["y"], golden});
  return out;
}

TEST(CalibrationFitGolden, ComparisonCanFail) {
  EXPECT_TRUE(near_to(0.5, 0.5 + 9e-7, 1e-6));
  EXPECT_FALSE(near_to(0.5, 0.5 + 2e-6, 1e-6));
  EXPECT_FALSE(near_to(-0.5, -0.6, 1e-6));
  EXPECT_FALSE(near_to(std::nan(""), 0.5, 1e-6));
  ASSERT_EQ(golden_books().size(), 3u);
}

TEST(CalibrationFitGolden, PlattIsScikitLearnsSigmoidOnTheLogit) {
  for (const auto& book : golden_books()) {
    const auto ours = book.fit(CalibrationMethod::kPlatt);
    const auto& theirs = book.golden["platt"];
    if (theirs["slope"] < 0) {  // scikit-learn keeps a slope that turns the order round
      EXPECT_EQ(std::get<PlattCalibrator>(ours.calibrator).slope, 0);
      continue;
    }
    EXPECT_NEAR(std::get<PlattCalibrator>(ours.calibrator).slope, theirs["slope"], 1e-6);
    EXPECT_NEAR(std::get<PlattCalibrator>(ours.calibrator).intercept, theirs["intercept"], 1e-6);
    book.expect(ours, theirs["at"], 1e-7);
    book.expect(ours, theirs["calibrated_classifier_at"], 1e-7);
  }
}

TEST(CalibrationFitGolden, BetaIsLogisticRegressionOnPlattsTargets) {
  for (const auto& book : golden_books()) {
    const auto ours = book.fit(CalibrationMethod::kBeta);
    const auto& theirs = book.golden["beta"];
    const auto& [a, b, c] = std::get<BetaCalibrator>(ours.calibrator);
    EXPECT_NEAR(a, theirs["a"], 1e-8) << book.name;
    EXPECT_NEAR(b, theirs["b"], 1e-8) << book.name;
    EXPECT_NEAR(c, theirs["c"], 1e-8) << book.name;
    book.expect(ours, theirs["at"], 1e-9);
  }
}

TEST(CalibrationFitGolden, BetaDiffersFromBetacalByItsTargetsAlone) {
  // betacal fits the labels; Platt's targets are within 1 / (P + 2) of them, 0.0085 with 116 positives.
  for (const auto& book : golden_books()) {
    if (book.name != "reversed")  // betacal keeps a coefficient there that turns the order round
      book.expect(book.fit(CalibrationMethod::kBeta), book.golden["betacal_at"], 0.005);
  }
}

TEST(CalibrationFitGolden, IsotonicIsScikitLearnsBetweenPlattsTargets) {
  for (const auto& book : golden_books()) {
    const auto ours = book.fit(CalibrationMethod::kIsotonic);
    const auto& theirs = book.golden["isotonic"];
    const auto& [x, y] = std::get<IsotonicCalibrator>(ours.calibrator);
    ASSERT_EQ(x.size(), theirs["x"].size()) << book.name;
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(x[i], theirs["x"][i].get<double>());
      EXPECT_NEAR(y[i], theirs["y"][i].get<double>(), 1e-12);
    }
    book.expect(ours, theirs["at"], 1e-12);
    // CalibratedClassifierCV has no bounds: 0 and 1 where ours stops at Platt's targets.
    book.expect(ours, theirs["calibrated_classifier_at"], 0.009);
    EXPECT_GT(y.front(), 0);
    EXPECT_LT(y.back(), 1);
  }
}

TEST(CalibrationFit, MeetsTheScoreEquations) {
  // At the least loss the residuals sum to 0 with each feature: sum (q - t) x = 0.
  const TestBook book = test_book(5, 2000);
  const double P = static_cast<double>(book.positives), N = 2000 - P;
  const auto p = with_logits(book.truth, [](double z) { return 1.4 * z + 2; });
  for (const auto method : {CalibrationMethod::kPlatt, CalibrationMethod::kBeta}) {
    const Calibration fitted{1, fit_calibrator(p, book.labels, method).value()};
    double with_one = 0, with_logit = 0;
    for (size_t i = 0; i < p.size(); ++i) {
      const double residual = calibrated(fitted, p[i]) - (book.labels[i] ? (P + 1) / (P + 2) : 1 / (N + 2));
      with_one += residual, with_logit += residual * test_logit(p[i]);
    }
    EXPECT_NEAR(with_one, 0, 1e-8) << to_string(method);
    EXPECT_NEAR(with_logit, 0, 1e-8) << to_string(method);
  }
}

TEST(CalibrationFit, RanksAsBeforeButForTies) {
  const TestBook book = test_book(6, 1500);
  const double before = *metrics::classification_metrics(book.truth, book.labels)->roc_auc;
  const auto auc = [&](CalibrationMethod method) {
    auto q = book.truth;
    calibrate({1, fit_calibrator(book.truth, book.labels, method).value()}, q);
    return *metrics::classification_metrics(q, book.labels)->roc_auc;
  };
  EXPECT_NEAR(auc(CalibrationMethod::kPlatt), before, 1e-12);
  EXPECT_NEAR(auc(CalibrationMethod::kBeta), before, 1e-12);
  // Pooling is the convex hull of the ROC curve (Fawcett, Niculescu-Mizil 2007): on its own rows never less.
  EXPECT_GE(auc(CalibrationMethod::kIsotonic), before - 1e-12);
}

TEST(CalibrationFit, HasAnAnswerWhereRowsSayLittle) {
  const std::vector<std::pair<const char*, std::vector<double>>> books = {
      {"separated", {0.1, 0.2, 0.3, 0.7, 0.8, 0.9}},
      {"separated, the wrong way round", {0.9, 0.8, 0.7, 0.3, 0.2, 0.1}},
      {"all the same", {0.3, 0.3, 0.3, 0.3, 0.3, 0.3}},
      {"all a half", {0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
      {"two values", {0.3, 0.3, 0.4, 0.3, 0.4, 0.4}},
      {"hardly apart", {0.3, 0.3000001, 0.3000002, 0.3000003, 0.3000004, 0.3000005}},
      {"hardly apart, and near 0", {1e-9, 1.0001e-9, 1.0002e-9, 1.0003e-9, 1.0004e-9, 1.0005e-9}},
      {"hardly apart, and near 1", {0.9999, 0.99991, 0.99992, 0.99993, 0.99994, 0.99995}},
      {"as near as numbers are", {0.3, std::nextafter(0.3, 1), 0.3, 0.3, 0.3, std::nextafter(0.3, 1)}},
      {"one far off", {0.1, 0.1, 0.1, 0.1, 0.1, 1 - 1e-15}},
      {"0 and 1", {0, 0, 1, 0, 1, 1}},
      {"all 1", {1, 1, 1, 1, 1, 1}}};
  const std::vector<uint8_t> y = {0, 0, 0, 1, 1, 1};
  for (const auto& [name, p] : books) {
    for (const auto method :
         {CalibrationMethod::kPlatt, CalibrationMethod::kBeta, CalibrationMethod::kIsotonic}) {
      const auto fitted = fit_calibrator(p, y, method);
      ASSERT_TRUE(fitted) << name << " " << to_string(method) << ": " << fitted.error().message;
      ASSERT_TRUE(check_calibration({1, *fitted})) << name << " " << to_string(method);
      double mean = 0;
      for (const double x : p) mean += calibrated({1, *fitted}, x) / 6;
      // Kept by the score equation; isotonic rates stop at Platt's targets.
      EXPECT_NEAR(mean, 0.5, method == CalibrationMethod::kIsotonic ? 0.05 : 1e-6)
          << name << " " << to_string(method);
    }
  }
}

TEST(CalibrationFit, HasAnAnswerOnAnyRows) {
  RandomSequence random(8, RandomStream::kBootstrap, 0);
  const double extreme[] = {0, 5e-324, 1e-300, 1e-15, 1e-6, 0.5, 1 - 1e-6, 1 - 1e-15, 1};
  for (int i = 0; i < 3000; ++i) {
    const size_t rows = 2 + random.next_below(30), distinct = 1 + random.next_below(6);
    std::vector<double> pool, p;
    for (size_t k = 0; k < distinct; ++k) {
      const double width = std::exp(5 * test_normal(random));
      pool.push_back(i % 2 ? extreme[random.next_below(9)] : test_sigmoid(width * test_normal(random)));
    }
    std::vector<uint8_t> y(rows);
    for (size_t k = 0; k < rows; ++k) {
      p.push_back(pool[random.next_below(static_cast<uint32_t>(distinct))]);
      y[k] = random.next_below(3) == 0;
    }
    y[0] = 0, y[1] = 1;
    for (const auto method :
         {CalibrationMethod::kPlatt, CalibrationMethod::kBeta, CalibrationMethod::kIsotonic}) {
      const auto fitted = fit_calibrator(p, y, method);
      ASSERT_TRUE(fitted) << i << " " << to_string(method) << ": " << fitted.error().message;
      ASSERT_TRUE(check_calibration({1, *fitted})) << i << " " << to_json(Calibration{1, *fitted}).dump();
    }
  }
}

TEST(CalibrationFit, RefusesRowsThatAreNone) {
  const auto code = [](std::vector<double> p, std::vector<uint8_t> y) {
    return fit_calibrator(p, y, CalibrationMethod::kPlatt).error().code;
  };
  EXPECT_EQ(code({}, {}), ErrorCode::kBadInput);
  EXPECT_EQ(code({0.1, std::nan("")}, {0, 1}), ErrorCode::kBadInput);
  EXPECT_EQ(code({0.1, 0.2}, {0, 0}), ErrorCode::kBadInput);
  EXPECT_EQ(code({0.1, 0.2}, {1, 1}), ErrorCode::kBadInput);
  EXPECT_EQ(code({0.1, 0.2}, {0}), ErrorCode::kInternal);
  EXPECT_EQ(code({0.1, 0.2}, {0, 2}), ErrorCode::kInternal);
}

}  // namespace
}  // namespace maeil::model
