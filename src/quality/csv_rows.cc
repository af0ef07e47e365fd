#include "quality/csv_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "quality/even_choice.h"
#include "table/field_values.h"

namespace maeil::quality {
namespace {

bool is_integer(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<CsvRows> CsvRows::open(const std::string& path, size_t max_rows, const table::DatasetSpec* known) {
  MAEIL_ASSIGN(auto file, table::RowFile::open(path, known));
  CsvRows out(std::move(file));
  MAEIL_ASSIGN(table::RowReader reader, table::RowReader::begin(out.file_));
  out.names_ = reader.names();
  format::CsvRecord record;
  format::CsvRow fields(out.names_.size(), &out.file_.rules());
  for (uint64_t k = 0;; ++k) {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) break;
    if (const auto why = fields.split(record.bytes); why.empty()) {
      ++out.all_rows_;
    } else {
      if (out.broken_.empty()) out.first_broken_ = fmt::format("{}:{}: {}", path, record.line, why);
      out.broken_.push_back(k);
    }
  }
  out.remarks_ = reader.remarks();
  if (const size_t records = out.all_rows_ + out.broken_.size(); out.broken_.size() * 20 > records) {
    return bad_input(fmt::format("{}; {} of {} rows cannot be read, more than the 5 % that may be left out",
                                 out.first_broken_, out.broken_.size(), records));
  }
  if (out.all_rows_ == 0) return bad_input(fmt::format("{}: has no rows to score", path));
  out.rows_ = max_rows == 0 ? out.all_rows_ : std::min(out.all_rows_, max_rows);
  return out;
}

Status CsvRows::visit_rows(const Visit& visit, bool all) const {
  MAEIL_ASSIGN(table::RowReader reader, table::RowReader::begin(file_));
  format::CsvRecord record;
  format::CsvRow fields(names_.size(), &file_.rules());
  auto broken = broken_.begin();
  size_t chosen = 0;
  for (uint64_t record_number = 0, k = 0;; ++record_number) {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) return {};
    if (broken != broken_.end() && *broken == record_number) {
      ++broken;
      continue;
    }
    const uint64_t row = k++;
    if (!all && (chosen == rows_ || row != chosen_row(chosen, all_rows_, rows_))) continue;
    ++chosen;
    if (const auto why = fields.split(record.bytes); !why.empty())
      return bad_input(fmt::format("{}:{}: {}", path(), record.line, why));
    MAEIL_TRY(visit(fields, record.line));
  }
}

Result<std::vector<std::string>> CsvRows::dtypes() const {
  struct Seen {
    bool missing = false, present = false, integers = true, numbers = true, booleans = true;
  };
  std::vector<Seen> seen(names_.size());
  MAEIL_TRY(each([&](const format::CsvRow& fields, uint64_t) -> Status {
    for (size_t c = 0; c < fields.size(); ++c) {
      auto& s = seen[c];
      if (table::is_missing(fields[c])) {
        s.missing = true;
        continue;
      }
      s.present = true;
      if (s.integers && !is_integer(fields[c])) s.integers = false;
      if (s.numbers && !s.integers && !table::read_number(fields[c])) s.numbers = false;
      if (s.booleans && !table::read_boolean(fields[c])) s.booleans = false;
    }
    return {};
  }));
  std::vector<std::string> out;
  for (const auto& s : seen) {
    if (!s.present)
      out.emplace_back("float64");
    else if (s.booleans && !s.missing)
      out.emplace_back("bool");
    else if (s.integers && !s.missing)
      out.emplace_back("int64");
    else
      out.emplace_back(s.integers || s.numbers ? "float64" : "object");
  }
  return out;
}

size_t CsvRows::find(const std::string& name) const {
  return static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
}

}  // namespace maeil::quality
