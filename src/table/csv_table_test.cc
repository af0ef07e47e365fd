// Tables from CSV: types, quarantine, hostile files; writing gives the same bytes back.
#include "table/csv_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/test_data.h"
#include "base/threads.h"
#include "format/csv.h"
#include "format/number_text.h"
#include "table/csv_header.h"
#include "table/test_small_spec.h"

namespace maeil::table {
namespace {

struct Read {
  ReadReport report;
  std::vector<Table> chunks;
  std::vector<uint64_t> rows;
};

Result<Read> read(std::string_view csv, ReadOptions options = {}) {
  const auto spec = parse_dataset_spec(kSmall, "small.toml").value();
  Read out;
  auto report =
      read_csv(csv, "f.csv", spec, options, [&](Table&& chunk, const std::vector<uint64_t>& rows) -> Status {
        out.chunks.push_back(std::move(chunk));
        out.rows.insert(out.rows.end(), rows.begin(), rows.end());
        return {};
      });
  if (!report) return tl::make_unexpected(report.error());
  out.report = *report;
  return out;
}

std::string refusal(std::string_view csv) {
  const auto out = read(csv);
  return out ? "accepted" : out.error().message;
}

TEST(ReadCsv, TypesComeFromTheSpec) {
  const auto out = read("id,code,amount,bad\n1,8,5.0,N\n2,8.0,,Y\n3,NA,-0.0,N\n4,,1e3,\n").value();
  const Table& t = out.chunks.at(0);
  ASSERT_EQ(t.rows, 4u);
  EXPECT_EQ(t.find("code")->dictionary, (std::vector<std::string>{"8", "8.0", "NA"}));
  EXPECT_TRUE(t.find("code")->is_missing(3));
  EXPECT_TRUE(t.find("amount")->is_missing(1));
  EXPECT_EQ(t.find("amount")->numbers[3], 1000);
  EXPECT_TRUE(t.find("extra")->is_missing(0));
  EXPECT_TRUE(t.find("bad")->is_missing(3));
}

TEST(ReadCsv, QuarantinesWithLineAndReason) {
  const auto out =
      read("id,code,amount,bad\n1,a,x,N\n2,a,1\n3,a,?,N\n4,a,inf,N\n5,\xff,1,N\n6,a,1,maybe\n7,ok,1,Y\n")
          .value();
  EXPECT_EQ(out.report.rows, 7u);
  EXPECT_EQ(out.report.quarantined, 6u);
  EXPECT_EQ(out.rows, (std::vector<uint64_t>{6}));
  EXPECT_EQ(out.chunks[0].find("code")->text(0), "ok");
  EXPECT_EQ(out.report.examples[0].line, 2u);
  EXPECT_EQ(out.report.examples[0].reason, "column 'amount': 'x' is no number");
  EXPECT_EQ(out.report.examples[1].reason, "3 fields instead of 4");
  EXPECT_EQ(out.report.examples[5].reason,
            "column 'bad': 'maybe' is neither 'Y', which is positive, nor 'N'");
  const auto check = check_quarantine(out.report, "f.csv");
  ASSERT_FALSE(check);
  EXPECT_NE(check.error().message.find("line 2"), std::string::npos);
}

TEST(ReadCsv, FivePercentIsTheLimit) {
  ReadReport report;
  report.rows = 100;
  report.quarantined = 5;
  report.examples = {{2, "x"}};
  EXPECT_TRUE(check_quarantine(report, "f.csv"));
  report.quarantined = 6;
  EXPECT_FALSE(check_quarantine(report, "f.csv"));
  EXPECT_FALSE(check_quarantine(ReadReport{}, "f.csv"));
}

TEST(ReadCsv, HeadersAreChecked) {
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("id,code,bad\n").find("'amount'"), std::string::npos);
  EXPECT_NE(refusal("id,code,code,amount,bad\n").find("twice"), std::string::npos);
  EXPECT_NE(refusal("id,code,amount\n1,a,1\n").find("'bad'"), std::string::npos);
  EXPECT_TRUE(read("id,code,amount\n1,a,1\n", {.target_required = false}));
  EXPECT_EQ(read("id,code,amount,bad,more\n1,a,1,N,z\n")->report.ignored_columns,
            (std::vector<std::string>{"more"}));
}

TEST(ReadCsv, ValuesOfQuarantinedRowsLeaveNoTrace) {
  const auto out = read("id,code,amount,bad\n1,gone,x,N\n2,b,1,N\n3,gone too,1\n4,a,2,Y\n5,b,3,N\n").value();
  const Column& code = *out.chunks.at(0).find("code");
  EXPECT_EQ(code.dictionary, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(code.codes, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(out.chunks[0].find("amount")->numbers, (std::vector<double>{1, 2, 3}));
}

TEST(ReadCsv, ReasonsStayUtf8) {
  std::string text = "x";
  for (int i = 0; i < 30; ++i) text += "담";
  const auto out = read("id,code,amount,bad\n1,a," + text + ",N\n").value();
  EXPECT_TRUE(format::is_utf8(out.report.examples.at(0).reason));
}

TEST(ReadCsv, NumbersAreFiniteAndNothingElse) {
  for (const char* no : {"inf", "-Infinity", "1e999", " ", "- 1", "1,5", "+-1", "+", "-", "0x10", "1_000",
                         "\"\"\"\"", "1e", "."}) {
    std::string field = no;
    if (field.find(',') != std::string::npos) field = fmt::format("\"{}\"", no);
    const auto out = read("id,code,amount,bad\n1,a," + field + ",N\n");
    ASSERT_TRUE(out) << no;
    EXPECT_EQ(out->report.quarantined, 1u) << no;
  }
  for (const auto& [yes, value] : {std::pair{"+1", 1.0},
                                   {"-0.0", 0.0},
                                   {"1e-05", 1e-5},
                                   {"1E3", 1000},
                                   {".5", 0.5},
                                   {"5.", 5},
                                   {"\"7\"", 7},
                                   {" 8", 8},
                                   {"9 ", 9}}) {
    const auto out = read(std::string("id,code,amount,bad\n1,a,") + yes + ",N\n").value();
    ASSERT_EQ(out.report.quarantined, 0u) << yes;
    EXPECT_EQ(out.chunks.at(0).find("amount")->numbers.at(0), value) << yes;
  }
}

TEST(ReadCsv, HostileFilesAreRefusedInOneSentence) {
  EXPECT_NE(refusal(std::string("\xff\xfei\0d\0", 6)).find("NUL"), std::string::npos);
  EXPECT_NE(refusal("id,code,amount,bad\n1,\"a,1,N\n2,b,1,N\n").find("f.csv:2"), std::string::npos);
  EXPECT_NE(refusal(std::string("id,co\0de,amount,bad\n", 20)).find("NUL"), std::string::npos);
  EXPECT_NE(refusal("id,code,amount,bad\n" + std::string(format::kMaxCsvRecord + 5, 'x')).find("f.csv:2"),
            std::string::npos);
  std::string wide = "id,code,amount,bad";
  for (size_t i = 0; i < kMaxCsvColumns; ++i) wide += ",c" + std::to_string(i);
  EXPECT_NE(refusal(wide + "\n").find("4096 columns"), std::string::npos);
  const auto commas = read("id,code,amount,bad\n" + std::string(500000, ',') + "\n1,a,1,N\n").value();
  EXPECT_EQ(commas.report.examples.at(0).reason, "the row has more fields than the header");
  const auto none = read("id,code,amount,bad\n").value();
  EXPECT_TRUE(none.chunks.empty());
  EXPECT_FALSE(check_quarantine(none.report, "f.csv"));
}

TEST(ReadCsv, ALineOfAGigabyteCostsNothing) {
  const auto folder = std::filesystem::temp_directory_path() / ("maeil_csv_" + std::to_string(::getpid()));
  const auto path = folder / "big.csv";
  ASSERT_TRUE(write_file_atomically(path, "id,code,amount,bad\n1,a,1,N\n"));
  std::filesystem::resize_file(path, uint64_t{1} << 30);  // sparse: NUL bytes without a line end
  const auto spec = parse_dataset_spec(kSmall, "small.toml").value();
  const auto report =
      read_csv_file(path, spec, {}, [](Table&&, const std::vector<uint64_t>&) -> Status { return {}; });
  std::filesystem::remove_all(folder);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("big.csv:3"), std::string::npos) << report.error().message;
}

TEST(ReadCsv, TheSinksErrorEndsTheReading) {
  const auto spec = parse_dataset_spec(kSmall, "small.toml").value();
  const auto report =
      read_csv("id,code,amount,bad\n1,a,1,N\n", "f.csv", spec, {},
               [](Table&&, const std::vector<uint64_t>&) -> Status { return io_error("disk full"); });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kIo);
}

TEST(ReadCsv, ManyChunksOnAnyThreads) {
  std::string csv = "id,code,amount,bad\n";
  for (int i = 0; i < 20000; ++i)
    csv += std::to_string(i) + ",c" + std::to_string(i % 7) + "," + std::to_string(i) + ",N\n";
  for (int threads : {1, 3}) {
    set_thread_count(threads);
    const auto out = read(csv).value();
    EXPECT_EQ(out.chunks.size(), 20000 / kChunkRows + 1);
    EXPECT_EQ(out.rows.back(), 19999u);
    EXPECT_EQ(out.chunks.back().find("amount")->numbers.back(), 19999);
  }
  set_thread_count(0);
}

TEST(CsvFormatGolden, RealRowsComeBackByteForByte) {
  MAEIL_NEEDS(golden_dir());
  const auto path = golden_dir() / "sdv_sample_2000.csv";
  const auto original = read_file(path).value();
  const auto spec = builtin_dataset_spec().value();
  format::TextBuffer text;
  std::unique_ptr<CsvFormat> csv;
  const auto report =
      read_csv(original, "golden", spec, {}, [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
        // not in the file
        std::erase_if(chunk.columns, [](const Column& c) { return c.name == "spcl_corp_new_mk"; });
        if (!csv) {
          std::vector<std::string> names;
          std::vector<NumberFormat> formats;
          for (const auto& column : chunk.columns) {
            names.push_back(column.name);
            const bool integer = column.name == "CLLTRL_LIQUID_BS_AMT" ||
                                 (column.name.starts_with("AF_") && !column.name.ends_with("SUM") &&
                                  !column.name.ends_with("RATIO") && !column.name.starts_with("AF_KIFRS"));
            formats.push_back(integer ? NumberFormat::kInteger : NumberFormat::kFloat);
          }
          csv = std::make_unique<CsvFormat>(names, formats);
          text.append(csv->header());
        }
        csv->append_rows(chunk, text);
        return {};
      });
  const std::string_view written = text.view();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->quarantined, 0u);
  // Numbers are the only thing that is made anew; compare line by line so that a failure is readable.
  size_t at = 0, line = 1;
  while (at < original.size() && at < written.size() && original[at] == written[at])
    line += original[at++] == '\n';
  EXPECT_EQ(at, original.size()) << "line " << line << ": " << original.substr(at > 30 ? at - 30 : 0, 80)
                                 << " | " << written.substr(at > 30 ? at - 30 : 0, 80);
}

TEST(CsvFormat, QuotesMissingAndLongTexts) {
  Table table;
  table.rows = 5000;
  const std::string longest(100, 'L');
  table.columns = {{.name = "t, quoted",
                    .type = ColumnType::kText,
                    .codes = {},
                    .dictionary = {"a", "b,\"c\"", longest},
                    .numbers = {}},
                   {.name = "x", .type = ColumnType::kNumber, .codes = {}, .dictionary = {}, .numbers = {}},
                   {.name = "n", .type = ColumnType::kNumber, .codes = {}, .dictionary = {}, .numbers = {}}};
  std::string expected = "\xef\xbb\xbf\"t, quoted\",x,n\n";
  for (size_t i = 0; i < table.rows; ++i) {
    table.columns[0].codes.push_back(i % 4 == 3 ? kMissing : i % 4);
    table.columns[1].numbers.push_back(static_cast<double>(i) / 7);
    table.columns[2].numbers.push_back(i % 5 == 0 ? std::nan("") : static_cast<double>(i) - 3);
    expected += i % 4 == 3 ? "" : i % 4 == 2 ? longest : i % 4 == 1 ? "\"b,\"\"c\"\"\"" : "a";
    expected += ',';
    format::append_float(expected, static_cast<double>(i) / 7);
    expected += i % 5 == 0 ? std::string(",\n") : fmt::format(",{}\n", static_cast<int64_t>(i) - 3);
  }
  const CsvFormat csv({"t, quoted", "x", "n"},
                      {NumberFormat::kFloat, NumberFormat::kFloat, NumberFormat::kInteger});
  format::TextBuffer out;
  out.append(csv.header());
  csv.append_rows(table, out);
  EXPECT_TRUE(out.view() == expected);
}

TEST(CsvFormat, AWholeNumberBeyond64BitsIsNoOtherNumber) {
  Table table;
  table.rows = 3;
  table.columns = {{.name = "n",
                    .type = ColumnType::kNumber,
                    .codes = {},
                    .dictionary = {},
                    .numbers = {9223372036854774784.0, 0x1p63, -1e25}}};
  format::TextBuffer out;
  CsvFormat({"n"}, {NumberFormat::kInteger}).append_rows(table, out);
  EXPECT_EQ(out.view(), "9223372036854774784\n9.223372036854776e+18\n-1e+25\n");
}

TEST(CsvTable, WorkOnChunksIsFinishedInOrderOnAnyThreads) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "csv_as";
  std::filesystem::create_directories(folder);
  std::string csv = "id,code,amount,bad\n";
  for (int i = 0; i < 20000; ++i)
    csv += i == 9999 ? "broken\n" : fmt::format("{},{},{},{}\n", i, i % 7, i, i % 2 ? "Y" : "N");
  ASSERT_TRUE(write_file_atomically(folder / "f.csv", csv));
  const auto spec = parse_dataset_spec(kSmall, "s.toml").value();
  auto file = RowFile::own(MappedFile::open(folder / "f.csv").value(), "f.csv");
  for (int threads : {1, 2, 5}) {
    set_thread_count(threads);
    uint64_t next = 0;
    const auto report = read_csv_file_as<std::vector<uint64_t>>(
        file, spec, {},
        [](const CsvChunk& chunk, std::vector<uint64_t>& out) -> Status {
          EXPECT_EQ(chunk.table.rows, chunk.row_index.size());
          out = chunk.row_index;
          return {};
        },
        [&](std::vector<uint64_t>& out) -> Status {
          for (const uint64_t row : out) {
            if (next == 9999) ++next;
            EXPECT_EQ(row, next++);
          }
          return {};
        });
    ASSERT_TRUE(report);
    EXPECT_EQ(next, 20000u);
    EXPECT_EQ(report->quarantined, 1u);
    const auto stopped = read_csv_file_as<int>(
        file, spec, {},
        [](const CsvChunk& chunk, int&) {
          return chunk.row_index[0] > 5000 ? Status(io_error("no more")) : Status();
        },
        [](int&) -> Status { return {}; });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().message, "no more");
  }
  set_thread_count(0);
}

// A small spec with another target, read from rows "id,code,amount,bad".
struct OtherTargetSpec {
  std::string text;
  OtherTargetSpec(const std::string& type, const std::string& values)
      : text(small_spec_with_target(type, values)) {}
  Result<Read> read(const std::string& rows, ReadOptions options = {}) const {
    MAEIL_ASSIGN(const auto spec, parse_dataset_spec(text, "other.toml"));
    Read out;
    MAEIL_ASSIGN(out.report, read_csv("id,code,amount,bad\n" + rows, "f.csv", spec, options,
                                      [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                        out.chunks.push_back(std::move(chunk));
                                        return {};
                                      }));
    return out;
  }
};

TEST(ReadCsv, ANumberIsATargetByItsValue) {
  const OtherTargetSpec spec("number", "positive = 1\nnegative = 0\n");
  const auto out = spec.read("a,x,1,1\nb,x,1,0.0\nc,x,1,1.0\nd,x,1,NA\ne,x,1,-0\nf,x,1,2\ng,x,1,one\n");
  ASSERT_TRUE(out) << out.error().message;
  const Column& bad = *out->chunks.at(0).find("bad");
  EXPECT_EQ(bad.dictionary, (std::vector<std::string>{"1", "0"}));
  EXPECT_EQ(bad.codes, (std::vector<uint32_t>{0, 1, 0, kMissing, 1}));
  ASSERT_EQ(out->report.examples.size(), 2u);
  EXPECT_EQ(out->report.examples[0].reason, "column 'bad': '2' is neither '1', which is positive, nor '0'");
  EXPECT_EQ(out->report.examples[1].reason, "column 'bad': 'one' is neither '1', which is positive, nor '0'");
  EXPECT_EQ(out->report.negative, "");
}

TEST(ReadCsv, WithoutANegativeValueAThirdOneIsAnError) {
  const OtherTargetSpec spec("text", "positive = \"late\"\n");
  const auto two = spec.read("a,x,1,late\nb,x,1,\nc,x,1,paid\n");
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(two->report.negative, "paid");
  const std::string third =
      "column 'bad': 'open' is a third value of the target, beside 'late', which is positive, and 'paid'";
  const auto near = spec.read("a,x,1,paid\nb,x,1,late\nc,x,1,open\n");
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error().code, ErrorCode::kBadInput);
  EXPECT_NE(near.error().message.find("f.csv:4: " + third), std::string::npos) << near.error().message;
  std::string far;  // in another chunk than the second value
  for (size_t i = 0; i < 2 * kChunkRows; ++i) far += "a,x,1,paid\n";
  const auto beyond = spec.read(far + "b,x,1,open\n");
  ASSERT_FALSE(beyond);
  EXPECT_NE(beyond.error().message.find(fmt::format("f.csv:{}: {}", 2 * kChunkRows + 2, third)),
            std::string::npos);
  const auto classes = spec.read("a,x,1,paid\nb,x,1,late\nc,x,1,open\n", {.any_target = true});
  ASSERT_TRUE(classes);
  EXPECT_EQ(classes->chunks.at(0).find("bad")->dictionary,
            (std::vector<std::string>{"paid", "late", "open"}));
}

TEST(ReadCsv, TrueAndFalseAreWordsInAnyCase) {
  const OtherTargetSpec spec("text", "positive = true\n");
  const auto out = spec.read("a,x,1,True\nb,x,1,false\nc,x,1,TRUE\nd,x,1,False\n");
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(out->chunks.at(0).find("bad")->codes, (std::vector<uint32_t>{0, 1, 0, 1}));
  EXPECT_EQ(out->report.negative, "false");
}

}  // namespace
}  // namespace maeil::table
