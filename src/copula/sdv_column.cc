#include "copula/sdv_column.h"

#include <algorithm>
#include <cmath>

#include "copula/sdv_key_column.h"
#include "copula/sdv_label.h"
#include "copula/sdv_marginal.h"
#include "format/numpy.h"
#include "format/pandas.h"

namespace maeil::copula {
namespace {

using format::PickleKind;

// pandas' own types begin with a capital and can be missing.
bool is_numpy_integer(const std::string& dtype) {
  return dtype.starts_with("int") || dtype.starts_with("uint");
}
bool is_pandas_integer(const std::string& dtype) {
  return dtype.starts_with("Int") || dtype.starts_with("UInt");
}
bool is_integer(const std::string& dtype) { return is_numpy_integer(dtype) || is_pandas_integer(dtype); }

Result<CategoryOutput> read_uniform_encoder(const SdvColumn& column, uint64_t& text_left) {
  MAEIL_ASSIGN(const auto intervals, column.transformer.attribute("intervals"));
  if (!intervals.value.is(PickleKind::kDict)) return intervals.is_not("a dict");
  const size_t K = intervals.value.pair_count();
  if (K > kMaxCategories) return bad_input("it has too many categories");
  CategoryOutput out;
  if (K == 0) {  // nothing was there to learn, and all of it is missing
    out.missing = 0;
    out.labels.emplace_back();
    out.upper.push_back(1);
    return out;
  }
  for (size_t k = 0; k < K; ++k) {
    if (is_missing_key(intervals.value.key(k))) {
      if (out.missing) return bad_input("two of its categories mean missing");
      out.missing = k;
    }
    const auto ends = intervals.value.mapped(k);
    const auto upper = ends.size() == 2 ? format::number_of(ends.item(1)) : std::nullopt;
    if (!upper)
      return bad_input(
          fmt::format("the interval of category {} of {} is no pair of numbers", k, intervals.path));
    out.upper.push_back(*upper);
  }
  // numpy's whole numbers cannot be missing: pandas makes floats of them.
  MAEIL_ASSIGN(
      out.labels,
      label_texts(intervals, out.missing && is_numpy_integer(column.dtype) ? "float64" : column.dtype,
                  text_left));
  return out;
}

// The share of missing values that the transformer puts back at random.
Result<double> read_missing_share(const SdvValue& transformer) {
  MAEIL_ASSIGN(const auto nulls, transformer.attribute("null_transformer"));
  MAEIL_ASSIGN(const auto way, nulls.text("_missing_value_generation"));
  if (way == "from_column") return bad_input("missing_value_generation from_column is not supported");
  MAEIL_ASSIGN(const bool any, nulls.flag("nulls"));
  if (!any || way != "random") return 0;
  MAEIL_ASSIGN(const auto share, nulls.number("_null_percentage"));
  return share.value_or(0);
}

// A column that was missing throughout has NaN for both ends, and nothing is clipped.
Status narrow(const SdvValue& from, NumberOutput& out) {
  MAEIL_ASSIGN(const bool enforced, from.flag("enforce_min_max_values"));
  if (!enforced) return {};
  MAEIL_ASSIGN(const auto min, from.number("_min_value"));
  MAEIL_ASSIGN(const auto max, from.number("_max_value"));
  if (min && !std::isnan(*min)) out.min = out.min ? std::max(*out.min, *min) : *min;
  if (max && !std::isnan(*max)) out.max = out.max ? std::min(*out.max, *max) : *max;
  return {};
}

Status read_digits(const SdvValue& from, const char* enforced_name, NumberOutput& out) {
  MAEIL_ASSIGN(const bool enforced, from.flag(enforced_name));
  if (!enforced) return {};
  MAEIL_ASSIGN(const auto digits, from.number("_rounding_digits"));
  if (!digits) return {};
  if (!(std::abs(*digits) <= 15)) return bad_input("its rounding digits are beyond -15..15");
  out.digits = std::min(out.digits.value_or(15), static_cast<int>(*digits));
  return {};
}

// "Int8": the ends of that type. Float: none.
Status read_representation(const SdvValue& transformer, NumberOutput& out) {
  MAEIL_ASSIGN(const auto name, transformer.text("computer_representation"));
  if (!name || name->starts_with("Float")) return {};
  MAEIL_ASSIGN(const bool enforced, transformer.flag("enforce_min_max_values"));
  if (enforced) return {};
  for (const int bits : {8, 16, 32, 64}) {
    if (*name == fmt::format("Int{}", bits))
      out.min = -std::ldexp(1.0, bits - 1), out.max = std::ldexp(1.0, bits - 1) - 1;
    if (*name == fmt::format("UInt{}", bits)) out.min = 0, out.max = std::ldexp(1.0, bits) - 1;
  }
  return out.min ? Status()
                 : Status(bad_input(fmt::format("a computer_representation of {} is not supported", *name)));
}

Result<NumberOutput> read_float_formatter(const SdvColumn& column) {
  const std::string& dtype = column.dtype;
  NumberOutput out;
  MAEIL_ASSIGN(out.missing, read_missing_share(column.transformer));
  const bool real = dtype == "float64" || dtype == "Float64",
             single = dtype == "float32" || dtype == "Float32";
  if (!is_integer(dtype) && !real && !single && out.missing < 1) {
    return bad_input(
        fmt::format("numbers of dtype {} are not supported: convert the column to a type of numpy or pandas "
                    "that holds numbers, fit and save again",
                    dtype));
  }
  MAEIL_TRY(read_representation(column.transformer, out));
  MAEIL_TRY(narrow(column.transformer, out));
  MAEIL_TRY(read_digits(column.transformer, "learn_rounding_scheme", out));
  if (column.formatter) {
    MAEIL_TRY(narrow(*column.formatter, out));
    MAEIL_TRY(read_digits(*column.formatter, "enforce_rounding", out));
  }
  if (!out.digits && is_integer(dtype)) out.digits = 0;
  out.format = is_pandas_integer(dtype) || (is_numpy_integer(dtype) && out.missing == 0)
                   ? NumberFormat::kInteger
                   : NumberFormat::kFloat;
  out.single = single;
  return out;
}

bool has(const std::string& format, std::string_view directives) {
  for (const char d : directives) {
    if (format.find(std::string("%") + d) != format.npos || format.find(std::string("%-") + d) != format.npos)
      return true;
  }
  return false;
}

// How pandas writes a datetime64 column that was read back from `format`: what the format leaves out is the
// first there is.
std::string csv_format(const std::string& format, bool zone) {
  std::string out = "%Y";
  out += has(format, "mbBj") ? "-%m" : "-01";
  out += has(format, "dj") ? "-%d" : "-01";
  const bool hour = has(format, "HI"), minute = has(format, "M"), second = has(format, "S"),
             fraction = has(format, "f");
  if (!hour && !minute && !second && !fraction && !zone) return out;
  out += fmt::format(" {}:{}:{}{}", hour ? "%H" : "00", minute ? "%M" : "00", second ? "%S" : "00",
                     fraction ? ".%f" : "");
  return zone ? out + "+00:00" : out;
}

// Nanoseconds, 116 days: what dates since 1684 are at most when they are counted in microseconds instead.
constexpr double kNearEpoch = 1e16;

Result<NumberOutput> read_timestamp_encoder(const SdvColumn& column) {
  const std::string& dtype = column.dtype;
  const auto refuse_zone = [] {
    return bad_input(
        "dates of a time zone other than UTC are not supported: convert the column to UTC or take the zone "
        "off, fit and save again");
  };
  NumberOutput out;
  MAEIL_ASSIGN(out.missing, read_missing_share(column.transformer));
  MAEIL_TRY(narrow(column.transformer, out));
  out.digits = 0;
  DateForm date;
  MAEIL_ASSIGN(auto given, column.transformer.text("datetime_format"));
  if (!given && out.missing < 1)
    return bad_input(
        "a column of dates without a datetime_format is not supported: give one in the metadata, fit and "
        "save again");
  date.format = given.value_or("%Y-%m-%d");
  const std::string plain = date.format;
  MAEIL_ASSIGN(const auto offset, column.transformer.given("_timezone_offset"));
  MAEIL_ASSIGN(const bool several, column.transformer.flag("_has_multiple_timezones"));
  if ((offset && !format::is_utc(offset->value)) || dtype.ends_with(", tz]")) return refuse_zone();
  if (!offset && !several) {  // Python's %z of a time without a zone is nothing
    for (size_t at; (at = date.format.find("%z")) != std::string::npos;) date.format.erase(at, 2);
  }
  if (dtype.starts_with("datetime64[")) {
    date.format = csv_format(plain, dtype.ends_with(", UTC]"));
    const auto unit = dtype.substr(11, dtype.find_first_of(",]") - 11);
    if (unit != "ns") date.unit = unit == "us" ? 1000 : unit == "ms" ? 1'000'000 : 1'000'000'000;
    if (unit != "ns" && unit != "us" && unit != "ms" && unit != "s")
      return bad_input(fmt::format("dates of dtype {} are not supported", dtype));
  } else if (out.min && out.max && *out.max > 0 && std::max(std::abs(*out.min), *out.max) < kNearEpoch) {
    return bad_input(
        "its dates would lie in the first weeks of 1970, in SDV as well: pandas 3 counts microseconds where "
        "SDV takes nanoseconds; fit and save with pandas 2");
  } else if (is_integer(dtype) || dtype == "float64" || dtype == "Float64") {
    // The format's digits are read as a number: what begins with a year keeps them all.
    if (!plain.starts_with("%Y"))
      return bad_input(fmt::format("dates of the format {} as numbers are not supported", plain));
    if (!is_integer(dtype)) date.format += ".0";
  } else if (dtype != "object" && dtype != "string") {
    return bad_input(fmt::format("dates of dtype {} are not supported", dtype));
  }
  out.text = std::move(date);
  return out;
}

}  // namespace

Result<ColumnModel> read_sdv_column(const SdvColumn& column, std::vector<std::string>& notes,
                                    uint64_t& text_left) {
  ColumnModel out;
  out.name = column.name;
  const auto kind = column.transformer.class_name();
  if (!column.transformer.value.is(PickleKind::kObject))
    return column.transformer.is_not("a transformer that is read");
  if (!column.univariate) {
    MAEIL_ASSIGN(const auto key, read_sdv_generator(column, notes));
    out.marginal = Uniform{0, 0};
    NumberOutput number;
    number.text = key;
    out.output = number;
    return out;
  }
  MAEIL_ASSIGN(out.marginal, read_sdv_marginal(*column.univariate));
  if (kind == "UniformEncoder" || kind == "OrderedUniformEncoder") {
    MAEIL_ASSIGN(out.output, read_uniform_encoder(column, text_left));
  } else if (kind == "FloatFormatter") {
    MAEIL_ASSIGN(out.output, read_float_formatter(column));
  } else if (kind == "UnixTimestampEncoder") {
    MAEIL_ASSIGN(out.output, read_timestamp_encoder(column));
  } else {
    return bad_input(fmt::format("the transformer {} is not supported", kind));
  }
  return out;
}

}  // namespace maeil::copula
