// The learner learns what is there to learn, whatever the columns hold, the same at any number of threads.
#include "quality/tree_learner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/philox.h"
#include "base/threads.h"
#include "metrics/classification.h"
#include "quality/test_files.h"

namespace maeil::quality {
namespace {

struct LearnerProblem {
  Data data;  // the column "y" is not for the learner
  RowChoice real, holdout;
  std::vector<uint8_t> labels, holdout_labels;

  Result<std::vector<double>> learn() const {
    size_t skip = 0;
    while (data.columns[skip].name != "y") ++skip;
    return TreeLearner(data, real, holdout, skip).learn(labels);
  }
};

// `header` names the columns before "y"; `row` writes those of row i and sets its label.
LearnerProblem learner_problem(size_t training, size_t test, const std::string& header,
                               const std::function<std::string(size_t i, uint8_t& label)>& row) {
  LearnerProblem out{{},
                     {&ColumnPair::real, {}},
                     {&ColumnPair::holdout, {}},
                     std::vector<uint8_t>(training),
                     std::vector<uint8_t>(test)};
  std::string real = header + ",y\n", holdout = real;
  for (size_t i = 0; i < training + test; ++i) {
    const bool learnt = i < training;
    uint8_t& label = learnt ? out.labels[i] : out.holdout_labels[i - training];
    const auto values = row(i, label);
    (learnt ? real : holdout) += fmt::format("{},{}\n", values, label);
    auto& rows = (learnt ? out.real : out.holdout).rows;
    rows.push_back(static_cast<uint32_t>(rows.size()));
  }
  const auto path = test_file("real.csv", real);
  auto data = read_data({.real = path, .synthetic = path, .holdout = test_file("holdout.csv", holdout)});
  EXPECT_TRUE(data) << data.error().message;
  out.data = std::move(*data);
  return out;
}

// y = (a >= 8) xor (b >= 8), which no column says anything about alone; b is missing where it is below 4.
LearnerProblem exclusive_or(size_t training, size_t test) {
  RandomSequence random(1, RandomStream::kInit, 0);
  return learner_problem(training, test, "a,b,c", [&](size_t, uint8_t& label) {
    const auto a = random.next_below(16), b = random.next_below(16);
    label = (a >= 8) != (b >= 8);
    return fmt::format("{},{},{}", a, b < 4 ? "" : fmt::format("{}", b), "xyz"[random.next_below(3)]);
  });
}

double learner_auc(const LearnerProblem& problem) {
  const auto p = problem.learn();
  EXPECT_TRUE(p) << p.error().message;
  return metrics::classification_metrics(*p, problem.holdout_labels)->roc_auc.value();
}

TEST(TreeLearner, LearnsAnInteractionAndNothingFromWrongLabels) {
  auto problem = exclusive_or(2000, 1000);
  EXPECT_GT(learner_auc(problem), 0.99);
  std::rotate(problem.labels.begin(), problem.labels.begin() + 7, problem.labels.end());
  EXPECT_LT(learner_auc(problem), 0.6);
}

TEST(TreeLearner, SameAtAnyNumberOfThreads) {
  const auto problem = exclusive_or(25000, 1000);  // so many that XGBoost takes threads of its own
  set_thread_count(1);
  const auto one = problem.learn();
  set_thread_count(5);
  const auto five = problem.learn();
  set_thread_count(0);
  ASSERT_TRUE(one && five);
  EXPECT_EQ(*one, *five);
}

TEST(TreeLearner, LabelsOfOneClassAreWhatIsPredicted) {
  auto problem = exclusive_or(50, 20);
  for (const uint8_t label : {0, 1}) {
    problem.labels.assign(50, label);
    EXPECT_EQ(problem.learn().value(), std::vector<double>(20, label));
  }
}

// 255 categories have eight rows each, half of them of label 1; 600 have one, of label 1; 600 rows have none,
// and are of label 0. Rare ones share a code, also with one that was never seen, which is not that of
// missing.
TEST(TreeLearner, RareCategoriesShareACode) {
  const size_t rare = 255 * 8, missing = rare + 600, test = missing + 600;
  const auto problem = learner_problem(test, 4, "place,x", [&](size_t i, uint8_t& label) {
    label = i < rare ? i / 255 % 2 : i < missing;
    const char* tested[] = {"often 7,1", "once 2100,1", "never,1", ",1"};
    return i < rare      ? fmt::format("often {},1", i % 255)
           : i < missing ? fmt::format("once {},1", i)
           : i < test    ? std::string(",1")
                         : std::string(tested[i - test]);
  });
  const auto p = problem.learn();
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_NEAR((*p)[0], 0.5, 0.1);
  EXPECT_GT((*p)[1], 0.95);
  EXPECT_EQ((*p)[1], (*p)[2]);
  EXPECT_LT((*p)[3], 0.4);
}

TEST(TreeLearner, ACategoryThatTheTrainingRowsLackIsAnUnknownOne) {
  const auto problem = learner_problem(400, 2, "grade", [](size_t i, uint8_t& label) {
    label = i % 4 == 3;  // of D alone and, of every other row, where the grade is missing
    if (i == 400) return std::string("Z");
    return i == 401 || i % 8 == 7 ? std::string() : std::string(1, "ABCD"[i % 4]);
  });
  const auto p = problem.learn();
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_GT((*p)[1], 0.9);
  EXPECT_EQ((*p)[0], (*p)[1]);
}

TEST(TreeLearner, TakesWhateverColumnsHold) {
  RandomSequence random(3, RandomStream::kInit, 0);
  // A name that is no name, numbers beyond float32, a column that is empty in the training rows, a constant.
  const auto problem =
      learner_problem(2000, 500, "\"a \"\"[<]\\, b\",huge,empty,constant", [&](size_t i, uint8_t& label) {
        label = random.next_below(2) == 1;
        return fmt::format("{},{},{},1", random.next_below(9),
                           label   ? ""
                           : i % 2 ? "1.7e308"
                                   : "-1.7e308",
                           i < 2000 ? "" : "x");
      });
  EXPECT_GT(learner_auc(problem), 0.99);
}

}  // namespace
}  // namespace maeil::quality
