#include "table/identifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/hash.h"
#include "table/field_values.h"

namespace maeil::table {
namespace {

struct Alphabet {
  std::string_view name, characters;
};
// The first that has all characters of a place is taken.
constexpr std::array<Alphabet, 9> kAlphabets{
    {{"digits", "0123456789"},
     {"hex", "0123456789abcdef"},
     {"upper hex", "0123456789ABCDEF"},
     {"lower", "abcdefghijklmnopqrstuvwxyz"},
     {"upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
     {"lower and digits", "0123456789abcdefghijklmnopqrstuvwxyz"},
     {"upper and digits", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
     {"letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"},
     {"letters and digits", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}}};
constexpr std::string_view kDigits = kAlphabets[0].characters;
constexpr size_t kMostPlaces = 256, kMostDigits = 15, kCounterDigits = 8;
constexpr double kLeastPatternValues = 20;  // a pattern of fewer gives them away
constexpr double kLeastPlaces = 1000;       // of a pattern with letters, for each value
// Texts of so many values are no labels, when the column's name or their one pattern says what they are.
constexpr double kManyNamedValues = 100, kManyPatternValues = 1000;
// The counter's places: a product of 64 bits, and one step of an alphabet of 62.
constexpr uint64_t kMostCapacity = uint64_t{1} << 56;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The last word of "LOAN_NO", "loanNo", "loan no.", in lower case.
std::string last_word(std::string_view name) {
  size_t end = name.size();
  while (end > 0 && !is_letter(name[end - 1])) --end;
  size_t begin = end;
  const auto upper = [&](size_t i) { return name[i] >= 'A' && name[i] <= 'Z'; };
  while (begin > 0 && is_letter(name[begin - 1]) && !(begin < end && upper(begin) && !upper(begin - 1)))
    --begin;
  std::string out(name.substr(begin, end - begin));
  for (char& c : out) c = static_cast<char>(c | 0x20);
  return out;
}

bool names_identifier(std::string_view name) {
  static constexpr std::string_view kWords[] = {"id",     "ids",      "no",   "nr",   "nbr",  "num",
                                                "number", "key",      "ssn",  "uuid", "guid", "phone",
                                                "email",  "passport", "iban", "acct"};
  return std::find(std::begin(kWords), std::end(kWords), last_word(name)) != std::end(kWords);
}

// Whole numbers of a sample as numbers and as digits without ".0"; empty where one is none, is negative or
// has more than 15 digits.
struct Wholes {
  std::vector<double> values;
  size_t shortest = SIZE_MAX, longest = 0;
  size_t round = 0;  // that end in 0
};
Wholes whole_numbers(const std::vector<std::string_view>& texts) {
  Wholes out;
  for (const auto text : texts) {
    const auto value = read_number(text);
    if (!value || *value < 0 || *value != std::floor(*value) || *value >= 1e15) return {};
    const size_t width = fmt::format("{:.0f}", *value).size();
    out.values.push_back(*value);
    out.shortest = std::min(out.shortest, width);
    out.longest = std::max(out.longest, width);
    out.round += std::fmod(*value, 10) == 0;
  }
  return out;
}

// Dates written as numbers: YYYYMMDD with a time of day or without, or seconds since 1970 of the years 2001
// to 2037.
bool all_dates(const std::vector<double>& values) {
  const auto day = [](double x) {
    const auto date = static_cast<uint64_t>(x);
    const auto year = date / 10000, month = date / 100 % 100, in_month = date % 100;
    return year >= 1900 && year <= 2199 && month >= 1 && month <= 12 && in_month >= 1 && in_month <= 31;
  };
  const auto time = [&](double x) {
    return x >= 1e13 ? day(std::floor(x / 1e6)) : x >= 1e11 && day(std::floor(x / 1e4));
  };
  const auto seconds = [](double x) { return x >= 1e9 && x < 2.145e9; };
  const auto all = [&](const auto& test) { return std::all_of(values.begin(), values.end(), test); };
  return all([&](double x) { return x < 1e8 && day(x); }) || all(time) || all(seconds);
}

bool is_identifier(std::string_view name, const Wholes& numbers, const DistinctSample& sample) {
  constexpr uint64_t kLeastRows = 20;
  if (numbers.values.empty() || sample.rows() < kLeastRows) return false;
  const double n = static_cast<double>(sample.rows()), distinct = sample.distinct();
  if (distinct * 10 < n) return false;
  // dependents_no, num_of_loans: a name alone does not make a quantity an identifier.
  if (names_identifier(name) && (distinct * 2 >= n || sample.rows_of_rare(kFewRows) * 2 > n)) return true;
  const auto [low, high] = std::minmax_element(numbers.values.begin(), numbers.values.end());
  // Draws with replacement from any law on the range have at least so many equal pairs.
  const double pairs = n * (n - 1) / (2 * (*high - *low + 1));
  if (pairs >= 10 * (1 - 1e-9) * (n - 1) / n && n - distinct <= pairs / 10 && !all_dates(numbers.values))
    return true;
  const bool one_width = numbers.shortest == numbers.longest && numbers.longest >= 7;
  return one_width && numbers.round * 4 <= numbers.values.size() && !all_dates(numbers.values);
}

// The pattern of values that have one length and, place by place, one alphabet; no parts where they have
// none.
std::vector<PatternPart> places_of(const std::vector<std::string_view>& texts) {
  std::vector<PatternPart> out;
  const size_t length = texts.front().size();
  if (length == 0 || length > kMostPlaces) return {};
  if (std::any_of(texts.begin(), texts.end(), [&](auto text) { return text.size() != length; })) return {};
  bool any = false;
  for (size_t i = 0; i < length; ++i) {
    std::array<bool, 256> seen{};
    for (const auto text : texts) seen[static_cast<uint8_t>(text[i])] = true;
    if (std::count(seen.begin(), seen.end(), true) == 1) {
      if (out.empty() || !out.back().alphabet.empty()) out.push_back({});
      out.back().text += texts.front()[i];
      continue;
    }
    const auto fits = [&](const Alphabet& alphabet) {
      for (size_t c = 0; c < seen.size(); ++c) {
        if (seen[c] && (c >= 128 || alphabet.characters.find(static_cast<char>(c)) == std::string_view::npos))
          return false;
      }
      return true;
    };
    const auto found = std::find_if(kAlphabets.begin(), kAlphabets.end(), fits);
    if (found == kAlphabets.end()) return {};
    if (out.empty() || out.back().alphabet != found->characters)
      out.push_back({"", std::string(found->characters), 0});
    ++out.back().count;
    any = true;
  }
  return any ? out : std::vector<PatternPart>();
}

// "C1" ... "C10000": a text that all begin with, and digits as many as the longest has.
std::vector<PatternPart> prefix_and_digits(const std::vector<std::string_view>& texts) {
  std::string_view prefix = texts.front();
  size_t longest = 0;
  for (const auto text : texts)
    prefix = prefix.substr(
        0, static_cast<size_t>(std::mismatch(prefix.begin(), prefix.end(), text.begin(), text.end()).first -
                               prefix.begin()));
  while (!prefix.empty() && is_digit(prefix.back())) prefix.remove_suffix(1);
  for (const auto text : texts) {
    const auto rest = text.substr(prefix.size());
    if (rest.empty() || !std::all_of(rest.begin(), rest.end(), is_digit)) return {};
    longest = std::max(longest, rest.size());
  }
  if (longest > kMostDigits || prefix.size() + longest > kMostPlaces) return {};
  std::vector<PatternPart> out;
  if (!prefix.empty()) out.push_back({std::string(prefix), "", 0});
  out.push_back({"", std::string(kDigits), longest});
  return out;
}

double power_of_ten(size_t exponent) { return std::pow(10.0, static_cast<double>(exponent)); }

// The places of a pattern that has digits alone, 15 at most; nothing elsewhere.
std::optional<size_t> count_digits(const std::vector<PatternPart>& parts) {
  size_t out = 0;
  for (const auto& part : parts) {
    if (!part.alphabet.empty() && part.alphabet != kDigits) return std::nullopt;
    out += part.count;
  }
  return out > kMostDigits ? std::nullopt : std::optional(out);
}

// The digits in the pattern's places as one number: the largest of the texts, which may be shorter in a last
// run.
double largest_number(const std::vector<PatternPart>& parts, const std::vector<std::string_view>& texts) {
  double out = 0;
  for (const auto text : texts) {
    double value = 0;
    size_t at = 0;
    for (const auto& part : parts) {
      const size_t end = std::min(text.size(), at + part.text.size() + part.count);
      for (at += part.text.size(); at < end; ++at) value = value * 10 + (text[at] - '0');
    }
    out = std::max(out, value);
  }
  return out;
}

// Places for as many numbers as the data have, all above those of the data: rounded up to two digits, or with
// one more place in the first run. False: there are no such places.
bool start_above(double largest, double values, IdentifierPattern& pattern) {
  const size_t width = count_digits(pattern.parts).value_or(0);
  const double unit = power_of_ten(width > 2 ? width - 2 : 0),
               above = (std::floor(largest / unit) + 1) * unit;
  const bool room = power_of_ten(width) - above >= values;
  if (!room) {
    if (width >= kMostDigits) return false;
    const auto run = std::ranges::find_if(pattern.parts, [](const auto& part) { return part.count > 0; });
    ++run->count;
    // "L-00" and 4 digits become "L-0" and 5: as long as before.
    if (run != pattern.parts.begin() && (run - 1)->text.ends_with('0')) {
      (run - 1)->text.pop_back();
      if ((run - 1)->text.empty()) pattern.parts.erase(run - 1);
    }
  }
  pattern.start = static_cast<uint64_t>(room ? above : power_of_ten(width));
  return true;
}

std::string upper_name(std::string_view name) {
  std::string out;
  for (const char c : name) out += is_letter(c) || is_digit(c) || static_cast<uint8_t>(c) >= 128 ? c : '_';
  return out.substr(0, 64).empty() ? "value" : out.size() > 64 ? "value" : out;
}

// Numbers that owe nothing to those of the data but their being whole.
IdentifierPattern number_counter() {
  return {.parts = {{"", std::string(kDigits), kCounterDigits}},
          .start = static_cast<uint64_t>(power_of_ten(kCounterDigits - 1))};
}

// In the form of an address where all are (example.com is nobody's: RFC 2606).
IdentifierPattern text_counter(std::string_view name, const std::vector<std::string_view>& texts) {
  const bool mail = std::all_of(texts.begin(), texts.end(),
                                [](auto text) { return std::count(text.begin(), text.end(), '@') == 1; });
  IdentifierPattern out;
  out.parts = {{mail ? "user" : upper_name(name) + "-", "", 0}, {"", std::string(kDigits), kCounterDigits}};
  if (mail) out.parts.push_back({"@example.com", "", 0});
  return out;
}

std::vector<PatternPart> parts_of(const std::vector<std::string_view>& texts) {
  auto out = places_of(texts);
  return out.empty() ? prefix_and_digits(texts) : out;
}

IdentifierPattern learn_pattern(std::string_view name, const std::vector<std::string_view>& texts,
                                double values) {
  IdentifierPattern out{.parts = parts_of(texts)};
  if (out.parts.empty() || values < kLeastPatternValues) return text_counter(name, texts);
  if (count_digits(out.parts))
    return start_above(largest_number(out.parts, texts), values, out) ? out : text_counter(name, texts);
  // What new values are among the letters cannot be kept apart from the data's, so those must be few among
  // all that there could be.
  double places = 1;
  for (const auto& part : out.parts)
    places *= std::pow(static_cast<double>(part.alphabet.size()), static_cast<double>(part.count));
  return places >= kLeastPlaces * values ? out : text_counter(name, texts);
}

IdentifierPattern learn_number_pattern(const Wholes& numbers, double values) {
  if (numbers.values.empty() || values < kLeastPatternValues) return number_counter();
  IdentifierPattern out{.parts = {{"", std::string(kDigits), numbers.longest}}};
  return start_above(*std::max_element(numbers.values.begin(), numbers.values.end()), values, out)
             ? out
             : number_counter();
}

bool is_text_identifier(std::string_view name, const std::vector<std::string_view>& texts,
                        const DistinctSample& sample) {
  if (sample.rows_of_rare(kFewRows) * 2 > static_cast<double>(sample.rows())) return true;
  const double values = sample.distinct();
  return (values >= kManyNamedValues && names_identifier(name)) ||
         (values >= kManyPatternValues && !parts_of(texts).empty());
}

}  // namespace

std::optional<Identifier> find_identifier(std::string_view name, bool number, bool always,
                                          const DistinctSample& values) {
  if (values.rows() == 0) return std::nullopt;
  auto texts = values.texts();
  texts.push_back(values.largest());
  Identifier out{.values = values.distinct(), .rows = values.rows()};
  if (number) {
    const Wholes numbers = whole_numbers(texts);
    if (!always && !is_identifier(name, numbers, values)) return std::nullopt;
    out.pattern = learn_number_pattern(numbers, out.values);
  } else {
    if (!always && !is_text_identifier(name, texts, values)) return std::nullopt;
    out.pattern = learn_pattern(name, texts, out.values);
  }
  out.pattern.rows_per_value = std::max(1.0, static_cast<double>(out.rows) / out.values);
  return out;
}

std::string describe(const IdentifierPattern& pattern) {
  std::string out;
  for (const auto& part : pattern.parts)
    out += part.alphabet.empty() ? part.text
                                 : fmt::format("{{{} {}}}", part.count, alphabet_name(part.alphabet));
  return out;
}

std::string_view alphabet_name(std::string_view alphabet) {
  const auto found = std::find_if(kAlphabets.begin(), kAlphabets.end(),
                                  [&](const Alphabet& one) { return one.characters == alphabet; });
  return found == kAlphabets.end() ? "" : found->name;
}

std::string_view alphabet_named(std::string_view name) {
  const auto found = std::find_if(kAlphabets.begin(), kAlphabets.end(),
                                  [&](const Alphabet& one) { return one.name == name; });
  return found == kAlphabets.end() ? "" : found->characters;
}

Status check_pattern(const IdentifierPattern& pattern, bool number) {
  size_t places = 0, length = 0;
  for (const auto& part : pattern.parts) {
    if (part.alphabet.empty() ? part.text.empty() : alphabet_name(part.alphabet).empty() || part.count == 0)
      return bad_input("a pattern has a part that is none");
    if (part.text.size() > kMostPlaces || part.count > kMostPlaces)
      return bad_input(fmt::format("a pattern has more than {} characters", kMostPlaces));
    places += part.alphabet.empty() ? 0 : part.count;
    length += part.alphabet.empty() ? part.text.size() : part.count;
  }
  if (places == 0 || length > kMostPlaces)
    return bad_input(
        fmt::format("a pattern has 1 to {} characters, one of an alphabet at least", kMostPlaces));
  if (number && (pattern.parts.size() != 1 || pattern.parts[0].alphabet != kDigits || places > kMostDigits)) {
    return bad_input(fmt::format("the pattern of a number is 1 to {} digits", kMostDigits));
  }
  if (!(pattern.rows_per_value >= 1 && pattern.rows_per_value <= 1e15))
    return bad_input("the rows per value of a pattern must lie in 1..1e15");
  double capacity = 1;
  for (auto part = pattern.parts.rbegin(); part != pattern.parts.rend(); ++part) {
    for (size_t i = 0;
         !part->alphabet.empty() && i < part->count && capacity < static_cast<double>(kMostCapacity); ++i)
      capacity *= static_cast<double>(part->alphabet.size());
  }
  if (static_cast<double>(pattern.start) >= std::min(capacity, static_cast<double>(kMostCapacity)))
    return bad_input("a pattern starts beyond its places");
  return {};
}

IdentifierWriter::IdentifierWriter(const IdentifierPattern& pattern, uint64_t column)
    : pattern_(pattern), column_(column) {
  for (auto part = pattern_.parts.rbegin(); part != pattern_.parts.rend(); ++part) {
    if (part->alphabet.empty()) continue;
    for (size_t i = 0; i < part->count && capacity_ < kMostCapacity; ++i, ++counted_)
      capacity_ *= part->alphabet.size();
  }
}

IdentifierWriter::Place IdentifierWriter::place_of(uint64_t seed, uint64_t row) const {
  const auto k = static_cast<uint64_t>(static_cast<double>(row) / pattern_.rows_per_value);
  const uint64_t range = capacity_ - pattern_.start;
  // k -> a k + b modulo the range is one to one where a has no divisor in common with it.
  uint64_t a = std::max<uint64_t>(static_cast<uint64_t>(0.6180339887498949 * static_cast<double>(range)), 1);
  while (std::gcd(a, range) != 1) ++a;
  const uint64_t b = hash64(fmt::format("{}", column_), seed) % range;
  const auto product = static_cast<unsigned __int128>(k % range) * a + b;
  return {pattern_.start + static_cast<uint64_t>(product % range), k / range};
}

double IdentifierWriter::number(uint64_t seed, uint64_t row) const {
  const Place place = place_of(seed, row);
  return static_cast<double>(place.value) + static_cast<double>(place.round) * static_cast<double>(capacity_);
}

void IdentifierWriter::write(uint64_t seed, uint64_t row, std::string& out) const {
  const Place place = place_of(seed, row);
  out.clear();
  for (const auto& part : pattern_.parts)
    part.alphabet.empty() ? out.append(part.text) : out.append(part.count, '\0');
  uint64_t value = place.value, random = 0;
  size_t counted = 0, at = out.size();
  for (auto part = pattern_.parts.rbegin(); part != pattern_.parts.rend(); ++part) {
    if (part->alphabet.empty()) {
      at -= part->text.size();
      continue;
    }
    for (size_t i = 0; i < part->count; ++i) {
      const size_t K = part->alphabet.size();
      if (counted++ == counted_) value = 0;
      if (counted > counted_)
        value = random = hash64({reinterpret_cast<const char*>(&random), sizeof random},
                                seed ^ (place.value * 0x9E3779B97F4A7C15) ^ column_);
      out[--at] = part->alphabet[value % K];
      value /= K;
    }
  }
  if (place.round > 0) out += fmt::format("-{}", place.round);
}

}  // namespace maeil::table
