#include "format/csv.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "format/csv_row.h"

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
  EXPECT_EQ(
      read_all("\xef\xbb\xbf"
               "a,b\r\n1,\r\n\r\n\"x\ny\",\"q\"\"q\"\n,\"\"\n담보,z"),
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

TEST(Csv, AQuoteInsideAFieldIsTextAndSwallowsNothing) {
  using Rows = std::vector<std::pair<uint64_t, std::vector<std::string>>>;
  EXPECT_EQ(read_all("5\" pipe,1\na\"b\",2\n\"x,\"\"\n\",3\n"),
            (Rows{{1, {"5\" pipe", "1"}}, {2, {"a\"b\"", "2"}}, {3, {"x,\"\n", "3"}}}));
  EXPECT_EQ(why("\"a\"b,1"), "text after a closing quote");
}

TEST(Csv, TheLastLineNeedsNoEndAndTheLimitIsExact) {
  const std::string fits(kMaxCsvRecord, 'x');
  for (const std::string& bytes : {fits, fits + "\n", fits + "\na\n"}) {
    CsvReader reader(bytes, "f.csv");
    CsvRecord record;
    ASSERT_TRUE(reader.next(record));
    EXPECT_EQ(record.bytes.size(), kMaxCsvRecord);
  }
  CsvRecord record;
  const std::string one_more = fits + "x";
  EXPECT_FALSE(CsvReader(one_more, "f.csv").next(record));
  const std::string quoted = fmt::format("\"{}{}\"\n", fits, fits);
  EXPECT_FALSE(CsvReader(quoted, "f.csv").next(record));
}

TEST(Csv, ARecordOfCommasStopsAtTheFieldLimit) {
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  EXPECT_EQ(split_record(",,,,,", fields, unescaped, 3), "more fields than the header");
  EXPECT_EQ(fields.size(), 3u);
  EXPECT_EQ(split_record(",,", fields, unescaped, 3), "");
}

TEST(CsvRow, IsTheHeadersWidthOrSaysWhyNot) {
  CsvRow row(3);
  const auto fields = [&](std::string_view record) {
    const std::string why = row.split(record);
    if (!why.empty()) return why;
    std::string out;
    for (size_t i = 0; i < row.size(); ++i) out += (i > 0 ? "|" : "") + std::string(row[i]);
    return out;
  };
  EXPECT_EQ(fields("a,,c"), "a||c");
  EXPECT_EQ(fields(",,"), "||");
  EXPECT_EQ(fields(R"("a,1","b ""x""",c)"), R"(a,1|b "x"|c)");
  EXPECT_TRUE(row.in_record(0));
  EXPECT_FALSE(row.in_record(1));
  EXPECT_TRUE(row.in_record(2));
  EXPECT_EQ(fields("d,e,f"), "d|e|f");  // the row before it leaves nothing behind
  EXPECT_TRUE(row.in_record(1));
  EXPECT_EQ(fields("a,b"), "2 fields instead of 3");
  EXPECT_EQ(fields("a,\"b\""), "2 fields instead of 3");
  EXPECT_EQ(fields("a,b,c,d"), "the row has more fields than the header");
  EXPECT_EQ(fields(std::string_view("a,b,\0", 5)), "the row has a NUL byte");
  EXPECT_EQ(fields("a,b,\xff"), "the row has bytes that are not UTF-8");
  EXPECT_EQ(fields("a,\"b\"x,c"), "the row has text after a closing quote");
}

TEST(Csv, MessagesAreCutBetweenCharacters) {
  EXPECT_EQ(clip_utf8("담보", 6), "담보");
  EXPECT_EQ(clip_utf8("담보", 5), "담...");
  EXPECT_EQ(clip_utf8("담보", 2), "...");
}

// Any byte in any place: the reader ends, its records lie in the file, and what it calls readable is UTF-8
// without NUL.
TEST(Csv, DamagedFilesNeverBreakTheReader) {
  const std::string good =
      "\xef\xbb\xbf"
      "a,b,c\r\n1,\"x\"\"y\",담보\n,\"two\nlines\",3\n4,5,6\n";
  const std::string bytes = std::string(
      "\0\"\n,\r\xff\xb4"
      "a",
      8);
  for (size_t i = 0; i < good.size(); ++i) {
    for (char byte : bytes) {
      for (bool cut : {false, true}) {
        std::string text = good;
        text[i] = byte;
        if (cut) text.resize(i + 1);
        CsvReader reader(text, "f.csv");
        CsvRecord record;
        std::vector<std::string_view> fields;
        std::deque<std::string> unescaped;
        uint64_t line = 0;
        for (auto more = reader.next(record); more && *more; more = reader.next(record)) {
          EXPECT_GT(record.line, line);
          line = record.line;
          ASSERT_GE(record.bytes.data(), text.data());
          ASSERT_LE(record.bytes.data() + record.bytes.size(), text.data() + text.size());
          if (!split_record(record.bytes, fields, unescaped).empty()) continue;
          for (auto field : fields) EXPECT_TRUE(is_utf8(field) && field.find('\0') == std::string_view::npos);
        }
      }
    }
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
