// NT-Xent and its gradient. With u = z / |z| and s_ij = u_i . u_j / T over the 2n projections, pos(i) the
// partner of i, and Z_i = e^{s_i,pos} + sum_{j != i} e^{s_ij}: loss = mean_i (log Z_i - s_i,pos),  G_ij =
// dloss/ds_ij =
//   (e^{s_ij} (1 + [j = pos]) / Z_i - [j = pos]) / 2n, du_i = sum_j (G_ij + G_ji) u_j / T,  dz_i = (du_i -
//   u_i (u_i . du_i)) / |z_i|.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "nn/pretrain.h"

namespace maeil::nn {

double nt_xent(std::span<const float> zi, std::span<const float> zj, size_t n, size_t dim, double temperature,
               std::span<float> grad_zi, std::span<float> grad_zj) {
  assert(zi.size() == n * dim && zj.size() == n * dim);
  const size_t m = 2 * n;
  std::vector<double> u(m * dim), norm(m), g(m * m);
  for (size_t i = 0; i < m; ++i) {
    const float* z = (i < n ? zi.data() + i * dim : zj.data() + (i - n) * dim);
    double sum = 0;
    for (size_t d = 0; d < dim; ++d) sum += static_cast<double>(z[d]) * z[d];
    norm[i] = std::max(std::sqrt(sum), 1e-8);  // PyTorch's cosine_similarity does the same
    for (size_t d = 0; d < dim; ++d) u[i * dim + d] = z[d] / norm[i];
  }
  for (size_t i = 0; i < m; ++i) {
    for (size_t j = 0; j < i; ++j) {
      double dot = 0;
      for (size_t d = 0; d < dim; ++d) dot += u[i * dim + d] * u[j * dim + d];
      g[i * m + j] = g[j * m + i] = dot / temperature;
    }
  }
  double loss = 0;
  for (size_t i = 0; i < m; ++i) {
    double* row = g.data() + i * m;
    const size_t partner = (i + n) % m;
    const double positive = row[partner];
    double highest = positive, z = 0;
    for (size_t j = 0; j < m; ++j) {
      if (j != i) highest = std::max(highest, row[j]);
    }
    for (size_t j = 0; j < m; ++j) {
      row[j] = j == i ? 0 : std::exp(row[j] - highest) * (j == partner ? 2 : 1);
      z += row[j];
    }
    loss += highest + std::log(z) - positive;
    for (size_t j = 0; j < m; ++j) row[j] = (row[j] / z - (j == partner ? 1 : 0)) / static_cast<double>(m);
  }
  if (grad_zi.empty() && grad_zj.empty()) return loss / static_cast<double>(m);

  std::vector<double> du(dim);
  for (size_t i = 0; i < m; ++i) {
    std::fill(du.begin(), du.end(), 0.0);
    for (size_t j = 0; j < m; ++j) {
      const double weight = (g[i * m + j] + g[j * m + i]) / temperature;
      for (size_t d = 0; d < dim; ++d) du[d] += weight * u[j * dim + d];
    }
    double along = 0;
    for (size_t d = 0; d < dim; ++d) along += du[d] * u[i * dim + d];
    float* out = i < n ? grad_zi.data() + i * dim : grad_zj.data() + (i - n) * dim;
    for (size_t d = 0; d < dim; ++d) out[d] = static_cast<float>((du[d] - u[i * dim + d] * along) / norm[i]);
  }
  return loss / static_cast<double>(m);
}

}  // namespace maeil::nn
