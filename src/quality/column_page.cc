#include "quality/column_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/calendar.h"
#include "format/csv.h"
#include "pages/html.h"
#include "pages/svg.h"
#include "quality/page.h"
#include "quality/plots.h"

namespace maeil::quality {
namespace {

using pages::escape_html, pages::open_svg, pages::svg_text;
using pages::kBaseline, pages::kHeight, pages::kWidth;

constexpr int kLabels = 96;

std::string shown(double x, bool is_date) {
  if (is_date) return format_date(day_at(x * 86400));
  return std::abs(x) >= 1e4 && std::abs(x) < 1e7 ? fmt::format("{:.0f}", x) : fmt::format("{:.4g}", x);
}

std::string rows_and_share(uint64_t rows, uint64_t all) {
  return fmt::format("{} rows, {:.1f} %", rows, 100.0 * static_cast<double>(rows) / static_cast<double>(all));
}

// Of sorted values, the one below which `part` of the rows lie.
double quantile(const std::vector<std::pair<double, uint64_t>>& values, uint64_t rows, double part) {
  double left = part * static_cast<double>(rows);
  for (const auto& [value, count] : values) {
    left -= static_cast<double>(count);
    if (left < 0) return value;
  }
  return values.back().first;
}

// Bins between the 1 % and the 99 % quantile; the outer ones hold all beyond.
std::string numbers_svg(ColumnPicture& column) {
  auto& values = column.numbers;
  std::ranges::sort(values);
  uint64_t rows = 0;
  for (const auto& [value, count] : values) rows += count;
  const double low = quantile(values, rows, 0.01), high = quantile(values, rows, 0.99);
  const double step =
      high > low ? high / kShownBins - low / kShownBins : 1;  // the range itself may be no double
  const auto edge = [&](size_t bin) {
    const double at = static_cast<double>(bin) / kShownBins;
    return high > low ? low * (1 - at) + high * at : low + static_cast<double>(bin);
  };
  std::vector<uint64_t> bins(kShownBins, 0);
  for (const auto& [value, count] : values) {
    const double bin = std::clamp(std::floor((value - low) / step), 0.0, static_cast<double>(kShownBins - 1));
    bins[static_cast<size_t>(bin)] += count;
  }
  const double width = static_cast<double>(kWidth) / kShownBins,
               scale = (kBaseline - 6) / static_cast<double>(*std::ranges::max_element(bins));
  std::string out = open_svg(column.name + ": rows by value");
  for (size_t k = 0; k < kShownBins; ++k) {
    const double height = static_cast<double>(bins[k]) * scale;
    out += fmt::format(
        R"(<rect class="real" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{} to {}: {})"
        R"(</title></rect>)",
        static_cast<double>(k) * width, kBaseline - height, width - 0.6, height,
        shown(edge(k), column.is_date), shown(edge(k + 1), column.is_date), rows_and_share(bins[k], rows));
  }
  return out + fmt::format(R"(<path class="axis" d="M0 {}H{}"/>)", kBaseline, kWidth) +
         svg_text(0, kHeight - 3, "start", shown(low, column.is_date)) +
         svg_text(kWidth, kHeight - 3, "end", shown(edge(kShownBins), column.is_date)) + "</svg>";
}

// The most frequent ones, the rest together, and rows without a value.
std::string texts_svg(ColumnPicture& column) {
  auto& values = column.texts;
  std::ranges::sort(values, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  std::vector<std::pair<std::string, uint64_t>> bars(
      values.begin(),
      values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), kShownCategories)));
  if (values.size() > kShownCategories) {
    bars.emplace_back(fmt::format("{} others", values.size() - kShownCategories), 0);
    for (size_t k = kShownCategories; k < values.size(); ++k) bars.back().second += values[k].second;
  }
  if (column.missing > 0) bars.emplace_back("(missing)", column.missing);
  uint64_t rows = 0, top = 1;
  for (const auto& bar : bars) rows += bar.second, top = std::max(top, bar.second);
  const double height = std::min(18.0, static_cast<double>(kHeight) / static_cast<double>(bars.size())),
               scale = (kWidth - kLabels - 4) / static_cast<double>(top);
  std::string out = open_svg(column.name + ": rows by category");
  for (size_t k = 0; k < bars.size(); ++k) {
    const double y = static_cast<double>(k) * height;
    out += svg_text(kLabels - 5, y + height * 0.72, "end", format::clip_utf8(bars[k].first, 12));
    out += fmt::format(
        R"(<rect class="real" x="{}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}: {}</title></rect>)",
        kLabels, y + height * 0.15, static_cast<double>(bars[k].second) * scale, height * 0.7,
        escape_html(format::clip_utf8(bars[k].first, 60)), rows_and_share(bars[k].second, rows));
  }
  return out + "</svg>";
}

}  // namespace

std::string columns_page(const std::string& title, const std::vector<std::string>& facts,
                         std::vector<ColumnPicture> columns) {
  std::string out = pages::page_begin(title) + "<h1>" + escape_html(title) + "</h1>\n";
  for (const auto& fact : facts) out += "<p>" + escape_html(fact) + "</p>\n";
  const size_t shown_columns = std::min(columns.size(), kShownColumns);
  out += fmt::format(
      "<h2>Columns</h2>\n<p>{}Numbers and dates between the 1 % and 99 % quantiles; the outer "
      "bins hold all beyond.</p>\n<div class=\"grid\">\n",
      shown_columns < columns.size()
          ? fmt::format("The first {} of {} columns. ", shown_columns, columns.size())
          : "");
  for (size_t c = 0; c < shown_columns; ++c) {
    ColumnPicture& column = columns[c];
    out += fmt::format("<figure><h3>{}</h3><span>{}</span>", escape_html(column.name),
                       escape_html(column.about));
    if (!column.note.empty()) out += "<p>" + escape_html(column.note) + "</p>";
    if (!column.numbers.empty())
      out += numbers_svg(column);
    else if (!column.texts.empty())
      out += texts_svg(column);
    out += "</figure>\n";
  }
  return out + "</div>\n" + pages::page_end();
}

}  // namespace maeil::quality
