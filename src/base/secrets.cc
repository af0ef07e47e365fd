#include "base/secrets.h"

#include <algorithm>

namespace maeil {
namespace {

bool carries_a_secret(std::string_view option) {
  std::string lower(option);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  // password, and the older passphrase
  return lower.find("pass") != std::string::npos || lower == "authmechanismproperties";
}

}  // namespace

std::string redact_address(std::string_view address) {
  // Marked before anything is cut: an @ may belong to a login or to an option's value, and then both readings
  // are hidden.
  std::string hidden(address.size(), ' ');
  const auto hide = [&](size_t from, size_t to) { hidden.replace(from, to - from, to - from, '*'); };
  const size_t scheme = address.find("://"), at = address.rfind('@');
  const size_t login = scheme == std::string_view::npos ? 0 : scheme + 3;
  if (at != std::string_view::npos && at > login) hide(login, at);
  for (size_t mark = address.find_first_of("?&;"); mark != std::string_view::npos;
       mark = address.find_first_of("?&;", mark + 1)) {
    const size_t end = std::min(address.find_first_of("&;", mark + 1), address.size()),
                 equals = address.find('=', mark);
    if (equals < end && carries_a_secret(address.substr(mark + 1, equals - mark - 1))) hide(equals + 1, end);
  }
  std::string shown;
  for (size_t i = 0; i < address.size(); ++i) {
    if (hidden[i] == ' ')
      shown += address[i];
    else if (i == 0 || hidden[i - 1] == ' ')
      shown += "***";
  }
  return shown;
}

}  // namespace maeil
