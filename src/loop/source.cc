#include "loop/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/hash.h"
#include "base/threads.h"
#include "copula/mixture.h"
#include "copula/sampler.h"
#include "loop/row_filter.h"
#include "loop/scenario.h"
#include "portfolio/simulate.h"

namespace maeil::loop {
namespace {

// "portfolio" alone is the separable book, which was the only one once: so it is recorded.
Result<Source> portfolio_source(const SourcePlan& plan, std::string_view scenario_name) {
  portfolio::RowsPlan rows_plan{.with_truth = plan.with_truth};
  MAEIL_ASSIGN(rows_plan.scenario, portfolio::parse_scenario(scenario_name));
  MAEIL_ASSIGN(rows_plan.book, portfolio::parse_book(plan.book));
  const bool realistic = rows_plan.book == portfolio::Book::kRealistic;
  if (plan.with_truth && !realistic) {
    return usage_error(fmt::format(
        "--with-truth: the {} book's rows have no true probability of default, --book realistic's have",
        plan.book));
  }
  Source out;
  out.description = realistic ? "portfolio (realistic)" : "portfolio";
  out.portfolio = true;
  out.scenario = scenario_name;
  for (const auto name : portfolio::column_names(plan.with_truth)) out.names.emplace_back(name);
  out.formats = portfolio::number_formats(plan.with_truth);
  static_assert(kSourceRows == portfolio::kBlockRows);
  out.draw = [rows_plan](Days date, uint64_t first, uint64_t rows, uint64_t seed, Table& table) -> Status {
    table = portfolio::simulate_rows(rows_plan, date, first, rows, seed);
    return {};
  };
  out.check = portfolio::check_rows;
  return out;
}

// A copula knows no dates: every day draws from a seed of its own.
uint64_t seed_of_day(uint64_t seed, Days date) { return hash64(format_date(date), seed); }

// Whether a row may have another value of the target than its class: a scenario or a constraint writes it
// after the class is drawn.
bool target_is_written(const copula::Mixture& mixture, const ScenarioConfig& scenario) {
  const auto names_target = [&](const auto& entry) { return entry.column == mixture.target; };
  const auto writes_target = [&](const table::Constraint& constraint) {
    const auto written =
        constraint.columns.begin() + (constraint.kind == table::Constraint::Kind::kOrder ? 2 : 1);
    return std::find(constraint.columns.begin(), written, mixture.target) != written;
  };
  return std::any_of(scenario.categories.begin(), scenario.categories.end(), names_target) ||
         std::any_of(scenario.nulls.begin(), scenario.nulls.end(), names_target) ||
         std::any_of(mixture.constraints.begin(), mixture.constraints.end(), writes_target);
}

// A class's share as it was asked for, and the scenario's place where it was, for messages; "": by --class.
struct AskedShare {
  std::string label;
  double share = 1;
  std::string place;
};

// By --class, or by the scenario's rate of the target (one, as read_scenario_config sees to), which is done
// with then. kUsage: by both.
Result<std::optional<AskedShare>> asked_share(const copula::Mixture& mixture, const ClassShare& share,
                                              ScenarioConfig& scenario) {
  std::optional<AskedShare> out;
  if (share) out = {share->first, share->second, ""};
  const auto rate = std::find_if(scenario.rates.begin(), scenario.rates.end(),
                                 [&](const auto& one) { return one.column == mixture.target; });
  if (mixture.target.empty() || rate == scenario.rates.end()) return out;
  if (out) {
    return usage_error(
        fmt::format("{} has a rate of {}, and {}={} is asked for as well: leave one of them out", rate->place,
                    mixture.target, out->label, out->share));
  }
  out = {rate->value, rate->share, rate->place};
  scenario.rates.erase(rate);
  return out;
}

// Leaves the classes that meet every condition on the target, so that a rare one need not be searched for.
Status keep_classes_where(copula::Mixture& mixture, const std::vector<Condition>& conditions) {
  std::vector<Condition> own;
  std::copy_if(conditions.begin(), conditions.end(), std::back_inserter(own),
               [&](const auto& one) { return one.column == mixture.target; });
  if (own.empty()) return {};
  const auto kept = copula::keep_classes(mixture, [&](const std::string& label) {
    return std::all_of(own.begin(), own.end(),
                       [&](const auto& condition) { return meets(condition, label); });
  });
  return kept ? Status{} : with_context(to_string(own), kept.error());
}

// Chooses the classes by what is asked of the target. Conditions stay: a row is chosen by what it is in the
// end. Whether a share was asked for.
Result<bool> choose_classes(copula::Mixture& mixture, const ClassShare& share, ScenarioConfig& scenario,
                            const std::vector<Condition>& conditions) {
  MAEIL_ASSIGN(const auto asked, asked_share(mixture, share, scenario));
  const auto set_share = [&] {
    auto set = copula::set_class_share(mixture, asked->label, asked->share);
    return set || asked->place.empty() ? set : Status(at_entry(asked->place, "rate", set.error()));
  };
  if (asked) MAEIL_TRY(set_share());
  if (mixture.target.empty() || target_is_written(mixture, scenario)) return asked.has_value();
  MAEIL_TRY(keep_classes_where(mixture, conditions));
  const auto is_asked = [&](const auto& part) { return part.label == asked->label; };
  if (!asked) return false;
  // What the conditions left may have changed the share, or hold no row of the class at all.
  if (std::any_of(mixture.classes.begin(), mixture.classes.end(), is_asked)) {
    MAEIL_TRY(set_share());
  } else if (asked->share > 0) {
    return usage_error(fmt::format("a share of {} is asked for {}={}, which {} leaves out", asked->share,
                                   mixture.target, asked->label, to_string(conditions)));
  }
  return true;
}

Result<Source> copula_source(const std::filesystem::path& path, const ClassShare& share,
                             ScenarioConfig& scenario, const std::vector<Condition>& conditions) {
  MAEIL_ASSIGN(auto mixture, copula::read_mixture(path));
  MAEIL_ASSIGN(const bool asked, choose_classes(mixture, share, scenario, conditions));
  Source out;
  if (asked) out.shares_of = mixture.target;
  out.description = path.filename().string();
  for (const auto& note : mixture.notes) out.warning += (out.warning.empty() ? "" : "; ") + note;
  out.files = {{"source_sha256", path.string()}};
  out.quality_score = mixture.quality_score;
  out.names = copula::column_names(mixture);
  out.formats = copula::number_formats(mixture);
  out.constraints = mixture.constraints;
  out.ranges = copula::value_ranges(mixture);
  MAEIL_ASSIGN(auto made, copula::MixtureSampler::make(mixture));
  const auto sampler = std::make_shared<const copula::MixtureSampler>(std::move(made));
  out.draw = [sampler](Days date, uint64_t first, uint64_t rows, uint64_t seed, Table& table) -> Status {
    sampler->draw(first, rows, seed_of_day(seed, date), table);
    return {};
  };
  out.check = [](uint64_t first, uint64_t rows) -> Status {
    if (rows > UINT64_MAX - first) return usage_error("the rows asked for go beyond row 2^64 - 1");
    return {};
  };
  return out;
}

// A scenario of the portfolio shapes no other rows: to go on without it would give calm rows under its name.
Status check_scenario(const SourcePlan& plan, const ScenarioConfig& scenario) {
  if (plan.distribution_model.empty() || scenario.base == "calm") return {};
  const std::string why = fmt::format("'{}' is a scenario of the built-in portfolio, and rows come from {}",
                                      scenario.base, plan.distribution_model);
  if (plan.scenario.ends_with(".toml"))
    return bad_input(fmt::format("{}: 'base' of the scenario: {}: leave it out", plan.scenario, why));
  return usage_error(
      fmt::format("--scenario: {}: leave it out, or write a scenario file (docs/formats/scenario.md)", why));
}

// Absent, so that nothing can be said of it; a file that is there and cannot be reached or read is an error
// whatever the settings say.
bool is_absent(const std::string& path) {
  std::error_code error;
  return !std::filesystem::exists(path, error) && !error;
}

// Rows of a model have no truth, and of rows that a scenario file changes p was another.
Status check_truth(const SourcePlan& plan) {
  if (!plan.with_truth) return {};
  const char* why = plan.scenario.ends_with(".toml")
                        ? "a scenario file changes rows after their defaults were drawn"
                    : !plan.distribution_model.empty() && !is_absent(plan.distribution_model)
                        ? "a distribution model knows no true probability of default"
                        : nullptr;
  return why ? usage_error(fmt::format("--with-truth: {}: leave one of them out", why)) : Status{};
}

Result<Source> open_rows(const SourcePlan& plan, ScenarioConfig& scenario,
                         const std::vector<Condition>& conditions) {
  const std::string& model = plan.distribution_model;
  if (plan.share && model.empty())
    return usage_error("a class's share can only be chosen for a model with a target (--model)");
  // A file's base was checked when it was read.
  if (model.empty()) return portfolio_source(plan, scenario.base);
  if (!is_absent(model)) return copula_source(model, plan.share, scenario, conditions);
  if (!plan.fallback || plan.share) {
    return not_found(
        fmt::format("the distribution model {} does not exist: mend DISTRIBUTION_MODEL or --model "
                    "(SOURCE_FALLBACK=portfolio would take the built-in "
                    "portfolio's rows, which approve no model)",
                    model));
  }
  MAEIL_ASSIGN(Source out, portfolio_source(plan, scenario.base));
  out.fallback = true;
  out.description += " (fallback)";
  out.warning = fmt::format(
      "the distribution model {} does not exist: the built-in portfolio is used instead (SOURCE_FALLBACK), "
      "and nothing of this day is approved "
      "or deployed",
      model);
  return out;
}

}  // namespace

SourcePlan day_source(const Settings& settings) {
  return {.distribution_model = settings.distribution_model,
          .fallback = settings.source_fallback == "portfolio",
          .book = settings.book};
}

Result<Source> open_source(const SourcePlan& plan) {
  ScenarioConfig scenario{.name = plan.scenario, .base = plan.scenario};
  const bool is_file = plan.scenario.ends_with(".toml");
  if (is_file) {
    MAEIL_ASSIGN(scenario, read_scenario_config(plan.scenario));
  }
  std::vector<Condition> conditions;
  for (const auto& text : plan.where) {
    MAEIL_ASSIGN(auto condition, parse_condition(text));
    if (std::find(conditions.begin(), conditions.end(), condition) == conditions.end())
      conditions.push_back(std::move(condition));
  }
  MAEIL_TRY(check_scenario(plan, scenario));
  MAEIL_TRY(check_truth(plan));
  MAEIL_ASSIGN(Source out, open_rows(plan, scenario, conditions));
  if (is_file) {
    out.scenario = scenario.name;
    out.files.emplace_back("scenario_sha256", plan.scenario);
    MAEIL_ASSIGN(out, with_scenario(std::move(out), scenario));
  }
  return keep_where(std::move(out), conditions);
}

Status write_rows_csv(const Source& source, Days date, uint64_t rows, uint64_t seed, const ByteSink& sink,
                      const RowProgress& progress) {
  MAEIL_TRY(sink(csv_header(source)));
  return write_csv_lines(source, date, 0, rows, seed, sink, {}, progress);
}

std::string csv_header(const Source& source) {
  return table::CsvFormat(source.names, source.formats).header();
}

Status write_csv_lines(const Source& source, Days date, uint64_t first_row, uint64_t rows, uint64_t seed,
                       const ByteSink& sink, const RowProgress& pieces, const RowProgress& progress) {
  MAEIL_TRY(source.check(first_row, rows));
  const table::CsvFormat csv(source.names, source.formats);
  struct Piece {
    Table table;
    format::TextBuffer text;
  };
  uint64_t done = 0;
  return run_pieces<Piece>(
      first_row, rows, kSourceRows,
      [&](uint64_t first, uint64_t count, Piece& piece) -> Status {
        MAEIL_TRY(source.draw(date, first, count, seed, piece.table));
        piece.text.clear();
        csv.append_rows(piece.table, piece.text);
        return {};
      },
      [&](Piece& piece) -> Status {
        if (pieces) pieces(first_row + done);
        MAEIL_TRY(sink(piece.text.view()));
        done += piece.table.rows;
        if (progress) progress(done);
        return {};
      });
}

Status read_typed_rows(const Source& source, const table::DatasetSpec& spec, Days date, uint64_t rows,
                       uint64_t seed, const TableSink& sink, const RowProgress& progress) {
  MAEIL_TRY(source.check(0, rows));
  const table::CsvFormat csv(source.names, source.formats);
  struct Piece {
    Table drawn;
    std::vector<Table> typed;
    std::vector<table::DatesRead> dates;
    std::string negative;
    format::TextBuffer text;
  };
  uint64_t done = 0;
  table::ReadReport all{.rows = rows};
  MAEIL_TRY(run_pieces<Piece>(
      0, rows, kSourceRows,
      [&](uint64_t first, uint64_t count, Piece& piece) -> Status {
        MAEIL_TRY(source.draw(date, first, count, seed, piece.drawn));
        piece.text.clear();
        piece.text.append(csv.header());
        csv.append_rows(piece.drawn, piece.text);
        piece.typed.clear();
        MAEIL_ASSIGN(auto report, table::read_csv(piece.text.view(), source.description, spec, {},
                                                  [&](Table&& typed, const std::vector<uint64_t>&) -> Status {
                                                    piece.typed.push_back(std::move(typed));
                                                    return {};
                                                  }));
        piece.dates = std::move(report.dates);
        piece.negative = std::move(report.negative);
        return table::check_quarantine(report, source.description, 0);
      },
      [&](Piece& piece) -> Status {
        for (const Table& typed : piece.typed) MAEIL_TRY(sink(typed));
        table::add_dates(all.dates, std::move(piece.dates));
        MAEIL_TRY(table::add_negative(all, spec, piece.negative, source.description));
        done += piece.drawn.rows;
        if (progress) progress(done);
        return {};
      }));
  return rows > 0 ? table::check_read(all, source.description) : Status{};
}

}  // namespace maeil::loop
