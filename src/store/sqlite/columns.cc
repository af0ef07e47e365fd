#include "store/sqlite/columns.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

namespace maeil::store::sqlite {
namespace {

static_assert(std::endian::native == std::endian::little);

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// Bytes read from the front; every take checks what is left.
struct Reader {
  std::string_view left;

  bool take(void* to, size_t count) {
    if (left.size() < count) return false;
    std::memcpy(to, left.data(), count);
    left.remove_prefix(count);
    return true;
  }
  bool varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      uint8_t byte = 0;
      if (!take(&byte, 1)) return false;
      value |= uint64_t{byte & 0x7fu} << shift;
      if (!(byte & 0x80)) return true;
    }
    return false;
  }
};

void encode_integers(std::string& out, const int64_t* values, size_t count) {
  const auto [low, high] = count ? std::minmax_element(values, values + count) : std::pair(values, values);
  const int64_t base = count ? *low : 0;
  const uint64_t span = count ? static_cast<uint64_t>(*high) - static_cast<uint64_t>(base) : 0;
  const uint8_t width = span == 0                  ? 0
                        : span < 1u << 8           ? 1
                        : span < 1u << 16          ? 2
                        : span < uint64_t{1} << 32 ? 4
                                                   : 8;
  out.append(reinterpret_cast<const char*>(&base), 8);
  out += static_cast<char>(width);
  for (size_t i = 0; width && i < count; ++i) {
    const uint64_t difference = static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(base);
    out.append(reinterpret_cast<const char*>(&difference), width);
  }
}

bool decode_integers(Reader& in, size_t rows, std::vector<int64_t>& values) {
  int64_t base = 0;
  uint8_t width = 0;
  if (!in.take(&base, 8) || !in.take(&width, 1) || width > 8 ||
      in.left.size() / std::max<size_t>(width, 1) < (width ? rows : 0))
    return false;
  values.resize(rows);
  for (auto& value : values) {
    uint64_t difference = 0;
    in.take(&difference, width);
    value = static_cast<int64_t>(static_cast<uint64_t>(base) + difference);
  }
  return true;
}

void encode_text(std::string& out, const std::string* values, size_t count) {
  std::map<std::string_view, int64_t> seen;
  std::vector<int64_t> codes;
  std::string dictionary;
  for (size_t i = 0; i < count; ++i) {
    const auto [entry, is_new] = seen.emplace(values[i], static_cast<int64_t>(seen.size()));
    if (is_new) {
      put_varint(dictionary, values[i].size());
      dictionary += values[i];
    }
    codes.push_back(entry->second);
  }
  put_varint(out, seen.size());
  out += dictionary;
  encode_integers(out, codes.data(), count);
}

bool decode_text(Reader& in, size_t rows, std::vector<std::string>& values) {
  uint64_t count = 0;
  if (!in.varint(count) || count > rows) return false;
  std::vector<std::string_view> dictionary;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t size = 0;
    if (!in.varint(size) || size > in.left.size()) return false;
    dictionary.push_back(in.left.substr(0, size));
    in.left.remove_prefix(size);
  }
  std::vector<int64_t> codes;
  if (!decode_integers(in, rows, codes)) return false;
  values.reserve(rows);
  for (const int64_t code : codes) {
    if (code < 0 || static_cast<uint64_t>(code) >= count) return false;
    values.emplace_back(dictionary[static_cast<size_t>(code)]);
  }
  return true;
}

}  // namespace

std::string encode_column(const ColumnValues& values, size_t first, size_t count) {
  std::string out;
  if (const auto* integers = std::get_if<std::vector<int64_t>>(&values)) {
    out += 'i';
    encode_integers(out, integers->data() + first, count);
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&values)) {
    out += 'd';
    out.append(reinterpret_cast<const char*>(numbers->data() + first), count * sizeof(double));
  } else {
    out += 's';
    encode_text(out, std::get<std::vector<std::string>>(values).data() + first, count);
  }
  return out;
}

Result<ColumnValues> decode_column(std::string_view bytes, size_t rows) {
  Reader in{bytes};
  char kind = 0;
  in.take(&kind, 1);
  if (kind == 'd' && in.left.size() == rows * sizeof(double)) {
    std::vector<double> numbers(rows);
    in.take(numbers.data(), rows * sizeof(double));
    return numbers;
  }
  if (std::vector<int64_t> integers; kind == 'i' && decode_integers(in, rows, integers) && in.left.empty())
    return integers;
  if (std::vector<std::string> text; kind == 's' && decode_text(in, rows, text) && in.left.empty())
    return text;
  return bad_input("a column's bytes are damaged");
}

}  // namespace maeil::store::sqlite
