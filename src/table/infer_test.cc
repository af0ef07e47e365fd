// What columns of a file are taken for, which guesses are said, and which files are refused; and what every
// command reads as a number.
#include "table/infer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "base/file.h"
#include "table/csv_table.h"
#include "table/field_values.h"

namespace maeil::table {
namespace {

using testing::HasSubstr;

// Of this process alone: others run beside it.
struct OwnFolder {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / fmt::format("infer-{}", ::getpid());
  ~OwnFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

Result<InferredColumns> infer(const std::string& csv, const DatasetSpec* known = nullptr) {
  static const OwnFolder folder;
  const auto path = folder.path / "infer.csv";
  EXPECT_TRUE(write_file_atomically(path, csv));
  return infer_columns(path, known, "");
}

// A column's text, one value a line, beside another column.
Result<InferredColumns> infer_values(const std::vector<std::string>& values) {
  std::string csv = "x,other\n";
  for (const auto& value : values)
    csv += (value.find(',') == std::string::npos ? value : "\"" + value + "\"") + ",a\n";
  return infer(csv);
}

std::string notes(const Result<InferredColumns>& found) {
  return found ? fmt::format("{}", fmt::join(found->notes, "\n")) : found.error().message;
}
SpecType type(const Result<InferredColumns>& found) { return found.value().spec.columns.at(0).type; }

TEST(ReadNumber, BlanksAreLeftAsideAsPandasDoes) {
  for (const auto& [text, value] :
       {std::pair{" 5", 5.0}, {"5 ", 5}, {"\t5.5\t", 5.5}, {" +5", 5}, {"-.5", -0.5}})
    EXPECT_EQ(read_number(text), value) << text;
  for (const char* text : {"", " ", "- 5", "-", "1_000", "0x10", "1e", "1,234", "4,41", "inf", "nan", "?"})
    EXPECT_FALSE(read_number(text)) << text;
}

TEST(LosesDigits, LeadingZerosAndWholeNumbersBeyond2To53) {
  for (const char* text : {" 007", "-007", "+00", "00.5", "9007199254740993", "-9007199254740993",
                           "9007199254740994", "12345678901234567890", "9,007,199,254,740,993"})
    EXPECT_TRUE(loses_digits(text)) << text;
  for (const char* text : {"0", "-0", "0.5", "7", "9007199254740991", "9007199254740992", "-9007199254740992",
                           "9,007,199,254,740,992", "1e300", "9007199254740993.5", "", "NA", "007x"})
    EXPECT_EQ(loses_digits(text), std::string_view(text) == "007x") << text;
}

TEST(ReadNumber, CommasBetweenThousands) {
  for (const auto& [text, value] :
       {std::pair{"1,234", 1234.0}, {"-1,234,000.5", -1234000.5}, {" 12,345 ", 12345}})
    EXPECT_EQ(read_grouped_number(text), value) << text;
  for (const char* text : {"1234", "1,23", "1234,567", ",123", "1,234,56", "1,234.5.6", "1.234,567",
                           "1,234e5", "", "0,123", "-0,123,456", "012,345"})
    EXPECT_FALSE(read_grouped_number(text)) << text;
  EXPECT_TRUE(is_surely_grouped("1,234,000"));
  EXPECT_TRUE(is_surely_grouped("1,234.5"));
  EXPECT_FALSE(is_surely_grouped("1,234"));
  for (const char* text : {"4,41", "1,234", "1.234,5", "-0,5", "1.234.567"})
    EXPECT_TRUE(has_decimal_comma(text)) << text;
  for (const char* text : {"1,234,000", "1.234", "4,", "1.23,4", "4.41", "5", "a,5"})
    EXPECT_FALSE(has_decimal_comma(text)) << text;
}

TEST(InferColumns, AmountsWithThousandsAreNumbers) {
  const auto found = infer_values({"1,234,000", "263,000", "750", "NULL"});
  EXPECT_EQ(type(found), SpecType::kNumber);
  EXPECT_TRUE(found->spec.columns[0].thousands);
  EXPECT_EQ(found->formats[0], NumberFormat::kInteger);
  EXPECT_THAT(notes(found),
              HasSubstr("column 'x' is a number: the commas in '1,234,000' separate thousands"));
}

TEST(InferColumns, NumbersWithOneCommaAreRefused) {
  for (const std::vector<std::string>& values :
       {std::vector<std::string>{"1,234", "5"}, {"4,41", "5,00"}, {"1.234,5"}, {"1.234.567"}}) {
    const auto found = infer_values(values);
    ASSERT_FALSE(found) << values[0];
    EXPECT_EQ(found.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(notes(found),
                testing::AllOf(HasSubstr("column 'x'"), HasSubstr(values[0]), HasSubstr("comma")));
  }
}

TEST(InferColumns, StrayWordsAmongNumbersAndDatesAreRefused) {
  const auto refused = [](const std::vector<std::string>& values) {
    const auto found = infer_values(values);
    EXPECT_TRUE(found || found.error().code == ErrorCode::kBadInput);
    return found ? "accepted" : found.error().message;
  };
  EXPECT_THAT(refused({"100", "200", "-", "300"}),
              testing::AllOf(HasSubstr("infer.csv: column 'x': 1 of its 4 values are no numbers ('-')"),
                             HasSubstr("--spec"), HasSubstr("type = \"number\"")));
  EXPECT_THAT(refused({"1", "2", "3", "4", "5", "a", "b", "c", "d"}),
              testing::ContainsRegex("4 of its 9 values are no numbers \\('a', '.', '.', \\.\\.\\.\\)"));
  EXPECT_THAT(refused({"5 %", "6", "7"}), HasSubstr("'5 %'"));
  EXPECT_THAT(
      refused({"2024-05-31", "2024-06-01", "soon"}),
      testing::AllOf(HasSubstr("1 of its 3 values are no dates ('soon')"), HasSubstr("type = \"date\"")));
  for (const std::vector<std::string>& values :
       {std::vector<std::string>{"05/06/2024", "07/06/2024"}, {"05/06/2024", "07/06/2024", "unknown"}})
    EXPECT_THAT(refused(values), HasSubstr("column 'x': '05/06/2024' is 2024-06-05 or 2024-05-06"));
  EXPECT_EQ(refused({"1", "2", "a", "b", "c"}), "accepted");
  EXPECT_EQ(refused({"00123", "K1A", "00124"}), "accepted");
}

TEST(InferColumns, TextsThatLookLikeNumbersAreSaid) {
  EXPECT_THAT(notes(infer_values({"1 234", "5 678"})),
              HasSubstr("is text, whose values are learned as labels and not as numbers: numbers are digits "
                        "with a decimal point, and '1 234' has more"));
  EXPECT_THAT(notes(infer_values({"5 %", "7 %"})), HasSubstr("'5 %'"));
  EXPECT_THAT(notes(infer_values({"007", "008"})), HasSubstr("'007' would lose digits"));
  EXPECT_EQ(notes(infer_values({"a", "b", "1"})), "");
  EXPECT_EQ(notes(infer_values({"010-1234-5678", "A-7"})), "");
  const auto blank = infer_values({" 5", "6 ", "7"});
  EXPECT_EQ(type(blank), SpecType::kNumber);
  EXPECT_EQ(notes(blank), "");
}

TEST(InferColumns, WhatADoubleCannotKeepIsText) {
  // 2^53 is the last that is a number; one value beyond it, or with leading zeros, makes the column text, and
  // that is said.
  EXPECT_EQ(type(infer_values({"9007199254740991", "-9007199254740992", "NA"})), SpecType::kNumber);
  for (const char* code : {"9007199254740993", "-9007199254740993", "0042", "9,007,199,254,740,993"}) {
    const auto found = infer_values({"1", code, "1,234,567", "NA"});
    EXPECT_EQ(type(found), SpecType::kText) << code;
    EXPECT_THAT(notes(found), HasSubstr(fmt::format("column 'x' is text: '{}' would lose digits", code)));
    EXPECT_THAT(notes(found), HasSubstr("its 'NA' (1 row) is a value like others"));
  }
}

TEST(InferColumns, NaIsMissingAmongNumbersAndAWordAmongTexts) {
  const auto numbers = infer_values({"1", "NA", "2.5", "NA"});
  EXPECT_EQ(type(numbers), SpecType::kNumber);
  EXPECT_EQ(numbers->values[0].texts().size(), 2u);
  EXPECT_EQ(notes(numbers), "");
  EXPECT_EQ(type(infer_values({"2024-05-31", "NA"})), SpecType::kDate);
  const auto countries = infer_values({"KR", "NA", "DE"});  // Namibia
  EXPECT_EQ(type(countries), SpecType::kText);
  EXPECT_THAT(notes(countries), HasSubstr("its 'NA' (1 row) is a value like others"));
  EXPECT_THAT(notes(infer_values({"na", "1"})),
              HasSubstr("values are no numbers ('na')"));  // no word of pandas'
  const auto nothing = infer_values({"NA", "NA", ""});
  EXPECT_EQ(type(nothing), SpecType::kText);
  EXPECT_THAT(notes(nothing), HasSubstr("its 'NA' (2 rows) is a value like others"));
}

TEST(InferColumns, DaysWrittenAsNumbersAreDates) {
  const auto found = infer_values({"20240320", "19990101", "", "99991231"});
  EXPECT_EQ(type(found), SpecType::kDate);
  EXPECT_EQ(found->spec.columns[0].format->text(), "%Y%m%d");
  EXPECT_THAT(notes(found), HasSubstr("holds days"));
  EXPECT_EQ(type(infer_values({"20240320.0", "19990101.0"})), SpecType::kDate);
  EXPECT_EQ(type(infer_values({"20240320", "20249999"})), SpecType::kNumber);
  EXPECT_THAT(notes(infer_values({"20240320", "20240321", "0"})), HasSubstr("'0' is none"));
  EXPECT_EQ(type(infer_values({"15000101", "15000102"})), SpecType::kNumber);
}

TEST(InferColumns, DatesGetTheirFormat) {
  const auto format = [](const std::vector<std::string>& values) {
    const auto found = infer_values(values);
    EXPECT_EQ(type(found), SpecType::kDate);
    return found->spec.columns[0].format ? found->spec.columns[0].format->text() : "";
  };
  EXPECT_EQ(format({"2024-05-31", "2024-06-01"}), "%Y-%m-%d");
  EXPECT_EQ(format({"31MAY2024", "01jun2024"}), "%d%b%Y");
  EXPECT_EQ(format({"2024-05-31T10:00:00", "2024-06-01T10:00:01"}), "%Y-%m-%dT%H:%M:%S");
  EXPECT_EQ(format({"2024-05-31", "2024/06/01"}), "");
  EXPECT_THAT(notes(infer_values({"05/06/2024", "07/06/2024"})),
              HasSubstr("'05/06/2024' is 2024-06-05 or 2024-05-06"));
}

TEST(InferColumns, TheIndexOfPandasIsLeftOut) {
  for (const char* name : {"", "Unnamed: 0"}) {
    for (const int first : {0, 1}) {
      std::string csv = std::string(name) + ",x\n";
      for (int i = 0; i < 5000; ++i) csv += fmt::format("{},{}\n", i + first, i % 7);  // more than a chunk
      const auto found = infer(csv);
      ASSERT_EQ(found.value().spec.columns.size(), 1u);
      EXPECT_EQ(found->spec.columns[0].name, "x");
      EXPECT_EQ(found->formats.size(), 1u);
      EXPECT_THAT(notes(found), HasSubstr("left out"));
    }
  }
  EXPECT_EQ(infer(",x\n5,1\n7,2\n")->spec.columns.size(), 2u);
}

TEST(InferColumns, WordsForMissingInTextsAreSaid) {
  const auto found = infer_values({"a", "NULL", "b", "NULL"});
  EXPECT_EQ(type(found), SpecType::kText);
  EXPECT_THAT(notes(found), HasSubstr("column 'x' is text, where only an empty field is missing: its 'NULL' "
                                      "(2 rows) is a value like others"));
}

TEST(CsvHeader, WhatIsNoHeaderIsRefusedInASentence) {
  const auto refusal = [](const std::string& csv) {
    const auto found = infer(csv);
    EXPECT_TRUE(found || found.error().code == ErrorCode::kBadInput);
    return found ? "accepted" : found.error().message;
  };
  EXPECT_THAT(refusal(std::string("a,b\0c\n1,2\n", 10)), HasSubstr("NUL"));
  EXPECT_THAT(refusal("a,a\n1,2\n"), HasSubstr("twice"));
  EXPECT_THAT(refusal("a;a\n1;2\n"), HasSubstr("twice"));
  EXPECT_EQ(refusal("\"a;b\",c\nx,y\n"), "accepted");
  EXPECT_EQ(refusal("a,b\r\n1,x;y\r\n2,z\r\n"), "accepted");
}

// Dates and numbers of a spec, as every command reads them.
struct ReadRows {
  ReadReport report;
  Table rows;
};
ReadRows read(const std::string& columns, const std::string& csv) {
  const auto spec = parse_dataset_spec("name = \"s\"\ncolumns = [\n" + columns + "]\n", "s.toml");
  EXPECT_TRUE(spec) << spec.error().message;
  ReadRows out;
  const auto report =
      read_csv(csv, "f.csv", *spec, {}, [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
        out.rows = std::move(chunk);
        return {};
      });
  EXPECT_TRUE(report) << report.error().message;
  out.report = *report;
  return out;
}

TEST(ReadCsv, WordsForMissingAreMissingInNumbersAndDates) {
  const auto out = read(
      "{ name = \"n\", type = \"number\" }, { name = \"d\", type = \"date\" }, { name = \"t\", type = "
      "\"text\" }",
      "n,d,t\nNULL,NaN,NULL\nNA,n/a,NA\n 5,20240531, 5\n,,\n<NA>,None,None\n");
  EXPECT_EQ(out.report.quarantined, 0u);
  ASSERT_EQ(out.rows.rows, 5u);
  for (const size_t row : {0u, 1u, 3u, 4u})
    EXPECT_TRUE(std::isnan(out.rows.columns[0].numbers[row]) && out.rows.columns[1].is_missing(row)) << row;
  EXPECT_EQ(out.rows.columns[0].numbers[2], 5);
  EXPECT_EQ(out.rows.columns[2].dictionary, (std::vector<std::string>{"NULL", "NA", " 5", "None"}));
  EXPECT_TRUE(check_read(out.report, "f.csv"));
}

TEST(ReadCsv, DatesThatCannotBeReadAreCounted) {
  const auto out =
      read("{ name = \"d\", type = \"date\" }, { name = \"e\", type = \"date\", format = \"%d/%m/%Y\" }",
           "d,e\n2024-05-31,31/05/2024\nsoon,05/06/2024\nsoon,\n05/06/2024,2024-05-31\n31DEC9999,\n");
  ASSERT_EQ(out.report.dates.size(), 2u);
  EXPECT_EQ(out.report.dates[0].unreadable, 3u);
  EXPECT_EQ(out.report.dates[0].line, 3u);
  EXPECT_EQ(out.report.dates[1].unreadable, 1u);
  EXPECT_TRUE(check_read(out.report, "f.csv"));
  const auto said = describe_unreadable(out.report, "f.csv");
  ASSERT_EQ(said.size(), 2u);
  EXPECT_THAT(said[0], testing::AllOf(HasSubstr("column 'd': 3 texts"), HasSubstr("line 3: 'soon'")));
  EXPECT_THAT(said[1],
              testing::AllOf(HasSubstr("column 'e': 1 text "), HasSubstr("line 5"), HasSubstr("'%d/%m/%Y'")));
}

TEST(ReadCsv, AColumnOfDatesThatCannotBeReadIsRefused) {
  std::string csv = "d\n";
  for (int i = 0; i < 5000; ++i) csv += fmt::format("0{}/06/2024\n", i % 9 + 1);
  const auto out = read("{ name = \"d\", type = \"date\" }", csv);
  const auto checked = check_read(out.report, "f.csv");
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(checked.error().message,
              testing::AllOf(HasSubstr("column 'd': none of its 5000 dates can be read; the first is line 2: "
                                       "'01/06/2024' is 2024-06-01 or 2024-01-06"),
                             HasSubstr("format")));
  EXPECT_TRUE(check_read(read("{ name = \"d\", type = \"date\" }", "d,x\n,1\nNA,2\n").report,
                         "f.csv"));  // missing is no date that cannot be read
}

TEST(ReadCsv, ThousandsWhereTheSpecSaysSo) {
  const auto out =
      read("{ name = \"n\", type = \"number\", thousands = \",\" }, { name = \"m\", type = \"number\" }",
           "n,m\n\"263,000\",1\n750,2\n1,\"263,000\"\n\"1,2\",4\n");
  EXPECT_EQ(out.rows.columns[0].numbers, (std::vector<double>{263000, 750}));
  ASSERT_EQ(out.report.quarantined, 2u);
  EXPECT_EQ(out.report.examples[0].reason,
            "column 'm': '263,000' is no number: if its commas separate thousands, the dataset spec says so "
            "with thousands = \",\"");
  EXPECT_EQ(out.report.examples[1].reason,
            "column 'n': '1,2' is no number: if its decimals stand behind the comma, "
            "say decimal = \",\" in [read] of the dataset spec");
}

TEST(DatasetSpec, FormatAndThousandsBelongToTheirTypes) {
  const auto message = [](const std::string& column) {
    const auto spec =
        parse_dataset_spec("name = \"s\"\ncolumns = [ { name = \"a\", " + column + " } ]\n", "s.toml");
    return spec ? "accepted" : spec.error().message;
  };
  EXPECT_EQ(message("type = \"date\", format = \"%Y%m%d\""), "accepted");
  EXPECT_THAT(message("type = \"date\", format = \"%Q\""),
              testing::AllOf(HasSubstr("s.toml:2: column 'a'"), HasSubstr("directive")));
  EXPECT_THAT(message("type = \"date\", format = \"%H:%M\""), HasSubstr("no year"));
  EXPECT_THAT(message("type = \"text\", format = \"%Y\""), HasSubstr("type = \"date\""));
  EXPECT_THAT(message("type = \"number\", thousands = \".\""), HasSubstr("thousands"));
  EXPECT_THAT(message("type = \"text\", thousands = \",\""), HasSubstr("thousands"));
  const auto ordered = parse_dataset_spec(
      "name = \"s\"\ncolumns = [ { name = \"a\", type = \"date\", format = \"%d/%m/%Y\" }, { name = \"b\", "
      "type = \"date\" } ]\n"
      "[[constraints]]\nkind = \"order\"\ncolumns = [\"a\", \"b\"]\n",
      "s.toml");
  ASSERT_FALSE(ordered);
  EXPECT_THAT(ordered.error().message, HasSubstr("'%d/%m/%Y'"));
}

}  // namespace
}  // namespace maeil::table
