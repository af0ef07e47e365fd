#include "copula/normal_block.h"

#include <Eigen/Dense>
#include <bit>
#include <cmath>

// The loops below are compiled twice, and the loader takes the wider version where the processor has it. AVX2
// without FMA: every product is rounded, so both versions give the same bits. (Sanitizers cannot run the
// loader's choice.)
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define MAEIL_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define MAEIL_WIDE
#endif

namespace maeil::copula {
namespace {

// Eight values at once in whatever vectors the target has; GCC and Clang split wider ones.
typedef float Lanes __attribute__((vector_size(32)));
constexpr size_t kLanes = 8;

// ln(u) for u in [2^-32, 1], relative error 2e-7. Cephes' logf: u = m * 2^e with m in [sqrt(1/2), sqrt(2)).
inline float log_unit(float u) {
  const auto bits = std::bit_cast<uint32_t>(u);
  const uint32_t shifted = bits - 0x3f3504f3u;  // the bits of sqrt(1/2)
  const auto e = static_cast<float>(static_cast<int32_t>(shifted) >> 23);
  const float x = std::bit_cast<float>((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  const float square = x * x;
  float p = 7.0376836292e-2f;
  p = p * x - 1.1514610310e-1f;
  p = p * x + 1.1676998740e-1f;
  p = p * x - 1.2420140846e-1f;
  p = p * x + 1.4249322787e-1f;
  p = p * x - 1.6668057665e-1f;
  p = p * x + 2.0000714765e-1f;
  p = p * x - 2.4999993993e-1f;
  p = p * x + 3.3333331174e-1f;
  float y = p * x * square;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * square;
  return x + y + e * 0.693359375f;
}

}  // namespace

void philox_words(uint64_t seed, RandomStream stream, uint64_t block, uint32_t column, uint32_t* out) {
  constexpr uint32_t kCounters = kBlockRows / 4;
  constexpr uint32_t kGroup = 8;  // counters advanced together, so that the compiler fills its vectors
  static_assert(kCounters % kGroup == 0);
  for (uint32_t first = 0; first < kCounters; first += kGroup) {
    uint32_t c0[kGroup], c1[kGroup], c2[kGroup], c3[kGroup];
    for (uint32_t i = 0; i < kGroup; ++i) {
      c0[i] = column * kCounters + first + i;
      c1[i] = static_cast<uint32_t>(stream);
      c2[i] = static_cast<uint32_t>(block);
      c3[i] = static_cast<uint32_t>(block >> 32);
    }
    uint32_t key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {  // base/philox.h, column-wise
      for (uint32_t i = 0; i < kGroup; ++i) {
        const uint64_t product0 = uint64_t{0xD2511F53} * c0[i], product1 = uint64_t{0xCD9E8D57} * c2[i];
        c0[i] = static_cast<uint32_t>(product1 >> 32) ^ c1[i] ^ key0;
        c1[i] = static_cast<uint32_t>(product1);
        c2[i] = static_cast<uint32_t>(product0 >> 32) ^ c3[i] ^ key1;
        c3[i] = static_cast<uint32_t>(product0);
      }
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    for (uint32_t i = 0; i < kGroup; ++i) {
      out[first + i] = c0[i];
      out[kCounters + first + i] = c1[i];
      out[2 * kCounters + first + i] = c2[i];
      out[3 * kCounters + first + i] = c3[i];
    }
  }
}

MAEIL_WIDE void box_muller(const uint32_t* words, size_t half, float* z) {
  for (size_t i = 0; i < half; ++i) {
    const uint32_t a = words[i], b = words[half + i];
    const float u = static_cast<float>(static_cast<int32_t>(a >> 1)) * 0x1p-31f + 0x1p-32f;
    const float squared = -2.0f * log_unit(u);
    const float radius = std::sqrt(squared > 0 ? squared : 0.0f);
    // The angle is quadrant * pi/2 + t with t in [-pi/4, pi/4): Taylor polynomials of sin and cos, error
    // below 1e-7.
    const float t =
        static_cast<float>(static_cast<int32_t>(b & 0x3fffffffu) - 0x20000000) * (1.57079632679f * 0x1p-30f);
    const float t2 = t * t;
    const float sine = t + t * t2 * ((-1.9515295891e-4f * t2 + 8.3321608736e-3f) * t2 - 1.6666654611e-1f);
    const float cosine =
        1.0f - 0.5f * t2 +
        t2 * t2 * ((2.443315711809948e-5f * t2 - 1.388731625493765e-3f) * t2 + 4.166664568298827e-2f);
    const uint32_t quadrant = b >> 30;
    const bool swapped = quadrant & 1;
    const float x = swapped ? sine : cosine, y = swapped ? cosine : sine;
    const uint32_t flip_x = ((quadrant + 1) & 2) << 30, flip_y = (quadrant & 2) << 30;
    z[i] = radius * std::bit_cast<float>(std::bit_cast<uint32_t>(x) ^ flip_x);
    z[half + i] = radius * std::bit_cast<float>(std::bit_cast<uint32_t>(y) ^ flip_y);
  }
}

std::vector<float> correlation_factor(const CopulaModel& model) {
  const auto C = static_cast<Eigen::Index>(model.columns.size());
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const Matrix> correlation(model.correlation.data(), C, C);
  Matrix lower;
  const Eigen::LLT<Matrix> cholesky(correlation);
  if (cholesky.info() == Eigen::Success) {
    lower = cholesky.matrixL();
  } else {
    // Q |D|^(1/2) is a factor, and its QR decomposition's R^T the triangular one.
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(correlation);
    const Matrix factor = eigen.eigenvectors() * eigen.eigenvalues().cwiseAbs().cwiseSqrt().asDiagonal();
    const Eigen::HouseholderQR<Matrix> qr(factor.transpose());
    lower = Matrix(qr.matrixQR().triangularView<Eigen::Upper>()).transpose();
  }
  std::vector<float> out(model.correlation.size());
  for (Eigen::Index i = 0; i < C; ++i) {
    for (Eigen::Index j = 0; j <= i; ++j) out[i * C + j] = static_cast<float>(lower(i, j));
  }
  return out;
}

// Four columns at a time, the last ones first: column j needs the old columns 0..j only. 4 x 8 sums stay in
// registers.
MAEIL_WIDE void correlate_rows(const std::vector<float>& factor, size_t C, float* z, size_t stride,
                               size_t row_count) {
  for (size_t done = 0; done < C;) {
    const size_t width = (C - done) % 4 ? (C - done) % 4 : 4;  // the odd columns first, then full groups
    const size_t j = C - done - width;
    const float* rows[4];
    for (size_t k = 0; k < 4; ++k) rows[k] = &factor[(j + (k < width ? k : 0)) * C];
    for (size_t r = 0; r < row_count; r += kLanes) {
      Lanes sum[4] = {};
      for (size_t i = 0; i < j + width; ++i) {  // above the diagonal the factor is 0
        Lanes value;
        __builtin_memcpy(&value, z + i * stride + r, sizeof value);
        for (size_t k = 0; k < 4; ++k) sum[k] += value * rows[k][i];
      }
      for (size_t k = 0; k < width; ++k) __builtin_memcpy(z + (j + k) * stride + r, &sum[k], sizeof sum[k]);
    }
    done += width;
  }
}

}  // namespace maeil::copula
