// `maeil report quality`: the scores of quality/scores.h as tables, worst first, or as one JSON value.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "quality/columns.h"
#include "quality/scores.h"

namespace maeil::cli {
namespace {

constexpr size_t kShownPairs = 20;

store::Document number(double value) { return std::isnan(value) ? store::Document() : store::Document(value); }
std::string cell(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4f}", value); }

// Lowest score first, no score last; ties stay in the file's order.
template <class Scored>
std::vector<Scored> worst_first(std::vector<Scored> items) {
  std::stable_sort(items.begin(), items.end(), [](const Scored& a, const Scored& b) {
    return std::isnan(a.score) || std::isnan(b.score) ? !std::isnan(a.score) && std::isnan(b.score) : a.score < b.score;
  });
  return items;
}

store::Document as_document(const quality::Data& data, const quality::Scores& scores) {
  auto columns = store::Document::array(), pairs = store::Document::array();
  for (const auto& column : scores.columns) columns.push_back({{"column", column.name}, {"metric", column.metric}, {"score", number(column.score)}});
  for (const auto& pair : scores.pairs) {
    pairs.push_back({{"columns", {scores.columns[pair.first].name, scores.columns[pair.second].name}},
                     {"metric", pair.correlation ? "CorrelationSimilarity" : "ContingencySimilarity"},
                     {"score", number(pair.score)},
                     {"real_strength", number(pair.strength)},
                     {"meets_threshold", pair.strong}});
  }
  return {{"real_rows", data.real_rows}, {"synthetic_rows", data.synthetic_rows},
          {"score", number(scores.overall)}, {"score_all_pairs", number(scores.overall_all)},
          {"column_shapes", number(scores.column_shapes)}, {"column_pair_trends", number(scores.pair_trends)},
          {"column_pair_trends_all_pairs", number(scores.pair_trends_all)}, {"columns", columns}, {"pairs", pairs}};
}

}  // namespace

Result<int> report_quality(Context& context, const QualityOptions& options) {
  std::string metadata;
  if (!options.metadata.empty()) {
    MAEIL_ASSIGN(metadata, read_file(options.metadata, uint64_t{64} << 20));
  }
  MAEIL_ASSIGN(const auto data, quality::read_data(options.real, options.synthetic, metadata));
  const auto scores = quality::score(data);
  if (context.json) {
    print_json(as_document(data, scores));
    return 0;
  }
  print_table({"score", "strong pairs", "all pairs"}, {{"column shapes", cell(scores.column_shapes), cell(scores.column_shapes)},
                                                       {"column pair trends", cell(scores.pair_trends), cell(scores.pair_trends_all)},
                                                       {"overall", cell(scores.overall), cell(scores.overall_all)}});
  print_line("");
  std::vector<std::vector<std::string>> rows;
  for (const auto& column : worst_first(scores.columns)) rows.push_back({column.name, column.metric, cell(column.score)});
  print_table({"column", "metric", "score"}, rows);
  print_line("");
  rows.clear();
  for (const auto& pair : worst_first(scores.pairs)) {
    if (rows.size() == kShownPairs) break;
    rows.push_back({scores.columns[pair.first].name, scores.columns[pair.second].name, pair.correlation ? "correlation" : "contingency",
                    cell(pair.strength), cell(pair.score)});
  }
  if (!rows.empty()) print_table({"first", "second", "similarity", "real strength", "score"}, rows);
  if (scores.pairs.size() > rows.size()) print_line(fmt::format("... {} more pairs: --json has them all", scores.pairs.size() - rows.size()));
  return 0;
}

}  // namespace maeil::cli
