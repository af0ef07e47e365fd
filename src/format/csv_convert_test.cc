#include "format/csv_convert.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace maeil::format {
namespace {

struct Converted {
  std::string csv;
  Conversion report;
};

Converted convert(const std::string& text, const CsvDialect& dialect, bool any_width = false) {
  Converted out;
  const auto done = to_plain_csv(text, dialect, any_width, [&](std::string_view piece) -> Status {
    out.csv += piece;
    return {};
  });
  EXPECT_TRUE(done);
  if (done) out.report = *done;
  return out;
}

TEST(CsvConvert, NamesOfSeveralRecordsAreJoined) {
  EXPECT_EQ(column_names({{"a", " b "}}, 2), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(column_names({}, 3), (std::vector<std::string>{"col_0", "col_1", "col_2"}));
  EXPECT_EQ(column_names({{"Day", "Travel", "", "Total"}, {"", "Air", "Rail", ""}}, 4),
            (std::vector<std::string>{"Day", "Travel Air", "Travel Rail", "Total"}));
}

TEST(CsvConvert, FieldsAreQuotedWhereTheyMustBe) {
  const CsvDialect dialect{.delimiter = ';', .quote = '\'', .escape = '\'', .fields = 2};
  EXPECT_EQ(convert("a;b\n'x;y';'it''s, \"so\"'\n", dialect).csv, "a,b\nx;y,\"it's, \"\"so\"\"\"\n");
}

TEST(CsvConvert, RecordsOfAnotherWidthAreLeftOutOrKept) {
  const std::string text = "a,b,c\n1,2,3\n4,5\n6,7,8,9\n";
  const CsvDialect dialect{.fields = 3};
  const Converted strict = convert(text, dialect);
  EXPECT_EQ(strict.csv, "a,b,c\n1,2,3\n");
  EXPECT_EQ(strict.report.rows, 1u);
  EXPECT_EQ(strict.report.left_out, 2u);
  ASSERT_EQ(strict.report.examples.size(), 2u);
  EXPECT_EQ(strict.report.examples[0].line, 3u);
  EXPECT_EQ(strict.report.examples[1].what, "4 fields instead of 3: left out");
  const Converted all = convert(text, dialect, true);
  EXPECT_EQ(all.csv, "a,b,c\n1,2,3\n4,5,\n6,7,8,9\n");
  EXPECT_EQ(all.report.padded, 1u);
  EXPECT_EQ(all.report.longer, 1u);
  EXPECT_EQ(all.report.rows, 3u);
}

TEST(CsvConvert, WhatStandsAroundTheTableIsLeftOut) {
  const CsvDialect dialect{.preamble = 2, .header = 1, .footnote = 2, .fields = 2};
  EXPECT_EQ(convert("title\n\na,b\n1,2\n3,4\nnote\nend\n", dialect).csv, "a,b\n1,2\n3,4\n");
  EXPECT_EQ(convert("1,2\n3,4\n", {.header = 0, .fields = 2}).csv, "col_0,col_1\n1,2\n3,4\n");
  EXPECT_EQ(convert("a,b\n", {.fields = 2}).csv, "a,b\n");
}

TEST(CsvConvert, AnEmptyFieldOfOneColumnIsARow) {
  EXPECT_EQ(convert("a\n1\n\"\"\n2\n", {.fields = 1}).csv, "a\n1\n\"\"\n2\n");
}

TEST(CsvConvert, AMendedRecordIsCounted) {
  const Converted done = convert("a,b\n1,\"x\"\n2,\"y\n3,z\n", {.fields = 2});
  EXPECT_EQ(done.csv, "a,b\n1,x\n2,\"\"\"y\"\n3,z\n");
  EXPECT_EQ(done.report.mended, 1u);
  EXPECT_EQ(done.report.examples.at(0).line, 3u);
}

TEST(CsvConvert, ASinkThatFailsEndsIt) {
  const auto done = to_plain_csv("a\n1\n", {.fields = 1}, false,
                                 [](std::string_view) -> Status { return io_error("full"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "full");
}

}  // namespace
}  // namespace maeil::format
