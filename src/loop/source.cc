#include "loop/source.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "base/hash.h"
#include "copula/model.h"
#include "copula/sample.h"
#include "portfolio/simulate.h"

namespace maeil::loop {
namespace {

Result<Source> portfolio_source(std::string_view scenario_name) {
  MAEIL_ASSIGN(const auto scenario, portfolio::parse_scenario(scenario_name));
  Source out;
  out.description = "portfolio";
  for (const auto name : portfolio::column_names()) out.names.emplace_back(name);
  out.formats = portfolio::number_formats();
  out.sample = [scenario](Days date, uint64_t first, uint64_t rows, uint64_t seed, const TableSink& sink) {
    return portfolio::simulate(scenario, date, first, rows, seed, sink);
  };
  return out;
}

// A copula knows no dates: every day draws from a seed of its own.
uint64_t seed_of_day(uint64_t seed, Days date) { return hash64(format_date(date), seed); }

Result<Source> copula_source(const std::filesystem::path& path) {
  MAEIL_ASSIGN(auto model, copula::read_model(path));
  const auto shared = std::make_shared<const copula::CopulaModel>(std::move(model));
  Source out;
  out.description = path.filename().string();
  for (const auto& column : shared->columns) out.names.push_back(column.name);
  out.formats = copula::number_formats(*shared);
  const auto sampler = std::make_shared<const copula::Sampler>(*shared);
  out.sample = [shared, sampler](Days date, uint64_t first, uint64_t rows, uint64_t seed, const TableSink& sink) {
    return sampler->sample(first, rows, seed_of_day(seed, date), sink);
  };
  return out;
}

}  // namespace

Result<Source> open_source(const std::string& distribution_model, std::string_view scenario) {
  if (distribution_model.empty()) return portfolio_source(scenario);
  std::error_code error;
  if (std::filesystem::exists(distribution_model, error)) return copula_source(distribution_model);
  MAEIL_ASSIGN(Source out, portfolio_source(scenario));
  out.description = "portfolio (fallback)";
  out.warning = fmt::format("the distribution model {} is absent: the built-in portfolio is used instead", distribution_model);
  return out;
}

Status write_rows_csv(const Source& source, Days date, uint64_t rows, uint64_t seed, const table::CsvWriter::Sink& sink,
                      const RowProgress& progress) {
  table::CsvWriter writer(source.names, source.formats, sink);
  uint64_t done = 0;
  return source.sample(date, 0, rows, seed, [&](const Table& chunk) -> Status {
    MAEIL_TRY(writer.write(chunk));
    done += chunk.rows;
    if (progress) progress(done);
    return {};
  });
}

Status read_typed_rows(const Source& source, const table::DatasetSpec& spec, Days date, uint64_t rows, uint64_t seed, const TableSink& sink,
                       const RowProgress& progress) {
  uint64_t done = 0;
  return source.sample(date, 0, rows, seed, [&](const Table& chunk) -> Status {
    std::string csv;
    table::CsvWriter writer(source.names, source.formats, [&](std::string_view bytes) -> Status {
      csv += bytes;
      return {};
    });
    MAEIL_TRY(writer.write(chunk));
    MAEIL_ASSIGN(const auto report, table::read_csv(csv, source.description, spec, {}, [&](Table&& typed, const std::vector<uint64_t>&) {
                   return sink(typed);
                 }));
    MAEIL_TRY(table::check_quarantine(report, source.description, 0));
    done += chunk.rows;
    if (progress) progress(done);
    return {};
  });
}

}  // namespace maeil::loop
