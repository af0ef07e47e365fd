#include "store/field_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace maeil::store {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string_view name_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return "text";
    case FieldKind::kId:
      return "an ObjectId";
    case FieldKind::kCount:
      return "a whole number from 0 on";
    case FieldKind::kNumber:
      return "a number";
    case FieldKind::kFlag:
      return "true or false";
    case FieldKind::kObject:
      return "an object";
    case FieldKind::kList:
      return "a list";
    case FieldKind::kSha256:
      return "a SHA-256 as 64 hex digits";
    case FieldKind::kFileName:
      return "a file's name without a folder";
  }
  return "";
}

bool is_kind(const Document& value, FieldKind kind) {
  switch (kind) {
    case FieldKind::kText:
      return value.is_string();
    case FieldKind::kId:
      return !id_text(value).empty() || (value.is_string() && is_id(value.get_ref<const std::string&>()));
    case FieldKind::kCount:
      return value.is_number_unsigned() || (value.is_number_integer() && value.get<int64_t>() >= 0);
    case FieldKind::kNumber:
      return value.is_number();
    case FieldKind::kFlag:
      return value.is_boolean();
    case FieldKind::kObject:
      return value.is_object() && !is_extended(value);
    case FieldKind::kList:
      return value.is_array();
    case FieldKind::kSha256: {
      if (!value.is_string()) return false;
      const auto& text = value.get_ref<const std::string&>();
      return text.empty() || (text.size() == 64 && text.find_first_not_of(kHexDigits) == std::string::npos);
    }
    case FieldKind::kFileName:
      return value.is_string() && is_file_name(value.get_ref<const std::string&>());
  }
  return false;
}

// What is wrong below `value`; nullopt: nothing. `path` is what is left of the rule's.
std::optional<std::string> wrong_below(const Document& value, std::string_view path, const FieldRule& rule) {
  using Missing = FieldRule::Missing;
  const size_t dot = path.find('.');
  std::string_view step = path.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  const bool each = step.ends_with("[]");
  if (each) step.remove_suffix(2);
  const auto found = value.is_object() ? value.find(std::string(step)) : value.end();
  const bool absent = !value.is_object() || found == value.end();
  if (absent)
    return rule.missing == Missing::kRefused ? std::optional<std::string>("is missing") : std::nullopt;
  if (found->is_null() && rule.missing == Missing::kNullToo) return std::nullopt;
  const auto judge = [&](const Document& one) -> std::optional<std::string> {
    if (!rest.empty()) {
      if (!one.is_object()) return fmt::format("holds {}, not an object", shown(one));
      return wrong_below(one, rest, rule);
    }
    return is_kind(one, rule.kind)
               ? std::nullopt
               : std::optional(fmt::format("is {}, not {}", shown(one), name_of(rule.kind)));
  };
  if (!each) return judge(*found);
  if (!found->is_array()) return fmt::format("is {}, not a list", shown(*found));
  for (const auto& one : *found) {
    if (auto wrong = judge(one)) return wrong;
  }
  return std::nullopt;
}

}  // namespace

tl::unexpected<Error> wrong_field(std::string_view collection, const Document& document,
                                  std::string_view field, std::string_view what) {
  const auto id = document.is_object() ? document.find("_id") : document.end();
  const bool named = document.is_object() && id != document.end();
  const std::string hex = named ? id_text(*id) : "";
  return bad_input(fmt::format("{}, document {}: {} {}: mend the document", collection,
                               !hex.empty() ? hex
                               : named      ? shown(*id)
                                            : "without _id",
                               field, what));
}

Status check_fields(std::string_view collection, const Document& document,
                    std::initializer_list<FieldRule> rules) {
  for (const FieldRule& rule : rules) {
    if (const auto wrong = wrong_below(document, rule.path, rule))
      return wrong_field(collection, document, rule.path, *wrong);
  }
  return {};
}

std::string text_field(const Document& document, const char* field) {
  const auto found = document.is_object() ? document.find(field) : document.end();
  return document.is_object() && found != document.end() && found->is_string() ? found->get<std::string>()
                                                                               : std::string();
}

const Document& field_at(const Document& document, std::string_view path) {
  static const Document none;
  const Document* at = &document;
  while (!path.empty()) {
    const std::string step(path.substr(0, path.find('.')));
    path.remove_prefix(std::min(step.size() + 1, path.size()));
    if (!at->is_object()) return none;
    const auto found = at->find(step);
    if (found == at->end()) return none;
    at = &*found;
  }
  return *at;
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

}  // namespace maeil::store
