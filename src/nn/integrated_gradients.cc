#include "nn/integrated_gradients.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>

#include "base/threads.h"
#include "nn/head.h"

namespace maeil::nn {
namespace {

struct Node {
  double at, weight;
};

// Of n nodes on [0, 1]: the roots of the Legendre polynomial by Newton's method (Abramowitz, Stegun 25.4.30).
std::vector<Node> gauss_legendre(int n) {
  std::vector<Node> out;
  for (int k = 1; k <= n; ++k) {
    double x = std::cos(std::numbers::pi * (k - 0.25) / (n + 0.5)), slope = 1;
    for (int round = 0; round < 50; ++round) {
      double p = 1, before = 0;
      for (int j = 1; j <= n; ++j) {
        const double next = ((2 * j - 1) * x * p - (j - 1) * before) / j;
        before = p, p = next;
      }
      slope = n * (x * p - before) / (x * x - 1);
      const double step = p / slope;
      x -= step;
      if (std::abs(step) < 1e-15) break;
    }
    out.push_back({(1 + x) / 2, 1 / ((1 - x * x) * slope * slope)});
  }
  return out;
}

// 4, 8, 16, 32, 64
const std::vector<std::vector<Node>>& all_nodes() {
  static const auto all = [] {
    std::vector<std::vector<Node>> out;
    for (int n = kFewestNodes; n <= kMostNodes; n *= 2) out.push_back(gauss_legendre(n));
    return out;
  }();
  return all;
}

// One thread's way along the line of a row.
class Line {
 public:
  explicit Line(const Scorer& scorer)
      : scorer_(scorer),
        shape_(scorer.parameters().shape),
        width_(size_t(shape_.width)),
        fc_(scorer.parameters().values.data() + scorer.parameters().head()),
        base_(size_t(shape_.tokens()) * width_),
        row_(base_.size()),
        tokens_(base_.size()),
        gradient_(base_.size()),
        pooled_(width_),
        pooled_gradient_(width_),
        hidden_(size_t(shape_.head_hidden)),
        folded_(kernels::folded_gradient_size(scorer.weights())),
        fc_gradient_(scorer.parameters().values.size() - scorer.parameters().head()) {
    const std::vector<int32_t> unknown(size_t(shape_.categorical()), -1);
    const std::vector<float> zero(size_t(shape_.numeric), 0.0f);
    embed_row(scorer.parameters(), scorer.unknown(), unknown.data(), zero.data(), base_.data());
  }

  double base_log_odds() {
    tokens_ = base_;
    return forward();
  }

  // Writes the parts (F) and returns how far they are from adding up.
  double follow(const int32_t* codes, const float* numbers, double log_odds, double base, double* parts) {
    embed_row(scorer_.parameters(), scorer_.unknown(), codes, numbers, row_.data());
    double gap = 0;
    for (const auto& nodes : all_nodes()) {
      integrate(nodes, parts);
      gap = std::abs(base + std::accumulate(parts, parts + shape_.tokens(), 0.0) - log_odds);
      if (gap <= kLargestGap * std::max(1.0, std::abs(log_odds - base))) break;
    }
    return gap;
  }

 private:
  double forward() {
    float logits[2];
    kernels::encoder_forward_training(scorer_.weights(), tokens_.data(), {}, pooled_.data(), scratch_);
    head_forward(shape_, fc_, pooled_.data(), {}, hidden_.data(), logits);
    return static_cast<double>(logits[1]) - static_cast<double>(logits[0]);
  }

  void integrate(const std::vector<Node>& nodes, double* parts) {
    constexpr float kOfLogOdds[2] = {-1, 1};
    std::fill_n(parts, shape_.tokens(), 0.0);
    for (const auto& [at, weight] : nodes) {
      for (size_t i = 0; i < tokens_.size(); ++i)
        tokens_[i] = base_[i] + static_cast<float>(at) * (row_[i] - base_[i]);
      forward();
      head_backward(shape_, fc_, pooled_.data(), hidden_.data(), kOfLogOdds, 1.0f, pooled_gradient_.data(),
                    fc_gradient_.data());
      kernels::encoder_backward(scorer_.weights(), pooled_gradient_.data(), {}, gradient_.data(),
                                folded_.data(), scratch_);
      for (size_t f = 0, i = 0; f < size_t(shape_.tokens()); ++f) {
        double sum = 0;
        for (size_t d = 0; d < width_; ++d, ++i)
          sum += static_cast<double>(gradient_[i]) * static_cast<double>(row_[i] - base_[i]);
        parts[f] += weight * sum;
      }
    }
  }

  const Scorer& scorer_;
  const ModelShape& shape_;
  const size_t width_;
  const float* fc_;
  std::vector<float> base_, row_, tokens_, gradient_;     // (F, D)
  std::vector<float> pooled_, pooled_gradient_, hidden_;  // (D), (D), (H)
  std::vector<float> folded_, fc_gradient_;               // of the weights, which nobody asks for
  kernels::EncoderScratch scratch_;
};

}  // namespace

Result<IntegratedGradients> integrated_gradients(const Scorer& scorer, const Rows& rows) {
  const ModelShape& shape = scorer.parameters().shape;
  const size_t c = size_t(shape.categorical()), n = size_t(shape.numeric), tokens = size_t(shape.tokens());
  std::vector<float> logits(rows.count * size_t(shape.classes));
  MAEIL_TRY(scorer.score(rows, logits));  // checks the rows
  IntegratedGradients out;
  out.parts.resize(rows.count * tokens);
  std::vector<std::unique_ptr<Line>> lines(static_cast<size_t>(thread_count()));
  std::vector<double> gaps(lines.size());
  out.base = Line(scorer).base_log_odds();
  parallel_for_workers(rows.count, 1, [&](size_t first, size_t last, int id) {
    auto& line = lines[static_cast<size_t>(id)];
    if (!line) line = std::make_unique<Line>(scorer);
    for (size_t row = first; row < last; ++row) {
      const double log_odds = static_cast<double>(logits[2 * row + 1]) - static_cast<double>(logits[2 * row]);
      const double gap = line->follow(rows.codes.data() + row * c, rows.numbers.data() + row * n, log_odds,
                                      out.base, out.parts.data() + row * tokens);
      gaps[static_cast<size_t>(id)] = std::max(gaps[static_cast<size_t>(id)], gap);
    }
  });
  out.largest_gap = *std::ranges::max_element(gaps);
  return out;
}

}  // namespace maeil::nn
