// Which instruction set the kernels compute with: the best that this processor has and that passes its check,
// or one that is pinned by name so that a training can be done again bit for bit.
//
// Check: before a set is used it must reproduce the reference on small encoders, forward and backward, with
// dropout, with small and with large attention scores, for each kind of head size. One that does not is
// passed over for the next.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kernels/encoder_shape.h"

namespace maeil::kernels {

// The set in use, as it can be pinned: Highway's name in small letters ("avx3" is AVX-512, "avx2", "ssse3",
// "neon"), or "scalar", the plain loops of encoder_ref.h. The first call of any function here checks and
// chooses; thread safe.
std::string instruction_set();

// The same for one shape: "scalar" where has_simd() is false.
std::string instruction_set(const EncoderShape& shape);

// What this processor has, best first; the last is "scalar". Not checked.
std::vector<std::string> instruction_sets();

// Uses `name` from now on: one of instruction_sets() in any case of letters, or "avx512" (the best AVX-512),
// "sse4" and "baseline" (the one that every x86-64-v2 processor has), "neon" (the best NEON). Empty: the best
// that passes. kUsage, naming what there is, for any other; kInternal for one that fails its check. Not while
// another thread computes.
Status pin_instruction_set(std::string_view name);

// Whether SIMD code exists for the shape (a head size, width / heads, that is a multiple of 4, a feed-forward
// width that is one too) and a set for it is in use.
bool has_simd(const EncoderShape& shape);

}  // namespace maeil::kernels
