// One reader for every dialect: the same rows from each, with the lines of the file; what is not clear is
// refused with its readings and the key that decides; numbers and missing values as a file writes them.
#include "table/row_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iconv.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>

#include "base/file.h"
#include "table/csv_table.h"

namespace maeil::table {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const char* kSpec = R"(
name = "loans"
columns = [
  { name = "id", type = "text" },
  { name = "branch", type = "text" },
  { name = "amount", type = "number" },
  { name = "opened", type = "date" },
  { name = "bad", type = "text" },
]
[target]
column = "bad"
negative = "N"
positive = "Y"
)";

DatasetSpec spec_with(const std::string& read = "") {
  return parse_dataset_spec(kSpec + (read.empty() ? "" : "[read]\n" + read), "s.toml").value();
}

std::filesystem::path written(const std::string& bytes) {
  const auto path = std::filesystem::path(testing::TempDir()) / fmt::format("row_file-{}.txt", ::getpid());
  EXPECT_TRUE(write_file_atomically(path, bytes));
  return path;
}

std::string encoded(std::string text, const char* encoding) {
  const iconv_t handle = ::iconv_open(encoding, "UTF-8");
  std::string out(4 * text.size() + 8, '\0');
  char *in = text.data(), *to = out.data();
  size_t left = text.size(), room = out.size();
  EXPECT_NE(::iconv(handle, &in, &left, &to, &room), static_cast<size_t>(-1));
  ::iconv_close(handle);
  out.resize(out.size() - room);
  return out;
}

std::string gzipped(const std::string& text) {
  const auto path = (std::filesystem::path(testing::TempDir()) / fmt::format("gz-{}", ::getpid())).string();
  const gzFile file = ::gzopen(path.c_str(), "wb");
  ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
  return read_file(path).value();
}

struct FileRead {
  std::string rows;  // one a line, its row's number before it
  ReadReport report;
};

Result<FileRead> read_file_of(const std::string& bytes, const DatasetSpec& spec) {
  FileRead out;
  MAEIL_ASSIGN(out.report, read_csv_file(written(bytes), spec, {.target_required = false},
                                         [&](Table&& table, const std::vector<uint64_t>& index) -> Status {
                                           for (size_t i = 0; i < table.rows; ++i) {
                                             out.rows += fmt::format("{}", index[i]);
                                             for (const auto& c : table.columns)
                                               out.rows += "|" + (c.is_missing(i) ? "-"
                                                                  : c.type == ColumnType::kText
                                                                      ? std::string(c.text(i))
                                                                      : fmt::format("{}", c.numbers[i]));
                                             out.rows += '\n';
                                           }
                                           return {};
                                         }));
  return out;
}

std::string refusal(const std::string& bytes, const DatasetSpec& spec) {
  const auto out = read_file_of(bytes, spec);
  EXPECT_TRUE(out || out.error().code == ErrorCode::kBadInput);
  return out ? "accepted" : out.error().message;
}

std::string rows_of(const std::string& bytes, const std::string& said = "") {
  const auto out = read_file_of(bytes, spec_with(said));
  return out ? out->rows : out.error().message;
}

// Four rows that no dialect finds easy: separators, quotes and letters beyond ASCII in them.
std::string book(char separator, const std::string& line_end = "\n", const std::string& before = "") {
  const std::vector<std::vector<std::string>> rows = {{"id", "branch", "amount", "opened", "bad"},
                                                      {"A1", "서울, 강남지점", "12.5", "2024-05-31", "N"},
                                                      {"A2", "부산; 해운대", "-3", "2024-06-01", "Y"},
                                                      {"A3", "대전\t중앙", "", "", "N"},
                                                      {"A4", "say \"so\" 대구", "1e3", "2024-06-03", "N"}};
  std::string out = before;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += separator;
      std::string field = row[i];
      for (size_t q = 0; (q = field.find('"', q)) != std::string::npos; q += 2) field.insert(q, 1, '"');
      out += field.find_first_of(" ,;\t\"") == std::string::npos ? field : '"' + field + '"';
    }
    out += line_end;
  }
  return out;
}

TEST(RowFile, TheSameBookInEveryDialectGivesTheSameRows) {
  const std::string plain = rows_of(book(','));
  EXPECT_EQ(
      plain,
      "0|A1|서울, 강남지점|12.5|2024-05-31|N\n1|A2|부산; 해운대|-3|2024-06-01|Y\n2|A3|대전\t중앙|-|-|N\n"
      "3|A4|say \"so\" 대구|1000|2024-06-03|N\n");
  const std::pair<const char*, std::string> ways[] = {
      {"semicolons", book(';')},
      {"tabs", book('\t')},
      {"bars", book('|')},
      {"CR", book(',', "\r")},
      {"CR LF and semicolons", book(';', "\r\n")},
      {"CP949", encoded(book(','), "CP949")},
      {"CP949 and tabs", encoded(book('\t'), "CP949")},
      {"UTF-16", "\xff\xfe" + encoded(book(';'), "UTF-16LE")},
      {"gzip", gzipped(book(','))},
      {"gzip, CP949 and semicolons", gzipped(encoded(book(';'), "CP949"))},
      {"titles before it", book(',', "\n", "Loans as of June\n\n")},
      {"Excel's line", book(';', "\n", "sep=;\n")},
      {"a note behind it", book(',') + "Total: four loans\n"},
  };
  for (const auto& [name, bytes] : ways) {
    EXPECT_EQ(rows_of(bytes), plain) << name;
    EXPECT_NE(read_file_of(bytes, spec_with())->report.how, "") << name;
  }
  EXPECT_EQ(read_file_of(book(','), spec_with())->report.how, "");
  EXPECT_EQ(read_file_of(book(',', "\r\n", "\xef\xbb\xbf"), spec_with())->report.how, "");
  EXPECT_THAT(read_file_of(gzipped(encoded(book(';'), "CP949")), spec_with())->report.how,
              HasSubstr("CP949 (its letters are Hangul), gzip, separator ';'"));
  EXPECT_THAT(read_file_of(book(',') + "Total: four loans\n", spec_with())->report.remarks,
              testing::ElementsAre("1 record behind the last row is no row; the first is line 6"));
}

TEST(RowFile, RowsThatDoNotFitAreSetAsideUnderTheirLine) {
  const auto out =
      read_file_of(
          "Loans\n\nid;branch;amount;opened;bad\nA1;\"x\ny\";1;;N\nA2;x;1\nA3;x;many;;N\nA4;x;5;;Y\n",
          spec_with())
          .value();
  EXPECT_EQ(out.rows, "0|A1|x\ny|1|-|N\n3|A4|x|5|-|Y\n");
  ASSERT_EQ(out.report.examples.size(), 2u);
  EXPECT_EQ(out.report.examples[0].line, 6u);
  EXPECT_EQ(out.report.examples[0].reason, "3 fields instead of 5");
  EXPECT_EQ(out.report.examples[1].line, 7u);
  EXPECT_THAT(out.report.examples[1].reason, HasSubstr("column 'amount': 'many' is no number"));
}

TEST(RowFile, LinesOfManyChunksAreThoseOfTheFile) {
  std::string text = "id;branch;amount;opened;bad\n";
  for (int i = 0; i < 10000; ++i)
    text += i % 1000 == 7 ? "broken\n" : fmt::format("{};\"a\nb\";{};;N\n", i, i);
  const auto out = read_file_of(text, spec_with()).value();
  EXPECT_EQ(out.report.rows, 10000u);
  ASSERT_EQ(out.report.quarantined, 10u);
  for (size_t k = 0; k < 10; ++k)
    EXPECT_EQ(out.report.examples[k].line, 2 + 2 * (1000 * k + 7) - k) << k;  // a broken row is one line
  EXPECT_THAT(out.rows, HasSubstr("9999|9999|a\nb|9999|-|N\n"));
}

TEST(RowFile, WhatWasSaidIsNotGuessed) {
  const std::string text = "id^branch^amount^opened^bad\nA1^'x^y'^1^^N\n";
  EXPECT_EQ(rows_of(text, "delimiter = '^'\nquote = \"'\""), "0|A1|x^y|1|-|N\n");
  EXPECT_EQ(
      rows_of("t1\nt2\nid,branch,amount,opened,bad\nA,b,1,,N\nend,of,9,,it\n", "preamble = 2\nfootnote = 1"),
      "0|A|b|1|-|N\n");
  EXPECT_EQ(rows_of("A1,x,1,2024-05-31,N\nA2,y,2,,Y\n", "header = 0"),
            "0|A1|x|1|2024-05-31|N\n1|A2|y|2|-|Y\n");
  EXPECT_EQ(rows_of(encoded(book(','), "EUC-KR"), "encoding = 'EUC-KR'"), rows_of(book(',')));
  EXPECT_THAT(rows_of("A1,x,1\n", "header = 0"),
              AllOf(HasSubstr("header = 0"), HasSubstr("3 fields instead of")));
}

TEST(RowFile, WhatIsNotClearIsRefusedWithBothReadingsAndTheKey) {
  const auto open = [](const std::string& bytes) {
    const auto out = RowFile::open(written(bytes), nullptr);
    EXPECT_TRUE(out || out.error().code == ErrorCode::kBadInput);
    return out ? "accepted" : out.error().message;
  };
  EXPECT_THAT(open("first last\nminsu kim\njiwon lee\n"),
              AllOf(HasSubstr("[minsu | kim]"), HasSubstr("[minsu kim]"), HasSubstr("delimiter"),
                    HasSubstr("[read]")));
  EXPECT_THAT(open("name;town\nminsu;seoul\njiwon;busan\n"),
              AllOf(HasSubstr("header = 1 or header = 0"), HasSubstr("[name | town] [minsu | seoul]")));
  EXPECT_THAT(open("id,town\n1,Z\xfcrich\n2,K\xf6ln\n"),
              AllOf(HasSubstr("WINDOWS-1252"), HasSubstr("encoding")));
  EXPECT_THAT(refusal("A1;x;1;2024-05-31;N\nA2;y;2;;Y\n", spec_with()),
              AllOf(HasSubstr("no line of names"), HasSubstr("header = 0")));
  EXPECT_THAT(refusal("A1,x,1,2024-05-31,N\nA2,y,2,,Y\n", spec_with()),
              AllOf(HasSubstr("no line of names"), HasSubstr("header = 0")));
  // The spec's names tell what the file alone does not.
  const auto towns =
      parse_dataset_spec("name = 't'\ncolumns = [ { name = 'town', type = 'text' } ]", "t.toml").value();
  EXPECT_TRUE(RowFile::open(written("name;town\nminsu;seoul\njiwon;busan\n"), &towns));
}

TEST(RowFile, AFewBytesOfAnotherEncodingCostTheirRowsAlone) {
  std::string text = "id,branch,amount,opened,bad\n";
  for (int i = 0; i < 50; ++i) text += fmt::format("A{},지점,1,,N\n", i);
  text += "B,\xb4\xe3\xba\xb8,1,,N\n";
  const auto out = read_file_of(text, spec_with()).value();
  EXPECT_EQ(out.report.quarantined, 1u);
  EXPECT_EQ(out.report.examples.at(0).line, 52u);
  EXPECT_THAT(out.report.examples.at(0).reason, HasSubstr("not UTF-8"));
}

// Values of the column `amount`, in a file with semicolons.
std::string amounts(const std::vector<std::string>& values, const std::string& said = "") {
  std::string text = "id;branch;amount;opened;bad\n";
  for (const auto& value : values) text += "A;b;" + value + ";;N\n";
  const auto out = read_file_of(text, spec_with(said));
  if (!out) return out.error().message;
  if (out->report.quarantined > 0) return out->report.examples.at(0).reason;
  std::string numbers;
  for (size_t at = 0; (at = out->rows.find("|b|", at)) != std::string::npos; ++at)
    numbers += (numbers.empty() ? "" : " ") + out->rows.substr(at + 3, out->rows.find('|', at + 3) - at - 3);
  return numbers;
}

TEST(RowFile, ADecimalCommaIsFoundWhereItCanBeNothingElse) {
  EXPECT_EQ(amounts({"0,5", "1,25", "-3", ""}), "0.5 1.25 -3 -");
  EXPECT_EQ(amounts({"1.234,56", "12.345", "7"}), "1234.56 12345 7");
  EXPECT_EQ(amounts({"1 234,5", "1\u00a0000,25"}), "1234.5 1000.25");
  EXPECT_EQ(amounts({"1'234,5", "0,1"}), "1234.5 0.1");
  EXPECT_EQ(amounts({"1 234", "12 345.5"}), "1234 12345.5");
  EXPECT_EQ(amounts({"0,500", "1,234"}), "0.5 1.234");  // nobody writes thousands behind a zero
  EXPECT_EQ(amounts({"1.5", "2.25"}), "1.5 2.25");
  EXPECT_EQ(amounts({"1.234", "2.345"}), "1.234 2.345");  // no comma anywhere
  EXPECT_THAT(read_file_of("id;branch;amount;opened;bad\nA;b;0,5;;N\n", spec_with())->report.how,
              HasSubstr("numbers with decimal ',' and '.' between thousands in 1 column ('amount')"));
}

TEST(RowFile, NumbersThatCanBeReadInTwoWaysAreRefusedWithBoth) {
  EXPECT_THAT(amounts({"1,234", "5"}), AllOf(HasSubstr("column 'amount': '1,234' is 1234 or 1.234"),
                                             HasSubstr("decimal = \",\" or thousands = \",\" in [read]")));
  EXPECT_EQ(amounts({"1,234", "5"}, "decimal = ','"), "1.234 5");
  EXPECT_EQ(amounts({"1,234", "5"}, "thousands = ','"), "1234 5");
  EXPECT_EQ(amounts({"1.234", "5"}, "decimal = ','"), "1234 5");
  EXPECT_EQ(amounts({"1'234.5", "5"}, "thousands = \"'\""), "1234.5 5");
  EXPECT_EQ(amounts({"1 234", "5"}, "thousands = ' '"), "1234 5");
  // Two ways of writing in one column: what is not of the one that was said is set aside, not read.
  EXPECT_THAT(amounts({"1,5", "2.5"}, "decimal = ','"), HasSubstr("'2.5' is no number with a decimal comma"));
  EXPECT_THAT(amounts({"0,5", "0.5"}),
              HasSubstr("'0,5' is no number: if its decimals stand behind the comma"));
  // Commas separate: nothing is guessed, and what was said counts.
  const std::string quoted = "id,branch,amount,opened,bad\nA,b,\"0,5\",,N\n";
  EXPECT_THAT(read_file_of(quoted, spec_with())->report.examples.at(0).reason, HasSubstr("decimal = \",\""));
  EXPECT_EQ(rows_of(quoted, "decimal = ','"), "0|A|b|0.5|-|N\n");
}

TEST(RowFile, WordsForMissingAreThoseThatWereSaid) {
  std::string text = "id,branch,amount,opened,bad\n";
  for (int i = 0; i < 20; ++i) text += i % 4 == 0 ? "A,-,-,없음,N\n" : "A,b,1,2024-05-31,N\n";
  const auto out = read_file_of(text, spec_with()).value();
  EXPECT_EQ(out.report.quarantined, 5u);
  EXPECT_THAT(
      check_quarantine(out.report, "f.csv").error().message,
      HasSubstr("5 of them have '-' in column 'amount': if it means missing, say missing = [\"-\"] in "
                "[read] of the dataset spec"));
  const auto said = read_file_of(text, spec_with("missing = ['-', '없음']")).value();
  EXPECT_EQ(said.report.quarantined, 0u);
  EXPECT_THAT(said.rows, HasSubstr("4|A|-|-|-|N\n5|A|b|1|2024-05-31|N\n"));
  EXPECT_TRUE(check_quarantine(said.report, "f.csv"));
}

TEST(ReadKeys, MistakesAreNamedWithTheirLine) {
  const auto wrong = [](const std::string& said) {
    const auto out = parse_dataset_spec(kSpec + ("[read]\n" + said), "s.toml");
    EXPECT_TRUE(out || out.error().code == ErrorCode::kBadInput);
    return out ? "accepted" : out.error().message;
  };
  EXPECT_THAT(wrong("delimiter = ';;'"),
              HasSubstr("s.toml:15: delimiter of [read] is one character, or tab"));
  EXPECT_THAT(wrong("delimiter = 'none'"), HasSubstr("delimiter"));
  EXPECT_THAT(wrong("header = -1"), HasSubstr("header of [read] must be 0 to 1000"));
  EXPECT_THAT(wrong("header = 'one'"), HasSubstr("'header' of [read] must be a whole number"));
  EXPECT_THAT(wrong("decimal = ';'"), HasSubstr("decimal of [read]"));
  EXPECT_THAT(wrong("thousands = '.'"), HasSubstr("another character than the decimal one"));
  EXPECT_THAT(wrong("missing = '-'"), HasSubstr("missing of [read] must be a list of texts"));
  EXPECT_THAT(wrong("seperator = ';'"), HasSubstr("[read] has no key 'seperator'"));
  EXPECT_EQ(wrong("encoding = 'CP949'\ndelimiter = 'tab'\nthousands = \"'\"\nmissing = []"), "accepted");
}

}  // namespace
}  // namespace maeil::table
