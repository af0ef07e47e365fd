#include "quality/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/regex.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <unordered_set>

namespace maeil::quality {
namespace {

double share(size_t part, size_t whole) {
  return whole == 0 ? kNoScore : static_cast<double>(part) / static_cast<double>(whole);
}

double boundary_adherence(const ColumnPair& column) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool nullable = false;
  for (const double x : column.real.numbers) {
    if (std::isnan(x))
      nullable = true;
    else
      low = std::min(low, x), high = std::max(high, x);
  }
  low = column.meta.range_min.value_or(low), high = column.meta.range_max.value_or(high);
  nullable = column.meta.range_is_nullable.value_or(nullable);
  size_t inside = 0, all = 0;
  for (const double x : column.synthetic.numbers) {
    if (std::isnan(x) && nullable) continue;
    ++all;
    inside += x >= low && x <= high;
  }
  return share(inside, all);
}

double category_adherence(const ColumnPair& column) {
  std::vector<char> valid(column.categories.size());
  bool nullable = false;
  for (const auto code : column.real.codes) {
    if (code == kMissingCode)
      nullable = true;
    else if (!column.meta.range_values)
      valid[code] = 1;
  }
  if (column.meta.range_values) {
    const std::set<std::string> values(column.meta.range_values->begin(), column.meta.range_values->end());
    for (size_t k = 0; k < valid.size(); ++k) valid[k] = values.contains(column.categories[k]);
  }
  nullable = column.meta.range_is_nullable.value_or(nullable);
  size_t inside = 0;
  for (const auto code : column.synthetic.codes) inside += code == kMissingCode ? nullable : valid[code] != 0;
  return share(inside, column.synthetic.codes.size());
}

double key_uniqueness(const std::vector<const ColumnPair*>& key, size_t rows) {
  std::unordered_set<std::string> seen;
  size_t unique = 0;
  for (size_t row = 0; row < rows; ++row) {
    std::string bytes;
    bool there = false;
    for (const auto* column : key) {
      uint64_t cell = 0;
      if (column->kind == Kind::kContinuous) {
        const double x = column->synthetic.numbers[row] + 0.0;
        there |= !std::isnan(x);
        std::memcpy(&cell, &x, sizeof x);
      } else {
        cell = column->synthetic.codes[row];
        there |= cell != kMissingCode;
      }
      bytes.append(reinterpret_cast<const char*>(&cell), sizeof cell);
    }
    unique += seen.insert(bytes).second && there;
  }
  return share(unique, rows);
}

// A number of a float64 column is "12.0" to pandas.
std::string pandas_text(const std::string& category, bool floats) {
  return floats && category.find_first_of(".e") == std::string::npos ? category + ".0" : category;
}

Validity regex_adherence(const ColumnPair& column, bool floats) {
  Validity out{column.name, "RegexFormatAdherence", kNoScore, ""};
  const std::string& format = *column.meta.regex_format;
  if (format.find("(?P") != std::string::npos) {
    out.note = "its regular expression has named groups";
    return out;
  }
  try {
    const boost::regex regex(format, boost::regex::perl);
    std::vector<char> matches(column.categories.size());
    for (size_t k = 0; k < matches.size(); ++k)
      matches[k] = boost::regex_match(pandas_text(column.categories[k], floats), regex);
    const bool missing_matches = boost::regex_match("nan", regex);
    size_t valid = 0;
    for (const auto code : column.synthetic.codes)
      valid += code == kMissingCode ? missing_matches : matches[code] != 0;
    out.score = share(valid, column.synthetic.codes.size());
  } catch (const std::exception& error) {  // not a regular expression, or one too complex to match
    out.note = error.what();
  }
  return out;
}

// One column's metrics, in SDMetrics' order.
void validate(const Data& data, const ColumnPair& column, std::vector<Validity>& out) {
  const bool sequence = column.name == data.metadata.sequence_index;
  if (column.sdtype == "numerical" || column.sdtype == "datetime") {
    if (sequence) return;
    out.push_back({column.name, "BoundaryAdherence", boundary_adherence(column), ""});
    if (column.sdtype == "datetime" && column.meta.datetime_format)
      out.push_back({column.name, "DatetimeFormatAdherence", 1, ""});
  } else if (column.sdtype == "categorical" || column.sdtype == "ordinal" || column.sdtype == "boolean") {
    out.push_back({column.name, "CategoryAdherence", category_adherence(column), ""});
  } else {
    if (data.metadata.is_key(column.name))
      out.push_back({column.name, "KeyUniqueness", key_uniqueness({&column}, data.synthetic_rows), ""});
    if (column.sdtype == "id" && column.meta.regex_format) {
      const auto dtype = std::find_if(data.synthetic_dtypes.begin(), data.synthetic_dtypes.end(),
                                      [&](const auto& entry) { return entry.first == column.name; });
      out.push_back(regex_adherence(column, dtype->second == "float64"));
    }
  }
}

const ColumnPair* find(const Data& data, const std::string& name) {
  for (const auto* columns : {&data.columns, &data.keys}) {
    for (const auto& column : *columns) {
      if (column.name == name) return &column;
    }
  }
  return nullptr;
}

void validate_composite_key(const Data& data, std::vector<Validity>& out) {
  std::vector<const ColumnPair*> key;
  std::string name;
  for (const auto& column : data.metadata.primary_key) {
    key.push_back(find(data, column));
    name += (name.empty() ? "" : ", ") + column;
  }
  const bool whole = std::find(key.begin(), key.end(), nullptr) == key.end();
  out.push_back({name, "KeyUniqueness", whole ? key_uniqueness(key, data.synthetic_rows) : kNoScore,
                 whole ? "" : "not all of its columns can be read"});
}

double structure(const Data& data, std::vector<std::string>& differences) {
  const auto find_in = [](const auto& dtypes, const std::string& name) {
    return std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& entry) { return entry.first == name; });
  };
  size_t same = 0;
  for (const auto& [name, dtype] : data.real_dtypes) {
    const auto other = find_in(data.synthetic_dtypes, name);
    if (other == data.synthetic_dtypes.end())
      differences.push_back(fmt::format("{}: only in the real data", name));
    else if (other->second != dtype)
      differences.push_back(fmt::format("{}: {}, synthetic {}", name, dtype, other->second));
    else
      ++same;
  }
  for (const auto& [name, dtype] : data.synthetic_dtypes) {
    if (find_in(data.real_dtypes, name) == data.real_dtypes.end())
      differences.push_back(fmt::format("{}: only in the synthetic data", name));
  }
  return share(same, data.real_dtypes.size() + data.synthetic_dtypes.size() - same);
}

}  // namespace

Diagnostic diagnose(const Data& data) {
  Diagnostic out;
  if (data.metadata.primary_key.size() > 1) validate_composite_key(data, out.columns);
  for (const auto& meta : data.metadata.columns) {  // the order of SDMetrics' details
    if (const auto* column = find(data, meta.name)) validate(data, *column, out.columns);
    for (const auto& column : data.unreadable) {
      if (column.name != meta.name || meta.name == data.metadata.sequence_index) continue;
      out.columns.push_back(
          {meta.name, "BoundaryAdherence", kNoScore, "synthetic values are not of the datetime_format"});
      if (meta.datetime_format)
        out.columns.push_back({meta.name, "DatetimeFormatAdherence", column.readable, ""});
    }
  }
  if (data.metadata.columns.empty()) {
    for (const auto& column : data.columns) validate(data, column, out.columns);
  }
  double sum = 0;
  size_t scores = 0;
  for (const auto& column : out.columns) {
    if (!std::isnan(column.score)) sum += column.score, ++scores;
  }
  out.validity = scores == 0 ? kNoScore : sum / static_cast<double>(scores);
  out.structure = structure(data, out.structure_differences);
  out.overall = scores == 0 ? out.structure : (out.validity + out.structure) / 2;
  return out;
}

}  // namespace maeil::quality
