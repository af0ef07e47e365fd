#include "quality/page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "pages/html.h"
#include "quality/plots.h"

namespace maeil::quality {
namespace {

using pages::escape_html;

// Beside what all pages have.
constexpr const char* kStyle = R"css(
:root{--synthetic:#c2410c;
--s0:#eef2f7;--s1:#d3e0ef;--s2:#a9c5e4;--s3:#76a3d4;--s4:#4a80bd;--s5:#2a5c9a;--s6:#123763;--sn:#e9e7e0}
@media(prefers-color-scheme:dark){:root{--synthetic:#ff9a5c;
--s0:#232a33;--s1:#26405c;--s2:#2c5885;--s3:#3a76b3;--s4:#5e9bd8;--s5:#94c1ec;--s6:#d8eafb;--sn:#33322e}}
.synthetic{fill:none;stroke:var(--synthetic);stroke-width:1.8}.synthetic-bar{fill:var(--synthetic)}
.s0{fill:var(--s0);background:var(--s0)}.s1{fill:var(--s1);background:var(--s1)}.s2{fill:var(--s2);
background:var(--s2)}.s3{fill:var(--s3);background:var(--s3)}
.s4{fill:var(--s4);background:var(--s4)}.s5{fill:var(--s5);background:var(--s5)}.s6{fill:var(--s6);
background:var(--s6)}.sn{fill:var(--sn);background:var(--sn)}
.key{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:13px;color:var(--soft);margin:8px 0}
.key i{display:inline-block;width:13px;height:13px;margin-right:5px;vertical-align:-2px;
border:1px solid var(--line)}
.key i.r{background:var(--real)}.key i.y{background:var(--synthetic)}
)css";

std::string number(double x, int digits = 4) {
  return std::isnan(x) ? "–" : fmt::format("{:.{}f}", x, digits);
}

// The numbers of `items` with the lowest score first and those without one last.
template <class Item>
std::vector<size_t> worst_first(const std::vector<Item>& items) {
  std::vector<size_t> out(items.size());
  std::iota(out.begin(), out.end(), size_t{0});
  std::stable_sort(out.begin(), out.end(), [&](size_t a, size_t b) {
    const double x = items[a].score, y = items[b].score;
    return std::isnan(x) || std::isnan(y) ? !std::isnan(x) && std::isnan(y) : x < y;
  });
  return out;
}

std::string html_table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows,
                       size_t texts) {
  return pages::table_html({"", std::move(header), std::move(rows), texts});
}

std::string head(const Data& data, const Report& report, const std::string& real,
                 const std::string& synthetic) {
  const auto rows = [](size_t looked_at, size_t all) {
    return looked_at == all ? fmt::format("{} rows", all)
                            : fmt::format("{} of {} rows, evenly chosen", looked_at, all);
  };
  std::string left_out;
  for (const auto& line : data.left_out) left_out += "<p>" + escape_html(line) + "</p>\n";
  return fmt::format("<h1>Quality of synthetic data</h1>\n<p>{} ({}) against {} ({}), {} columns.</p>\n",
                     escape_html(synthetic), rows(data.synthetic_rows, data.all_synthetic_rows),
                     escape_html(real), rows(data.real_rows, data.all_real_rows), data.columns.size()) +
         pages::tiles_html({{number(report.scores.overall), "quality score"},
                            {number(report.scores.column_shapes), "column shapes"},
                            {number(report.scores.pair_trends), "pair trends, strong pairs"},
                            {number(report.scores.pair_trends_all), "pair trends, all pairs"},
                            {number(report.diagnostic.validity), "data validity"},
                            {number(report.diagnostic.structure), "data structure"}}) +
         left_out +
         "<p>Scores as in SDMetrics 0.32.0: 1 is a perfect likeness. Validity and structure should "
         "be 1.</p>\n";
}

constexpr const char* kLearning = "<h2>Trained on synthetic, tested on real</h2>\n";

std::string learning(const Utility& u) {
  const bool two = u.classes.size() == 2;
  return kLearning +
         fmt::format(
             "<p>XGBoost's boosted trees predict <b>{}</b> for {} real rows {}. {}</p>\n",
             escape_html(u.target), u.test_rows,
             u.holdout_file ? "that were held out"
                            : "that this training left out, but the synthesizer may have seen",
             two ? fmt::format("F1 at a probability of 0.5 and ROC AUC of “{}”.", escape_html(u.classes[0]))
                 : fmt::format("Means over the {} classes: F1 of the likeliest class, ROC AUC of each "
                               "against the rest.",
                               u.classes.size())) +
         html_table({"trained on", "rows", "F1", "ROC AUC"},
                    {{"synthetic rows", fmt::format("{}", u.synthetic.rows), number(u.synthetic.f1),
                      number(u.synthetic.auc)},
                     {"real rows", fmt::format("{}", u.real.rows), number(u.real.f1), number(u.real.auc)}},
                    1);
}

std::string privacy(const Privacy& p, const std::vector<std::string>& identifiers) {
  std::vector<std::vector<std::string>> rows = {
      {"synthetic to real", fmt::format("{} / {}", p.synthetic_rows, p.real_rows), number(p.median_to_real),
       number(p.copies)},
      {"real to other real", fmt::format("{} / {}", p.real_rows, p.real_rows), number(p.median_real),
       number(p.real_copies)}};
  if (p.holdout_rows > 0)
    rows.push_back({"synthetic to held out", fmt::format("{} / {}", p.synthetic_rows, p.holdout_rows),
                    number(p.median_to_holdout), "–"});
  std::string out =
      "<h2>Distance to the closest record</h2>\n<p>Mean over columns of the difference, 0 (a copy) to 1. "
      "Copies are worth a look when synthetic rows have more of them than "
      "real rows have among each other.</p>\n" +
      html_table({"rows to rows", "compared", "median distance", "share at 0"}, rows, 1);
  if (!identifiers.empty()) {
    out += "<p>Copies are equal in every column but the identifiers: " +
           escape_html(fmt::format("{}", fmt::join(identifiers, ", "))) + ".</p>\n";
  }
  if (p.holdout_rows > 0) {
    out += fmt::format(
        "<p>{:.1f} % of the synthetic rows are closer to a real row that the synthesizer saw than to a "
        "held-out one; without memory it would be about 50 % ({} of each take part). "
        "Protection against overfitting as in SDMetrics: {}.</p>\n",
        100 * p.closer_to_real, p.fair_rows, number(p.protection));
  }
  return out;
}

std::string invalid(const Diagnostic& diagnostic) {
  std::vector<std::vector<std::string>> rows;
  for (const size_t k : worst_first(diagnostic.columns)) {
    const auto& column = diagnostic.columns[k];
    if (!(column.score >= 1)) rows.push_back({column.name, column.metric, column.note, number(column.score)});
  }
  if (rows.empty() && diagnostic.structure_differences.empty()) return "";
  std::string out = "<h2>What is not valid</h2>\n";
  if (!rows.empty()) out += html_table({"column", "metric", "note", "score"}, rows, 3);
  for (const auto& difference : diagnostic.structure_differences)
    out += fmt::format("<p>{}</p>\n", escape_html(difference));
  return out;
}

std::string distributions(const Data& data, const Scores& scores) {
  const auto order = worst_first(scores.columns);
  const size_t shown = std::min(order.size(), kShownColumns);
  std::string out = fmt::format(
      "<h2>Distributions, worst first</h2>\n<p>{}Numbers between the real 1 % and 99 % quantiles; the outer "
      "bins hold all beyond.</p>\n",
      shown < order.size() ? fmt::format("The worst {} of {} columns. ", shown, order.size()) : "");
  out +=
      "<div class=\"key\"><span><i class=\"r\"></i>real</span><span><i "
      "class=\"y\"></i>synthetic</span></div>\n<div class=\"grid\">\n";
  for (size_t k = 0; k < shown; ++k) {
    const auto& column = scores.columns[order[k]];
    out += fmt::format("<figure><h3>{}</h3><span>{} {}</span>{}</figure>\n", escape_html(column.name),
                       column.metric, number(column.score), distribution_svg(data.columns[order[k]]));
  }
  return out + "</div>\n";
}

std::string trends(const Scores& scores) {
  if (scores.pairs.empty()) return "";
  size_t shown = 0;
  const auto map = heat_map_svg(scores, shown);
  std::string out = fmt::format(
      "<h2>Pair trends</h2>\n<p>A square for each pair of columns{}, the columns' own scores on the "
      "diagonal; the stronger the colour, the worse.</p>\n<div class=\"key\">",
      shown < scores.columns.size() ? fmt::format(" (the first {} columns)", shown) : "");
  for (size_t k = 0; k <= std::size(kScoreSteps); ++k) {
    const bool last = k == std::size(kScoreSteps);
    out += fmt::format("<span><i class=\"s{}\"></i>{} {}</span>", k, last ? "below" : "from",
                       kScoreSteps[last ? k - 1 : k]);
  }
  out += "<span><i class=\"sn\"></i>no score</span></div>\n" + map + "\n<h2>Worst pairs</h2>\n";
  std::vector<std::vector<std::string>> rows;
  for (const size_t k : worst_first(scores.pairs)) {
    const auto& pair = scores.pairs[k];
    if (rows.size() == 20) break;
    rows.push_back({scores.columns[pair.first].name, scores.columns[pair.second].name,
                    pair.correlation ? "correlation" : "contingency", number(pair.strength),
                    number(pair.score)});
  }
  return out + html_table({"first", "second", "similarity", "real strength", "score"}, rows, 3);
}

}  // namespace

std::string report_page(const Data& data, const Report& report, const std::string& real,
                        const std::string& synthetic) {
  std::string out = pages::page_begin("Quality of synthetic data", kStyle);
  out += head(data, report, real, synthetic);
  if (report.utility) out += learning(*report.utility);
  if (report.not_learned)
    out += kLearning + fmt::format("<p>Not measured: {}.</p>\n", escape_html(describe(*report.not_learned)));
  out += privacy(report.privacy, data.copies.identifiers) + invalid(report.diagnostic) +
         distributions(data, report.scores) + trends(report.scores);
  return out + pages::page_end();
}

}  // namespace maeil::quality
