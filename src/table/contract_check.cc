// Texts and dates are judged once for each different one of a chunk, by its dictionary; numbers row by row.
#include "table/contract_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "format/csv.h"
#include "table/dates.h"

namespace maeil::table {
namespace {

constexpr size_t kExampleBytes = 40;

double share_of(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

void keep_example(std::vector<std::string>& examples, std::string value) {
  if (examples.size() < kFindingExamples && std::ranges::find(examples, value) == examples.end())
    examples.push_back(std::move(value));
}

uint64_t mix(uint64_t hash) {  // the finalizer of MurmurHash3
  hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
  hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
  return hash ^ hash >> 33;
}

std::string listed(const ColumnContract& rules) {
  constexpr size_t kShown = 5;
  std::string out;
  const size_t all = rules.allowed_texts.size() + rules.allowed_numbers.size();
  for (size_t i = 0; i < std::min(all, kShown); ++i) {
    out += i > 0 ? ", " : "";
    out += rules.allowed_texts.empty() ? bound_text(rules.allowed_numbers[i], false)
                                       : format::clip_utf8(rules.allowed_texts[i], kExampleBytes);
  }
  return out + (all > kShown ? fmt::format(" and {} more", all - kShown) : "");
}

std::string examples_text(const std::vector<std::string>& examples) {
  if (examples.empty()) return "";
  std::string out;
  for (const auto& one : examples) out += (out.empty() ? ", such as '" : ", '") + one + "'";
  return out;
}

}  // namespace

ContractCheck::ContractCheck(const DatasetSpec& spec, std::vector<bool> absent)
    : spec_(spec), absent_(std::move(absent)) {
  const Contract& contract = spec.contract;
  for (size_t part = 0; part < contract.columns.size(); ++part) {
    const ColumnContract& column = contract.columns[part];
    position_.push_back(static_cast<size_t>(spec.find(column.column) - spec.columns.data()));
    auto& rules = rules_of_.emplace_back();
    rules.fill(kNone);
    const bool is_asked[] = {column.min.has_value(), column.max.has_value(),
                             !column.allowed_numbers.empty() || !column.allowed_texts.empty()};
    for (const auto kind : {Kind::kMin, Kind::kMax, Kind::kAllowed}) {
      if (!is_asked[static_cast<size_t>(kind)]) continue;
      rules[static_cast<size_t>(kind)] = static_cast<uint16_t>(rules_.size());
      rules_.push_back({kind, part, column.mostly.value_or(contract.mostly), column.mostly.has_value()});
    }
  }
  const bool has_ids = std::ranges::none_of(spec.roles.id, [&](const std::string& id) {
    return !absent_.empty() && absent_[static_cast<size_t>(spec.find(id) - spec.columns.data())];
  });
  if (contract.unique_id && has_ids) {  // a column that the file lacks is one finding, not one of each row
    unique_rule_ = static_cast<uint16_t>(rules_.size());
    rules_.push_back({Kind::kUniqueId, 0, contract.mostly, false});
    for (const auto& id : spec.roles.id)
      ids_.push_back(static_cast<size_t>(spec.find(id) - spec.columns.data()));
  }
  broken_.assign(rules_.size(), 0);
  examples_.resize(rules_.size());
  missing_.assign(contract.columns.size(), 0);
  for (const Rule& rule : rules_) set_aside_.reasons.push_back(what_breaks(rule));
}

std::string ContractCheck::name_of(const Rule& rule) const {
  constexpr const char* kNames[] = {"min", "max", "allowed", "unique_id"};
  return kNames[static_cast<size_t>(rule.kind)];
}

std::string ContractCheck::what_breaks(const Rule& rule) const {
  if (rule.kind == Kind::kUniqueId) return "the id is missing or an earlier row's";
  const ColumnContract& column = spec_.contract.columns[rule.part];
  const bool date = spec_.columns[position_[rule.part]].type == SpecType::kDate;
  const std::string of = fmt::format("column '{}': ", column.column);
  if (rule.kind == Kind::kMin) return fmt::format("{}below min = {}", of, bound_text(*column.min, date));
  if (rule.kind == Kind::kMax) return fmt::format("{}above max = {}", of, bound_text(*column.max, date));
  return fmt::format("{}not in allowed ({})", of, listed(column));
}

void ContractCheck::hit(uint16_t rule, size_t row, Piece& out) const {
  ++out.broken[rule];
  out.counts[row] |= !rules_[rule].own_mostly;
  if (out.broken_by[row] == kNone) out.broken_by[row] = rule;
}

// The rule that a number, or a date in days, breaks.
uint16_t ContractCheck::rule_of(size_t part, double value) const {
  const ColumnContract& rules = spec_.contract.columns[part];
  if (rules.min && value < *rules.min) return rules_of_[part][0];
  if (rules.max && value > *rules.max) return rules_of_[part][1];
  const auto& allowed = rules.allowed_numbers;
  if (!allowed.empty() && !std::binary_search(allowed.begin(), allowed.end(), value))
    return rules_of_[part][2];
  return kNone;
}

void ContractCheck::look_at_column(const Table& chunk, size_t part, Piece& out) const {
  const ColumnContract& rules = spec_.contract.columns[part];
  const SpecColumn& spec = spec_.columns[position_[part]];
  const Column& column = chunk.columns[position_[part]];
  const bool shows = !spec.identifier && std::ranges::find(spec_.roles.id, spec.name) == spec_.roles.id.end();
  uint64_t& missing = out.missing[part];
  if (column.type == ColumnType::kNumber) {
    for (size_t row = 0; row < chunk.rows; ++row) {
      const double value = column.numbers[row];
      if (value != value) {
        ++missing;
        continue;
      }
      const uint16_t rule = rule_of(part, value);
      if (rule == kNone) continue;
      hit(rule, row, out);
      if (shows && out.examples[rule].size() < kFindingExamples)
        keep_example(out.examples[rule], fmt::format("{}", value));
    }
    return;
  }
  constexpr uint16_t kNoDate = kNone - 1;  // counts as missing, as where rows are prepared
  std::vector<uint16_t> of_text(column.dictionary.size(), kNone);
  for (size_t k = 0; k < of_text.size(); ++k) {
    const std::string& text = column.dictionary[k];
    if (spec.type == SpecType::kDate) {
      const auto day = read_day(text, spec.format);
      of_text[k] = day ? rule_of(part, static_cast<double>(day->time_since_epoch().count())) : kNoDate;
    } else if (!rules.allowed_texts.empty() &&
               !std::binary_search(rules.allowed_texts.begin(), rules.allowed_texts.end(), text)) {
      of_text[k] = rules_of_[part][2];
    }
  }
  for (size_t row = 0; row < chunk.rows; ++row) {
    const uint32_t code = column.codes[row];
    const uint16_t rule = code == kMissing ? kNoDate : of_text[code];
    if (rule == kNone) continue;
    if (rule == kNoDate) {
      ++missing;
      continue;
    }
    hit(rule, row, out);
    if (shows && out.examples[rule].size() < kFindingExamples)
      keep_example(out.examples[rule], format::clip_utf8(column.dictionary[code], kExampleBytes));
  }
}

void ContractCheck::hash_ids(const Table& chunk, Piece& out) const {
  out.ids.assign(chunk.rows, 1);
  std::vector<uint64_t> of_text;
  for (const size_t c : ids_) {
    const Column& column = chunk.columns[c];
    of_text.clear();
    for (const auto& text : column.dictionary) of_text.push_back(hash64(text));
    for (size_t row = 0; row < chunk.rows; ++row) {
      uint64_t& id = out.ids[row];
      if (column.codes[row] == kMissing || id == kNoId)
        id = kNoId;
      else
        id = std::max<uint64_t>(1, mix(id * 31 + of_text[column.codes[row]]));
    }
  }
}

void ContractCheck::look(const Table& chunk, Piece& out) const {
  out.rows = chunk.rows;
  out.broken_by.assign(chunk.rows, kNone);
  out.counts.assign(chunk.rows, 0);
  out.broken.assign(rules_.size(), 0);
  out.missing.assign(missing_.size(), 0);
  out.examples.resize(rules_.size());
  for (auto& examples : out.examples) examples.clear();
  for (size_t part = 0; part < missing_.size(); ++part) look_at_column(chunk, part, out);
  if (!ids_.empty()) hash_ids(chunk, out);
  out.labelled = out.positives = 0;
  const Column* target = spec_.target.empty() ? nullptr : chunk.find(spec_.target);
  for (size_t row = 0; target && row < chunk.rows; ++row) {
    if (target->is_missing(row)) continue;
    ++out.labelled;
    out.positives += target->text(row) == spec_.positive;
  }
}

void ContractCheck::add(const Piece& piece, const std::vector<uint64_t>& row_index) {
  rows_ += piece.rows;
  labelled_ += piece.labelled;
  positives_ += piece.positives;
  for (size_t r = 0; r < rules_.size(); ++r) {
    broken_[r] += piece.broken[r];
    for (const auto& example : piece.examples[r]) keep_example(examples_[r], example);
  }
  for (size_t part = 0; part < missing_.size(); ++part) missing_[part] += piece.missing[part];
  for (size_t row = 0; row < piece.rows; ++row) {
    uint16_t rule = piece.broken_by[row];
    bool counts = piece.counts[row];
    // Of the rows that remain none has the id of another: the first one stays.
    if (rule == kNone && !ids_.empty() && (piece.ids[row] == kNoId || !seen_.insert(piece.ids[row]).second)) {
      rule = unique_rule_;
      ++broken_[rule];
      counts = true;
    }
    if (rule == kNone) continue;
    counted_ += counts;
    set_aside_.rows.push_back(row_index[row]);
    set_aside_.reason_of.push_back(rule);
  }
}

void ContractCheck::find_row_rules(std::vector<Finding>& out) const {
  for (size_t r = 0; r < rules_.size(); ++r) {
    if (broken_[r] == 0) continue;
    const Rule& rule = rules_[r];
    const bool unique = rule.kind == Kind::kUniqueId;
    const uint64_t values = unique ? rows_ : rows_ - missing_[rule.part];
    Finding& one = out.emplace_back();
    one.rule = name_of(rule);
    if (!unique) one.column = spec_.contract.columns[rule.part].column;
    one.count = broken_[r];
    one.share = share_of(broken_[r], values);
    one.examples = examples_[r];
    const bool broken = one.share > 1 - rule.mostly + 1e-12;
    one.severity = broken ? Severity::kError : Severity::kWarning;
    one.message =
        fmt::format("{}: {} of {} {} ({}){}{}", set_aside_.reasons[r], one.count, values,
                    unique ? "rows" : "values", percent(one.share), examples_text(one.examples),
                    broken ? fmt::format(", more than the {} that may be set aside", percent(1 - rule.mostly))
                           : ": set aside");
  }
  const double mostly = spec_.contract.mostly;
  if (const double share = share_of(counted_, rows_); share > 1 - mostly + 1e-12) {
    out.push_back(
        {"mostly",
         "",
         Severity::kError,
         counted_,
         share,
         {},
         fmt::format("{} of {} rows ({}) break a rule of the contract, more than the {} that may be "
                     "set aside",
                     counted_, rows_, percent(share), percent(1 - mostly))});
  }
}

void ContractCheck::find_file_rules(FileRules file_rules, std::vector<Finding>& out) const {
  const Contract& contract = spec_.contract;
  const Severity severity = file_rules == FileRules::kSaid ? Severity::kWarning : Severity::kError;
  const auto find = [&](const char* rule, const std::string& column, uint64_t count, double share,
                        std::string message) {
    out.push_back({rule, column, severity, count, share, {}, std::move(message)});
  };
  for (size_t part = 0; part < missing_.size(); ++part) {
    const ColumnContract& column = contract.columns[part];
    const double share = share_of(missing_[part], rows_);
    if (!column.max_missing || share <= *column.max_missing || absent_[position_[part]]) continue;
    find("max_missing", column.column, missing_[part], share,
         fmt::format("column '{}': {} of {} values ({}) are missing, more than max_missing = {}",
                     column.column, missing_[part], rows_, percent(share), *column.max_missing));
  }
  if (contract.min_rows && file_rules == FileRules::kAll && rows_ < *contract.min_rows)
    find("min_rows", "", rows_, 0,
         fmt::format("{} rows, fewer than min_rows = {}", rows_, *contract.min_rows));
  if (contract.max_rows && file_rules == FileRules::kAll && rows_ > *contract.max_rows)
    find("max_rows", "", rows_, 0,
         fmt::format("{} rows, more than max_rows = {}", rows_, *contract.max_rows));
  if (!contract.min_target_rate || labelled_ == 0) return;  // without labels there is no rate
  const double rate = share_of(positives_, labelled_);
  if (rate < *contract.min_target_rate || rate > *contract.max_target_rate) {
    find("target_rate", spec_.target, positives_, rate,
         fmt::format("{} of {} labelled rows ({}) are '{}', outside target_rate = [{}, {}]", positives_,
                     labelled_, percent(rate), format::clip_utf8(spec_.positive, kExampleBytes),
                     *contract.min_target_rate, *contract.max_target_rate));
  }
}

std::vector<Finding> ContractCheck::findings(const ReadReport& report, const std::string& file,
                                             FileRules file_rules) const {
  std::vector<Finding> out = read_findings(spec_, report, file);
  if (report.other_labels > 0) {
    // Where no label is one of the two, the file's are not the dataset's.
    const bool none = labelled_ == 0 && file_rules != FileRules::kSaid;
    const double share = share_of(report.other_labels, report.rows);
    out.push_back(
        {"target",
         spec_.target,
         none ? Severity::kError : Severity::kWarning,
         report.other_labels,
         share,
         {},
         fmt::format("column '{}': {} of {} rows ({}) have a label that is neither of the two{}: {} {}: {}",
                     spec_.target, report.other_labels, report.rows, percent(share),
                     none ? ", and none has one that is" : "; they count as rows without a label",
                     report.place(), report.other_label_examples.front().line,
                     report.other_label_examples.front().reason)});
  }
  find_row_rules(out);
  find_file_rules(file_rules, out);
  return out;
}

std::vector<Finding> read_findings(const DatasetSpec& spec, const ReadReport& report,
                                   const std::string& file) {
  std::vector<Finding> out;
  const Status quarantine = check_quarantine(report, file);
  const Severity severity = quarantine ? Severity::kWarning : Severity::kError;
  uint64_t by_column = 0;
  for (const auto& wrong : report.wrong_columns) {
    by_column += wrong.rows;
    const double share = share_of(wrong.rows, report.rows);
    out.push_back({"type", wrong.column, severity, wrong.rows, share, wrong.examples,
                   fmt::format("column '{}': {} of {} rows ({}) cannot be read{}", wrong.column, wrong.rows,
                               report.rows, percent(share), examples_text(wrong.examples))});
  }
  const uint64_t rest = report.quarantined - report.set_aside - by_column;
  if (rest > 0) {
    out.push_back({"type",
                   "",
                   severity,
                   rest,
                   share_of(rest, report.rows),
                   {},
                   fmt::format("{} of {} rows ({}) cannot be split into their fields", rest, report.rows,
                               percent(share_of(rest, report.rows)))});
  }
  if (!quarantine && report.rows > 0) out.back().message = quarantine.error().message;
  for (const auto& dates : report.dates) {
    if (dates.unreadable == 0) continue;
    const double share = share_of(dates.unreadable, report.rows - report.quarantined);
    const bool is_id = std::ranges::find(spec.roles.id, dates.column) != spec.roles.id.end();
    out.push_back(
        {"date",
         dates.column,
         dates.any_read ? Severity::kWarning : Severity::kError,
         dates.unreadable,
         share,
         {},
         fmt::format("column '{}': {} texts ({}) cannot be read as a date and count as missing; the "
                     "first is {} {}{}",
                     dates.column, dates.unreadable, percent(share), report.place(), dates.line,
                     is_id ? "" : ": " + dates.why)});
  }
  return out;
}

bool has_error(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& one) { return one.severity == Severity::kError; });
}

}  // namespace maeil::table
