// Adam's update, as PyTorch computes it. Source: Kingma, Ba, "Adam: A Method for Stochastic Optimization",
// ICLR 2015.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maeil::kernels {

struct AdamOptions {
  float learning_rate = 1e-4f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
};

// One step on n parameters in place; `step` counts from 1. m and v are the moments, zero before the first
// step.
void adam_step(const AdamOptions& options, int64_t step, size_t n, const float* gradient, float* m, float* v,
               float* parameter);

}  // namespace maeil::kernels
