#include "format/pickle_decode.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace maeil::format {
namespace {

bool append_utf8(std::string& out, uint32_t c) {
  if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return false;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += {static_cast<char>(0xC0 | (c >> 6)), static_cast<char>(0x80 | (c & 63))};
  } else if (c < 0x10000) {
    out += {static_cast<char>(0xE0 | (c >> 12)), static_cast<char>(0x80 | ((c >> 6) & 63)),
            static_cast<char>(0x80 | (c & 63))};
  } else {
    out += {static_cast<char>(0xF0 | (c >> 18)), static_cast<char>(0x80 | ((c >> 12) & 63)),
            static_cast<char>(0x80 | ((c >> 6) & 63)), static_cast<char>(0x80 | (c & 63))};
  }
  return true;
}

// `digits` hex digits at text[at].
std::optional<uint32_t> hex(std::string_view text, size_t at, size_t digits) {
  if (at > text.size() || text.size() - at < digits) return {};
  uint32_t value = 0;
  const char* end = text.data() + at + digits;
  if (std::from_chars(text.data() + at, end, value, 16).ptr != end) return {};
  return value;
}

}  // namespace

std::optional<std::string> decode_raw_unicode(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == 'u' || line[i + 1] == 'U')) {
      size_t digits = line[i + 1] == 'u' ? 4 : 8;
      auto code = hex(line, i + 2, digits);
      if (!code || !append_utf8(out, *code)) return {};
      i += 1 + digits;
    } else if (!append_utf8(out, static_cast<unsigned char>(line[i]))) {
      return {};
    }
  }
  return out;
}

std::optional<std::string> decode_quoted(std::string_view line) {
  if (line.size() < 2 || line.front() != line.back() || (line.front() != '\'' && line.front() != '"'))
    return {};
  line = line.substr(1, line.size() - 2);
  std::string out;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      out += line[i];
      continue;
    }
    if (++i == line.size()) return {};
    constexpr std::string_view kNames = "\\'\"abfnrtv", kBytes = "\\'\"\a\b\f\n\r\t\v";
    if (size_t known = kNames.find(line[i]); known != kNames.npos) {
      out += kBytes[known];
    } else if (line[i] == 'x') {
      auto code = hex(line, i + 1, 2);
      if (!code) return {};
      out += static_cast<char>(*code);
      i += 2;
    } else if (line[i] >= '0' && line[i] <= '7') {
      uint32_t code = 0;
      size_t end = std::min(i + 3, line.size());
      for (; i < end && line[i] >= '0' && line[i] <= '7'; ++i)
        code = code * 8 + static_cast<uint32_t>(line[i] - '0');
      --i;
      out += static_cast<char>(code);
    } else {
      out += '\\';
      out += line[i];
    }
  }
  return out;
}

std::optional<std::string> to_latin1(std::string_view utf8) {
  std::string out;
  for (size_t i = 0; i < utf8.size(); ++i) {
    auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < utf8.size()) {
      out += static_cast<char>(((c & 3) << 6) | (static_cast<unsigned char>(utf8[++i]) & 63));
    } else {
      return {};
    }
  }
  return out;
}

int64_t small_integer(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  if (!bytes.empty() && bytes.size() < 8 && (bytes.back() & 0x80))
    value |= ~uint64_t{0} << (8 * bytes.size());
  return static_cast<int64_t>(value);
}

std::string big_integer(std::string_view bytes) {
  bool negative = !bytes.empty() && (bytes.back() & 0x80);
  std::vector<uint32_t> limbs((bytes.size() + 3) / 4, 0);
  uint32_t carry = negative ? 1 : 0;  // the magnitude of a negative number: complement, plus one
  for (size_t i = 0; i < limbs.size() * 4; ++i) {
    uint32_t byte = i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : (negative ? 0xFFu : 0u);
    if (negative) {
      byte = (byte ^ 0xFF) + carry;
      carry = byte >> 8;
      byte &= 0xFF;
    }
    limbs[i / 4] |= byte << (8 * (i % 4));
  }
  std::string digits;
  while (!limbs.empty()) {
    uint64_t rest = 0;
    for (size_t i = limbs.size(); i-- > 0;) {
      uint64_t value = (rest << 32) | limbs[i];
      limbs[i] = static_cast<uint32_t>(value / 1000000000);
      rest = value % 1000000000;
    }
    while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
    for (int k = 0; k < 9; ++k, rest /= 10) digits += static_cast<char>('0' + rest % 10);
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  if (digits.empty()) digits.push_back('0');
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, 100));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.size() > 100 ? out + "..." : out;
}

}  // namespace maeil::format
