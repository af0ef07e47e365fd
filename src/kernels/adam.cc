// m = m + (1 - beta1)(g - m), v = beta2 v + (1 - beta2) g^2, p -= lr / (1 - beta1^t) * m / (sqrt(v / (1 -
// beta2^t)) + eps). Element by element, without fused multiply-add, so every target gives the same bits.
#include "kernels/adam.h"

#include <cmath>

namespace maeil::kernels {

void adam_step(const AdamOptions& options, int64_t step, size_t n, const float* gradient, float* m, float* v,
               float* parameter) {
  const double correction1 = 1 - std::pow(static_cast<double>(options.beta1), static_cast<double>(step));
  const double correction2 = 1 - std::pow(static_cast<double>(options.beta2), static_cast<double>(step));
  const float step_size = static_cast<float>(options.learning_rate / correction1);
  const float root2 = static_cast<float>(std::sqrt(correction2));
  const float rest1 = static_cast<float>(1.0 - options.beta1),
              rest2 = static_cast<float>(1.0 - options.beta2);
  for (size_t i = 0; i < n; ++i) {
    m[i] += rest1 * (gradient[i] - m[i]);
    v[i] = options.beta2 * v[i] + rest2 * gradient[i] * gradient[i];
    parameter[i] -= step_size * m[i] / (std::sqrt(v[i]) / root2 + options.epsilon);
  }
}

}  // namespace maeil::kernels
