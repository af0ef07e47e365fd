// Weight-of-evidence bins of one feature, learnt from rows of two classes: events (label 1, the bads) and the
// others (label 0, the goods).
//
//   WoE of a bin = ln((its share of all goods) / (its share of all bads)): above 0 where it is better than
//   the average; IV of a bin = (share of goods - share of bads) * WoE, of a feature their sum.
//   Siddiqi, "Credit Risk Scorecards", 2006, and "Intelligent Credit Scoring", 2017, chapter 10.
//
// Bins are merged from small ones so that the IV is the greatest that there is, by dynamic programming over
// all merges that keep the rules; the programme that Navas-Palencia, "Optimal binning: mathematical
// programming formulation", 2020, solves by a solver.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace maeil::model {

struct ClassCounts {
  uint64_t rows = 0, events = 0;
  ClassCounts& operator+=(const ClassCounts& more) {
    rows += more.rows, events += more.events;
    return *this;
  }
  bool operator==(const ClassCounts&) const = default;
};

// Of a bin that lacks a class, half a row of each is added to it, so that both are finite. REQUIRES: `all`
// has both classes.
double weight_of_evidence(const ClassCounts& bin, const ClassCounts& all);
double information_value(const ClassCounts& bin, const ClassCounts& all);

struct BinningRules {
  size_t prebins = 20;        // of numbers, by quantiles, before any is merged; each has some 5 %
  size_t bins = 8;            // at most, without the last one
  double least_share = 0.05;  // of the rows that have a value, in each bin
  double rare = 0.01;         // categories with a smaller share are together one value
};

struct Bin {
  ClassCounts counts;
  double weight_of_evidence = 0;
};

// The last bin is of rows without a value. Of numbers: missing ones; where none was missing its WoE is 0,
// that of the average row. Of categories: those that no row to learn from had; its WoE is 0.
struct Binning {
  std::vector<float> bounds;     // numbers, ascending: bin i holds bounds[i - 1] <= x < bounds[i]
  std::vector<uint8_t> of_code;  // categories: each code's bin
  std::vector<Bin> bins;
  size_t last() const { return bins.size() - 1; }
};

inline size_t bin_of(const Binning& binning, float number) {
  if (std::isnan(number)) return binning.last();
  size_t bin = 0;
  for (const float bound : binning.bounds) bin += number >= bound;
  return bin;
}
inline size_t bin_of(const Binning& binning, int32_t code) {
  return code < 0 ? binning.last() : binning.of_code[static_cast<size_t>(code)];
}

ClassCounts counts_of(const Binning& binning);     // of all bins
double information_value(const Binning& binning);  // of all bins but that of categories never seen
// Of the WoE over the rows.
double mean_weight_of_evidence(const Binning& binning);

// The first prebin of each bin but the first, of the merge into neighbouring ones with the greatest
// information value, where each bin has at least `least_rows` rows and one of each class, there are at most
// `most`, and event rates rise strictly (`direction` 1), fall strictly (-1) or do either (0). Of equals the
// one with fewest bins. Empty: one bin, also where nothing keeps the rules. O(most * prebins^3).
std::vector<size_t> best_merge(std::span<const ClassCounts> prebins, const ClassCounts& all, int direction,
                               uint64_t least_rows, size_t most);

// One column of (B) rows and their labels; NaN: missing. `monotone` 1: the event rate must rise with the
// number, -1: fall, 0: whichever has the greater information value. REQUIRES: rows of both classes, codes
// from -1 (no value) to below `cardinality`.
Binning bin_numbers(std::span<const float> numbers, std::span<const int32_t> labels, int monotone,
                    const BinningRules& rules = {});
// Values are ordered by their event rate, of equal ones by their code.
Binning bin_categories(std::span<const int32_t> codes, std::span<const int32_t> labels, size_t cardinality,
                       const BinningRules& rules = {});

}  // namespace maeil::model
