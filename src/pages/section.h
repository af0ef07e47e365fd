// A report as data: sections of sentences, tiles, tables and pictures, which become a page here and text on a
// terminal elsewhere, so that both say the same.
//
// A section names the documents that its facts are from. What is shown of a document is its field as it is:
// a number rounded, a date as people write it, nothing computed.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pages/html.h"
#include "store/document.h"

namespace maeil::pages {

struct Picture {
  std::string title, svg;
};
using Block = std::variant<std::string, std::vector<Tile>, Table, Picture>;  // a text is a paragraph

struct Section {
  std::string heading;
  std::vector<Block> blocks;
  std::vector<std::pair<std::string, std::string>> sources;  // collection and id, each once
};

struct Report {
  std::string title, lead;
  std::vector<Section> sections;
};

std::string report_html(const Report& report);

// "From raw_data 6a46..., predictions 6a47...": the documents of a section; "" of one without.
std::string sources_text(const Section& section);
// Adds a document that is there; null adds nothing.
void add_source(Section& section, const std::string& collection, const store::Document& document);

// A field as people read it: integers as they are, other numbers with four decimals (small and large ones
// with four digits), instants in UTC, ids, lists with commas, objects as "name: value"; null is `absent`.
std::string fact(const store::Document& value, const char* absent = "not recorded");

// A row for each named field that the document has, under the name people know it by.
struct NamedField {
  const char *path, *name;
};
std::vector<std::vector<std::string>> facts_of(const store::Document& document,
                                               std::initializer_list<NamedField> fields);

}  // namespace maeil::pages
