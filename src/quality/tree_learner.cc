#include "quality/tree_learner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/threads.h"
#include "model/boosted_trees.h"

namespace maeil::quality {
namespace {

constexpr int kTrees = 100;
constexpr size_t kMostCategories = 255;
// Of float32's 3.4e38: XGBoost's last bin ends at twice the largest number, and that has to be finite too.
constexpr double kMostNumber = 1e37;

struct CategoryCodes {
  std::vector<int32_t> of;  // (Data's codes) code
  int count = 0;
};

CategoryCodes category_codes(const ColumnPair& column, const RowChoice& training) {
  const auto& codes = (column.*training.side).codes;
  std::vector<size_t> rows(column.categories.size());
  for (const auto row : training.rows) {
    if (codes[row] != kMissingCode) ++rows[codes[row]];
  }
  std::vector<uint32_t> kept;
  for (uint32_t k = 0; k < rows.size(); ++k) {
    if (rows[k] > 0) kept.push_back(k);
  }
  const bool shared = kept.size() > kMostCategories;
  if (shared) {
    std::ranges::stable_sort(kept, [&](uint32_t a, uint32_t b) { return rows[a] > rows[b]; });
    kept.resize(kMostCategories);
  }
  CategoryCodes out;
  out.of.assign(rows.size(), shared ? static_cast<int32_t>(kept.size()) : prep::kUnknownCode);
  for (const auto k : kept) out.of[k] = out.count++;
  out.count = std::max(1, out.count + (shared ? 1 : 0));
  return out;
}

// The chosen rows of `columns`, whose categories have the codes `codes`; without labels.
model::Samples samples_of(const RowChoice& choice, const std::vector<const ColumnPair*>& categories,
                          const std::vector<CategoryCodes>& codes,
                          const std::vector<const ColumnPair*>& numbers) {
  const size_t B = choice.rows.size(), C = categories.size(), N = numbers.size();
  model::Samples out;
  out.codes.resize(B * C), out.numbers.resize(B * N), out.labels.resize(B);
  parallel_for(B, 1024, [&](size_t first, size_t last) {
    for (size_t c = 0; c < C; ++c) {
      const auto& from = (categories[c]->*choice.side).codes;
      for (size_t i = first; i < last; ++i) {
        const auto code = from[choice.rows[i]];
        out.codes[i * C + c] = code == kMissingCode ? prep::kUnknownCode : codes[c].of[code];
      }
    }
    for (size_t c = 0; c < N; ++c) {
      const auto& from = (numbers[c]->*choice.side).numbers;
      for (size_t i = first; i < last; ++i)
        out.numbers[i * N + c] =
            static_cast<float>(std::clamp(from[choice.rows[i]], -kMostNumber, kMostNumber));
    }
  });
  return out;
}

}  // namespace

TreeLearner::TreeLearner(const Data& data, const RowChoice& training, const RowChoice& test, size_t skip) {
  std::vector<const ColumnPair*> categories, numbers;
  std::vector<CategoryCodes> codes;
  // The columns' own names may be anything; those of features go through XGBoost's JSON.
  for (size_t c = 0; c < data.columns.size(); ++c) {
    if (c == skip) continue;
    const auto& column = data.columns[c];
    const auto name = fmt::format("{}", c);
    if (column.kind == Kind::kContinuous) {
      numbers.push_back(&column);
      preparation_.numeric.push_back({.name = name});
    } else {
      categories.push_back(&column);
      codes.push_back(category_codes(column, training));
      preparation_.categorical.push_back({.name = name, .cardinality = codes.back().count});
    }
  }
  preparation_.keep_missing = true;
  training_ = samples_of(training, categories, codes, numbers);
  test_ = samples_of(test, categories, codes, numbers);
}

Result<std::vector<double>> TreeLearner::learn(const std::vector<uint8_t>& labels) {
  if (std::ranges::count(labels, labels[0]) == static_cast<std::ptrdiff_t>(labels.size()))
    return std::vector<double>(test_.rows(), labels[0]);
  training_.labels.assign(labels.begin(), labels.end());
  const auto learner = model::boosted_trees_learner({.rounds = kTrees});
  MAEIL_ASSIGN(const auto trees, learner->fit(preparation_, training_, {}, nullptr, {}));
  return trees->probabilities(test_.view().rows);
}

}  // namespace maeil::quality
