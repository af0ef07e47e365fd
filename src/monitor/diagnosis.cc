#include "monitor/diagnosis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "monitor/shares.h"

namespace maeil::monitor {
namespace {

using table::ColumnSummary;
using table::Severity;

constexpr double kRankingLost = 0.1;  // of ROC AUC
constexpr double kWeakRanking = 0.75;
constexpr double kLeastRatio = 1.25;  // of two rates of the target

enum class Kind { kMissing, kFilled, kUnseen, kShare, kMean };

struct Change {
  Kind kind;
  std::string column;
  double share = 0;  // total variation distance
  std::string text;  // "income: 43 % missing (0.2 % on 2026-11-24)"
};

std::string metric(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "undefined";
}

// More than chance makes of two shares, of so many rows each.
bool is_more_than_chance(double a, double b, uint64_t rows_a, uint64_t rows_b) {
  const double p = (a + b) / 2;
  const auto part = [&](uint64_t rows) {
    return p * (1 - p) / static_cast<double>(std::max<uint64_t>(rows, 1));
  };
  return std::abs(a - b) > kChanceErrors * std::sqrt(part(rows_a) + part(rows_b));
}

class Changes {
 public:
  Changes(const DateFacts& today, const DateFacts& good) : today_(today), good_(good) {
    compared_ = today.rows && good.rows && today.rows_of != good.rows_of;
    if (!compared_) return;
    for (const auto& column : today.rows->columns) {
      const auto before = std::ranges::find(good.rows->columns, column.column, &ColumnSummary::column);
      if (before != good.rows->columns.end()) compare(column, *before);
    }
    for (const auto& [feature, share] : today.unseen) {
      const auto before = good.unseen.find(feature);
      const double was = before == good.unseen.end() ? 0 : before->second;
      if (share > was)
        see(Kind::kUnseen, feature, share, was, today.rows->rows, good.rows->rows,
            fmt::format("{} of the rows have a value that the model never saw", percent(share)),
            percent(was));
    }
    std::ranges::stable_sort(found_, std::greater{}, &Change::share);
    // One change a column, the largest.
    std::vector<std::string> seen;
    std::erase_if(found_, [&](const Change& one) {
      const bool again = std::ranges::find(seen, one.column) != seen.end();
      seen.push_back(one.column);
      return again;
    });
  }
  const std::vector<Change>& found() const { return found_; }
  bool compared() const { return compared_; }  // false: what one of them was like is not known

 private:
  void add(Kind kind, const std::string& column, double share, const std::string& now,
           const std::string& was) {
    found_.push_back({kind, column, share,
                      fmt::format("{}: {} ({} on {})", column, now, was, format_date(good_.rows_of))});
  }

  void see(Kind kind, const std::string& column, double now, double was, uint64_t rows, uint64_t rows_before,
           const std::string& text, const std::string& was_text) {
    if (std::abs(now - was) >= kLeastChange && is_more_than_chance(now, was, rows, rows_before))
      add(kind, column, std::abs(now - was), text, was_text);
  }

  void compare(const ColumnSummary& now, const ColumnSummary& was) {
    see(now.missing > was.missing ? Kind::kMissing : Kind::kFilled, now.column, now.missing, was.missing,
        today_.rows->rows, good_.rows->rows, percent(now.missing) + " missing", percent(was.missing));
    compare_shares(now, was);
    // A column that is one number all day long (a rate of exchange) has another one each day.
    if (!now.mean || !was.mean || !now.deviation || !was.deviation || now.values == 0 || was.values == 0)
      return;
    const double deviation = std::max(*now.deviation, *was.deviation);
    if (!(deviation > 1e-9 * std::abs(*was.mean)) || !std::isfinite(deviation)) return;
    const double apart = std::abs(*now.mean - *was.mean) / deviation;
    const double error = std::sqrt(1 / static_cast<double>(now.values) + 1 / static_cast<double>(was.values));
    const double share = std::erf(apart / std::sqrt(8.0));
    if (share >= kLeastChange && apart > kChanceErrors * error)
      add(Kind::kMean, now.column, share, fmt::format("mean {:.6g}", *now.mean),
          fmt::format("{:.6g}", *was.mean));
  }

  void compare_shares(const ColumnSummary& now, const ColumnSummary& was) {
    for (const ColumnSummary* one : {&now, &was}) {
      for (const auto& [value, share] : one->shares) {
        const auto a = share_of(now, value), b = share_of(was, value);
        if (a && b)
          see(Kind::kShare, now.column, *a, *b, now.values, was.values,
              fmt::format("'{}' is {} of the values", value, percent(*a)), percent(*b));
      }
    }
  }

  const DateFacts& today_;
  const DateFacts& good_;
  std::vector<Change> found_;
  bool compared_ = false;
};

// Of the rows that were judged, else of all; "" where chance explains it, and where it is small.
std::string change_of_rate(const DateFacts& today, const DateFacts& good) {
  struct Rate {
    std::optional<double> rate;
    uint64_t rows = 0;
  };
  const auto of = [](const DateFacts& facts) -> Rate {
    if (facts.rate) return {facts.rate, facts.labelled};
    return facts.rows ? Rate{facts.rows->target_rate, facts.rows->labelled} : Rate{};
  };
  const Rate now = of(today), was = of(good);
  if (!now.rate || !was.rate || !is_more_than_chance(*now.rate, *was.rate, now.rows, was.rows)) return "";
  if (std::max(*now.rate, *was.rate) < kLeastRatio * std::min(*now.rate, *was.rate)) return "";
  return fmt::format("{} of the labelled rows are positive ({} on {})", percent(*now.rate),
                     percent(*was.rate), format_date(good.rows_of));
}

std::string change_of_rows(const DateFacts& today, const DateFacts& good) {
  if (!today.rows || !good.rows || good.rows->rows == 0) return "";
  const double ratio = static_cast<double>(today.rows->rows) / static_cast<double>(good.rows->rows);
  if (ratio > 0.5 && ratio < 2) return "";
  return fmt::format("{} rows ({} on {})", today.rows->rows, good.rows->rows, format_date(good.rows_of));
}

std::string columns_of(const std::vector<Change>& changes, Kind kind, size_t& count) {
  std::vector<std::string> names;
  count = 0;
  for (const auto& one : changes) {
    if (one.kind != kind) continue;
    if (++count <= 3) names.push_back(one.column);
  }
  return fmt::format("{}{}", fmt::join(names, ", "),
                     count > names.size() ? fmt::format(" and {} more", count - names.size()) : "");
}

// "F1 0.0812, ROC AUC 0.5312"
std::string describe(const std::optional<double>& f1, const std::optional<double>& roc_auc) {
  return fmt::format("F1 {}, ROC AUC {}", metric(f1), metric(roc_auc));
}

// How today's model did on the good day: what passed, or what was judged before it.
const DateFacts::Judged& then(const Evidence& evidence) {
  const auto& [today, good] = std::pair(evidence.today.judged.version, &*evidence.good);
  return today == good->judged.version && today != good->passed.version ? good->judged : good->passed;
}

struct Comparison {
  const Evidence& evidence;
  std::vector<Change> changes = {};
  bool compared = false;
  std::string rate = {};

  double best_of_attempts() const {
    double best = 0;
    for (const auto& attempt : evidence.attempts) best = std::max(best, attempt.roc_auc.value_or(0));
    return best;
  }

  // ", and retrained on those rows it reaches 0.6731 at best"
  std::string attempts_said() const {
    if (evidence.attempts.empty()) return "";
    return fmt::format(", and retrained on those rows it reaches {:.4f} at best", best_of_attempts());
  }

  std::string cause_without_good_day() const {
    const auto& auc = evidence.today.judged.roc_auc;
    if (!auc || *auc >= kWeakRanking || best_of_attempts() >= kWeakRanking) return "";
    return fmt::format(
        "The rows likely carry too little to reach the gate of {}: the model ranks with a ROC AUC of "
        "{:.4f}{}, and there is no earlier good day to compare with",
        evidence.f1_threshold, *auc, attempts_said());
  }

  std::string cause_of_feed() const {
    size_t count = 0;
    for (const auto& [kind, what] : {std::pair(Kind::kMissing, "has lost values"),
                                     {Kind::kUnseen, "has values that the model never saw"}}) {
      const std::string columns = columns_of(changes, kind, count);
      if (count == 0) continue;
      const auto most = std::ranges::find(changes, kind, &Change::kind);
      if (most->share >= 2 * kLeastChange)
        return fmt::format("The feed of {} is likely broken: it {}: {}", columns, what, most->text);
    }
    return "";
  }

  std::string cause() const {
    if (!evidence.good) return cause_without_good_day();
    const auto& good = *evidence.good;
    const auto& today = evidence.today.judged;
    const auto& before = then(evidence);
    const std::string day = format_date(good.date);
    if (auto feed = cause_of_feed(); !feed.empty()) return feed;
    // On the good day another one passed, which is not in force yet.
    if (good.waits && today.version != good.passed.version)
      return fmt::format(
          "Version {} is not good enough any more, as on {} already: version {} passed there and waits "
          "for a person's approval",
          today.version, day, good.passed.version);
    const bool unchanged = compared && changes.empty(), same_version = today.version == before.version;
    const bool ranks_less =
        today.roc_auc && before.roc_auc && *before.roc_auc - *today.roc_auc >= kRankingLost;
    // What the world does can be learnt again from the day's own rows.
    const bool cannot_be_learnt =
        ranks_less && !evidence.attempts.empty() && *before.roc_auc - best_of_attempts() >= kRankingLost;
    if (ranks_less && unchanged && !same_version && !cannot_be_learnt)
      return fmt::format(
          "Version {} is likely the cause: no column has changed, and it ranks with a ROC AUC of {:.4f}, "
          "where version {} had {:.4f} on {}",
          today.version, *today.roc_auc, before.version, *before.roc_auc, day);
    if (cannot_be_learnt || (ranks_less && unchanged))
      return fmt::format(
          "Rows are likely joined wrongly, or labels are: the model ranks with a ROC AUC of {:.4f} ({:.4f} "
          "on {}){}{}",
          *today.roc_auc, *before.roc_auc, day, attempts_said(),
          unchanged ? ", though no column has changed by itself" : "");
    if (!evidence.attempts.empty() && !evidence.attempts.back().failure.empty())
      return fmt::format(
          "The rows can be learnt again, but what was retrained may not take the place of version {}: {}",
          today.version, evidence.attempts.back().failure);
    if (!rate.empty())
      return fmt::format("The rate of the target has changed: {}{}", rate,
                         today.roc_auc && !ranks_less
                             ? fmt::format("; the model still ranks (ROC AUC {:.4f})", *today.roc_auc)
                             : "");
    if (!changes.empty())
      return fmt::format(
          "The rows are likely of another kind than on {}: {} of {} columns have changed, most {}",
          format_date(good.rows_of), changes.size(), evidence.today.rows->columns.size(),
          changes.front().text);
    if (unchanged && !same_version)
      return fmt::format("Version {} is likely the cause: no column has changed, and on {} version {} passed",
                         today.version, day, before.version);
    if (unchanged && today.roc_auc && before.roc_auc)
      return fmt::format(
          "Chance, or what the columns mean for the target: no column has changed, and the ROC AUC is {:.4f} "
          "({:.4f} on {})",
          *today.roc_auc, *before.roc_auc, day);
    return "";
  }
};

std::string cause_of_contract(const Evidence& evidence) {
  const auto error = std::ranges::find(evidence.findings, Severity::kError, &table::Finding::severity);
  if (error == evidence.findings.end()) return "";
  const std::string& rule = error->rule;
  const std::string what = error->message;
  if (rule == "column" || rule == "max_missing")
    return fmt::format("The feed of {} is likely broken: {}", error->column, what);
  if (rule == "unique_file") return "The file of another day was likely sent again: " + what;
  if (rule == "min_rows") return "The file was likely cut off: " + what;
  if (rule == "type" || rule == "date" || rule == "min" || rule == "max" || rule == "allowed")
    return fmt::format("{} is likely written in another way, or in another unit: {}", error->column, what);
  return "The file breaks its contract: " + what;
}

// What was recorded on the way, whether or not it is the cause.
std::vector<std::string> what_changed(const Comparison& comparison, bool gate) {
  const auto& [evidence, changes, compared, rate] = comparison;
  const auto& today = evidence.today;
  std::vector<std::string> out;
  if (const auto& judged = today.judged; gate && judged.f1) {
    out.push_back(fmt::format("version {}: {}{}", judged.version, describe(judged.f1, judged.roc_auc),
                              evidence.good ? fmt::format(" (version {} on {}: {})", then(evidence).version,
                                                          format_date(evidence.good->date),
                                                          describe(then(evidence).f1, then(evidence).roc_auc))
                                            : ""));
  }
  for (size_t k = 0; gate && k < evidence.attempts.size(); ++k) {
    const auto& attempt = evidence.attempts[k];
    out.push_back(
        fmt::format("attempt {}: {}{}{}", k + 1, describe(attempt.f1, attempt.roc_auc),
                    attempt.failure.empty() ? "" : ": " + attempt.failure,
                    attempt.worst_segment.empty() ? "" : "; worst segment " + attempt.worst_segment));
  }
  for (size_t k = 0, told = 0; k < evidence.findings.size() && told < kToldChanges; ++k) {
    // What a column's change says already.
    const auto& finding = evidence.findings[k];
    if (finding.rule.starts_with("usual_") &&
        std::ranges::find(changes, finding.column, &Change::column) != changes.end())
      continue;
    out.push_back(finding.message);
    ++told;
  }
  if (!evidence.good) return out;
  if (auto rows = change_of_rows(today, *evidence.good); !rows.empty()) out.push_back(std::move(rows));
  if (!rate.empty()) out.push_back(rate);
  for (size_t k = 0; k < std::min(changes.size(), kToldChanges); ++k) out.push_back(changes[k].text);
  if (changes.size() > kToldChanges)
    out.push_back(fmt::format("{} more columns have changed", changes.size() - kToldChanges));
  if (compared && changes.empty() && gate) out.emplace_back("no column has changed by itself");
  return out;
}

void add_redo(const Evidence& evidence, std::vector<std::string>& out) {
  const std::string date = format_date(evidence.today.date);
  if (!evidence.source.empty())
    out.push_back(fmt::format("maeil redo {} --in FILE    # the date again with the right rows", date));
  else if (evidence.scenario != "calm" && !evidence.scenario.empty())
    out.push_back(fmt::format("maeil redo {} --scenario calm    # the date again with the usual rows", date));
  else
    out.push_back(fmt::format("maeil redo {}    # the date again", date));
}

std::vector<std::string> what_helps(const Evidence& evidence, bool gate) {
  const std::string date = format_date(evidence.today.date);
  std::vector<std::string> out;
  if (gate) {
    if (evidence.today.rows_of == evidence.today.date)
      add_redo(evidence, out);
    else
      out.push_back(
          fmt::format("maeil labels import --in FILE    # the labels of {} again, where they were wrong",
                      format_date(evidence.today.rows_of)));
    // Back only where what is deployed is not what did well.
    const auto& good = evidence.good;
    const bool is_another = good && good->passed.version != evidence.today.judged.version;
    if (is_another && good->waits)
      out.push_back(fmt::format("maeil model approve {} --comment \"...\"    # what passed on {}",
                                good->passed.version, format_date(good->date)));
    else if (is_another && evidence.deployed == evidence.today.judged.version)
      out.push_back(fmt::format("maeil model deploy {}    # back to what passed on {}", good->passed.version,
                                format_date(good->date)));
  } else if (evidence.rule == "DATA_CONTRACT_BROKEN") {
    add_redo(evidence, out);
    out.push_back(
        fmt::format("maeil run --date {}    # goes on, when the contract was wrong and is mended", date));
  } else if (evidence.rule == "TASK_FAILED") {
    const bool is_part = evidence.task.ends_with(']');  // which a shell would take for a pattern
    out.push_back(
        fmt::format("maeil logs {0} {2}{1}{2}    # what it said", date, evidence.task, is_part ? "'" : ""));
    out.push_back(fmt::format("maeil run --date {}    # goes on from there", date));
  } else if (evidence.rule == "DEPLOYMENT_FAILED") {
    out.emplace_back("maeil doctor    # what is wrong here");
    out.push_back(fmt::format("maeil run --date {}    # once more, and what follows", date));
  } else if (evidence.rule == "MODEL_ROLLED_BACK") {
    out.emplace_back("maeil model history    # who deployed what");
  } else if (evidence.rule == "APPROVAL_PENDING") {
    out.push_back(fmt::format("maeil model show {}", evidence.version));
    out.push_back(fmt::format("maeil model approve {} --comment \"...\"    # deploys it", evidence.version));
  } else if (evidence.rule.starts_with("LABELS_") || evidence.rule == "MODEL_NOT_JUDGED") {
    out.emplace_back("maeil labels import --in FILE    # when they are there");
  }
  out.push_back(fmt::format("maeil report {} --html day.html    # the whole day on one page", date));
  out.push_back(fmt::format("maeil logs {}", date));
  return out;
}

}  // namespace

alerting::Diagnosis diagnose(const Evidence& evidence) {
  const bool gate = evidence.rule == "MODEL_PERFORMANCE_FAILURE";
  const bool about_rows =
      gate || evidence.rule == "DATA_CONTRACT_BROKEN" || evidence.rule == "MODEL_NOT_JUDGED";
  Comparison comparison{evidence};
  if (about_rows && evidence.good) {
    const Changes changes(evidence.today, *evidence.good);
    comparison.changes = changes.found();
    comparison.compared = changes.compared();
    comparison.rate = change_of_rate(evidence.today, *evidence.good);
  }
  alerting::Diagnosis out;
  out.cause = gate                                      ? comparison.cause()
              : evidence.rule == "DATA_CONTRACT_BROKEN" ? cause_of_contract(evidence)
                                                        : "";
  if (about_rows && evidence.good) out.good_day = evidence.good->date;
  if (about_rows) out.changes = what_changed(comparison, gate);
  out.commands = what_helps(evidence, gate);
  return out;
}

}  // namespace maeil::monitor
