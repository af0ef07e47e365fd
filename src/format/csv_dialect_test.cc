#include "format/csv_dialect.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "format/csv_records.h"

namespace maeil::format {
namespace {

using Rows = std::vector<std::vector<std::string>>;

DialectGuess guess(const std::string& text) {
  const auto found = guess_dialect(text, "f.csv");
  EXPECT_TRUE(found) << found.error().message;
  return found ? *found : DialectGuess{};
}

Rows rows_of(const std::string& text, const CsvDialect& dialect) {
  DelimitedReader reader(text, dialect);
  DelimitedRecord record;
  Rows out;
  while (reader.next(record)) out.emplace_back(record.fields.begin(), record.fields.end());
  return out;
}

Rows rows_of(const std::string& text) { return rows_of(text, guess(text).dialect); }

// The same table in another dialect: every field quoted where `quote` says so.
std::string written(const Rows& rows, const std::string& delimiter, char quote, char escape,
                    const std::string& end) {
  std::string out;
  for (const auto& row : rows) {
    for (size_t f = 0; f < row.size(); ++f) {
      if (f > 0) out += delimiter;
      const bool needs = row[f].find_first_of(delimiter + quote + "\r\n") != std::string::npos;
      if (!needs) {
        out += row[f];
        continue;
      }
      out += quote;
      for (const char c : row[f]) {
        if (c == quote || (c == '\\' && escape == '\\')) out += escape;
        out += c;
      }
      out += quote;
    }
    out += end;
  }
  return out;
}

const Rows kLoans = {
    {"loan_id", "opened", "balance", "branch", "note"},
    {"A-1", "2024-01-31", "1200.50", "서울 강남", "late, twice"},
    {"A-2", "2024-02-29", "99.00", "부산", "said \"never\""},
    {"A-3", "2024-03-31", "17", "서울 강남", ""},
    {"A-4", "2024-04-30", "0.5", "대구", "two\nlines; and more"},
    {"A-5", "2024-05-31", "31000", "부산", "it's fine"},
};

TEST(CsvDialect, EveryWayToWriteATableIsFoundAndReadAlike) {
  for (const char* const delimiter : {",", ";", "\t", "|", ":", "^"}) {
    for (const char quote : {'"', '\''}) {
      for (const char* const end : {"\n", "\r\n", "\r"}) {
        for (const bool slash : {false, true}) {
          SCOPED_TRACE(std::string(delimiter) + quote + (slash ? "slash" : "doubled") +
                       std::to_string(std::string(end).size()));
          Rows rows = kLoans;
          const std::string text = written(rows, delimiter, quote, slash ? '\\' : quote, end);
          const DialectGuess found = guess(text);
          EXPECT_EQ(found.dialect.delimiter, delimiter[0]);
          EXPECT_EQ(found.dialect.fields, 5u);
          EXPECT_EQ(found.dialect.header, 1u);
          EXPECT_EQ(rows_of(text, found.dialect), rows) << describe_dialect(found.dialect);
        }
      }
    }
  }
}

TEST(CsvDialect, BlanksBehindSeparatorsBelongToThem) {
  const std::string text = "a, b, c\n1, \"x, y\", 2.5\n3, \"z\", 4.5\n";
  EXPECT_TRUE(guess(text).dialect.trim);
  EXPECT_EQ(rows_of(text), (Rows{{"a", "b", "c"}, {"1", "x, y", "2.5"}, {"3", "z", "4.5"}}));
}

TEST(CsvDialect, DecimalCommasAreNoSeparators) {
  const std::string text =
      "datum;betrag;satz\n31.05.2024;1234,50;3,5\n30.06.2024;99,00;4,25\n31.07.2024;1,75;4,0\n";
  EXPECT_EQ(guess(text).dialect.delimiter, ';');
  EXPECT_EQ(guess(text).dialect.fields, 3u);
}

TEST(CsvDialect, TitlesBeforeAndNotesBehindTheTableAreNoRows) {
  const std::string text =
      "Loans of the branch\nprinted on 2024-06-01\n\nid,opened,balance\n1,2024-01-31,10.5\n2,2024-02-29,11\n"
      "3,2024-03-31,12\nsource: core banking\n";
  const CsvDialect dialect = guess(text).dialect;
  EXPECT_EQ(dialect.preamble, 3u);
  EXPECT_EQ(dialect.header, 1u);
  const std::string padded = "Loans,,\n,,\nid,opened,balance\n1,2024-01-31,10.5\n2,2024-02-29,11\n";
  EXPECT_EQ(guess(padded).dialect.preamble, 2u);
}

TEST(CsvDialect, AHeaderIsToldFromARow) {
  EXPECT_EQ(guess("1,2024-01-31,x\n2,2024-02-29,y\n").dialect.header, 0u);
  EXPECT_EQ(guess("id,day,grade\n1,2024-01-31,x\n2,2024-02-29,y\n").dialect.header, 1u);
  EXPECT_FALSE(guess("id,day,grade\n1,2024-01-31,x\n2,2024-02-29,y\n").header_unclear);
  EXPECT_TRUE(guess("name,town\nkim,seoul\nlee,busan\n").header_unclear) << "all words: nothing tells";
  EXPECT_EQ(guess("seoul,busan\nkim,seoul\nseoul,daegu\n").dialect.header, 0u)
      << "its first word comes again";
}

TEST(CsvDialect, TwoReadingsThatAreAsGoodAreBothNamed) {
  EXPECT_TRUE(guess("first last\nminsu kim\njiwon lee\n").rival) << "one column of names, or two";
  EXPECT_FALSE(guess("1 2.5 3\n4 5.5 6\n").rival);
  EXPECT_FALSE(guess("0.0, 1.5, 2.0\n0.5, 0.0, 1.0\n").rival);
  EXPECT_FALSE(guess(written(kLoans, ";", '"', '"', "\n")).rival);
}

TEST(CsvDialect, AColumnByItselfIsATable) {
  const DialectGuess found = guess("balance\n1.5\n2.5\n3.5\n");
  EXPECT_EQ(found.dialect.fields, 1u);
  EXPECT_EQ(found.dialect.header, 1u);
}

TEST(CsvDialect, WhatIsNoTextIsRefused) {
  EXPECT_FALSE(guess_dialect("", "f.csv"));
  EXPECT_FALSE(guess_dialect("\r\n \n", "f.csv"));
  EXPECT_FALSE(guess_dialect(std::string_view("a,b\0c\n", 6), "f.csv"));
}

CsvDialect three_fields() { return {.fields = 3}; }

TEST(CsvRecords, AQuoteInsideOfTextIsText) {
  EXPECT_EQ(rows_of("1,5\" pipe,x\n2,\"a \"\"b\"\" c\",y\n", three_fields()),
            (Rows{{"1", "5\" pipe", "x"}, {"2", "a \"b\" c", "y"}}));
}

TEST(CsvRecords, AQuoteThatNothingClosesIsMended) {
  DelimitedReader reader("1,\"open,\"a, b\"\n2,\"c, d\",e\n", three_fields());
  DelimitedRecord record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_TRUE(record.stray);
  EXPECT_EQ((std::vector<std::string>(record.fields.begin(), record.fields.end())),
            (std::vector<std::string>{"1", "\"open", "a, b"}));
  ASSERT_TRUE(reader.next(record));
  EXPECT_FALSE(record.stray);
  EXPECT_EQ(record.line, 2u);
  EXPECT_EQ(record.fields[1], "c, d");
  EXPECT_FALSE(reader.next(record));
}

TEST(CsvRecords, AnUnescapedQuoteBeforeTheEndOfAFieldIsText) {
  EXPECT_EQ(rows_of("1,\"24\"\",\"a, b\"\n", three_fields()), (Rows{{"1", "24\"", "a, b"}}));
}

TEST(CsvRecords, AnyCharacterMayEscape) {
  EXPECT_EQ(rows_of("1,\"a ^\"b^\" ^^ c\",x\n", {.escape = '^', .fields = 3}),
            (Rows{{"1", "a \"b\" ^ c", "x"}}));
}

TEST(CsvRecords, LinesAreCountedWhateverEndsThem) {
  const std::string text = "a,b,c\r\r\n1,\"x\ny\",2\n\n3,4,5";
  DelimitedReader reader(text, three_fields());
  DelimitedRecord record;
  std::vector<uint64_t> lines;
  while (reader.next(record)) lines.push_back(record.line);
  EXPECT_EQ(lines, (std::vector<uint64_t>{1, 3, 6}));
}

TEST(CsvRecords, ManyQuotesCostNoMoreThanTheirBytes) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "\"a,b\n";  // none is closed before the next line opens another
  DelimitedReader reader(text, three_fields());
  DelimitedRecord record;
  size_t records = 0;
  while (reader.next(record)) ++records;
  EXPECT_GT(records, 0u);
  std::string closed;
  for (int i = 0; i < 20'000; ++i) closed += "x,\"\n";
  closed += "\",";
  DelimitedReader other(closed, three_fields());
  while (other.next(record)) ++records;
}

TEST(CsvRecords, NothingCrashesOrLoses) {
  // Every short text of these bytes: records end, and every byte that is no quote, separator, blank or line
  // end is in some field.
  const std::string letters = "a\",\n\r\\ ;";
  for (const char escape : {'"', '\\', '\0'}) {
    for (const bool trim : {false, true}) {
      for (int code = 0; code < 8 * 8 * 8 * 8 * 8 * 8; ++code) {
        std::string text;
        for (int i = 0, rest = code; i < 6; ++i, rest /= 8) text += letters[rest % 8];
        DelimitedReader reader(text, {.escape = escape, .trim = trim, .fields = 2});
        DelimitedRecord record;
        std::string kept;
        while (reader.next(record)) {
          for (const auto field : record.fields) kept += field;
        }
        ASSERT_EQ(std::count(kept.begin(), kept.end(), 'a'), std::count(text.begin(), text.end(), 'a'))
            << text;
        ASSERT_EQ(std::count(kept.begin(), kept.end(), ';'), std::count(text.begin(), text.end(), ';'))
            << text;
      }
    }
  }
}

}  // namespace
}  // namespace maeil::format
