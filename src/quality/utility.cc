#include "quality/utility.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/philox.h"
#include "metrics/classification.h"
#include "model/boosted_trees.h"
#include "quality/tree_learner.h"

namespace maeil::quality {
namespace {

double value_or_nan(const std::optional<double>& value) {
  return value.value_or(std::numeric_limits<double>::quiet_NaN());
}

constexpr double kTestShare = 0.3;

// The value of a row's target as text; "" where it is missing.
std::string label_of(const ColumnPair& column, const Side& side, size_t row) {
  if (column.kind == Kind::kContinuous)
    return std::isnan(side.numbers[row]) ? "" : fmt::format("{}", side.numbers[row]);
  return side.codes[row] == kMissingCode ? "" : column.categories[side.codes[row]];
}

// Rows with their class.
struct Labelled {
  RowChoice choice;
  std::vector<uint32_t> classes;
};

Labelled with_classes(const ColumnPair& column, const RowChoice& choice,
                      const std::map<std::string, uint32_t>& numbers) {
  Labelled out{{choice.side, {}}, {}};
  for (const auto row : choice.rows) {
    const auto it = numbers.find(label_of(column, column.*choice.side, row));
    if (it != numbers.end()) out.choice.rows.push_back(row), out.classes.push_back(it->second);
  }
  return out;
}

RowChoice all_rows(Side ColumnPair::* side, size_t rows) {
  RowChoice out{side, std::vector<uint32_t>(rows)};
  for (size_t i = 0; i < rows; ++i) out.rows[i] = static_cast<uint32_t>(i);
  return out;
}

std::vector<uint8_t> is_class(const std::vector<uint32_t>& classes, uint32_t k) {
  std::vector<uint8_t> out;
  for (const auto c : classes) out.push_back(c == k);
  return out;
}

Result<Learned> two_classes(TreeLearner& learner, const Labelled& training, const Labelled& test) {
  MAEIL_ASSIGN(const auto p, learner.learn(is_class(training.classes, 0)));
  MAEIL_ASSIGN(const auto metrics, metrics::classification_metrics(p, is_class(test.classes, 0)));
  return Learned{training.classes.size(), value_or_nan(metrics.f1_score), value_or_nan(metrics.roc_auc)};
}

Result<Learned> many_classes(TreeLearner& learner, const Labelled& training, const Labelled& test,
                             uint32_t classes) {
  std::vector<std::vector<double>> p(classes);
  for (uint32_t k = 0; k < classes; ++k) {
    MAEIL_ASSIGN(p[k], learner.learn(is_class(training.classes, k)));
  }
  Learned out{training.classes.size(), 0, 0};
  for (uint32_t k = 0; k < classes; ++k) {
    std::vector<double> chosen(test.classes.size());
    for (size_t i = 0; i < chosen.size(); ++i) {
      uint32_t best = 0;
      for (uint32_t other = 1; other < classes; ++other) best = p[other][i] > p[best][i] ? other : best;
      chosen[i] = best == k;
    }
    const auto labels = is_class(test.classes, k);
    MAEIL_ASSIGN(const auto decided, metrics::classification_metrics(chosen, labels));
    MAEIL_ASSIGN(const auto ranked, metrics::classification_metrics(p[k], labels));
    out.f1 += value_or_nan(decided.f1_score) / classes;
    out.auc += value_or_nan(ranked.roc_auc) / classes;
  }
  return out;
}

}  // namespace

Result<Utility> train_on_synthetic(const Data& data, const std::string& target) {
  size_t at = 0;
  while (at < data.columns.size() && data.columns[at].name != target) ++at;
  if (at == data.columns.size())
    return usage_error(fmt::format("--target: there is no column '{}' that could be learned", target));
  if (data.columns.size() == 1)
    return usage_error(fmt::format("--target: there is no column to predict '{}' from", target));
  const auto& column = data.columns[at];

  Utility out;
  out.target = target;
  out.holdout_file = data.holdout_rows > 0;
  RowChoice training = all_rows(&ColumnPair::real, data.real_rows),
            test = all_rows(&ColumnPair::holdout, data.holdout_rows);
  if (!out.holdout_file) {
    test.side = &ColumnPair::real;
    training.rows.clear();
    for (uint32_t row = 0; row < data.real_rows; ++row) {
      (RandomSequence(0, RandomStream::kQualitySplit, row).next_uniform() < kTestShare ? test : training)
          .rows.push_back(row);
    }
  }

  std::map<std::string, size_t> counts;
  for (const auto row : training.rows) {
    const auto label = label_of(column, column.real, row);
    if (!label.empty()) ++counts[label];
    if (counts.size() > kMaxTargetClasses)
      return usage_error(fmt::format("--target: column '{}' has more than {} values: it is no class", target,
                                     kMaxTargetClasses));
  }
  if (counts.size() < 2)
    return usage_error(fmt::format(
        "--target: column '{}' has fewer than two values in the real rows that are trained on", target));
  for (const auto& [label, rows] : counts) out.classes.push_back(label);
  if (out.classes.size() == 2 && counts[out.classes[1]] <= counts[out.classes[0]])
    std::swap(out.classes[0], out.classes[1]);
  std::map<std::string, uint32_t> numbers;
  for (uint32_t k = 0; k < out.classes.size(); ++k) numbers[out.classes[k]] = k;

  const auto tested = with_classes(column, test, numbers);
  const auto real = with_classes(column, training, numbers);
  const auto synthetic = with_classes(column, all_rows(&ColumnPair::synthetic, data.synthetic_rows), numbers);
  out.test_rows = tested.classes.size();
  if (tested.classes.empty())
    return usage_error(fmt::format("--target: no held-out row has a value of '{}' to test on", target));
  if (synthetic.classes.empty())
    return usage_error(
        fmt::format("--target: no synthetic row has a value of '{}' that a real row has", target));
  MAEIL_TRY(model::can_learn_trees(""));
  const auto learned = [&](const Labelled& rows) {
    TreeLearner learner(data, rows.choice, tested.choice, at);
    return out.classes.size() == 2
               ? two_classes(learner, rows, tested)
               : many_classes(learner, rows, tested, static_cast<uint32_t>(out.classes.size()));
  };
  MAEIL_ASSIGN(out.synthetic, learned(synthetic));
  MAEIL_ASSIGN(out.real, learned(real));
  return out;
}

}  // namespace maeil::quality
