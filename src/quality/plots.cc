#include "quality/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/calendar.h"
#include "format/csv.h"
#include "pages/html.h"
#include "pages/svg.h"

namespace maeil::quality {
namespace {

using pages::escape_html, pages::open_svg, pages::svg_text;
using pages::kBaseline, pages::kHeight, pages::kWidth;

constexpr int kMiddle = kWidth / 2, kHalfHeight = kHeight / 2;

std::string number_text(double x, bool date) {
  if (!date)
    return std::abs(x) >= 1e4 && std::abs(x) < 1e7 ? fmt::format("{:.0f}", x) : fmt::format("{:.4g}", x);
  return format_date(day_at(x));
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string continuous_svg(const ColumnPair& column) {
  std::vector<double> real;
  for (const double x : column.real.numbers) {
    if (!std::isnan(x)) real.push_back(x);
  }
  std::sort(real.begin(), real.end());
  const bool date = column.sdtype == "datetime";
  if (real.empty())
    return open_svg(column.name) + svg_text(kMiddle, kHalfHeight, "middle", "no real values") + "</svg>";
  const double low = real[real.size() / 100], high = std::max(real[real.size() - 1 - real.size() / 100], low);
  const double step =
      high > low ? high / kShownBins - low / kShownBins : 1;  // the range itself may be no double
  const auto shares = [&](const std::vector<double>& numbers) {
    std::vector<double> out(kShownBins);
    double rows = 0;
    for (const double x : numbers) {
      if (std::isnan(x)) continue;
      ++out[static_cast<size_t>(
          std::clamp(std::floor((x - low) / step), 0.0, static_cast<double>(kShownBins - 1)))],
          ++rows;
    }
    for (auto& share : out) share = rows > 0 ? share / rows : 0;
    return out;
  };
  const auto a = shares(column.real.numbers), b = shares(column.synthetic.numbers);
  const double top = std::max(*std::max_element(a.begin(), a.end()), *std::max_element(b.begin(), b.end()));
  const double scale = top > 0 ? (kBaseline - 6) / top : 0, width = static_cast<double>(kWidth) / kShownBins;
  std::string out = open_svg(fmt::format("{}: shares of real and synthetic rows by value", column.name));
  for (size_t k = 0; k < kShownBins; ++k) {
    const double x = static_cast<double>(k) * width, at = low + static_cast<double>(k) * step;
    out += fmt::format(
        R"(<rect class="real" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{} to {}: real {})"
        R"(, synthetic {}</title></rect>)",
        x, kBaseline - a[k] * scale, width - 0.6, a[k] * scale, number_text(at, date),
        number_text(at + step, date), percent(a[k]), percent(b[k]));
  }
  std::string path = fmt::format("M0 {:.1f}", kBaseline - b[0] * scale);
  for (size_t k = 0; k < kShownBins; ++k)
    path += fmt::format("V{:.1f}H{:.1f}", kBaseline - b[k] * scale, static_cast<double>(k + 1) * width);
  out += fmt::format(R"(<path class="synthetic" d="{}"/><path class="axis" d="M0 {}H{}"/>)", path, kBaseline,
                     kWidth);
  return out + svg_text(0, kHeight - 3, "start", number_text(low, date)) +
         svg_text(kWidth, kHeight - 3, "end", number_text(low + kShownBins * step, date)) + "</svg>";
}

std::string discrete_svg(const ColumnPair& column) {
  const size_t K = column.categories.size();
  const auto shares = [&](const Side& side) {
    std::vector<double> out(K + 1);  // the last: missing
    for (const auto code : side.codes)
      out[std::min<size_t>(code, K)] += 1 / static_cast<double>(side.codes.size());
    return out;
  };
  const auto a = shares(column.real), b = shares(column.synthetic);
  std::vector<size_t> order(K);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return std::max(a[x], b[x]) > std::max(a[y], b[y]); });
  struct Bar {
    std::string label;
    double real, synthetic;
  };
  std::vector<Bar> bars;
  for (size_t k = 0; k < std::min(K, kShownCategories); ++k)
    bars.push_back({column.categories[order[k]], a[order[k]], b[order[k]]});
  if (K > kShownCategories) {
    bars.push_back({fmt::format("{} others", K - kShownCategories), 0, 0});
    for (size_t k = kShownCategories; k < K; ++k)
      bars.back().real += a[order[k]], bars.back().synthetic += b[order[k]];
  }
  if (a[K] > 0 || b[K] > 0) bars.push_back({"(missing)", a[K], b[K]});
  double top = 1e-9;
  for (const auto& bar : bars) top = std::max({top, bar.real, bar.synthetic});
  constexpr double kLabels = 96;
  const double row = std::min(18.0, static_cast<double>(kHeight) /
                                        static_cast<double>(std::max<size_t>(bars.size(), 1))),
               scale = (kWidth - kLabels - 4) / top;
  std::string out = open_svg(fmt::format("{}: shares of real and synthetic rows by category", column.name));
  for (size_t k = 0; k < bars.size(); ++k) {
    const auto& bar = bars[k];
    const double y = static_cast<double>(k) * row;
    out += svg_text(kLabels - 5, y + row * 0.72, "end", format::clip_utf8(bar.label, 12));
    out += fmt::format(
        R"(<g><title>{}: real {}, synthetic {}</title><rect class="real" x="{}" y="{:.1f}" width="{:.1f}" )"
        R"(height="{:.1f}"/>)",
        escape_html(bar.label), percent(bar.real), percent(bar.synthetic), kLabels, y + row * 0.12,
        bar.real * scale, row * 0.36);
    out +=
        fmt::format(R"(<rect class="synthetic-bar" x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/></g>)",
                    kLabels, y + row * 0.5, bar.synthetic * scale, row * 0.36);
  }
  return out + "</svg>";
}

}  // namespace

std::string_view score_class(double score) {
  static constexpr std::string_view kClasses[] = {"s0", "s1", "s2", "s3", "s4", "s5", "s6"};
  if (std::isnan(score)) return "sn";
  size_t k = 0;
  while (k < std::size(kScoreSteps) && score < kScoreSteps[k]) ++k;
  return kClasses[k];
}

std::string distribution_svg(const ColumnPair& column) {
  return column.kind == Kind::kContinuous ? continuous_svg(column) : discrete_svg(column);
}

std::string heat_map_svg(const Scores& scores, size_t& shown) {
  shown = std::min(scores.columns.size(), kHeatMapColumns);
  const double cell = std::clamp(760.0 / static_cast<double>(std::max<size_t>(shown, 1)), 5.0, 26.0),
               side = cell * static_cast<double>(shown);
  const bool labels = cell >= 11;
  const double margin = labels ? 120 : 4;
  std::string out =
      fmt::format(R"(<svg class="map" viewBox="0 0 {0:.0f} {0:.0f}" style="max-width:{0:.0f}px" role="img" )"
                  R"(aria-label="scores of the column pairs">)",
                  side + margin);
  const auto square = [&](size_t row, size_t column, double score, const std::string& title) {
    return fmt::format(
        R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>)",
        score_class(score), margin + static_cast<double>(column) * cell, static_cast<double>(row) * cell,
        cell - 0.8, cell - 0.8, title);
  };
  for (size_t c = 0; c < shown; ++c) {
    const auto& column = scores.columns[c];
    out += square(c, c, column.score, fmt::format("{}: {:.4f}", escape_html(column.name), column.score));
    if (!labels) continue;
    const auto name = escape_html(format::clip_utf8(column.name, 16));
    const double middle = (static_cast<double>(c) + 0.7) * cell;
    out +=
        fmt::format(R"(<text x="{:.0f}" y="{:.1f}" text-anchor="end">{}</text>)", margin - 5, middle, name);
    out += fmt::format(
        R"svg(<text transform="translate({:.1f} {:.0f}) rotate(-90)" text-anchor="end">{}</text>)svg",
        margin + middle, side + 5, name);
  }
  for (const auto& pair : scores.pairs) {
    if (pair.second >= shown) continue;
    const auto score = std::isnan(pair.score) ? std::string("no score") : fmt::format("{:.4f}", pair.score);
    out += square(pair.second, pair.first, pair.score,
                  fmt::format("{}, {}: {}", escape_html(scores.columns[pair.first].name),
                              escape_html(scores.columns[pair.second].name), score));
  }
  return out + "</svg>";
}

}  // namespace maeil::quality
