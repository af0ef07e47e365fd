#include "copula/missing.h"

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <map>
#include <numeric>

#include "base/threads.h"

namespace maeil::copula {
namespace {

using Bits = std::vector<uint64_t>;  // a flag of each row

constexpr double kExpectedRows = 20, kFewOfExpected = 0.01, kLeastPhi = 0.4;

Bits missing_bits(const Column& column, size_t rows) {
  Bits out((rows + 63) / 64, 0);
  for (size_t i = 0; i < rows; ++i) out[i / 64] |= uint64_t{column.is_missing(i)} << (i % 64);
  return out;
}

size_t count(const Bits& bits) {
  size_t sum = 0;
  for (const uint64_t word : bits) sum += static_cast<size_t>(std::popcount(word));
  return sum;
}

size_t count_both(const Bits& a, const Bits& b) {
  size_t sum = 0;
  for (size_t w = 0; w < a.size(); ++w) sum += static_cast<size_t>(std::popcount(a[w] & b[w]));
  return sum;
}

// How many rows the emptiest cell of the two flags' table would have if they were independent; 0 when no cell
// is (nearly) empty, or the flags have little to do with each other.
double expected_in_empty_cell(size_t a, size_t b, size_t both, size_t rows) {
  const double n = static_cast<double>(rows), p = static_cast<double>(a) / n, q = static_cast<double>(b) / n,
               together = static_cast<double>(both);
  const double seen[] = {together, static_cast<double>(a) - together, static_cast<double>(b) - together,
                         n - static_cast<double>(a) - static_cast<double>(b) + together};
  const double expected[] = {n * p * q, n * p * (1 - q), n * q * (1 - p), n * (1 - p) * (1 - q)};
  double out = 0;
  for (size_t cell = 0; cell < 4; ++cell) {
    if (expected[cell] >= kExpectedRows && seen[cell] <= kFewOfExpected * expected[cell])
      out = std::max(out, expected[cell]);
  }
  const double phi = (together / n - p * q) / std::sqrt(p * (1 - p) * q * (1 - q));
  return std::abs(phi) < kLeastPhi ? 0 : out;
}

// The patterns of two latents as one: labels put one after the other. Without rows when there are more than
// kMaxPatterns.
Column joined(const Column& a, const Column& b) {
  Column out{.name = a.name, .type = ColumnType::kText, .codes = {}, .dictionary = {}, .numbers = {}};
  boost::unordered_flat_map<uint64_t, uint32_t> known;
  out.codes.reserve(a.codes.size());
  for (size_t i = 0; i < a.codes.size(); ++i) {
    const auto [found, fresh] =
        known.emplace(uint64_t{a.codes[i]} << 32 | b.codes[i], static_cast<uint32_t>(known.size()));
    if (fresh) {
      if (known.size() > kMaxPatterns) return {};
      out.dictionary.push_back(a.dictionary[a.codes[i]] + b.dictionary[b.codes[i]]);
    }
    out.codes.push_back(found->second);
  }
  return out;
}

struct Link {
  double strength;
  size_t a, b;
};

}  // namespace

std::vector<MissingPatterns> find_missing_patterns(const Table& all, size_t target) {
  std::vector<Bits> by_column(all.columns.size());
  parallel_for(all.columns.size(), 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      if (c == target) continue;
      by_column[c] = missing_bits(all.columns[c], all.rows);
      if (count(by_column[c]) == 0) by_column[c].clear();
    }
  });
  std::vector<MissingPatterns> out;
  std::vector<Bits> bits;
  std::map<Bits, size_t> known;
  for (size_t c = 0; c < all.columns.size(); ++c) {
    if (by_column[c].empty()) continue;
    const auto [found, fresh] = known.emplace(std::move(by_column[c]), out.size());
    if (!fresh) {
      out[found->second].sets.front().push_back(c);
      continue;
    }
    Column patterns{.name = all.columns[c].name,
                    .type = ColumnType::kText,
                    .codes = {},
                    .dictionary = {"0", "1"},
                    .numbers = {}};
    patterns.codes.reserve(all.rows);
    for (size_t i = 0; i < all.rows; ++i) patterns.codes.push_back(found->first[i / 64] >> (i % 64) & 1);
    out.push_back({{{c}}, std::move(patterns)});
    bits.push_back(found->first);
  }
  // Links between sets, the strongest first.
  std::vector<size_t> missing(bits.size());
  for (size_t s = 0; s < bits.size(); ++s) missing[s] = count(bits[s]);
  std::vector<std::vector<Link>> of_set(bits.size());
  parallel_for(bits.size(), 1, [&](size_t first, size_t last) {
    for (size_t b = first; b < last; ++b) {
      for (size_t a = 0; a < b; ++a) {
        const double strength =
            expected_in_empty_cell(missing[a], missing[b], count_both(bits[a], bits[b]), all.rows);
        if (strength > 0) of_set[b].push_back({strength, a, b});
      }
    }
  });
  std::vector<Link> links;
  for (const auto& some : of_set) links.insert(links.end(), some.begin(), some.end());
  std::stable_sort(links.begin(), links.end(),
                   [](const Link& x, const Link& y) { return x.strength > y.strength; });
  std::vector<size_t> home(out.size());  // where each set's patterns are now
  std::iota(home.begin(), home.end(), size_t{0});
  for (const Link& link : links) {
    const size_t to = std::min(home[link.a], home[link.b]), from = std::max(home[link.a], home[link.b]);
    if (to == from) continue;
    Column both = joined(out[to].patterns, out[from].patterns);
    if (both.codes.empty()) continue;
    out[to].patterns = std::move(both);
    std::move(out[from].sets.begin(), out[from].sets.end(), std::back_inserter(out[to].sets));
    out[from] = {};
    std::replace(home.begin(), home.end(), from, to);
  }
  std::erase_if(out, [](const MissingPatterns& latent) { return latent.sets.empty(); });
  return out;
}

}  // namespace maeil::copula
