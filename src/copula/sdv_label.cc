#include "copula/sdv_label.h"

#include <algorithm>
#include <cmath>

#include "base/calendar.h"
#include "copula/single_precision.h"
#include "copula/text_form.h"
#include "format/number_text.h"
#include "format/numpy.h"

namespace maeil::copula {
namespace {

using format::PickleKind;
using format::PickleValue;

constexpr int64_t kSecondOfNanoseconds = 1'000'000'000;

std::string float_text(double value) {
  std::string out;
  format::append_float(out, value);
  return out;
}

// Of a numpy scalar; "" for anything else.
std::string scalar_type(PickleValue key) {
  if (!key.is(PickleKind::kObject) || key.argument_count() == 0) return "";
  return format::read_dtype(key.argument(0)).value_or("");
}

bool is_bool(PickleValue key) { return key.is(PickleKind::kBool) || scalar_type(key) == "bool"; }

bool is_whole(PickleValue key) {
  const auto type = scalar_type(key);
  return key.is(PickleKind::kInteger) || type.starts_with("int") || type.starts_with("uint");
}

bool is_real(PickleValue key) { return key.is(PickleKind::kReal) || scalar_type(key).starts_with("float"); }

// Nanoseconds since 1970 of a pandas Timestamp without a zone, numpy's datetime64 or a datetime.datetime;
// empty for anything else.
std::optional<int64_t> time_of(PickleValue key) {
  if (key.is_class("pandas._libs.tslibs.timestamps._unpickle_timestamp") && key.argument_count() >= 3 &&
      key.argument(2).is_none()) {
    const auto value = key.argument(0).integer();
    // numpy's NPY_FR_ns
    const auto resolution = key.argument_count() > 3 ? key.argument(3).integer().value_or(0) : 10;
    constexpr int64_t kUnits[] = {kSecondOfNanoseconds, 1'000'000, 1000, 1};
    if (!value || resolution < 7 || resolution > 10) return {};
    int64_t out = 0;
    if (__builtin_mul_overflow(*value, kUnits[resolution - 7], &out)) return {};
    return out;
  }
  if (const auto scalar = format::nanoseconds_of(key)) return scalar;
  const auto bytes =
      key.is_class("datetime.datetime") && key.argument_count() == 1 ? key.argument(0).bytes() : std::nullopt;
  if (!bytes || bytes->size() != 10) return {};
  const auto at = [&](size_t i) { return static_cast<int>(static_cast<unsigned char>((*bytes)[i])); };
  const auto day = day_of(at(0) * 256 + at(1), at(2) & 127, at(3));
  if (!day) return {};
  const int64_t days = day->time_since_epoch().count(),
                seconds = days * 86400 + at(4) * 3600 + at(5) * 60 + at(6);
  int64_t out = 0;
  if (__builtin_mul_overflow(seconds, kSecondOfNanoseconds, &out)) return {};
  return out + int64_t{(at(7) * 256 + at(8)) * 256 + at(9)} * 1000;
}

std::string time_text(int64_t nanoseconds) {
  if (nanoseconds % 1000 != 0)
    return date_text("%Y-%m-%d %H:%M:%S.%f", nanoseconds) +
           fmt::format("{:03}", (nanoseconds % 1000 + 1000) % 1000);
  return date_text(nanoseconds % kSecondOfNanoseconds ? "%Y-%m-%d %H:%M:%S.%f" : "%Y-%m-%d %H:%M:%S",
                   nanoseconds);
}

// Values of Python's own classes, as str() shows them; empty for what is none.
std::optional<std::string> object_text(PickleValue key) {
  if (const auto time = time_of(key)) return time_text(*time);
  if (key.is_class("datetime.date") && key.argument_count() == 1) {
    const auto bytes = key.argument(0).bytes();
    if (!bytes || bytes->size() != 4) return {};
    const auto at = [&](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>((*bytes)[i])); };
    return fmt::format("{:04}-{:02}-{:02}", at(0) * 256 + at(1), at(2), at(3));
  }
  if (key.is_class("decimal.Decimal") && key.argument_count() == 1) return format::text_of(key.argument(0));
  return {};
}

// `path`: makes the key's name for an error.
Result<std::string> label_text(PickleValue key, const std::string& dtype, const auto& path) {
  if (key.is(PickleKind::kBigInteger)) return std::string(*key.text());
  if (const auto text = format::text_of(key)) return *text;
  if (const auto text = object_text(key)) return *text;
  const auto number = format::number_of(key);
  if (!number) return SdvValue{key, path()}.is_not("a text, a number, a date or a Decimal");
  if (!std::isfinite(*number)) return bad_input(path() + " is an infinite number");
  const bool own = dtype == "object" || dtype == "category";
  if (dtype == "bool" || dtype == "boolean" || (own && is_bool(key))) return *number != 0 ? "True" : "False";
  if (dtype == "float32" || dtype == "Float32") return float_text(as_single(*number));
  if (own ? is_whole(key) : dtype[0] == 'i' || dtype[0] == 'u' || dtype[0] == 'I' || dtype[0] == 'U') {
    // A double has no odd number beyond 2^53.
    const auto integer = format::integer_of(key);
    return integer ? fmt::format("{}", *integer) : fmt::format("{:.0f}", *number);
  }
  return float_text(*number);
}

}  // namespace

bool is_missing_key(PickleValue key) {
  const auto number = format::number_of(key);
  if (key.is_none() || (number && std::isnan(*number))) return true;
  const auto name = key.class_name();
  return name == "pandas._libs.missing.NA" || name == "pandas._libs.missing.NAType" ||
         name == "pandas._libs.tslibs.nattype.__nat_unpickle";
}

Result<std::vector<std::string>> label_texts(const SdvValue& dict, const std::string& dtype,
                                             uint64_t& text_left) {
  if (dtype == "float16" || dtype.empty())
    return bad_input(fmt::format("categories of dtype {} are not supported", dtype));
  std::vector<std::string> out;
  const size_t K = dict.value.pair_count();
  bool missing = false, real = false, numbers = true, times = K > 0 && dtype.starts_with("datetime64["),
       midnight = true;
  for (size_t k = 0; k < K; ++k) {
    const PickleValue key = dict.value.key(k);
    if (is_missing_key(key)) {
      missing = true;
      continue;
    }
    real = real || is_real(key);
    numbers = numbers && (is_whole(key) || is_real(key));
    const auto time = time_of(key);
    times = times && time;
    midnight = midnight && time && *time % (86400 * kSecondOfNanoseconds) == 0;
  }
  for (size_t k = 0; k < K; ++k) {
    const PickleValue key = dict.value.key(k);
    const auto path = [&] { return fmt::format("category {} of {}", k, dict.path); };
    if (is_missing_key(key)) {
      out.emplace_back();
    } else if (times && midnight) {
      out.push_back(date_text("%Y-%m-%d", *time_of(key)));
    } else {
      MAEIL_ASSIGN(
          auto text,
          label_text(key, dtype == "object" && numbers && real && !missing ? "float64" : dtype, path));
      MAEIL_TRY(take_text(text.size(), text_left));
      out.push_back(std::move(text));
    }
  }
  return out;
}

}  // namespace maeil::copula
