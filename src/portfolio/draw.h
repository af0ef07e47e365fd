// Draws from one Philox sequence: uniform, normal, chance, and a pick from a weighted constexpr table.
//
// A row's draws come in a fixed order. Not thread safe: each row block has its own Draw.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string_view>

#include "base/philox.h"

namespace maeil::portfolio {

struct Label {
  std::string_view text;
  double weight;
};
struct Code {
  double value;
  double weight;
};

class Draw {
 public:
  Draw(uint64_t seed, RandomStream stream, uint64_t block) : sequence_(seed, stream, block) {}

  double uniform() { return sequence_.next_uniform(); }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Whole numbers low..high, both included.
  double whole(int low, int high) {
    return low + sequence_.next_below(static_cast<uint32_t>(high - low + 1));
  }
  bool chance(double probability) { return uniform() < probability; }
  // Standard normal by Box and Muller's first half: two uniforms, no state to carry from row to row.
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }
  double normal_within(double mean, double deviation, double low, double high) {
    return std::clamp(mean + deviation * normal(), low, high);
  }
  // Index into a table whose elements have a `weight`; weights need not sum to 1.
  template <class Table>
  size_t index(const Table& table) {
    double total = 0.0;
    for (const auto& entry : table) total += entry.weight;
    double left = uniform() * total;
    for (size_t i = 0; i + 1 < std::size(table); ++i) {
      if ((left -= table[i].weight) < 0.0) return i;
    }
    return std::size(table) - 1;
  }
  template <class Table>
  double code(const Table& table) {
    return table[index(table)].value;
  }
  template <class Table>
  std::string_view label(const Table& table) {
    return table[index(table)].text;
  }

 private:
  RandomSequence sequence_;
};

// `value` rounded to multiples of `step`; a negative zero comes back as zero.
inline double round_to(double value, double step) { return std::round(value / step) * step + 0.0; }

// Four decimals, the nearest double to the printed text (as CSV shows amounts and ratios of the ledger).
inline double round4(double value) { return std::round(value * 1e4) / 1e4 + 0.0; }
inline double logistic(double log_odds) { return 1.0 / (1.0 + std::exp(-log_odds)); }
inline double round2(double value) { return std::round(value * 1e2) / 1e2 + 0.0; }

}  // namespace maeil::portfolio
