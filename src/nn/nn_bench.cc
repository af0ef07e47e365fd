// Rows per second of scoring and training with the standard shape (83 + 59 tokens, width 32), as DESIGN's
// bars are stated, and with the same width in heads of other sizes (head_size 8 is the standard). Before it
// times, each benchmark compares what it computes with the reference: a wrong kernel has no speed.
#include <benchmark/benchmark.h>

#include "base/threads.h"
#include "kernels/encoder_ref.h"
#include "nn/head.h"
#include "nn/score.h"
#include "nn/test_model.h"
#include "nn/train.h"

namespace maeil::nn {
namespace {

ModelShape standard_shape(int64_t head_size) {
  ModelShape shape;
  shape.heads = shape.width / static_cast<int>(head_size);
  shape.cardinalities.assign(83, 2);
  for (int i = 0; i < 9; ++i) shape.cardinalities[i] = 20 << i % 6;
  shape.numeric = 59;
  return shape;
}

bool agrees_with_reference(const Scorer& scorer, const testing::TestRows& rows) {
  const Parameters& p = scorer.parameters();
  std::vector<float> logits(rows.count * 2), pooled(rows.count * p.shape.width),
      tokens(size_t(p.shape.tokens()) * p.shape.width);
  if (!scorer.score(rows.view().rows, logits, pooled)) return false;
  std::vector<float> expected(p.shape.width);
  kernels::EncoderTape<float> tape;
  embed_row(p, mean_embeddings(p), rows.codes.data(), rows.numbers.data(), tokens.data());
  kernels::encoder_forward_ref(p.shape.encoder(), p.values.data() + p.layers(), tokens.data(), {},
                               expected.data(), tape);
  pooled.resize(p.shape.width);
  return testing::largest_difference(pooled, expected) < 1e-4;
}

void Score(benchmark::State& state) {
  set_thread_count(static_cast<int>(state.range(1)));
  const size_t batch = static_cast<size_t>(state.range(0));
  const Parameters parameters = initial_parameters(standard_shape(state.range(2)), 1).value();
  const Scorer scorer = Scorer::make(parameters).value();
  const testing::TestRows rows = testing::random_rows(parameters.shape, batch, 2);
  if (!agrees_with_reference(scorer, rows)) return state.SkipWithError("differs from the reference");
  std::vector<float> logits(batch * 2);
  for (auto _ : state) benchmark::DoNotOptimize(scorer.score(rows.view().rows, logits));
  state.counters["rows/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * batch), benchmark::Counter::kIsRate);
  set_thread_count(0);
}

void Train(benchmark::State& state) {
  set_thread_count(static_cast<int>(state.range(1)));
  const size_t batch = static_cast<size_t>(state.range(0));
  Trainer trainer = Trainer::make(initial_parameters(standard_shape(state.range(2)), 1).value(), {}).value();
  const testing::TestRows rows = testing::random_rows(trainer.parameters().shape, batch, 2);
  for (auto _ : state) {
    if (!trainer.step(rows.view())) return state.SkipWithError("a step failed");
  }
  state.counters["rows/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * batch), benchmark::Counter::kIsRate);
  set_thread_count(0);
}

void sizes(benchmark::internal::Benchmark* bench, int64_t large_batch) {
  bench->ArgNames({"batch", "threads", "head_size"})
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  bench->Args({16, 1, 8})->Args({16, 2, 8})->Args({large_batch, 2, 8});
  for (int64_t head_size : {2, 4, 16, 32}) bench->Args({16, 1, head_size});
}

BENCHMARK(Score)->Apply([](benchmark::internal::Benchmark* bench) { sizes(bench, 256); });
BENCHMARK(Train)->Apply([](benchmark::internal::Benchmark* bench) { sizes(bench, 32); });

}  // namespace
}  // namespace maeil::nn
