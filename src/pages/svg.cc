#include "pages/svg.h"

#include <fmt/format.h>

#include <algorithm>

#include "pages/html.h"

namespace maeil::pages {

std::string open_svg(const std::string& label) {
  return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth, kHeight,
                     escape_html(label));
}

std::string svg_text(double x, double y, const char* anchor, const std::string& content) {
  return fmt::format(R"(<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>)", x, y, anchor,
                     escape_html(content));
}

std::string histogram_svg(const std::string& label, const std::vector<double>& counts) {
  const double steps = static_cast<double>(std::max<size_t>(counts.size(), 1)), width = kWidth / steps;
  double top = 1;
  for (const double count : counts) top = std::max(top, count);
  std::string out = open_svg(label);
  for (size_t k = 0; k < counts.size(); ++k) {
    const double at = static_cast<double>(k), height = (kBaseline - 12) * std::max(counts[k], 0.0) / top;
    out += fmt::format(
        R"(<rect class="real" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{:.2f} to {:.2f}: )"
        R"({:.0f} rows</title></rect>)",
        at * width, kBaseline - height, width - 1, height, at / steps, (at + 1) / steps, counts[k]);
  }
  return out + fmt::format(R"(<path class="axis" d="M0 {}H{}"/>)", kBaseline, kWidth) +
         svg_text(0, kHeight - 3, "start", "0") + svg_text(kWidth / 2.0, kHeight - 3, "middle", "0.5") +
         svg_text(kWidth, kHeight - 3, "end", "1") + svg_text(kWidth, 9, "end", fmt::format("{:.0f}", top)) +
         "</svg>";
}

std::string reliability_svg(const std::string& label, const std::vector<Observed>& bins) {
  double top = 0.01;
  for (const auto& bin : bins) top = std::max({top, bin.said, bin.high});
  top = std::min(top, 1.0);
  const double left = 30, width = kWidth - left - 6, height = kBaseline - 12;
  const auto x = [&](double p) { return left + width * std::clamp(p, 0.0, top) / top; };
  const auto y = [&](double p) { return kBaseline - height * std::clamp(p, 0.0, top) / top; };
  std::string out = open_svg(label);
  out += fmt::format(R"(<path class="axis" d="M{0} {1}H{2}M{0} {1}V{3}M{0} {1}L{2} {3}"/>)", left, kBaseline,
                     left + width, kBaseline - height);
  for (const auto& bin : bins) {
    out +=
        fmt::format(R"(<g><title>said {:.4f}, observed {:.4f} ({:.4f} to {:.4f})</title><path class="line" )"
                    R"(d="M{:.1f} {:.1f}V{:.1f}"/><circle class="mark" cx="{:.1f}" cy="{:.1f}" r="3"/></g>)",
                    bin.said, bin.seen, bin.low, bin.high, x(bin.said), y(bin.low), y(bin.high), x(bin.said),
                    y(bin.seen));
  }
  return out + svg_text(left - 4, kBaseline, "end", "0") +
         svg_text(left - 4, kBaseline - height + 4, "end", fmt::format("{:.2f}", top)) +
         svg_text(left, kHeight - 3, "start", "0") +
         svg_text(left + width / 2, kHeight - 3, "middle", "probability said; up: rate observed") +
         svg_text(left + width, kHeight - 3, "end", fmt::format("{:.2f}", top)) + "</svg>";
}

}  // namespace maeil::pages
