#include "copula/column_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace maeil::copula {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Knots between atoms: a value is then off by 1/512 of the ranks at most, below what two samples of 100,000 rows differ by.
constexpr size_t kKnots = 512;

double score_of(double u) { return normal_quantile(std::clamp(u, 1e-9, 1 - 1e-9)); }

}  // namespace

std::optional<int> learn_digits(const std::vector<double>& values) {
  for (int digits = 0; digits <= 14; ++digits) {
    const double power = std::pow(10.0, digits);
    const bool exact = std::all_of(values.begin(), values.end(), [&](double x) { return x != x || std::nearbyint(x * power) / power == x; });
    if (exact) return digits;
  }
  return std::nullopt;
}

NumberFit fit_number(std::vector<double> sorted, MarginalChoice choice) {
  NumberFit out;
  Empirical polygon;
  if (sorted.empty()) {
    polygon.z = {0};
    polygon.x = {0};
    out.marginal = std::move(polygon);
    return out;
  }
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  std::vector<size_t> ends;  // after the last of each distinct value
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i + 1 == sorted.size() || sorted[i + 1] != sorted[i]) ends.push_back(i + 1);
  }
  // Few values, much repeated: all are atoms. Else those that are too frequent to be neighbours' chance.
  const bool discrete = ends.size() <= kKnots && ends.size() * 2 <= sorted.size();
  const size_t frequent = discrete ? 1 : std::max<size_t>(3, sorted.size() / kKnots);
  const size_t step = std::max<size_t>(1, sorted.size() / kKnots);
  size_t begin = 0, last_knot = 0;
  for (const size_t end : ends) {
    const double x = sorted[begin], from = score_of(static_cast<double>(begin) / n), to = score_of(static_cast<double>(end) / n);
    const double middle = score_of((static_cast<double>(begin + end)) / (2 * n));
    out.values.push_back(x);
    if (end - begin >= frequent) {
      const Atom atom{begin == 0 ? -kInfinity : from, end == sorted.size() ? kInfinity : to};
      out.atoms.push_back(atom);
      out.scores.push_back(interval_mean(atom.from, atom.to));
      polygon.z.insert(polygon.z.end(), {from, to});
      polygon.x.insert(polygon.x.end(), {x, x});
      last_knot = end;
    } else {
      out.scores.push_back(middle);
      // The eight outermost values at either end keep a knot of their own.
      if (begin < 8 || end + 8 > sorted.size() || begin >= last_knot + step) {
        polygon.z.push_back(middle);
        polygon.x.push_back(x);
        last_knot = begin;
      }
    }
    begin = end;
  }
  // Ranks and ties stay the data's own, whatever family the values are drawn from.
  if (auto family = choose_marginal(sorted, choice)) out.marginal = std::move(*family);
  else out.marginal = std::move(polygon);
  return out;
}

double score_of_value(const NumberFit& fit, double x) {
  return fit.scores[static_cast<size_t>(std::lower_bound(fit.values.begin(), fit.values.end(), x) - fit.values.begin())];
}

CategoryFit fit_category(const std::vector<std::string>& labels, const std::vector<size_t>& counts, const std::vector<uint32_t>& order) {
  CategoryFit fit;
  CategoryOutput& out = fit.output;
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), size_t{0}));
  size_t before = 0;
  fit.scores.assign(counts.size(), 0);
  for (const uint32_t k : order) {
    if (counts[k] == 0) continue;
    const double from = static_cast<double>(before) / total, to = static_cast<double>(before += counts[k]) / total;
    fit.atoms.push_back({before == counts[k] ? -kInfinity : normal_quantile(from), static_cast<double>(before) == total ? kInfinity : normal_quantile(to)});
    fit.scores[k] = interval_mean(fit.atoms.back().from, fit.atoms.back().to);
    out.labels.push_back(labels[k]);
    out.upper.push_back(static_cast<double>(before) == total ? 1 : to);
  }
  if (out.labels.empty()) {  // missing throughout: the flag says so, the value does not matter
    out.labels.push_back(labels.empty() ? "" : labels[0]);
    out.upper.push_back(1);
    fit.atoms.push_back({-kInfinity, kInfinity});
  }
  return fit;
}

}  // namespace maeil::copula
