#include "copula/text_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <ctime>
#include <limits>
#include <unordered_map>

#include "table/table.h"

namespace maeil::copula {
namespace {

constexpr size_t kMostRepeats = 16;  // of a count without end, as in rdt
constexpr size_t kMostPlaces = 256;
constexpr size_t kMostFormat = 128;  // characters of a date's format
constexpr int64_t kSecondInNanoseconds = 1'000'000'000;

// Every text of a date is shorter: the longest directive (%c) gives 24 characters.
void append_date(std::string& out, const std::string& format, int64_t nanoseconds) {
  int64_t seconds = nanoseconds / kSecondInNanoseconds, rest = nanoseconds % kSecondInNanoseconds;
  if (rest < 0) {
    rest += kSecondInNanoseconds;
    --seconds;
  }
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::string filled;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '%' && i + 1 < format.size()) {
      if (format[i + 1] == 'f')
        filled += fmt::format("{:06}", rest / 1000);
      else if (format[i + 1] == 'z')
        filled += "+0000";
      else
        filled.append(format, i, 2);
      ++i;
    } else {
      filled += format[i];
    }
  }
  char text[32 * kMostFormat];
  out.append(text, std::strftime(text, sizeof text, filled.c_str(), &parts));
}

std::string check(const DateForm& form) {
  if (form.format.empty() || form.format.size() > kMostFormat)
    return fmt::format("a date's format has 1..{} characters", kMostFormat);
  if (form.unit < 1 || form.unit > kSecondInNanoseconds)
    return "a date's unit lies between a nanosecond and a second";
  for (size_t i = 0; i < form.format.size(); ++i) {
    if (form.format[i] != '%') continue;
    std::string_view known = "YymdHIMSfpjaAbBz%";
    if (++i < form.format.size() && (form.format[i] == '-')) {
      ++i;
      known = "ymdHIMSj";
    }
    if (i >= form.format.size() || known.find(form.format[i]) == known.npos)
      return fmt::format("the date format {} has a directive that is not supported", form.format);
  }
  return "";
}

std::string check(const KeyForm& form) {
  if (form.start < 0) return "a key starts below 0";
  const auto pattern = KeyPattern::parse(form.pattern);
  return pattern ? "" : pattern.error().message;
}

void append_range(std::string& out, char first, char last) {
  for (int c = first; c <= last; ++c) out += static_cast<char>(c);
}

// The characters of \d, \w or \s; empty for another letter.
std::string class_of(char letter) {
  std::string out;
  if (letter == 'd' || letter == 'w') append_range(out, '0', '9');
  if (letter == 'w') {
    append_range(out, 'A', 'Z');
    append_range(out, 'a', 'z');
    out += '_';
  }
  if (letter == 's') out = " ";
  return out;
}

// A pattern from its first character to its last; groups by recursion, bounded by `depth`.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : pattern_(pattern) {}

  Result<std::vector<std::string>> read() {
    MAEIL_ASSIGN(auto out, sequence(0));
    if (at_ < pattern_.size()) return wrong("a ) without its (");
    return out;
  }

 private:
  tl::unexpected<Error> wrong(std::string_view what) const {
    return bad_input(fmt::format("the pattern {} has {}", pattern_, what));
  }
  bool is_next(char c) const { return at_ < pattern_.size() && pattern_[at_] == c; }

  Result<std::vector<std::string>> sequence(int depth) {
    if (depth > 16) return wrong("groups nested too deep");
    std::vector<std::string> out;
    while (at_ < pattern_.size() && pattern_[at_] != ')') {
      const char c = pattern_[at_++];
      if (c == '^' || c == '$') continue;
      std::vector<std::string> unit;
      if (c == '(') {
        if (is_next('?')) return wrong("a (?...) group, which is not supported");
        MAEIL_ASSIGN(unit, sequence(depth + 1));
        if (!is_next(')')) return wrong("a ( without its )");
        ++at_;
      } else if (c == '[') {
        MAEIL_ASSIGN(auto characters, character_class());
        unit.push_back(std::move(characters));
      } else if (c == '\\') {
        if (at_ == pattern_.size()) return wrong("a \\ at its end");
        const char letter = pattern_[at_++];
        auto characters = class_of(letter);
        if (characters.empty() && std::isalnum(static_cast<unsigned char>(letter)))
          return wrong(fmt::format("\\{}, which is not supported", letter));
        unit.push_back(characters.empty() ? std::string(1, letter) : std::move(characters));
      } else if (c == '.') {
        unit.push_back(class_of('w'));
      } else if (c == '|' || c == '*' || c == '+' || c == '?' || c == '{') {
        return wrong(fmt::format("a {} in a place that is not supported", c));
        // a whole character of UTF-8, as places of one byte each
      } else if (static_cast<unsigned char>(c) >= 0x80) {
        unit.push_back(std::string(1, c));
        while (at_ < pattern_.size() && (static_cast<unsigned char>(pattern_[at_]) & 0xC0) == 0x80)
          unit.push_back(std::string(1, pattern_[at_++]));
      } else {
        unit.push_back(std::string(1, c));
      }
      MAEIL_ASSIGN(const size_t times, count());
      if (out.size() + times * unit.size() > kMostPlaces)
        return wrong(fmt::format("more than {} places", kMostPlaces));
      for (size_t i = 0; i < times; ++i) out.insert(out.end(), unit.begin(), unit.end());
    }
    return out;
  }

  Result<std::string> character_class() {
    if (is_next('^')) return wrong("a class of other characters, which is not supported");
    std::string out;
    while (!is_next(']')) {
      if (at_ >= pattern_.size()) return wrong("a [ without its ]");
      const char c = pattern_[at_++];
      if (static_cast<unsigned char>(c) >= 0x80)
        return wrong("a class with a character beyond ASCII, which is not supported");
      if (c == '\\' && at_ < pattern_.size()) {
        const auto characters = class_of(pattern_[at_]);
        out += characters.empty() ? std::string(1, pattern_[at_]) : characters;
        ++at_;
      } else if (is_next('-') && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        if (pattern_[at_ + 1] < c) return wrong("a class whose range falls");
        append_range(out, c, pattern_[at_ + 1]);
        at_ += 2;
      } else {
        out += c;
      }
    }
    ++at_;
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    if (out.empty()) return wrong("an empty class");
    return out;
  }

  Result<size_t> count() {
    if (at_ >= pattern_.size()) return 1;
    const char c = pattern_[at_];
    if (c == '*' || c == '+' || c == '?') {
      ++at_;
      return c == '?' ? 1 : kMostRepeats;
    }
    if (c != '{') return 1;
    const size_t end = pattern_.find('}', at_);
    if (end == pattern_.npos) return wrong("a { without its }");
    std::string_view inside = pattern_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    if (const size_t comma = inside.find(','); comma != inside.npos) {
      if (comma + 1 == inside.size()) return kMostRepeats;
      inside = inside.substr(comma + 1);
    }
    size_t out = 0;
    const auto [stop, code] = std::from_chars(inside.data(), inside.data() + inside.size(), out);
    if (code != std::errc() || stop != inside.data() + inside.size() || out > kMostPlaces)
      return wrong("a count that is none");
    return out;
  }

  std::string_view pattern_;
  size_t at_ = 0;
};

}  // namespace

std::string check_text_form(const TextForm& form) {
  return std::visit([](const auto& one) { return check(one); }, form);
}

std::string date_text(const std::string& format, int64_t nanoseconds) {
  std::string out;
  append_date(out, format, nanoseconds);
  return out;
}

Result<KeyPattern> KeyPattern::parse(std::string_view pattern) {
  KeyPattern out;
  MAEIL_ASSIGN(out.places_, PatternReader(pattern).read());
  return out;
}

std::string KeyPattern::text(uint64_t n) const {
  std::string out(places_.size(), '\0');
  for (size_t i = places_.size(); i-- > 0;) {
    out[i] = places_[i][n % places_[i].size()];
    n /= places_[i].size();
  }
  if (n > 0) out += fmt::format("({})", n - 1);
  return out;
}

TextDraw::TextDraw(const TextForm& form) : form_(form) {
  if (const auto* key = std::get_if<KeyForm>(&form_)) pattern_ = *KeyPattern::parse(key->pattern);
}

void TextDraw::operator()(uint64_t first_row, const std::vector<double>& numbers,
                          std::vector<uint32_t>& codes, std::vector<std::string>& dictionary) const {
  dictionary.clear();
  codes.resize(numbers.size());
  const auto* date = std::get_if<DateForm>(&form_);
  std::unordered_map<std::string, uint32_t> known;
  std::string text;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (std::isnan(numbers[i])) {
      codes[i] = kMissing;
      continue;
    }
    text.clear();
    if (date) {
      append_date(text, date->format, static_cast<int64_t>(numbers[i]) * date->unit);
    } else {
      const auto& key = std::get<KeyForm>(form_);
      text = pattern_->text(static_cast<uint64_t>(key.start) + first_row + i);
      if (key.integer && !text.empty()) text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
      text = key.before + text + key.after;
    }
    const auto [found, added] = known.emplace(text, static_cast<uint32_t>(dictionary.size()));
    if (added) dictionary.push_back(text);
    codes[i] = found->second;
  }
}

}  // namespace maeil::copula
