// Shapley values of trees, exactly: Lundberg, Erion, Lee, "Consistent Individualized Feature Attribution for
// Tree Ensembles" (2018), algorithm 2, leaf by leaf as Mitchell, Frank, Holmes, "GPUTreeShap" (2022), have
// it. XGBoost's `pred_contribs` is the same calculation in float32.
#include <fmt/format.h>

#include <algorithm>

#include "base/threads.h"
#include "model/tree_ensemble.h"

namespace maeil::model {
namespace {

constexpr size_t kRowsAtOnce = 64;  // rows for which a leaf's way is looked at once

// One feature on the way to a leaf. Of a row of which it is not known the share `zero` comes through its
// splits; `one`: this row comes through, or not.
struct OnTheWay {
  uint32_t feature = 0;
  double zero = 1;
  double one = 1;
};

// The weights of the sizes of subsets of the features on the way, (features + 1).
void extend(const std::vector<OnTheWay>& way, std::vector<double>& weights) {
  weights.assign(way.size() + 1, 0.0);
  weights[0] = 1;
  for (size_t l = 1; l <= way.size(); ++l) {
    const auto& [feature, zero, one] = way[l - 1];
    for (size_t i = l; i-- > 0;) {
      weights[i + 1] += one * weights[i] * static_cast<double>(i + 1) / static_cast<double>(l + 1);
      weights[i] *= zero * static_cast<double>(l - i) / static_cast<double>(l + 1);
    }
  }
}

// Their sum without one of the features.
double sum_without(const OnTheWay& left_out, const std::vector<double>& weights) {
  const size_t l = weights.size() - 1;
  double next = weights[l], total = 0;
  for (size_t i = l; i-- > 0;) {
    const double factor = left_out.zero * static_cast<double>(l - i) / static_cast<double>(l + 1);
    if (left_out.one == 0) {
      total += weights[i] / factor;
      continue;
    }
    const double without = next * static_cast<double>(l + 1) / static_cast<double>(i + 1);
    total += without;
    next = weights[i] - without * factor;
  }
  return total;
}

}  // namespace

double TreeEnsemble::mean_of(uint32_t node) const {
  const uint32_t left = nodes_[node].left;
  if (left == node) return static_cast<double>(values_[node]);
  return (mean_of(left) * static_cast<double>(covers_[left]) +
          mean_of(left + 1) * static_cast<double>(covers_[left + 1])) /
         static_cast<double>(covers_[node]);
}

double TreeEnsemble::expected() const {
  double sum = static_cast<double>(base_);
  if (depth_ > kMostExplainedDepth) return sum;
  for (const Tree& tree : trees_) sum += mean_of(tree.root);
  return sum;
}

Result<std::vector<double>> TreeEnsemble::contributions(const nn::Rows& rows) const {
  const size_t F = features();
  MAEIL_TRY(check_sizes(rows, rows.count));
  if (depth_ > kMostExplainedDepth)
    return bad_input(fmt::format("the trees are {} splits deep: reasons are told of {} at most", depth_,
                                 kMostExplainedDepth));
  for (uint32_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].left != node && !(covers_[node] > 0))
      return bad_input(
          "the trees do not say how many rows went which way (sum_hessian): no reasons can be told");
  }
  std::vector<double> out(rows.count * F);
  std::atomic<size_t> wrong{SIZE_MAX};
  struct Split {
    uint32_t node, child;
    size_t place;  // in `way`
  };
  struct Worker {
    std::vector<float> block;
    std::vector<Split> splits;
    std::vector<OnTheWay> way;
    std::vector<double> weights;
  };
  std::vector<Worker> workers(static_cast<size_t>(thread_count()));
  parallel_for_workers(rows.count, kRowsAtOnce, [&](size_t first, size_t last, int id) {
    auto& [block, splits, way, weights] = workers[static_cast<size_t>(id)];
    block.resize(kRowsAtOnce * F);
    fill_rows(rows, first, last, block.data(), wrong);
    const auto explain_leaf = [&](float leaf) {
      way.clear();
      for (auto& [node, child, place] : splits) {
        const uint32_t feature = nodes_[node].feature & kFeature;
        place = static_cast<size_t>(std::ranges::find(way, feature, &OnTheWay::feature) - way.begin());
        if (place == way.size()) way.push_back({feature});
        way[place].zero *= static_cast<double>(covers_[child]) / static_cast<double>(covers_[node]);
      }
      for (size_t row = first; row < last; ++row) {
        for (auto& one : way) one.one = 1;
        for (const auto& [node, child, place] : splits) {
          if (step(node, block.data() + (row - first) * F) != child) way[place].one = 0;
        }
        extend(way, weights);
        for (const auto& one : way) {
          if (one.one == one.zero) continue;
          out[row * F + one.feature] +=
              sum_without(one, weights) * (one.one - one.zero) * static_cast<double>(leaf);
        }
      }
    };
    for (const Tree& tree : trees_) {
      splits.clear();
      // Down to the left; from a leaf back to the last split of which the right side is still to come.
      for (uint32_t at = tree.root;;) {
        if (nodes_[at].left != at) {
          splits.push_back({at, nodes_[at].left, 0});
          at = nodes_[at].left;
          continue;
        }
        explain_leaf(values_[at]);
        while (!splits.empty() && splits.back().child != nodes_[splits.back().node].left) splits.pop_back();
        if (splits.empty()) break;
        at = ++splits.back().child;
      }
    }
  });
  MAEIL_TRY(refuse(rows, wrong));
  return out;
}

}  // namespace maeil::model
