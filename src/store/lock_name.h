// What a lock may be called in every store: it becomes part of a file's name or of a field's.
#pragma once

#include <algorithm>
#include <string_view>

namespace maeil::store {

inline bool is_lock_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace maeil::store
