// [reasons] of a dataset spec: what people call the columns that move a score.
//
//   [reasons]
//   INT_RATE = { en = "interest rate", ko = "대출 금리" }   # one of them may be left out
//   cnt_days_until_dead = "days to maturity"                # in both
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace maeil::table {

struct ReasonWords {
  std::string en, ko;  // "": not said
};
using Reasons = std::map<std::string, ReasonWords, std::less<>>;  // by column or day count

// In the language ("en", "ko"), else in the other, else the name itself.
inline std::string_view words_of(const Reasons& reasons, std::string_view name, std::string_view language) {
  const auto found = reasons.find(name);
  if (found == reasons.end()) return name;
  const auto& [en, ko] = found->second;
  return language == "ko" ? (ko.empty() ? en : ko) : (en.empty() ? ko : en);
}

}  // namespace maeil::table
