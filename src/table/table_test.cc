// The dataset spec and tables from CSV: types, quarantine, hostile files; writing gives the same bytes back.
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
#include "table/constraint.h"
#include "table/csv_header.h"
#include "table/csv_table.h"
#include "table/dataset_spec.h"

namespace maeil::table {
namespace {

const char* kSmall = R"(
name = "small"
columns = [
  { name = "id", type = "text", drop = true },
  { name = "code", type = "text", nullable = true },
  { name = "amount", type = "number" },
  { name = "extra", type = "number", optional = true },
  { name = "bad", type = "text" },
]
[target]
column = "bad"
negative = "N"
positive = "Y"
)";

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

TEST(DatasetSpecGolden, TheBuiltInOneHasTheRealColumnsInOrder) {
  MAEIL_NEEDS(golden_dir());
  const auto bytes = read_file(golden_dir() / "sdv_sample_2000.csv").value();
  format::CsvReader reader(bytes, "golden");
  format::CsvRecord header;
  ASSERT_TRUE(reader.next(header).value());
  std::vector<std::string_view> names;
  std::deque<std::string> unescaped;
  ASSERT_EQ(format::split_record(header.bytes, names, unescaped), "");
  const auto spec = builtin_dataset_spec().value();
  std::vector<std::string_view> described;
  for (const auto& column : spec.columns) {
    if (!column.optional) described.push_back(column.name);
  }
  EXPECT_EQ(described, names);
}

TEST(DatasetSpec, TheBuiltInOneKnowsTheRealColumns) {
  const auto spec = builtin_dataset_spec().value();
  EXPECT_EQ(spec.columns.size(), 100u);
  EXPECT_EQ(spec.day_counts.size(), 6u);
  EXPECT_TRUE(spec.find("AF_CRG")->drop);
  EXPECT_FALSE(spec.find("AF_KIFRS_ADJ_SUM")->drop);
  EXPECT_TRUE(spec.find("spclty_itm_mk_cd")->type == SpecType::kText);
  EXPECT_EQ(std::count_if(spec.columns.begin(), spec.columns.end(), [](const auto& c) { return c.nullable; }),
            74);
}

TEST(DatasetSpec, ConstraintsAndMarginals) {
  const auto parse = [](const std::string& constraints, const std::string& marginal = "marginal = \"beta\"") {
    return parse_dataset_spec(
        "name = \"s\"\ncolumns = [\n  { name = \"y\", type = \"text\" },\n  { name = \"a\", type = "
        "\"number\", " +
            marginal +
            " },\n  { name = \"b\", type = \"number\" },\n  { name = \"t\", type = \"number\" },\n  { name = "
            "\"u\", type = \"number\" },\n]\n[target]\ncolumn = \"y\"\nnegative = "
            "\"N\"\npositive = \"Y\"\n" +
            constraints,
        "s.toml");
  };
  const auto spec = parse(
      "[[constraints]]\nkind = \"order\"\ncolumns = [\"a\", \"b\"]\n[[constraints]]\nkind = \"sum\"\ncolumns "
      "= [\"t\", \"a\", \"b\"]\n"
      "[[constraints]]\nkind = \"only_when\"\ncolumns = [\"u\", \"y\"]\nequals = \"Y\"\n");
  ASSERT_TRUE(spec) << spec.error().message;
  ASSERT_EQ(spec->constraints.size(), 3u);
  EXPECT_EQ(spec->constraints[2].equals, "Y");
  EXPECT_EQ(spec->find("a")->marginal, "beta");
  const auto message = [&](const std::string& constraints) {
    return parse("[[constraints]]\n" + constraints).error().message;
  };
  EXPECT_NE(message("kind = \"less\"\ncolumns = [\"a\", \"b\"]").find("s.toml:13"), std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"c\"]").find("'c' is no column"),
            std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"y\"]").find("number column"), std::string::npos);
  EXPECT_NE(message("kind = \"sum\"\ncolumns = [\"a\", \"b\"]").find("s.toml:13"), std::string::npos);
  EXPECT_FALSE(parse("", "marginal = 1"));
  EXPECT_EQ(spec->constraints[0].place, "s.toml:13");
  const auto fixed = parse("[[constraints]]\nkind = \"sum\"\ncolumns = [100, \"a\", \"b\"]\n");
  ASSERT_TRUE(fixed) << fixed.error().message;
  EXPECT_EQ(fixed->constraints[0].total, 100);
  EXPECT_EQ(fixed->constraints[0].columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(message("kind = \"sum\"\ncolumns = [\"a\", 100, \"b\"]").find("names of columns"),
            std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [1, \"b\"]").find("names of columns"), std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"b\"]\nequals = \"Y\"").find("only_when"),
            std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"b\"]\n[[constraints]]\nkind = \"order\"\ncolumns "
                    "= [\"b\", \"a\"]")
                .find("s.toml:16: the constraints of kind order go round in a circle"),
            std::string::npos);
}

TEST(Constraint, DatesAreOrderedByTheirDays) {
  Table rows;
  rows.rows = 5;
  rows.columns = {
      {"opened", ColumnType::kText, {0, 1, 0, 2, kMissing}, {"31MAY2024", "01JAN2020", "soon"}, {}},
      {"closed", ColumnType::kText, {0, 0, 1, 0, 0}, {"15FEB2021", "30JUN2024"}, {}}};
  const Constraint order{Constraint::Kind::kOrder, {"opened", "closed"}, ""};
  EXPECT_EQ(count_broken(order, rows).value(), 1u);
  ASSERT_TRUE(apply_constraints({order}, rows));
  EXPECT_EQ(count_broken(order, rows).value(), 0u);
  EXPECT_EQ(rows.columns[0].text(0), "15FEB2021");  // swapped, though neither column knew the other's label
  EXPECT_EQ(rows.columns[1].text(0), "31MAY2024");
  EXPECT_EQ(rows.columns[0].text(1), "01JAN2020");
  EXPECT_EQ(rows.columns[0].text(3), "soon");
  EXPECT_TRUE(rows.columns[0].is_missing(4));
  rows.columns.push_back({"x", ColumnType::kNumber, {}, {}, std::vector<double>(5)});
  EXPECT_FALSE(apply_constraints({{Constraint::Kind::kOrder, {"opened", "x"}, ""}}, rows));
}

// Rows of number columns; each list is a row.
Table numbers(const std::vector<std::string>& names, const std::vector<std::vector<double>>& rows) {
  Table out;
  out.rows = rows.size();
  for (size_t c = 0; c < names.size(); ++c) {
    out.columns.push_back({names[c], ColumnType::kNumber, {}, {}, {}});
    for (const auto& row : rows) out.columns.back().numbers.push_back(row[c]);
  }
  return out;
}

std::vector<double> row_of(const Table& rows, size_t row) {
  std::vector<double> out;
  for (const auto& column : rows.columns) out.push_back(column.numbers[row]);
  return out;
}

const Constraint kSum{Constraint::Kind::kSum, {"t", "a", "b"}, ""};

TEST(Constraint, DatesKeepTheirColumnsFormat) {
  Table rows;
  rows.rows = 3;
  rows.columns = {{"iso", ColumnType::kText, {0, 1, 0}, {"2024-05-31", "2020-01-01"}, {}},
                  {"sas", ColumnType::kText, {1, 0, 0}, {"30JUN2024", "15FEB2021"}, {}},
                  {"pandas", ColumnType::kText, {0, 0, 1}, {"02Jan2024", "1Jul2025"}, {}}};
  const std::vector<Constraint> orders = {{Constraint::Kind::kOrder, {"sas", "pandas"}, ""},
                                          {Constraint::Kind::kOrder, {"iso", "sas"}, ""}};
  ASSERT_TRUE(apply_constraints(orders, rows));
  for (const auto& order : orders) EXPECT_EQ(count_broken(order, rows).value(), 0u);
  const auto texts = [&](size_t row) {
    std::string out;
    for (const auto& column : rows.columns) out += std::string(column.text(row)) + " ";
    return out;
  };
  EXPECT_EQ(texts(0), "2021-02-15 02JAN2024 31May2024 ");
  EXPECT_EQ(texts(1), "2020-01-01 02JAN2024 30Jun2024 ");
  EXPECT_EQ(texts(2), "2024-05-31 30JUN2024 1Jul2025 ");  // in order: not touched
}

TEST(Constraint, ChainsOfOrdersHoldInAnyFileOrderAndOnlyCirclesAreRefused) {
  const auto order = [](const char* low, const char* high) {
    return Constraint{Constraint::Kind::kOrder, {low, high}, ""};
  };
  std::vector<Constraint> chain = {order("a", "b"), order("b", "c"), order("c", "d"), order("x", "c")};
  std::sort(chain.begin(), chain.end(), [](const auto& p, const auto& q) { return p.columns < q.columns; });
  do {
    ASSERT_EQ(check_constraints(chain), "");
    Table rows = numbers({"d", "b", "a", "c", "x"},
                         {{1, 3, 4, 2, 9}, {1, NAN, 4, 2, 0}, {4, 2, 1, 3, 3}, {NAN, NAN, 4, 2, NAN}});
    ASSERT_TRUE(apply_constraints(chain, rows));
    for (const auto& one : chain) EXPECT_EQ(count_broken(one, rows).value(), 0u) << describe(one);
    EXPECT_EQ(row_of(rows, 2), (std::vector<double>{4, 2, 1, 3, 3}));
    // values are sorted, none is made up
    EXPECT_EQ(rows.columns[0].numbers[0], 9);
    EXPECT_TRUE(rows.columns[1].is_missing(1));
  } while (std::next_permutation(chain.begin(), chain.end(),
                                 [](const auto& p, const auto& q) { return p.columns < q.columns; }));
  EXPECT_NE(check_constraints({order("z", "a"), order("a", "b"), order("b", "c"), order("c", "a")})
                .find("circle: a <= b <= c <= a"),
            std::string::npos);
}

TEST(Constraint, OrderedValuesKeepTheirColumnsDigitsAndEnds) {
  const Constraint order{Constraint::Kind::kOrder, {"fine", "whole"}, ""};
  const std::vector<ValueRange> ranges = {{1, 0, 10}, {0, 0, 10}};
  Table rows = numbers({"fine", "whole"}, {{3.5, 3}, {9.7, 2}, {0.2, 0}, {3, 3}, {0.5, 0.5}});
  ASSERT_TRUE(apply_constraints({order}, rows, ranges));
  EXPECT_EQ(count_broken(order, rows).value(), 0u);
  EXPECT_EQ(row_of(rows, 0), (std::vector<double>{3, 4}));
  EXPECT_EQ(row_of(rows, 1), (std::vector<double>{2, 10}));
  EXPECT_EQ(row_of(rows, 2), (std::vector<double>{0, 0}));
  // A column that ends lower pulls those before it down; where no end is left the order counts.
  Table low = numbers({"fine", "whole"}, {{9, 7.5}});
  ASSERT_TRUE(apply_constraints({order}, low, {{1, 0, 10}, {0, 0, 8}}));
  EXPECT_EQ(row_of(low, 0), (std::vector<double>{7.5, 8}));
  Table contrary = numbers({"fine", "whole"}, {{7.5, 2}});
  ASSERT_TRUE(apply_constraints({order}, contrary, {{1, 5, 10}, {0, 0, 3}}));
  EXPECT_EQ(count_broken(order, contrary).value(), 0u);
}

TEST(Constraint, ASumHoldsToTheLastDigitWhereItsTotalCannotTakeIt) {
  // A whole total of parts with decimals: the parts move, by less than one.
  const std::vector<ValueRange> ranges = {{0, 0, 60}, {1, 0, 30}, {2, 0, 30}};
  Table rows = numbers({"t", "a", "b"}, {{31, 9.5, 21.25}, {40, 0, 21.25}, {1, 30, 29.99}, {7, 3, 4}});
  ASSERT_TRUE(apply_constraints({kSum}, rows, ranges));
  for (size_t i = 0; i < rows.rows; ++i) {
    const auto row = row_of(rows, i);
    EXPECT_EQ(row[0], std::round(row[0])) << i;
    EXPECT_EQ(std::llround(row[0] * 100), std::llround(row[1] * 100) + std::llround(row[2] * 100)) << i;
    EXPECT_EQ(row[1], std::round(row[1] * 10) / 10) << i;
    EXPECT_EQ(row[2], std::round(row[2] * 100) / 100) << i;
    for (size_t c = 0; c < 3; ++c)
      EXPECT_TRUE(row[c] >= *ranges[c].min && row[c] <= *ranges[c].max) << i << " " << c;
  }
  EXPECT_EQ(row_of(rows, 0)[0], 31);
  EXPECT_EQ(row_of(rows, 1), (std::vector<double>{21, 0, 21}));  // what is 0 stays so
  EXPECT_EQ(row_of(rows, 3), (std::vector<double>{7, 3, 4}));
  // Beyond the total's ends the parts give way.
  Table large = numbers({"t", "a", "b"}, {{0, 30, 20}});
  ASSERT_TRUE(apply_constraints({kSum}, large, {{0, 0, 40}, {1, 0, 30}, {2, 0, 30}}));
  EXPECT_EQ(row_of(large, 0), (std::vector<double>{40, 24, 16}));
}

TEST(Constraint, AFixedTotalStaysAndTheSharesKeepTheirRatio) {
  const std::vector<ValueRange> ranges = {{0, 100, 100}, {1, 0, 100}, {1, 0, 100}};
  Table rows = numbers({"t", "a", "b"}, {{100, 30, 50}, {100, 0, 80}, {100, 90, 90}, {100, 0, 0}});
  ASSERT_TRUE(apply_constraints({kSum}, rows, ranges));
  EXPECT_EQ(row_of(rows, 0), (std::vector<double>{100, 37.5, 62.5}));
  EXPECT_EQ(row_of(rows, 1), (std::vector<double>{100, 0, 100}));
  EXPECT_EQ(row_of(rows, 2), (std::vector<double>{100, 50, 50}));
  EXPECT_EQ(count_broken(kSum, rows).value(), 0u);
  // The same with a number in place of the column.
  const Constraint fixed{Constraint::Kind::kSum, {"a", "b"}, "", 100};
  Table shares = numbers({"a", "b"}, {{30, 50}, {33.3, 33.3}, {100, 0}});
  EXPECT_EQ(count_broken(fixed, shares).value(), 2u);
  ASSERT_TRUE(apply_constraints({fixed}, shares, {{1, 0, 100}, {1, 0, 100}}));
  EXPECT_EQ(count_broken(fixed, shares).value(), 0u);
  EXPECT_EQ(row_of(shares, 0), (std::vector<double>{37.5, 62.5}));
  EXPECT_EQ(row_of(shares, 1), (std::vector<double>{50, 50}));
  // Where the parts' ends leave no way they leave them; the total does not.
  ASSERT_TRUE(apply_constraints({fixed}, shares, {{1, 0, 40}, {1, 0, 40}}));
  EXPECT_EQ(count_broken(fixed, shares).value(), 0u);
}

TEST(Constraint, ASumSaysNothingOfRowsThatLackATerm) {
  Table rows = numbers({"t", "a", "b"}, {{5, NAN, 3}, {NAN, 1, 3}, {5, 1, 3}});
  EXPECT_EQ(count_broken(kSum, rows).value(), 1u);
  ASSERT_TRUE(apply_constraints({kSum}, rows));
  EXPECT_EQ(rows.columns[0].numbers[0], 5);
  EXPECT_TRUE(rows.columns[0].is_missing(1));
  EXPECT_EQ(rows.columns[0].numbers[2], 4);
}

// Sums that share columns, and orders between a sum's terms and others, all at once and on awkward digits.
TEST(Constraint, OrdersAndSumsHoldTogether) {
  const std::vector<Constraint> all = {{Constraint::Kind::kSum, {"g", "t", "fee"}, ""},
                                       {Constraint::Kind::kSum, {"t", "a", "b"}, ""},
                                       {Constraint::Kind::kOrder, {"a", "b"}, ""},
                                       {Constraint::Kind::kOrder, {"paid", "t"}, ""},
                                       {Constraint::Kind::kOrder, {"a", "t"}, ""}};
  ASSERT_EQ(check_constraints(all), "");
  const std::vector<ValueRange> ranges = {{0, 0, 80}, {1, 0, 60}, {2, 0, 20},
                                          {2, 0, 30}, {2, 0, 30}, {2, 0, 60}};
  std::vector<std::vector<double>> values;
  for (int64_t i = 0; i < 2000; ++i) {
    const auto at = [&](int64_t prime, int64_t below) {
      return static_cast<double>(i * prime % below) / 100;
    };
    values.push_back({std::floor(at(7919, 8001)), std::floor(at(104729, 6001) * 10) / 10, at(1299709, 2001),
                      at(15485863, 3001), at(32452843, 3001), at(86028121, 6001)});
  }
  Table rows = numbers({"g", "t", "fee", "a", "b", "paid"}, values);
  ASSERT_TRUE(apply_constraints(all, rows, ranges));
  for (const auto& one : all) EXPECT_EQ(count_broken(one, rows).value(), 0u) << describe(one);
  for (size_t c = 0; c < ranges.size(); ++c) {
    const Rounding rounding(ranges[c].digits);
    for (size_t i = 0; i < rows.rows; ++i)
      ASSERT_EQ(rounding(rows.columns[c].numbers[i]), rows.columns[c].numbers[i])
          << rows.columns[c].name << " " << i;
  }
  const Constraint back{Constraint::Kind::kSum, {"a", "g", "x"}, ""};
  EXPECT_NE(check_constraints({all[0], all[1], back}).find("circle"), std::string::npos);
}

TEST(Constraint, OnlyWhenNeedsAValueThatTheColumnHas) {
  Table rows = numbers({"a", "b"}, {{1, 2}, {3, NAN}, {4, 5}});
  rows.columns.push_back({"y", ColumnType::kText, {0, 1, kMissing}, {"N", "Y"}, {}});
  const Constraint nope{Constraint::Kind::kOnlyWhen, {"a", "y"}, "NOPE", std::nullopt, "s.toml:9"};
  const auto refused = check_values({nope}, rows);
  ASSERT_FALSE(refused);
  for (const char* part : {"s.toml:9", "equals = \"NOPE\"", "N, Y"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
  // Without a value: where the other is there, whatever its type. What one empties is missing for the next.
  const std::vector<Constraint> present = {{Constraint::Kind::kOnlyWhen, {"b", "a"}, ""},
                                           {Constraint::Kind::kOnlyWhen, {"a", "y"}, ""}};
  EXPECT_TRUE(check_values(present, rows));
  EXPECT_EQ(count_broken(present[1], rows).value(), 1u);
  ASSERT_TRUE(apply_constraints(present, rows));
  EXPECT_EQ(rows.columns[0].numbers[1], 3);
  EXPECT_TRUE(rows.columns[0].is_missing(2));
  EXPECT_TRUE(rows.columns[1].is_missing(2));
}

TEST(Constraint, DatesKeepTheirFormAndTheirTime) {
  Table rows;
  rows.rows = 3;
  rows.columns = {{"opened", ColumnType::kText, {0, 1, 2}, {"20240531", "20200101", "20240601"}, {}},
                  {"closed",
                   ColumnType::kText,
                   {0, 1, 2},
                   {"2021-02-15 13:30", "2024-06-30 00:00", "2024-06-01 08:15"},
                   {}}};
  const Constraint order{Constraint::Kind::kOrder, {"opened", "closed"}, ""},
      reversed{Constraint::Kind::kOrder, {"closed", "opened"}, ""};
  EXPECT_EQ(count_broken(order, rows).value(), 1u);
  EXPECT_EQ(count_broken(reversed, rows).value(), 2u);  // 08:15 is after the day's begin
  ASSERT_TRUE(apply_constraints({order}, rows));
  EXPECT_EQ(count_broken(order, rows).value(), 0u);
  EXPECT_EQ(rows.columns[0].text(0), "20210215");
  EXPECT_EQ(rows.columns[1].text(0), "2024-05-31 00:00");
}

// A small spec with another target, read from rows "id,code,amount,bad".
struct OtherTargetSpec {
  std::string text = kSmall;
  OtherTargetSpec(const std::string& type, const std::string& values) {
    text.replace(text.find("\"bad\", type = \"text\""), 21, "\"bad\", type = \"" + type + "\"");
    text = text.substr(0, text.find("negative")) + values;
  }
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

TEST(DatasetSpec, NamesThatPreparedRowsCannotHaveAreRefused) {
  const auto refusal = [](const std::string& columns, const std::string& rest = "") -> std::string {
    const auto spec = parse_dataset_spec("name = \"d\"\ncolumns = [ " + columns + " ]\n" + rest, "d.toml");
    return spec ? "" : spec.error().message;
  };
  EXPECT_NE(refusal("{ name = \"split\", type = \"text\" }").find("column 'split' would be called 'split'"),
            std::string::npos);
  EXPECT_EQ(refusal("{ name = \"split\", type = \"text\", drop = true }"), "");
  EXPECT_EQ(refusal("{ name = \"row\", type = \"text\" }", "[roles]\nid = \"row\"\n"), "");
  EXPECT_NE(refusal("{ name = \"x\", type = \"number\", nullable = true }, { name = \"x_isnull\", type = "
                    "\"text\" }")
                .find("would be called 'x_isnull' in processed_data, as another feature is"),
            std::string::npos);
  EXPECT_NE(
      refusal("{ name = \"decision\", type = \"text\" }", "[roles]\nid = \"decision\"\n").find("scores"),
      std::string::npos);
}

TEST(DatasetSpec, TargetsThatAreNoneAreRefused) {
  const auto message = [](const std::string& type, const std::string& values) {
    const auto spec = parse_dataset_spec(OtherTargetSpec(type, values).text, "s.toml");
    return spec ? std::string("accepted") : spec.error().message;
  };
  EXPECT_EQ(message("text", "positive = \"Y\"\n"), "accepted");
  EXPECT_NE(message("date", "positive = 1\n").find("s.toml:10: target 'bad' is a date"), std::string::npos);
  EXPECT_NE(message("number", "positive = \"bad\"\n").find("'bad' is no number"), std::string::npos);
  EXPECT_NE(message("number", "positive = 1\nnegative = 1.0\n").find("are the same"), std::string::npos);
  EXPECT_NE(message("text", "positive = true\nnegative = \"TRUE\"\n").find("are the same"),
            std::string::npos);
  EXPECT_NE(message("text", "positive = \"\"\n").find("'positive' of [target] cannot be empty"),
            std::string::npos);
  EXPECT_NE(message("text", "positive = nan\n").find("must be a text, a number, true or false"),
            std::string::npos);
  EXPECT_NE(message("text", "negative = \"N\"\n").find("needs the key 'positive'"), std::string::npos);
  EXPECT_EQ(parse_dataset_spec(OtherTargetSpec("text", "positive = \"007\"\n").text, "s.toml")->positive,
            "007");
}

TEST(DatasetSpec, RolesAreTextAndCheckedByLineAndKey) {
  const auto with = [](const std::string& roles) { return parse_dataset_spec(kSmall + roles, "s.toml"); };
  const auto spec = with("[roles]\nid = \"id\"\ngroup = \"amount\"\n");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->roles.id, std::vector<std::string>{"id"});
  const SpecColumn& group = *spec->find("amount");
  EXPECT_TRUE(group.type == SpecType::kText && group.role && group.identifier && group.missing_words);
  Read out;
  ASSERT_TRUE(read_csv("id,code,amount,bad\n01,a,7.50,N\n02,a,NA,N\n", "f.csv", *spec, {},
                       [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                         out.chunks.push_back(std::move(chunk));
                         return {};
                       }));
  EXPECT_EQ(out.chunks.at(0).find("amount")->text(0), "7.50");
  EXPECT_TRUE(out.chunks.at(0).find("amount")->is_missing(1));
  const auto message = [&](const std::string& roles) {
    const auto refused = with("[roles]\n" + roles);
    return refused ? std::string("accepted") : refused.error().message;
  };
  EXPECT_NE(message("id = \"no\"").find("s.toml:15: 'id' of [roles] names 'no', which is no column"),
            std::string::npos);
  EXPECT_NE(message("id = [\"id\", 3]").find("must hold names"), std::string::npos);
  EXPECT_NE(message("id = [\"id\", \"id\"]").find("twice"), std::string::npos);
  EXPECT_NE(message("id = []").find("names no column"), std::string::npos);
  EXPECT_NE(message("id = 3").find("'id' of [roles] must be a text"), std::string::npos);
  EXPECT_NE(message("group = \"bad\"").find("which is the target"), std::string::npos);
  EXPECT_NE(message("time = \"code\"").find("no date column"), std::string::npos);
  EXPECT_NE(message("owner = \"code\"").find("no key 'owner'"), std::string::npos);
}

TEST(DatasetSpec, ATargetIsNeededOnlyToPrepareRows) {
  std::string text = kSmall;
  EXPECT_TRUE(require_target(parse_dataset_spec(text, "s.toml").value()));
  const auto spec = parse_dataset_spec(text.substr(0, text.find("[target]")), "s.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->target, "");
  const auto needed = require_target(*spec);
  ASSERT_FALSE(needed);
  EXPECT_NE(needed.error().message.find("s.toml: there is no [target]"), std::string::npos);
  EXPECT_FALSE(parse_dataset_spec("target = \"bad\"\n" + text.substr(0, text.find("[target]")), "s.toml"));
}

TEST(DatasetSpec, ErrorsNameFileLineAndKey) {
  const auto message = [](std::string from, std::string to) {
    std::string text = kSmall;
    text.replace(text.find(from), from.size(), to);
    const auto spec = parse_dataset_spec(text, "s.toml");
    return spec ? std::string("accepted") : spec.error().message;
  };
  EXPECT_NE(message("type = \"number\" }", "type = \"nummer\" }").find("s.toml:6"), std::string::npos);
  EXPECT_NE(message("nullable", "nulable").find("no key 'nulable'"), std::string::npos);
  EXPECT_NE(message("column = \"bad\"", "column = \"worse\"").find("'worse'"), std::string::npos);
  EXPECT_NE(message("\"extra\"", "\"amount\"").find("twice"), std::string::npos);
  EXPECT_NE(message("name = \"small\"", "name = ").find("s.toml:2"), std::string::npos);
  EXPECT_NE(message("nullable = true", "nullable = 1").find("true or false"), std::string::npos);
  EXPECT_NE(
      message("type = \"number\" }", "type = \"number\", monotone = \"rising\" }").find("\"up\" or \"down\""),
      std::string::npos);
  EXPECT_EQ(message("nullable = true", "segment = true"), "accepted");
  for (const char* wrong : {"segment = true, drop = true", "segment = \"yes\""})
    EXPECT_NE(message("nullable = true", wrong), "accepted") << wrong;
  EXPECT_NE(message("type = \"number\" }", "type = \"number\", segment = true }")
                .find("segment needs a text column that is a feature"),
            std::string::npos);
  EXPECT_NE(message("nullable = true", "monotone = \"up\"").find("needs type = \"number\""),
            std::string::npos);
}

}  // namespace
}  // namespace maeil::table
