// The fastest that one thread's fused multiply-adds run: what a benchmark's GFLOP/s are held against.
#pragma once

namespace maeil::kernels {

// Twelve independent accumulators in the widest vectors that this machine has, about a millisecond; single
// precision, a multiply-add counted as two. Shared machines change their clock: take the best of several
// calls.
double fma_peak_gflops();

}  // namespace maeil::kernels
