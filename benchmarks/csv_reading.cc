// A file of rows into typed columns, chunk after chunk, for benchmarks/csv_reading.py: the time, and of each
// column what its peers must have read as well.
//
//   csv_reading --in F.csv --spec F.toml --threads T
//
// Prints {"seconds", "rows", "columns": {name: {"missing", "sum"}}}: the sum of a column's numbers, or of its
// texts' lengths in bytes.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/threads.h"
#include "table/csv_table.h"

namespace {

using namespace maeil;

struct Sum {
  std::string name;
  uint64_t missing = 0;
  double sum = 0;
};

struct Sums {
  uint64_t rows = 0;
  std::vector<Sum> columns;
};

void add(const Table& chunk, Sums& out) {
  out.rows = chunk.rows;
  out.columns.assign(chunk.columns.size(), {});
  for (size_t c = 0; c < chunk.columns.size(); ++c) {
    const Column& column = chunk.columns[c];
    out.columns[c].name = column.name;
    for (size_t row = 0; row < chunk.rows; ++row) {
      if (column.is_missing(row))
        ++out.columns[c].missing;
      else
        out.columns[c].sum += column.type == ColumnType::kText ? static_cast<double>(column.text(row).size())
                                                               : column.numbers[row];
    }
  }
}

Result<nlohmann::json> read(const std::string& path, const std::string& spec_path) {
  MAEIL_ASSIGN(const table::DatasetSpec spec, table::read_dataset_spec(spec_path));
  const auto begin = std::chrono::steady_clock::now();
  MAEIL_ASSIGN(auto file, table::RowFile::open(path, &spec));
  Sums all;
  MAEIL_ASSIGN(const auto report, table::read_csv_file_as<Sums>(
                                      file, spec, {},
                                      [](const table::CsvChunk& chunk, Sums& out) -> Status {
                                        return add(chunk.table, out), Status{};
                                      },
                                      [&](Sums& out) -> Status {
                                        all.rows += out.rows;
                                        all.columns.resize(out.columns.size());
                                        for (size_t c = 0; c < out.columns.size(); ++c) {
                                          all.columns[c].name = out.columns[c].name;
                                          all.columns[c].missing += out.columns[c].missing;
                                          all.columns[c].sum += out.columns[c].sum;
                                        }
                                        return {};
                                      }));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  nlohmann::json columns;
  for (const Sum& one : all.columns) columns[one.name] = {{"missing", one.missing}, {"sum", one.sum}};
  return nlohmann::json{{"seconds", took.count()},
                        {"rows", all.rows},
                        {"quarantined", report.quarantined},
                        {"columns", columns}};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Reads a file of rows into typed columns.");
  std::string path, spec;
  int threads = 2;
  app.add_option("--in", path)->required();
  app.add_option("--spec", spec)->required();
  app.add_option("--threads", threads);
  CLI11_PARSE(app, argc, argv);
  set_thread_count(threads);
  const auto out = read(path, spec);
  if (!out) {
    std::cerr << "csv_reading: " << out.error().message << "\n";
    return exit_code(out.error().code);
  }
  std::cout << out->dump() << "\n";
}
