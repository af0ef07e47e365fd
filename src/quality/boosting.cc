#include "quality/boosting.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/threads.h"

namespace maeil::quality {
namespace {

constexpr size_t kTrees = 100, kLeaves = 16;
constexpr double kRate = 0.1, kPenalty = 1;
constexpr double kLeastRows = 5, kLeastHessian = 1e-3;  // of a leaf

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Sums {
  double gradient = 0, hessian = 0, rows = 0;
  double gain() const { return gradient * gradient / (hessian + kPenalty); }
  bool enough() const { return rows >= kLeastRows && hessian >= kLeastHessian; }
};

struct Split {
  double gain = 0;  // 0: none
  size_t column = 0;
  uint8_t bin = 0;
};

}  // namespace

// Grows one tree over the rows' gradients; a leaf holds a stretch of `order`.
struct BoostedTrees::Grower {
  const BinnedRows& data;
  const std::vector<double>& gradients;
  const std::vector<double>& hessians;
  std::vector<uint32_t>& order;
  struct Leaf {
    size_t first, last, node;
    Split split;
  };
  std::vector<Leaf> leaves;
  Tree tree;

  Split best_split(size_t first, size_t last) const {
    Sums all;
    for (size_t i = first; i < last; ++i)
      all.gradient += gradients[order[i]], all.hessian += hessians[order[i]];
    all.rows = static_cast<double>(last - first);
    if (all.rows < 2 * kLeastRows) return {};
    std::vector<Split> best(data.columns.size());
    // Few rows are not worth waking threads for.
    const size_t grain = last - first < 2000 ? data.columns.size() : 4;
    parallel_for(data.columns.size(), grain, [&](size_t begin, size_t end) {
      for (size_t c = begin; c < end; ++c) {
        std::array<Sums, kMaxBins> bins{};
        const auto& values = data.columns[c];
        for (size_t i = first; i < last; ++i) {
          auto& bin = bins[values[order[i]]];
          bin.gradient += gradients[order[i]], bin.hessian += hessians[order[i]], ++bin.rows;
        }
        Sums left;
        for (size_t k = 0; k + 1 < kMaxBins; ++k) {
          if (bins[k].rows == 0) continue;
          left.gradient += bins[k].gradient, left.hessian += bins[k].hessian, left.rows += bins[k].rows;
          const Sums right{all.gradient - left.gradient, all.hessian - left.hessian, all.rows - left.rows};
          if (!left.enough() || !right.enough()) continue;
          const double gain = left.gain() + right.gain() - all.gain();
          if (gain > best[c].gain) best[c] = {gain, c, static_cast<uint8_t>(k)};
        }
      }
    });
    Split out;
    for (const auto& split : best) {
      if (split.gain > out.gain + 1e-12) out = split;
    }
    return out;
  }

  void add_leaf(size_t first, size_t last) {
    leaves.push_back({first, last, tree.size(), best_split(first, last)});
    tree.emplace_back();
  }

  void grow() {
    add_leaf(0, order.size());
    while (leaves.size() < kLeaves) {
      const auto best = std::max_element(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
        return a.split.gain < b.split.gain;
      });
      if (best->split.gain <= 0) break;
      const Leaf leaf = *best;
      leaves.erase(best);
      const auto& values = data.columns[leaf.split.column];
      const auto begin = order.begin() + static_cast<ptrdiff_t>(leaf.first),
                 end = order.begin() + static_cast<ptrdiff_t>(leaf.last);
      const auto middle =
          std::stable_partition(begin, end, [&](uint32_t row) { return values[row] <= leaf.split.bin; });
      const size_t cut = leaf.first + static_cast<size_t>(middle - begin);
      auto& node = tree[leaf.node];
      node.column = static_cast<int32_t>(leaf.split.column), node.bin = leaf.split.bin;
      node.left = static_cast<int32_t>(tree.size()), node.right = node.left + 1;
      add_leaf(leaf.first, cut);
      add_leaf(cut, leaf.last);
    }
    for (const auto& leaf : leaves) {
      Sums sums;
      for (size_t i = leaf.first; i < leaf.last; ++i)
        sums.gradient += gradients[order[i]], sums.hessian += hessians[order[i]];
      tree[leaf.node].value = -kRate * sums.gradient / (sums.hessian + kPenalty);
    }
  }
};

BoostedTrees BoostedTrees::fit(const BinnedRows& data, const std::vector<uint8_t>& labels) {
  BoostedTrees out;
  const size_t n = data.rows;
  const double ones = static_cast<double>(std::count(labels.begin(), labels.end(), uint8_t{1}));
  // Half a row of each class more, so that a class that is not there has a finite log odds.
  out.base_ = std::log((ones + 0.5) / (static_cast<double>(n) - ones + 0.5));
  std::vector<double> scores(n, out.base_), gradients(n), hessians(n);
  std::vector<uint32_t> order(n);
  for (size_t t = 0; t < kTrees; ++t) {
    for (size_t i = 0; i < n; ++i) {
      const double p = sigmoid(scores[i]);
      gradients[i] = p - labels[i], hessians[i] = p * (1 - p);
    }
    std::iota(order.begin(), order.end(), 0U);
    Grower grower{data, gradients, hessians, order, {}, {}};
    grower.grow();
    for (const auto& leaf : grower.leaves) {
      for (size_t i = leaf.first; i < leaf.last; ++i) scores[order[i]] += grower.tree[leaf.node].value;
    }
    out.trees_.push_back(std::move(grower.tree));
  }
  return out;
}

std::vector<double> BoostedTrees::predict(const BinnedRows& data) const {
  std::vector<double> out(data.rows);
  parallel_for(data.rows, 1024, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      double score = base_;
      for (const auto& tree : trees_) {
        size_t at = 0;
        while (tree[at].column >= 0) {
          const auto& node = tree[at];
          at = static_cast<size_t>(
              data.columns[static_cast<size_t>(node.column)][i] <= node.bin ? node.left : node.right);
        }
        score += tree[at].value;
      }
      out[i] = sigmoid(score);
    }
  });
  return out;
}

}  // namespace maeil::quality
