#include "loop/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/hash.h"
#include "base/threads.h"
#include "copula/mixture.h"
#include "copula/mixture_sample.h"
#include "loop/row_filter.h"
#include "loop/scenario.h"
#include "portfolio/simulate.h"

namespace maeil::loop {
namespace {

Result<Source> portfolio_source(std::string_view scenario_name) {
  MAEIL_ASSIGN(const auto scenario, portfolio::parse_scenario(scenario_name));
  Source out;
  out.description = "portfolio";
  out.scenario = scenario_name;
  for (const auto name : portfolio::column_names()) out.names.emplace_back(name);
  out.formats = portfolio::number_formats();
  static_assert(kSourceRows == portfolio::kBlockRows);
  out.draw = [scenario](Days date, uint64_t first, uint64_t rows, uint64_t seed, Table& table) -> Status {
    table = portfolio::simulate_rows(scenario, date, first, rows, seed);
    return {};
  };
  out.check = portfolio::check_rows;
  return out;
}

// A copula knows no dates: every day draws from a seed of its own.
uint64_t seed_of_day(uint64_t seed, Days date) { return hash64(format_date(date), seed); }

// Chooses the class itself where a condition or a rate names the target's value; what is left of them is rejection's work.
Status choose_classes(copula::Mixture& mixture, const ClassShare& share, ScenarioConfig& scenario, std::vector<Condition>& conditions) {
  if (share) MAEIL_TRY(copula::set_class_share(mixture, share->first, share->second));
  if (mixture.target.empty()) return {};
  for (const auto& rate : scenario.rates) {
    if (rate.column == mixture.target) MAEIL_TRY(copula::set_class_share(mixture, rate.value, rate.share));
  }
  std::erase_if(scenario.rates, [&](const auto& rate) { return rate.column == mixture.target; });
  const auto on_target = [&](const Condition& c) { return c.column == mixture.target && c.test == Condition::Test::kEqual; };
  for (const auto& condition : conditions) {
    if (on_target(condition)) MAEIL_TRY(copula::set_class_share(mixture, condition.value, 1));
  }
  // Two values of the target at once stay conditions, which no row meets.
  if (std::count_if(conditions.begin(), conditions.end(), on_target) == 1) std::erase_if(conditions, on_target);
  return {};
}

Result<Source> copula_source(const std::filesystem::path& path, const ClassShare& share, ScenarioConfig& scenario, std::vector<Condition>& conditions) {
  MAEIL_ASSIGN(auto mixture, copula::read_mixture(path));
  MAEIL_TRY(choose_classes(mixture, share, scenario, conditions));
  Source out;
  out.description = path.filename().string();
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

}  // namespace

Result<Source> open_source(const SourcePlan& plan) {
  ScenarioConfig scenario{.name = plan.scenario, .base = plan.scenario};
  const bool is_file = plan.scenario.ends_with(".toml");
  if (is_file) {
    MAEIL_ASSIGN(scenario, read_scenario_config(plan.scenario));
  }
  std::vector<Condition> conditions;
  for (const auto& text : plan.where) {
    MAEIL_ASSIGN(auto condition, parse_condition(text));
    conditions.push_back(std::move(condition));
  }
  Source out;
  std::error_code error;
  if (!plan.distribution_model.empty() && std::filesystem::exists(plan.distribution_model, error)) {
    MAEIL_ASSIGN(out, copula_source(plan.distribution_model, plan.share, scenario, conditions));
    if (scenario.base != "calm") out.warning = fmt::format("{} is a scenario of the built-in portfolio: {} does not know it", scenario.base, out.description);
  } else {
    if (plan.share && plan.distribution_model.empty()) return usage_error("a class's share can only be chosen for a model with a target (--model)");
    MAEIL_ASSIGN(out, portfolio_source(scenario.base));
    if (!plan.distribution_model.empty()) {
      out.description = "portfolio (fallback)";
      out.warning = fmt::format("the distribution model {} is absent: the built-in portfolio is used instead", plan.distribution_model);
    }
  }
  if (is_file) {
    out.scenario = scenario.name;
    out.files.emplace_back("scenario_sha256", plan.scenario);
    MAEIL_ASSIGN(out, with_scenario(std::move(out), scenario));
  }
  return keep_where(std::move(out), conditions);
}

Status write_rows_csv(const Source& source, Days date, uint64_t rows, uint64_t seed, const ByteSink& sink, const RowProgress& progress) {
  MAEIL_TRY(sink(csv_header(source)));
  return write_csv_lines(source, date, 0, rows, seed, sink, {}, progress);
}

std::string csv_header(const Source& source) { return table::CsvFormat(source.names, source.formats).header(); }

Status write_csv_lines(const Source& source, Days date, uint64_t first_row, uint64_t rows, uint64_t seed, const ByteSink& sink,
                       const RowProgress& pieces, const RowProgress& progress) {
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

Status read_typed_rows(const Source& source, const table::DatasetSpec& spec, Days date, uint64_t rows, uint64_t seed, const TableSink& sink,
                       const RowProgress& progress) {
  MAEIL_TRY(source.check(0, rows));
  const table::CsvFormat csv(source.names, source.formats);
  struct Piece {
    Table drawn;
    std::vector<Table> typed;
    format::TextBuffer text;
  };
  uint64_t done = 0;
  return run_pieces<Piece>(
      0, rows, kSourceRows,
      [&](uint64_t first, uint64_t count, Piece& piece) -> Status {
        MAEIL_TRY(source.draw(date, first, count, seed, piece.drawn));
        piece.text.clear();
        piece.text.append(csv.header());
        csv.append_rows(piece.drawn, piece.text);
        piece.typed.clear();
        MAEIL_ASSIGN(const auto report, table::read_csv(piece.text.view(), source.description, spec, {}, [&](Table&& typed, const std::vector<uint64_t>&) -> Status {
                       piece.typed.push_back(std::move(typed));
                       return {};
                     }));
        return table::check_quarantine(report, source.description, 0);
      },
      [&](Piece& piece) -> Status {
        for (const Table& typed : piece.typed) MAEIL_TRY(sink(typed));
        done += piece.drawn.rows;
        if (progress) progress(done);
        return {};
      });
}

}  // namespace maeil::loop
