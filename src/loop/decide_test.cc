// Where a fitted model decides, and by what, when the judged rows say much, little or nothing.
#include "loop/decide.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

// Says of a row what its one number is.
class Says : public model::Predictor {
 public:
  std::string_view family() const override { return "says"; }
  std::string_view file_extension() const override { return ".says"; }
  model::Json hyperparameters() const override { return model::Json::object(); }
  Status check_scores(const std::string&) const override { return {}; }
  Result<std::vector<double>> probabilities(const nn::Rows& rows) const override {
    return std::vector<double>(rows.numbers.begin(), rows.numbers.end());
  }
  Result<model::Contributions> contributions(const nn::Rows& rows) const override {
    return model::Contributions{1, {rows.numbers.begin(), rows.numbers.end()}, 0};
  }
  Result<std::string> file_bytes(const model::FileFacts&) const override { return std::string(); }
};

// Learnt with a positive that counted for so many negatives; 0: the rows learnt from were of one class.
class Weighs : public model::Learner {
 public:
  explicit Weighs(double weight) : weight_(weight) {}
  std::string_view family() const override { return "says"; }
  model::Json hyperparameters(const model::Predictor&) const override { return model::Json::object(); }
  int epochs() const override { return 1; }
  prep::Preparation preparation_of(prep::Preparation fitted) const override { return fitted; }
  Result<double> prior_weight(const Samples&) const override {
    if (weight_ == 0) return bad_input("one class");
    return weight_;
  }
  Result<std::shared_ptr<const model::Predictor>> fit(const prep::Preparation&, const Samples&,
                                                      const Samples&, const model::Predictor*,
                                                      const model::FitCallbacks&) const override {
    return std::make_shared<Says>();
  }

 private:
  const double weight_;
};

Samples rows_of(const std::vector<std::pair<float, int>>& rows, int times = 1) {
  Samples out;
  for (int k = 0; k < times; ++k) {
    for (const auto& [said, label] : rows) out.numbers.push_back(said), out.labels.push_back(label);
  }
  return out;
}

struct Deciding : testing::Test {
  store::TempFolder folder;
  std::unique_ptr<store::Store> store = store::open_sqlite(folder / "maeil.db").value();
  Settings settings;
  table::DatasetSpec spec;
  Samples learn = rows_of({{0.5F, 1}, {0.5F, 0}, {0.5F, 0}, {0.5F, 0}});
  std::vector<std::string> lines;

  Decided run(const Samples& judged, double weight, const std::optional<model::Decision>& before) {
    dag::TaskContext context{*store, Days{}, "run", "dag", "task"};
    context.log = [&](std::string_view line) { lines.emplace_back(line); };
    const Day day{settings, spec};
    return decide(day, Weighs(weight), learn, {judged, kValidation}, Says(), before, {{"loss", 1}}, false,
                  context)
        .value();
  }
  bool said(const std::string& words) const {
    return std::ranges::any_of(lines, [&](const auto& l) { return l.find(words) != std::string::npos; });
  }
};

const model::Decision kBefore{.calibration = {.prior_weight = 7},
                              .threshold = {.value = 0.31, .rule = model::ThresholdRule::kF1}};

TEST_F(Deciding, ByTheJudgedRowsWhereThereAreEnough) {
  spec.name = "loans";
  const auto judged = rows_of({{0.1F, 0}, {0.2F, 0}, {0.6F, 1}, {0.7F, 1}}, 40);
  const auto out = run(judged, 1, kBefore);
  ASSERT_TRUE(out.decision);
  EXPECT_EQ(out.decision->threshold.rule, model::ThresholdRule::kF1);
  EXPECT_EQ(out.metrics["f1_score"], 1.0);
  EXPECT_EQ(out.decision->calibration.prior_weight, 1);
  EXPECT_NE(out.decision->threshold.value, kBefore.threshold.value);
  EXPECT_FALSE(said("warning"));
}

TEST_F(Deciding, AsTheVersionBeforeWhereTheyAreTooFew) {
  spec.name = "loans";
  const auto few = rows_of({{0.1F, 0}, {0.6F, 1}}, 9);
  const auto out = run(few, 3, kBefore);
  EXPECT_EQ(out.decision->threshold.value, 0.31);
  EXPECT_EQ(out.decision->calibration.prior_weight, 3);  // of the rows that were learnt from now
  EXPECT_TRUE(said("9 of 18 validation rows are positive, too few of a class"));
  EXPECT_TRUE(said("it is 0.3100, that of the version before"));
  // Of rows of one class no weight can be told either.
  EXPECT_EQ(run(few, 0, kBefore).decision->calibration.prior_weight, 7);
}

TEST_F(Deciding, ByTheShareOfPositivesWhereNobodyDecidedBefore) {
  spec.name = "loans";
  EXPECT_EQ(run({}, 3, std::nullopt).decision->threshold.value, 0.25);
  EXPECT_TRUE(said("0.2500, the share of positives learnt from"));
  EXPECT_EQ(run({}, 0, std::nullopt).decision->calibration.prior_weight, 1);
  learn = rows_of({{0.5F, 0}});
  EXPECT_EQ(run({}, 0, std::nullopt).decision->threshold.value, 0.5);
  // A fixed one and that of costs need no row.
  settings.decision_threshold = "0.125";
  EXPECT_EQ(run({}, 3, kBefore).decision->threshold.value, 0.125);
}

TEST_F(Deciding, NotAtAllByArgmax) {
  settings.decision_threshold = "argmax";
  const auto out = run(rows_of({{0.1F, 0}, {0.6F, 1}}, 20), 3, kBefore);
  EXPECT_FALSE(out.decision);
  EXPECT_EQ(out.metrics, (store::Document{{"loss", 1}}));
}

}  // namespace
}  // namespace maeil::loop
