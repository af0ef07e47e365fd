#include "loop/history_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "loop/file_rows.h"
#include "loop/query_rows.h"
#include "loop/validation.h"
#include "prep/columns.h"
#include "prep/row_split.h"
#include "table/csv_table.h"
#include "table/dates.h"
#include "table/row_file.h"

namespace maeil::loop {
namespace {

// Of each row of a chunk; nullopt where its time cannot be read. REQUIRES: the spec has a time.
std::vector<std::optional<Days>> days_of(const table::DatasetSpec& spec, const Table& chunk) {
  const Column& column = chunk.columns[prep::column_index(spec, spec.roles.time)];
  const auto of_text = table::days_of_texts(column.dictionary, spec.find(spec.roles.time)->format);
  std::vector<std::optional<Days>> out(chunk.rows);
  for (size_t i = 0; i < chunk.rows; ++i) {
    if (!column.is_missing(i)) out[i] = of_text[column.codes[i]];
  }
  return out;
}

struct HistoryPlan {
  table::RowFile file;
  const table::DatasetSpec& spec;
  uint64_t seed = 0;
  std::optional<Days> out_of_time;
  bool by_key = false;             // several rows have the same group or id
  Days today{};                    // later rows are left out
  double kept = 1;                 // of the rows to learn from and to hold out
  table::SetAside set_aside = {};  // by the contract
};

// A row without id and group is in a split by its number in the file, on whatever day it is trained.
constexpr Days kNoDate{};

Part part_of(const HistoryPlan& plan, prep::Split split, const std::optional<Days>& day, uint64_t row) {
  if (day && *day > plan.today) return Part::kLeftOut;
  if (plan.out_of_time && day && *day >= *plan.out_of_time)
    return !plan.by_key || split == prep::Split::kTest ? Part::kOutOfTime : Part::kLeftOut;
  if (split == prep::Split::kTest) return Part::kTest;
  if (plan.kept < 1 &&
      prep::row_word(RandomStream::kLearntRows, plan.seed, kNoDate, row) >= plan.kept * 4294967296.0)
    return Part::kLeftOut;
  return split == prep::Split::kTrain ? Part::kLearn : Part::kHeldOut;
}

using DaySink = std::function<Status(const Table&, const std::vector<Part>&, const std::vector<prep::Split>&,
                                     const std::vector<std::optional<Days>>& days)>;

Result<table::ReadReport> read_history(HistoryPlan& plan, const DaySink& sink, const RowProgress& progress) {
  std::vector<Part> parts;
  uint64_t done = 0;
  return table::read_csv_file(plan.file, plan.spec, {.set_aside = &plan.set_aside},
                              [&](Table&& chunk, const std::vector<uint64_t>& rows) -> Status {
                                const auto splits =
                                    prep::splits_of(plan.spec, chunk, plan.seed, kNoDate, rows);
                                std::vector<std::optional<Days>> days(chunk.rows);
                                if (!plan.spec.roles.time.empty()) days = days_of(plan.spec, chunk);
                                parts.clear();
                                for (size_t i = 0; i < chunk.rows; ++i)
                                  parts.push_back(part_of(plan, splits[i], days[i], rows[i]));
                                MAEIL_TRY(sink(chunk, parts, splits, days));
                                if (progress) progress(done += chunk.rows);
                                return {};
                              });
}

constexpr uint64_t kFewRows = 20;  // of a part: said

size_t index_of(Part part) { return static_cast<size_t>(part); }

// Labelled rows by split.
using SplitCounts = std::array<uint64_t, 3>;

// What is in the file: labelled rows by day, and in all.
struct Seen {
  std::map<std::optional<Days>, SplitCounts> by_day;
  uint64_t labelled = 0, unlabelled = 0, undated = 0, later = 0;
  std::vector<uint64_t> keys;  // of all rows that have one
};

Result<Seen> look(HistoryPlan& plan, History& history, const RowProgress& progress) {
  Seen out;
  const size_t target = prep::column_index(plan.spec, plan.spec.target);
  MAEIL_ASSIGN(history.report, read_history(
                                   plan,
                                   [&](const Table& chunk, const std::vector<Part>& parts,
                                       const std::vector<prep::Split>& splits,
                                       const std::vector<std::optional<Days>>& days) -> Status {
                                     for (const auto& key : prep::key_hashes(plan.spec, chunk)) {
                                       if (key) out.keys.push_back(*key);
                                     }
                                     for (size_t i = 0; i < parts.size(); ++i) {
                                       if (days[i] && *days[i] > plan.today) {
                                         ++out.later;
                                         continue;
                                       }
                                       if (chunk.columns[target].is_missing(i)) {
                                         ++out.unlabelled;
                                         continue;
                                       }
                                       ++out.labelled;
                                       ++out.by_day[days[i]][static_cast<size_t>(splits[i])];
                                       out.undated += !days[i] && !plan.spec.roles.time.empty();
                                     }
                                     return {};
                                   },
                                   progress));
  return out;
}

}  // namespace

Result<History> open_history(const std::string& path, const table::DatasetSpec& spec,
                             const Settings& settings, uint64_t cap, const Watcher& watcher) {
  std::string sha256;
  MAEIL_ASSIGN(auto file, open_rows(settings, path, &spec, {}, &sha256));
  const auto plan = std::make_shared<HistoryPlan>(
      HistoryPlan{std::move(file), spec, static_cast<uint64_t>(settings.seed), {}});
  MAEIL_ASSIGN(plan->today, date_in_zone(now(), settings.time_zone));
  MAEIL_ASSIGN(plan->set_aside, hold_to_contract(plan->file, spec, table::FileRules::kNotRows, watcher));
  History out;
  const RowProgress progress = [&](uint64_t done) { watcher.rows(done, 0); };
  MAEIL_ASSIGN(Seen seen, look(*plan, out, progress));
  note_read(out.report, path, watcher);
  MAEIL_TRY(table::check_read(out.report, path));
  out.unlabelled = seen.unlabelled;
  out.undated = seen.undated;
  std::ranges::sort(seen.keys);
  plan->by_key = std::ranges::adjacent_find(seen.keys) != seen.keys.end();
  if (seen.later > 0) {
    watcher.note(fmt::format("{}: {} rows lie after {}, which is today (column '{}'): left out", path,
                             seen.later, format_date(plan->today), spec.roles.time),
                 true);
  }
  if (!seen.by_day.empty() && seen.by_day.rbegin()->first) {  // those without a day come first
    out.newest = seen.by_day.rbegin()->first;
    const Days from = *out.newest - std::chrono::days(settings.test_days - 1);
    uint64_t newer = 0;
    for (auto at = seen.by_day.lower_bound(from); at != seen.by_day.end(); ++at)
      for (const uint64_t rows : at->second) newer += rows;
    if (2 * newer <= seen.labelled) {
      plan->out_of_time = out.out_of_time = from;
    } else {
      watcher.note(
          fmt::format("{}: the newest {} days (TEST_DAYS) hold {} of {} labelled rows: no out-of-time "
                      "test, which would leave less than half to learn from",
                      path, settings.test_days, newer, seen.labelled),
          true);
    }
  }
  for (const auto& [day, counts] : seen.by_day) {
    for (const auto split : {prep::Split::kTrain, prep::Split::kFine, prep::Split::kTest})
      out.labelled[index_of(part_of(*plan, split, day, 0))] += counts[static_cast<size_t>(split)];
  }
  for (const Part part : {Part::kHeldOut, Part::kTest, Part::kOutOfTime}) {
    const uint64_t rows = out.labelled[index_of(part)];
    if (rows >= kFewRows || (part == Part::kOutOfTime && !out.out_of_time)) continue;
    watcher.note(fmt::format("{}: {} labelled rows are {}: too few to say anything", path, rows,
                             part == Part::kHeldOut ? "held out" : verdict_name(part)),
                 true);
  }
  const uint64_t learnt = out.labelled[index_of(Part::kLearn)];
  if (learnt > cap) {
    plan->kept = static_cast<double>(cap) / static_cast<double>(learnt);
    watcher.note(fmt::format("{}: learns from about {} of {} rows (ROW_CAP)", path, cap, learnt), false);
  }
  LearningRows& rows = out.rows;
  rows.description = std::filesystem::path(path).filename().string();
  rows.rows = out.report.rows - out.report.quarantined;
  rows.note = {{"source", rows.description},
               {"sha256", sha256},
               {"rows", rows.rows},
               {"seed", plan->seed},
               {"row_cap", learnt > cap ? store::Document(cap) : store::Document()},
               {"out_of_time_from",
                out.out_of_time ? store::Document(format_date(*out.out_of_time)) : store::Document()}};
  if (spec.contract.has_rules()) {
    rows.note["contract_hash"] = table::contract_hash(spec);
    rows.note["set_aside"] = plan->set_aside.rows.size();
  }
  for (const Part part : {Part::kTest, Part::kOutOfTime}) {
    if (out.labelled[index_of(part)] > 0) rows.verdicts.push_back(part);
  }
  rows.read = [plan](const PartSink& sink, const RowProgress& told) -> Status {
    MAEIL_ASSIGN(const auto ignored,
                 read_history(
                     *plan,
                     [&](const Table& chunk, const std::vector<Part>& parts, const std::vector<prep::Split>&,
                         const std::vector<std::optional<Days>>&) { return sink(chunk, parts); },
                     told));
    (void)ignored;
    return {};
  };
  return out;
}

}  // namespace maeil::loop
