// What all pages are made of: safe text, tables that say what their cells are, pictures that can be heard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pages/section.h"
#include "pages/svg.h"

namespace maeil::pages {
namespace {

using store::Document;
using testing::HasSubstr;
using testing::Not;

TEST(Html, NothingOfATextIsMarkup) {
  EXPECT_EQ(escape_html("<b a='1' c=\"2\">&\x01"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp; ");
}

TEST(Html, TablesSayWhatTheirCellsAre) {
  const std::string table = table_html({"rows <of> it", {"name", "rows"}, {{"a&b", "3"}}, 1});
  EXPECT_THAT(table, HasSubstr("<caption>rows &lt;of&gt; it</caption>"));
  EXPECT_THAT(table, HasSubstr("<th scope=\"col\">name</th><th scope=\"col\" class=\"n\">rows</th>"));
  EXPECT_THAT(table, HasSubstr("<td>a&amp;b</td><td class=\"n\">3</td>"));
  const std::string facts = table_html({"", {}, {{"seed", "42"}}});
  EXPECT_THAT(facts, HasSubstr("<th scope=\"row\">seed</th><td>42</td>"));
  EXPECT_THAT(facts, Not(HasSubstr("<caption>")));
}

TEST(Html, APageNeedsNothingElse) {
  const std::string page =
      report_html({"<title>",
                   "lead & all",
                   {{"A <heading>", {"text <1>", std::vector<Tile>{{"<v>", "<n>"}}}, {{"c", "id"}}}}});
  for (const auto* outside : {"<script", "http:", "https:", "<link", "<img", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  for (const auto* part : {"<html lang=\"en\">", "<title>&lt;title&gt;</title>", "<h1>&lt;title&gt;</h1>",
                           "<p>lead &amp; all</p>", "<h2>A &lt;heading&gt;</h2>", "<p>text &lt;1&gt;</p>",
                           "<b>&lt;v&gt;</b><span>&lt;n&gt;</span>", "From c id", "name=\"viewport\"",
                           "prefers-color-scheme:dark", "@media print", "</main></body></html>"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
}

TEST(Facts, AreReadAsPeopleReadThem) {
  EXPECT_EQ(fact(1500), "1500");
  EXPECT_EQ(fact(0.38461538), "0.3846");
  EXPECT_EQ(fact(0.0), "0.0000");
  EXPECT_EQ(fact(0.00012345), "0.0001234");
  EXPECT_EQ(fact(nullptr), "not recorded");
  EXPECT_EQ(fact(nullptr, "undefined"), "undefined");
  EXPECT_EQ(fact(true), "yes");
  EXPECT_EQ(fact({"a", 2}), "a, 2");
  EXPECT_EQ(fact({{"a", 1}, {"b", "x"}}), "a: 1, b: x");
  EXPECT_EQ(fact(Document::object()), "none");
  EXPECT_EQ(fact(store::id_value("6a46fb80c8619ef8eddc8cbb")), "6a46fb80c8619ef8eddc8cbb");
  EXPECT_EQ(fact({{"$date", "2026-11-30T02:00:02.778Z"}}), "2026-11-30 02:00:02.778 UTC");
}

TEST(Facts, OnlyWhatIsThereHasARow) {
  const auto rows =
      facts_of({{"a", {{"b", 1}}}, {"c", nullptr}}, {{"a.b", "one"}, {"c", "two"}, {"d", "three"}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0], testing::ElementsAre("one", "1"));
}

TEST(Sections, NameEachDocumentOnce) {
  Section section;
  const Document document = {{"_id", store::id_value("6a46fb80c8619ef8eddc8cbb")}};
  add_source(section, "alerts", document);
  add_source(section, "alerts", document);
  add_source(section, "alerts", Document());
  add_source(section, "predictions", document);
  EXPECT_EQ(sources_text(section),
            "From alerts 6a46fb80c8619ef8eddc8cbb, predictions 6a46fb80c8619ef8eddc8cbb");
  EXPECT_EQ(sources_text(Section()), "");
}

TEST(Svg, EachMarkSaysItsNumbers) {
  const std::string bars = histogram_svg("bars <of> it", {3, 0, 1, 0});
  EXPECT_THAT(bars, HasSubstr("role=\"img\" aria-label=\"bars &lt;of&gt; it\""));
  EXPECT_THAT(bars, HasSubstr("<title>0.00 to 0.25: 3 rows</title>"));
  EXPECT_THAT(bars, HasSubstr("<title>0.50 to 0.75: 1 rows</title>"));
  EXPECT_THAT(histogram_svg("none", {}), HasSubstr("</svg>"));
  const std::string dots = reliability_svg("dots", {{0.1, 0.2, 0.05, 0.4}});
  EXPECT_THAT(dots, HasSubstr("<title>said 0.1000, observed 0.2000 (0.0500 to 0.4000)</title>"));
  // The highest end of an interval is the top of the picture, and the mark stands at its numbers.
  EXPECT_THAT(dots, HasSubstr("cx=\"96.0\" cy=\"58.0\""));
}

}  // namespace
}  // namespace maeil::pages
