#include "table/read_keys.h"

#include <fmt/format.h>

#include "format/dialect_words.h"
#include "table/toml_keys.h"

namespace maeil::table {
namespace {

// A key that is a character, or its name.
Status read_character(const toml::table& table, const std::string& file, Keys& keys, const char* key,
                      std::optional<char>& out) {
  const std::string text = keys.text(key);
  const toml::node* node = table.get(key);
  if (!node || !node->is_string()) return {};
  out = format::parse_dialect_character(text);
  if (out) return {};
  return bad_input(fmt::format(
      "{}:{}: {} of [read] is one character, or tab, comma, semicolon, pipe, blank, none; not '{}'", file,
      node->source().begin.line, key, text));
}

Status read_count(const toml::table& table, const std::string& file, Keys& keys, const char* key,
                  std::optional<size_t>& out) {
  const int64_t count = keys.number(key);
  const toml::node* node = table.get(key);
  if (!node || !node->is_integer()) return {};
  if (count < 0 || count > 1000)
    return bad_input(
        fmt::format("{}:{}: {} of [read] must be 0 to 1000", file, node->source().begin.line, key));
  out = static_cast<size_t>(count);
  return {};
}

}  // namespace

Result<ReadSpec> parse_read_spec(const toml::table& document, const std::string& file) {
  ReadSpec out;
  const toml::node* node = document.get("read");
  if (!node) return out;
  if (!node->is_table())
    return bad_input(fmt::format("{}:{}: read must be a [read] table", file, node->source().begin.line));
  const toml::table& table = *node->as_table();
  const auto place = [&](const char* key) {
    return fmt::format("{}:{}: {} of [read]", file, table.get(key)->source().begin.line, key);
  };
  Keys keys(table, "[read]", file);
  out.encoding = keys.text("encoding");
  MAEIL_TRY(read_character(table, file, keys, "delimiter", out.dialect.delimiter));
  MAEIL_TRY(read_character(table, file, keys, "quote", out.dialect.quote));
  MAEIL_TRY(read_character(table, file, keys, "escape", out.dialect.escape));
  MAEIL_TRY(read_character(table, file, keys, "decimal", out.decimal));
  MAEIL_TRY(read_character(table, file, keys, "thousands", out.thousands));
  MAEIL_TRY(read_count(table, file, keys, "preamble", out.dialect.preamble));
  MAEIL_TRY(read_count(table, file, keys, "header", out.dialect.header));
  MAEIL_TRY(read_count(table, file, keys, "footnote", out.dialect.footnote));
  keys.know("missing");
  MAEIL_TRY(keys.finish());
  if (out.dialect.delimiter == '\0') return bad_input(place("delimiter") + " must be a character");
  if (out.decimal && *out.decimal != ',' && *out.decimal != '.')
    return bad_input(place("decimal") + " must be \",\" or \".\"");
  if (out.thousands && std::string_view(",. '").find(*out.thousands) == std::string_view::npos &&
      *out.thousands != '\0')
    return bad_input(place("thousands") + " must be \",\", \".\", \" \", \"'\" or \"none\"");
  if (out.thousands && *out.thousands == out.decimal.value_or('.'))
    return bad_input(place("thousands") + " must be another character than the decimal one");
  if (const toml::node* missing = table.get("missing")) {
    const auto* words = missing->as_array();
    for (size_t i = 0; words && i < words->size(); ++i) {
      const auto word = (*words)[i].value_exact<std::string>();
      if (!word) return bad_input(place("missing") + " must be a list of texts");
      out.missing.push_back(*word);
    }
    if (!words) return bad_input(place("missing") + " must be a list of texts");
  }
  return out;
}

}  // namespace maeil::table
