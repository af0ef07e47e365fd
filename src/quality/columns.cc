// Each file is read three times: to decide the kinds, to keep the values, and all rows of it to compare them
// with those of the other; without metadata the real one once more, to find identifiers.
#include "quality/columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>

#include "base/hash.h"
#include "format/csv.h"
#include "quality/csv_rows.h"
#include "table/field_values.h"
#include "table/identifier.h"

namespace maeil::quality {
namespace {

bool has_score(std::string_view sdtype) {
  return sdtype == "numerical" || sdtype == "datetime" || sdtype == "categorical" || sdtype == "ordinal" ||
         sdtype == "boolean";
}

// One file's part in the reading.
struct Part {
  CsvRows rows;
  Side ColumnPair::* side;
  std::vector<size_t> places;  // (C) of the columns in the file
};

// What the values of a column allow it to be, over all files.
struct Allowed {
  bool numbers = true, dates = true, booleans = true;
  bool grouped = false,
       grouped_surely = false;  // numbers with commas: between thousands, if a value of the column says so
  bool thousands() const { return grouped && grouped_surely; }
};

class Reading {
 public:
  static Result<Data> read(const Sources& sources) {
    Reading reading;
    MAEIL_TRY(reading.open(sources));
    MAEIL_TRY(reading.choose_columns());
    MAEIL_TRY(reading.decide_kinds());
    MAEIL_TRY(reading.keep_values());
    MAEIL_TRY(reading.find_identifiers());
    MAEIL_TRY(reading.count_copies());
    MAEIL_TRY(reading.note_structure());
    return std::move(reading.data_);
  }

 private:
  Status open(const Sources& sources) {
    for (const auto& [path, side] : {std::pair{&sources.real, &ColumnPair::real},
                                     {&sources.synthetic, &ColumnPair::synthetic},
                                     {&sources.holdout, &ColumnPair::holdout}}) {
      if (path->empty()) continue;
      MAEIL_ASSIGN(auto rows, CsvRows::open(*path, sources.max_rows,
                                            path == &sources.real ? sources.real_spec : nullptr));
      if (!rows.how().empty()) data_.reading.push_back(fmt::format("{}: read as {}", *path, rows.how()));
      for (const auto& remark : rows.remarks()) data_.reading.push_back(fmt::format("{}: {}", *path, remark));
      if (rows.left_out() > 0)
        data_.left_out.push_back(
            fmt::format("{} records left out, the first: {}", rows.left_out(), rows.first_left_out()));
      parts_.push_back({std::move(rows), side, {}});
    }
    data_.real_rows = parts_[0].rows.rows(), data_.all_real_rows = parts_[0].rows.all_rows();
    data_.synthetic_rows = parts_[1].rows.rows(), data_.all_synthetic_rows = parts_[1].rows.all_rows();
    if (parts_.size() > 2) data_.holdout_rows = parts_[2].rows.rows();
    if (!sources.metadata.empty()) {
      MAEIL_ASSIGN(data_.metadata, table::parse_sdv_metadata(sources.metadata, "the metadata"));
    }
    return {};
  }

  Status choose_columns() {
    auto wanted = data_.metadata.columns;
    if (wanted.empty()) {
      for (const auto& name : parts_[0].rows.names()) wanted.push_back({.name = name});
      for (const auto& name : parts_[1].rows.names()) {
        if (parts_[0].rows.find(name) == parts_[0].rows.names().size()) data_.absent.push_back(name);
      }
    }
    const auto& composite = data_.metadata.primary_key;
    for (auto& meta : wanted) {
      const bool scored = meta.sdtype.empty() || has_score(meta.sdtype);
      const bool key = data_.metadata.is_key(meta.name) ||
                       std::find(composite.begin(), composite.end(), meta.name) != composite.end() ||
                       (meta.sdtype == "id" && meta.regex_format);
      if (!scored && !key) continue;
      size_t there = 0;
      for (auto& part : parts_) there += part.rows.find(meta.name) < part.rows.names().size();
      if (there == 0)
        return bad_input(fmt::format("{}: has no column '{}'", parts_[0].rows.path(), meta.name));
      if (parts_.size() > 2 && there == 2)
        return bad_input(fmt::format("column '{}' is not in all three files", meta.name));
      if (there < parts_.size()) {
        data_.absent.push_back(meta.name);
        continue;
      }
      columns_.push_back({.name = meta.name, .sdtype = meta.sdtype, .meta = std::move(meta)});
    }
    if (columns_.empty())
      return bad_input(fmt::format("{} and {} have no column in common that could be scored",
                                   parts_[0].rows.path(), parts_[1].rows.path()));
    for (auto& part : parts_) {
      for (const auto& column : columns_) part.places.push_back(part.rows.find(column.name));
    }
    return {};
  }

  std::optional<double> date_of(const ColumnPair& column, std::string_view text) const {
    return column.meta.datetime_format ? column.meta.datetime_format->read(text) : table::read_date(text);
  }

  Status decide_kinds() {
    allowed_.resize(columns_.size());
    std::vector<size_t> unreadable(columns_.size());
    for (const auto& part : parts_) {
      const bool synthetic = part.side == &ColumnPair::synthetic;
      MAEIL_TRY(part.rows.each([&](const format::CsvRow& fields, uint64_t) -> Status {
        for (size_t c = 0; c < columns_.size(); ++c) {
          auto& allowed = allowed_[c];
          const auto text = fields[part.places[c]];
          const bool dated = columns_[c].sdtype == "datetime";
          if ((!allowed.numbers && !allowed.dates && !allowed.booleans && !dated) || table::is_missing(text))
            continue;
          if (allowed.numbers && !table::read_number(text)) {
            allowed.numbers = table::read_grouped_number(text).has_value();
            allowed.grouped |= allowed.numbers;
            allowed.grouped_surely |= allowed.numbers && table::is_surely_grouped(text);
          }
          if (allowed.booleans) allowed.booleans = table::read_boolean(text).has_value();
          if (dated)
            unreadable[c] += synthetic && !date_of(columns_[c], text);
          else if (allowed.dates)
            allowed.dates = table::read_date(text).has_value();
        }
        return {};
      }));
    }
    for (auto& allowed : allowed_) allowed.numbers &= !allowed.grouped || allowed.grouped_surely;
    std::vector<ColumnPair> kept;
    for (size_t c = columns_.size(); c-- > 0;) {
      if (unreadable[c] == 0) continue;
      data_.unreadable.insert(data_.unreadable.begin(),
                              {columns_[c].name, 1 - static_cast<double>(unreadable[c]) /
                                                         static_cast<double>(data_.synthetic_rows)});
      columns_.erase(columns_.begin() + static_cast<ptrdiff_t>(c)),
          allowed_.erase(allowed_.begin() + static_cast<ptrdiff_t>(c));
      for (auto& part : parts_) part.places.erase(part.places.begin() + static_cast<ptrdiff_t>(c));
    }
    for (size_t c = 0; c < columns_.size(); ++c) {
      auto& column = columns_[c];
      if (column.sdtype.empty())
        column.sdtype = allowed_[c].numbers ? "numerical" : allowed_[c].dates ? "datetime" : "categorical";
      column.kind =
          column.sdtype == "numerical" || column.sdtype == "datetime" ? Kind::kContinuous : Kind::kDiscrete;
    }
    return {};
  }

  std::optional<double> number_of(size_t c, std::string_view text) const {
    const auto number = table::read_number(text);
    return number || !allowed_[c].thousands() ? number : table::read_grouped_number(text);
  }

  // "1" and "1.0" are one category where every value is a number, "true" and "True" where every value is a
  // boolean, as in pandas.
  void write_key(size_t c, std::string_view text, std::string& key) const {
    if (allowed_[c].numbers)
      key = fmt::format("{}", *number_of(c, text) + 0.0);
    else if (allowed_[c].booleans)
      key = *table::read_boolean(text) ? "True" : "False";
    else
      key.assign(text);
  }

  Status keep_values() {
    std::vector<std::unordered_map<std::string, uint32_t>> codes(columns_.size());
    std::string key;
    for (const auto& part : parts_) {
      for (auto& column : columns_) {
        if (column.kind == Kind::kContinuous)
          (column.*part.side).numbers.reserve(part.rows.rows());
        else
          (column.*part.side).codes.reserve(part.rows.rows());
      }
      MAEIL_TRY(part.rows.each([&](const format::CsvRow& fields, uint64_t line) -> Status {
        for (size_t c = 0; c < columns_.size(); ++c) {
          auto& column = columns_[c];
          auto& side = column.*part.side;
          const auto text = fields[part.places[c]];
          const bool missing = table::is_missing(text);
          if (column.kind == Kind::kContinuous) {
            const auto value = missing                       ? std::numeric_limits<double>::quiet_NaN()
                               : column.sdtype == "datetime" ? date_of(column, text)
                                                             : number_of(c, text);
            if (!value)
              return bad_input(fmt::format("{}:{}: column '{}': '{}' is not of the sdtype {}",
                                           part.rows.path(), line, column.name, format::clip_utf8(text, 60),
                                           column.sdtype));
            side.numbers.push_back(*value);
          } else if (missing) {
            side.codes.push_back(kMissingCode);
          } else {
            write_key(c, text, key);
            const auto [it, fresh] =
                codes[c].try_emplace(key, static_cast<uint32_t>(column.categories.size()));
            if (fresh) column.categories.push_back(key);
            side.codes.push_back(it->second);
          }
        }
        return {};
      }));
    }
    return {};
  }

  Status find_identifiers() {
    identifier_.assign(columns_.size(), false);
    if (!data_.metadata.columns.empty()) return {};
    std::vector<table::DistinctSample> values(columns_.size());
    const auto is_date = [&](size_t c) { return columns_[c].sdtype == "datetime"; };
    MAEIL_TRY(parts_[0].rows.each_of_all([&](const format::CsvRow& fields, uint64_t) -> Status {
      for (size_t c = 0; c < columns_.size(); ++c) {
        const auto text = fields[parts_[0].places[c]];
        if (!is_date(c) && !table::is_missing(text)) values[c].add(text, 1);
      }
      return {};
    }));
    auto& found = data_.copies.identifiers;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const auto& name = columns_[c].name;
      identifier_[c] = !is_date(c) && table::find_identifier(name, allowed_[c].numbers, false, values[c]);
      if (identifier_[c]) found.push_back(name);
    }
    if (found.size() < columns_.size()) return {};
    identifier_.assign(columns_.size(), false);
    found.clear();
    return {};
  }

  // One number for a row: of each value what keep_values keeps of it.
  Status hash_rows(const Part& part, const std::function<void(uint64_t)>& sink) const {
    std::string key;
    return part.rows.each_of_all([&](const format::CsvRow& fields, uint64_t) -> Status {
      uint64_t hash = 0;
      for (size_t c = 0; c < columns_.size(); ++c) {
        const auto& column = columns_[c];
        if (!has_score(column.sdtype) || identifier_[c]) continue;
        const auto text = fields[part.places[c]];
        key.clear();
        if (!table::is_missing(text)) {
          // A value that the chosen rows did not show may be of another kind: then its text is what it is.
          const bool continuous = column.kind == Kind::kContinuous;
          const auto value = !continuous                   ? std::nullopt
                             : column.sdtype == "datetime" ? date_of(column, text)
                                                           : number_of(c, text);
          if (value)
            key = fmt::format("{}", *value + 0.0);
          else if (continuous || (allowed_[c].numbers && !number_of(c, text)) ||
                   (allowed_[c].booleans && !table::read_boolean(text)))
            key.assign(text);
          else
            write_key(c, text, key);
        }
        hash = hash64(key, hash);
      }
      sink(hash);
      return {};
    });
  }

  Status count_copies() {
    std::vector<uint64_t> real;
    real.reserve(data_.all_real_rows);
    MAEIL_TRY(hash_rows(parts_[0], [&](uint64_t hash) { real.push_back(hash); }));
    std::sort(real.begin(), real.end());
    for (size_t i = 0; i < real.size(); ++i) {
      data_.copies.real +=
          (i > 0 && real[i] == real[i - 1]) || (i + 1 < real.size() && real[i] == real[i + 1]);
    }
    return hash_rows(parts_[1], [&](uint64_t hash) {
      data_.copies.synthetic += std::binary_search(real.begin(), real.end(), hash);
    });
  }

  // The dtypes that the reports of SDMetrics compare: after they have made datetime columns what they are.
  Status note_structure() {
    for (const bool real : {true, false}) {
      const auto& rows = parts_[real ? 0 : 1].rows;
      MAEIL_ASSIGN(const auto dtypes, rows.dtypes());
      auto& out = real ? data_.real_dtypes : data_.synthetic_dtypes;
      for (size_t f = 0; f < dtypes.size(); ++f) {
        const auto& name = rows.names()[f];
        const auto is_it = [&](const auto& column) { return column.name == name; };
        const auto column = std::find_if(columns_.begin(), columns_.end(), is_it);
        const bool dates = (column != columns_.end() && column->sdtype == "datetime") ||
                           (real && std::any_of(data_.unreadable.begin(), data_.unreadable.end(), is_it));
        out.emplace_back(name, dates ? "datetime64[ns]" : dtypes[f]);
      }
    }
    for (auto& column : columns_)
      (has_score(column.sdtype) ? data_.columns : data_.keys).push_back(std::move(column));
    return {};
  }

  Data data_;
  std::vector<Part> parts_;  // real, synthetic, held out
  std::vector<ColumnPair> columns_;
  std::vector<Allowed> allowed_;  // (C)
  std::vector<bool> identifier_;  // (C), not compared
};

}  // namespace

Result<Data> read_data(const Sources& sources) { return Reading::read(sources); }

}  // namespace maeil::quality
