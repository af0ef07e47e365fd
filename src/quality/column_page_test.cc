// The page of a file's columns: complete in itself, safe with hostile names and values.
#include "quality/column_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quality/page.h"

namespace maeil::quality {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ColumnPage, IsCompleteInItselfAndEscapesEverything) {
  const auto page =
      columns_page("book <b>.csv", {"9 rows & more"},
                   {{"<script>alert(1)</script>",
                     "text",
                     "drops \"it\"",
                     false,
                     {},
                     {{"<img src=x onerror=y>", 5}, {"A", 3}},
                     1},
                    {"rate", "number", "", false, {{1, 3}, {2, 5}, {1e308, 1}, {-1e308, 1}}, {}, 0},
                    {"opened", "date", "", true, {{20000, 4}, {20400, 2}}, {}, 0},
                    {"loan", "id", "values are not shown", false, {}, {}, 0}});
  for (const auto* outside : {"<script", "<img", "http:", "https:", "<link", "@import", "url(", "nan", "inf"})
    EXPECT_THAT(page, Not(HasSubstr(outside))) << outside;
  for (const auto* part : {"book &lt;b&gt;.csv", "9 rows &amp; more", "drops &quot;it&quot;",
                           "A: 3 rows, 33.3 %", "(missing)", "2024-10-04", "values are not shown"})
    EXPECT_THAT(page, HasSubstr(part));
}

TEST(ColumnPage, SaysWhenNotAllColumnsAreShown) {
  const std::vector<ColumnPicture> many(kShownColumns + 5,
                                        ColumnPicture{"c", "text", "", false, {}, {{"a", 1}}, 0});
  EXPECT_THAT(columns_page("wide.csv", {}, many), HasSubstr("The first 200 of 205 columns."));
}

}  // namespace
}  // namespace maeil::quality
