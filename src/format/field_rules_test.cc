// Numbers as people write them, and what is no number of a style; words for missing.
#include "format/field_rules.h"

#include <gtest/gtest.h>

#include "format/csv_row.h"

namespace maeil::format {
namespace {

// The plain number, "=" where the text is one itself, "other" or "none".
std::string fitted(std::string_view text, NumberStyle style) {
  std::string plain;
  switch (fit_number(text, style, plain)) {
    case NumberFit::kPlain:
      return "=";
    case NumberFit::kStyled:
      return plain;
    case NumberFit::kOther:
      return "other";
    default:
      return "none";
  }
}

TEST(FitNumber, ADecimalCommaAndSignsBetweenThousands) {
  const NumberStyle points{',', '.'}, bare{',', '\0'}, blanks{',', ' '}, apostrophes{'.', '\''};
  EXPECT_EQ(fitted("1.234,56", points), "1234.56");
  EXPECT_EQ(fitted(" -1.234.567 ", points), "-1234567");
  EXPECT_EQ(fitted("+0,5", points), "0.5");
  EXPECT_EQ(fitted("0,5e-3", bare), "0.5e-3");
  EXPECT_EQ(fitted(",5", bare), ".5");
  EXPECT_EQ(fitted("5,", bare), "5.");
  EXPECT_EQ(fitted("12", points), "=");
  EXPECT_EQ(fitted("-1e5", points), "=");
  EXPECT_EQ(fitted("1\u202f234,5", blanks), "1234.5");
  EXPECT_EQ(fitted("1\u2019234.5", apostrophes), "1234.5");
  for (const char* text : {"1.23", "1234.567", "0.123", "1.234.56", "1,2,3", "12.5", "1.5e3", ",", "-,"})
    EXPECT_NE(fitted(text, points), "=") << text;
  for (const char* text : {"1.23", "1234.567", "0.123", "12.5", "1.234.56"})
    EXPECT_EQ(fitted(text, points), "other") << text;
  for (const char* text : {"", "-", "none", "5 %", "1x", "e5x"})
    EXPECT_EQ(fitted(text, points), "none") << text;
}

TEST(CsvRow, RulesAreAppliedToItsFields) {
  FieldRules rules;
  rules.missing = {"-", "n.a."};
  rules.styles = {{}, {',', '.'}, {}};
  rules.names = {"a", "b", "c"};
  CsvRow row(3, &rules);
  EXPECT_EQ(row.split("1,\"1.234,5\", - "), "");
  EXPECT_EQ(row[0], "1");
  EXPECT_EQ(row[1], "1234.5");
  EXPECT_FALSE(row.in_record(1));
  EXPECT_EQ(row[2], "");
  EXPECT_EQ(row.split("n.a.,word,n.a.x"), "");
  EXPECT_EQ(row[0], "");
  EXPECT_EQ(row[1], "word");
  EXPECT_EQ(row[2], "n.a.x");
  EXPECT_EQ(row.split("1,2.5,3"), "column 'b': '2.5' is no number with a decimal comma");
  EXPECT_EQ(row.split("1,2"), "2 fields instead of 3");
}

}  // namespace
}  // namespace maeil::format
