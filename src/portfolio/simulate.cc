// Blocks of rows in parallel, records into columns, chunks to the sink in order.
#include "portfolio/simulate.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>

#include "base/threads.h"
#include "portfolio/realistic_parameters.h"
#include "portfolio/record.h"
#include "portfolio/schema.h"

namespace maeil::portfolio {
namespace {

constexpr uint64_t kMaxRow = uint64_t{1} << 42;  // the block number then fits the 32 bits below the date

const ScenarioSetting& setting_of(Book book, Scenario scenario) {
  const auto& settings = book == Book::kRealistic ? kRealisticScenarios : kScenarios;
  return *std::find_if(settings.begin(), settings.end(),
                       [&](const auto& s) { return s.scenario == scenario; });
}

// Everything but the outcome.
Record draw_file(Draw& draw, Book book, const ScenarioSetting& scenario) {
  Record record;
  record.borrower = book == Book::kRealistic ? draw_realistic_borrower(draw) : draw_borrower(draw);
  record.loan = draw_loan(draw, record.borrower, scenario);
  record.ledger = draw_ledger(draw, record.borrower, record.loan);
  record.registry = draw_registry(draw, record.borrower, record.loan);
  record.rating = draw_rating(draw, record.borrower, record.loan);
  record.statements = draw_statements(draw, record.borrower, record.loan, record.registry);
  return record;
}

// The join of a broken feed: what rating, statements, price and ledger say is true, of somebody else.
void join_wrong_file(Record& record, const Record& other) {
  record.rating = other.rating;
  record.statements = other.statements;
  record.ledger = other.ledger;
  record.loan.rate = other.loan.rate;
  record.loan.rate_code = other.loan.rate_code;
  record.outcome.before = other.outcome.before;
  record.outcome.after.grade = other.outcome.after.grade;
  record.outcome.after.sum = other.outcome.after.sum;
  record.outcome.after.normal = other.outcome.after.normal;
  record.outcome.after.special = other.outcome.after.special;
  record.outcome.after.under = other.outcome.after.under;
}

// Hash maps of string_view keys point into the column's own dictionary, which never holds more than the
// block's rows: reserved once, so the views stay.
class TextCodes {
 public:
  TextCodes(Column& column, size_t rows) : column_(column) { column.dictionary.reserve(rows); }
  uint32_t code(std::string_view text) {
    if (text.empty()) return kMissing;
    if (const auto found = codes_.find(text); found != codes_.end()) return found->second;
    column_.dictionary.emplace_back(text);
    const auto code = static_cast<uint32_t>(column_.dictionary.size() - 1);
    codes_.emplace(column_.dictionary.back(), code);
    return code;
  }

 private:
  Column& column_;
  boost::unordered_flat_map<std::string_view, uint32_t> codes_;
};

Column to_column(const ColumnSpec& spec, const std::vector<Record>& records) {
  Column column;
  column.name = spec.name;
  if (spec.number) {
    column.type = ColumnType::kNumber;
    column.numbers.reserve(records.size());
    for (const Record& record : records) column.numbers.push_back(spec.number(record));
    return column;
  }
  column.codes.reserve(records.size());
  TextCodes codes(column, records.size());
  for (const Record& record : records) {
    if (spec.label) {
      column.codes.push_back(codes.code(spec.label(record)));
    } else {
      const Date date = spec.date(record);
      column.codes.push_back(date ? codes.code(format_day_month_year(*date)) : kMissing);
    }
  }
  return column;
}

// Rows [first, last) of one block. Rows before `first` are drawn too and dropped: a row's draws follow its
// predecessor's.
Table make_block(const RowsPlan& plan, Days date, uint64_t seed, uint64_t block, uint64_t first,
                 uint64_t last) {
  const ScenarioSetting& scenario = setting_of(plan.book, plan.scenario);
  const auto day = static_cast<uint32_t>(date.time_since_epoch().count());
  const uint64_t key = uint64_t{day} << 32 | block;
  Draw draw(seed, RandomStream::kPortfolio, key);
  Draw other_draw(seed, RandomStream::kPortfolioScenario, key);
  std::vector<Record> records;
  records.reserve(last - first);
  for (uint64_t row = 0; row < last; ++row) {
    Record record = draw_file(draw, plan.book, scenario);
    record.outcome = draw_outcome(draw, record, plan.book, scenario);
    if (scenario.broken) {
      Record other = draw_file(other_draw, plan.book, scenario);
      other.outcome = draw_outcome(other_draw, other, plan.book, scenario);
      join_wrong_file(record, other);
    }
    if (row >= first) records.push_back(record);
  }
  Table table;
  table.rows = records.size();
  for (const ColumnSpec& spec : schema(plan.with_truth)) table.columns.push_back(to_column(spec, records));
  return table;
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text) {
  std::string known;
  for (const auto& setting : kScenarios) {
    if (setting.name == text) return setting.scenario;
    known += (known.empty() ? "" : ", ") + std::string(setting.name);
  }
  return usage_error("scenario \"" + std::string(text) + "\" is none of " + known);
}

std::string_view to_string(Scenario scenario) { return setting_of(Book::kSeparable, scenario).name; }

Result<Book> parse_book(std::string_view text) {
  std::string known;
  for (const auto& one : kBooks) {
    if (one.name == text) return one.book;
    known += (known.empty() ? "" : ", ") + std::string(one.name);
  }
  return usage_error("book \"" + std::string(text) + "\" is none of " + known);
}

std::vector<std::string> book_names() {
  std::vector<std::string> names;
  for (const auto& one : kBooks) names.emplace_back(one.name);
  return names;
}

std::vector<std::string_view> column_names(bool with_truth) {
  std::vector<std::string_view> names;
  for (const auto& spec : schema(with_truth)) names.push_back(spec.name);
  return names;
}

std::vector<NumberFormat> number_formats(bool with_truth) {
  std::vector<NumberFormat> formats;
  for (const auto& spec : schema(with_truth)) formats.push_back(spec.format);
  return formats;
}

Status check_rows(uint64_t first_row, uint64_t rows) {
  if (first_row <= kMaxRow && rows <= kMaxRow - first_row) return {};
  return usage_error("the simulated book ends at row " + std::to_string(kMaxRow) + ": rows " +
                     std::to_string(first_row) + " and " + std::to_string(rows) + " more were asked for");
}

Table simulate_rows(const RowsPlan& plan, Days date, uint64_t first_row, uint64_t rows, uint64_t seed) {
  const uint64_t block = first_row / kBlockRows, at = first_row % kBlockRows;
  return make_block(plan, date, seed, block, at, at + rows);
}

Status simulate(const RowsPlan& plan, Days date, uint64_t first_row, uint64_t rows, uint64_t seed,
                const Sink& sink) {
  MAEIL_TRY(check_rows(first_row, rows));
  return run_pieces<Table>(
      first_row, rows, kBlockRows,
      [&](uint64_t first, uint64_t count, Table& table) -> Status {
        table = simulate_rows(plan, date, first, count, seed);
        return {};
      },
      [&](Table& table) { return sink(table); });
}

}  // namespace maeil::portfolio
