// This program's version, as `maeil --version` and the records of runs say it.
#pragma once

namespace maeil {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace maeil
