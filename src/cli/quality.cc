// `maeil report quality`: the report of quality/report.h as tables, worst first, as one JSON value, and as a
// page.
#include "cli/quality.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "cli/output.h"
#include "quality/page.h"

namespace maeil::cli {
namespace {

constexpr size_t kShownPairs = 20;

store::Document number(double value) {
  return std::isnan(value) ? store::Document() : store::Document(value);
}
std::string cell(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4f}", value); }

// Lowest score first, no score last; ties stay in the file's order.
template <class Scored>
std::vector<Scored> worst_first(std::vector<Scored> items) {
  std::stable_sort(items.begin(), items.end(), [](const Scored& a, const Scored& b) {
    return std::isnan(a.score) || std::isnan(b.score) ? !std::isnan(a.score) && std::isnan(b.score)
                                                      : a.score < b.score;
  });
  return items;
}

store::Document learned_document(const quality::Learned& learned) {
  return {{"rows", learned.rows}, {"f1_score", number(learned.f1)}, {"roc_auc", number(learned.auc)}};
}

void print_scores(const quality::Report& report) {
  const auto& s = report.scores;
  print_table({"score", "strong pairs", "all pairs"},
              {{"column shapes", cell(s.column_shapes), cell(s.column_shapes)},
               {"column pair trends", cell(s.pair_trends), cell(s.pair_trends_all)},
               {"overall", cell(s.overall), cell(s.overall_all)}});
  print_line("");
  const auto& d = report.diagnostic;
  print_table({"diagnostic", "score"}, {{"data validity", cell(d.validity)},
                                        {"data structure", cell(d.structure)},
                                        {"overall", cell(d.overall)}});
  std::vector<std::vector<std::string>> invalid;
  for (const auto& column : worst_first(d.columns)) {
    if (!(column.score >= 1))
      invalid.push_back({column.name, column.metric, cell(column.score), column.note});
  }
  if (!invalid.empty()) print_table({"not valid", "metric", "score", ""}, invalid);
  for (const auto& difference : d.structure_differences) print_line("structure: " + difference);
  print_line("");
}

void print_use(const quality::Report& report, const std::vector<std::string>& identifiers) {
  if (report.utility) {
    const auto& u = *report.utility;
    print_table({fmt::format("predicting {}", u.target), "rows", "F1", "ROC AUC"},
                {{"trained on synthetic", fmt::format("{}", u.synthetic.rows), cell(u.synthetic.f1),
                  cell(u.synthetic.auc)},
                 {"trained on real", fmt::format("{}", u.real.rows), cell(u.real.f1), cell(u.real.auc)}});
    print_line(fmt::format("tested on {} real rows {}", u.test_rows,
                           u.holdout_file
                               ? "of the held-out file"
                               : "that this training left out, but the synthesizer may have seen"));
    print_line("");
  }
  if (report.not_learned) print_line(quality::describe(*report.not_learned) + "\n");
  const auto& p = report.privacy;
  std::vector<std::vector<std::string>> rows = {
      {"synthetic to real", fmt::format("{}", p.synthetic_rows), fmt::format("{}", p.real_rows),
       cell(p.median_to_real), cell(p.copies)},
      {"real to other real", fmt::format("{}", p.real_rows), fmt::format("{}", p.real_rows),
       cell(p.median_real), cell(p.real_copies)}};
  if (p.holdout_rows > 0) {
    rows.push_back({"synthetic to held out", fmt::format("{}", p.synthetic_rows),
                    fmt::format("{}", p.holdout_rows), cell(p.median_to_holdout), "-"});
  }
  print_table({"closest record", "rows", "to rows", "median", "copies"}, rows);
  if (!identifiers.empty())
    print_line(fmt::format("copies are equal in every column but the identifiers: {}",
                           fmt::join(identifiers, ", ")));
  if (p.holdout_rows > 0) {
    print_line(
        fmt::format("closer to a real than to a held-out row: {} of the synthetic rows ({} of each "
                    "compared); protection {}",
                    cell(p.closer_to_real), p.fair_rows, cell(p.protection)));
  }
  print_line("");
}

void print_worst(const quality::Scores& scores) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& column : worst_first(scores.columns))
    rows.push_back({column.name, column.metric, cell(column.score)});
  print_table({"column", "metric", "score"}, rows);
  print_line("");
  rows.clear();
  for (const auto& pair : worst_first(scores.pairs)) {
    if (rows.size() == kShownPairs) break;
    rows.push_back({scores.columns[pair.first].name, scores.columns[pair.second].name,
                    pair.correlation ? "correlation" : "contingency", cell(pair.strength), cell(pair.score)});
  }
  if (!rows.empty()) print_table({"first", "second", "similarity", "real strength", "score"}, rows);
  if (scores.pairs.size() > rows.size())
    print_line(fmt::format("... {} more pairs: --json has them all", scores.pairs.size() - rows.size()));
}

}  // namespace

store::Document as_document(const quality::Data& data, const quality::Report& report) {
  const auto& scores = report.scores;
  auto columns = store::Document::array(), pairs = store::Document::array(),
       validity = store::Document::array();
  for (const auto& column : scores.columns)
    columns.push_back({{"column", column.name}, {"metric", column.metric}, {"score", number(column.score)}});
  for (const auto& pair : scores.pairs) {
    pairs.push_back({{"columns", {scores.columns[pair.first].name, scores.columns[pair.second].name}},
                     {"metric", pair.correlation ? "CorrelationSimilarity" : "ContingencySimilarity"},
                     {"score", number(pair.score)},
                     {"real_strength", number(pair.strength)},
                     {"meets_threshold", pair.strong}});
  }
  for (const auto& column : report.diagnostic.columns) {
    validity.push_back({{"column", column.name},
                        {"metric", column.metric},
                        {"score", number(column.score)},
                        {"note", column.note}});
  }
  store::Document out = {{"real_rows", data.real_rows},
                         {"synthetic_rows", data.synthetic_rows},
                         {"left_out", data.left_out},
                         {"reading", data.reading},
                         {"score", number(scores.overall)},
                         {"score_all_pairs", number(scores.overall_all)},
                         {"column_shapes", number(scores.column_shapes)},
                         {"column_pair_trends", number(scores.pair_trends)},
                         {"column_pair_trends_all_pairs", number(scores.pair_trends_all)},
                         {"columns", columns},
                         {"pairs", pairs}};
  out["diagnostic"] = {{"score", number(report.diagnostic.overall)},
                       {"data_validity", number(report.diagnostic.validity)},
                       {"data_structure", number(report.diagnostic.structure)},
                       {"columns", validity},
                       {"structure_differences", report.diagnostic.structure_differences}};
  if (report.utility) {
    const auto& u = *report.utility;
    out["train_on_synthetic"] = {{"target", u.target},
                                 {"classes", u.classes},
                                 {"test_rows", u.test_rows},
                                 {"test_rows_held_out_file", u.holdout_file},
                                 {"synthetic", learned_document(u.synthetic)},
                                 {"real", learned_document(u.real)}};
  }
  if (report.not_learned)
    out["train_on_synthetic"] = {{"not_measured", quality::describe(*report.not_learned)}};
  const auto& p = report.privacy;
  out["privacy"] = {{"synthetic_rows", p.synthetic_rows},
                    {"real_rows", p.real_rows},
                    {"holdout_rows", p.holdout_rows},
                    {"median_to_real", number(p.median_to_real)},
                    {"median_to_holdout", number(p.median_to_holdout)},
                    {"median_real_to_real", number(p.median_real)},
                    {"copies", number(p.copies)},
                    {"real_copies", number(p.real_copies)},
                    {"fair_rows", p.fair_rows},
                    {"closer_to_real", number(p.closer_to_real)},
                    {"overfitting_protection", number(p.protection)},
                    {"columns_not_compared", data.copies.identifiers}};
  return out;
}

Result<int> report_quality(Context& context, const QualityOptions& options) {
  MAEIL_TRY(check_output(options.html, {options.real, options.synthetic, options.holdout, options.metadata}));
  quality::Sources sources{.real = options.real,
                           .synthetic = options.synthetic,
                           .holdout = options.holdout,
                           .max_rows = static_cast<size_t>(options.max_rows)};
  if (!options.metadata.empty()) {
    MAEIL_ASSIGN(sources.metadata, read_file(options.metadata, uint64_t{64} << 20));
  }
  MAEIL_ASSIGN(const auto data, quality::read_data(sources));
  MAEIL_ASSIGN(const auto report, quality::make_report(data, options.target));
  if (!options.html.empty()) {
    const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
    MAEIL_TRY(write_file_atomically(
        options.html, quality::report_page(data, report, name(options.real), name(options.synthetic))));
  }
  for (const auto& line : data.reading) note(line, LogLevel::kInfo);
  for (const auto& line : data.left_out) note(line, LogLevel::kWarning);
  if (context.json) {
    print_json(as_document(data, report));
  } else {
    for (const auto& column : data.absent)
      print_line(fmt::format("column '{}' is in one of the files only: not scored", column));
    print_scores(report);
    print_use(report, data.copies.identifiers);
    print_worst(report.scores);
    if (!options.html.empty()) print_line(fmt::format("\nthe page: {}", options.html));
  }
  // The rest is written; but what --target asks for is not there.
  if (report.not_learned) return fail(report.not_learned->code, quality::describe(*report.not_learned));
  return 0;
}

}  // namespace maeil::cli
