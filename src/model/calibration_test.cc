// The value and its JSON: each formula at known points, order kept by any parameters, hostile JSON refused.
#include "model/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/philox.h"
#include "format/json.h"
#include "model/test_truth.h"

namespace maeil::model {
namespace {

using testing::HasSubstr;

Json json_of(const std::string& text) { return parse_json<Json>(text, "test").value(); }

std::string refusal(const std::string& text) {
  const auto read = calibration_from_json(json_of(text));
  return read ? "accepted" : read.error().message;
}

TEST(Calibration, UndoesThePriorShiftInClosedForm) {
  for (const double truth : {1e-9, 0.001, 0.066, 0.5, 0.97}) {
    for (const double weight : {0.25, 1.0, 14.15, 1e6}) {
      // What a model says of a row whose odds were multiplied by the weight.
      const double shifted = weight * truth / (weight * truth + 1 - truth);
      EXPECT_NEAR(undo_prior_shift(shifted, weight), truth, 1e-9 * truth + 1e-15) << truth << " " << weight;
    }
    EXPECT_EQ(undo_prior_shift(truth, 1), truth);  // to the bit
  }
  EXPECT_EQ(undo_prior_shift(0, 14), 0);
  EXPECT_EQ(undo_prior_shift(1, 14), 1);
  EXPECT_NEAR(undo_prior_shift(0.5, 14), 1 / 15.0, 1e-15);  // a positive counted 14 times: lower, not higher
}

TEST(Calibration, AppliesEachMethodAfterThePriorShift) {
  EXPECT_EQ(calibrated({}, 0.3), 0.3);
  EXPECT_NEAR(calibrated({1, PlattCalibrator{2, -1}}, 0.3), test_sigmoid(2 * test_logit(0.3) - 1), 1e-15);
  EXPECT_NEAR(calibrated({1, BetaCalibrator{2, 0.5, -1}}, 0.3),
              test_sigmoid(2 * std::log(0.3) - 0.5 * std::log(0.7) - 1), 1e-15);
  const IsotonicCalibrator steps{{0.2, 0.4, 0.5}, {0.1, 0.1, 0.6}};
  EXPECT_EQ(calibrated({1, steps}, 0.0), 0.1);
  EXPECT_EQ(calibrated({1, steps}, 0.3), 0.1);
  EXPECT_NEAR(calibrated({1, steps}, 0.45), 0.35, 1e-15);
  EXPECT_EQ(calibrated({1, steps}, 0.5), 0.6);
  EXPECT_EQ(calibrated({1, steps}, 1.0), 0.6);
  const double undone = undo_prior_shift(0.8, 14);
  EXPECT_EQ(calibrated({14, PlattCalibrator{2, -1}}, 0.8), calibrated({1, PlattCalibrator{2, -1}}, undone));
}

TEST(Calibration, WhatIsNoProbabilityStaysNone) {
  for (const Calibrator& m : {Calibrator(NoCalibrator{}), Calibrator(PlattCalibrator{}),
                              Calibrator(BetaCalibrator{}), Calibrator(IsotonicCalibrator{{0.5}, {0.5}})}) {
    for (const double wrong : {std::nan(""), -0.1, 1.1, std::numeric_limits<double>::infinity()})
      EXPECT_TRUE(std::isnan(calibrated({2, m}, wrong))) << wrong;
  }
}

TEST(Calibration, KeepsTheOrderWhateverItsParameters) {
  RandomSequence random(3, RandomStream::kBootstrap, 0);
  const auto wide = [&] { return std::exp(8 * test_normal(random)); };  // 1e-7 to 1e7 mostly
  std::vector<double> p = {0, 1, 0.5};
  for (int i = 0; i < 400; ++i) p.push_back(test_sigmoid(12 * test_normal(random)));
  for (int i = 0; i < 200; ++i) p.push_back(std::nextafter(p[i + 3], 1));  // neighbours
  std::sort(p.begin(), p.end());
  const auto sorted_numbers = [&](size_t n) {
    std::vector<double> out;
    for (size_t i = 0; i < n; ++i) out.push_back(random.next_uniform());
    std::sort(out.begin(), out.end());
    return out;
  };
  for (int i = 0; i < 100; ++i) {
    const double sign = i % 2 ? 1 : -1;
    for (const Calibrator& m :
         {Calibrator(NoCalibrator{}), Calibrator(PlattCalibrator{wide(), sign * wide()}),
          Calibrator(BetaCalibrator{wide(), wide(), sign * wide()}),
          Calibrator(IsotonicCalibrator{sorted_numbers(9), sorted_numbers(9)})}) {
      const Calibration calibration{wide(), m};
      ASSERT_TRUE(check_calibration(calibration));
      auto q = p;
      calibrate(calibration, q);
      ASSERT_TRUE(std::is_sorted(q.begin(), q.end())) << to_json(calibration).dump();
      ASSERT_GE(q.front(), 0);
      ASSERT_LE(q.back(), 1);
    }
  }
}

TEST(Calibration, GoesThroughJsonUnchanged) {
  for (const Calibration& c :
       {Calibration{}, Calibration{14.151515151515152, NoCalibrator{}},
        Calibration{1 / 3.0, PlattCalibrator{0.1, -1e-17}}, Calibration{2, BetaCalibrator{0, 1 / 3.0, -5}},
        Calibration{1, IsotonicCalibrator{{0.1, 0.2}, {1 / 3.0, 2 / 3.0}}}}) {
    const auto text = to_json(c).dump();
    const auto read = calibration_from_json(json_of(text));
    ASSERT_TRUE(read) << text << read.error().message;
    EXPECT_EQ(to_json(*read).dump(), text);
    EXPECT_EQ(calibrated(*read, 0.37), calibrated(c, 0.37));
  }
  EXPECT_EQ(to_json(Calibration{3, PlattCalibrator{2, -1}}).dump(),
            R"({"prior_weight":3.0,"method":"platt","slope":2.0,"intercept":-1.0})");
}

TEST(Calibration, RefusesHostileJson) {
  EXPECT_THAT(refusal("[1]"), HasSubstr("an object is expected"));
  EXPECT_THAT(refusal(R"({"method":"none"})"), HasSubstr("no \"prior_weight\""));
  EXPECT_THAT(refusal(R"({"prior_weight":1})"), HasSubstr("no \"method\""));
  for (const char* weight : {"0", "-1", "1e101", "1e-320"})
    EXPECT_THAT(refusal(fmt::format(R"({{"prior_weight":{},"method":"none"}})", weight)),
                HasSubstr("no weight of positives"));
  EXPECT_THAT(refusal(R"({"prior_weight":null,"method":"none"})"),
              HasSubstr("\"prior_weight\" is no number"));
  EXPECT_THAT(refusal(R"({"prior_weight":true,"method":"none"})"),
              HasSubstr("\"prior_weight\" is no number"));
  EXPECT_THAT(refusal(R"({"prior_weight":1,"method":7})"), HasSubstr("\"method\" is no text"));
  EXPECT_THAT(refusal(R"({"prior_weight":1,"method":"spline"})"), HasSubstr("none of none, platt"));
  EXPECT_THAT(refusal(R"({"prior_weight":1,"method":"none","slope":1})"), HasSubstr("3 keys"));
  const auto with = [](const std::string& rest) { return refusal(R"({"prior_weight":1,"method":)" + rest); };
  EXPECT_THAT(with(R"("platt","slope":-0.1,"intercept":0})"), HasSubstr("no Platt calibration"));
  EXPECT_THAT(with(R"("platt","slope":1,"intercept":2e100})"), HasSubstr("no Platt calibration"));
  EXPECT_THAT(with(R"("platt","slope":1})"), HasSubstr("no \"intercept\""));
  EXPECT_THAT(with(R"("beta","a":-1,"b":1,"c":0})"), HasSubstr("no beta calibration"));
  EXPECT_THAT(with(R"("beta","a":1,"b":-1,"c":0})"), HasSubstr("no beta calibration"));
  EXPECT_THAT(with(R"("beta","a":1,"b":1,"c":"0"})"), HasSubstr("\"c\" is no number"));
  EXPECT_THAT(with(R"("isotonic","x":[],"y":[]})"), HasSubstr("no isotonic calibration"));
  EXPECT_THAT(with(R"("isotonic","x":[0.1,0.2],"y":[0.1]})"), HasSubstr("no isotonic calibration"));
  EXPECT_THAT(with(R"("isotonic","x":0.1,"y":[0.1]})"), HasSubstr("\"x\" is no list"));
  EXPECT_THAT(with(R"("isotonic","x":[0.1],"y":[null]})"), HasSubstr("something that is no number"));
  EXPECT_THAT(with(R"("isotonic","x":[0.2,0.2],"y":[0.1,0.2]})"), HasSubstr("does not rise"));
  EXPECT_THAT(with(R"("isotonic","x":[0.1,0.2],"y":[0.2,0.1]})"), HasSubstr("does not rise"));
  EXPECT_THAT(with(R"("isotonic","x":[0.1,1.2],"y":[0.1,0.2]})"), HasSubstr("not within [0, 1]"));
  EXPECT_THAT(with(R"("isotonic","x":[0.1,0.2],"y":[-0.1,0.2]})"), HasSubstr("not within [0, 1]"));
  std::string many = "0";
  for (size_t i = 0; i < kMostIsotonicPoints; ++i) many += ",0";
  EXPECT_THAT(with(R"("isotonic","x":[)" + many + R"(],"y":[0]})"), HasSubstr("at most 200000 numbers"));
  EXPECT_EQ(with(R"("isotonic","x":[0.1,0.2],"y":[0.2,0.2]})"), "accepted");  // what the refusals differ from
}

}  // namespace
}  // namespace maeil::model
