// How fast rows are drawn: the seed's model (MAEIL_BENCH_MODEL: a .pkl or .json), and making the sampler
// ready.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "base/threads.h"
#include "copula/sampler.h"

namespace {

using namespace maeil;

const copula::Mixture* mixture() {
  static const auto read = [] {
    const char* path = std::getenv("MAEIL_BENCH_MODEL");
    return copula::read_mixture(path ? path : "../shared/seed/distribution_model.pkl");
  }();
  return read ? &*read : nullptr;
}

void Prepare(benchmark::State& state) {
  if (!mixture()) return state.SkipWithError("set MAEIL_BENCH_MODEL to a distribution model");
  for (auto _ : state) benchmark::DoNotOptimize(copula::MixtureSampler::make(*mixture()));
}
BENCHMARK(Prepare)->Unit(benchmark::kMillisecond)->UseRealTime();

void Sample(benchmark::State& state) {
  if (!mixture()) return state.SkipWithError("set MAEIL_BENCH_MODEL to a distribution model");
  const auto sampler = copula::MixtureSampler::make(*mixture()).value();
  const auto rows = static_cast<uint64_t>(state.range(0));
  double sum = 0;
  for (auto _ : state) {
    const auto drawn = run_pieces<Table>(
        0, rows, 1024,
        [&](uint64_t first, uint64_t count, Table& piece) -> Status {
          sampler.draw(first, count, 1, piece);
          return {};
        },
        [&](Table& piece) -> Status {
          sum += static_cast<double>(piece.rows);
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
