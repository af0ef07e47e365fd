#include "kernels/fma_peak.h"

#include <chrono>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fma_peak.cc"
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace maeil::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Returns the number of operations done; `sink` keeps the compiler from seeing that nobody needs them.
double MultiplyAdd(float* sink) {
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, 0.999f), b = hn::Set(d, 0.001f);
  // Of unlike values, or the compiler sees twelve times the same sum.
  const auto start = [&](float k) HWY_ATTR { return hn::Set(d, *sink + k); };
  auto c0 = start(0), c1 = start(1), c2 = start(2), c3 = start(3), c4 = start(4), c5 = start(5);
  auto c6 = start(6), c7 = start(7), c8 = start(8), c9 = start(9), c10 = start(10), c11 = start(11);
  constexpr int kRounds = 500000;
  for (int i = 0; i < kRounds; ++i) {
    c0 = hn::MulAdd(c0, a, b), c1 = hn::MulAdd(c1, a, b), c2 = hn::MulAdd(c2, a, b),
    c3 = hn::MulAdd(c3, a, b);
    c4 = hn::MulAdd(c4, a, b), c5 = hn::MulAdd(c5, a, b), c6 = hn::MulAdd(c6, a, b),
    c7 = hn::MulAdd(c7, a, b);
    c8 = hn::MulAdd(c8, a, b), c9 = hn::MulAdd(c9, a, b), c10 = hn::MulAdd(c10, a, b),
    c11 = hn::MulAdd(c11, a, b);
  }
  const auto sum = hn::Add(
      hn::Add(hn::Add(c0, c1), hn::Add(c2, c3)),
      hn::Add(hn::Add(c4, c5), hn::Add(hn::Add(c6, c7), hn::Add(hn::Add(c8, c9), hn::Add(c10, c11)))));
  *sink += hn::GetLane(sum);
  return 12.0 * 2.0 * kRounds * static_cast<double>(hn::Lanes(d));
}

}  // namespace maeil::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace maeil::kernels {

HWY_EXPORT(MultiplyAdd);

double fma_peak_gflops() {
  static volatile float kept = 0;
  float sink = kept;
  const auto begin = std::chrono::steady_clock::now();
  const double operations = HWY_DYNAMIC_DISPATCH(MultiplyAdd)(&sink);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  kept = sink;
  return operations / passed.count() / 1e9;
}

}  // namespace maeil::kernels
#endif
