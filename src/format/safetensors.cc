// Header first: everything it says is checked against the file's size before an element is touched.
#include "format/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "format/float16.h"
#include "format/json.h"
#include "format/pickle_decode.h"

namespace maeil::format {
namespace {

// The format allows 100 MB; a name costs about 100 bytes, and a model of ours has at most 65,535 features.
constexpr uint64_t kMaxHeader = uint64_t{32} << 20;
constexpr size_t kMaxShapeLength = 64;
constexpr size_t kPrefix = 8;

uint64_t little_endian(std::string_view bytes) {
  uint64_t out = 0;
  for (size_t i = bytes.size(); i-- > 0;) out = out << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

// Bytes of an element; 0: a type whose elements are no whole bytes, or that is not known.
uint64_t width(std::string_view dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64" || dtype == "C64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL" || dtype.starts_with("F8_")) return 1;
  return 0;
}

struct Entry {
  std::string name, dtype;
  std::vector<int64_t> shape;
  uint64_t count = 1, begin = 0, end = 0;
};

// One number of the header; the parser has told integers from floats, and refused what overflows 64 bits as
// an integer.
std::optional<uint64_t> size_of(const nlohmann::json& value) {
  if (!value.is_number_unsigned()) return {};
  const auto size = value.get<uint64_t>();
  return size <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ? std::optional(size)
                                                                            : std::nullopt;
}

// Messages go on from "tensor x".
Result<Entry> entry_of(const std::string& name, const nlohmann::json& value, uint64_t room) {
  Entry out{name, {}, {}};
  if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string() ||
      !value.contains("shape") || !value["shape"].is_array() || !value.contains("data_offsets") ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2) {
    return bad_input("has no dtype, shape and data_offsets of two numbers");
  }
  out.dtype = value["dtype"].get<std::string>();
  if (value["shape"].size() > kMaxShapeLength)
    return bad_input(fmt::format("has {} dimensions", value["shape"].size()));
  for (const nlohmann::json& extent : value["shape"]) {
    const auto size = size_of(extent);
    if (!size) return bad_input("has a shape that is no list of sizes");
    out.shape.push_back(static_cast<int64_t>(*size));
    if (__builtin_mul_overflow(out.count, *size, &out.count)) return bad_input("has a shape that overflows");
  }
  const auto begin = size_of(value["data_offsets"][0]), end = size_of(value["data_offsets"][1]);
  if (!begin || !end || *begin > *end) return bad_input("has data_offsets that are no range");
  out.begin = *begin, out.end = *end;
  if (out.end > room)
    return bad_input(fmt::format("ends at byte {} of {}; the file is truncated or damaged", out.end, room));
  uint64_t bytes = 0;
  const uint64_t each = width(out.dtype);
  if (each > 0 && (__builtin_mul_overflow(out.count, each, &bytes) || bytes != out.end - out.begin)) {
    return bad_input(fmt::format("has {} bytes for {} elements of {}", out.end - out.begin, out.count,
                                 printable(out.dtype)));
  }
  return out;
}

class SafetensorsFile : public CheckpointFile {
 public:
  SafetensorsFile(std::vector<Entry> entries, std::string_view data, const std::string& name)
      : entries_(std::move(entries)), data_(data), name_(name) {
    if (entries_.empty()) return;
    dicts_.push_back({});
    for (const Entry& entry : entries_) dicts_[0].names.push_back(entry.name);
  }

  Result<Tensor> read_one(size_t, size_t tensor) override {
    const Entry& entry = entries_[tensor];
    const std::string_view raw = data_.substr(entry.begin, entry.end - entry.begin);
    Tensor out{entry.name, entry.shape, DType::kFloat32, {}, {}, {}};
    const auto each = [&](auto& to, auto make) {
      const size_t size = width(entry.dtype);
      to.resize(entry.count);
      for (size_t i = 0; i < to.size(); ++i) to[i] = make(little_endian(raw.substr(i * size, size)));
    };
    if (entry.dtype == "F32") {
      each(out.values, [](uint64_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits)); });
    } else if (entry.dtype == "F16") {
      each(out.values, [](uint64_t bits) { return float16_to_float(static_cast<uint16_t>(bits)); });
    } else if (entry.dtype == "BF16") {
      each(out.values, [](uint64_t bits) { return bfloat16_to_float(static_cast<uint16_t>(bits)); });
    } else if (entry.dtype == "F64") {
      out.dtype = DType::kFloat64;
      each(out.doubles, [](uint64_t bits) { return std::bit_cast<double>(bits); });
    } else if (entry.dtype == "I64") {
      out.dtype = DType::kInt64;
      each(out.integers, [](uint64_t bits) { return static_cast<int64_t>(bits); });
    } else {
      return bad_input(fmt::format("{}: tensor {} is of {}; F32, F64, F16, BF16 and I64 are read", name_,
                                   printable(entry.name), printable(entry.dtype)));
    }
    return out;
  }

  Result<std::optional<nlohmann::ordered_json>> value_of(std::string_view) override { return std::nullopt; }

 private:
  std::vector<Entry> entries_;  // in the order of their elements
  std::string_view data_;
  std::string name_;
};

// The header as JSON; a key given twice is refused, since one of the two would be lost.
Result<nlohmann::json> parse_header(std::string_view text, const std::string& name) {
  constexpr int kDepth = 8;  // {name: {shape: [...]}} and some room
  if (json_nested_deeper(text, kDepth))
    return bad_input(fmt::format("{}: the header is nested deeper than {}", name, kDepth));
  std::set<std::string> names;
  std::string twice;
  const nlohmann::json header = nlohmann::json::parse(
      text.begin(), text.end(),
      [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        if (event == nlohmann::json::parse_event_t::key && depth == 1 &&
            !names.insert(parsed.get<std::string>()).second)
          twice = parsed.get<std::string>();
        return true;
      },
      false);
  if (header.is_discarded() || !header.is_object())
    return bad_input(name + ": the header is no JSON object; the file is damaged");
  if (!twice.empty()) return bad_input(fmt::format("{}: tensor {} is there twice", name, printable(twice)));
  return header;
}

}  // namespace

bool looks_like_safetensors(std::string_view bytes) {
  return bytes.size() > kPrefix && bytes[kPrefix] == '{' &&
         little_endian(bytes.substr(0, kPrefix)) <= kMaxHeader;
}

Result<std::unique_ptr<CheckpointFile>> open_safetensors(std::string_view bytes, const std::string& name) {
  const uint64_t length = bytes.size() < kPrefix ? 0 : little_endian(bytes.substr(0, kPrefix));
  if (length == 0 || length > bytes.size() - kPrefix) {
    return bad_input(fmt::format("{}: a header of {} bytes in a file of {}; it is truncated or damaged", name,
                                 length, bytes.size()));
  }
  MAEIL_ASSIGN(const nlohmann::json header, parse_header(bytes.substr(kPrefix, length), name));
  const std::string_view data = bytes.substr(kPrefix + length);
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__") continue;
    auto entry = entry_of(key, value, data.size());
    if (!entry) return with_context(fmt::format("{}: tensor {}", name, printable(key)), entry.error());
    entries.push_back(std::move(*entry));
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at)
      return bad_input(fmt::format("{}: tensor {} begins at byte {} instead of {}", name,
                                   printable(entry.name), entry.begin, at));
    at = entry.end;
  }
  if (at != data.size())
    return bad_input(
        fmt::format("{}: {} bytes belong to no tensor; the file is damaged", name, data.size() - at));
  return std::make_unique<SafetensorsFile>(std::move(entries), data, name);
}

}  // namespace maeil::format
