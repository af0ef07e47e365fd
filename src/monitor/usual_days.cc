#include "monitor/usual_days.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <functional>

#include "monitor/shares.h"
#include "store/field_rules.h"

namespace maeil::monitor {
namespace {

using store::Document;
using table::ColumnSummary;
using table::Finding;
using table::Severity;

constexpr double kFewRows = 0.02;      // of the rows of a day that may be more or less
constexpr double kSmallShare = 0.005;  // by which a share may always differ
// Standard errors of a normal's quartiles and median, in its deviations, times the root of the rows.
constexpr double kQuartileError[3] = {1.3626, 1.2533, 1.3626};
constexpr double kQuartileRange = 1.349;  // of a normal, in its deviations

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// How far a value lies beyond what the earlier days allow: above 1 it is unusual.
struct Distance {
  double beyond = 0, usual = 0, limit = 0;
};

// `chance`: what chance alone may make of the usual value.
std::optional<Distance> distance(double value, const std::vector<double>& earlier,
                                 const std::function<double(double usual)>& chance) {
  if (earlier.size() < kFewestUsualDays) return std::nullopt;
  Distance out;
  out.usual = median(earlier);
  std::vector<double> apart;
  for (const double one : earlier) apart.push_back(std::abs(one - out.usual));
  const double days = static_cast<double>(earlier.size());
  out.limit = std::max((4 + 45 / (days - 5)) * 1.4826 * median(std::move(apart)), chance(out.usual));
  const double off = std::abs(value - out.usual);
  out.beyond = off <= out.limit ? 0 : off / std::max(out.limit, 1e-300);
  return out.beyond > 1 ? std::optional(out) : std::nullopt;
}

// Of a share among `rows` rows.
std::function<double(double)> chance_of_share(double value, uint64_t rows) {
  return [value, rows](double usual) {
    const double p = (value + usual) / 2;
    return kSmallShare +
           kChanceErrors * std::sqrt(2 * p * (1 - p) / static_cast<double>(std::max<uint64_t>(rows, 1)));
  };
}

// The most unusual thing about a column so far.
class Worst {
 public:
  explicit Worst(std::string column) { one_.column = std::move(column); }
  void see(const std::optional<Distance>& found, const char* rule, double share,
           const std::function<std::string(const Distance&)>& say) {
    if (!found || found->beyond <= beyond_) return;
    beyond_ = found->beyond;
    one_.rule = rule;
    one_.share = share;
    one_.message = say(*found);
  }
  void finish(std::vector<Finding>& out) {
    if (beyond_ > 0) out.push_back(std::move(one_));
  }

 private:
  double beyond_ = 0;
  Finding one_{.rule = "", .column = "", .severity = Severity::kWarning, .examples = {}, .message = ""};
};

std::vector<double> gather(const std::vector<const ColumnSummary*>& earlier,
                           const std::function<std::optional<double>(const ColumnSummary&)>& value) {
  std::vector<double> out;
  for (const ColumnSummary* one : earlier) {
    if (const auto told = value(*one); told && std::isfinite(*told)) out.push_back(*told);
  }
  return out;
}

void see_numbers(const ColumnSummary& today, const std::vector<const ColumnSummary*>& earlier, Worst& worst) {
  const auto say = [&](const char* what, double value) {
    return [&today, what, value](const Distance& found) {
      return fmt::format("column '{}': its {} is {:.6g}, usual is {:.6g} within {:.3g}", today.column, what,
                         value, found.usual, found.limit);
    };
  };
  const double rows = static_cast<double>(std::max<uint64_t>(today.values, 1));
  if (today.mean) {
    const auto deviations = gather(earlier, [](const auto& one) { return one.deviation; });
    const auto means = gather(earlier, [](const auto& one) { return one.mean; });
    worst.see(distance(*today.mean, means,
                       [&](double usual) {
                         return kChanceErrors * std::sqrt(2 / rows) * median(deviations) +
                                1e-9 * std::abs(usual);
                       }),
              "usual_mean", 0, say("mean", *today.mean));
  }
  const auto ranges = gather(earlier, [](const auto& one) -> std::optional<double> {
    if (!one.quartiles[0] || !one.quartiles[2]) return std::nullopt;
    return *one.quartiles[2] - *one.quartiles[0];
  });
  for (size_t q = 0; q < 3 && ranges.size() >= kFewestUsualDays; ++q) {
    if (!today.quartiles[q]) continue;
    const double sample = std::min(rows, static_cast<double>(table::kSummaryRows));
    const double error = kQuartileError[q] * std::sqrt(2 / sample) * median(ranges) / kQuartileRange;
    constexpr const char* kNames[] = {"lower quartile", "median", "upper quartile"};
    worst.see(
        distance(*today.quartiles[q], gather(earlier, [q](const auto& one) { return one.quartiles[q]; }),
                 [&](double usual) { return kChanceErrors * error + 1e-6 * std::abs(usual); }),
        "usual_quartiles", 0, say(kNames[q], *today.quartiles[q]));
  }
}

void see_shares(const ColumnSummary& today, const std::vector<const ColumnSummary*>& earlier, Worst& worst) {
  std::vector<std::string> values;
  const auto add = [&](const ColumnSummary& column) {
    for (const auto& [value, share] : column.shares) {
      if (std::ranges::find(values, value) == values.end()) values.push_back(value);
    }
  };
  add(today);
  if (!earlier.empty()) add(*earlier.front());
  for (const auto& value : values) {
    const auto share = share_of(today, value);
    if (!share) continue;
    worst.see(distance(*share, gather(earlier, [&](const auto& one) { return share_of(one, value); }),
                       chance_of_share(*share, today.values)),
              "usual_share", *share, [&](const Distance& found) {
                return fmt::format("column '{}': '{}' is {} of the values, usual is {} within {}",
                                   today.column, value, percent(*share), percent(found.usual),
                                   percent(found.limit));
              });
  }
}

Document number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Document(*value) : Document();
}

std::optional<double> number_of(const Document& document, const char* field) {
  const auto found = document.find(field);
  return found != document.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

uint64_t count_of(const Document& document, const char* field) {
  const auto value = number_of(document, field);
  return value && *value >= 0 && *value < 1e18 ? static_cast<uint64_t>(*value) : 0;
}

ColumnSummary column_from(const Document& from) {
  ColumnSummary out;
  out.column = store::text_field(from, "column");
  out.missing = number_of(from, "missing").value_or(0);
  out.values = count_of(from, "values");
  out.mean = number_of(from, "mean");
  out.deviation = number_of(from, "deviation");
  if (const auto quartiles = from.find("quartiles");
      quartiles != from.end() && quartiles->is_array() && quartiles->size() == 3) {
    for (size_t q = 0; q < 3; ++q) {
      if ((*quartiles)[q].is_number()) out.quartiles[q] = (*quartiles)[q].get<double>();
    }
  }
  if (const auto shares = from.find("shares"); shares != from.end() && shares->is_array()) {
    for (const auto& one : *shares) {
      if (!one.is_object() || !number_of(one, "share")) continue;
      out.shares.emplace_back(store::text_field(one, "value"), *number_of(one, "share"));
    }
    out.all_shares = from.value("all_shares", Document()) == Document(true);
  }
  return out;
}

}  // namespace

std::optional<double> share_of(const ColumnSummary& column, const std::string& value) {
  for (const auto& [name, share] : column.shares) {
    if (name == value) return share;
  }
  return column.all_shares ? std::optional(0.0) : std::nullopt;
}

Document summary_document(const DaySummary& day) {
  auto columns = Document::array();
  for (const auto& one : day.columns) {
    Document column = {{"column", one.column}, {"missing", one.missing}, {"values", one.values}};
    if (one.mean) {
      column["mean"] = number(one.mean);
      column["deviation"] = number(one.deviation);
      column["min"] = number(one.min);
      column["max"] = number(one.max);
      column["quartiles"] = {number(one.quartiles[0]), number(one.quartiles[1]), number(one.quartiles[2])};
    }
    if (!one.shares.empty()) {
      auto shares = Document::array();
      for (const auto& [value, share] : one.shares) shares.push_back({{"value", value}, {"share", share}});
      column["shares"] = std::move(shares);
      column["all_shares"] = one.all_shares;
    }
    columns.push_back(std::move(column));
  }
  return {{"rows", day.rows},
          {"labelled", day.labelled},
          {"target_rate", number(day.target_rate)},
          {"columns", std::move(columns)}};
}

DaySummary summary_from(const Document& document) {
  DaySummary out;
  if (!document.is_object()) return out;
  out.rows = count_of(document, "rows");
  out.labelled = count_of(document, "labelled");
  out.target_rate = number_of(document, "target_rate");
  if (const auto columns = document.find("columns"); columns != document.end() && columns->is_array()) {
    for (const auto& one : *columns) {
      if (one.is_object()) out.columns.push_back(column_from(one));
    }
  }
  return out;
}

std::vector<Finding> unusual(const DaySummary& day, const std::vector<DaySummary>& earlier) {
  std::vector<Finding> out;
  if (earlier.size() < kFewestUsualDays) return out;
  std::vector<double> rows, rates;
  boost::unordered_flat_map<std::string, std::vector<const ColumnSummary*>> columns;
  for (const auto& one : earlier) {
    rows.push_back(static_cast<double>(one.rows));
    if (one.target_rate) rates.push_back(*one.target_rate);
    for (const auto& column : one.columns) columns[column.column].push_back(&column);
  }
  Worst volume("");
  volume.see(distance(static_cast<double>(day.rows), rows,
                      [](double usual) { return kFewRows * usual + kChanceErrors * std::sqrt(2 * usual); }),
             "usual_rows", 0, [&](const Distance& found) {
               return fmt::format("{} rows, usual are {:.0f} within {:.0f}", day.rows, found.usual,
                                  found.limit);
             });
  volume.finish(out);
  if (day.target_rate) {
    Worst rate("");
    rate.see(distance(*day.target_rate, rates, chance_of_share(*day.target_rate, day.labelled)),
             "usual_target_rate", *day.target_rate, [&](const Distance& found) {
               return fmt::format("{} of the labelled rows are positive, usual are {} within {}",
                                  percent(*day.target_rate), percent(found.usual), percent(found.limit));
             });
    rate.finish(out);
  }
  for (const auto& today : day.columns) {
    const auto& before = columns[today.column];
    Worst worst(today.column);
    worst.see(
        distance(today.missing, gather(before, [](const auto& one) { return std::optional(one.missing); }),
                 chance_of_share(today.missing, day.rows)),
        "usual_missing", today.missing, [&](const Distance& found) {
          return fmt::format("column '{}': {} of the values are missing, usual are {} within {}",
                             today.column, percent(today.missing), percent(found.usual),
                             percent(found.limit));
        });
    see_numbers(today, before, worst);
    see_shares(today, before, worst);
    worst.finish(out);
  }
  return out;
}

}  // namespace maeil::monitor
