// What maeil's pages are made of: the head with the style, tables, tiles, and text that is safe. A page is
// one file that needs nothing else: no script, no font, nothing from elsewhere; light or dark as the reader's
// system is, light on paper (A4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace maeil::pages {

// Text for a page, quotes included; control characters become blanks.
std::string escape_html(std::string_view text);

// Up to where the body begins; `style`: CSS of this page beside that of all. Ends with page_end().
std::string page_begin(const std::string& title, std::string_view style = "");
std::string page_end();

// Rows without a header are facts: a name and what it is. Text as people read it: it is escaped when it is
// drawn. REQUIRES: as many cells in each row as in the header, two in a row of facts.
struct Table {
  std::string caption;              // "": none
  std::vector<std::string> header;  // empty: facts
  std::vector<std::vector<std::string>> rows;
  size_t texts = 1;  // so many columns are texts, those behind them numbers
};
// Scrolls by itself where the page is narrow.
std::string table_html(const Table& table);

struct Tile {
  std::string value, name;
};
std::string tiles_html(const std::vector<Tile>& tiles);

}  // namespace maeil::pages
