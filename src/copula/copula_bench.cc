// How fast rows are drawn: the seed's model (MAEIL_BENCH_MODEL: a .pkl or .json), and making the sampler
// ready.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "copula/sample.h"

namespace {

using namespace maeil;

const copula::CopulaModel* model() {
  static const auto read = [] {
    const char* path = std::getenv("MAEIL_BENCH_MODEL");
    return copula::read_model(path ? path : "../shared/seed/distribution_model.pkl");
  }();
  return read ? &*read : nullptr;
}

void Prepare(benchmark::State& state) {
  if (!model()) return state.SkipWithError("set MAEIL_BENCH_MODEL to a distribution model");
  for (auto _ : state) benchmark::DoNotOptimize(copula::Sampler(*model()));
}
BENCHMARK(Prepare)->Unit(benchmark::kMillisecond)->UseRealTime();

void Sample(benchmark::State& state) {
  if (!model()) return state.SkipWithError("set MAEIL_BENCH_MODEL to a distribution model");
  const copula::Sampler sampler(*model());
  const auto rows = static_cast<uint64_t>(state.range(0));
  double sum = 0;
  for (auto _ : state) {
    const auto drawn = sampler.sample(0, rows, 1, [&](const Table& chunk) -> Status {
      sum += static_cast<double>(chunk.rows);
      return {};
    });
    if (!drawn) return state.SkipWithError(drawn.error().message.c_str());
  }
  if (sum != static_cast<double>(rows) * static_cast<double>(state.iterations()))
    return state.SkipWithError("wrong number of rows");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Sample)->Arg(10'000)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
