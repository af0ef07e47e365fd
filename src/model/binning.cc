#include "model/binning.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace maeil::model {
namespace {

struct Shares {
  double goods, bads;  // of all goods and bads, the bin's
};

Shares shares(const ClassCounts& bin, const ClassCounts& all) {
  const auto events = static_cast<double>(bin.events), others = static_cast<double>(bin.rows - bin.events);
  const double more = bin.events == 0 || bin.events == bin.rows ? 0.5 : 0;
  return {(others + more) / static_cast<double>(all.rows - all.events),
          (events + more) / static_cast<double>(all.events)};
}

// Below 0, 0 or above: how the event rates of two bins that have rows compare, without rounding.
int compare_rates(const ClassCounts& a, const ClassCounts& b) {
  const auto left = static_cast<unsigned __int128>(a.events) * b.rows;
  const auto right = static_cast<unsigned __int128>(b.events) * a.rows;
  return left < right ? -1 : left > right;
}

struct Merge {
  double value = -1;  // its information value; below 0: none keeps the rules
  std::vector<size_t> firsts;
};

// best_merge in one direction.
Merge best_in(std::span<const ClassCounts> prebins, const ClassCounts& all, int direction,
              uint64_t least_rows, size_t most) {
  const size_t P = prebins.size();
  // What the prebins i to j make together, and its information value; below 0 where it is no bin.
  std::vector<ClassCounts> counts(P * P);
  std::vector<double> value(P * P, -1);
  for (size_t i = 0; i < P; ++i) {
    ClassCounts sum;
    for (size_t j = i; j < P; ++j) {
      sum += prebins[j];
      counts[i * P + j] = sum;
      if (sum.rows >= least_rows && sum.events > 0 && sum.events < sum.rows)
        value[i * P + j] = information_value(sum, all);
    }
  }
  // best[i * P + j]: the greatest value of what is merged up to j, if the last bin is i to j, in k bins;
  // from[k][i * P + j]: where the bin before that one begins.
  std::vector<double> best(P * P, -1);
  for (size_t j = 0; j < P; ++j) best[j] = value[j];
  std::vector<std::vector<size_t>> from;
  Merge out;
  for (size_t k = 1; k <= most; ++k) {
    if (k > 1) {
      std::vector<double> next(P * P, -1);
      from.emplace_back(P * P);
      for (size_t i = 1; i < P; ++i) {
        for (size_t j = i; j < P; ++j) {
          const size_t bin = i * P + j;
          if (value[bin] < 0) continue;
          for (size_t h = 0; h < i; ++h) {
            const size_t before = h * P + i - 1;
            if (best[before] < 0 || compare_rates(counts[before], counts[bin]) != -direction) continue;
            if (best[before] + value[bin] > next[bin])
              next[bin] = best[before] + value[bin], from.back()[bin] = h;
          }
        }
      }
      best = std::move(next);
    }
    for (size_t i = 0; i < P; ++i) {
      if (best[i * P + P - 1] <= out.value) continue;
      out.value = best[i * P + P - 1];
      out.firsts.clear();
      for (size_t bins = k, first = i, end = P - 1; bins > 1; --bins) {
        out.firsts.push_back(first);
        const size_t before = from[bins - 2][first * P + end];
        end = first - 1, first = before;
      }
      std::ranges::reverse(out.firsts);
    }
  }
  return out;
}

uint64_t least_rows_of(const ClassCounts& valued, const BinningRules& rules) {
  return static_cast<uint64_t>(std::ceil(rules.least_share * static_cast<double>(valued.rows)));
}

ClassCounts sum_of(std::span<const ClassCounts> counts) {
  ClassCounts out;
  for (const auto& one : counts) out += one;
  return out;
}

// The bins of merged prebins, and behind them that of rows without a value.
std::vector<Bin> merged(std::span<const ClassCounts> prebins, const std::vector<size_t>& firsts,
                        const ClassCounts& without, const ClassCounts& all) {
  std::vector<Bin> out;
  for (size_t k = 0; k <= firsts.size(); ++k) {
    const size_t first = k == 0 ? 0 : firsts[k - 1];
    const size_t end = k == firsts.size() ? prebins.size() : firsts[k];
    const ClassCounts counts = sum_of(prebins.subspan(first, end - first));
    out.push_back({counts, counts.rows > 0 ? weight_of_evidence(counts, all) : 0});
  }
  out.push_back({without});
  return out;
}

}  // namespace

double weight_of_evidence(const ClassCounts& bin, const ClassCounts& all) {
  const Shares of = shares(bin, all);
  return std::log(of.goods / of.bads);
}

double information_value(const ClassCounts& bin, const ClassCounts& all) {
  const Shares of = shares(bin, all);
  return (of.goods - of.bads) * std::log(of.goods / of.bads);
}

ClassCounts counts_of(const Binning& binning) {
  ClassCounts out;
  for (const auto& bin : binning.bins) out += bin.counts;
  return out;
}

double information_value(const Binning& binning) {
  const ClassCounts all = counts_of(binning);
  double out = 0;
  for (const auto& bin : binning.bins) {
    const bool counts = bin.counts.rows > 0 && (binning.of_code.empty() || &bin != &binning.bins.back());
    if (counts) out += information_value(bin.counts, all);
  }
  return out;
}

double mean_weight_of_evidence(const Binning& binning) {
  double sum = 0, rows = 0;
  for (const auto& bin : binning.bins) {
    sum += static_cast<double>(bin.counts.rows) * bin.weight_of_evidence;
    rows += static_cast<double>(bin.counts.rows);
  }
  return sum / rows;
}

std::vector<size_t> best_merge(std::span<const ClassCounts> prebins, const ClassCounts& all, int direction,
                               uint64_t least_rows, size_t most) {
  Merge best;
  for (const int way : {1, -1}) {
    if (direction == -way) continue;
    Merge one = best_in(prebins, all, way, least_rows, most);
    if (one.value > best.value) best = std::move(one);
  }
  return best.firsts;
}

Binning bin_numbers(std::span<const float> numbers, std::span<const int32_t> labels, int monotone,
                    const BinningRules& rules) {
  std::vector<float> sorted;
  std::ranges::copy_if(numbers, std::back_inserter(sorted), [](float x) { return !std::isnan(x); });
  std::ranges::sort(sorted);
  std::vector<float> bounds;
  for (size_t k = 1; k < rules.prebins && !sorted.empty(); ++k) {
    const float bound = sorted[k * sorted.size() / rules.prebins];
    if (bound > (bounds.empty() ? sorted.front() : bounds.back())) bounds.push_back(bound);
  }
  std::vector<ClassCounts> prebins(bounds.size() + 1);
  ClassCounts missing;
  for (size_t row = 0; row < numbers.size(); ++row) {
    ClassCounts& to =
        std::isnan(numbers[row])
            ? missing
            : prebins[static_cast<size_t>(std::ranges::upper_bound(bounds, numbers[row]) - bounds.begin())];
    to += {1, static_cast<uint64_t>(labels[row] == 1)};
  }
  const ClassCounts valued = sum_of(prebins);
  ClassCounts all = valued;
  all += missing;
  const auto firsts = best_merge(prebins, all, monotone, least_rows_of(valued, rules), rules.bins);
  Binning out;
  for (const size_t first : firsts) out.bounds.push_back(bounds[first - 1]);
  out.bins = merged(prebins, firsts, missing, all);
  if (missing.rows > 0) out.bins.back().weight_of_evidence = weight_of_evidence(missing, all);
  return out;
}

Binning bin_categories(std::span<const int32_t> codes, std::span<const int32_t> labels, size_t cardinality,
                       const BinningRules& rules) {
  std::vector<ClassCounts> of_code(cardinality);
  ClassCounts unseen;
  for (size_t row = 0; row < codes.size(); ++row) {
    ClassCounts& to = codes[row] < 0 ? unseen : of_code[static_cast<size_t>(codes[row])];
    to += {1, static_cast<uint64_t>(labels[row] == 1)};
  }
  const ClassCounts valued = sum_of(of_code);
  struct Group {
    std::vector<size_t> codes;
    ClassCounts counts;
  };
  std::vector<Group> groups;
  std::optional<size_t> rare;
  for (size_t code = 0; code < cardinality; ++code) {
    if (of_code[code].rows == 0) continue;
    const bool is_rare =
        static_cast<double>(of_code[code].rows) < rules.rare * static_cast<double>(valued.rows);
    if (!is_rare || !rare) {
      if (is_rare) rare = groups.size();
      groups.emplace_back();
    }
    Group& group = is_rare ? groups[*rare] : groups.back();
    group.codes.push_back(code);
    group.counts += of_code[code];
  }
  std::ranges::stable_sort(
      groups, [](const Group& a, const Group& b) { return compare_rates(a.counts, b.counts) < 0; });
  std::vector<ClassCounts> prebins;
  for (const auto& group : groups) prebins.push_back(group.counts);
  if (prebins.empty()) prebins.emplace_back();
  ClassCounts all = valued;
  all += unseen;
  const auto firsts = best_merge(prebins, all, 1, least_rows_of(valued, rules), rules.bins);
  Binning out;
  out.bins = merged(prebins, firsts, unseen, all);
  out.of_code.assign(cardinality, static_cast<uint8_t>(out.last()));
  for (size_t g = 0, bin = 0; g < groups.size(); ++g) {
    if (bin < firsts.size() && firsts[bin] == g) ++bin;
    for (const size_t code : groups[g].codes) out.of_code[code] = static_cast<uint8_t>(bin);
  }
  return out;
}

}  // namespace maeil::model
