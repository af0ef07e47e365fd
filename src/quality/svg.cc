#include "quality/svg.h"

#include <fmt/format.h>

#include "quality/plots.h"

namespace maeil::quality {

std::string open_svg(const std::string& label) {
  return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", kWidth, kHeight,
                     escape_html(label));
}

std::string svg_text(double x, double y, const char* anchor, const std::string& content) {
  return fmt::format(R"(<text x="{:.0f}" y="{:.0f}" text-anchor="{}">{}</text>)", x, y, anchor,
                     escape_html(content));
}

}  // namespace maeil::quality
