#include "format/csv.h"

#include <gtest/gtest.h>

#include <cstring>

namespace maeil::format {
namespace {

std::vector<std::pair<uint64_t, std::vector<std::string>>> read_all(std::string_view bytes) {
  std::vector<std::pair<uint64_t, std::vector<std::string>>> out;
  CsvReader reader(bytes, "f.csv");
  CsvRecord record;
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  while (reader.next(record).value()) {
    EXPECT_EQ(split_record(record.bytes, fields, unescaped), "");
    out.emplace_back(record.line, std::vector<std::string>(fields.begin(), fields.end()));
  }
  return out;
}

std::string why(std::string_view record) {
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  return std::string(split_record(record, fields, unescaped));
}

TEST(Csv, ReadsBomCrlfQuotesAndEmbeddedLines) {
  using Rows = std::vector<std::pair<uint64_t, std::vector<std::string>>>;
  EXPECT_EQ(read_all("\xef\xbb\xbf" "a,b\r\n1,\r\n\r\n\"x\ny\",\"q\"\"q\"\n,\"\"\n담보,z"),
            (Rows{{1, {"a", "b"}}, {2, {"1", ""}}, {4, {"x\ny", "q\"q"}}, {6, {"", ""}}, {7, {"담보", "z"}}}));
  EXPECT_TRUE(read_all("").empty());
}

TEST(Csv, ARecordOfAGigabyteOrAnOpenQuoteEndsTheReading) {
  std::string big = "a,b\n" + std::string(3 * kMaxCsvRecord, 'x');
  CsvReader reader(big, "big.csv");
  CsvRecord record;
  EXPECT_TRUE(reader.next(record).value());
  const auto second = reader.next(record);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("big.csv:2"), std::string::npos);
  CsvReader open("a\n\"b\nc\n", "open.csv");
  EXPECT_TRUE(open.next(record).value());
  EXPECT_NE(open.next(record).error().message.find("open.csv:2"), std::string::npos);
}

TEST(Csv, SaysWhyARecordCannotBeRead) {
  EXPECT_EQ(why(std::string_view("a\0b", 3)), "a NUL byte");
  EXPECT_EQ(why("\xb4\xe3\xba\xb8,1"), "bytes that are not UTF-8");  // CP949
  EXPECT_EQ(why("\"a\"b,1"), "text after a closing quote");
  EXPECT_EQ(why("\xc0\x80"), "bytes that are not UTF-8");
  EXPECT_EQ(why("\xed\xa0\x80"), "bytes that are not UTF-8");
  EXPECT_EQ(why("ok,\xf0\x9f\x98\x80"), "");
}

TEST(Csv, WritesFloatsAsPythonDoes) {
  const std::pair<double, const char*> cases[] = {
      {5, "5.0"}, {202312, "202312.0"}, {-0.0, "-0.0"}, {0.1, "0.1"}, {1e-5, "1e-05"}, {1.5e-5, "1.5e-05"}, {1e16, "1e+16"},
      {9999999999999998.0, "9999999999999998.0"}, {1e-4, "0.0001"}, {1.0 / 3, "0.3333333333333333"}, {1e22, "1e+22"},
      {5e-324, "5e-324"}, {1.7976931348623157e308, "1.7976931348623157e+308"}, {123456789.125, "123456789.125"},
      {0.00012345, "0.00012345"}, {-2.5e-7, "-2.5e-07"}, {1e15, "1000000000000000.0"}, {1e100, "1e+100"}, {4.35, "4.35"}};
  for (const auto& [value, text] : cases) {
    std::string out;
    append_float(out, value);
    EXPECT_EQ(out, text);
  }
}

TEST(Csv, QuotesOnlyWhereNeeded) {
  std::string out;
  for (const char* field : {"a", "a,b", "say \"hi\"", "two\nlines"}) {
    append_csv_text(out, field);
    out += '|';
  }
  EXPECT_EQ(out, "a|\"a,b\"|\"say \"\"hi\"\"\"|\"two\nlines\"|");
}

}  // namespace
}  // namespace maeil::format
