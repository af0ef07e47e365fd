// A decision travels in a model's file, of either family, and changes what the model's probabilities are and
// where it decides; one that was tampered with is refused.
#include "model/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/boosted_trees.h"
#include "model/model_file.h"
#include "model/tab_transformer.h"
#include "model/test_book.h"

namespace maeil::model {
namespace {

Decision some_decision() {
  Decision out;
  out.calibration.prior_weight = 8;
  out.calibration.calibrator = PlattCalibrator{1.5, -0.25};
  out.threshold = {.value = 0.125, .rule = ThresholdRule::kF1, .rows = 100, .positives = 7};
  out.choice = {{"method", "platt"}};
  return out;
}

std::vector<std::shared_ptr<const Predictor>> one_of_each_family() {
  nn::ModelShape shape;
  shape.cardinalities = {3, 40};
  shape.numeric = 3, shape.width = 8, shape.heads = 2, shape.layers = 1, shape.feed_forward = 8,
  shape.head_hidden = 8;
  return {TabTransformer::make(nn::initial_parameters(shape, 1).value()).value(),
          boosted_trees_learner({.rounds = 5})
              ->fit(book_preparation(), draw_book(1000, 1), {}, nullptr, {})
              .value()};
}

TEST(Decision, TravelsInTheFileOfEitherFamily) {
  Samples rows = draw_book(200, 2);
  for (float& x : rows.numbers) x = std::isnan(x) ? 0 : x;
  for (const auto& predictor : one_of_each_family()) {
    SCOPED_TRACE(predictor->family());
    ModelFile model{.predictor = predictor, .preparation = book_preparation()};
    const auto raw = probabilities(model, rows.view().rows).value();
    EXPECT_EQ(threshold_of(model), 0.5);
    EXPECT_EQ(raw, predictor->probabilities(rows.view().rows).value());
    model.decision = some_decision();
    const std::string bytes = model_file_bytes(model, std::nullopt, Instant{}).value();
    const auto read = parse_model_file(bytes, "f", book_spec(), 2);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_TRUE(read->decision);
    EXPECT_EQ(to_json(*read->decision), to_json(some_decision()));
    EXPECT_FALSE(read->notes.contains("decision"));
    EXPECT_EQ(threshold_of(*read), 0.125);
    const auto p = probabilities(*read, rows.view().rows).value();
    for (size_t i = 0; i < p.size(); ++i)
      EXPECT_EQ(p[i], calibrated(some_decision().calibration, raw[i])) << i;
    EXPECT_NE(p, raw);
  }
}

TEST(Decision, OneThatWasTamperedWithIsRefused) {
  const auto refusal = [](const std::function<void(Json&)>& change) {
    Json json = to_json(some_decision());
    change(json);
    const auto read = decision_from_json(json);
    return read ? std::string("was read") : read.error().message;
  };
  EXPECT_EQ(refusal([](Json&) {}), "was read");
  EXPECT_NE(refusal([](Json& j) { j = 3; }), "was read");
  EXPECT_NE(refusal([](Json& j) { j.erase("threshold"); }), "was read");
  EXPECT_NE(refusal([](Json& j) { j["threshold"]["value"] = 1.5; }), "was read");
  EXPECT_NE(refusal([](Json& j) { j["calibration"]["slope"] = -1; }), "was read");
  EXPECT_NE(refusal([](Json& j) { j["calibration"]["prior_weight"] = 0; }), "was read");
}

}  // namespace
}  // namespace maeil::model
