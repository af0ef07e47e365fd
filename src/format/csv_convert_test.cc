#include "format/csv_convert.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/delimited_rows.h"

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
  EXPECT_EQ(done.report.stray, 1u);
  EXPECT_EQ(done.report.examples.at(0).line, 3u);
}

Converted convert_guessed(const std::string& text, bool any_width = false) {
  const auto guess = guess_dialect(text, "f.csv");
  EXPECT_TRUE(guess);
  return guess ? convert(text, guess->dialect, any_width) : Converted{};
}

// Found by readers of this code; each lost rows or names and said nothing.
TEST(CsvConvert, AStrayQuoteSwallowsNoRows) {
  EXPECT_EQ(convert_guessed("id,name,n\n1,\"Big\" Joe,5\n2,\"x\",6\n3,\"y\",7\n4,z,8\n5,w,9\n").csv,
            "id,name,n\n1,\"\"\"Big\"\" Joe\",5\n2,x,6\n3,y,7\n4,z,8\n5,w,9\n");
  std::string text = "id,name,n\n";
  for (int i = 0; i < 100; ++i)
    text += std::to_string(i) +
            (i == 5    ? ",\"abc"
             : i == 60 ? ",\"x, y\""
                       : ",plain") +
            "," + std::to_string(i * 7) + "\n";
  EXPECT_EQ(convert_guessed(text).report.rows, 100u);
  EXPECT_EQ(convert_guessed("id,name,n\n1,\"abc,5\n2,\"\",6\n3,\"\",7\n4,x,8\n").csv,
            "id,name,n\n1,\"\"\"abc\",5\n2,,6\n3,,7\n4,x,8\n");
}

// A table with one field spoilt by one quote keeps its rows, and all other fields.
TEST(CsvConvert, OneSpoiltFieldSpoilsNoOther) {
  for (int spoilt = 0; spoilt < 3 * 30; ++spoilt) {
    for (const bool behind : {false, true}) {
      std::string text = "id,name,note\n", wanted = text;
      for (int i = 0; i < 3 * 30; ++i) {
        const std::string fields[] = {std::to_string(i), i % 4 == 0 ? "\"Kim, M\"" : "Lee",
                                      i % 5 == 0 ? "\"\"" : "ok then"};
        const std::string plain[] = {fields[0], fields[1], i % 5 == 0 ? "" : "ok then"};
        const int f = i % 3;
        const bool broken = i == spoilt;
        text += (i % 3 == 0 ? "" : ",") + (broken && !behind ? "\"" : std::string()) + fields[f] +
                (broken && behind ? "\"" : "") + (i % 3 == 2 ? "\n" : "");
        wanted += (i % 3 == 0 ? "" : ",") + (broken ? "?" : plain[f]) + (i % 3 == 2 ? "\n" : "");
      }
      const Converted done = convert(text, {.fields = 3}, true);
      std::string found;
      size_t at = 0, same = 0;
      for (size_t end = done.csv.find('\n'); end != std::string::npos;
           at = end + 1, end = done.csv.find('\n', at)) {
        const std::string line = done.csv.substr(at, end - at + 1);
        same += wanted.find("\n" + line) != std::string::npos || wanted.starts_with(line);
      }
      EXPECT_EQ(done.report.rows, 30u) << spoilt << behind << "\n" << text;
      EXPECT_GE(same, 30u) << spoilt << behind << "\n" << done.csv;
    }
  }
}

TEST(CsvConvert, NamesStandOverTheirColumns) {
  EXPECT_EQ(
      convert_guessed("\"a\",\"b\",\"c\"\n\"1\",21,7,\"x1\"\n\"2\",22,8,\"x2\"\n\"3\",23,9,\"x3\"\n", true)
          .csv,
      ",a,b,c\n1,21,7,x1\n2,22,8,x2\n3,23,9,x3\n");
  EXPECT_TRUE(guess_dialect("a,b,c\n1,2,3,4\n2,3,4,5\n3,4,5,6\n", "f")->names_differ);
  EXPECT_EQ(convert_guessed("a,b,c,\n1,2,3\n4,5,6\n7,8,9\n").csv, "a,b,c\n1,2,3\n4,5,6\n7,8,9\n");
  EXPECT_EQ(column_names({{"id", "name"}, {"id", "name"}}, 2), (std::vector<std::string>{"id", "name"}));
}

TEST(CsvConvert, OnlyWhatIsNoRowIsLeftOutAtTheEnds) {
  EXPECT_EQ(convert_guessed("id,a,b\n1,2,3\n2,3,4\n3,,\n").report.rows, 3u);
  EXPECT_EQ(convert_guessed("1,,\n2,5,6\n3,6,7\n").report.rows, 3u);
  std::string text = "id,a,b\n";
  for (int i = 0; i < 1200; ++i) text += std::to_string(i) + ",2,3\n";
  const Converted total = convert_guessed(text + "Total: 1200\n", true);
  EXPECT_EQ(total.report.rows, 1200u);
  EXPECT_EQ(total.report.notes, 1u);
  EXPECT_EQ(total.report.examples.at(0).line, 1202u);
  EXPECT_EQ(convert(text + std::string("7,\0,3\n", 6), {.fields = 3}).report.left_out, 1u);
}

TEST(CsvConvert, NoQuotesAreNone) {
  const auto guess = guess_dialect("id,note\n1,\"hi\"\n2,x\n", "f", {.quote = '\0'});
  ASSERT_TRUE(guess);
  EXPECT_EQ(convert("id,note\n1,\"hi\"\n2,x\n", guess->dialect).csv, "id,note\n1,\"\"\"hi\"\"\"\n2,x\n");
}

TEST(CsvConvert, ALineOfAnySizeTakesNoMemory) {
  const Converted done = convert("a,b\n1,2\n" + std::string(3 << 20, ',') + "\n3,4\n", {.fields = 2});
  EXPECT_EQ(done.csv, "a,b\n1,2\n3,4\n");
  EXPECT_EQ(done.report.left_out, 1u);
}

TEST(CsvConvert, ASinkThatFailsEndsIt) {
  const auto done = to_plain_csv("a\n1\n", {.fields = 1}, false,
                                 [](std::string_view) -> Status { return io_error("full"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "full");
}

}  // namespace
}  // namespace maeil::format
