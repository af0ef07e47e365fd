// Correlated standard normals for one block of rows: Philox words, Box-Muller, and the Cholesky factor, in
// single precision.
//
// Word w of counter c of column i of block b is philox4x32({i * kBlockRows / 4 + c, stream, b}), and belongs
// to row w * kBlockRows / 4 + c: a pure function of (seed, block), whatever the thread. Box-Muller takes the
// radius from 31 bits and the angle from 32 bits of a word, so |z| ends at 6.66, beyond which lie 3e-11 of a
// normal's values.
//
// All arithmetic is written out in plain multiplications, additions and square roots in a fixed order, with
// neither fused operations nor the C library's functions, so that every machine gives the same bits.
#pragma once

#include <cstdint>
#include <vector>

#include "base/philox.h"
#include "copula/model.h"

namespace maeil::copula {

inline constexpr size_t kBlockRows = 512;

// Words of (seed, stream, block) for one column: out[row], row < kBlockRows.
void philox_words(uint64_t seed, RandomStream stream, uint64_t block, uint32_t column, uint32_t* out);

// Independent standard normals from 2 * half words: words[i] and words[half + i] give z[i] and z[half + i].
void box_muller(const uint32_t* words, size_t half, float* z);

// A lower triangular F with F F^T = correlation (C,C). A matrix that is not positive definite is replaced by
// |correlation| (its eigenvalues' absolute values), which is what numpy's multivariate_normal samples from.
std::vector<float> correlation_factor(const CopulaModel& model);

// The first `rows` rows of z(C, stride) become factor(C,C) * z, in place. Sums run over ascending columns.
// REQUIRES: rows is a multiple of 8.
void correlate_rows(const std::vector<float>& factor, size_t C, float* z, size_t stride, size_t rows);

}  // namespace maeil::copula
