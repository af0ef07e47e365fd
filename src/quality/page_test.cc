// The page: complete in itself, safe with hostile names, worst columns first.
#include "quality/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "quality/plots.h"
#include "quality/test_files.h"

namespace maeil::quality {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::string& real, const std::string& synthetic, const std::string& target) {
  const auto data = read_data({.real = real, .synthetic = synthetic});
  EXPECT_TRUE(data) << data.error().message;
  const auto report = make_report(*data, target);
  EXPECT_TRUE(report) << report.error().message;
  return report_page(*data, *report, "real <rows>", "synthetic");
}

TEST(Page, IsCompleteInItself) {
  const auto page = page_of(kTestData + "real.csv", kTestData + "synthetic.csv", "grade");
  for (const auto* outside : {"<script", "http:", "https:", "<link", "<img", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  for (const auto* part :
       {"quality score", "Trained on synthetic", "closest record", "Distributions, worst first",
        "Pair trends", "Worst pairs", "prefers-color-scheme:dark"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, HasSubstr("real &lt;rows&gt;"));
}

TEST(Page, SaysThatNothingWasTrained) {
  const auto data = read_data({.real = kTestData + "real.csv", .synthetic = kTestData + "synthetic.csv"});
  auto report = make_report(*data, "");
  report->not_learned = Error{ErrorCode::kNotFound, "XGBoost <is missing>: install it"};
  const auto page = report_page(*data, *report, "real", "synthetic");
  EXPECT_THAT(
      page,
      HasSubstr("<h2>Trained on synthetic, tested on real</h2>\n<p>Not measured: no model was trained on the "
                "synthetic rows: XGBoost &lt;is missing&gt;: install it.</p>"));
  EXPECT_THAT(page, Not(HasSubstr("ROC AUC")));
}

TEST(Page, ShowsTheWorstColumnFirst) {
  const auto real = test_file("real.csv", "same,moved\n1,1\n2,2\n3,3\n"),
             synthetic = test_file("synthetic.csv", "same,moved\n1,7\n2,8\n3,9\n");
  const auto page = page_of(real, synthetic, "");
  EXPECT_LT(page.find("<h3>moved</h3>"), page.find("<h3>same</h3>"));
  EXPECT_THAT(page, Not(HasSubstr("Trained on synthetic")));
}

TEST(Page, EscapesWhatTheDataSay) {
  const auto path =
      test_file("hostile.csv", "\"<script>alert(1)</script>\",b\n\"</svg><b onload='x'>\",1\nplain,2\n");
  const auto page = page_of(path, path, "");
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<b onload")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
}

TEST(Page, SaysWhichRecordsWereLeftOut) {
  std::string good = "a,b\n";
  for (int i = 0; i < 40; ++i) good += "1,2\n";
  const auto whole = test_file("whole.csv", good), broken = test_file("<broken>.csv", good + "1,2,3\n");
  EXPECT_THAT(page_of(broken, whole, ""),
              testing::AllOf(HasSubstr("<p>1 records left out, the first: "),
                             HasSubstr("&lt;broken&gt;.csv:42: the row has more fields than the header</p>"),
                             HasSubstr("40 rows")));
  EXPECT_THAT(page_of(whole, whole, ""), Not(HasSubstr("records left out")));
}

TEST(Plots, ScoresHaveTheirClass) {
  EXPECT_EQ(score_class(1), "s0");
  EXPECT_EQ(score_class(0.99), "s0");
  EXPECT_EQ(score_class(0.9899), "s1");
  EXPECT_EQ(score_class(0.6), "s5");
  EXPECT_EQ(score_class(0.1), "s6");
  EXPECT_EQ(score_class(std::numeric_limits<double>::quiet_NaN()), "sn");
}

TEST(Plots, BarsAndAxisSayWhatIsThere) {
  const auto path = test_file("dates.csv", "d,c\n2024-01-01,x\n2024-01-31,x\n2024-01-16,\n");
  const auto data = read_data({.real = path, .synthetic = path});
  const auto dates = distribution_svg(data->columns[0]);
  EXPECT_THAT(dates, HasSubstr(">2024-01-01</text>"));
  EXPECT_THAT(dates, HasSubstr(">2024-01-31</text>"));
  EXPECT_THAT(dates, HasSubstr("real 33.3 %, synthetic 33.3 %"));
  EXPECT_THAT(distribution_svg(data->columns[1]), HasSubstr("(missing): real 33.3 %"));
}

}  // namespace
}  // namespace maeil::quality
