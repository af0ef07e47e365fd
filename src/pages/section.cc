#include "pages/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/time.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;

struct Drawn {
  std::string operator()(const std::string& text) const { return "<p>" + escape_html(text) + "</p>\n"; }
  std::string operator()(const std::vector<Tile>& tiles) const { return tiles_html(tiles); }
  std::string operator()(const Table& table) const { return table_html(table); }
  std::string operator()(const Picture& picture) const {
    return "<figure class=\"picture\"><h3>" + escape_html(picture.title) + "</h3>" + picture.svg +
           "</figure>\n";
  }
};

std::string number(double x) {
  const double size = std::abs(x);
  return size != 0 && (size < 1e-3 || size >= 1e7) ? fmt::format("{:.4g}", x) : fmt::format("{:.4f}", x);
}

}  // namespace

std::string report_html(const Report& report) {
  std::string out = page_begin(report.title) + "<h1>" + escape_html(report.title) + "</h1>\n<p>" +
                    escape_html(report.lead) + "</p>\n";
  for (const auto& section : report.sections) {
    out += "<section><h2>" + escape_html(section.heading) + "</h2>\n";
    for (const auto& block : section.blocks) out += std::visit(Drawn{}, block);
    if (const std::string sources = sources_text(section); !sources.empty())
      out += "<p class=\"sources\">" + escape_html(sources) + "</p>\n";
    out += "</section>\n";
  }
  return out + page_end();
}

std::string sources_text(const Section& section) {
  std::string out, before;
  for (const auto& [collection, id] : section.sources) {
    out += out.empty() ? "From " : ", ";
    if (collection != before) out += collection + " ";
    out += id;
    before = collection;
  }
  return out;
}

void add_source(Section& section, const std::string& collection, const Document& document) {
  const std::string id = store::id_text(store::field_at(document, "_id"));
  const std::pair source(collection, id);
  if (!id.empty() && std::ranges::find(section.sources, source) == section.sources.end())
    section.sources.push_back(source);
}

std::string fact(const Document& value, const char* absent) {
  if (value.is_null()) return absent;
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_float()) return number(value.get<double>());
  if (const std::string id = store::id_text(value); !id.empty()) return id;
  if (const auto instant = store::instant_of(value)) {
    std::string text = format_instant(*instant);
    if (const size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
    if (text.ends_with('Z')) text.replace(text.size() - 1, 1, " UTC");
    return text;
  }
  if (value.is_object() || value.is_array()) {
    std::string out;
    for (const auto& [name, item] : value.items()) {
      if (!out.empty()) out += ", ";
      out += value.is_object() ? name + ": " + fact(item, absent) : fact(item, absent);
    }
    return out.empty() ? "none" : out;
  }
  return value.dump();
}

std::vector<std::vector<std::string>> facts_of(const Document& document,
                                               std::initializer_list<NamedField> fields) {
  std::vector<std::vector<std::string>> out;
  for (const auto& [path, name] : fields) {
    if (const Document& value = store::field_at(document, path); !value.is_null())
      out.push_back({name, fact(value)});
  }
  return out;
}

}  // namespace maeil::pages
