// What comparisons of days say and allow alike.
#pragma once

#include <fmt/format.h>

#include <string>

namespace maeil::monitor {

inline constexpr double kChanceErrors = 5;  // standard errors that chance is given

inline std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

}  // namespace maeil::monitor
