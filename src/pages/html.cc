#include "pages/html.h"

#include <fmt/format.h>

namespace maeil::pages {
namespace {

// The colours are set apart from the rules, so that dark is one more set of values. Text on its ground is at
// least 4.5 to 1 in both.
constexpr const char* kStyle = R"css(
:root{--page:#fbfbf9;--panel:#fff;--ink:#1c1c1a;--soft:#63625c;--line:#dddbd3;--real:#9fb8d6;
--accent:#c2410c}
@media(prefers-color-scheme:dark){:root{--page:#161615;--panel:#1f1f1d;--ink:#f0efe9;--soft:#a5a49b;
--line:#3a3935;--real:#48658a;--accent:#ff9a5c}}
body{margin:0 auto;padding:24px;max-width:1100px;background:var(--page);color:var(--ink);
font:15px/1.45 system-ui,sans-serif}
h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:34px 0 6px}h3{font-size:14px;margin:0}
h1,h2,h3,p{overflow-wrap:anywhere}p{margin:4px 0 10px;color:var(--soft);max-width:75ch}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:10px;margin:14px 0}
.tile,figure{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:10px 12px;
margin:0}
.sources{font-size:11px;max-width:none}
.tile b{display:block;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}
.tile span,figure span{color:var(--soft);font-size:13px}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:10px}
table{border-collapse:collapse;min-width:260px;
font-variant-numeric:tabular-nums;margin:8px 0}th,td{text-align:left;
vertical-align:top;padding:3px 18px 3px 0;border-bottom:1px solid var(--line);font-size:14px}
th{color:var(--soft);font-weight:500}td.n,th.n{text-align:right}.wide{overflow-x:auto}
caption{text-align:left;color:var(--soft);font-size:13px}
.facts td{overflow-wrap:anywhere}.facts th{min-width:90px}
.picture{max-width:560px;margin:10px 0}
svg{display:block;width:100%;height:auto;margin-top:6px}svg text{font-size:10px;fill:var(--soft)}
.real{fill:var(--real)}.axis{stroke:var(--line);fill:none}.line{stroke:var(--ink);fill:none}
.mark{fill:var(--accent)}
@page{size:A4;margin:14mm}
@media print{:root{--page:#fff;--panel:#fff;--ink:#000;--soft:#444;--line:#bbb;--real:#9fb8d6;
--accent:#c2410c}
body{max-width:none;padding:0;font-size:11px}h2{margin-top:18px;font-size:14px}caption{font-size:10px}
.sources{font-size:8px}h2,h3,caption{break-after:avoid}
tr,figure,.tile{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}
th,td{font-size:9.5px;padding-right:8px;overflow-wrap:anywhere}.tile b{font-size:16px}
.tiles{grid-template-columns:repeat(4,1fr)}.picture{max-width:110mm}}
)css";

std::string cell(const char* tag, const std::string& attributes, const std::string& content) {
  return fmt::format("<{0}{1}>{2}</{0}>", tag, attributes, escape_html(content));
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

std::string page_begin(const std::string& title, std::string_view style) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light "
         "dark\"><title>" +
         escape_html(title) + "</title><style>" + kStyle + std::string(style) +
         "</style></head><body><main>\n";
}

std::string page_end() { return "</main></body></html>\n"; }

std::string table_html(const Table& table) {
  const bool facts = table.header.empty();
  std::string out =
      fmt::format(R"(<div class="wide" tabindex="0"><table{}>)", facts ? R"( class="facts")" : "");
  if (!table.caption.empty()) out += cell("caption", "", table.caption);
  const auto number = [&](size_t column) { return column >= table.texts ? R"( class="n")" : ""; };
  if (!facts) {
    out += "<thead><tr>";
    for (size_t c = 0; c < table.header.size(); ++c)
      out += cell("th", fmt::format(R"( scope="col"{})", number(c)), table.header[c]);
    out += "</tr></thead>";
  }
  out += "<tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) {
      if (facts)
        out += c == 0 ? cell("th", R"( scope="row")", row[c]) : cell("td", "", row[c]);
      else
        out += cell("td", number(c), row[c]);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string tiles_html(const std::vector<Tile>& tiles) {
  std::string out = "<div class=\"tiles\">\n";
  for (const auto& tile : tiles) {
    out += fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escape_html(tile.value),
                       escape_html(tile.name));
  }
  return out + "</div>\n";
}

}  // namespace maeil::pages
