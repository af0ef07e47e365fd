#include "metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/philox.h"
#include "base/threads.h"

namespace maeil::metrics {
namespace {

// A binomial by inversion: the smallest k whose cumulated probability is not below a uniform. Exact;
// REQUIRES: n p is small, so that (1 - p)^n is no 0.
int64_t small_binomial(int64_t n, double p, RandomSequence& random) {
  const double u = random.next_uniform();
  double mass = std::exp(static_cast<double>(n) * std::log1p(-p)), cumulated = mass;
  int64_t k = 0;
  while (cumulated < u && k < n && mass > 0) {
    mass *= static_cast<double>(n - k) / static_cast<double>(k + 1) * p / (1 - p);
    cumulated += mass;
    ++k;
  }
  return k;
}

int64_t normal_binomial(int64_t n, double p, RandomSequence& random) {
  const double mean = static_cast<double>(n) * p;
  const double z = std::sqrt(-2 * std::log(random.next_uniform())) *
                   std::cos(6.283185307179586 * random.next_uniform());  // Box and Muller
  return static_cast<int64_t>(
      std::clamp(std::round(mean + z * std::sqrt(mean * (1 - p))), 0.0, static_cast<double>(n)));
}

int64_t draw_binomial(int64_t n, double p, RandomSequence& random) {
  constexpr double kSmall = 30;
  if (n == 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (static_cast<double>(n) * p < kSmall) return small_binomial(n, p, random);
  if (static_cast<double>(n) * (1 - p) < kSmall) return n - small_binomial(n, 1 - p, random);
  return normal_binomial(n, p, random);
}

// As many rows as there are, with replacement: how often each cell is drawn.
template <size_t K>
std::array<int64_t, K> draw(const std::array<int64_t, K>& counts, RandomSequence& random) {
  const int64_t n = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  std::array<int64_t, K> out = {};
  if (n <= 100'000) {  // 1000 draws of 1500 rows take 10 ms
    std::array<int64_t, K> edges;
    std::partial_sum(counts.begin(), counts.end(), edges.begin());
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = random.next_below(static_cast<uint32_t>(n));
      size_t cell = 0;
      while (at >= edges[cell]) ++cell;
      ++out[cell];
    }
    return out;
  }
  int64_t left = n, mass = n;
  for (size_t cell = 0; cell + 1 < K; ++cell) {
    if (mass > 0)
      out[cell] = draw_binomial(left, static_cast<double>(counts[cell]) / static_cast<double>(mass), random);
    left -= out[cell];
    mass -= counts[cell];
  }
  out[K - 1] = left;
  return out;
}

// The middle 95 % of what `statistic` says of `resamples` draws; absent where more than 5 % of these have
// none.
template <class Statistic>
std::optional<Interval> percentile_interval(uint64_t seed, int resamples, Statistic statistic) {
  std::vector<std::optional<double>> drawn(static_cast<size_t>(resamples));
  parallel_for(drawn.size(), 8, [&](size_t first, size_t last) {
    for (size_t r = first; r < last; ++r) {
      RandomSequence random(seed, RandomStream::kBootstrap, r);
      drawn[r] = statistic(random);
    }
  });
  std::vector<double> values;
  for (const auto& value : drawn) {
    if (value) values.push_back(*value);
  }
  if (static_cast<double>(values.size()) < 0.95 * resamples) return std::nullopt;
  std::ranges::sort(values);
  const auto at = [&](double q) {
    return values[std::min(values.size() - 1, static_cast<size_t>(q * static_cast<double>(values.size())))];
  };
  return Interval{at(0.025), at(0.975)};
}

}  // namespace

std::optional<Interval> bootstrap_f1_interval(const ConfusionMatrix& c, uint64_t seed, int resamples) {
  if (!f1_score(c)) return std::nullopt;
  const std::array<int64_t, 4> counts = {c.true_positive, c.false_positive, c.false_negative,
                                         c.true_negative};
  return percentile_interval(seed, resamples, [&](RandomSequence& random) {
    const auto drawn = draw(counts, random);
    return f1_score({drawn[3], drawn[1], drawn[2], drawn[0]});
  });
}

ConfusionMatrix PairedDecisions::first() const {
  return {counts[0] + counts[1], counts[2] + counts[3], counts[4] + counts[5], counts[6] + counts[7]};
}

ConfusionMatrix PairedDecisions::second() const {
  return {counts[0] + counts[2], counts[1] + counts[3], counts[4] + counts[6], counts[5] + counts[7]};
}

int64_t PairedDecisions::rows() const { return std::accumulate(counts.begin(), counts.end(), int64_t{0}); }

int64_t PairedDecisions::positives() const { return counts[4] + counts[5] + counts[6] + counts[7]; }

std::optional<double> f1_difference(const PairedDecisions& decisions) {
  const auto first = f1_score(decisions.first()), second = f1_score(decisions.second());
  return first && second ? std::optional(*first - *second) : std::nullopt;
}

std::optional<Interval> bootstrap_f1_difference(const PairedDecisions& decisions, uint64_t seed,
                                                int resamples) {
  if (!f1_difference(decisions)) return std::nullopt;
  return percentile_interval(seed, resamples, [&](RandomSequence& random) {
    return f1_difference({draw(decisions.counts, random)});
  });
}

std::optional<Interval> bootstrap_f1_difference(std::span<const PairedDecisions> units, uint64_t seed,
                                                int resamples) {
  PairedDecisions all;
  const auto add = [](PairedDecisions& to, const PairedDecisions& unit) {
    for (size_t cell = 0; cell < to.counts.size(); ++cell) to.counts[cell] += unit.counts[cell];
  };
  for (const auto& unit : units) add(all, unit);
  if (std::ranges::all_of(units, [](const PairedDecisions& unit) { return unit.rows() == 1; }))
    return bootstrap_f1_difference(all, seed, resamples);
  if (!f1_difference(all)) return std::nullopt;
  return percentile_interval(seed, resamples, [&](RandomSequence& random) {
    PairedDecisions drawn;
    for (size_t i = 0; i < units.size(); ++i)
      add(drawn, units[random.next_below(static_cast<uint32_t>(units.size()))]);
    return f1_difference(drawn);
  });
}

}  // namespace maeil::metrics
