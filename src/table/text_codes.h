// Texts as codes into a dictionary of their own, in order of first appearance.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace maeil::table {

struct ViewHash {
  size_t operator()(std::string_view text) const { return hash64(text); }
};

// Texts of up to 16 bytes, nearly all, are first looked for in a small table that their bytes index directly.
// The texts must outlive it. Not thread safe.
class TextCodes {
 public:
  explicit TextCodes(std::vector<std::string>& dictionary) : dictionary_(dictionary), recent_(kRecent) {}

  uint32_t code(std::string_view text) {
    if (text.size() > 16) return find(text);
    uint64_t low = 0, high = 0;  // together with the size they tell the text
    if (text.size() >= 8) {
      std::memcpy(&low, text.data(), 8);
      std::memcpy(&high, text.data() + text.size() - 8, 8);
    } else if (text.size() >= 4) {
      uint32_t first, last;
      std::memcpy(&first, text.data(), 4);
      std::memcpy(&last, text.data() + text.size() - 4, 4);
      low = uint64_t{last} << 32 | first;
    } else {
      for (size_t i = 0; i < text.size(); ++i) low = low << 8 | static_cast<unsigned char>(text[i]);
    }
    Recent& entry = recent_[((low ^ high * 31) + text.size()) * 0x9E3779B97F4A7C15u >> 56];
    if (entry.low != low || entry.high != high || entry.size != text.size()) {
      entry = {low, high, static_cast<uint32_t>(text.size()), find(text)};
    }
    return entry.code;
  }

 private:
  static constexpr size_t kRecent = 256;
  struct Recent {
    uint64_t low = 0, high = 0;
    uint32_t size = UINT32_MAX, code = 0;
  };
  uint32_t find(std::string_view text) {
    const auto [entry, fresh] = codes_.emplace(text, static_cast<uint32_t>(dictionary_.size()));
    if (fresh) dictionary_.emplace_back(text);
    return entry->second;
  }
  std::vector<std::string>& dictionary_;
  std::vector<Recent> recent_;
  boost::unordered_flat_map<std::string_view, uint32_t, ViewHash> codes_;
};

}  // namespace maeil::table
