// How near the encoder comes to the processor: GFLOP/s of a row's forward and backward pass, and their share
// of the fastest that fused multiply-adds run here, measured by the same program on one thread.
//
// Multiply-adds of a row, counted as two operations each, per layer (F tokens, D width, M feed-forward): 4 F
// D^2 for the four projections, 2 F^2 D for scores and weighted sums, 2 F D M for the feed-forward part.
// Backward does each product twice, and the scores once more; exponentials, norms and dropout count nothing.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/philox.h"
#include "kernels/encoder.h"
#include "kernels/fma_peak.h"
#include "kernels/instruction_set.h"

namespace maeil::kernels {
namespace {

constexpr EncoderShape kShape{142, 32, 4, 64, 6};

double forward_flops(const EncoderShape& s) {
  const double F = s.tokens, D = s.width, M = s.feed_forward;
  return 2 * s.layers * (4 * F * D * D + 2 * F * F * D + 2 * F * D * M);
}
double backward_flops(const EncoderShape& s) {
  const double F = s.tokens, D = s.width;
  return 2 * forward_flops(s) + 2 * s.layers * F * F * D;
}

std::vector<float> draw(size_t n, float size) {
  RandomSequence random(1, RandomStream::kInit, n);
  std::vector<float> x(n);
  for (float& value : x) value = static_cast<float>(random.next_uniform() - 0.5) * size;
  return x;
}

double peak() {
  static const double gflops = [] {
    double best = 0;
    for (int i = 0; i < 20; ++i) best = std::max(best, fma_peak_gflops());
    return best;
  }();
  return gflops;
}

void report(benchmark::State& state, double flops) {
  using benchmark::Counter;
  state.SetLabel(instruction_set());
  state.counters["GFLOP/s"] =
      Counter(flops * static_cast<double>(state.iterations()) / 1e9, Counter::kIsRate);
  state.counters["percent_of_peak"] =
      Counter(flops * static_cast<double>(state.iterations()) / 1e7 / peak(), Counter::kIsRate);
}

struct Row {
  EncoderWeights weights{kShape};
  std::vector<float> tokens = draw(size_t(kShape.tokens) * kShape.width, 2),
                     pooled = std::vector<float>(kShape.width);
  std::vector<float> pooled_gradient = draw(kShape.width, 2), token_gradient = tokens, gradient;
  EncoderScratch scratch;
  Row() {
    weights.pack(draw(layer_offsets(kShape).size * kShape.layers, 0.3f).data());
    gradient.resize(folded_gradient_size(weights));
  }
};

void Peak(benchmark::State& state) {
  double gflops = 0;
  for (auto _ : state) gflops = std::max(gflops, fma_peak_gflops());
  state.counters["GFLOP/s"] = gflops;
}

void Forward(benchmark::State& state) {
  Row row;
  for (auto _ : state) encoder_forward(row.weights, row.tokens.data(), row.pooled.data(), row.scratch);
  report(state, forward_flops(kShape));
}

void ForwardAndBackward(benchmark::State& state) {
  Row row;
  const RowDropout dropout{dropout_rate(static_cast<float>(state.range(0)) / 100), 1, 2, 3};
  for (auto _ : state) {
    encoder_forward_training(row.weights, row.tokens.data(), dropout, row.pooled.data(), row.scratch);
    encoder_backward(row.weights, row.pooled_gradient.data(), dropout, row.token_gradient.data(),
                     row.gradient.data(), row.scratch);
  }
  report(state, forward_flops(kShape) + backward_flops(kShape));
}

BENCHMARK(Peak)->Iterations(20)->Unit(benchmark::kMillisecond);
BENCHMARK(Forward)->Unit(benchmark::kMicrosecond);
BENCHMARK(ForwardAndBackward)->ArgName("dropout_percent")->Arg(0)->Arg(30)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace maeil::kernels
