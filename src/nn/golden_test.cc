// The seed's classifier against PyTorch: encodings, logits, three training steps. Tolerances are REFERENCE's,
// which PyTorch itself meets against float64.
#include <gtest/gtest.h>

#include "kernels/encoder_ref.h"
#include "nn/score.h"
#include "nn/test_seed.h"
#include "nn/train.h"

namespace maeil::nn {
namespace {

using namespace testing;

struct Golden {
  Parameters parameters;
  std::vector<int32_t> codes, labels;
  std::vector<float> numbers;
  nlohmann::json training;

  LabelledRows rows(size_t first, size_t count) const {
    return {Rows{codes, numbers, labels.size()}.slice(parameters.shape, first, count),
            std::span(labels).subspan(first, count)};
  }
};

Golden load() {
  Golden golden;
  golden.parameters = seed_parameters("finetuned_model_f.pth").value();
  golden.codes = to_codes(read_csv(golden_dir() / "classifier_cat.csv"));
  golden.numbers = read_csv(golden_dir() / "classifier_num.csv");
  golden.labels = to_codes(read_csv(golden_dir() / "classifier_label.csv"));
  std::ifstream(golden_dir() / "training.json") >> golden.training;
  return golden;
}

// Whether a ReLU of the row has an input so near zero that rounding decides which side it is on: its gradient
// is then not defined to the tolerance.
bool relu_near_zero(const Parameters& p, const Rows& row) {
  const ModelShape& shape = p.shape;
  const std::vector<float> unknown = mean_embeddings(p);
  std::vector<float> tokens(size_t(shape.tokens()) * shape.width);
  embed_row(p, unknown, row.codes.data(), row.numbers.data(), tokens.data());
  const std::vector<double> layers(p.values.begin() + p.layers(), p.values.begin() + p.head());
  const std::vector<double> input(tokens.begin(), tokens.end());
  std::vector<double> pooled(shape.width);
  kernels::EncoderTape<double> tape;
  kernels::encoder_forward_ref(shape.encoder(), layers.data(), input.data(), {}, pooled.data(), tape);
  for (const auto& layer : tape) {
    for (double x : layer.before_relu) {
      if (std::abs(x) < 1e-6) return true;
    }
  }
  for (int h = 0; h < shape.head_hidden; ++h) {
    double sum = p.values[p.head() + size_t(shape.head_hidden) * shape.width + h];
    for (int d = 0; d < shape.width; ++d) sum += p.values[p.head() + size_t(h) * shape.width + d] * pooled[d];
    if (std::abs(sum) < 1e-6) return true;
  }
  return false;
}

// Compares tensors with {"sum", "l2", "first"}; `tolerance` times l2 (and sqrt(N) for the sum).
void expect_tensors(const Parameters& p, std::span<const float> values, const nlohmann::json& expected,
                    double tolerance, double sum_tolerance, double key_bias_sum) {
  ASSERT_EQ(expected.size(), p.tensors.size());
  for (const TensorEntry& entry : p.tensors) {
    const auto& e = expected.at(entry.name);
    const auto actual = values.subspan(entry.offset, entry.size);
    const double norm = e.at("l2").get<double>(), root = std::sqrt(static_cast<double>(entry.size));
    double sum = 0;
    for (float x : actual) sum += x;
    // The key bias (32 elements) has a gradient of zero, so Adam turns rounding noise into steps of either
    // sign: `slack` bounds their sum, and slack / sqrt(32) what they can do to the norm. A kernel that is as
    // exact but rounds elsewhere needs it.
    const double slack = entry.name.ends_with("in_proj_bias") ? key_bias_sum : 0;
    EXPECT_LE(std::abs(l2(actual) - norm), tolerance * norm + slack / std::sqrt(32.0)) << entry.name;
    EXPECT_LE(std::abs(sum - e.at("sum").get<double>()), sum_tolerance * norm * root + slack) << entry.name;
    for (size_t i = 0; i < e.at("first").size(); ++i) {
      EXPECT_LE(std::abs(actual[i] - e.at("first")[i].get<double>()), tolerance * norm)
          << entry.name << " " << i;
    }
  }
}

TEST(ClassifierGolden, LogitsAndPooledEncodings) {
  MAEIL_NEEDS(golden_dir());
  MAEIL_NEEDS(seed_dir());
  const Golden golden = load();
  const size_t count = golden.labels.size();
  const Scorer scorer = Scorer::make(golden.parameters).value();
  std::vector<float> logits(count * 2), pooled(count * 32);
  ASSERT_TRUE(scorer.score(golden.rows(0, count).rows, logits, pooled));
  EXPECT_LE(largest_difference(logits, read_csv(golden_dir() / "classifier_logits.csv")), 1e-4);
  EXPECT_LE(largest_difference(pooled, read_csv(golden_dir() / "classifier_pooled.csv")), 1e-4);
}

TEST(ClassifierGolden, TheBareEncoderIsTheClassifiersEncoder) {
  MAEIL_NEEDS(seed_dir());
  const auto encoder = seed_parameters("pretrained_model_f.pth"),
             classifier = seed_parameters("finetuned_model_f.pth");
  ASSERT_TRUE(encoder) << encoder.error().message;
  ASSERT_TRUE(classifier) << classifier.error().message;
  EXPECT_FALSE(encoder->has_head);
  EXPECT_TRUE(classifier->has_head);
  EXPECT_EQ(classifier->values.size(), 117570u);
  EXPECT_EQ(encoder->shape, classifier->shape);
  EXPECT_TRUE(std::equal(classifier->values.begin(), classifier->values.begin() + classifier->head(),
                         encoder->values.begin()));
}

TEST(TrainingGolden, ThreeAdamStepsMatchPyTorch) {
  MAEIL_NEEDS(golden_dir());
  MAEIL_NEEDS(seed_dir());
  const Golden golden = load();
  const auto& expected = golden.training;
  const size_t batch = expected.at("batch").get<size_t>();
  const float lr = expected.at("lr").get<float>();
  Trainer trainer = Trainer::make(golden.parameters,
                                  {.learning_rate = lr,
                                   .dropout = 0,
                                   .class_weights = expected.at("class_weight").get<std::vector<float>>()})
                        .value();
  bool exempt = false;
  for (size_t row = 0; row < batch; ++row)
    exempt = exempt || relu_near_zero(golden.parameters, golden.rows(row, 1).rows);
  for (size_t k = 0; k < 3; ++k) {
    const auto loss = trainer.step(golden.rows(k * batch, batch));
    ASSERT_TRUE(loss) << loss.error().message;
    EXPECT_NEAR(*loss, expected.at("losses")[k].get<double>(), 1e-5) << "step " << k;
    if (k == 0 && !exempt) {
      expect_tensors(golden.parameters, trainer.gradients(), expected.at("grads_step1"), 1e-4, 1e-4, 0);
    }
  }
  if (exempt)
    std::puts("a ReLU input of the first batch is within 1e-6 of zero: its gradients are not compared");
  expect_tensors(golden.parameters, trainer.parameters().values, expected.at("params_after3"), 1e-5, 1e-4,
                 32 * 3 * lr);

  const Scorer scorer = Scorer::make(trainer.parameters()).value();
  std::vector<float> logits(golden.labels.size() * 2), after;
  for (const auto& row : expected.at("logits_after3"))
    after.insert(after.end(), {row[0].get<float>(), row[1].get<float>()});
  ASSERT_TRUE(scorer.score(golden.rows(0, golden.labels.size()).rows, logits));
  EXPECT_LE(largest_difference(logits, after), 1e-3);
}

TEST(Comparisons, SeeWhatIsWrong) {
  const std::vector<float> good = {1, -2, 3}, wrong = {1, -2.1f, 3}, nan = {1, NAN, 3}, shorter = {1, -2},
                           none;
  EXPECT_EQ(largest_difference(good, good), 0);
  EXPECT_NEAR(largest_difference(good, wrong), 0.1, 1e-6);
  EXPECT_EQ(largest_difference(good, nan), INFINITY);
  EXPECT_EQ(largest_difference(nan, nan), INFINITY);
  EXPECT_EQ(largest_difference(good, shorter), INFINITY);
  EXPECT_EQ(largest_difference(none, none), INFINITY);
  EXPECT_GT(relative_difference(wrong, good), 0.02);
  EXPECT_EQ(relative_difference(nan, good), INFINITY);
  EXPECT_EQ(relative_difference(good, nan), INFINITY);
  EXPECT_EQ(relative_difference(none, none), INFINITY);
  EXPECT_EQ(relative_difference(good, std::vector<float>{0, 0, 0}), INFINITY);
}

}  // namespace
}  // namespace maeil::nn
