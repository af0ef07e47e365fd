#include "copula/column_fit.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace maeil::copula {
namespace {

// Knots between atoms: a value is then off by 1/512 of the ranks at most, below what two samples of 100,000
// rows differ by.
constexpr size_t kKnots = 512;

double score_of(double u) { return normal_quantile(std::clamp(u, 1e-9, 1 - 1e-9)); }

double mean_of(const double* values, size_t n) {
  double sum = 0;
  // Around the first, so that equal values have exactly their mean and large ones do not overflow.
  for (size_t i = 0; i < n; ++i) sum += (values[i] - values[0]) / static_cast<double>(n);
  return values[0] + sum;
}

// Half a group further than the outermost group's mean, where an even distribution ends; not across what
// looks like a bound.
double beyond(double outer, double inner, double outermost) {
  double out = outer + (outer - inner) / 2;
  for (const double bound : {-100.0, -1.0, 0.0, 1.0, 100.0}) {
    if (outer >= inner && outermost <= bound) out = std::min(out, bound);
    if (outer <= inner && outermost >= bound) out = std::max(out, bound);
  }
  return out;
}

// An end of a column from its outermost values, the outermost first: 2 * kFewRows of them, or all.
double end_of(const std::vector<double>& outermost) {
  const size_t outer = std::min<size_t>(kFewRows, outermost.size()), inner = outermost.size() - outer;
  if (outer == kFewRows && outermost[0] == outermost[outer - 1]) return outermost[0];
  const double mean = mean_of(outermost.data(), outer);
  return inner == 0 ? mean : beyond(mean, mean_of(outermost.data() + outer, inner), outermost[0]);
}

// The knots of a polygon over ascending values: atoms as they come, and means of groups between them.
class PolygonBuilder {
 public:
  explicit PolygonBuilder(const std::vector<double>& sorted)
      : sorted_(sorted), n_(static_cast<double>(sorted.size())) {}

  void add_atom(size_t begin, size_t end) {
    add_groups(done_, begin);
    add(static_cast<double>(begin), sorted_[begin]);
    add(static_cast<double>(end), sorted_[begin]);
    done_ = end;
  }
  Empirical finish() {
    add_groups(done_, sorted_.size());
    // Fewer than kFewRows values in all, none of them shared.
    if (out_.z.empty()) add(0.5 * n_, mean_of(sorted_.data(), sorted_.size()));
    return std::move(out_);
  }

 private:
  void add(double rank, double x) {
    out_.z.push_back(score_of(rank / n_));
    out_.x.push_back(out_.x.empty() ? x : std::max(x, out_.x.back()));
  }

  // Rows [from, to) without atoms. The four outermost groups of the file have kFewRows rows, others as many
  // as make kKnots groups.
  void add_groups(size_t from, size_t to) {
    constexpr size_t kOuterRows = 4 * kFewRows;
    const size_t step = std::max<size_t>(kFewRows, sorted_.size() / kKnots);
    if (to - from < kFewRows) return;
    std::vector<std::pair<size_t, double>> groups;  // first row, mean
    for (size_t begin = from; begin < to;) {
      const bool outer = begin < kOuterRows || begin + kOuterRows >= sorted_.size();
      size_t end = std::min(begin + (outer ? kFewRows : step), to);
      if (!outer && end + kOuterRows > sorted_.size())
        end = std::max(begin + kFewRows, std::min(end, sorted_.size() - kOuterRows));
      if (to - end < kFewRows) end = to;  // no group has fewer
      groups.emplace_back(begin, mean_of(&sorted_[begin], end - begin));
      begin = end;
    }
    const size_t last = groups.size() - 1;
    if (from == 0)
      add(0.5, last > 0 ? beyond(groups[0].second, groups[1].second, sorted_.front()) : groups[0].second);
    for (size_t g = 0; g <= last; ++g) {
      const size_t end = g == last ? to : groups[g + 1].first;
      add(0.5 * static_cast<double>(groups[g].first + end), groups[g].second);
    }
    if (to == sorted_.size())
      add(n_ - 0.5, last > 0 ? beyond(groups[last].second, groups[last - 1].second, sorted_.back())
                             : groups[last].second);
  }

  const std::vector<double>& sorted_;
  double n_;
  size_t done_ = 0;  // rows that have knots
  Empirical out_;
};

}  // namespace

std::optional<int> learn_digits(const std::vector<double>& values) {
  for (int digits = 0; digits <= 14; ++digits) {
    const double power = std::pow(10.0, digits);
    const bool exact = std::all_of(values.begin(), values.end(), [&](double x) {
      return x != x || std::nearbyint(x * power) / power == x;
    });
    if (exact) return digits;
  }
  return std::nullopt;
}

NumberFit fit_number(std::vector<double> sorted, MarginalChoice choice, const std::vector<double>& shared) {
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
  PolygonBuilder polygon_of(sorted);
  size_t begin = 0;
  for (const size_t end : ends) {
    const double x = sorted[begin], from = score_of(static_cast<double>(begin) / n),
                 to = score_of(static_cast<double>(end) / n);
    const bool many = end - begin >= kFewRows || std::binary_search(shared.begin(), shared.end(), x);
    out.values.push_back(x);
    if (end - begin >= frequent && many) {
      const Atom atom{begin == 0 ? -kInfinity : from, end == sorted.size() ? kInfinity : to};
      out.atoms.push_back(atom);
      out.scores.push_back(interval_mean(atom.from, atom.to));
      polygon_of.add_atom(begin, end);
    } else {
      out.scores.push_back(score_of((static_cast<double>(begin + end)) / (2 * n)));
    }
    begin = end;
  }
  polygon = polygon_of.finish();
  // Ranks and ties stay the data's own, whatever family the values are drawn from. It is fitted to what the
  // polygon says of them, so that no parameter is a row's value.
  std::optional<Marginal> family;
  if (choice != MarginalChoice::kEmpirical) {
    const Marginal smoothed = polygon;
    std::vector<double> drawn;
    drawn.reserve(sorted.size());
    for (size_t i = 0; i < sorted.size(); ++i)
      drawn.push_back(quantile_at(smoothed, score_of((static_cast<double>(i) + 0.5) / n)));
    family = choose_marginal(drawn, choice);
  }
  if (family)
    out.marginal = std::move(*family);
  else
    out.marginal = std::move(polygon);
  return out;
}

SmoothedEnds smoothed_ends(const std::vector<double>& values) {
  std::vector<double> present;
  present.reserve(values.size());
  std::copy_if(values.begin(), values.end(), std::back_inserter(present), [](double x) { return x == x; });
  const size_t most = std::min<size_t>(2 * kFewRows, present.size());
  const auto middle = present.begin() + static_cast<ptrdiff_t>(most);
  std::partial_sort(present.begin(), middle, present.end());
  const double low = end_of({present.begin(), middle});
  std::partial_sort(present.begin(), middle, present.end(), std::greater<>());
  return {low, end_of({present.begin(), middle})};
}

std::vector<double> shared_values(const std::vector<double>& values) {
  boost::unordered_flat_map<double, size_t> rows;
  for (const double x : values) {
    if (x != x) continue;
    ++rows[x];
    if (rows.size() > kMostSharedValues) return {};
  }
  std::vector<double> out;
  for (const auto& [x, count] : rows) {
    if (count >= kFewRows) out.push_back(x);
  }
  std::sort(out.begin(), out.end());
  return out;
}

double score_of_value(const NumberFit& fit, double x) {
  return fit.scores[static_cast<size_t>(std::lower_bound(fit.values.begin(), fit.values.end(), x) -
                                        fit.values.begin())];
}

CategoryFit fit_category(const std::vector<std::string>& labels, const std::vector<size_t>& counts,
                         const std::vector<uint32_t>& order) {
  CategoryFit fit;
  CategoryOutput& out = fit.output;
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), size_t{0}));
  size_t before = 0;
  fit.scores.assign(counts.size(), 0);
  for (const uint32_t k : order) {
    if (counts[k] == 0) continue;
    const double from = static_cast<double>(before) / total,
                 to = static_cast<double>(before += counts[k]) / total;
    fit.atoms.push_back({before == counts[k] ? -kInfinity : normal_quantile(from),
                         static_cast<double>(before) == total ? kInfinity : normal_quantile(to)});
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
