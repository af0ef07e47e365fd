// Reads each file twice: once to decide the kinds, once to keep the values.
#include "quality/columns.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/file.h"
#include "format/csv.h"

namespace maeil::quality {
namespace {

using Fields = std::vector<std::string_view>;

// pandas' default na_values.
bool is_missing(std::string_view text) {
  static const std::set<std::string_view> kTexts = {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
                                                    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"};
  return text.size() <= 8 && kTexts.contains(text);
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// YYYY-MM-DD, with "T" or " " and HH:MM:SS after it where there is a time of day.
std::optional<double> date(std::string_view text) {
  const auto digits = [&](size_t at, size_t count) {
    int value = 0;
    for (size_t i = at; i < at + count; ++i) value = text[i] >= '0' && text[i] <= '9' && value >= 0 ? value * 10 + (text[i] - '0') : -1;
    return value;
  };
  if ((text.size() != 10 && text.size() != 19) || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = digits(0, 4), month = digits(5, 2), day = digits(8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  int seconds = 0;
  if (text.size() == 19) {
    const int h = digits(11, 2), m = digits(14, 2), s = digits(17, 2);
    if ((text[10] != ' ' && text[10] != 'T') || text[13] != ':' || text[16] != ':' || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59)
      return std::nullopt;
    seconds = h * 3600 + m * 60 + s;
  }
  // Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that start in March.
  const int y = year - (month <= 2), shifted = (month + 9) % 12;
  const int64_t days = int64_t{365} * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
  return static_cast<double>(days * 86400 + seconds);
}

class File {
 public:
  static Result<File> open(const std::string& path) {
    MAEIL_ASSIGN(auto mapped, MappedFile::open(path));
    return File(path, std::move(mapped));
  }
  // Calls with every record; the first is the header.
  Status each(const std::function<Status(const Fields&, uint64_t line)>& visit) const {
    std::string_view bytes = mapped_.bytes();
    if (bytes.starts_with(format::kUtf8Bom)) bytes.remove_prefix(format::kUtf8Bom.size());
    format::CsvReader reader(bytes, path_);
    format::CsvRecord record;
    Fields fields;
    for (;;) {
      MAEIL_ASSIGN(const bool more, reader.next(record));
      if (!more) return {};
      std::deque<std::string> unescaped;
      fields.clear();
      const auto problem = format::split_record(record.bytes, fields, unescaped);
      if (!problem.empty()) return bad_input(fmt::format("{}:{}: {}", path_, record.line, problem));
      MAEIL_TRY(visit(fields, record.line));
    }
  }
  // The rows below the header, each as wide as it. Returns how many.
  Result<size_t> each_row(const std::function<Status(const Fields&, uint64_t line)>& visit) const {
    size_t rows = 0, width = 0;
    MAEIL_TRY(each([&](const Fields& fields, uint64_t line) -> Status {
      if (width == 0) {
        width = fields.size();
        return {};
      }
      if (fields.size() != width)
        return bad_input(fmt::format("{}:{}: {} fields where the header has {}", path_, line, fields.size(), width));
      ++rows;
      return visit(fields, line);
    }));
    if (rows == 0) return bad_input(fmt::format("{}: has no rows to score", path_));
    return rows;
  }
  Result<std::vector<std::string>> header() const {
    std::vector<std::string> names;
    constexpr uint64_t kSeen = UINT64_MAX;
    std::set<std::string_view> unique;
    MAEIL_TRY(each([&, state = uint64_t{0}](const Fields& fields, uint64_t) mutable -> Status {
      if (state == kSeen) return {};
      state = kSeen;
      names.assign(fields.begin(), fields.end());
      return {};
    }));
    for (const auto& name : names) {
      if (!unique.insert(name).second) return bad_input(fmt::format("{}: column '{}' is there twice", path_, name));
    }
    return names;
  }
  const std::string& path() const { return path_; }

 private:
  File(std::string path, MappedFile mapped) : path_(std::move(path)), mapped_(std::move(mapped)) {}
  std::string path_;
  MappedFile mapped_;
};

Result<std::vector<std::pair<std::string, std::string>>> metadata_columns(std::string_view text) {
  using Json = nlohmann::ordered_json;
  const Json json = Json::parse(text, nullptr, false);
  const auto bad = [] { return bad_input("the metadata is not SDV's JSON of one table: it needs \"columns\" with an \"sdtype\" each"); };
  if (!json.is_object()) return bad();
  const Json* table = &json;
  if (json.contains("tables")) {
    if (!json["tables"].is_object() || json["tables"].size() != 1) return bad();
    table = &*json["tables"].begin();
  }
  if (!table->is_object() || !table->contains("columns") || !(*table)["columns"].is_object()) return bad();
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, meta] : (*table)["columns"].items()) {
    if (!meta.is_object() || !meta.contains("sdtype") || !meta["sdtype"].is_string()) return bad();
    out.emplace_back(name, meta["sdtype"].get<std::string>());
  }
  return out;
}

struct Place {
  size_t real, synthetic;
};

}  // namespace

Result<Data> read_data(const std::string& real_path, const std::string& synthetic_path, std::string_view metadata) {
  MAEIL_ASSIGN(const File real, File::open(real_path));
  MAEIL_ASSIGN(const File synthetic, File::open(synthetic_path));
  MAEIL_ASSIGN(const auto real_names, real.header());
  MAEIL_ASSIGN(const auto synthetic_names, synthetic.header());
  std::vector<std::pair<std::string, std::string>> wanted;
  if (metadata.empty()) {
    for (const auto& name : real_names) wanted.emplace_back(name, "");
  } else {
    MAEIL_ASSIGN(wanted, metadata_columns(metadata));
  }
  Data data;
  std::vector<Place> places;
  const auto find = [](const std::vector<std::string>& names, const std::string& name) {
    return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  for (auto& [name, sdtype] : wanted) {
    const bool known = sdtype.empty() || sdtype == "numerical" || sdtype == "datetime" || sdtype == "categorical" || sdtype == "ordinal" || sdtype == "boolean";
    if (!known) continue;
    const Place place{find(real_names, name), find(synthetic_names, name)};
    if (place.real == real_names.size()) return bad_input(fmt::format("{}: has no column '{}'", real_path, name));
    if (place.synthetic == synthetic_names.size()) return bad_input(fmt::format("{}: has no column '{}'", synthetic_path, name));
    places.push_back(place);
    data.columns.push_back({.name = std::move(name), .sdtype = std::move(sdtype)});
  }
  const auto count = data.columns.size();
  std::vector<char> all_numbers(count, 1), all_dates(count, 1);
  const auto look = [&](size_t Place::*side) {
    return [&, side](const Fields& fields, uint64_t) -> Status {
      for (size_t c = 0; c < count; ++c) {
        const auto text = fields[places[c].*side];
        if ((!all_numbers[c] && !all_dates[c]) || is_missing(text)) continue;
        all_numbers[c] = all_numbers[c] && number(text);
        all_dates[c] = all_dates[c] && date(text);
      }
      return {};
    };
  };
  MAEIL_ASSIGN(data.real_rows, real.each_row(look(&Place::real)));
  MAEIL_ASSIGN(data.synthetic_rows, synthetic.each_row(look(&Place::synthetic)));
  for (size_t c = 0; c < count; ++c) {
    auto& column = data.columns[c];
    if (column.sdtype.empty()) column.sdtype = all_numbers[c] ? "numerical" : all_dates[c] ? "datetime" : "categorical";
    column.kind = column.sdtype == "numerical" || column.sdtype == "datetime" ? Kind::kContinuous : Kind::kDiscrete;
    for (auto [side, rows] : {std::pair{&column.real, data.real_rows}, {&column.synthetic, data.synthetic_rows}}) {
      if (column.kind == Kind::kContinuous) side->numbers.reserve(rows);
      else side->codes.reserve(rows);
    }
  }
  std::vector<std::unordered_map<std::string, uint32_t>> codes(count);
  std::string key;
  const auto keep = [&](const File& file, size_t Place::*place, Side ColumnPair::*side) {
    return [&, place, side](const Fields& fields, uint64_t line) -> Status {
      for (size_t c = 0; c < count; ++c) {
        auto& column = data.columns[c];
        const auto text = fields[places[c].*place];
        const bool missing = is_missing(text);
        if (column.kind == Kind::kContinuous) {
          const auto value = missing ? std::numeric_limits<double>::quiet_NaN() : column.sdtype == "datetime" ? date(text) : number(text);
          if (!value) return bad_input(fmt::format("{}:{}: column '{}': '{}' is not of the sdtype {}", file.path(), line, column.name,
                                                   format::clip_utf8(text, 60), column.sdtype));
          (column.*side).numbers.push_back(*value);
        } else if (missing) {
          (column.*side).codes.push_back(kMissingCode);
        } else {
          // "1" and "1.0" are one category where every value is a number, as in a pandas column.
          if (all_numbers[c]) key = fmt::format("{}", *number(text) + 0.0);
          else key.assign(text);
          const auto [it, fresh] = codes[c].try_emplace(key, static_cast<uint32_t>(column.categories.size()));
          if (fresh) column.categories.push_back(key);
          (column.*side).codes.push_back(it->second);
        }
      }
      return {};
    };
  };
  MAEIL_TRY(real.each_row(keep(real, &Place::real, &ColumnPair::real)));
  MAEIL_TRY(synthetic.each_row(keep(synthetic, &Place::synthetic, &ColumnPair::synthetic)));
  return data;
}

}  // namespace maeil::quality
