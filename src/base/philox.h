// Philox4x32-10, the counter-based generator behind every random number of maeil.
//
// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. A block of four
// 32-bit words is a pure function of (key, counter), so the same (seed, stream, block, position) gives the
// same bytes on one thread or on 64, in one process or in shards. There is no state to share and nothing to
// lock.
#pragma once

#include <array>
#include <cstdint>

namespace maeil {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox4x32(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// What a stream of numbers is for. A new use takes a new number; none is ever reused or renumbered, since
// that would change everybody's data.
enum class RandomStream : uint32_t {
  kCopula = 1,  // block = row block; see copula/
  kCopulaNulls = 2,
  kPortfolio = 3,  // block = row block; see portfolio/
  kSplit = 4,
  kShuffle = 5,  // block = epoch
  kInit = 6,     // block = parameter index
  kDropout = 7,
  kMask = 8,  // the two views of pretraining
  kBootstrap = 9,
  kPortfolioScenario = 10,
  kCopulaClass = 11,   // block = row block; the class of each row
  kFitSample = 12,     // which rows the correlations of a fit are computed from
  kShift = 13,         // block = row block; see loop/shift
  kQualitySplit = 20,  // block = row; see quality/utility
  kValidation = 21,    // see prep/split.h
  kLearntRows = 22,    // which rows of a history are learnt from; see loop/history_rows.h
  kCalibration = 24,   // block = label; see model/calibration_choice.h
};

// A sequence of words keyed by (seed, stream, block). Cheap to make; not thread safe: each thread makes its
// own.
class RandomSequence {
 public:
  RandomSequence(uint64_t seed, RandomStream stream, uint64_t block)
      : key0_(static_cast<uint32_t>(seed)),
        key1_(static_cast<uint32_t>(seed >> 32)),
        stream_(static_cast<uint32_t>(stream)),
        block_(block) {}

  uint32_t next_u32() {
    if (used_ == 4) {
      words_ = philox4x32(
          {position_++, stream_, static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32)}, key0_,
          key1_);
      used_ = 0;
    }
    return words_[used_++];
  }
  uint64_t next_u64() {
    const uint64_t high = next_u32();
    return high << 32 | next_u32();
  }
  // Uniform on the open interval (0, 1): 53 bits, centred in their cell, so never 0 and never 1.
  double next_uniform() { return (static_cast<double>(next_u64() >> 12) + 0.5) * 0x1p-52; }
  // Uniform on 0..n-1 for n >= 1 (multiply-shift; bias below 2^-32 * n).
  uint32_t next_below(uint32_t n) { return static_cast<uint32_t>(uint64_t{next_u32()} * n >> 32); }

 private:
  uint32_t key0_, key1_, stream_;
  uint64_t block_;
  uint32_t position_ = 0;
  uint32_t used_ = 4;
  PhiloxBlock words_{};
};

}  // namespace maeil
