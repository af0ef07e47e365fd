#include "columnar/column_type.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <string_view>
#include <vector>

namespace maeil::columnar {
namespace {

// "ARROW:extension:name" of a field's metadata: a number of pairs, each text behind its length. "": none.
std::string extension_of(const char* metadata) {
  if (!metadata) return "";
  const auto number = [&] {
    int32_t out;
    std::memcpy(&out, metadata, sizeof out);
    metadata += sizeof out;
    return out;
  };
  const auto text = [&] {
    const int32_t size = number();
    const std::string_view out(metadata, static_cast<size_t>(size));
    metadata += size;
    return out;
  };
  for (int32_t left = number(); left > 0; --left) {
    const auto key = text(), value = text();
    if (key == "ARROW:extension:name") return std::string(value);
  }
  return "";
}

std::vector<int> numbers_of(std::string_view text) {
  std::vector<int> out;
  for (const char* at = text.data(); at <= text.data() + text.size();) {
    int value = 0;
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), value);
    if (error != std::errc()) return {};
    out.push_back(value);
    at = end + 1;
  }
  return out;
}

ColumnType refused(std::string name) { return {.kind = ValueKind::kRefused, .name = std::move(name)}; }

std::string nested_name(std::string_view format) {
  switch (format.size() > 1 ? format[1] : '\0') {
    case 'l':
    case 'L':
    case 'v':
    case 'w':
      return "list";
    case 's':
      return "struct";
    case 'm':
      return "map";
    case 'u':
      return "union";
    case 'r':
      return "run-end encoded";
    default:
      return "nested";
  }
}

int64_t unit_of(char letter) {
  return letter == 's' ? 1 : letter == 'm' ? 1'000 : letter == 'u' ? 1'000'000 : 1'000'000'000;
}

ColumnType decimal_type(std::string_view format) {
  const auto numbers = numbers_of(format.substr(2));  // behind "d:"
  const int bits = numbers.size() == 3 ? numbers[2] : 128;
  if (numbers.size() < 2 || (bits != 32 && bits != 64 && bits != 128 && bits != 256) || numbers[1] < -1000 ||
      numbers[1] > 1000)
    return refused(fmt::format("decimal '{}'", format));
  return {.kind = ValueKind::kDecimal,
          .width = bits / 8,
          .scale = numbers[1],
          .name = fmt::format("decimal({}, {})", numbers[0], numbers[1])};
}

ColumnType time_type(std::string_view format) {
  const char what = format.size() > 1 ? format[1] : '\0', unit = format.size() > 2 ? format[2] : '\0';
  if (what == 'd') return {.kind = ValueKind::kDate, .width = unit == 'D' ? 4 : 8, .name = "date"};
  if (what == 't') {
    return {.kind = ValueKind::kTime,
            .width = unit == 's' || unit == 'm' ? 4 : 8,
            .unit = unit_of(unit),
            .name = "time"};
  }
  if (what == 's' && format.size() >= 4) {
    ColumnType out{.kind = ValueKind::kTimestamp, .width = 8, .unit = unit_of(unit), .name = "timestamp"};
    const std::string zone(format.substr(4));
    if (zone.empty()) return out;
    out.zone = Zone::find(zone);
    if (!out.zone)
      return refused(fmt::format("timestamp of the time zone '{}', which this machine lacks", zone));
    out.name = "timestamp of " + zone;
    return out;
  }
  return refused(what == 'D' ? "duration" : what == 'i' ? "interval" : fmt::format("'{}'", format));
}

ColumnType plain_type(std::string_view format) {
  const auto number = [](ValueKind kind, int width, const char* name) {
    return ColumnType{.kind = kind, .width = width, .name = name};
  };
  if (format.size() == 1) {
    switch (format[0]) {
      case 'n':
        return number(ValueKind::kNull, 0, "null");
      case 'b':
        return number(ValueKind::kBoolean, 0, "boolean");
      case 'c':
        return number(ValueKind::kSigned, 1, "int8");
      case 'C':
        return number(ValueKind::kUnsigned, 1, "uint8");
      case 's':
        return number(ValueKind::kSigned, 2, "int16");
      case 'S':
        return number(ValueKind::kUnsigned, 2, "uint16");
      case 'i':
        return number(ValueKind::kSigned, 4, "int32");
      case 'I':
        return number(ValueKind::kUnsigned, 4, "uint32");
      case 'l':
        return number(ValueKind::kSigned, 8, "int64");
      case 'L':
        return number(ValueKind::kUnsigned, 8, "uint64");
      case 'e':
        return number(ValueKind::kFloat, 2, "float16");
      case 'f':
        return number(ValueKind::kFloat, 4, "float32");
      case 'g':
        return number(ValueKind::kFloat, 8, "float64");
      case 'u':
        return number(ValueKind::kText, 4, "text");
      case 'U':
        return number(ValueKind::kText, 8, "text");
      case 'z':
      case 'Z':
        return refused("binary");
      default:
        break;
    }
  }
  if (format == "vu") return number(ValueKind::kText, 16, "text");
  if (format == "vz" || format.starts_with("w:")) return refused("binary");
  if (format.starts_with("d:")) return decimal_type(format);
  if (format.starts_with('t')) return time_type(format);
  if (format.starts_with('+')) return refused(nested_name(format));
  return refused(fmt::format("'{}'", format));
}

}  // namespace

ColumnType column_type(const ArrowSchema& schema) {
  const std::string extension = extension_of(schema.metadata);
  // What is stored need not be what is meant (a period's number, a boolean's byte): but JSON is text.
  if (!extension.empty() && extension != "arrow.json")
    return refused(fmt::format("extension type {}", extension));
  if (!schema.dictionary) return plain_type(schema.format);
  const ColumnType index = plain_type(schema.format);
  if (schema.dictionary->dictionary ||
      (index.kind != ValueKind::kSigned && index.kind != ValueKind::kUnsigned))
    return refused("dictionary of dictionaries");
  ColumnType out = column_type(*schema.dictionary);
  out.index = index.kind;
  out.index_width = index.width;
  return out;
}

bool is_alike(const ColumnType& a, const ColumnType& b) {
  if (a.kind == ValueKind::kNull || b.kind == ValueKind::kNull) return true;
  const auto whole = [](const ColumnType& type) {
    return type.kind == ValueKind::kSigned || type.kind == ValueKind::kUnsigned;
  };
  if (whole(a) && whole(b)) return true;
  if (a.kind != b.kind) return false;
  if (a.kind == ValueKind::kDecimal) return a.scale == b.scale;
  if (a.kind != ValueKind::kTimestamp) return true;
  return (a.zone ? a.zone->name() : "") == (b.zone ? b.zone->name() : "");
}

}  // namespace maeil::columnar
