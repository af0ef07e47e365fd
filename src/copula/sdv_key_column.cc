#include "copula/sdv_key_column.h"

#include <cctype>
#include <cmath>

#include "format/numpy.h"

namespace maeil::copula {
namespace {

constexpr const char* kNumber = "[0-9]{19}";  // as many digits as a row's number may have

// Literal characters as a pattern.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c)) && c != '_' &&
        c != '-' && c != ' ')
      out += '\\';
    out += c;
  }
  return out;
}

// Faker's templates: ? is a letter, # a digit, % a digit but 0, ! a digit or nothing, @ a digit but 0 or
// nothing.
std::string faker_pattern(const std::string& text, const std::string& letters, bool has_letters,
                          bool has_digits) {
  std::string out;
  for (const char c : text) {
    if (has_letters && c == '?')
      out += fmt::format("[{}]", letters);
    else if (has_digits && (c == '#' || c == '!'))
      out += "[0-9]";
    else if (has_digits && (c == '%' || c == '@'))
      out += "[1-9]";
    else
      out += quoted(std::string(1, c));
  }
  return out;
}

bool is_number(const std::string& dtype) {
  return dtype.starts_with("int") || dtype.starts_with("uint") || dtype.starts_with("Int") ||
         dtype.starts_with("UInt");
}

Result<KeyForm> read_faker(const SdvColumn& column, std::vector<std::string>& notes) {
  MAEIL_ASSIGN(const auto function, column.transformer.text("function_name"));
  MAEIL_ASSIGN(const auto arguments, column.transformer.given("function_kwargs"));
  const auto argument = [&](const char* name) -> std::optional<std::string> {
    const auto found = arguments ? arguments->find(name) : std::nullopt;
    return found ? format::text_of(found->value) : std::nullopt;
  };
  KeyForm out;
  out.integer = is_number(column.dtype);
  const auto text = argument("text");
  if (function == "random_int") {
    const auto min = arguments ? arguments->find("min") : std::nullopt;
    const double start = min ? format::number_of(min->value).value_or(0) : 0;
    out.pattern = kNumber;
    out.integer = true;
    out.start = start >= 0 && start < 1e15 ? static_cast<int64_t>(start) : 0;
    return out;
  }
  if (text && (function == "bothify" || function == "lexify" || function == "numerify")) {
    std::string letters;
    for (const char c : argument("letters").value_or("")) letters += quoted(std::string(1, c));
    out.pattern = faker_pattern(*text, letters.empty() ? "A-Za-z" : letters, function != "numerify",
                                function != "lexify");
    return out;
  }
  const std::string stem = function.value_or("text");
  notes.push_back(fmt::format("column {} is not drawn from Faker's {}: it counts rows as {}-0000000",
                              column.name, stem, stem));
  out.pattern = out.integer ? kNumber : quoted(stem + "-") + "[0-9]{7}";
  return out;
}

}  // namespace

Result<KeyForm> read_sdv_generator(const SdvColumn& column, std::vector<std::string>& notes) {
  const SdvValue& transformer = column.transformer;
  const auto kind = transformer.class_name();
  KeyForm out;
  out.integer = is_number(column.dtype);
  if (kind == "RegexGenerator") {
    MAEIL_ASSIGN(const auto pattern, transformer.text("regex_format"));
    if (!pattern) return bad_input("a RegexGenerator has no regex_format");
    out.pattern = *pattern;
  } else if (kind == "IDGenerator" || kind == "IndexGenerator") {
    MAEIL_ASSIGN(const auto prefix, transformer.text("prefix"));
    MAEIL_ASSIGN(const auto suffix, transformer.text("suffix"));
    MAEIL_ASSIGN(const auto start, transformer.number("starting_value"));
    if (start && !(*start >= 0 && *start < 1e15 && *start == std::nearbyint(*start)))
      return bad_input(fmt::format("an {} that starts at {} is not supported", kind, *start));
    out.start = static_cast<int64_t>(start.value_or(0));
    out.before = prefix.value_or("");
    out.after = suffix.value_or("");
    out.pattern = kNumber;
    out.integer = true;
  } else if (kind == "AnonymizedFaker" || kind == "PseudoAnonymizedFaker") {
    return read_faker(column, notes);
  } else {
    return bad_input(fmt::format("the transformer {} is not supported", kind));
  }
  return out;
}

}  // namespace maeil::copula
