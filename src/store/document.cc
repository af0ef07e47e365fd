#include "store/document.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/hash.h"
#include "format/json.h"

namespace maeil::store {
namespace {

// The one member of {"<key>": ...}; null when `value` is anything else.
const Document* only_member(const Document& value, std::string_view key) {
  if (!value.is_object() || value.size() != 1 || value.begin().key() != key) return nullptr;
  return &*value.begin();
}

uint32_t seconds_of(Instant instant) {
  return static_cast<uint32_t>(std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count());
}

Status check_value(const Document& value) {
  if (value.is_binary()) return bad_input("a document holds no bytes: write them as a blob");
  if (value.is_array()) {
    for (const auto& element : value) MAEIL_TRY(check_value(element));
  }
  if (!value.is_object() || is_extended(value)) return {};
  for (const auto& [name, member] : value.items()) {
    if (name.starts_with('$')) {
      return bad_input(
          fmt::format("field \"{}\": a field's name may not begin with $ ($date and $oid are values)", name));
    }
    if (name.find('\0') != std::string::npos) return bad_input("a field's name holds a zero byte");
    MAEIL_TRY(check_value(member));
  }
  return {};
}

}  // namespace

Document date_value(Instant instant) { return Document::object({{"$date", format_instant(instant)}}); }

Result<Instant> instant_of(const Document& value) {
  const Document* date = only_member(value, "$date");
  if (date && date->is_string()) return parse_instant(date->get_ref<const std::string&>());
  if (date && date->is_number_integer()) return Instant{std::chrono::milliseconds{date->get<int64_t>()}};
  if (const Document* number = date ? only_member(*date, "$numberLong") : nullptr;
      number && number->is_string()) {
    const auto& text = number->get_ref<const std::string&>();
    int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc{} && end == text.data() + text.size())
      return Instant{std::chrono::milliseconds{count}};
  }
  return bad_input("a date is written {\"$date\": \"2026-11-23T00:15:00.000Z\"}");
}

Document id_value(std::string_view hex) { return Document::object({{"$oid", hex}}); }

std::string id_text(const Document& value) {
  const Document* id = only_member(value, "$oid");
  if (!id || !id->is_string()) return "";
  std::string hex = id->get<std::string>();
  for (char& c : hex) c = c >= 'A' && c <= 'F' ? static_cast<char>(c | 0x20) : c;
  return is_id(hex) ? hex : "";
}

bool is_id(std::string_view hex) {
  return hex.size() == 24 &&
         std::ranges::all_of(hex, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_extended(const Document& value) {
  if (only_member(value, "$oid")) return !id_text(value).empty();
  return only_member(value, "$date") && instant_of(value).has_value();
}

std::string shown(const Document& value) {
  const std::string text = value.dump(-1, ' ', true, Document::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

Document parse_document(std::string_view json) {
  return parse_json<Document>(json, "document", kMaxDepth).value_or(Document(Document::value_t::discarded));
}

bool nested_at_most(const Document& value, int depth) {
  if (!value.is_structured()) return true;
  return depth > 0 && std::ranges::all_of(
                          value, [&](const Document& member) { return nested_at_most(member, depth - 1); });
}

Status check_document(const Document& document) {
  if (!document.is_object()) return bad_input("a document is a JSON object");
  if (!nested_at_most(document, kMaxDepth))
    return bad_input(fmt::format("a document may be nested {} deep at most", kMaxDepth));
  return check_value(document);
}

uint64_t count_not_finite(const Document& value) {
  if (value.is_number_float()) return std::isfinite(value.get<double>()) ? 0 : 1;
  if (!value.is_structured()) return 0;
  uint64_t count = 0;
  for (const auto& member : value) count += count_not_finite(member);
  return count;
}

std::string new_object_id(Instant instant) {
  uint64_t random = 0;
  // The system's generator: ids must differ between processes and after a fork. 8 bytes never come back
  // short.
  while (::getrandom(&random, sizeof random, 0) != sizeof random) {
  }
  return fmt::format("{:08x}{:016x}", seconds_of(instant), random);
}

std::string task_object_id(std::string_view task_key, std::string_view collection, int n) {
  const auto date = parse_date(task_key.substr(0, 10));
  const std::string digest = sha256_hex(fmt::format("{}\n{}\n{}", task_key, collection, n));
  return fmt::format("{:08x}{}", date ? seconds_of(*date) : 0, std::string_view(digest).substr(0, 16));
}

std::string make_task_key(Days logical_date, std::string_view dag, std::string_view task, int completions) {
  const std::string key = fmt::format("{}/{}/{}", format_date(logical_date), dag, task);
  return completions == 0 ? key : fmt::format("{}#{}", key, completions + 1);
}

}  // namespace maeil::store
